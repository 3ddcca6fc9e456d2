"""Tempo: when each place in a score is reached: as written, as an orchestra once played it, or as one might."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from ictus.arrays import archive
from ictus.errors import IctusError
from ictus.scores.score import Score
from ictus.types import BoolArray, Float64Array

_GRID = 8  # corners in a quarter
_AVERAGED = 7.0  # seconds of a recording whose tempo is taken together: no less is true of an automatic alignment


@dataclass(frozen=True)
class Timing:
    """One performance's way through a score: straight lines between corners.

    Attributes
    ----------
    quarters, seconds : (K,) corners, both increasing.
    source : where it comes from, in words.
    """

    quarters: Float64Array
    seconds: Float64Array
    source: str = "as written"

    def seconds_at(self, quarters: Float64Array) -> Float64Array:
        """Return the seconds at which places in the score are reached; beyond its ends it goes on at its pace."""
        return _along(self.quarters, self.seconds, quarters)

    def quarters_at(self, seconds: Float64Array) -> Float64Array:
        """Return the places in the score, in quarters, that are reached at given times."""
        return _along(self.seconds, self.quarters, seconds)


def _along(xs: Float64Array, ys: Float64Array, at: Float64Array) -> Float64Array:
    inside = np.interp(at, xs, ys)
    before, after = (ys[1] - ys[0]) / (xs[1] - xs[0]), (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
    return np.asarray(inside + np.minimum(at - xs[0], 0) * before + np.maximum(at - xs[-1], 0) * after)


def written(score: Score) -> Timing:
    """Return the timing of the score's own tempo marks."""
    grid = _grid(score)
    return Timing(grid, score.seconds(grid))


def held(score: Score) -> Timing:
    """Return the timing of the score's own tempo marks, with its fermatas held: at least twice as long as written."""
    timing = written(score)
    steps = np.diff(timing.seconds)
    for start, end in score.fermatas:
        inside = (timing.quarters[:-1] >= start - 1e-6) & (timing.quarters[:-1] < end - 1e-6)
        steps[inside] *= 1 + max(1.0, 1.5 / max(end - start, 0.5))
    seconds = timing.seconds[0] + np.concatenate([[0.0], np.cumsum(steps)])
    return Timing(timing.quarters, seconds, "as written, with holds")


def recorded(score: Score, alignment: str | os.PathLike[str], recording: int) -> Timing:
    """Return the timing of a real performance, from an alignment of its recording to the score.

    Its tempo is averaged over several bars (7 s or more), because an automatic alignment runs along the nominal tempo
    and catches up in steps; holds stay where they are. What is finer is `humanised`'s to add.

    Parameters
    ----------
    alignment : .npz with `score_qstamp` (written quarters), `qstamp` (played quarters, holds lengthened) and
        `tstamps` (M, recordings) in seconds.
    recording : which of its columns.

    Raises
    ------
    IctusError
        If the file is no such alignment, or one of another score.
    """
    with archive(alignment) as arrays:
        place, lengthened = (arrays.numbers(name, 1).astype(float) for name in ("score_qstamp", "qstamp"))
        columns = arrays.numbers("tstamps", 2)
        if not len(place) == len(lengthened) == len(columns) >= 2 or not 0 <= recording < columns.shape[1]:
            raise IctusError(f"is no alignment of a recording {recording} to a score")
        seconds = columns[:, recording].astype(float)
        if not np.isfinite([place, lengthened, seconds]).all():
            raise IctusError("is no alignment: it holds numbers that are not finite")
        return _followed(score, place, lengthened, seconds, f"recording {recording} of {Path(alignment).name}")


def _followed(
    score: Score, place: Float64Array, lengthened: Float64Array, seconds: Float64Array, source: str
) -> Timing:
    """Return the timing of a score whose written and played quarters lie at some seconds."""
    # A step that is longer than what is written, without a jump, is a hold.
    walked, counted = np.diff(place), np.diff(lengthened)
    hold = (walked > 0) & (walked < counted - 1e-3)
    played = lengthened[0] + np.concatenate([[0.0], np.cumsum(np.where(hold, walked, counted))])
    if abs(played[-1] - score.length) > 16:
        raise IctusError(f"ends at quarter {played[-1]:g}, the score at {score.length:g}; not of this score")
    held = np.flatnonzero(hold)
    knots = _knots(score, played, seconds, np.concatenate([played[held], played[held + 1]]))
    times = np.maximum.accumulate(np.interp(knots, played, seconds))
    pace = _plausible(np.diff(times) / np.diff(knots), np.isin(knots[:-1], played[held]))
    smooth = PchipInterpolator(knots, np.concatenate([[0.0], np.cumsum(pace * np.diff(knots))]))
    grid = _grid(score)
    inside = np.clip(grid, knots[0], knots[-1])
    ends = np.minimum(grid - knots[0], 0) * pace[0] + np.maximum(grid - knots[-1], 0) * pace[-1]
    elapsed = smooth(inside) + ends
    return Timing(grid, elapsed - elapsed[0], source)


