"""SoundFonts: a score played from samples of real instruments, by FluidSynth.

Each part is rendered alone, so that players, balance, tuning and hall apply to it as they do to the
orchestra of `ictus.synthesis.synthesizer`. Sampled instruments differ in how fast they speak and how strong they are:
both are measured, once for each program and half octave, so that every part is on its beat and in its balance.
Samples are taken as they are: what they hold above half the rate is folded down, 40 dB below the rest at 22,050 Hz.
"""

import ctypes
import math
import weakref
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ictus.errors import IctusError, UsageError
from ictus.files import readable
from ictus.scores.score import Part
from ictus.synthesis.instruments import DRUM_KEYS, DRUM_KITS, INSTRUMENTS, PROGRAMS, Sustained
from ictus.synthesis.performance import LOUDEST, NoteEvents, PartRenderer, PerformanceContext, amplitude, note_events
from ictus.types import Float32Array, Float64Array, IntArray

Program = tuple[int, int]  # bank, number

_BLOCK = 64  # samples between which FluidSynth takes no event
_RINGING = 2.0  # seconds for which a note may sound after its end
_REGION = 6  # semitones in which an instrument speaks alike
_PERCUSSION = 128  # its bank
_KITS = (0, 8, 16, 24, 25, 32, 40)  # of a band: standard, room, power, electronic, TR-808, jazz, brushes
_PROBE = 80  # velocity of the note by which a sound is measured
_ONSET_LEVEL = 6.0  # dB below its strongest at which a tone's onset is perceived
_SLOWEST = 0.15  # seconds that a sound may take to speak
_USUAL = 0.7  # how often an instrument's first program is chosen


@lru_cache(maxsize=16)
def open_soundfont(path: Path, rate: int) -> "SoundFont":
    """Return a SoundFont, opened once in a process.

    Raises
    ------
    IctusError
        If FluidSynth is not installed, or the file is no SoundFont.
    """
    return SoundFont(path, rate)


def check_soundfont(path: Path) -> None:
    """Make sure that a file can be played; raises as `open_soundfont`."""
    _fluidsynth()
    if readable(path).open("rb").read(12)[8:] != b"sfbk":
        raise IctusError(f"{path}: no SoundFont; give an .sf2 or .sf3 file")


