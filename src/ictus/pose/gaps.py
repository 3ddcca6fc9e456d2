"""Gaps: frames in which a body or a hand was not found, filled along straight lines and marked."""

import numpy as np

from ictus.types import BoolArray, Float32Array, Float64Array, FloatArray, IntArray

FILLED = 0.2  # the confidence of what was filled in; Solos takes what has no more for not found
LONGEST = 0.4  # seconds; what is filled in longer gaps is a guess, of confidence 0


def runs(marked: BoolArray) -> IntArray:
    """Return (N, 2): the first frame of each marked run, and the frame after its last."""
    edges = np.diff(np.concatenate(([False], marked, [False])).astype(np.int8))
    return np.stack((np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)), 1)


def fill(values: FloatArray, found: BoolArray) -> Float64Array:
    """Return values (T, J, D) in which frames that were not found lie on straight lines between those that were.

    Before the first and after the last they stay as they are there; if none was found, all is as given.
    """
    given: Float64Array = np.asarray(values, np.float64)
    known = np.flatnonzero(found)
    if not len(known) or len(known) == len(found):
        return given
    frames = np.flatnonzero(~found)
    after = np.searchsorted(known, frames)
    low, high = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
    share = ((frames - low) / np.maximum(high - low, 1)).clip(0, 1)[:, None, None]
    filled = given.copy()
    filled[frames] = (1 - share) * given[low] + share * given[high]
    return filled


def marked(confidence: FloatArray, found: BoolArray, fps: float) -> Float32Array:
    """Return confidences (T, J), `FILLED` in short gaps between frames that were found, and 0 in others."""
    result = np.where(found[:, None], confidence, 0)
    for first, last in runs(~found):
        if first > 0 and last < len(found) and last - first <= LONGEST * fps:
            result[first:last] = FILLED
    return result.astype(np.float32)
