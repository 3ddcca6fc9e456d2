"""A small orchestra in NumPy: plays a score without any file or program from outside.

Each note reads a single-cycle table whose overtones follow the instrument and the loudness, in a few detuned voices
with vibrato, an envelope and breath or bow noise; a common room is added at the end. It is meant to be clear and
plausible, not to be mistaken for the Philharmonic.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.rehearsal.score import Note, Part, Score

Array = NDArray[np.float32]

_TABLE = 2048
_FADE = 0.012  # seconds: no note begins or ends with a click


@dataclass(frozen=True)
class Instrument:
    """How a family of instruments sounds.

    Attributes
    ----------
    overtones : relative strength of the first partials; beyond them it falls by `slope` dB an octave.
    slope : how dark it is; loud notes are brighter.
    attack, release : seconds.
    voices, detune : players in unison, and their spread in cents.
    vibrato : depth in cents.
    noise : breath or bow noise beside the tone.
    decay : seconds to fall to 1/e where it is struck or plucked; 0 where it sustains.
    place : seat, -1 (left) to 1 (right).
    """

    overtones: tuple[float, ...]
    slope: float
    attack: float
    release: float
    voices: int = 1
    detune: float = 0.0
    vibrato: float = 0.0
    noise: float = 0.0
    decay: float = 0.0
    place: float = 0.0


INSTRUMENTS = {
    "strings": Instrument((1, 0.9, 0.6, 0.55, 0.4, 0.35), 9, 0.055, 0.12, 4, 9, 11, 0.010, place=-0.2),
    "flute": Instrument((1, 0.35, 0.12, 0.04), 18, 0.045, 0.08, 1, 0, 12, 0.03, place=-0.1),
    "oboe": Instrument((0.6, 0.8, 1, 0.7, 0.4, 0.3), 12, 0.03, 0.06, 1, 0, 8, 0.006, place=0.05),
    "clarinet": Instrument((1, 0.06, 0.7, 0.08, 0.4, 0.1, 0.25), 12, 0.035, 0.07, 1, 0, 2, 0.008, place=0.1),
    "bassoon": Instrument((0.7, 1, 0.9, 0.6, 0.35, 0.2), 12, 0.035, 0.07, 1, 0, 3, 0.006, place=0.15),
    "horn": Instrument((1, 0.8, 0.5, 0.3, 0.15), 14, 0.05, 0.10, 2, 4, 2, 0.004, place=-0.35),
    "trumpet": Instrument((0.8, 1, 0.95, 0.8, 0.6, 0.45, 0.3), 8, 0.025, 0.06, 2, 3, 4, 0.004, place=0.35),
    "timpani": Instrument((1,), 0, 0.002, 0.25, decay=0.55, place=0.3),
}
_DRUM_PARTIALS = ((1.0, 1.0), (1.504, 0.7), (1.742, 0.3), (2.0, 0.4), (2.245, 0.25), (2.494, 0.2))


def play(score: Score, *, rate: int = 44100, seed: int = 0) -> Audio:
    """Render a score to stereo.

    Parameters
    ----------
    seed : of the players' small differences in time, tuning and bowing.
    """
    rng = np.random.default_rng(seed)
    seconds = float(score.seconds(np.array([score.length]))[0]) + 2.5
    dry = np.zeros((2, int(seconds * rate)), np.float32)
    for part in score.parts:
        _play_part(part, score, dry, rate, rng)
    wet = dry + np.float32(0.28) * _room(dry, rate, rng)
    return Audio(np.float32(0.89 / max(float(np.abs(wet).max()), 1e-9)) * wet, rate)


def _play_part(part: Part, score: Score, sink: Array, rate: int, rng: np.random.Generator) -> None:
    if part.instrument not in INSTRUMENTS:
        raise IctusError(f"{part.name}: nobody here plays {part.instrument!r}; there are {', '.join(INSTRUMENTS)}")
    instrument = INSTRUMENTS[part.instrument]
    left, right = np.sqrt((1 - instrument.place) / 2), np.sqrt((1 + instrument.place) / 2)
    for note in part.notes:
        starts, ends = score.seconds(np.array([note.onset, note.onset + _sounding(note)]))
        loudness = float(score.loudness(np.array([note.onset]))[0]) * _stress(note, score.meter)
        tone = _tone(instrument, note, float(ends - starts), loudness, rate, rng)
        # Players are never quite together; but the mean of them is on the beat.
        # Slow-speaking instruments begin early, so that they are heard on it.
        first = max(0, round((starts - 0.5 * instrument.attack + rng.normal(0, 0.006)) * rate))
        tone = tone[: max(0, sink.shape[1] - first)]
        sink[0, first : first + len(tone)] += part.level * left * tone
        sink[1, first : first + len(tone)] += part.level * right * tone


def _sounding(note: Note) -> float:
    return note.length * {"'": 0.45, "~": 1.0, ">": 0.9}.get(note.mark, 0.88)


def _stress(note: Note, meter: int) -> float:
    """Metrical weight: the bar is felt because its first beat is played a little more firmly."""
    place = note.onset % meter
    weight = 1.12 if place == 0 else 1.03 if place == meter / 2 else 0.94 if place % 1 == 0 else 0.88
    return weight * (1.25 if note.mark == ">" else 1.0)


def _tone(i: Instrument, note: Note, length: float, loudness: float, rate: int, rng: np.random.Generator) -> Array:
    count = int((length + i.release + (2 * i.decay)) * rate)
    time = np.asarray(np.arange(count) / rate, np.float32)
    pitch = 440 * 2 ** ((note.pitch - 69) / 12)
    wave = _drum(pitch, time, i.decay, rng) if i.decay else _sustained(i, pitch, loudness, time, rate, rng)
    return np.asarray(wave * _envelope(i, length, time) * np.float32(_amplitude(loudness)))


def _amplitude(loudness: float) -> float:
    """26 dB between the softest and the loudest."""
    return float(0.25 * 10 ** (1.3 * (min(loudness, 1.3) - 1)))


def _sustained(i: Instrument, pitch: float, loudness: float, time: Array, rate: int, rng: np.random.Generator) -> Array:
    table = _cycle(i, min(40, int(0.45 * rate / pitch)), round(10 * min(loudness, 1.2)) / 10)
    wave = np.zeros(len(time), np.float32)
    for _ in range(i.voices):
        cents = rng.normal(0, i.detune)
        rise = np.clip(time / 0.35 - 0.4, 0, 1)  # vibrato comes in after the attack
        speed, start = rng.uniform(5.0, 6.0), rng.uniform(0, 2 * np.pi)
        bend = i.vibrato * rise * np.sin(2 * np.pi * speed * time + start)
        frequency = pitch * (1 + (cents + bend) * np.float32(np.log(2) / 1200))
        phase = rng.uniform() + np.cumsum(frequency, dtype=np.float64) / rate
        wave += table[((phase % 1) * _TABLE).astype(np.int32)]
    wave /= np.sqrt(i.voices)
    if i.noise:
        wave += i.noise * rng.normal(0, 1, len(time)).astype(np.float32)
    return wave


@lru_cache(maxsize=1024)
def _cycle(i: Instrument, partials: int, loudness: float) -> Array:
    number = np.arange(1, partials + 1)
    strength = np.interp(number, np.arange(1, len(i.overtones) + 1), i.overtones)
    beyond = np.maximum(number / len(i.overtones), 1)
    strength = strength * beyond ** (-(i.slope + 14 * (1 - loudness)) / 6) * number ** (-(1 - loudness) * 0.6)
    phases = np.random.default_rng(partials).uniform(0, 2 * np.pi, partials)
    turn = 2 * np.pi * np.arange(_TABLE) / _TABLE
    table = (strength[:, None] * np.sin(number[:, None] * turn + phases[:, None])).sum(0)
    return np.asarray(table / np.sqrt((table**2).mean()), np.float32)


def _drum(pitch: float, time: Array, decay: float, rng: np.random.Generator) -> Array:
    wave = np.zeros(len(time), np.float32)
    for ratio, strength in _DRUM_PARTIALS:
        ring = np.exp(-time * ratio**1.3 / decay)
        wave += strength * ring * np.sin(2 * np.pi * pitch * ratio * time + rng.uniform(0, 0.3))
    stroke = rng.normal(0, 1, len(time)).astype(np.float32) * np.exp(-time / 0.012)
    return np.asarray(1.6 * wave + 0.8 * stroke, np.float32)


def _envelope(i: Instrument, length: float, time: Array) -> Array:
    if i.decay:
        return np.asarray(np.clip(time / i.attack, 0, 1) * np.clip((time[-1] - time) / _FADE, 0, 1), np.float32)
    attack = min(i.attack, length / 3)
    rise = np.sin(np.clip(time / attack, 0, 1) * np.pi / 2) ** 2
    settle = 0.82 + 0.18 * np.exp(-np.maximum(time - attack, 0) / 0.12)
    fall = np.clip((length + i.release - time) / i.release, 0, 1) ** 1.5
    return np.asarray(rise * settle * fall, np.float32)


def _room(dry: Array, rate: int, rng: np.random.Generator) -> Array:
    """Reverberation of a mid-sized hall: 1.4 s of decaying, darkening noise, another for each ear."""
    time = np.arange(int(1.4 * rate)) / rate
    noise = rng.normal(0, 1, (2, len(time))) * np.exp(-time / 0.25)
    noise[:, : int(0.018 * rate)] = 0
    darker = signal.lfilter([0.35], [1, -0.65], noise)
    darker /= np.sqrt((darker**2).sum(1, keepdims=True))
    return np.asarray(signal.oaconvolve(dry, darker, axes=1)[:, : dry.shape[1]], np.float32)
