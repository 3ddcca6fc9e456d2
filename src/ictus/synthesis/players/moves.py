"""Moves: smooth ways from one place to the next, and aimless wandering."""

import numpy as np
from scipy import ndimage

from ictus.kinematics import smootherstep
from ictus.types import Float64Array, FloatArray


def hold_values(times: Float64Array, onsets: Float64Array, values: FloatArray, moving: float) -> Float64Array:
    """Return what is held during each note, and moved to in time for the next.

    Parameters
    ----------
    times : (T,) seconds.
    onsets : (N,) seconds, at least one: a move ends at its note's onset.
    values : (N, ...) what each note asks for.
    moving : seconds that a move takes where there is time for it; at most 0.8 of the way from onset to onset.

    Returns
    -------
    (T, ...)
    """
    coming = np.searchsorted(onsets, times, "right")
    here, then = np.clip(coming - 1, 0, len(onsets) - 1), np.clip(coming, 0, len(onsets) - 1)
    length = np.maximum(np.minimum(moving, 0.8 * (onsets[then] - onsets[here])), 1e-6)
    phase = np.where(then > here, np.clip(1 - (onsets[then] - times) / length, 0, 1), 0.0)
    share = smootherstep(phase).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[here] + share * (values[then] - values[here]))


def smooth_noise(times: Float64Array, width: float, scale: float, rng: np.random.Generator) -> Float64Array:
    """Return (T,): aimless movement with a time constant of `width` seconds and a standard deviation of `scale`."""
    frames = max(width / float(times[1] - times[0]), 0.5) if len(times) > 1 else 1.0
    noise = rng.normal(0, 1, len(times) + int(8 * frames))
    smooth = ndimage.gaussian_filter1d(noise, frames)[: len(times)]
    return np.asarray(smooth * scale * np.sqrt(2 * np.sqrt(np.pi) * frames))
