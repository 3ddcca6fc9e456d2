"""From what an engine finds to whole paths, scene by scene: sides put back, gaps filled, points smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ictus.pose import gaps, sides
from ictus.pose.smoothing import Smoothness, smoothed
from ictus.skeleton import Skeleton
from ictus.types import BoolArray, Float32Array, IntArray

_BODY = Smoothness(0.05, 80.0)  # of points, by the body's size
_HAND = Smoothness(0.5, 20.0, 5.0)  # of points, by the hand's size
_WORLD = Smoothness(0.1, 40.0)  # of metres
FINGERS = ("thumb", "index", "middle", "ring", "pinky")


@dataclass(frozen=True)
class Part:
    """Points that are found together: a body, or a hand, which goes with a wrist of the body.

    Attributes
    ----------
    joints : numbers of its points.
    wrist : the body's, or None.
    """

    joints: IntArray
    wrist: int | None
    how: Smoothness


def parts(skeleton: Skeleton) -> list[Part]:
    """Return the parts of a body; the body itself comes first, and hands are known by their fingers' names."""
    hands = []
    for side in ("left", "right"):
        names = {f"{side}_hand_wrist", *(f"{side}_{finger}_{number}" for finger in FINGERS for number in range(1, 5))}
        joints = [number for number, name in enumerate(skeleton.joints) if name in names]
        if joints:
            hands.append(Part(np.array(joints), skeleton.index(f"{side}_wrist"), _HAND))
    taken = {joint for hand in hands for joint in hand.joints.tolist()}
    body = [number for number in range(len(skeleton)) if number not in taken]
    return [Part(np.array(body), None, _BODY), *hands]


def complete(
    skeleton: Skeleton, rows: Float32Array, seen: BoolArray, fps: float, cuts: Sequence[int] = ()
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Put sides back that were swapped, fill gaps and smooth.

    Parameters
    ----------
    rows : (T, J, 6): x, y, confidence, and three metres; zeros where nothing was found.
    seen : (T,) whether anybody is, at least once.
    cuts : frames at which a new scene begins.

    Returns
    -------
    points : (T, J, 2).
    confidence : (T, J), as `ictus.pose.gaps.marked` gives it.
    world : (T, J, 3).
    """
    bounds = [0, *cuts, len(rows)]
    whole = seen & (rows[:, parts(skeleton)[0].joints, 2].max(1) > 0)  # of some frames only hands are known
    turned = [sides.swapped(skeleton, rows[first:last], whole[first:last]) for first, last in pairwise(bounds)]
    rows = sides.put_back(skeleton, rows, np.concatenate(turned))
    places = np.concatenate((rows[..., :2], rows[..., 3:]), -1).astype(np.float64)  # (T, J, 5)
    confidence = np.zeros(rows.shape[:2], np.float32)
    anywhere = np.median(places[seen], 0)  # for scenes that show nobody
    for first, last in pairwise(bounds):
        scene = slice(first, last)
        for part in parts(skeleton):
            chosen = np.ix_(np.arange(first, last), part.joints)
            found = seen[scene] & (rows[..., 2][chosen].max(1) > 0)
            above = 0.0 if part.wrist is None else places[scene, part.wrist, None]
            filled = gaps.fill(places[chosen] - above, found) + above
            if not found.any():
                filled = np.zeros_like(filled) + (anywhere[part.joints] if part.wrist is None else above)
            extent = np.median(np.ptp(filled[..., :2], axis=1).max(1))
            size = np.full(len(filled), max(float(extent), 1.0))
            places[chosen] = np.concatenate(
                (
                    smoothed(filled[..., :2], fps, size, part.how),
                    smoothed(filled[..., 2:], fps, np.ones(len(filled)), _WORLD),
                ),
                -1,
            )
            confidence[chosen] = gaps.marked(rows[..., 2][chosen], found, fps)
    return places[..., :2].astype(np.float32), confidence, places[..., 2:].astype(np.float32)
