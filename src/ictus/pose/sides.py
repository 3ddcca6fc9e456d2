"""Left and right over time: where an engine takes a body for one that is turned round, its sides are put back.

A body does not turn round between two pictures. Each frame is either as it was found or with its sides swapped, and of
all ways through a scene the one is taken along which points move least, and which swaps the fewest frames
(Viterbi's algorithm).
Source: our own.
"""

import numpy as np

from ictus.skeleton import Skeleton
from ictus.types import BoolArray, Float32Array, Float64Array

_BIAS = 0.03  # what a swapped frame costs: a move of so much of the body's size
_JOINTS = ("shoulder", "elbow", "wrist", "hip")


def swapped(skeleton: Skeleton, rows: Float32Array, seen: BoolArray) -> BoolArray:
    """Return (T,) in which frames of a scene the sides are to be swapped.

    Parameters
    ----------
    rows : (T, J, 3 or more): x, y, confidence.
    seen : (T,) whether anybody is.
    """
    pairs = [number for number, name in enumerate(skeleton.joints) if name.split("_")[-1] in _JOINTS]
    pairs = [number for number in pairs if skeleton.mirror[number] != number and "hand" not in skeleton.joints[number]]
    frames = np.flatnonzero(seen)
    result = np.zeros(len(rows), bool)
    if len(frames) < 2 or not pairs:
        return result
    points = rows[frames][:, pairs].astype(np.float64)
    other = rows[frames][:, [skeleton.mirror[number] for number in pairs]].astype(np.float64)
    size = max(float(np.median(np.ptp(points[..., :2], axis=1).max(1))), 1e-6)
    stays, turns = _moves(points, points) / size, _moves(points, other) / size  # (T - 1,)
    costs, before = np.array([0.0, _BIAS]), np.zeros((len(frames), 2), np.int64)
    for step, (stay, turn) in enumerate(zip(stays, turns, strict=True), 1):
        ways = costs[None] + np.array([[stay, turn], [turn, stay]])  # to each state, from each
        before[step] = ways.argmin(1)
        costs = ways.min(1) + np.array([0.0, _BIAS])
    state = int(costs.argmin())
    for step in range(len(frames) - 1, -1, -1):
        result[frames[step]] = state
        state = int(before[step, state])
    return result


def put_back(skeleton: Skeleton, rows: Float32Array, turned: BoolArray) -> Float32Array:
    """Return rows (T, J, ...) in which the sides of some frames (T,) are swapped."""
    result = rows.copy()
    result[turned] = rows[turned][:, list(skeleton.mirror)]
    return result


def _moves(points: Float64Array, others: Float64Array) -> Float64Array:
    """Return (T - 1,): how far points (T, P, 3) are from others in the next frame, in the mean by their confidence."""
    sure = np.minimum(points[:-1, :, 2], others[1:, :, 2]) + 1e-6
    far = np.linalg.norm(others[1:, :, :2] - points[:-1, :, :2], axis=-1)
    return np.asarray((sure * far).sum(1) / sure.sum(1))
