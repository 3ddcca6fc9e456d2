"""Grooves: what real drummers played, bar by bar, in the place of a song's own drums.

    <folder>/info.csv   midi_filename, bpm, beat_type (beat or fill), time_signature ("4-4"), split
            /...        the MIDI files that it names; their second 0 is a downbeat, their tempo is that of a metronome

That is the layout of the Groove MIDI Dataset: J. Gillick, A. Roberts, J. Engel, D. Eck, D. Bamman, "Learning to Groove
with Inverse Sequence Transformations", ICML 2019. Its drums are played on a Roland TD-11, three of whose keys General
MIDI has elsewhere.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import mido
import numpy as np

from ictus.documents import read_table
from ictus.errors import IctusError, UsageError
from ictus.files import reading, short
from ictus.scores.score import Note, Part, Score
from ictus.types import Float64Array

_GENERAL_MIDI = {22: 42, 26: 46, 58: 43}  # the edge of the hi-hat, closed and open, and the rim of the low tom
_KIT = {*range(35, 54), 55, 57, 59}  # keys of a drum kit; others are percussion
_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_NEAR = 1.25  # times a take's tempo may differ from the song's
_SHORTEST = 2  # bars of a take
_OFF_BEATS = 8  # hits between beats by which swing is known
_KICKS = (35, 36)
_GROUNDED = 0.4  # share of the downbeats that a bass drum marks, below which a take may be counted from elsewhere
_STRAIGHT = 0.54  # where in the beat its second half begins, up to which nothing swings


@dataclass(frozen=True)
class Take:
    """What a drummer played at one time.

    Attributes
    ----------
    path : MIDI file.
    bpm : quarters a minute.
    bar : quarters.
    split : train, val or test.
    """

    path: Path
    bpm: float
    bar: float
    split: str


@lru_cache(maxsize=4)
def find_takes(folder: Path) -> tuple[Take, ...]:
    """Return the takes of a folder that are grooves, not single fills.

    Raises
    ------
    UsageError
        If there are none.
    """
    columns = ("midi_filename", "bpm", "beat_type", "time_signature", "split")
    rows = read_table(folder / "info.csv", *columns, kind=UsageError)
    takes = []
    for row in rows:
        try:
            count, kind = map(int, row["time_signature"].split("-"))
            take = Take(folder / row["midi_filename"], float(row["bpm"]), 4 * count / kind, _SPLITS[row["split"]])
        except (ValueError, KeyError, ZeroDivisionError) as error:
            raise UsageError(f"{folder / 'info.csv'}: no list of grooves (cannot read {row})") from error
        if row["beat_type"] == "beat" and take.path.is_file():
            takes.append(take)
    if not takes:
        raise UsageError(f"{folder}: none of the grooves that its info.csv names is there; unpack them beside it")
    return tuple(takes)


def draw_take(takes: tuple[Take, ...], song: Score, split: str, rng: np.random.Generator) -> Take | None:
    """Return a take of a split with bars like a song's, at about its tempo; None if there is none."""
    bar = float(np.median(np.diff(song.beats[song.beats[:, 1] == 1, 0])))
    bpm = float(song.tempo[0, 1])
    fitting = [
        take for take in takes if take.split == split and take.bar == bar and bpm / _NEAR < take.bpm < bpm * _NEAR
    ]
    return fitting[int(rng.integers(len(fitting)))] if fitting else None


def with_drummer(song: Score, take: Take, rng: np.random.Generator) -> Score:
    """Return a song with its drums played by a real drummer, whose swing the band takes over.

    The drummer plays in the bars in which there were drums, and begins in a bar of the take at random; after its last
    bar comes its first. The beats of the song stay where they are.

    Raises
    ------
    IctusError
        If the file of the take is damaged, or too short.
    """
    hits = read_hits(take)
    kit = [part for part in song.parts if part.drum and part.program in _KIT]
    others = [part for part in song.parts if part not in kit]
    level = float(np.mean([part.level for part in kit])) if kit else 0.5
    looped = _looped(hits, take.bar, _starts(song, kit, take.bar), rng)
    keys = np.unique(looped[:, 1]).astype(int).tolist()
    drums = [_drum(key, looped[looped[:, 1] == key], level) for key in keys]
    swing = measured_swing(hits[:, 0])
    if swing > _STRAIGHT and measured_swing(np.array([n.onset for part in kit for n in part.notes])) <= _STRAIGHT:
        others = [_swung(part, swing) for part in others]
    return replace(song, parts=(*others, *drums))


