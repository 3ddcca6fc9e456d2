"""What the metrics of sound accept: mels (T, 80) in [0, 1], sets of features (N, F), and logits (N, C)."""

import numpy as np
from numpy.typing import ArrayLike

from ictus.errors import AudioError, UsageError
from ictus.types import Float64Array

BANDS = 80
_SLACK = 1e-3


def as_mel(mel: ArrayLike, name: str = "mel") -> Float64Array:
    """Return a mel80 (T, 80) as float64, T >= 1.

    Raises
    ------
    AudioError
        If it has another shape, is not finite, or leaves [0, 1] by more than rounding.
    """
    array = np.asarray(mel)
    if array.dtype.kind != "f" or array.ndim != 2 or array.shape[1] != BANDS or not len(array):
        raise AudioError(f"the {name} is {array.dtype} of shape {array.shape}; floats (frames, {BANDS}) are needed")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(1).argmax())
        raise AudioError(f"the {name} is not finite (first in frame {bad})")
    if array.min() < -_SLACK or array.max() > 1 + _SLACK:
        raise AudioError(f"the {name} lies between {array.min():.3g} and {array.max():.3g}; mel80 is from 0 to 1")
    return array.astype(np.float64)


def as_times(times: ArrayLike, name: str) -> Float64Array:
    """Return (N,) seconds in rising order; raises UsageError if they are something else."""
    array = np.asarray(times, np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or (np.diff(array) <= 0).any():
        raise UsageError(f"the {name} must be increasing, finite times in seconds, (N,); it has shape {array.shape}")
    return array