def _knots(score: Score, played: Float64Array, seconds: Float64Array, edges: Float64Array) -> Float64Array:
    """Choose the bar lines, some seconds apart, between which a recording's tempo is taken as one."""
    bars = score.beats[score.beats[:, 1] == 1, 0]
    bars = bars[(bars >= played[0]) & (bars < played[-1])]
    times = np.interp(bars, played, seconds)
    chosen = [float(played[0])]
    last, end = float(seconds[0]), float(seconds[-1])
    new = np.isin(bars.round(3), score.sections.round(3))  # where the tempo may change at once
    for bar, time, needed in zip(bars.tolist(), times.tolist(), np.where(new, 2.0, _AVERAGED).tolist(), strict=True):
        if time - last >= needed and end - time >= _AVERAGED / 2 and np.abs(edges - bar).min(initial=9.0) > 3:
            chosen.append(bar)
            last = time
    return np.unique(np.round([*chosen, *edges, float(played[-1])], 6))


def _plausible(pace: Float64Array, held: BoolArray) -> Float64Array:
    """Keep seconds a quarter near those of the stretches around them; a hold may last four times as long."""
    steady = ndimage.median_filter(np.maximum(pace, 1e-3), 7, mode="nearest")
    return np.clip(pace, steady / 1.6, steady * np.where(held, 4.0, 1.6))


def imagined(score: Score, rng: np.random.Generator) -> Timing:
    """Return a timing as a musician might take the score.

    Its own tempo overall; phrases of two, four or eight bars that press on and relax; ritardandi before something new
    and at the end; a little faster where it is loud; a slow drift; and fermatas held.
    """
    grid = _grid(score)
    pace = 60 / np.interp(grid, score.tempo[:, 0], score.tempo[:, 1])
    temper = float(rng.lognormal(0, 0.5))  # a strict evening or a romantic one
    change = rng.normal(0, 0.08) - 0.08 * (score.loudness(grid) - 0.5)
    change += temper * (_arches(score, grid, rng) + _endings(score, grid, rng) + _drift(len(grid), rng))
    pace *= np.exp(np.clip(change, -0.5, 0.9))
    for start, end in score.fermatas:
        holding = (grid >= start - 1e-6) & (grid < end - 1e-6)
        pace[holding] *= 1 + rng.uniform(0.5, 1.2) * max(1.0, 1.5 / max(end - start, 0.5))
    elapsed = np.concatenate([[0.0], np.cumsum(pace[:-1]) / _GRID])
    return Timing(grid, elapsed, "imagined")


def _grid(score: Score) -> Float64Array:
    return np.arange(0, np.ceil(score.length) * _GRID + _GRID + 1) / _GRID


def _arches(score: Score, grid: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Phrases: slower towards both ends, faster in the middle; about zero on average."""
    bars = score.beats[score.beats[:, 1] == 1, 0]
    change = np.zeros(len(grid))
    if len(bars) < 2:
        return change
    first, new = 0, set(np.searchsorted(bars, score.sections - 1e-6).tolist())
    while first < len(bars) - 1:
        wanted = first + int(rng.choice([2, 4, 8], p=[0.2, 0.6, 0.2]))
        last = next((k for k in range(first + 1, min(wanted, len(bars) - 1)) if k in new), min(wanted, len(bars) - 1))
        phase = (grid - bars[first]) / (bars[last] - bars[first])
        inside = (phase >= 0) & (phase < 1)
        change[inside] += rng.uniform(0.01, 0.08) * ((2 * phase[inside] - 1) ** 2 - 1 / 3)
        first = last
    return change


def _endings(score: Score, grid: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Ritardandi over the last quarters before a new section, mostly small, and at the very end."""
    change = np.zeros(len(grid))
    for end in [*score.sections[1:], score.length]:
        final = end == score.length
        if not final and rng.uniform() < 0.5:
            continue
        length = rng.uniform(3, 10)
        phase = np.clip((grid - (end - length)) / length, 0, 1) * (grid < end + (1 if final else 0))
        change += phase**2 * (rng.uniform(0.15, 0.5) if final else rng.exponential(0.10))
    return change


def _drift(count: int, rng: np.random.Generator) -> Float64Array:
    """Slow wandering of 2 %, over some eight quarters."""
    width = 8.0 * _GRID
    noise = ndimage.gaussian_filter1d(rng.normal(0, 1, count), width, mode="wrap")
    return np.asarray(0.02 * noise * np.sqrt(2 * np.sqrt(np.pi) * width))


def humanised(
    timing: Timing, score: Score, rng: np.random.Generator, scale: float = 1.0, rubato: float = 0.02
) -> Timing:
    """Return a timing with what people add from beat to beat: some correlated change, and 6 ms of none.

    Parameters
    ----------
    scale : how much longer everything takes.
    rubato : standard deviation of the correlated change of the beats' lengths, in parts of them.
    """
    beats = timing.seconds_at(score.beats[:, 0])
    if len(beats) < 3:
        return replace(timing, seconds=timing.seconds * scale)
    steps = np.diff(beats)
    swing = rng.normal(0, 1, len(steps))
    for k in range(1, len(swing)):
        swing[k] = 0.7 * swing[k - 1] + np.sqrt(1 - 0.7**2) * swing[k]
    moved = beats[0] + np.concatenate([[0.0], np.cumsum(steps * np.exp(rubato * swing))])
    nearest = np.minimum(np.append(steps, steps[-1]), np.append(steps[0], steps))
    moved += np.clip(rng.normal(0, 0.006, len(beats)), -0.2 * nearest, 0.2 * nearest)
    warped = _along(beats, moved, timing.seconds)
    return replace(timing, seconds=(warped - warped[0]) * scale)
