"""Repeats: in which order the bars of a score are played, and the score written out so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ictus.scores.score import Note, Part, Score
from ictus.types import Float64Array


@dataclass
class NavigationMarks:
    """What the bar lines and headings of one bar say about where to go."""

    forward: bool = False
    backward: int = 0  # how often the passage is played in all; 0 where there is no sign
    endings: frozenset[int] = frozenset()
    segno: str | None = None
    coda: str | None = None
    to_coda: str | None = None
    fine: bool = False
    da_capo: bool = False
    dal_segno: str | None = None


def playing_order(bars: Sequence[NavigationMarks]) -> list[int]:
    """Return the numbers of the bars (from 0) as they are played.

    Repeats are taken, but not after a da capo or dal segno, which is taken once and leads to the last endings, the
    fine and the coda.
    """
    order: list[int] = []
    start, turn, jumped, k = 0, 1, False, 0
    while k < len(bars):
        bar = bars[k]
        if bar.forward and k != start:
            start, turn = k, 1
        if k and bars[k - 1].endings and not bar.endings and k > start:
            start, turn = k, 1  # the last ending is over
        if bar.endings and (turn not in bar.endings if not jumped else not _last_ending(bars, k)):
            k += 1
            continue
        order.append(k)
        if len(order) > 64 * len(bars):
            return list(range(len(bars)))  # signs that lead round in circles are not obeyed
        if jumped and bar.fine:
            break
        if not jumped and turn < bar.backward:
            turn, k = turn + 1, start
        elif not jumped and (bar.da_capo or bar.dal_segno) and (goal := _segno(bars, bar)) is not None:
            jumped, start, turn, k = True, goal, 1, goal
        elif jumped and bar.to_coda and (goal := _find(bars, "coda", bar.to_coda)) is not None:
            k = goal
        else:
            start, turn = (k + 1, 1) if bar.backward and not bar.endings else (start, turn)
            k += 1
    return order


def _last_ending(bars: Sequence[NavigationMarks], k: int) -> bool:
    """Whether no other ending follows this bar's."""
    rest = k
    while rest < len(bars) and bars[rest].endings == bars[k].endings:
        rest += 1
    return rest == len(bars) or not bars[rest].endings


def _segno(bars: Sequence[NavigationMarks], bar: NavigationMarks) -> int | None:
    return 0 if bar.da_capo else _find(bars, "segno", bar.dal_segno)


def _find(bars: Sequence[NavigationMarks], sign: str, label: str | None) -> int | None:
    return next((k for k, bar in enumerate(bars) if getattr(bar, sign) == label), None)


def unfold(score: Score, starts: Float64Array, order: Sequence[int]) -> Score:
    """Write a score out in playing order.

    Parameters
    ----------
    score : as written, each bar once.
    starts : (bars + 1,) quarter at which each bar begins, and the last one ends.
    order : see `playing_order`.
    """
    runs: list[tuple[float, float]] = []  # stretches of written quarters, played one after the other
    for k in order:
        if runs and runs[-1][1] == starts[k]:
            runs[-1] = (runs[-1][0], float(starts[k + 1]))
        else:
            runs.append((float(starts[k]), float(starts[k + 1])))
    shifts = np.cumsum([0.0, *[end - begin for begin, end in runs]])[:-1] - [begin for begin, _ in runs]

    def times(table: Float64Array, columns: int) -> Float64Array:
        """Repeat rows by their quarter, shifted in their first `columns`."""
        parts = []
        for (begin, end), shift in zip(runs, shifts, strict=True):
            rows = table[(table[:, 0] >= begin - 1e-6) & (table[:, 0] < end - 1e-6)].copy()
            rows[:, :columns] += shift
            parts.append(rows)
        return np.concatenate(parts)

    def curve(corners: Float64Array) -> Float64Array:
        parts = []
        for (begin, end), shift in zip(runs, shifts, strict=True):
            inside = corners[(corners[:, 0] > begin + 1e-3) & (corners[:, 0] < end - 2e-3)]
            edges = np.array([begin, end - 1e-3])
            ends = np.stack([edges, np.interp(edges, corners[:, 0], corners[:, 1])], axis=1)
            parts.append(np.concatenate([ends[:1], inside, ends[1:]]) + np.array([shift, 0.0]))
        return np.concatenate(parts)

    def notes(part: Part) -> tuple[Note, ...]:
        written = sorted(part.notes, key=lambda note: note.onset)
        onsets = np.array([note.onset for note in written])
        played: list[Note] = []
        for (begin, end), shift in zip(runs, shifts.tolist(), strict=True):
            first, last = np.searchsorted(onsets, [begin - 1e-6, end - 1e-6])
            played += [Note(n.onset + shift, n.length, n.pitch, n.mark) for n in written[first:last]]
        return tuple(played)

    parts = tuple(
        replace(part, notes=notes(part), dynamics=None if part.dynamics is None else curve(part.dynamics))
        for part in score.parts
    )
    seams = np.array([begin + shift for (begin, _), shift in zip(runs, shifts, strict=True)])
    sections = np.unique(np.concatenate([times(score.sections[:, None], 1)[:, 0], seams]).round(6))
    return replace(
        score,
        tempo=curve(score.tempo),
        dynamics=curve(score.dynamics),
        parts=parts,
        beats=times(score.beats, 1),
        fermatas=times(score.fermatas, 2),
        sections=sections,
    )
