"""How well estimated beats agree with those of the music: F-measure and continuity, as mir_eval computes them.

mir_eval is imported at the first use: it takes a second.

Source: M. Davies, N. Degara, M. Plumbley: Evaluation Methods for Musical Audio Beat Tracking Algorithms, C4DM-TR-09-06,
Queen Mary University of London, 2009.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ictus.errors import UsageError
from ictus.types import Float64Array

__all__ = ["continuity", "f_measure", "level_f_measure", "median_lag", "phase_f_measure"]

WINDOW = 0.07  # seconds by which a beat may be missed
_ROLLS = 16


def rolled(icti: Float64Array, duration: float) -> list[Float64Array]:
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
    beats, marks = check_times(reference, "the reference"), check_times(estimate, "the estimate")
    if not len(beats) or not len(marks):
        return 0.0
    from mir_eval import beat

    return float(beat.f_measure(beats, marks, window))


def fast_f_measure(beats: Float64Array, marks: Float64Array) -> float:
    """`f_measure` of increasing times that need no check, for thousands of comparisons: five times as fast."""
    expected, found = beats.tolist(), marks.tolist()
    i = j = matched = 0
    while i < len(expected) and j < len(found):  # the first of both match each other, or the earlier matches none
        difference = found[j] - expected[i]
        close = abs(difference) <= WINDOW
        matched += close
        i += close or difference > 0
        j += close or difference < 0
    return 2 * matched / max(1, len(expected) + len(found))


def level_f_measure(reference: ArrayLike, estimate: ArrayLike) -> float:
    """F-measure at the best metrical level: that of the reference, or two or three times as fast or as slow.

    What it is better by than `f_measure` is the level's fault.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; 0 if either is empty.
    """
    beats = check_times(reference, "the reference")
    if not len(beats):
        return f_measure(beats, estimate)
    levels = [beats, *(_between(beats, parts) for parts in (2, 3))]
    levels += [beats[first::skip] for skip in (2, 3) for first in range(skip)]
    return max(f_measure(level, estimate) for level in levels)


def phase_f_measure(reference: ArrayLike, estimate: ArrayLike) -> float:
    """F-measure of the reference or of what lies in the middle between its beats, whichever is higher.

    What it is better by than `f_measure` is the phase's fault.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; 0 if either is empty.
    """
    beats = check_times(reference, "the reference")
    return max(f_measure(beats, estimate), f_measure((beats[1:] + beats[:-1]) / 2, estimate))


def median_lag(reference: ArrayLike, estimate: ArrayLike) -> float | None:
    """Return by how many seconds the estimates that match a beat come after it, the median.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; None if none matches, at most 70 ms off.
    """
    beats, marks = check_times(reference, "the reference"), check_times(estimate, "the estimate")
    if not len(beats) or not len(marks):
        return None
    late = marks[nearest(marks, beats)] - beats
    matched = late[np.abs(late) <= WINDOW]
    return float(np.median(matched)) if len(matched) else None


def _between(beats: Float64Array, parts: int) -> Float64Array:
    """Divide each interval between beats into equal parts."""
    places = np.arange(0, len(beats) - 1 + 0.5 / parts, 1 / parts)
    return np.asarray(np.interp(places, np.arange(len(beats)), beats))


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
    from mir_eval import beat

    _, cmlt, _, amlt = beat.continuity(beats, marks)
    return float(cmlt), float(amlt)


def nearest(events: Float64Array, times: Float64Array) -> NDArray[np.intp]:
    """Return for each of the times the number of the nearest of one or more events (of two, the earlier)."""
    after = np.clip(np.searchsorted(events, times), 1, max(1, len(events) - 1))
    before = after - 1
    after = np.minimum(after, len(events) - 1)
    return np.where(np.abs(times - events[before]) <= np.abs(events[after] - times), before, after)


def check_times(times: ArrayLike, name: str) -> Float64Array:
    """Return increasing, finite times (N,) in seconds as float64; raise UsageError if they are not."""
    events = np.asarray(times, np.float64)
    if events.ndim != 1 or not np.isfinite(events).all() or (np.diff(events) <= 0).any():
        raise UsageError(f"{name} must be increasing, finite times in seconds, (N,); they have shape {events.shape}")
    return events
