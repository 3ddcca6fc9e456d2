"""What one player can take from a score, in seconds, and how it sounds."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.scores.instruments import UNPITCHED
from ictus.scores.score import Note, Part, Score
from ictus.synthesis.performance import render_performance
from ictus.synthesis.players import RATE
from ictus.synthesis.players.solo import Solo
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.rendering import part_renderer
from ictus.synthesis.tempo import Timing
from ictus.types import BoolArray, Float64Array, IntArray

# What each instrument is called in `ictus.synthesis.instruments`, its General MIDI program, and whose parts it likes.
_SOUNDS = {
    "cello": ("solo string", 42, ("cellos", "basses", "bassoon")),
    "violin": ("solo string", 40, ("violins", "solo string", "violas")),
    "clarinet": ("clarinet", 71, ("clarinet", "violas")),
    "flute": ("flute", 73, ("flute", "oboe", "violins")),
    "horn": ("horn", 60, ("horn", "trumpet")),
    "trombone": ("trombone", 57, ("trombone", "tuba", "bassoon")),
}
_OWN = 0.6  # how often an instrument takes a part that it likes, where there is one
_FEWEST = 24  # notes of a part that is worth playing
_SHORTEST = 0.045  # seconds of a note
_LONGEST_REST = 1.3  # seconds: a soloist who practises a part does not count its empty bars
_DETACHED, _STACCATO = 0.9, 0.5  # how much of its time a note sounds


def solo_part(
    score: Score, timing: Timing, instrument: str, limits: tuple[int, int], rng: np.random.Generator
) -> tuple[str, Solo]:
    """Return the name of a part that suits an instrument, and the whole of it as a solo.

    Its highest notes are taken where there are several, it is transposed into the range, and long rests are cut short.

    Parameters
    ----------
    limits : the lowest and the highest MIDI pitch.

    Raises
    ------
    IctusError
        If no part has notes enough.
    """
    part = _chosen(score, instrument, rng)
    line = _playable(_top(part.notes), timing)
    if len(line) < _FEWEST:
        raise IctusError(f"part {part.name!r} has too few notes that can be played one at a time")
    quarters = np.array([note.onset for note in line])
    onsets = timing.seconds_at(quarters)
    room = np.append(np.diff(onsets), np.inf)
    lasting = np.minimum(timing.seconds_at(quarters + np.array([note.length for note in line])) - onsets, room)
    pitches = _within(np.array([note.pitch for note in line]) + int(rng.integers(-3, 4)), limits)
    marks = [note.mark for note in line]
    bound = _bound(marks, lasting, room, pitches, rng)
    detached = np.where(["'" in mark for mark in marks], _STACCATO, _DETACHED)
    sounding = lasting * np.where(np.append(bound[1:], False), 1.0, detached)
    accents = np.array([1.2 if ">" in mark else 1.0 for mark in marks])
    loudness = score.loudness(quarters, part) * accents * rng.lognormal(0, 0.06, len(line))
    onsets = _without_long_rests(onsets, lasting)
    notes = np.stack([onsets, np.maximum(sounding, 0.02), pitches, np.clip(loudness, 0.05, 1.2)], axis=1)
    return part.name, Solo(notes, float(onsets[-1] + lasting[-1] + 0.5), bound)


def _chosen(score: Score, instrument: str, rng: np.random.Generator) -> Part:
    """Choose a part: often one that is the instrument's own or a kin's, else any that has a pitch."""
    parts = [part for part in score.parts if part.instrument not in UNPITCHED and len(part.notes) >= _FEWEST]
    liked = [part for part in parts if part.instrument in _SOUNDS[instrument][2]]
    pool = liked if liked and rng.uniform() < _OWN else parts
    if not pool:
        raise IctusError(f"has no part of {_FEWEST} notes or more")
    return pool[int(rng.integers(len(pool)))]


def _playable(line: list[Note], timing: Timing) -> list[Note]:
    """Leave out what is shorter than a player can play: grace notes, rolled chords."""
    onsets = timing.seconds_at(np.array([note.onset for note in line]))
    ends = timing.seconds_at(np.array([note.onset + note.length for note in line]))
    lasting = np.minimum(ends, np.append(onsets[1:], np.inf)) - onsets
    return [note for note, seconds in zip(line, lasting.tolist(), strict=True) if seconds > _SHORTEST]


def _top(notes: tuple[Note, ...]) -> list[Note]:
    """Return the highest voice: of notes together the highest, and none below one that goes on for long."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.onset, -note.pitch)):
        if line:
            last = line[-1]
            left = last.onset + last.length - note.onset
            if note.onset - last.onset < 1e-3 or (left > 0.25 * last.length and note.pitch < last.pitch):
                continue
            if left > 1e-6:
                line[-1] = replace(last, length=note.onset - last.onset)
        line.append(note)
    return line


