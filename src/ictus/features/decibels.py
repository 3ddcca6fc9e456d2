"""What two features take from a mel spectrogram in decibels: cepstral coefficients and the strength of onsets.

Equal to librosa's definitions, without its compile time; frames are rows here.
"""

import numpy as np
from scipy.fft import dct

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features.spectrum import mel_power
from ictus.types import Float32Array

WINDOW, HOP, BANDS = 2048, 512, 128
_RANGE_DB = 80.0
_SHORTEST = 2.0  # seconds: the lowest filter of the constant-Q transform lasts 1.6


def danceable_samples(audio: Audio, rate: int) -> Float32Array:
    """Return one channel at a rate. Raises AudioError if the sound is shorter than 2 s."""
    if audio.duration < _SHORTEST:
        raise AudioError(f"the sound lasts {audio.duration:.2f} s; to dance to it, it must last {_SHORTEST:g}")
    samples: Float32Array = audio.mono().resample(rate).samples[0]
    return samples


def mel_decibels(samples: Float32Array, rate: int) -> Float32Array:
    """Return (1 + n // 512, 128): the mel spectrogram of one channel, at most 80 dB below its loudest bin."""
    mel = mel_power(samples, rate, WINDOW, HOP, BANDS)
    decibels = 10 * np.log10(np.maximum(mel, 1e-10))
    return np.asarray(np.maximum(decibels, decibels.max() - _RANGE_DB), np.float32)


def mel_cepstrum(decibels: Float32Array, count: int) -> Float32Array:
    """(T, 128) decibels -> (T, count): the first mel-frequency cepstral coefficients (MFCC)."""
    return np.asarray(dct(decibels, axis=1, norm="ortho")[:, :count], np.float32)


def onset_strength(decibels: Float32Array) -> Float32Array:
    """(T, 128) decibels -> (T,): mean rise of the bands since the frame before.

    The window reaches a rise before its middle reaches it, so each value stands half a window late: the first
    1 + 2048 / (2 * 512) are 0.
    """
    rise = np.maximum(np.diff(decibels, axis=0), 0).mean(1)
    return np.pad(rise, (1 + WINDOW // (2 * HOP), 0))[: len(decibels)]
