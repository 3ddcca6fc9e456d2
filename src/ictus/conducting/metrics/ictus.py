"""When the hands mark a beat, from the motion alone, and how well those instants agree with the music's beats."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import find_peaks, savgol_filter

from ictus.beats.metrics import WINDOW, check_times, continuity, f_measure, fast_f_measure, nearest, rolled
from ictus.conducting.metrics.body import wrist_heights
from ictus.conducting.metrics.inputs import Given, as_motion
from ictus.errors import UsageError
from ictus.types import Float64Array

SMOOTHING, ORDER = 19 / 30, 5  # seconds and order of the Savitzky-Golay filter: 19 frames at 30 fps
PROMINENCE = 0.1  # of a low point, relative to the wrist's range (its 5th to 95th percentile)
STILL = 1e-3  # and at least this: metres, or parts of the picture's side
APART = 0.2  # seconds between two low points of one hand, at least
NEAR = 0.07  # seconds within which the filtered and the true low point lie
TOGETHER = 0.15  # seconds within which both hands mark the same instant
LEFT_OUT = 0.75  # of the leading hand's interval: what is so far from its marks is a beat that it leaves out
RESTING = 0.25  # a hand that travels less than this part of the other's way is at rest
SLOWEST = 10.0  # frames a second: fewer do not show a beat

LAGS = tuple(round(0.01 * k, 2) for k in range(-30, 31))  # seconds


def ictus_times(motion: Given, fps: float | None = None) -> Float64Array:
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
    hands = wrist_heights(given)  # (2, T)
    smooth = _smooth(hands, given.fps)
    travelled = np.abs(np.diff(smooth, axis=1)).sum(1)
    leader = int(travelled[1] >= travelled[0])
    leading, other = (_low_points(hands[hand], smooth[hand], given.fps) for hand in (leader, 1 - leader))
    if travelled[1 - leader] < RESTING * travelled[leader]:
        return leading
    interval = float(np.median(np.diff(leading))) if len(leading) > 1 else 0.0
    return np.union1d(leading, other[_distance(leading, other) > max(TOGETHER, LEFT_OUT * interval)])


def _smooth(heights: Float64Array, fps: float) -> Float64Array:
    """Filter (2, T) by the odd window that is nearest to the wanted one, or the longest that fits."""
    longest = heights.shape[1] - (heights.shape[1] + 1) % 2
    window = min(max(2 * round((SMOOTHING * fps - 1) / 2) + 1, ORDER + 2), longest)
    return np.asarray(savgol_filter(heights, window, ORDER, axis=1)) if window > ORDER else heights


def _low_points(height: Float64Array, smooth: Float64Array, fps: float) -> Float64Array:
    """Return the seconds of a wrist's low points: found in its smoothed course (T,), timed in its own (T,)."""
    low, high = np.percentile(smooth, (5, 95))
    found, _ = find_peaks(-smooth, prominence=max(PROMINENCE * (high - low), STILL), distance=np.ceil(APART * fps))
    near = max(1, round(NEAR * fps))
    around = np.clip(found[:, None] + np.arange(-near, near + 1), 1, len(height) - 2)
    lowest = around[np.arange(len(found)), height[around].argmin(1)]
    before, here, after = (height[lowest + k] for k in (-1, 0, 1))
    curve = before - 2 * here + after  # of the parabola through the three
    shift = (before - after) / 2 / np.where(curve > 0, curve, np.inf)
    return np.unique(lowest + np.clip(shift, -0.5, 0.5)) / fps


def beat_scores(motion: Given, true_beats: ArrayLike, fps: float | None = None) -> dict[str, float]:
    """Compare the instants that the hands mark with the beats of the music.

    Parameters
    ----------
    motion : as in `ictus_times`.
    true_beats : (N,) seconds, increasing.

    Returns
    -------
    f_measure, cmlt, amlt : 0 to 1, as the functions of these names give them.
    asynchrony : seconds by which the hands come after the beat (before it: negative), median over the beats that an
        ictus lies within 0.07 s of; NaN where there is none.
    control : the F-measure of the same icti shifted round the motion, mean of several shifts: what chance gives.
    """
    given, beats = as_motion(motion, fps), check_times(true_beats, "the true beats")
    icti = ictus_times(given)
    cmlt, amlt = continuity(beats, icti)
    missed = icti[nearest(icti, beats)] - beats if len(icti) else np.zeros(0)
    hit = missed[np.abs(missed) <= WINDOW]
    return {
        "f_measure": f_measure(beats, icti),
        "cmlt": cmlt,
        "amlt": amlt,
        "asynchrony": float(np.median(hit)) if len(hit) else float("nan"),
        "control": float(np.mean([f_measure(beats, shifted) for shifted in rolled(icti, given.duration)])),
    }


def best_lag(
    motion: Given, true_beats: ArrayLike, fps: float | None = None, lags: ArrayLike = LAGS
) -> dict[str, float]:
    """Allow the hands one constant lag, as conductors lead their players, and fit it.

    A lag that is fitted flatters: with regular beats any motion of the right tempo finds one. So `control` fits a lag,
    too, to the same icti shifted round the motion; only what exceeds it shows that hands and music belong together.

    Parameters
    ----------
    motion : as in `ictus_times`.
    true_beats : (N,) seconds, increasing.
    lags : (K,) seconds, those that are tried.

    Returns
    -------
    lag : seconds by which the hands come after the beats (before them: negative), of all `lags` that give the highest
        F-measure the one nearest to 0.
    f_measure : with that lag.
    control : mean of several shifts, each with the lag that suits it best.
    """
    given, beats = as_motion(motion, fps), check_times(true_beats, "the true beats")
    choices = np.asarray(lags, np.float64).ravel()
    if not choices.size or not np.isfinite(choices).all():
        raise UsageError("the lags must be finite numbers of seconds, at least one")
    icti = ictus_times(given)

    def fitted(marks: Float64Array) -> tuple[float, float]:
        return max(
            ((fast_f_measure(beats, marks - lag), float(lag)) for lag in choices), key=lambda x: (x[0], -abs(x[1]))
        )

    score, lag = fitted(icti)
    control = float(np.mean([fitted(shifted)[0] for shifted in rolled(icti, given.duration)]))
    return {"lag": lag, "f_measure": score, "control": control}


def _distance(events: Float64Array, times: Float64Array) -> Float64Array:
    """Return for each of the times the seconds to the nearest event; infinite if there is none."""
    return np.abs(events[nearest(events, times)] - times) if len(events) else np.full(len(times), np.inf)
