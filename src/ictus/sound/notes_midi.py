"""Played notes as MIDI files, and scores as played notes.

What is bent and swells goes along: pitch bend over two octaves (registered parameter 0), expression (controller 11).
A line of one player is one channel, whose expression and bend hold for all that sounds in it.
"""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.scores import reader
from ictus.scores.midi import Controls, read_controls
from ictus.scores.score import Score
from ictus.sound.played_notes import CURVE_RATE, MAX_BEND, PlayedNotes
from ictus.sound.voice import PROGRAMS, check_instrument
from ictus.types import Float64Array

QUARTER = 960  # ticks
TEMPO = 120.0  # quarters a minute, where none is given: a tick is then half a millisecond
_BEND_RANGE = 24  # semitones
_EVERY = 2  # values of the curves from one controller event to the next: 20 ms
_NAMES = {  # what scores call the instruments that a player may have
    "violins": "violin",
    "solo string": "violin",
    "cellos": "cello",
    **{name: name for name in ("clarinet", "flute", "horn", "trombone")},
}
_FIRST = {"on": 2, "off": 0, "control": 1}  # of events at one tick: a note ends before it begins again
_RINGING = 0.5  # seconds after the last note
_SILENCE = 60.0  # seconds after it, at most, that a file may ask for
_MIDI = (".mid", ".midi")
_BEND, _EXPRESSION, _DATA = 0xE0, 11, 6


def save_midi(played: PlayedNotes, out: str | os.PathLike[str], tempo: float = TEMPO) -> None:
    """Write a .mid: notes on the tick that is nearest, loudness as velocity, and the curves.

    Raises
    ------
    UsageError
        If the instrument is none that is known.
    IctusError
        If the file cannot be written.
    """
    content = midi_bytes(played, tempo)
    with writing(out) as temporary:
        temporary.write_bytes(content)


def midi_bytes(played: PlayedNotes, tempo: float = TEMPO) -> bytes:
    """Return the file that `save_midi` writes."""
    from mido import Message, MetaMessage, MidiFile, MidiTrack, bpm2tempo

    check_instrument(played.instrument)
    per_second = QUARTER * tempo / 60
    events: list[tuple[int, int, Any]] = []

    def add(seconds: float, order: str, kind: str, **values: int) -> None:
        events.append((round(seconds * per_second), _FIRST[order], Message(kind, **values)))

    for (onset, _, _, loudness), pitch, end in zip(played.notes, played.pitches, played.ends, strict=True):
        key = int(pitch)
        last = max(end, onset + 1 / per_second)
        add(onset, "on", "note_on", note=key, velocity=int(np.clip(round(127 * loudness), 1, 127)))
        add(last, "off", "note_off", note=key, velocity=64)
    for seconds, level, bend in _curve_events(played):
        if level is not None:
            add(seconds, "control", "control_change", control=_EXPRESSION, value=level)
        if bend is not None:
            add(seconds, "control", "pitchwheel", pitch=bend)
    track = MidiTrack(
        [MetaMessage("track_name", name=played.instrument), MetaMessage("set_tempo", tempo=bpm2tempo(tempo))]
    )
    track.append(Message("program_change", program=PROGRAMS[played.instrument]))
    for controller, value in ((101, 0), (100, 0), (_DATA, _BEND_RANGE), (38, 0)):
        track.append(Message("control_change", control=controller, value=value))
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=max(0, round(played.duration * per_second) - now)))
    MidiFile(type=0, ticks_per_beat=QUARTER, tracks=[track]).save(file=(buffer := io.BytesIO()))
    return buffer.getvalue()


def _curve_events(played: PlayedNotes) -> list[tuple[float, int | None, int | None]]:
    """Return second, expression and bend wherever one of them changes."""
    levels = np.clip(np.round(127 * np.sqrt(np.asarray(played.loudness)[::_EVERY])), 0, 127).astype(int)
    bends = np.clip(np.round(8191 * np.asarray(played.bend)[::_EVERY] / _BEND_RANGE), -8191, 8191).astype(int)
    seconds = np.arange(len(levels)) * _EVERY / CURVE_RATE
    new_level, new_bend = np.diff(levels, prepend=-1) != 0, np.diff(bends, prepend=0) != 0
    return [
        (float(second), int(level) if louder else None, int(bend) if bent else None)
        for second, level, bend, louder, bent in zip(seconds, levels, bends, new_level, new_bend, strict=True)
        if louder or bent
    ]


