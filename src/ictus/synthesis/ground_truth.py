"""Ground truth of a rendered passage: its beats, bars, tempo, loudness, articulation, entries."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ictus.audio import Audio
from ictus.beats.annotation import BeatAnnotation
from ictus.scores.score import Part, Score
from ictus.synthesis.instruments import INSTRUMENTS, Struck
from ictus.synthesis.tempo import Timing
from ictus.types import BoolArray, Float64Array, IntArray

_REST = 4.0  # seconds of silence after which a part enters anew
_HOP = 0.01  # seconds of a frame of loudness


def beats_in(score: Score, timing: Timing, span: tuple[float, float]) -> Float64Array:
    """Return the rows of `score.beats` that fall into a span of seconds, but for those that pass within a hold."""
    beats = score.beats[score.beats[:, 0] < score.length - 1e-6]
    within = np.zeros(len(beats), bool)
    for start, end in score.fermatas:
        within |= (beats[:, 0] > start + 1e-3) & (beats[:, 0] < end - 1e-3)
    times = timing.seconds_at(beats[:, 0])
    return beats[~within & (times >= span[0]) & (times < span[1])]


def annotate(score: Score, timing: Timing, span: tuple[float, float], audio: Audio) -> BeatAnnotation:
    """Return the annotation of a passage, from the score and the performance.

    Parameters
    ----------
    span : seconds of the performance at which the passage begins and ends.
    audio : its sound.
    """
    rows = beats_in(score, timing, span)
    quarters = rows[:, 0]
    times = timing.seconds_at(quarters) - span[0]
    steps = np.diff(np.append(times, timing.seconds_at(quarters[-1:] + np.diff(quarters)[-1:]) - span[0]))
    notes = _notes(score, timing, quarters)
    return BeatAnnotation(
        times=times,
        positions=rows[:, 1].astype(np.int64),
        meters=rows[:, 2].astype(np.int64),
        divisions=rows[:, 3].astype(np.int64),
        tempo=60 / steps,
        loudness=loudness_at(audio, times),
        articulation=_articulation(notes, len(rows)),
        accents=_accents(notes, len(rows)),
        entries=_entries(score.parts, timing, span),
        duration=span[1] - span[0],
    )


def loudness_at(audio: Audio, times: Float64Array) -> Float64Array:
    """Return the loudness about each time, 0 to 1: 30 dB below the loud moments is as soft as it gets."""
    hop = round(_HOP * audio.rate)
    mono = audio.samples.mean(0)
    frames = mono[: len(mono) // hop * hop].reshape(-1, hop)
    power = ndimage.gaussian_filter1d((frames.astype(np.float64) ** 2).mean(1), 0.35 / _HOP)
    decibels = 10 * np.log10(np.maximum(power, 1e-12))
    there = np.interp(times, (np.arange(len(decibels)) + 0.5) * hop / audio.rate, decibels)
    return np.asarray(np.clip(0.88 + (there - np.percentile(there, 92)) / 30, 0, 1))


@dataclass(frozen=True)
class _Notes:
    """The notes that begin with or after each beat: beat, whether on it, strength, and shortness 0 to 1."""

    beat: IntArray
    on: BoolArray
    strength: Float64Array
    short: Float64Array


def _notes(score: Score, timing: Timing, quarters: Float64Array) -> _Notes:
    columns: list[Float64Array] = []
    for part in score.parts:
        onsets = np.array([note.onset for note in part.notes])
        after = np.searchsorted(quarters, onsets + 0.02, "right") - 1
        here = np.flatnonzero((after >= 0) & (onsets < quarters[-1] + 1))
        if not len(here):
            continue
        accented = np.array([">" in part.notes[k].mark for k in here])
        loudness = score.loudness(onsets[here], part)
        strength = part.level * 10 ** (1.3 * (loudness - 1)) * np.where(accented, 1.6, 1.0)
        on = np.abs(onsets[here] - quarters[after[here]]) < 0.02
        columns.append(np.stack([after[here], on, strength, _shortness(part, here, timing)]))
    table = np.concatenate(columns, axis=1) if columns else np.zeros((4, 0))
    return _Notes(table[0].astype(np.int64), table[1] > 0, table[2], table[3])


def _shortness(part: Part, here: IntArray, timing: Timing) -> Float64Array:
    """0 for what is slurred, 1 for staccato; what is unmarked is short if it is quick and a rest follows."""
    if isinstance(INSTRUMENTS[part.instrument], Struck):
        return np.full(len(here), 0.7)
    onsets = np.array([note.onset for note in part.notes])
    ends = onsets + np.array([note.length for note in part.notes])
    order = np.unique(onsets)
    coming = np.append(order, np.inf)[np.searchsorted(order, onsets[here], "right")]
    detached = (coming - ends[here] > 0.2) & (timing.seconds_at(ends[here]) - timing.seconds_at(onsets[here]) < 0.4)
    marked = {"'": 1.0, "~": 0.0}
    value = [next((v for sign, v in marked.items() if sign in part.notes[k].mark), -1.0) for k in here]
    return np.where(np.array(value) >= 0, value, np.where(detached, 0.75, 0.4))


def _articulation(notes: _Notes, count: int) -> Float64Array:
    weight = np.bincount(notes.beat, notes.strength, count)
    total = np.bincount(notes.beat, notes.strength * notes.short, count)
    played = np.flatnonzero(weight > 0)
    if not len(played):
        return np.full(count, 0.4)
    values = np.interp(np.arange(count), played, total[played] / weight[played])
    return np.asarray(ndimage.gaussian_filter1d(values, 1.0, mode="nearest"))


def _accents(notes: _Notes, count: int) -> Float64Array:
    struck = np.log1p(np.bincount(notes.beat[notes.on], notes.strength[notes.on], count))
    standing = struck - ndimage.gaussian_filter1d(struck, 8.0, mode="reflect")
    return np.asarray(np.clip((standing / (standing.std() + 1e-9) - 0.3) / 2, 0, 1))


def _entries(parts: tuple[Part, ...], timing: Timing, span: tuple[float, float]) -> Float64Array:
    entries: list[float] = []
    for part in parts:
        onsets = np.array([note.onset for note in part.notes])
        ends = np.maximum.accumulate(timing.seconds_at(onsets + np.array([note.length for note in part.notes])))
        begins = timing.seconds_at(onsets)
        silent = np.append(np.inf, begins[1:] - ends[:-1])
        entries += begins[(silent >= _REST) & (begins >= span[0]) & (begins < span[1])].tolist()
    return np.unique(np.round(entries, 3)) - span[0]
