"""Standard MIDI files as `Score`s: notes, programs, velocities, tempi and time signatures.

Source of the format: MIDI Manufacturers Association, Standard MIDI Files 1.0.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ictus.errors import IctusError
from ictus.files import readable
from ictus.scores.bars import Bar, beats_of
from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_called
from ictus.scores.score import Note, Part, Score, joint_loudness

Array = NDArray[np.float64]
Event = tuple[int, int, bytes]  # tick, status byte, data

_DRUMS = 9  # the channel
_SHORTEST = 1 / 32  # quarters
_LATEST = 20_000  # quarters, and bars: no piece is as long


def read(path: Path) -> Score:
    """Read a score.

    Raises
    ------
    IctusError
        If the file is no MIDI, is damaged, counts in film frames, or holds no notes.
    """
    try:
        return _score(readable(path).read_bytes(), path.stem)
    except (struct.error, IndexError, ValueError) as error:
        raise IctusError(f"{path}: no MIDI file that can be played ({error})") from error


def _score(data: bytes, stem: str) -> Score:
    if data[:4] != b"MThd":
        raise ValueError("it does not begin as one")
    length, _, count, division = struct.unpack(">IHHH", data[4:14])
    if division & 0x8000 or not division:
        raise ValueError("it counts in film frames, not in quarters")
    tempi, times, parts, at = {0: 500_000}, {0: (4, 4)}, [], 8 + length
    for number in range(count):
        if data[at : at + 4] != b"MTrk":
            break
        (size,) = struct.unpack(">I", data[at + 4 : at + 8])
        events = list(_events(data[at + 8 : at + 8 + size]))
        at += 8 + size
        for tick, status, value in events:
            if status == 0xFF and value[0] == 0x51:
                tempi[tick] = max(1, int.from_bytes(value[1:4], "big"))
            elif status == 0xFF and value[0] == 0x58:
                times[tick] = (max(1, value[1]), 1 << min(value[2], 6))
        parts += list(_parts(events, division, number))
    if not parts:
        raise ValueError("it holds no notes")
    end = max(note.onset + note.length for part in parts for note in part.notes)
    if end > _LATEST:
        raise ValueError(f"it lasts {end:.0f} quarters")
    _, beats = beats_of(_bars({tick / division: time for tick, time in times.items()}, end))
    tempo: list[tuple[float, float]] = []
    for tick, microseconds in sorted(tempi.items()):
        if tempo and tick:
            tempo.append((tick / division - 1 / 1024, tempo[-1][1]))
        tempo.append((tick / division, 6e7 / microseconds))
    return Score(stem, np.array(tempo), joint_loudness(tuple(parts), beats[:, 0]), tuple(parts), beats)


def _bars(times: dict[float, tuple[int, int]], end: float) -> list[Bar]:
    bars: list[Bar] = []
    changes = sorted(times.items())
    for k, (start, time) in enumerate(changes):
        until = changes[k + 1][0] if k + 1 < len(changes) else end
        while until - start > 1e-6:
            bar = Bar(time)
            bar.actual = min(bar.nominal, until - start) if k + 1 < len(changes) else bar.nominal
            bars.append(bar)
            if len(bars) > _LATEST:
                raise ValueError("it has too many bars")
            start += bar.actual
    return bars


def _events(track: bytes) -> Iterator[Event]:
    """Give the events of a track; meta events have status 0xFF and their type before their data."""
    at, tick, running = 0, 0, 0
    while at < len(track):
        step, at = _number(track, at)
        tick += step
        if track[at] & 0x80:
            running, at = track[at], at + 1
        if running in (0xFF, 0xF0, 0xF7):
            kind = track[at : at + 1] if running == 0xFF else b""
            size, at = _number(track, at + len(kind))
            yield tick, running, kind + track[at : at + size]
            at += size
        else:
            size = 1 if running & 0xF0 in (0xC0, 0xD0) else 2
            yield tick, running, track[at : at + size]
            at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def _parts(events: list[Event], division: int, number: int) -> Iterator[Part]:
    """Give a part for each instrument of a track."""
    name, programs = f"track {number + 1}", dict.fromkeys(range(16), 0)
    sounding: dict[tuple[int, int], tuple[int, int, str]] = {}
    notes: dict[str, list[tuple[Note, int]]] = {}

    def finish(tick: int, channel: int, pitch: int) -> None:
        if (channel, pitch) in sounding:
            start, velocity, instrument = sounding.pop((channel, pitch))
            length = max((tick - start) / division, _SHORTEST)
            played = UNPITCHED.get(instrument, pitch)
            notes.setdefault(instrument, []).append((Note(start / division, length, played), velocity))

    for tick, status, data in events:
        kind, channel = status & 0xF0, status & 0x0F
        if status == 0xFF and data[0] == 3:
            name = data[1:].decode("latin-1").strip() or name
        elif kind == 0xC0:
            programs[channel] = data[0]
        elif kind in (0x80, 0x90):
            finish(tick, channel, data[0])
            if kind == 0x90 and data[1]:
                instrument = _drum(data[0]) if channel == _DRUMS else instrument_called("", programs[channel])
                sounding[channel, data[0]] = (tick, data[1], instrument)
    for channel, pitch in list(sounding):
        finish(events[-1][0], channel, pitch)
    for instrument, played in notes.items():
        played.sort(key=lambda pair: (pair[0].onset, pair[0].pitch))
        dynamics = {note.onset: velocity / 127 for note, velocity in played}
        level = PART_LEVELS[instrument]
        yield Part(name, instrument, tuple(note for note, _ in played), level, np.array(sorted(dynamics.items())))


def _drum(key: int) -> str:
    """Return the instrument of a key of the General MIDI percussion map."""
    if key in (35, 36):
        return "bass drum"
    if key in (42, 44, 46, 49, 51, 52, 53, 55, 57, 59):
        return "cymbals"
    return "triangle" if key in (80, 81) else "snare drum"