class SoundFont:
    """A SoundFont at a sampling rate: what it can play, how soon and how strong its tones are."""

    def __init__(self, path: Path, rate: int) -> None:
        self.path, self.rate = path, rate
        self._kept = _Player(path, rate)  # as long as it lives, others need not read its samples again
        self._sounds: dict[Program, tuple[Float64Array, Float64Array]] = {}

    def part_renderer(self) -> PartRenderer:
        """Return what renders the parts of one performance; raises IctusError if it has none of a part's instrument.

        It has a FluidSynth of its own, because voices remember what they played last.
        """
        return partial(self._render_part, _Player(self.path, self.rate))

    def _render_part(
        self, player: "_Player", part: Part, context: PerformanceContext, count: int, rng: np.random.Generator
    ) -> Float32Array:
        """Return what one part plays, (count,), mono."""
        program, drum = self._program(part, rng)
        pitches = np.array([drum or note.pitch for note in part.notes], np.int64)
        early, strengths = (values[np.clip(pitches, 0, 127)] for values in self._measured(program))
        notes = note_events(part, context, early, _RINGING, count, rng)
        if not len(notes.first):
            return np.zeros(count, np.float32)
        loudest = float(amplitude(np.array(LOUDEST), 1.0))
        # A SoundFont's note has the amplitude (velocity / 127)**2.
        velocities = np.clip(np.round(127 * np.sqrt(notes.gain / loudest)), 1, 127).astype(np.int64)
        keys = np.full(len(notes.first), drum) if drum else notes.pitch
        lasting = np.round(notes.length * context.rate).astype(np.int64)
        line = player.rendered(program, notes.first, notes.first + lasting, keys, velocities, count)
        line *= np.float32(loudest / max(float(np.median(strengths)), 1e-6))
        if not isinstance(INSTRUMENTS[part.instrument], Sustained):
            return line
        if context.conditions.onset:
            line *= _growing(notes.first, context.conditions.onset * context.rate, count)
        return line * _swelling(notes, lasting, count)

    def _program(self, part: Part, rng: np.random.Generator) -> tuple[Program, int]:
        """Choose a program for a part that the SoundFont has, and a key if it is a drum, else 0."""
        instrument = part.instrument
        choices = DRUM_KEYS.get(instrument) or PROGRAMS[instrument]
        chosen = choices[int(rng.integers(len(choices))) if rng.uniform() >= _USUAL else 0]
        if part.program is not None and part.drum:
            wanted = [((_PERCUSSION, kit), part.program) for kit in (int(rng.choice(_KITS)), 0)]
        elif part.program is not None:
            wanted = [((0, part.program), 0)]
        elif instrument in DRUM_KEYS:
            wanted = [((_PERCUSSION, kit), chosen) for kit in DRUM_KITS]
        else:
            wanted = [((0, number), 0) for number in (chosen, *choices)]
        for program, drum in wanted:
            if self._kept.has(program):
                return program, drum
        raise IctusError(f"{self.path}: has no {instrument}; give a General MIDI SoundFont")

    def key_strengths(self, program: int) -> Float64Array:
        """Return the amplitude of each key's tone at full velocity, (128,)."""
        return self._measured((0, program))[1]

    def _measured(self, program: Program) -> tuple[Float64Array, Float64Array]:
        """Return the seconds that each key's onset takes, and its amplitude at full velocity, (128,) each.

        An onset is perceived when the energy, in windows of 4 ms, comes within 6 dB of its most in the first quarter of
        a second (Vos and Rasch, "The perceptual onset of musical tones", 1981: 6 to 15 dB; with 6, an onset
        detector finds orchestras as late as pianos, with 10, 9 ms later). Its amplitude is the root mean square of its
        strongest tenth of a second.
        """
        if program not in self._sounds:
            player, one, count = _Player(self.path, self.rate), np.ones(1, np.int64), round(0.6 * self.rate)
            step = 1 if program[0] == _PERCUSSION else _REGION
            delays, strengths = np.zeros(128), np.zeros(128)
            for key in range(step // 2, 128, step):
                tone = player.rendered(program, 0 * one, 3 * count // 4 * one, key * one, _PROBE * one, count)
                power = tone.astype(np.float64) ** 2
                rising = ndimage.uniform_filter1d(power, round(0.004 * self.rate))[: round(0.25 * self.rate)]
                delay = int(np.argmax(rising >= rising.max() * 10 ** (-_ONSET_LEVEL / 10))) / self.rate
                alike = slice(key - step // 2, key - step // 2 + step)
                delays[alike] = min(delay, _SLOWEST)
                strengths[alike] = np.sqrt(ndimage.uniform_filter1d(power, round(0.1 * self.rate)).max())
            self._sounds[program] = (delays, strengths * (127 / _PROBE) ** 2)
        return self._sounds[program]


class SoloPlayer:
    """One program of a SoundFont, played note by note: legato, and with a pitch that bends.

    Where notes overlap, the next one takes over the voice of the one before and has no attack of its own (legato pedal,
    MIDI controller 68).

    Raises
    ------
    IctusError
        If the SoundFont has no such program; and as `open_soundfont`.
    """

    bend_range = 24  # semitones

    def __init__(self, path: Path, rate: int, program: int) -> None:
        check_soundfont(path)
        self._player = _Player(path, rate)
        if not self._player.has((0, program)):
            raise IctusError(f"{path}: has no program {program}; give a General MIDI SoundFont")
        self.synth, self.channel = self._player.synth, 0
        strengths = open_soundfont(path, rate).key_strengths(program)  # amplitudes of tones at full velocity
        self.strengths = ndimage.gaussian_filter1d(np.maximum(strengths, 1e-3), _REGION / 2)
        for controller, value in ((101, 0), (100, 0), (6, self.bend_range), (38, 0)):
            self.synth.cc(self.channel, controller, value)

    def begin(self, key: int, velocity: int) -> None:
        """Begin a note."""
        self.synth.noteon(self.channel, key, velocity)

    def end(self, key: int) -> None:
        """End a note."""
        self.synth.noteoff(self.channel, key)

    def legato(self, on: bool) -> None:
        """Let the notes that follow take over the voice of the one before, or not."""
        self.synth.cc(self.channel, 68, 127 if on else 0)

    def bend(self, semitones: float) -> None:
        """Bend the pitch of what sounds."""
        self.synth.pitch_bend(self.channel, round(8191 * min(max(semitones / self.bend_range, -1), 1)))

    def render(self, count: int) -> Float32Array:
        """Return the next samples, (count,), mono; a multiple of 64."""
        sound = np.zeros((2, count), np.float32)
        self._player.write(sound, 0, count)
        return np.asarray(sound.mean(0))


class _Player:
    """FluidSynth with one SoundFont, and a channel for each program that it has played."""

    def __init__(self, path: Path, rate: int) -> None:
        self.rate = rate
        fluidsynth, self._write = _fluidsynth()
        settings = {"synth.reverb.active": 0, "synth.chorus.active": 0, "synth.dynamic-sample-loading": 1}
        self.synth = fluidsynth.Synth(gain=1.0, samplerate=float(rate), channels=256, **settings)
        weakref.finalize(self, self.synth.delete)
        self._font = self.synth.sfload(str(readable(path)))
        if self._font < 0:
            raise IctusError(f"{path}: FluidSynth cannot read it; give a SoundFont (.sf2 .sf3)")
        self._channels: dict[Program, int] = {}

    def has(self, program: Program) -> bool:
        """Whether the SoundFont has a program; if so, its samples are read."""
        if program not in self._channels:
            channel = len(self._channels)
            if self.synth.program_select(channel, self._font, *program) != 0:
                return False
            self._channels[program] = channel
        return True

    def rendered(
        self, program: Program, starts: IntArray, stops: IntArray, keys: IntArray, velocities: IntArray, count: int
    ) -> Float32Array:
        """Return what notes of a program that is there sound like together, from sample 0 on, (count,), mono.

        Notes may begin before sample 0; those that do so by more than two seconds begin then.
        """
        self.has(program)
        channel = self._channels[program]
        lead = math.ceil(_RINGING * self.rate / _BLOCK)
        first = np.maximum(np.round(starts / _BLOCK).astype(np.int64) + lead, 0)
        last = np.maximum(np.round(stops / _BLOCK).astype(np.int64) + lead, first + 1)
        events = _events(first, last, keys, velocities)
        blocks = lead + math.ceil(count / _BLOCK)
        sound = np.zeros((2, blocks * _BLOCK), np.float32)
        times = [at for at in sorted(events) if at < blocks]
        for at, until in zip(times, [*times[1:], blocks], strict=True):
            for velocity, key in sorted(events[at]):
                if velocity:
                    self.synth.noteon(channel, key, velocity)
                else:
                    self.synth.noteoff(channel, key)
            if self.synth.get_active_voice_count():
                self.write(sound, at * _BLOCK, (until - at) * _BLOCK)
        self.synth.all_sounds_off(channel)
        return np.asarray(sound.mean(0)[lead * _BLOCK :][:count])

    def write(self, sound: Float32Array, start: int, length: int) -> None:
        """Fill a stretch of (2, n) with what sounds next."""
        left, right = (side.ctypes.data_as(ctypes.c_void_p) for side in sound)
        self._write(self.synth.synth, length, left, start, 1, right, start, 1)


def _events(first: IntArray, last: IntArray, keys: IntArray, velocities: IntArray) -> dict[int, list[tuple[int, int]]]:
    """Return what happens by block: velocity and key of each note that begins; velocity 0 where one ends.

    A key has one note at a time: it ends where the next begins, and of two at once there is only the stronger.
    """
    events: dict[int, list[tuple[int, int]]] = {}
    coming: dict[int, int] = {}
    for k in np.lexsort((velocities, first))[::-1].tolist():
        start, key = int(first[k]), int(keys[k])
        if coming.get(key) == start:
            continue
        end = min(int(last[k]), coming.get(key, int(last[k])))
        events.setdefault(start, []).append((int(velocities[k]), key))
        events.setdefault(end, []).append((0, key))
        coming[key] = start
    return events


def _swelling(notes: NoteEvents, lasting: IntArray, count: int) -> Float32Array:
    """Return the gain, (count,), by which a part grows or fades within its notes: that of the note begun last."""
    order = np.argsort(notes.first, kind="stable")
    time = np.arange(0, count + _BLOCK, _BLOCK)
    latest = order[np.maximum(np.searchsorted(notes.first[order], time, "right") - 1, 0)]
    progress = np.clip((time - notes.first[latest]) / np.maximum(lasting[latest], 1), 0, 1)
    gain = 1 + (notes.swell / notes.gain - 1)[latest] * progress
    return np.interp(np.arange(count), time, ndimage.gaussian_filter1d(gain, 3.0)).astype(np.float32)


_SLURRED = 0.25  # gain of a tone at its beginning where it grows slowly


def _growing(first: IntArray, samples: float, count: int) -> Float32Array:
    """Return the gain, (count,), by which tones, (N,) samples at which they begin, grow: half way by then."""
    begins = np.unique(first) - samples / 2
    time = np.arange(0, count + _BLOCK, _BLOCK)
    latest = np.searchsorted(begins, time, "right") - 1
    since = np.where(latest < 0, samples, time - begins[np.maximum(latest, 0)])
    gain = _SLURRED + (1 - _SLURRED) * np.sin(np.pi / 2 * np.clip(since / samples, 0, 1)) ** 2
    return np.interp(np.arange(count), time, ndimage.gaussian_filter1d(gain, 2.0)).astype(np.float32)


@lru_cache(maxsize=1)
def _fluidsynth() -> tuple[Any, Callable[..., int]]:
    """Return the module, silent, and the function by which FluidSynth writes floats, which the module leaves out."""
    try:
        import fluidsynth
    except ImportError as error:
        raise UsageError(
            "SoundFonts are played by FluidSynth: pip install 'ictus[scores]', and the library itself "
            "(apt install libfluidsynth3, brew install fluid-synth)"
        ) from error
    number, pointer = ctypes.c_int, ctypes.c_void_p
    silence = fluidsynth.cfunc("fluid_set_log_function", pointer, *_declared(number, pointer, pointer))
    for level in range(5):
        silence(level, None, None)
    arguments = _declared(pointer, number, pointer, number, number, pointer, number, number)
    return fluidsynth, fluidsynth.cfunc("fluid_synth_write_float", number, *arguments)


def _declared(*kinds: Any) -> list[tuple[str, Any, int]]:
    """Declare a C function's parameters, all of them inputs."""
    return [(f"argument{k}", kind, 1) for k, kind in enumerate(kinds)]
