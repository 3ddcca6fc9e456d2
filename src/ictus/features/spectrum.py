"""Short-time spectra and mel filter banks, in NumPy: equal to librosa's definitions, without its compile time."""

from functools import lru_cache

import numpy as np

from ictus.types import Float32Array, Float64Array

_FRAMES_AT_ONCE = 2048  # bounds memory: one block of spectra is then 17 MB


def mel_power(samples: Float32Array, rate: int, window: int, hop: int, bands: int) -> Float32Array:
    """Return the mel power spectrogram of one channel, float32 (1 + n // hop, bands).

    Centred frames with zero padding, periodic Hann window, Slaney mel bands from 0 Hz to half the rate: the defaults
    of `librosa.feature.melspectrogram`.
    """
    bank = mel_filters(rate, window, bands).T
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    mel = np.empty((1 + len(samples) // hop, bands), np.float32)
    for start in range(0, len(mel), _FRAMES_AT_ONCE):
        count = min(_FRAMES_AT_ONCE, len(mel) - start)
        stretch = _stretch(samples, start * hop - window // 2, (count - 1) * hop + window)
        frames = np.lib.stride_tricks.sliding_window_view(stretch, window)[::hop]  # (count, window)
        spectrum = np.fft.rfft(frames * shape.astype(np.float32), axis=1)
        mel[start : start + count] = (spectrum.real**2 + spectrum.imag**2) @ bank
    return mel


def _stretch(samples: Float32Array, start: int, length: int) -> Float32Array:
    """Return `length` samples from `start`, with zeros where there are none."""
    inside = samples[max(start, 0) : max(start + length, 0)]
    before = max(-start, 0)
    return np.pad(inside, (before, length - before - len(inside)))


@lru_cache(maxsize=8)
def mel_filters(rate: int, window: int, bands: int, lowest: float = 0.0, highest: float | None = None) -> Float32Array:
    """Return Slaney's triangular mel filters, float32 (bands, window // 2 + 1), each of unit area.

    Source: M. Slaney, Auditory Toolbox, 1998; the default of `librosa.filters.mel`.
    """
    edges = _mel_to_hertz(np.linspace(_hertz_to_mel(lowest), _hertz_to_mel(highest or rate / 2), bands + 2))
    bins = np.linspace(0, rate / 2, window // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


# Slaney's scale: linear below 1 kHz (15 mel), then 27 mel to a factor of 6.4.
_LINEAR, _KNEE_HERTZ, _KNEE_MEL, _LOG_STEP = 200.0 / 3, 1000.0, 15.0, np.log(6.4) / 27.0


def _hertz_to_mel(hertz: float) -> float:
    if hertz < _KNEE_HERTZ:
        return hertz / _LINEAR
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) / _LOG_STEP)


def _mel_to_hertz(mel: Float64Array) -> Float64Array:
    above = _KNEE_HERTZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR, above)