def _within(pitches: IntArray, limits: tuple[int, int]) -> IntArray:
    """Return pitches in a range: all moved by the octaves that leave fewest outside, those folded by octaves."""
    lowest, highest = limits
    octaves = np.arange(-6, 7) * 12
    moved = pitches[:, None] + octaves
    outside = ((moved < lowest) | (moved > highest)).sum(0)
    middle = np.abs(moved.mean(0) - (0.55 * lowest + 0.45 * highest))
    best = pitches + octaves[np.lexsort((middle, outside))[0]]
    best = best + 12 * np.maximum(0, -(-(lowest - best) // 12))
    return np.asarray(best - 12 * np.maximum(0, -(-(best - highest) // 12)))


def _bound(
    marks: list[str], lasting: Float64Array, room: Float64Array, pitches: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Return (N,) whether each note is slurred to the one before: as written, or else as a player may like it."""
    joined = np.append(False, (room - lasting)[:-1] < 0.02) & np.append(False, np.diff(pitches) != 0)
    before = np.array(["", *marks[:-1]])
    written = np.array(["~" in mark for mark in before])
    if written.any():
        return np.asarray(joined & written)
    # Nothing is marked: quick notes go in groups, others now and then in pairs, as this player pleases.
    liking = rng.uniform(0.0, 0.8)
    groups = np.cumsum(rng.uniform(size=len(marks)) > np.where(lasting < 0.3, 0.75, 0.35))
    pleased = rng.uniform(size=groups[-1] + 1)[groups] < liking
    plain = np.array([not set(mark) & {"'", ">"} for mark in marks])
    return np.asarray(joined & pleased & plain & np.append(False, np.diff(groups) == 0))


def _without_long_rests(onsets: Float64Array, lasting: Float64Array) -> Float64Array:
    rests = onsets[1:] - (onsets + lasting)[:-1]
    cut = np.cumsum(np.append(0.0, np.maximum(rests - _LONGEST_REST, 0.0)))
    return np.asarray(onsets - cut)


def excerpt_of(solo: Solo, seconds: float, rng: np.random.Generator) -> tuple[Solo, float]:
    """Return a passage of a solo that begins shortly before an attack, and its second in the solo.

    Raises
    ------
    IctusError
        If the solo is shorter.
    """
    attacks = solo.onsets[solo.attacks]
    last = solo.duration - seconds
    attacks = attacks[attacks <= max(last, attacks[0]) + 0.5]
    if last < 0:
        raise IctusError(f"lasts {solo.duration:.1f} seconds, not {seconds:.1f}")
    starts = np.maximum(rng.choice(attacks, 2) - rng.uniform(0.15, 0.7), 0.0)
    counts = [((solo.onsets >= start) & (solo.onsets < start + seconds)).sum() for start in starts]
    start = float(starts[int(np.argmax(counts))])  # the busier of two
    here = (solo.onsets >= start) & (solo.onsets < start + seconds - 0.1)
    notes = solo.notes[here] - np.array([start, 0, 0, 0])
    notes[:, 1] = np.minimum(notes[:, 1], seconds - notes[:, 0])
    slurred = np.asarray(solo.slurred)[here]
    return Solo(notes, seconds, slurred), start


def render_solo(solo: Solo, instrument: str, font: Path | None, rng: np.random.Generator) -> Audio:
    """Return the sound of a solo, (1, n) at 22,050 Hz, as long as the solo.

    Parameters
    ----------
    font : a SoundFont; None for the package's own synthesizer.
    """
    name, program, _ = _SOUNDS[instrument]
    # A quarter is a second, and nothing is left to the players' chance: the sound is what the notes say.
    seconds = np.array([0.0, solo.duration])
    notes = tuple(Note(onset, length, int(pitch), "~") for onset, length, pitch, _ in solo.notes.tolist())
    dynamics = np.stack([solo.onsets, solo.loudness], axis=1)
    steps = np.stack([solo.ends - 1e-3, solo.loudness], axis=1)  # a note keeps its loudness
    curve = np.concatenate([dynamics, steps])
    curve = curve[np.argsort(curve[:, 0], kind="stable")]
    part = Part(instrument, name, notes, dynamics=curve, program=program)
    score = Score(instrument, np.array([[0.0, 60.0]]), np.array([[0.0, 0.5]]), (part,), np.zeros((0, 4)))
    conditions = replace(RecordingConditions.draw(rng), looseness=0.0)
    audio = render_performance(
        score,
        part_renderer(font, RATE),
        rate=RATE,
        seed=int(rng.integers(2**31)),
        timing=Timing(seconds, seconds),
        span=(0.0, solo.duration),
        conditions=conditions,
    ).mono()
    return Audio(audio.samples * np.float32(10 ** (rng.uniform(-12, 0) / 20)), RATE)