def read_hits(take: Take) -> Float64Array:
    """Return what a drummer struck, (N, 3): quarters from the beginning, percussion key of General MIDI, velocity to 1.

    Raises
    ------
    IctusError
        If the file is missing, damaged, shorter than two bars, or does not begin its bars with the bass drum.
    """
    with reading(take.path) as path:
        try:
            file = mido.MidiFile(path, clip=True)
            ticks, rows = 0, list[tuple[float, int, float]]()
            for message in mido.merge_tracks(file.tracks):
                ticks += message.time
                if message.type == "note_on" and message.velocity:
                    key = _GENERAL_MIDI.get(message.note, message.note)
                    rows.append((ticks / file.ticks_per_beat, key, message.velocity / 127))
        except (ValueError, EOFError, KeyError, IndexError) as error:
            raise IctusError(f"damaged or no MIDI file ({short(error)})") from error
        hits = np.array(rows, np.float64).reshape(-1, 3)
        if not len(hits) or hits[-1, 0] < (_SHORTEST - 0.25) * take.bar:
            raise IctusError(f"is no groove: it ends before its second bar of {take.bar:g} quarters does")
        kicks = np.sort(hits[np.isin(hits[:, 1], _KICKS), 0] + take.bar / 2)
        marked = np.unique((kicks // take.bar)[np.abs(kicks % take.bar - take.bar / 2) < 0.12])
        if len(marked) < _GROUNDED * hits[-1, 0] / take.bar:
            raise IctusError("is no groove to follow: its bars do not begin with the bass drum")
        return hits


def measured_swing(onsets: Float64Array) -> float:
    """Return where in its beat the second half of a beat begins, 0.5 where nothing swings; onsets (N,) in quarters."""
    place = onsets % 1
    halves = place[(place > 0.4) & (place < 0.75)]
    return float(np.median(halves)) if len(halves) >= _OFF_BEATS else 0.5


def _starts(song: Score, kit: list[Part], bar: float) -> dict[int, float]:
    """Return the quarter at which each bar begins, by its number, if there are drums in it."""
    downbeats = song.beats[song.beats[:, 1] == 1, 0]
    onsets = np.sort([note.onset for part in kit for note in part.notes])
    return {
        number: float(start)
        for number, start in enumerate(downbeats.tolist())
        if np.searchsorted(onsets, start - 0.01) < np.searchsorted(onsets, start + bar - 0.01)
    }


def _looped(hits: Float64Array, bar: float, starts: dict[int, float], rng: np.random.Generator) -> Float64Array:
    """Return the hits (M, 3) of a take, bar by bar, in the bars of a song that begin at `starts`."""
    bars = max(_SHORTEST, int(hits[-1, 0] / bar + 0.25))
    inside = np.floor(hits[:, 0] / bar + 0.02).astype(int)  # early hits belong to the bar that they begin
    turn, found = int(rng.integers(bars)), [np.zeros((0, 3))]
    for number, start in starts.items():
        from_bar = (number + turn) % bars
        found.append(hits[inside == from_bar] + [start - from_bar * bar, 0, 0])
    looped = np.concatenate(found)
    return looped[np.argsort(looped[:, 0], kind="stable")]


def _drum(key: int, hits: Float64Array, level: float) -> Part:
    """Return the part of one key, struck (N, 3)."""
    onsets = np.maximum(hits[:, 0], 0)
    notes = tuple(Note(onset, 0.2, key) for onset in onsets.tolist())
    first = np.append(True, np.diff(onsets) > 0)
    dynamics = np.stack([onsets, hits[:, 2]], axis=1)[first]
    return Part(f"drum {key}", "snare drum", notes, level, dynamics, key, True)


def _swung(part: Part, swing: float) -> Part:
    """Return a part with the second halves of its beats late."""

    def late(quarter: float) -> float:
        whole, rest = divmod(quarter, 1)
        return float(whole + np.interp(rest, [0, 0.5, 1], [0, swing, 1]))

    moved = tuple(
        replace(note, onset=late(note.onset), length=max(late(note.onset + note.length) - late(note.onset), 0.02))
        for note in part.notes
    )
    dynamics = (
        None if part.dynamics is None else np.stack([[late(q) for q in part.dynamics[:, 0]], part.dynamics[:, 1]], 1)
    )
    return replace(part, notes=moved, dynamics=dynamics)
