"""Voice: notes and curves -> sound, as a bow or a breath makes it and not a keyboard.

One line is one tone that never stops being bowed: its phase runs on, its pitch glides from note to note, its loudness
is the curve's. Only where a note is detached from the one before does it begin anew; where it repeats the pitch, the
bow turns. Notes that sound together (double stops) are lines of their own. Sound comes in blocks, so that an hour needs
no more memory than a minute.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from ictus.audio import Audio
from ictus.errors import UsageError
from ictus.files import writing
from ictus.sound.played_notes import CURVE_RATE, PlayedNotes
from ictus.synthesis.instruments import INSTRUMENTS, Sustained
from ictus.synthesis.soundfont import SoloPlayer
from ictus.synthesis.synthesizer import overtone_strengths
from ictus.types import Float32Array, Float64Array, IntArray, Progress

RATE = 44100
PROGRAMS = {"cello": 42, "violin": 40, "clarinet": 71, "flute": 73, "horn": 60, "trombone": 57}  # General MIDI, from 0

_TONES = {"cello": "cellos", "violin": "solo string"}  # of the synthesizer; the others have their own names
_CONTROL = 441  # samples between values of pitch and loudness that are computed: 10 ms
_FINE = 8  # and how many more of them there are where a note begins or ends
_BLOCK = 100 * _CONTROL  # samples that are made at once
_GLIDE = 0.035  # seconds from one note to the next
_LEGATO = 0.03  # seconds: a note that begins no later after the one before is bound to it
_TOGETHER = 0.1  # seconds: notes that overlap for longer are of two lines
_TURN, _TURN_DEPTH = 0.03, 0.8  # seconds and depth of the dip where the pitch is repeated
_LINES = 4
_LOUDEST = 0.22  # amplitude (root mean square) at loudness 1
_CONTRAST = 1.6  # the power of loudness that amplitude is
_TABLE, _BRIGHTNESSES, _BAND = 2048, 9, 4  # samples of a cycle; tables from soft to loud; semitones that share one
_VELOCITY = 100


@dataclass(frozen=True)
class _Line:
    """Notes one after the other, with the curves over them all."""

    onsets: Float64Array
    ends: Float64Array
    pitches: Float64Array
    bound: "np.ndarray[tuple[int], np.dtype[np.bool_]]"  # (N,) to the note before
    attack: float
    release: float

    def index(self, time: Float64Array) -> IntArray:
        """Return the note that was begun last at each time; -1 before the first."""
        return np.searchsorted(self.onsets, time, "right") - 1

    def pitch(self, time: Float64Array) -> Float64Array:
        """Return the MIDI pitch: gliding where a note is bound, or the one before still rings."""
        k = np.maximum(self.index(time + _GLIDE / 2), 0)
        before = np.maximum(k - 1, 0)
        share = np.clip((time + _GLIDE / 2 - self.onsets[k]) / _GLIDE, 0, 1)
        share = share * share * (3 - 2 * share)
        near = self.onsets[k] - self.ends[before] < self.release
        share = np.where(near, share, 1.0)
        return np.asarray((1 - share) * self.pitches[before] + share * self.pitches[k])

    def gate(self, time: Float64Array) -> Float64Array:
        """Return 0 to 1: whether a note sounds."""
        k = self.index(time)
        now, before = np.maximum(k, 0), np.maximum(k - 1, 0)
        after = np.minimum(now + 1, len(self.onsets) - 1)
        rise = np.clip((time - self.onsets[now]) / self.attack, 0, 1)
        rise = np.where(self.bound[now], 1.0, np.sin(rise * np.pi / 2) ** 2)
        fall = np.clip(1 - (time - self.ends[now]) / self.release, 0, 1) ** 1.5
        held = (after > now) & self.bound[after]
        own = rise * np.where(held, 1.0, fall)
        tail = np.clip(1 - (time - self.ends[before]) / self.release, 0, 1) ** 1.5
        gate = np.maximum(own, np.where((now > before) & ~self.bound[now], tail, 0))
        return np.asarray(np.where(k < 0, 0.0, gate) * self._turns(time, now, after))

    def _turns(self, time: Float64Array, now: IntArray, after: IntArray) -> Float64Array:
        """Return the gain of bow changes: a dip around the onset of a bound note that repeats the pitch."""
        gain = np.ones(len(time))
        for near, before in ((now, np.maximum(now - 1, 0)), (after, now)):
            turns = self.bound[near] & (near > before) & (abs(self.pitches[near] - self.pitches[before]) < 0.5)
            apart = np.clip(abs(time - self.onsets[near]) / _TURN, 0, 1)
            gain *= np.where(turns, 1 - _TURN_DEPTH * np.cos(apart * np.pi / 2) ** 2, 1.0)
        return gain


def check_instrument(name: str) -> None:
    """Make sure that there is a voice of this instrument.

    Raises
    ------
    UsageError
        If there is none.
    """
    if name not in PROGRAMS:
        raise UsageError(
            f"{name} is no instrument whose player's hands are known; there are {', '.join(PROGRAMS)}",
            option="instrument",
        )


def voice(played: PlayedNotes, soundfont: Path | None = None, seed: int = 0) -> Audio:
    """Return the sound of a take, mono, 44,100 Hz, as long as it is; see `voice_blocks`."""
    return Audio(np.concatenate(list(voice_blocks(played, soundfont, seed))), RATE)


def save_voice(
    played: PlayedNotes, out: Path, soundfont: Path | None = None, seed: int = 0, progress: Progress | None = None
) -> None:
    """Write the sound of a take, block by block, to .wav (32 bit), .flac, .ogg or .mp3; see `voice_blocks`."""
    subtype = {".wav": "FLOAT", ".flac": "PCM_24"}.get(out.suffix.lower())
    done = 0
    with writing(out) as temporary, soundfile.SoundFile(temporary, "w", RATE, 1, subtype) as sink:
        for block in voice_blocks(played, soundfont, seed):
            sink.write(block)
            done += len(block)
            if progress is not None:
                progress(min(1.0, done / (RATE * played.duration)))


def voice_blocks(played: PlayedNotes, soundfont: Path | None = None, seed: int = 0) -> Iterator[Float32Array]:
    """Give the sound of a take, a second at a time, (n,) float32 at 44,100 Hz.

    Parameters
    ----------
    soundfont : whose instrument plays; None: the package's own synthesizer.
    seed : of the noise of bow and breath.

    Raises
    ------
    UsageError
        If the instrument has no voice.
    IctusError
        If the SoundFont cannot be played, or has no such instrument.
    """
    check_instrument(played.instrument)
    tone = INSTRUMENTS[_TONES.get(played.instrument, played.instrument)]
    if not isinstance(tone, Sustained):
        raise UsageError(f"{played.instrument} is neither bowed nor blown")
    lines = _lines(played, tone)
    if soundfont is None:
        makers = [_synthesized(line, tone, played, np.random.default_rng([seed, k])) for k, line in enumerate(lines)]
    else:
        makers = [_sampled(line, soundfont, played) for line in lines]
    total = max(1, round(played.duration * RATE))
    for start in range(0, total, _BLOCK):
        block = np.zeros(_BLOCK, np.float32)
        for make in makers:
            block += make(start)
        yield np.clip(block[: total - start], -1, 1)


def unplayed(played: PlayedNotes) -> int:
    """Return how many notes are left out, because four others sound already when they begin."""
    return len(played) - sum(map(len, _members(played)))


def _members(played: PlayedNotes) -> list[list[int]]:
    """Return the notes of each line: a note goes to the first one in which no other still sounds, if there is one."""
    members: list[list[int]] = []
    ends = played.ends
    for k, onset in enumerate(played.notes[:, 0]):
        free = (
            line
            for line in members
            if onset >= ends[line[-1]] - _TOGETHER and onset >= played.notes[line[-1], 0] + _GLIDE
        )
        line = next(free, None)
        if line is not None:
            line.append(k)
        elif len(members) < _LINES:
            members.append([k])
    return members


def _lines(played: PlayedNotes, tone: Sustained) -> list[_Line]:
    ends, made = played.ends, []
    for line in _members(played):
        onsets, stops = played.notes[line, 0], ends[line].copy()
        stops[:-1] = np.minimum(stops[:-1], onsets[1:])
        bound = np.concatenate(([False], onsets[1:] - stops[:-1] <= _LEGATO))
        attack = max(tone.attack, 0.01)
        made.append(_Line(onsets, stops, played.notes[line, 2], bound, attack, max(tone.release, 0.03)))
    return made


def _controls(line: _Line, played: PlayedNotes, start: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return pitch, loudness and gate of each sample of a block, (n,) each, between values that are computed."""
    step = _CONTROL / _FINE
    sample = start + np.arange(0, _BLOCK + 2 * step, step)
    time, at = sample / RATE, np.arange(start, start + _BLOCK)
    moments = (np.arange(len(played.loudness)) if played.loudness is not None else np.zeros(1)) / CURVE_RATE
    first, last = np.searchsorted(moments, (time[0] - 0.05, time[-1] + 0.05))
    near = slice(max(0, min(first, len(moments) - 1)), max(1, last))
    bend, loudness = np.asarray(played.bend)[near], np.asarray(played.loudness)[near]
    pitch = line.pitch(time) + np.interp(time, moments[near], bend)
    values = (pitch, np.interp(time, moments[near], loudness), line.gate(time))
    return tuple(np.interp(at, sample, value) for value in values)  # type: ignore[return-value]


