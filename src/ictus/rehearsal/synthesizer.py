"""A small orchestra in NumPy: plays a score without any file or program from outside.

A bowed or blown tone is a loop of three seconds, read from another place for every note: a single-cycle table whose
overtones follow the instrument and the loudness, in a few detuned voices with vibrato and breath or bow noise. A
struck or plucked one is its partials' decay. Each note gives its tone an envelope; a common room is added at the end.
It is meant to be clear, fast and plausible, not to be mistaken for the Philharmonic.
"""

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.rehearsal.instruments import INSTRUMENTS, Instrument, Struck, Sustained
from ictus.rehearsal.score import Note, Part, Score
from ictus.rehearsal.session import Session
from ictus.rehearsal.tempo import Timing, written

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

_TABLE = 2048
_LOOP = 3.0  # seconds
_FADE = 0.012  # seconds: no note begins or ends with a click
_SETTLING = 0.6  # seconds after which a tone is steady
_TONES_KEPT = 1000  # 0.25 MB each at 22,050 Hz


def play(
    score: Score,
    *,
    rate: int = 44100,
    seed: int = 0,
    timing: Timing | None = None,
    span: tuple[float, float] | None = None,
    session: Session | None = None,
) -> Audio:
    """Render a score, or a passage of it, to stereo.

    Parameters
    ----------
    seed : of the players' small differences in time, tuning and bowing.
    timing : when each quarter is played; None takes the score's own tempo.
    span : seconds of the performance at which to begin and end; None plays it all and lets it ring.
    session : players, hall and recording.

    Raises
    ------
    IctusError
        If a part asks for an instrument that is not there.
    """
    rng = np.random.default_rng(seed)
    session = session or Session()
    timing = timing or written(score)
    start, end = span or (0.0, float(timing.at(np.array([score.length]))[0]) + 2.5)
    # A higher pitch is played on a faster clock, then slowed down to it: the tones themselves stay in tune.
    take = _Take(score, timing, session, start, rate, rate * 2 ** (session.tuning / 1200))
    dry = np.zeros((2, int(np.ceil((end - start) * take.clock)) + 2), np.float32)
    for part in score.parts:
        if part.instrument not in INSTRUMENTS:
            raise IctusError(f"{part.name}: nobody here plays {part.instrument!r}; there are {', '.join(INSTRUMENTS)}")
        place = INSTRUMENTS[part.instrument].place
        level = part.level * 10 ** (rng.normal(0, session.balance) / 20)
        line = _played(part, take, dry.shape[1], rng)
        dry[0] += np.float32(level * np.sqrt((1 - place) / 2)) * line
        dry[1] += np.float32(level * np.sqrt((1 + place) / 2)) * line
    if session.tuning:
        dry = soxr.resample(dry.T, take.clock, rate, "HQ").T
    return Audio(session.heard(dry[:, : round((end - start) * rate)], rate, rng), rate)


@dataclass(frozen=True)
class _Take:
    """What all parts share: the performance, its second at which the sound begins, and samples a second of it."""

    score: Score
    timing: Timing
    session: Session
    start: float
    rate: int
    clock: float


@dataclass(frozen=True)
class _Strokes:
    """The notes of a part that fall into the passage, each (n,)."""

    first: NDArray[np.int64]  # sample
    length: Doubles  # seconds of the tones' own time
    pitch: NDArray[np.int64]
    loudness: Doubles
    gain: Doubles  # amplitude at the beginning
    swell: Doubles  # and at the end


def _played(part: Part, take: _Take, count: int, rng: np.random.Generator) -> Array:
    """Return what one part plays, (count,), mono."""
    line = np.zeros(count, np.float32)
    instrument = INSTRUMENTS[part.instrument]
    if isinstance(instrument, Sustained):
        instrument = replace(instrument, attack=instrument.attack * take.session.softness)
    strokes = _strokes(part, take, instrument, count, rng)
    where = rng.uniform(0, 1, len(strokes.first))
    for k, first in enumerate(strokes.first.tolist()):
        pitch, length = int(strokes.pitch[k]), float(strokes.length[k])
        if isinstance(instrument, Struck):
            tone = _struck_note(instrument, pitch, length, take.rate) * np.float32(strokes.gain[k])
        else:
            brightness = round(10 * min(float(strokes.loudness[k]), 1.2)) / 10
            tone = _sustained_note(instrument, pitch, brightness, length, take.rate, float(where[k]))
            tone *= np.linspace(strokes.gain[k], strokes.swell[k], len(tone), dtype=np.float32)
        tone = tone[max(0, -first) : count - first]
        line[max(0, first) :][: len(tone)] += tone
    return line


