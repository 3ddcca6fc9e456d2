"""A small orchestra in NumPy: plays a score without any file or program from outside.

A bowed or blown tone is a loop of three seconds, read from another place for every note: a single-cycle table whose
overtones follow the instrument and the loudness, in a few detuned voices with vibrato and breath or bow noise. A
struck or plucked one is its partials' decay. Each note gives its tone an envelope; a common room is added at the end.
It is meant to be clear, fast and plausible, not to be mistaken for the Philharmonic.
"""

import zlib
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import signal

from ictus.audio import Audio
from ictus.scores.score import Part, Score
from ictus.synthesis.instruments import INSTRUMENTS, Instrument, Struck, Sustained
from ictus.synthesis.performance import PerformanceContext, note_events, render_performance
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.tempo import Timing
from ictus.types import Float32Array, Float64Array

_TABLE = 2048
_LOOP = 3.0  # seconds
_FADE = 0.012  # seconds: no note begins or ends with a click
_SETTLING = 0.6  # seconds after which a tone is steady
_TONES_KEPT = 1000  # 0.25 MB each at 22,050 Hz


def synthesize(
    score: Score,
    *,
    rate: int = 44100,
    seed: int = 0,
    timing: Timing | None = None,
    span: tuple[float, float] | None = None,
    conditions: RecordingConditions | None = None,
) -> Audio:
    """Render a score, or a passage of it, to stereo; see `perform` for what it takes and raises."""
    return render_performance(score, render_part, rate=rate, seed=seed, timing=timing, span=span, conditions=conditions)


def render_part(part: Part, context: PerformanceContext, count: int, rng: np.random.Generator) -> Float32Array:
    """Return what one part plays, (count,), mono; for `perform`."""
    line = np.zeros(count, np.float32)
    instrument = INSTRUMENTS[part.instrument]
    if isinstance(instrument, Sustained):
        instrument = replace(instrument, attack=instrument.attack * context.conditions.softness)
    early = 0.5 * instrument.attack if isinstance(instrument, Sustained) else 0.0
    notes = note_events(part, context, early, _ringing(instrument), count, rng)
    where = rng.uniform(0, 1, len(notes.first))
    for k, first in enumerate(notes.first.tolist()):
        pitch, length = int(notes.pitch[k]), float(notes.length[k])
        if isinstance(instrument, Struck):
            tone = _struck_note(instrument, pitch, length, context.rate) * np.float32(notes.gain[k])
        else:
            brightness = round(10 * min(float(notes.loudness[k]), 1.2)) / 10
            tone = _sustained_note(instrument, pitch, brightness, length, context.rate, float(where[k]))
            tone *= np.linspace(notes.gain[k], notes.swell[k], len(tone), dtype=np.float32)
        tone = tone[max(0, -first) : count - first]
        line[max(0, first) :][: len(tone)] += tone
    return line


def _ringing(i: Instrument) -> float:
    """Seconds for which a note sounds after its end."""
    return i.release or 2 * i.decay if isinstance(i, Struck) else i.release


# --- Bowed, blown and sung -------------------------------------------------------------------------------------------


def _sustained_note(i: Sustained, pitch: int, loudness: float, length: float, rate: int, where: float) -> Float32Array:
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
def _loop(i: Sustained, pitch: int, loudness: float, rate: int) -> Float32Array:
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


def overtone_strengths(i: Sustained, partials: int, loudness: float) -> Float64Array:
    """Return how strong each partial of a tone is, (max(partials, 1),); louder is brighter."""
    number = np.arange(1, max(partials, 1) + 1)
    strength = np.interp(number, np.arange(1, len(i.overtones) + 1), i.overtones)
    beyond = np.maximum(number / len(i.overtones), 1)
    return np.asarray(
        strength * beyond ** (-(i.slope + 14 * (1 - loudness)) / 6) * number ** (-(1 - loudness) * 0.6), np.float64
    )


@lru_cache(maxsize=1024)
def _cycle(i: Sustained, partials: int, loudness: float) -> Float32Array:
    number = np.arange(1, max(partials, 1) + 1)
    strength = overtone_strengths(i, partials, loudness)
    phases = np.random.default_rng(partials).uniform(0, 2 * np.pi, len(number))
    turn = 2 * np.pi * np.arange(_TABLE) / _TABLE
    table = (strength[:, None] * np.sin(number[:, None] * turn + phases[:, None])).sum(0)
    return np.asarray(table / np.sqrt((table**2).mean()), np.float32)


@lru_cache(maxsize=256)
def _opening(attack: float, rate: int) -> Float32Array:
    time = np.arange(int(_SETTLING * rate)) / rate
    rise = np.sin(np.clip(time / max(attack, 1e-3), 0, 1) * np.pi / 2) ** 2
    return np.asarray(rise * (0.82 + 0.18 * np.exp(-np.maximum(time - attack, 0) / 0.12)), np.float32)


@lru_cache(maxsize=64)
def _closing(release: float, rate: int) -> Float32Array:
    return np.asarray(np.linspace(1, 0, max(2, int(release * rate))) ** 1.5, np.float32)


# --- Plucked and beaten ----------------------------------------------------------------------------------------------


def _struck_note(i: Struck, pitch: int, length: float, rate: int) -> Float32Array:
    tone = _stroke(i, pitch, rate)
    count = int((length + _ringing(i)) * rate)
    tone = tone[:count].copy()
    closing = _closing(i.release or _FADE, rate)[-len(tone) :]
    tone[len(tone) - len(closing) :] *= closing
    return tone


@lru_cache(maxsize=_TONES_KEPT)
def _stroke(i: Struck, pitch: int, rate: int) -> Float32Array:
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