def _amplitude(loudness: Float64Array, gate: Float64Array) -> Float64Array:
    return np.asarray(_LOUDEST * np.clip(loudness, 0, 1) ** _CONTRAST * gate)


def _synthesized(
    line: _Line, tone: Sustained, played: PlayedNotes, rng: np.random.Generator
) -> Callable[[int], Float32Array]:
    turns = 0.0  # of the phase

    def make(start: int) -> Float32Array:
        nonlocal turns
        pitch, loudness, gate = _controls(line, played, start)
        phase = turns + np.cumsum(440 * 2 ** ((pitch - 69) / 12) / RATE)
        turns = float(phase[-1] % 1)
        amplitude = _amplitude(loudness, gate)
        if not amplitude.any():
            return np.zeros(len(amplitude), np.float32)
        wave = _looked_up(_tables(tone), phase, pitch, loudness) + tone.noise * rng.standard_normal(
            len(pitch), np.float32
        )
        return np.asarray(wave * amplitude, np.float32)

    return make


def _looked_up(tables: Float32Array, phase: Float64Array, pitch: Float64Array, loudness: Float64Array) -> Float64Array:
    """Read a tone, (n,), from tables (bands, brightnesses, samples), between the four values around each place."""
    place = (phase % 1) * _TABLE
    index = place.astype(np.int32)
    share = (place - index).astype(np.float32)
    index &= _TABLE - 1
    following = (index + 1) & (_TABLE - 1)
    band = np.clip(np.ceil(pitch / _BAND).astype(np.int32), 0, len(tables) - 1)
    level = np.clip(loudness, 0, 1) * (_BRIGHTNESSES - 1)
    soft = np.minimum(level.astype(np.int32), _BRIGHTNESSES - 2)
    between = (level - soft).astype(np.float32)
    flat = tables.reshape(-1)
    row = (band * _BRIGHTNESSES + soft) * _TABLE
    softer = flat[row + index] * (1 - share) + flat[row + following] * share
    row += _TABLE
    louder = flat[row + index] * (1 - share) + flat[row + following] * share
    return np.asarray((1 - between) * softer + between * louder)