def load_notes(path: Path, instrument: str | None = None) -> PlayedNotes:
    """Read the notes of a score (.mid, .musicxml, ...) as they are written, to be played by one player.

    Of a .mid in which all notes are of one channel, as `save_midi` writes it, pitch bend and expression (controller 11)
    become the curves again, and the take is as long as the file says. Confidences and silences are not kept by MIDI.

    Parameters
    ----------
    instrument : who plays, whatever the score says; None: as the score says. Of several parts that fit, the longest.

    Raises
    ------
    IctusError
        If the file cannot be read.
    UsageError
        If there is no such instrument, or the score has no part for one that is known.
    """
    score = reader.read(path)
    if instrument is not None:
        check_instrument(instrument)
    parts = [part for part in score.parts if instrument is None or _NAMES.get(part.instrument) == instrument]
    parts = [part for part in parts or score.parts if instrument is not None or part.instrument in _NAMES]
    if not parts:
        there = ", ".join(sorted({part.instrument for part in score.parts}))
        raise UsageError(
            f"{path}: is for {there}; there are {', '.join(PROGRAMS)}: say which shall play it", option="instrument"
        )
    part = max(parts, key=lambda one: len(one.notes))
    onsets = np.array([note.onset for note in part.notes])
    begin = score.seconds(onsets)
    end = score.seconds(onsets + np.array([note.length for note in part.notes]))
    loudness = np.clip(score.loudness(onsets, part), 0.05, 1)
    pitches = np.array([note.pitch for note in part.notes], np.float64)
    notes: Float64Array = np.stack([begin, np.maximum(end - begin, 2e-3), pitches, loudness], 1)
    notes = notes[np.lexsort((pitches, begin))]
    if not len(notes):
        raise IctusError(f"{path}: holds no notes")
    played = PlayedNotes(notes, float(end.max()) + _RINGING, instrument or _NAMES[part.instrument])
    return _with_curves(played, score, read_controls(path)) if path.suffix.lower() in _MIDI else played


def _with_curves(played: PlayedNotes, score: Score, controls: Controls) -> PlayedNotes:
    """Return notes with the expression and the bend of their file, if it is one player's."""
    if len(controls.channels) != 1:
        return played
    stop, last = float(score.seconds(np.array([controls.end]))[0]), float(played.ends.max())
    duration = min(max(stop, last), last + _SILENCE)
    levels, bends, chosen, semitones = {}, {0.0: 0.0}, [127, 127], 2.0
    own = [message for message in controls.messages if message[1] in controls.channels]
    seconds = score.seconds(np.array([message[0] for message in own]))
    for second, (_, _, status, low, high) in zip(seconds.tolist(), own, strict=True):
        if status == _BEND:
            bends[second] = semitones * ((high << 7 | low) - 8192) / 8191
        elif low == _EXPRESSION:
            levels[second] = (high / 127) ** 2
        elif low in (100, 101):
            chosen[low - 100] = high
        elif low == _DATA and chosen == [0, 0]:
            semitones = float(np.clip(high, 1, MAX_BEND))
    loudness = _curve(levels, duration) if len(set(levels.values())) > 1 else None
    bend = np.clip(_curve(bends, duration), -MAX_BEND, MAX_BEND)
    return PlayedNotes(played.notes, duration, played.instrument, loudness, bend)


def _curve(corners: dict[float, float], duration: float) -> Float64Array:
    """Return (T,) values of a curve that stays as it is until shortly before each new value."""
    times, values = np.array(list(corners)), np.array(list(corners.values()))
    late = np.flatnonzero(np.diff(times) > 1.5 * _EVERY / CURVE_RATE) + 1
    times = np.insert(times, late, times[late] - _EVERY / CURVE_RATE)
    values = np.insert(values, late, values[late - 1])
    return np.asarray(np.interp(np.arange(max(1, round(duration * CURVE_RATE))) / CURVE_RATE, times, values))
