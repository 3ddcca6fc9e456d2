"""Learning rates over time, as functions of the step alone."""

import math
from dataclasses import dataclass
from typing import Literal

from ictus.errors import UsageError


@dataclass(frozen=True)
class Schedule:
    """A factor on all learning rates.

    Attributes
    ----------
    kind : "constant"; "cosine", from 1 to `floor` at the end of training; or "step", times `factor` at each milestone.
    warmup : steps over which any of them first rises from 0.
    hold : steps before the cosine begins to fall, if it is not to fall at once.
    floor : where the cosine ends.
    milestones, factor : the steps at which "step" falls, and by how much.
    """

    kind: Literal["constant", "cosine", "step"] = "constant"
    warmup: int = 0
    hold: int = 0
    floor: float = 0.0
    milestones: tuple[int, ...] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        if min(self.warmup, self.hold) < 0:
            raise UsageError(f"warmup is {self.warmup} and hold {self.hold}; both must be 0 or more steps")
        if self.kind == "step" and not self.milestones:
            raise UsageError("kind is 'step', but there are no milestones; give the steps at which the rate falls")

    def __call__(self, step: int, total: int) -> float:
        """Return the factor for a step, from 0, of `total`."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.kind == "cosine":
            start = max(self.warmup, self.hold)
            done = min(1.0, max(0.0, (step - start) / max(1, total - start)))
            return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2
        if self.kind == "step":
            return float(self.factor ** sum(step >= milestone for milestone in self.milestones))
        return 1.0