def _strokes(part: Part, take: _Take, i: Instrument, count: int, rng: np.random.Generator) -> _Strokes:
    onsets = np.array([note.onset for note in part.notes])
    ends = onsets + np.array([note.length * _sounding(note) for note in part.notes])
    # Players are never quite together; but the mean of them is on the beat.
    # Slow-speaking instruments begin early, so that they are heard on it.
    early = 0.5 * i.attack if isinstance(i, Sustained) else 0.0
    starts = np.maximum(take.timing.at(onsets) - early + rng.normal(0, take.session.looseness, len(onsets)), 0)
    starts, stops = starts - take.start, take.timing.at(ends) - take.start
    here = np.flatnonzero((stops > -_ringing(i)) & (starts * take.clock < count - 1))
    notes = [part.notes[k] for k in here]
    stress = _stress(onsets[here], take.score.beats) * np.array([1.25 if ">" in note.mark else 1.0 for note in notes])
    loudness = take.score.loudness(onsets[here], part) * stress
    return _Strokes(
        first=np.round(starts[here] * take.clock).astype(np.int64),
        length=np.maximum(stops - starts, 0.03)[here] * take.clock / take.rate,
        pitch=np.array([note.pitch for note in notes], np.int64),
        loudness=loudness,
        gain=_amplitude(loudness, take.session.contrast),
        swell=_amplitude(take.score.loudness(ends[here], part) * stress, take.session.contrast),
    )


def _ringing(i: Instrument) -> float:
    """Seconds for which a note is heard after its end."""
    return i.release or 2 * i.decay if isinstance(i, Struck) else i.release


def _sounding(note: Note) -> float:
    if "'" in note.mark:
        return 0.45
    return 1.0 if "~" in note.mark else 0.9 if ">" in note.mark else 0.88


def _stress(onsets: Doubles, beats: Doubles) -> Doubles:
    """Metrical weight: the bar is felt because its first beat is played a little more firmly."""
    if not len(beats):
        return np.ones(len(onsets))
    beat = beats[np.clip(np.searchsorted(beats[:, 0], onsets + 1e-3, "right") - 1, 0, None)]
    on = np.abs(onsets - beat[:, 0]) < 2e-3
    middle = beat[:, 1] - 1 == beat[:, 2] / 2
    return np.where(on & (beat[:, 1] == 1), 1.12, np.where(on & middle, 1.03, np.where(on, 0.94, 0.88)))


def _amplitude(loudness: Doubles, contrast: float) -> Doubles:
    """26 dB between the softest and the loudest."""
    return np.asarray(0.25 * 10 ** (1.3 * contrast * (np.minimum(loudness, 1.3) - 1)))


# --- Bowed, blown and sung -------------------------------------------------------------------------------------------


