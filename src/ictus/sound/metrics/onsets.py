"""Onsets: when notes begin, detected in a mel, and how well they agree with a reference."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from ictus.errors import UsageError
from ictus.sound import MEL_RATE
from ictus.sound.metrics.inputs import as_mel, as_times
from ictus.types import Float64Array

WINDOW = 0.05  # seconds by which an onset may be missed, as in MIREX
FLOOR = 0.6  # of mel80's range (60 dB) below the loud frames: what is softer is taken for silence
LAG = 4  # frames over which the rise is taken: 46 ms, as winds and bows need some time
AROUND = 12  # frames on either side whose mean rise is common here
RISE = 0.01  # mean over all bands by which the rise must exceed that, 1 dB
APART = 3  # frames to either side of which the rise is the largest


def onset_times(mel: ArrayLike) -> Float64Array:
    """Return when notes begin: where the levels rise at once in many bands.

    The mean over bands of how much each rises in 46 ms, where that is a local maximum and stands out from its
    surroundings. Of 48 synthetic solos its F-measure against the notes of the score is 0.79 (trombone 0.9, cello 0.6),
    so an estimate should also be compared with the onsets that the same detector finds in the reference.

    Parameters
    ----------
    mel : (T, 80) in [0, 1].

    Returns
    -------
    (N,) seconds, increasing; none in silence.
    """
    level = as_mel(mel)
    loud = np.percentile(level.max(1), 95)
    level = np.maximum(level, loud - FLOOR)
    rise = np.zeros(len(level))
    rise[LAG:] = np.maximum(level[LAG:] - level[:-LAG], 0).mean(1)
    usual = uniform_filter1d(rise, 2 * AROUND + 1, mode="constant")
    highest = rise == maximum_filter1d(rise, 2 * APART + 1, mode="constant")
    found = np.flatnonzero(highest & (rise > usual + RISE))
    found = found[np.diff(found, prepend=-9) > 1]  # of equals side by side, the first
    return found / MEL_RATE


def onset_f_measure(reference: ArrayLike, estimate: ArrayLike, window: float = WINDOW) -> tuple[float, float, float]:
    """F-measure, precision and recall: an onset of one matches at most one of the other, `window` seconds off or less.

    Parameters
    ----------
    reference, estimate : (N,) and (M,) seconds, increasing; all three are 0 if either is empty.

    Raises
    ------
    UsageError
        If they are no such times.
    """
    if not window > 0:
        raise UsageError(f"a window of {window:g} s; it must be over 0")
    from mir_eval import onset  # whose import takes a second

    target, made = as_times(reference, "reference"), as_times(estimate, "estimate")
    if not len(target) or not len(made):  # of which mir_eval would warn
        return 0.0, 0.0, 0.0
    f, precision, recall = onset.f_measure(target, made, window=window)
    return float(f), float(precision), float(recall)
