"""Hands: what both of them do, and the ground truth of it."""

from dataclasses import dataclass, field

from ictus.synthesis.players.body import Grip
from ictus.types import Float64Array


@dataclass(frozen=True)
class Hands:
    """What a player's hands do, while the trunk is at rest.

    Attributes
    ----------
    right, left : the grips.
    ground_truth : by name: `fingers` (N, 10), 1 where a finger is down in a note (left thumb to little
        finger, then the right ones), and what else the instrument has, such as `bow` and `slide`, (T,) metres.
    """

    right: Grip
    left: Grip
    ground_truth: dict[str, Float64Array] = field(default_factory=dict)