def _sustained_note(i: Sustained, pitch: int, loudness: float, length: float, rate: int, where: float) -> Array:
    # Neither seat nor attack changes the tone: instruments that differ by them alone share their loops.
    loop = _loop(replace(i, attack=0.0, release=0.0, place=0.0, level=0.0), pitch, loudness, rate)
    count = int((length + i.release) * rate)
    begin = int(where * len(loop))
    tone = np.concatenate([loop[begin:], *[loop] * (1 + count // len(loop))])[:count]
    opening = _opening(round(min(i.attack, length / 3), 3), rate)[:count]
    tone[: len(opening)] *= opening
    tone[len(opening) :] *= opening[-1]
    closing = _closing(i.release, rate)[-count:]
    tone[count - len(closing) :] *= closing
    return tone


@lru_cache(maxsize=_TONES_KEPT)
def _loop(i: Sustained, pitch: int, loudness: float, rate: int) -> Array:
    """Three seconds of a steady tone that join at their ends, (n,) of unit power; the same whenever it is asked for."""
    rng = np.random.default_rng([pitch, zlib.crc32(repr((i, loudness)).encode())])
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    cycles = round(_LOOP * hertz)
    count = round(cycles * rate / hertz)
    turn = np.arange(count) / count  # the whole loop is one turn
    table = _cycle(i, min(40, int(0.45 * rate / hertz)), loudness)
    wave = np.zeros(count, np.float32)
    for _ in range(i.voices):
        own = cycles + round(cycles * rng.normal(0, i.detune) * np.log(2) / 1200)
        waves, start = rng.integers(15, 19), rng.uniform(0, 2 * np.pi)  # 5 to 6 a second
        depth = own * i.vibrato * np.log(2) / 1200 / (2 * np.pi * waves)
        phase = rng.uniform() + own * turn - depth * np.cos(2 * np.pi * waves * turn + start)
        wave += table[(phase * _TABLE).astype(np.int32) % _TABLE]
    wave /= np.float32(np.sqrt(i.voices))
    if i.noise:
        wave += np.float32(i.noise) * rng.standard_normal(count, np.float32)
    return wave


@lru_cache(maxsize=1024)
def _cycle(i: Sustained, partials: int, loudness: float) -> Array:
    number = np.arange(1, max(partials, 1) + 1)
    strength = np.interp(number, np.arange(1, len(i.overtones) + 1), i.overtones)
    beyond = np.maximum(number / len(i.overtones), 1)
    strength = strength * beyond ** (-(i.slope + 14 * (1 - loudness)) / 6) * number ** (-(1 - loudness) * 0.6)
    phases = np.random.default_rng(partials).uniform(0, 2 * np.pi, len(number))
    turn = 2 * np.pi * np.arange(_TABLE) / _TABLE
    table = (strength[:, None] * np.sin(number[:, None] * turn + phases[:, None])).sum(0)
    return np.asarray(table / np.sqrt((table**2).mean()), np.float32)


@lru_cache(maxsize=256)
def _opening(attack: float, rate: int) -> Array:
    time = np.arange(int(_SETTLING * rate)) / rate
    rise = np.sin(np.clip(time / max(attack, 1e-3), 0, 1) * np.pi / 2) ** 2
    return np.asarray(rise * (0.82 + 0.18 * np.exp(-np.maximum(time - attack, 0) / 0.12)), np.float32)


@lru_cache(maxsize=64)
def _closing(release: float, rate: int) -> Array:
    return np.asarray(np.linspace(1, 0, max(2, int(release * rate))) ** 1.5, np.float32)


# --- Plucked and beaten ----------------------------------------------------------------------------------------------


def _struck_note(i: Struck, pitch: int, length: float, rate: int) -> Array:
    tone = _stroke(i, pitch, rate)
    count = int((length + _ringing(i)) * rate)
    tone = tone[:count].copy()
    closing = _closing(i.release or _FADE, rate)[-len(tone) :]
    tone[len(tone) - len(closing) :] *= closing
    return tone


@lru_cache(maxsize=_TONES_KEPT)
def _stroke(i: Struck, pitch: int, rate: int) -> Array:
    """Return one stroke until it has died away, (n,)."""
    rng = np.random.default_rng([pitch, zlib.crc32(repr(i).encode())])
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    time = np.arange(int(5 * max(i.decay, i.noise_decay) * rate)) / rate
    wave = np.zeros(len(time))
    for ratio, strength in i.partials:
        if hertz * ratio < 0.45 * rate:
            ring = np.exp(-time * ratio**i.damping / i.decay)
            wave += strength * ring * np.sin(2 * np.pi * hertz * ratio * time + rng.uniform(0, 0.3))
    if i.noise:
        low, high = max(i.noise_band[0], 1.0), min(i.noise_band[1], 0.49 * rate)
        band = signal.butter(2, (low, high), "bandpass", fs=rate, output="sos")
        hit = signal.sosfilt(band, rng.normal(0, 1, len(time)))
        wave += i.noise * hit / max(float(hit.std()), 1e-9) * np.exp(-time / i.noise_decay)
    return np.asarray(wave * np.clip(time / 0.002, 0, 1), np.float32)
