"""Augmentation: the same music as another player, instrument, room and microphone might have left it.

All changes are made on the spectrogram: a pace by interpolation, a transposition by shifting bands, and loudness,
colour and noise on its power.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ictus.errors import UsageError
from ictus.features import mel81
from ictus.types import Float32Array

_NOISE = (-9.0, -3.5)  # log10 of the noise's power: from nothing to a bad cassette


@dataclass(frozen=True)
class Augmentation:
    """How far the changes may go.

    Attributes
    ----------
    pace : the largest change of tempo, in parts of it.
    bands : the largest shift, in bands of mel81.
    gain : the largest change of loudness, in decibels.
    colour : the largest rise or fall from the lowest to the highest band, in decibels, and of two bells between them.
    noise : how often there is noise.
    masks : how many stretches of bands, and of time, are blotted out at most.
    """

    pace: float = 0.15
    bands: int = 4
    gain: float = 20.0
    colour: float = 10.0
    noise: float = 0.3
    masks: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.pace < 1:
            raise UsageError(f"pace is {self.pace:g}; it must be at least 0 and less than 1")
        if min(self.bands, self.gain, self.colour, self.noise, self.masks) < 0:
            raise UsageError("how far the changes may go must be given by numbers of 0 or more")

    def __call__(
        self, whole: NDArray[np.float16], frames: int, rng: np.random.Generator
    ) -> tuple[Float32Array, float, float]:
        """Draw a window, changed.

        Parameters
        ----------
        whole : (T, 81) mel81 of the whole piece.
        frames : of the window.

        Returns
        -------
        mel : (frames or fewer, 81).
        start : second of the piece at which the window begins.
        pace : seconds of the piece that pass in one of the window.
        """
        pace = float(np.exp(rng.uniform(-1, 1) * np.log1p(self.pace)))
        room = max(0.0, len(whole) - 1 - frames * pace)
        first = int(rng.uniform(0, room))
        mel = _paced(whole[first : first + int(frames * pace) + 2], frames, pace)
        mel = _shifted(mel, int(rng.integers(-self.bands, self.bands + 1)))
        mel = mel81.compressed(self._recorded(mel81.power(mel), rng))
        return self._masked(mel, rng), first / mel81.frame_rate, pace

    def _recorded(self, power: Float32Array, rng: np.random.Generator) -> Float32Array:
        """Give power (T, 81) another loudness, colour and noise."""
        place = np.linspace(-0.5, 0.5, power.shape[1])
        decibels = rng.uniform(-self.gain, self.gain / 2) + rng.uniform(-self.colour, self.colour) * place
        for _ in range(2):
            centre, width = rng.uniform(-0.5, 0.5), rng.uniform(0.05, 0.3)
            decibels += rng.uniform(-self.colour, self.colour) * np.exp(-0.5 * ((place - centre) / width) ** 2)
        power = power * (10 ** (decibels / 10)).astype(np.float32)
        if rng.uniform() < self.noise:
            level = 10 ** (rng.uniform(*_NOISE) + rng.uniform(-1, 1) * place)
            power += level.astype(np.float32) * rng.standard_exponential(power.shape, np.float32)
        return power

    def _masked(self, mel: Float32Array, rng: np.random.Generator) -> Float32Array:
        for _ in range(rng.integers(self.masks + 1)):
            first = rng.integers(mel.shape[1])
            mel[:, first : first + rng.integers(1, 12)] = 0
        for _ in range(rng.integers(self.masks + 1)):
            first = rng.integers(max(1, len(mel)))
            mel[first : first + rng.integers(1, 25)] = 0
        return mel


def _paced(whole: NDArray[np.float16], frames: int, pace: float) -> Float32Array:
    """Return (T, 81) at another pace, by straight lines between frames."""
    places = np.arange(frames) * pace
    places = places[places <= len(whole) - 1]
    before = np.floor(places).astype(int)
    share = (places - before).astype(np.float32)[:, None]
    source = whole.astype(np.float32)
    after = np.minimum(before + 1, len(source) - 1)
    return np.asarray(source[before] * (1 - share) + source[after] * share, np.float32)


def _shifted(mel: Float32Array, bands: int) -> Float32Array:
    """Move a spectrogram up by some bands, or down."""
    shifted = np.zeros_like(mel)
    if bands >= 0:
        shifted[:, bands:] = mel[:, : mel.shape[1] - bands]
    else:
        shifted[:, :bands] = mel[:, -bands:]
    return shifted
