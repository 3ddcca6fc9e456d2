"""Geometric features: how often the body stands in each of 32 relations, such as "right hand above the shoulders"."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from ictus.dance.metrics.inputs import RATE, SKELETON, MotionLike, positions_at
from ictus.errors import UsageError
from ictus.types import BoolArray, Float64Array

GeometricProtocol = Literal["released", "paper"]

# Metres, of the male SMPL body in its rest pose: thresholds are multiples of them, whoever dances.
HUMERUS, SHOULDERS, HIPS = 0.256838, 0.390848, 0.119247
_PER_SECOND = 120.0  # by which the published code turns steps into velocities, although AIST++ has 60 frames a second
_SKIP = 30  # frames that the paper's extractor believed to skip
_UP = np.array([0.0, 1.0, 0.0])


def geometric_features(
    motion: MotionLike, protocol: GeometricProtocol = "released", fps: float | None = None
) -> Float64Array:
    """Return (32,): for each relation, the share of the frames after the first in which it holds.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given); measured at 60 fps, T >= 2.
    protocol : "released": all frames, as in the code released with AIST++ and in all later work. "paper": only the
        first thirtieth of them, by which FID_g and Dist_g of the FACT paper were measured: its extractor counted on in
        steps of 30 frames and went on by single ones.

    Source: M. Mueller, T. Roeder, M. Clausen: Efficient Content-Based Retrieval of Motion Capture Data (SIGGRAPH 2005),
    as in google/aistplusplus_api, with its peculiarities: velocities doubled, and relations 5 and 6 alike.
    """
    positions = positions_at(motion, RATE, fps)
    if protocol == "paper":
        positions = positions[: 2 + (len(positions) - 2) // _SKIP]
    elif protocol != "released":
        raise UsageError(f"geometric features have no protocol {protocol!r}; known are released, paper")
    return np.asarray(np.stack(list(_relations(_Body(positions)))).mean(1))


def _relations(body: "_Body") -> Iterator[BoolArray]:
    """Yield each relation, (T - 1,), in the published order; where it has sides, the right one comes first."""
    sides = (("r", "l"), ("l", "r"))  # each with its other side
    for side, other in sides:  # hand moves through the plane of neck and hips
        yield body.crosses("neck", f"{side}hip", f"{other}hip", f"{side}wrist", 1.8 * HUMERUS)
    for side, _ in sides:  # hand above the neck
        yield body.beyond(body["neck"] - body["chest"], body["neck"], f"{side}wrist", 0.2 * HUMERUS)
    for _ in sides:  # hand moves upwards; but what is measured is the chest, for both
        yield body.follows("belly", "chest", "chest", 1.8 * HUMERUS)
    for side, _ in sides:  # elbow bent
        yield body.bends(f"{side}elbow", f"{side}shoulder", f"{side}elbow", f"{side}wrist", 0, 110)
    # hands wide apart; hands approach each other
    yield body.beyond(body["rshoulder"] - body["lshoulder"], body["lwrist"], "rwrist", 2.5 * SHOULDERS)
    yield body.follows("lwrist", "rwrist", "rwrist", 1.4 * HUMERUS)
    for side, other in sides:  # the other hand, as seen from this one, moves towards the root
        yield body.follows(f"{side}wrist", "root", f"{other}wrist", 1.4 * HUMERUS)
    for side, _ in sides:
        yield body.fast(f"{side}wrist", 2.5 * HUMERUS)
    for side, other in sides:  # foot behind the other leg
        yield body.above("root", f"{other}hip", f"{other}toes", f"{side}ankle", 0.38 * HUMERUS)
    for side, _ in sides:  # foot raised
        yield body.beyond(_UP, body.floor, f"{side}ankle", 1.2 * HUMERUS)
    yield body.beyond(body["rhip"] - body["lhip"], body["lankle"], "rankle", 2.1 * HIPS)  # feet wide apart
    for side, _ in sides:  # knee bent
        yield body.bends(f"{side}knee", f"{side}hip", f"{side}knee", f"{side}ankle", 0, 110)
    for side, _ in sides:
        yield body.fast(f"{side}ankle", 2.5 * HUMERUS)
    for side, _ in sides:  # upper arm, then thigh, away from the spine
        yield body.bends("neck", "root", f"{side}shoulder", f"{side}elbow", 25, 180)
    for side, _ in sides:
        yield body.bends("neck", "root", f"{side}hip", f"{side}knee", 50, 180)
    yield body.above("rankle", "neck", "lankle", "root", 0.5 * HUMERUS)  # root in front of the feet
    yield body.within(body["root"] - body["neck"], _UP, 70, 110)  # spine level
    for side, _ in sides:  # hand lowered
        yield body.beyond(-_UP, body.floor, f"{side}wrist", -1.2 * HUMERUS)
    yield body.fast("root", 2.3 * HUMERUS)


class _Body:
    """The joints in the frames after the first, and the predicates on them; `body[joint]` is (T - 1, 3) metres."""

    def __init__(self, positions: Float64Array) -> None:
        self._now, self._before = positions[1:], positions[:-1]
        self.floor = self._now[:, :, 1].min(1)[:, None] * _UP  # (T - 1, 3): below the root, as high as the lowest joint

    def __getitem__(self, joint: str) -> Float64Array:
        return self._now[:, SKELETON.index(joint)]

    def _velocity(self, joint: str, origin: str | None = None) -> Float64Array:
        """(T - 1, 3): of a joint, or of it as seen from another one."""
        now, before = (
            frames[:, SKELETON.index(joint)] - (frames[:, SKELETON.index(origin)] if origin else 0)
            for frames in (self._now, self._before)
        )
        return (now - before) * _PER_SECOND

    def fast(self, joint: str, least: float) -> BoolArray:
        """The joint is faster than `least` m/s."""
        return np.asarray(np.linalg.norm(self._velocity(joint), axis=-1) > least)

    def follows(self, start: str, end: str, joint: str, least: float) -> BoolArray:
        """The joint, as seen from `start`, moves towards `end` faster than `least` m/s."""
        return _along(self[end] - self[start], self._velocity(joint, start)) > least

    def crosses(self, origin: str, first: str, second: str, joint: str, least: float) -> BoolArray:
        """The joint moves through the plane of three others faster than `least` m/s, as seen from the first."""
        return _along(self._normal(origin, first, second), self._velocity(joint, origin)) > least

    def above(self, origin: str, first: str, second: str, joint: str, least: float) -> BoolArray:
        """The joint lies farther than `least` metres above the plane of three others."""
        return _along(self._normal(origin, first, second), self[joint] - self[origin]) > least

    def beyond(self, direction: Float64Array, origin: Float64Array, joint: str, least: float) -> BoolArray:
        """The joint lies farther than `least` metres from a place (T - 1, 3), along a direction."""
        return _along(direction, self[joint] - origin) > least

    def bends(self, start: str, end: str, other_start: str, other_end: str, least: float, most: float) -> BoolArray:
        """Two bones make an angle between `least` and `most` degrees."""
        return self.within(self[end] - self[start], self[other_end] - self[other_start], least, most)

    def within(self, first: Float64Array, second: Float64Array, least: float, most: float) -> BoolArray:
        """Two directions make an angle between `least` and `most` degrees."""
        cosine = _along(first, second) / np.linalg.norm(second, axis=-1)
        angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        return np.asarray((least < angle) & (angle < most))

    def _normal(self, origin: str, first: str, second: str) -> Float64Array:
        return np.cross(self[second] - self[origin], self[first] - self[origin])


def _along(direction: Float64Array, vectors: Float64Array) -> Float64Array:
    """(T - 1,): the part of each vector that lies along a direction; NaN, so in no relation, where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((vectors * direction).sum(-1) / np.linalg.norm(direction, axis=-1))
