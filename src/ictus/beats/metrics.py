"""How well estimated beats agree with those of the music: F-measure and continuity.

Source: M. Davies, N. Degara, M. Plumbley: Evaluation Methods for Musical Audio Beat Tracking Algorithms, C4DM-TR-09-06,
Queen Mary University of London, 2009.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ictus.errors import UsageError

Array = NDArray[np.float64]

__all__ = ["continuity", "f_measure"]

WINDOW = 0.07  # seconds by which a beat may be missed
CONTINUITY = 0.175  # of a beat, by which phase and period may be wrong
_ROLLS = 16


def rolled(icti: Array, duration: float) -> list[Array]:
    """Shift events round a duration by a tenth to nine tenths of it, in steps that fall on no bar."""
    golden = (np.sqrt(5) - 1) / 2
    shares = 0.1 + 0.8 * (golden * np.arange(1, _ROLLS + 1) % 1)
    return [np.sort((icti + share * duration) % duration) for share in shares]


def f_measure(reference: ArrayLike, estimate: ArrayLike, window: float = WINDOW) -> float:
    """Harmonic mean of precision and recall: one beat may be matched by one estimate, at most `window` seconds off.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; 0 if either is empty.
    """
    beats, marks = check_times(reference, "the reference").tolist(), check_times(estimate, "the estimate").tolist()
    i = j = matched = 0
    while i < len(beats) and j < len(marks):  # the first of both either match each other, or the earlier matches none
        difference = marks[j] - beats[i]
        close = abs(difference) <= window
        matched += close
        i += close or difference > 0
        j += close or difference < 0
    return 2 * matched / max(1, len(beats) + len(marks))


def continuity(reference: ArrayLike, estimate: ArrayLike) -> tuple[float, float]:
    """CMLt and AMLt: the share of beats estimated in right phase and period, at the correct or any metrical level.

    An estimate is right if it is nearer to its nearest beat than 17.5 % of the interval between beats, and if its own
    interval differs from that one by less than 17.5 %. Intervals reach back, at the first beat or estimate ahead. Their
    number is divided by that of the beats or the estimates, whichever are more. The allowed levels are the beats, those
    between them, both, and every other beat from the first or the second.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; 0 if either has fewer than two.
    """
    beats, marks = check_times(reference, "the reference"), check_times(estimate, "the estimate")
    if len(beats) < 2 or len(marks) < 2:
        return 0.0, 0.0
    between = (beats[1:] + beats[:-1]) / 2
    levels = (beats, between, np.union1d(beats, between), beats[::2], beats[1::2])
    totals = [_total_accuracy(level, marks) for level in levels]
    return totals[0], max(totals)


def _total_accuracy(beats: Array, marks: Array) -> float:
    if len(beats) < 2:
        return 0.0
    closest = nearest(beats, marks)
    ahead = (closest == 0) | (np.arange(len(marks)) == 0)
    interval, step = (
        np.where(ahead, np.append(gaps, gaps[-1])[at], np.insert(gaps, 0, gaps[0])[at])
        for gaps, at in ((np.diff(beats), closest), (np.diff(marks), np.arange(len(marks))))
    )
    in_phase = np.abs(marks - beats[closest]) < CONTINUITY * interval
    in_period = np.abs(1 - step / interval) < CONTINUITY  # so no beat is estimated twice
    return float(np.sum(in_phase & in_period)) / max(len(beats), len(marks))


def nearest(events: Array, times: Array) -> NDArray[np.intp]:
    """Return for each of the times the number of the nearest of one or more events (of two, the earlier)."""
    after = np.clip(np.searchsorted(events, times), 1, max(1, len(events) - 1))
    before = after - 1
    after = np.minimum(after, len(events) - 1)
    return np.where(np.abs(times - events[before]) <= np.abs(events[after] - times), before, after)


def check_times(times: ArrayLike, name: str) -> Array:
    """Return increasing, finite times (N,) in seconds as float64; raise UsageError if they are not."""
    events = np.asarray(times, np.float64)
    if events.ndim != 1 or not np.isfinite(events).all() or (np.diff(events) <= 0).any():
        raise UsageError(f"{name} must be increasing, finite times in seconds, (N,); they have shape {events.shape}")
    return events
