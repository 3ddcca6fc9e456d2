"""Recording conditions: in what recordings of one piece differ beside their tempo: players, hall and microphones."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import signal

from ictus.types import Float32Array


@dataclass(frozen=True)
class RecordingConditions:
    """Players, hall and microphones. The defaults are a good evening in a mid-sized hall.

    Attributes
    ----------
    looseness : seconds, standard deviation of a player's onset around the beat.
    softness : how much longer than usual a bowed or blown tone takes to speak.
    onset : seconds in which a bowed or blown tone of a SoundFont grows, as if slurred; 0 leaves it as it was sampled.
    balance : dB, standard deviation of a part's level.
    contrast : how far apart soft and loud are; 1 is 26 dB.
    tuning : cents above 440 Hz.
    room : seconds in which the hall falls to 1/e.
    wet : strength of the hall beside the direct sound.
    bass, treble : dB of the lowest and the highest octaves against the middle.
    cutoff : hertz above which the recording has nothing; None where it has everything.
    hiss : dB of steady noise against full scale; None for silence.
    """

    looseness: float = 0.006
    softness: float = 1.0
    onset: float = 0.0
    balance: float = 0.0
    contrast: float = 1.0
    tuning: float = 0.0
    room: float = 0.25
    wet: float = 0.28
    bass: float = 0.0
    treble: float = 0.0
    cutoff: float | None = None
    hiss: float | None = None

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "RecordingConditions":
        """Draw another orchestra, hall, decade and engineer."""
        old = rng.uniform() < 0.25
        return cls(
            looseness=rng.uniform(0.004, 0.014),
            softness=float(np.exp(rng.uniform(np.log(0.7), np.log(2.2)))),
            balance=rng.uniform(1.0, 4.0),
            contrast=rng.uniform(0.6, 1.1),
            tuning=rng.normal(0, 18),
            room=float(np.exp(rng.uniform(np.log(0.08), np.log(0.42)))),
            wet=rng.uniform(0.08, 0.7),
            bass=rng.normal(0, 3),
            treble=rng.normal(-2 if old else 0, 4),
            cutoff=rng.uniform(3500, 9000) if old else None,
            hiss=rng.uniform(-60, -38) if old else rng.uniform(-95, -60),
        )

    def varied(self, rng: np.random.Generator) -> "RecordingConditions":
        """Return conditions such as real recordings have: players less together, tones that often grow slowly."""
        return replace(
            self,
            looseness=float(rng.uniform(0.004, 0.025)),
            softness=float(np.exp(rng.uniform(np.log(0.7), np.log(4.0)))),
            onset=float(rng.uniform(0.02, 0.14)) if rng.uniform() < 0.5 else 0.0,
            tuning=float(rng.normal(0, 30)),
        )

    def record(self, dry: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Return the sound as recorded, same shape (channels, n): hall, colour of the microphones, noise; peak .89."""
        wet = dry + np.float32(self.wet) * self._hall(dry, rate, rng)
        if self.bass or self.treble or self.cutoff:
            wet = signal.oaconvolve(wet, self._colour(rate)[None], axes=1)[:, : dry.shape[1]].astype(np.float32)
        wet *= np.float32(0.89 / max(float(np.abs(wet).max()), 1e-9))
        if self.hiss is not None:
            wet += np.float32(10 ** (self.hiss / 20)) * rng.standard_normal(wet.shape, np.float32)
            wet *= np.float32(min(1.0, 0.99 / float(np.abs(wet).max())))
        return wet

    def _hall(self, dry: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Reverberation: decaying, darkening noise, another for each ear."""
        time = np.arange(int(5.6 * self.room * rate)) / rate
        noise = rng.normal(0, 1, (len(dry), len(time))) * np.exp(-time / self.room)
        noise[:, : int(0.018 * rate)] = 0
        darker = signal.lfilter([0.35], [1, -0.65], noise)
        darker /= np.sqrt((darker**2).sum(1, keepdims=True))
        return np.asarray(signal.oaconvolve(dry, darker, axes=1)[:, : dry.shape[1]], np.float32)

    def _colour(self, rate: int) -> Float32Array:
        """Minimum-phase filter, so that no onset is smeared ahead of itself."""
        hertz = np.geomspace(30, rate / 2, 64)
        octaves = np.log2(hertz / 700)
        gain = self.bass * np.clip(-octaves / 3, 0, 1) + self.treble * np.clip(octaves / 3, 0, 1)
        if self.cutoff:
            gain -= 48 * np.clip(np.log2(hertz / self.cutoff), 0, 1)
        linear = signal.firwin2(1023, [0, *hertz / (rate / 2)], 10 ** (np.array([gain[0], *gain]) / 10))
        return np.asarray(signal.minimum_phase(linear), np.float32)
