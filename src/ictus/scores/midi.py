"""Standard MIDI files as `Score`s: notes, programs, velocities, tempi and time signatures.

The events are read here and not by mido, which refuses or shifts what players take: running status across system
messages, system messages within a track, unknown meta events (whose time it drops). What would clean a track for it
has to know the length of every event, and that is all there is to reading one.

Source of the format: MIDI Manufacturers Association, Standard MIDI Files 1.0.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ictus.errors import IctusError
from ictus.files import reading
from ictus.scores.bars import Bar, beats_of
from ictus.scores.bounds import QUARTERS, TEMPI, Problems, check_size, content
from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_from_name
from ictus.scores.score import Note, Part, Score, check_playable, joint_loudness

_DRUMS = 9  # the channel
_SHORTEST = 1 / 32  # quarters
_LARGEST = 1 << 23  # bytes of a file: several times the longest symphony
_FINEST = 7  # power of two below the line of a time signature: 128
_META, _END_OF_TRACK, _NAME, _TEMPO, _TIME = 0xFF, 0x2F, 0x03, 0x51, 0x58
_NOTE_OFF, _NOTE_ON, _CONTROLLER, _PROGRAM, _PRESSURE, _BEND = 0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0
_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # bytes that follow the status; none follow the others'
_LAST_BYTE = re.compile(rb"[\x00-\x7f]")  # of a number
_ENDLESS = 4096  # bytes of a number that is only damage


def read(path: Path) -> Score:
    """Read a score; the sequences of a file of format 2 follow one another.

    Raises
    ------
    IctusError
        If the file is no MIDI, is damaged, counts in film frames, or holds no notes, or more than any piece.
    """
    with reading(path) as file:
        problems = Problems()
        score = check_playable(_score(content(file, _LARGEST), file.stem, problems))
        problems.warn(file)
        return score


@dataclass(frozen=True)
class Controls:
    """What bends and swells in a file: the controllers and pitch bends of a channel.

    Attributes
    ----------
    channels : those that have notes.
    messages : quarter, channel, status (0xB0, a controller; 0xE0, a pitch bend), and its two numbers.
    end : the quarter at which the last track ends.
    """

    channels: frozenset[int]
    messages: tuple[tuple[float, int, int, int, int], ...]
    end: float


def read_controls(path: Path) -> Controls:
    """Read the controllers and pitch bends of a file that `read` takes.

    Raises
    ------
    IctusError
        If the file is no MIDI or is damaged.
    """
    with reading(path) as file:
        data = content(file, _LARGEST)
        length, _, _, division = _header(data)
        channels, messages, end = set[int](), list[tuple[float, int, int, int, int]](), 0
        try:
            for chunk, whole in _tracks(data, 8 + length):
                for tick, status, message in _events(chunk, whole, 0):
                    end = max(end, tick)
                    if status & 0xF0 == _NOTE_ON:
                        channels.add(status & 0x0F)
                    elif status & 0xF0 in (_CONTROLLER, _BEND):
                        low, high = (min(value, 127) for value in message)
                        messages.append((tick / division, status & 0x0F, status & 0xF0, low, high))
        except ValueError as error:
            raise _unplayable(f"{error}; export it again") from error
        return Controls(frozenset(channels), tuple(sorted(messages, key=lambda one: one[0])), end / division)


def _unplayable(why: str) -> IctusError:
    return IctusError(f"no MIDI file that can be played ({why})")


def _score(data: bytes, stem: str, problems: Problems) -> Score:
    length, kind, count, division = _header(data)
    tempi, times, parts, start, number = {0: 500_000}, {0: (4, 4)}, list[Part](), 0, 0
    for number, (chunk, whole) in enumerate(_tracks(data, 8 + length), 1):
        if kind == 2:  # each sequence begins with the usual tempo and metre
            tempi[start], times[start] = 500_000, (4, 4)
        track, now = _Track(number, division), start
        try:
            for now, status, message in _events(chunk, whole, start):
                if now > QUARTERS * division:
                    raise _unplayable(f"track {number}: lasts more than {QUARTERS} quarters")
                if status == _TEMPO and (tempo := _tempo(message)):
                    tempi[now] = tempo
                elif status == _TIME and (time := _time(message)):
                    times[now] = time
                elif status in (_TEMPO, _TIME):
                    what = "tempo" if status == _TEMPO else "time signature"
                    where = f"track {number}, quarter {now / division:g}"
                    problems.add("{}: {} is no {}", where, message[:4].hex(" "), what)
                else:
                    track.take(now, status, message)
        except ValueError as error:
            place = f"at quarter {now / division:g}, track {number}"
            raise _unplayable(f"{place}: {error}; export it again") from error
        parts += track.parts(now)
        check_size(tracks=number, tempi=len(tempi), bars=len(times), parts=len(parts))
        check_size(notes=sum(len(part.notes) for part in parts))
        start = now if kind == 2 else start
    if number < count:
        problems.add("{} tracks are promised, but {} are there", count, number)
    if not parts:
        raise _unplayable("it holds no notes; export it again")
    end = max(note.onset + note.length for part in parts for note in part.notes)
    _, beats = beats_of(_bars({tick / division: time for tick, time in times.items()}, end))
    corners: list[tuple[float, float]] = []
    for tick, microseconds in sorted(tempi.items()):
        if corners and tick / division - 1 / 1024 > corners[-1][0]:
            corners.append((tick / division - 1 / 1024, corners[-1][1]))
        corners.append((tick / division, 6e7 / microseconds))
    return Score(stem, np.array(corners), joint_loudness(tuple(parts), beats[:, 0]), tuple(parts), beats)


def _header(data: bytes) -> tuple[int, int, int, int]:
    """Return the header's length, the file's format, how many tracks there are, and the ticks of a quarter."""
    if data[:4] != b"MThd" or len(data) < 14:
        raise _unplayable("it does not begin as one")
    length, kind, count, division = struct.unpack(">IHHH", data[4:14])
    if division & 0x8000 or not division:
        raise _unplayable("it counts in film frames, not in quarters; export it again")
    return length, kind, count, division


def _bars(times: dict[float, tuple[int, int]], end: float) -> list[Bar]:
    bars: list[Bar] = []
    changes = sorted(times.items())
    for k, (start, time) in enumerate(changes):
        until = changes[k + 1][0] if k + 1 < len(changes) else end
        while until - start > 1e-6:
            bar = Bar(time)
            bar.actual = min(bar.nominal, until - start) if k + 1 < len(changes) else bar.nominal
            bars.append(bar)
            check_size(bars=len(bars))
            start += bar.actual
    return bars


def _tempo(message: bytes) -> int | None:
    """Return microseconds a quarter, if this is a tempo."""
    microseconds = int.from_bytes(message, "big")
    return microseconds if len(message) == 3 and 6e7 / TEMPI[1] <= microseconds <= 6e7 / TEMPI[0] else None


def _time(message: bytes) -> tuple[int, int] | None:
    """Return the time signature, if this is one."""
    known = len(message) >= 2 and 1 <= message[0] <= 128 and message[1] <= _FINEST
    return (message[0], 1 << message[1]) if known else None


def _tracks(data: bytes, at: int) -> Iterator[tuple[bytes, bool]]:
    """Give the contents of the track chunks, and whether they are whole; other chunks are passed over."""
    while at + 8 <= len(data):
        name, size = struct.unpack(">4sI", data[at : at + 8])
        at += 8
        if at + size > len(data) and (following := data.find(b"MTrk", at)) >= 0:
            size = following - at  # which cannot be right: there is another track
        if name == b"MTrk":
            yield data[at : at + size], at + size <= len(data)
        at += size


def _events(track: bytes, whole: bool, tick: int) -> Iterator[tuple[int, int, bytes]]:
    """Give tick, status and data of the channels' messages, and tick, kind (below 0x80) and data of meta events.

    Raises
    ------
    ValueError
        If the track breaks off, or has an event of no status or a number without an end.
    """
    at = running = 0
    while at < len(track):
        delta, at = _number(track, at)
        tick += delta
        status = track[at] if at < len(track) else _META
        status, at = (status, at + 1) if status >= 0x80 else (running, at)
        if not status:
            raise ValueError("begins in the middle of an event")
        kind = -1
        if status == _META:
            kind = track[at] if at < len(track) else _END_OF_TRACK
            size, at = _number(track, at + 1)
        elif status in (0xF0, 0xF7):
            size, at = _number(track, at)
        elif status > 0xF0:
            size = _SYSTEM.get(status, 0)
        else:
            kind = running = status
            size = 1 if _PROGRAM <= status < _PRESSURE + 16 else 2
        message, at = track[at : at + size], at + size
        if at > len(track):
            break
        if kind >= 0 and not (status == _META and kind >= 0x80):  # there are no such kinds
            yield tick, kind, message
        if kind == _END_OF_TRACK:
            return
    if at > len(track) or not whole:
        raise ValueError("breaks off")


def _number(track: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends; one of more than four bytes is beyond all that is."""
    last = _LAST_BYTE.search(track, at, at + _ENDLESS)
    if not last:
        raise ValueError("holds a number without an end" if len(track) - at > _ENDLESS else "breaks off")
    value = 0
    for byte in track[at : last.end()] if last.end() - at <= 4 else b"":
        value = value << 7 | byte & 0x7F
    return (value if last.end() - at <= 4 else 1 << 62), last.end()


