"""Standard MIDI files as `Score`s: notes, programs, velocities, tempi and time signatures.

mido reads the messages. It takes a file only if every chunk is a track, so each track is given to it alone. (symusic is
faster, but it gives notes and not messages: those that are never ended are lost, and a key that is struck again before
it is released sounds twice.)

Source of the format: MIDI Manufacturers Association, Standard MIDI Files 1.0.
"""

import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
from mido.midifiles import KeySignatureError

from ictus.errors import IctusError
from ictus.files import readable
from ictus.scores.bars import Bar, beats_of
from ictus.scores.instruments import PART_LEVELS, UNPITCHED, instrument_from_name
from ictus.scores.score import Note, Part, Score, joint_loudness

Event = tuple[int, mido.Message]  # tick, message

_DRUMS = 9  # the channel
_SHORTEST = 1 / 32  # quarters
_LATEST = 20_000  # quarters, and bars: no piece is as long
_LARGEST = 1 << 23  # bytes of a file: several times the longest symphony
_END_OF_TRACK = b"\xff\x2f\x00"
_ENDLESS_NUMBER = re.compile(rb"[\x80-\xff]{4096}")  # the time that mido needs grows with the square of its length
_UNREADABLE = (OSError, EOFError, LookupError, ValueError, KeySignatureError)  # what mido raises


def read(path: Path) -> Score:
    """Read a score; the sequences of a file of format 2 follow one another.

    Raises
    ------
    IctusError
        If the file is no MIDI, is damaged, counts in film frames, or holds no notes.
    """
    if readable(path).stat().st_size > _LARGEST:
        raise IctusError(f"{path}: has more than {_LARGEST >> 20} MiB; no piece is as long")
    try:
        return _score(path.read_bytes(), path.stem)
    except ValueError as error:
        raise IctusError(f"{path}: no MIDI file that can be played ({error})") from error


def _score(data: bytes, stem: str) -> Score:
    if data[:4] != b"MThd" or len(data) < 14:
        raise ValueError("it does not begin as one")
    length, kind, count, division = struct.unpack(">IHHH", data[4:14])
    if division & 0x8000 or not division:
        raise ValueError("it counts in film frames, not in quarters")
    tempi, times, parts, start = {0: 500_000}, {0: (4, 4)}, list[Part](), 0
    for number, track in enumerate(_tracks(data[8 + length :], count), 1):
        if kind == 2:  # each sequence begins with the usual tempo and metre
            tempi[start], times[start] = 500_000, (4, 4)
        events = list(_events(track, number, start, _LATEST * division))
        for tick, message in events:
            if message.type == "set_tempo" and message.tempo:  # 0 means nothing
                tempi[tick] = message.tempo
            elif message.type == "time_signature":
                times[tick] = (max(1, message.numerator), min(message.denominator, 64))
        parts += _parts(events, division, number)
        start = events[-1][0] if kind == 2 and events else start
    if not parts:
        raise ValueError("it holds no notes")
    end = max(note.onset + note.length for part in parts for note in part.notes)
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


def _tracks(chunks: bytes, count: int) -> Iterator[bytes]:
    """Give the contents of the track chunks, at most `count`; other chunks are passed over."""
    at = 0
    while count and at + 8 <= len(chunks):
        name, size = struct.unpack(">4sI", chunks[at : at + 8])
        if name == b"MTrk":
            yield chunks[at + 8 : at + 8 + size]
            count -= 1
        at += 8 + size


def _events(track: bytes, number: int, start: int, latest: int) -> Iterator[Event]:
    """Give the messages of a track with their ticks, counted from `start`."""
    if _ENDLESS_NUMBER.search(track):
        raise ValueError(f"track {number}: holds a number without an end")
    # mido refuses key signatures of keys that do not exist; none is needed, so that they may pass as something else.
    for message in _messages(track.replace(b"\xff\x59\x02", b"\xff\x7f\x02"), number):
        start += message.time
        if start > latest:
            raise ValueError(f"track {number}: lasts more than {_LATEST} quarters")
        yield start, message
        if message.type == "end_of_track":
            return


def _messages(track: bytes, number: int) -> list[mido.Message]:
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    try:
        return list(mido.MidiFile(file=io.BytesIO(header + track), clip=True).tracks[0])
    except _UNREADABLE as error:
        end = track.find(_END_OF_TRACK) + len(_END_OF_TRACK)
        if len(_END_OF_TRACK) <= end < len(track):  # what follows the end of a track may be anything
            return _messages(track[:end], number)
        raise ValueError(f"track {number}: {str(error) or 'breaks off'}; export it again") from error


def _parts(events: list[Event], division: int, number: int) -> Iterator[Part]:
    """Give a part for each instrument of a track."""
    name, programs = f"track {number}", dict.fromkeys(range(16), 0)
    sounding: dict[tuple[int, int], tuple[int, int, str]] = {}
    notes: dict[str, list[tuple[Note, int]]] = {}

    def finish(tick: int, channel: int, pitch: int) -> None:
        if (channel, pitch) in sounding:
            start, velocity, instrument = sounding.pop((channel, pitch))
            length = max((tick - start) / division, _SHORTEST)
            played = UNPITCHED.get(instrument, pitch)
            notes.setdefault(instrument, []).append((Note(start / division, length, played), velocity))

    for tick, message in events:
        if message.type == "track_name":
            name = message.name.strip() or name
        elif message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            channel, pitch = message.channel, message.note
            finish(tick, channel, pitch)
            if message.type == "note_on" and message.velocity:
                instrument = _drum(pitch) if channel == _DRUMS else instrument_from_name("", programs[channel])
                sounding[channel, pitch] = (tick, message.velocity, instrument)
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
