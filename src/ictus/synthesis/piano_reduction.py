"""An orchestra's score reduced to ten fingers at the piano, with the freer timing of one who plays alone."""

from dataclasses import dataclass, replace

import numpy as np

from ictus.errors import IctusError
from ictus.scores.instruments import PART_LEVELS, UNPITCHED
from ictus.scores.score import Note, Part, Score
from ictus.synthesis.tempo import Timing, written

_FINGERS = 10
_KEYS = range(21, 109)
_LEFT_OUT = {*UNPITCHED, "timpani"}
_FREEST = 2.0  # times longer or shorter than usual that a moment may last


@dataclass(frozen=True)
class _Key:
    """A note that someone in the orchestra plays, and how strongly."""

    note: Note
    strength: float

    @property
    def end(self) -> float:
        return self.note.onset + self.note.length


def reduce_for_piano(score: Score) -> Score:
    """Return what a pianist makes of a score: one part, of all that have a pitch, but for the timpani.

    What two play together is played once. Where there are more notes than fingers the outermost stay, then the
    strongest, and what was struck before gives way to what is new.

    Raises
    ------
    IctusError
        If only drums play.
    """
    played: list[Note] = []
    held: list[_Key] = []
    for now, chord in sorted(_chords(score).items()):
        new = _playable(list(chord.values()))
        going_on = [key for key in held if key.end > now and key.note.pitch not in chord]
        free = _FINGERS - len(new)
        kept = sorted(going_on, key=lambda key: -key.end)[:free]
        played += [_released(key, now) for key in held if key not in kept]
        held = kept + new
    played += [key.note for key in held]
    if not played:
        raise IctusError(f"{score.title}: has nothing for a pianist to play; leave it out")
    notes = tuple(sorted(played, key=lambda note: (note.onset, note.pitch)))
    return replace(score, parts=(Part("Piano", "piano", notes, PART_LEVELS["piano"]),))


def _chords(score: Score) -> dict[float, dict[int, _Key]]:
    """Return what is struck at each onset, by its pitch."""
    chords: dict[float, dict[int, _Key]] = {}
    for part in score.parts:
        if part.instrument in _LEFT_OUT:
            continue
        loudness = score.loudness(np.array([note.onset for note in part.notes]), part)
        for note, loud in zip(part.notes, loudness.tolist(), strict=True):
            if note.pitch in _KEYS:
                chord = chords.setdefault(round(note.onset, 3), {})
                chord[note.pitch] = _stronger(_Key(note, part.level * loud), chord.get(note.pitch))
    return chords


def _stronger(key: _Key, other: _Key | None) -> _Key:
    if other is None:
        return key
    first = max(key, other, key=lambda one: one.strength)
    longest = max(key.note.length, other.note.length)
    return replace(first, note=replace(first.note, length=longest))


def _playable(chord: list[_Key]) -> list[_Key]:
    """Keep the outermost notes of a chord and the strongest within."""
    chord = sorted(chord, key=lambda key: key.note.pitch)
    within = sorted(chord[1:-1], key=lambda key: -key.strength)
    return [chord[0], *chord[1:][-1:], *within[: _FINGERS - 2]]


def _released(key: _Key, now: float) -> Note:
    """Return a note as far as it is held, if another may follow on its key or with its finger."""
    return replace(key.note, length=min(key.note.length, max(now - key.note.onset, 0.01)))


def exaggerate_timing(timing: Timing, score: Score, by: float) -> Timing:
    """Return a timing whose departures from the written tempo are `by` times as large; its overall tempo stays."""
    nominal = np.diff(written(score).seconds_at(timing.quarters))
    taken = np.diff(timing.seconds)
    usual = taken.sum() / nominal.sum()
    steps = taken * np.clip((taken / (nominal * usual)) ** (by - 1), 1 / _FREEST, _FREEST)
    steps *= taken.sum() / steps.sum()
    seconds = timing.seconds[0] + np.concatenate([[0.0], np.cumsum(steps)])
    return replace(timing, seconds=seconds, source=f"{timing.source}, freer")
