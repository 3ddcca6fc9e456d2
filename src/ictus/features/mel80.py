"""mel80@86: the spectrogram that the networks of sound read and generate."""

import numpy as np

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features.spectrum import mel_filters
from ictus.types import Float32Array

_RATE, _WINDOW, _HOP, _BANDS = 22050, 1024, 256, 80
_LOWEST, _HIGHEST = 125.0, 7600.0  # hertz: where the filters begin and end
_FAINTEST_DB, _RANGE_DB = -80.0, 100.0  # what becomes 0, and what lies between 0 and 1
_FRAMES_AT_ONCE = 2048  # bounds memory: one block of spectra is then 8 MB


class Mel80:
    """Log-mel spectrogram at 22,050 / 256 = 86.13 frames a second, float32 (T, 80) in [0, 1]; column 0 is the lowest.

    22,050 Hz mono, magnitudes of a 1024-point Hann window every 256 samples (centred, reflected at both ends), Slaney
    mel from 125 to 7600 Hz, decibels of amplitude from -80 to 20 scaled to [0, 1]. Nothing is normalised over the
    sound, so a gain of 1 dB is 0.01 in every band, and a level means the same in every recording.
    Source: Iashin & Rahtu, "Taming Visually Guided Sound Generation", BMVC 2021, as in its published data, which hold
    the first 860 frames of ten seconds; here a sound keeps its length.

    Attributes
    ----------
    rate, window, hop, bands : of the short-time spectrum, in samples.
    """

    frame_rate = _RATE / _HOP
    rate, window, hop, bands = _RATE, _WINDOW, _HOP, _BANDS

    def __call__(self, audio: Audio) -> Float32Array:
        """Compute the feature: 1 + n // 256 frames of n samples at 22,050 Hz.

        Raises
        ------
        AudioError
            If there is no sound.
        """
        mono = audio.mono().resample(_RATE)
        if mono.samples.shape[1] == 0:
            raise AudioError("the sound is empty; there is nothing to compute it from")
        return self.level(_mel(mono.samples[0], self.filters.T))

    @property
    def filters(self) -> Float32Array:
        """The filter bank, (80, 513), that makes mel bands of the magnitudes of a spectrum."""
        return mel_filters(_RATE, _WINDOW, _BANDS, _LOWEST, _HIGHEST)

    def level(self, magnitude: Float32Array) -> Float32Array:
        """Turn magnitudes of mel bands into levels from 0 (1e-4 and below) to 1 (10 and above)."""
        decibels = 20 * np.log10(np.maximum(magnitude, 1e-5))
        return np.asarray(np.clip((decibels - _FAINTEST_DB) / _RANGE_DB, 0, 1), np.float32)

    def inverse(self, level: Float32Array) -> Float32Array:
        """Turn levels back into magnitudes of mel bands; what was cut off comes back as 1e-4 or 10."""
        return np.asarray(10 ** ((_RANGE_DB * level + _FAINTEST_DB) / 20), np.float32)


def _mel(samples: Float32Array, bank: Float32Array) -> Float32Array:
    """Return the mel spectrogram of one channel by its magnitudes, (1 + n // 256, 80)."""
    shape = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    mel = np.empty((1 + len(samples) // _HOP, _BANDS), np.float32)
    for start in range(0, len(mel), _FRAMES_AT_ONCE):
        count = min(_FRAMES_AT_ONCE, len(mel) - start)
        stretch = _reflected(samples, start * _HOP - _WINDOW // 2, (count - 1) * _HOP + _WINDOW)
        frames = np.lib.stride_tricks.sliding_window_view(stretch, _WINDOW)[::_HOP]  # (count, 1024)
        mel[start : start + count] = np.abs(np.fft.rfft(frames * shape, axis=1)) @ bank
    return mel


def _reflected(samples: Float32Array, start: int, length: int) -> Float32Array:
    """Return `length` samples from `start`; beyond its ends the sound runs backwards, a short one to and fro."""
    period = max(1, 2 * (len(samples) - 1))
    places = np.arange(start, start + length) % period
    return samples[np.minimum(places, period - places)]


mel80 = Mel80()
