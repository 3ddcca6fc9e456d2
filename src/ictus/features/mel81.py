"""mel81@50: the input of the beat networks."""

import numpy as np

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features.spectrum import mel_power
from ictus.types import Float32Array

_RATE, _WINDOW, _HOP, _BANDS = 22050, 1024, 441, 81


class Mel81:
    """Log-mel spectrogram at 50 frames a second, float32 (T, 81), from 0 upwards; column 0 is the lowest band.

    22,050 Hz mono, Slaney mel of a 1024-point Hann window every 441 samples, log10(1 + 10,000 * power). Frame k is
    centred on second k / 50 and reaches 23 ms beyond it. Nothing is normalised over the whole sound: a stream gives the
    same frames, and a gain adds the same to every band that is not faint.
    Source: the input of Beat This! (Foscarin, Schlueter & Widmer, ISMIR 2024), with fewer bands.

    Attributes
    ----------
    rate, window, hop : of the short-time spectrum, in samples.
    compression : the factor inside the logarithm.
    """

    frame_rate = 50.0
    rate, window, hop, bands = _RATE, _WINDOW, _HOP, _BANDS
    compression = 1e4

    def __call__(self, audio: Audio) -> Float32Array:
        """Compute the feature: 1 + n // 441 frames of n samples at 22,050 Hz.

        Raises
        ------
        AudioError
            If there is no sound.
        """
        mono = audio.mono().resample(_RATE)
        if mono.samples.shape[1] == 0:
            raise AudioError("the sound is empty; there is nothing to compute it from")
        return self.compressed(mel_power(mono.samples[0], _RATE, _WINDOW, _HOP, _BANDS))

    def compressed(self, power: Float32Array) -> Float32Array:
        """Turn power into the feature."""
        return np.asarray(np.log10(1 + np.float32(self.compression) * power))

    def power(self, compressed: Float32Array) -> Float32Array:
        """Turn the feature back into power."""
        return (np.float32(10) ** compressed - 1) / np.float32(self.compression)


class Mel81Stream:
    """mel81 of a stream: the same frames, each as soon as its 1024 samples are there."""

    _BEFORE = 2 * _HOP  # samples that are kept before the middle of the next frame: more than half a window

    def __init__(self) -> None:
        self._samples = np.zeros(self._BEFORE, np.float32)

    def __call__(self, samples: Float32Array) -> Float32Array:
        """Take the next samples, (n,) at 22,050 Hz; return the frames that they complete, (m, 81)."""
        self._samples = np.concatenate([self._samples, samples])
        count = max(0, (len(self._samples) - self._BEFORE - _WINDOW // 2) // _HOP + 1)
        if not count:
            return np.zeros((0, _BANDS), np.float32)
        power = mel_power(self._samples, _RATE, _WINDOW, _HOP, _BANDS)[2 : 2 + count]
        self._samples = self._samples[count * _HOP :]
        return mel81.compressed(power)


mel81 = Mel81()
