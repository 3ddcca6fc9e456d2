"""mel128@90: the music feature of ConductorMotion100 and VirtualConductor."""

import numpy as np

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features.spectrum import mel_power
from ictus.types import Float32Array

_RATE, _WINDOW, _HOP, _BANDS = 22050, 2048, 256, 128
_RANGE_DB = 80.0


class Mel128:
    """Log-mel spectrogram at 90 frames a second, float32 (T, 128) in [0, 1]; column 0 is the HIGHEST band.

    22,050 Hz mono, Slaney mel of a 2048-point Hann window every 256 samples, decibels below the loudest bin of the
    whole sound, cut at -80 and scaled to [0, 1], then stretched linearly to int(seconds * 90) frames.
    Source: Liu et al., Self-Supervised Music-Motion Synchronization Learning (JCST 2022), as in its published data.
    """

    frame_rate = 90.0
    rate = _RATE

    def __call__(self, audio: Audio) -> Float32Array:
        """Compute the feature.

        Raises
        ------
        AudioError
            If the sound is too short to give one frame.
        """
        mono = audio.mono().resample(_RATE)
        frames = int(mono.duration * self.frame_rate)
        if frames < 1:
            raise AudioError(f"the sound lasts {mono.duration:.3f} s, too short for a single frame")
        mel = mel_power(mono.samples[0], _RATE, _WINDOW, _HOP, _BANDS)
        decibels = 10 * np.log10(np.maximum(mel, 1e-10))
        decibels -= decibels.max()
        scaled = np.abs(np.maximum(decibels, -_RANGE_DB) + _RANGE_DB) / _RANGE_DB
        return np.ascontiguousarray(_stretch(scaled[:, ::-1], frames))


def _stretch(mel: Float32Array, frames: int) -> Float32Array:
    """Resize along time as OpenCV's bilinear resize does (which itself takes no side beyond 32,767)."""
    centres = (np.arange(frames) + 0.5) * (len(mel) / frames) - 0.5
    lower = np.floor(centres)
    share = (centres - lower).astype(np.float32)[:, None]
    before = np.clip(lower, 0, len(mel) - 1).astype(int)
    after = np.clip(lower + 1, 0, len(mel) - 1).astype(int)
    stretched = mel[before]
    stretched += share * (mel[after] - stretched)
    return np.asarray(stretched)


mel128 = Mel128()