@lru_cache(maxsize=8)
def _tables(tone: Sustained) -> Float32Array:
    """Return single cycles of unit power, (bands, brightnesses, _TABLE), without partials that alias.

    A partial has the same phase in all of them, so that going from one to the next is no click.
    """
    turn = 2 * np.pi * np.arange(_TABLE) / _TABLE
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, 60)
    sines = np.sin(np.arange(1, 61)[:, None] * turn + phases[:, None])  # (60, _TABLE)
    bands = []
    for band in range(128 // _BAND + 1):
        count = int(np.clip(0.45 * RATE / (440 * 2 ** ((band * _BAND + 1 - 69) / 12)), 1, 60))
        strengths = np.stack([overtone_strengths(tone, count, b) for b in np.linspace(0.2, 1, _BRIGHTNESSES)])
        cycles = strengths @ sines[:count]
        bands.append(cycles / np.sqrt((cycles**2).mean(1, keepdims=True)))
    return np.asarray(bands, np.float32)


def _sampled(line: _Line, soundfont: Path, played: PlayedNotes) -> Callable[[int], Float32Array]:
    """Let a SoundFont play: its notes, bent by the curve, and as loud as the curve says."""
    player = SoloPlayer(soundfont, RATE, PROGRAMS[played.instrument])
    keys = np.clip(np.round(line.pitches), 0, 127).astype(np.int64)
    events = [(float(onset), 1, k) for k, onset in enumerate(line.onsets)]
    bound_next = np.append(line.bound[1:], False)
    # A note that the next is bound to ends after its onset, which is what makes a SoundFont play them legato.
    events += [(float(end) + (0.02 if bound_next[k] else 0.0), 0, k) for k, end in enumerate(line.ends)]
    events.sort()
    at, bend, waiting, made = 0, np.asarray(played.bend), np.zeros(0, np.float32), 0
    step = 64 * 4

    def make(start: int) -> Float32Array:
        nonlocal at, waiting, made
        pieces = [waiting]
        while made < start + _BLOCK:
            while at < len(events) and events[at][0] * RATE <= made + step / 2:
                _, begins, k = events[at]
                at += 1
                if not begins:
                    same = k + 1 < len(keys) and bound_next[k] and keys[k + 1] == keys[k]
                    if not same:
                        player.end(int(keys[k]))
                else:
                    player.legato(bool(line.bound[k]) or bool(bound_next[k]))
                    if not (line.bound[k] and keys[k] == keys[k - 1]):  # the bow turns; the tone goes on
                        player.begin(int(keys[k]), _VELOCITY)
            now = max(int(np.searchsorted(line.onsets, made / RATE + 1e-3, "right")) - 1, 0)
            off = line.pitches[now] - keys[now]
            player.bend(float(bend[min(int(made / RATE * CURVE_RATE), len(bend) - 1)] + off))
            pieces.append(player.render(step))
            made += step
        sound = np.concatenate(pieces)
        waiting = sound[_BLOCK:]
        pitch, loudness, gate = _controls(line, played, start)
        strength = np.interp(pitch, np.arange(128), player.strengths) * (_VELOCITY / 127) ** 2
        gain = _amplitude(loudness, gate) / strength
        return np.asarray(sound[:_BLOCK] * gain, np.float32)

    return make