class _Track:
    """The notes of a track, by instruments."""

    def __init__(self, number: int, division: int) -> None:
        self._name, self._division = f"track {number}", division
        self._instruments = dict.fromkeys(range(16), instrument_from_name("", 0))
        self._sounding: dict[tuple[int, int], tuple[int, int, str]] = {}
        self._notes: dict[str, list[tuple[Note, int]]] = {}
        self._count = 0

    def take(self, tick: int, status: int, message: bytes) -> None:
        """Take a message of a channel, or a meta event."""
        kind, channel = status & 0xF0, status & 0x0F
        if status == _NAME:
            self._name = message.decode("latin-1").strip() or self._name
        elif kind == _PROGRAM:
            self._instruments[channel] = instrument_from_name("", min(message[0], 127))
        elif kind in (_NOTE_OFF, _NOTE_ON):
            pitch, velocity = min(message[0], 127), min(message[1], 127)
            self._finish(tick, channel, pitch)
            if kind == _NOTE_ON and velocity:
                played = _drum(pitch) if channel == _DRUMS else self._instruments[channel]
                self._sounding[channel, pitch] = (tick, velocity, played)

    def _finish(self, tick: int, channel: int, pitch: int) -> None:
        if (channel, pitch) in self._sounding:
            start, velocity, instrument = self._sounding.pop((channel, pitch))
            length = max((tick - start) / self._division, _SHORTEST)
            played = UNPITCHED.get(instrument, pitch)
            self._count += 1
            check_size(notes=self._count)
            self._notes.setdefault(instrument, []).append((Note(start / self._division, length, played), velocity))

    def parts(self, end: int) -> Iterator[Part]:
        """Give a part for each instrument; what still sounds does so until the tick `end`."""
        for channel, pitch in list(self._sounding):
            self._finish(end, channel, pitch)
        for instrument, played in self._notes.items():
            played.sort(key=lambda pair: (pair[0].onset, pair[0].pitch))
            dynamics = np.array(sorted({note.onset: velocity / 127 for note, velocity in played}.items()))
            yield Part(self._name, instrument, tuple(note for note, _ in played), PART_LEVELS[instrument], dynamics)


def _drum(key: int) -> str:
    """Return the instrument of a key of the General MIDI percussion map."""
    if key in (35, 36):
        return "bass drum"
    if key in (42, 44, 46, 49, 51, 52, 53, 55, 57, 59):
        return "cymbals"
    return "triangle" if key in (80, 81) else "snare drum"
