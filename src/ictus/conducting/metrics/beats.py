"""When the hands mark a beat, from the motion alone, and how well those instants agree with the music's beats."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks, savgol_filter

from ictus.conducting.metrics.body import wrist_heights
from ictus.conducting.metrics.inputs import Given, as_motion
from ictus.errors import UsageError

Times = NDArray[np.float64]

SMOOTHING, ORDER = 19 / 30, 5  # seconds and order of the Savitzky-Golay filter: 19 frames at 30 fps
PROMINENCE = 0.1  # of a low point, relative to the wrist's range
APART = 0.2  # seconds between two low points of a hand, at least
TOGETHER = 0.15  # seconds within which both hands mark the same instant
RESTING = 0.25  # a hand that moves less than so much of the other's range is at rest
STILL = 1e-3  # metres, or parts of the picture's side: a hand that moves less does not move
SLOWEST = 10.0  # frames a second: fewer do not show a beat
WINDOW = 0.07  # seconds by which a beat may be missed
CONTINUITY = 0.175  # of a beat, by which phase and period may be wrong
LAGS = np.linspace(-0.3, 0.3, 61)
_ROLLS = 16


def ictus_times(motion: Given, fps: float | None = None) -> Times:
    """Return the instants that the hands mark: the low points of the wrists.

    Parameters
    ----------
    motion : Motion with wrists, or (T, 13, 2) or (T, 23, 3) at `fps` (30 if not given).

    Returns
    -------
    (N,) seconds, increasing; empty where no hand moves.

    Raises
    ------
    UsageError, MotionError
        If the motion has another shape, no wrists, NaN, or fewer than 10 frames a second.
    """
    given = as_motion(motion, fps)
    if given.fps < SLOWEST:
        raise UsageError(f"the motion has {given.fps:g} fps; its icti need at least {SLOWEST:g}")
    heights = np.stack([_smooth(height, given.fps) for height in wrist_heights(given)])  # (2, T)
    low, high = np.percentile(heights, (5, 95), axis=1)
    ranges = high - low
    order = np.argsort(-ranges, kind="stable")
    leading, other = (_low_points(heights[hand], ranges[hand], given.fps) for hand in order)
    if ranges.min() < RESTING * ranges.max():
        return leading
    return leading
