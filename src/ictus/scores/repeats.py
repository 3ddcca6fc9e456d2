"""Repeats: in which order the bars of a score are played, and the score written out so."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

import numpy as np

from ictus.scores.bounds import check_size
from ictus.scores.score import Note, Part, Score
from ictus.types import Float64Array, IntArray

ANY = ""  # the label of a sign that has none: it leads to any other of its kind

_AGAIN = 64  # how often a bar may be played on average: more is a circle


@dataclass
class NavigationMarks:
    """What the bar lines and headings of one bar say about where to go.

    Signs have labels by which they are called, `ANY` where they have none; None where there is no sign.
    """

    forward: bool = False
    backward: int = 0  # how often the passage is played in all; 0 where there is no sign
    endings: frozenset[int] = frozenset()
    segno: str | None = None
    coda: str | None = None
    to_coda: str | None = None
    fine: bool = False
    da_capo: bool = False
    dal_segno: str | None = None

    @property
    def jumps(self) -> bool:
        """Whether it ends with a da capo or dal segno."""
        return self.da_capo or self.dal_segno is not None


def playing_order(bars: Sequence[NavigationMarks]) -> list[int]:
    """Return the numbers of the bars (from 0) as they are played.

    A passage is played as often as the highest number of its endings says. Repeats are taken, but not after a da capo
    or dal segno, which is taken once and leads to the last endings, the fine and the coda.
    """
    endings, segno, coda = _endings(bars), _places(bars, "segno"), _places(bars, "coda")

    @cache
    def highest(first: int, stop: int) -> int:
        return max((number for bar in bars[first:stop] for number in bar.endings), default=0)

    order, straight = list[int](), list(range(len(bars)))
    start, turn, jumped, k = 0, 1, False, 0
    for _ in range(_AGAIN * len(bars)):
        if k >= len(bars):
            return order or straight
        bar, here, before = bars[k], endings[k], endings[k - 1] if k else None
        if (bar.forward and k != start) or (before and before.repeated and not here and k > start):
            start, turn = k, 1  # a passage begins, or the last ending is over
        if here and not here.played(k, bar.endings, None if jumped else turn, turn > highest(start, here.stop)):
            k += 1
            continue
        order.append(k)
        near = here or (endings[k + 1] if k + 1 < len(bars) and not bars[k + 1].forward else None)
        if jumped:
            goal = _goal(coda, bar.to_coda)
            if goal is None and bar.fine:
                return order
            k = k + 1 if goal is None else goal
        elif bar.backward and turn < max(bar.backward, highest(start, near.stop if near else k + 1)):
            turn, k = turn + 1, start
        elif (goal := 0 if bar.da_capo else _goal(segno, bar.dal_segno)) is not None:
            jumped, start, k = True, goal, goal
        else:
            start, turn = (k + 1, 1) if bar.backward and not near else (start, turn)
            k += 1
    return straight  # signs that lead round in circles are not obeyed


@dataclass
class _Endings:
    """Neighbouring bars with endings.

    Attributes
    ----------
    first, stop : the first bar, and the one after the last.
    repeated : whether a repeat ends one of them, or stands just before them.
    used : whether anything leads back from them or from after them; if not, all are played.
    fine : the ending that holds the fine, as the bar that it begins with.
    begins : of each bar, the bar that its ending begins with.
    """

    first: int
    repeated: bool
    used: bool = False
    stop: int = 0
    fine: int | None = None
    begins: dict[int, int] = field(default_factory=dict)

    def played(self, k: int, numbers: frozenset[int], turn: int | None, beyond: bool) -> bool:
        """Whether bar `k` with these numbers is played at this turn, from 1, or after a jump (None).

        The last ending is, or the one with the fine, after a jump; and the last one `beyond` all numbers.
        """
        last = self.begins[self.stop - 1]
        if turn is None and self.used:
            return self.begins[k] == (last if self.fine is None else self.fine)
        return not self.used or turn in numbers or (beyond and self.begins[k] == last > self.first)


def _endings(bars: Sequence[NavigationMarks]) -> list[_Endings | None]:
    """Return the endings that each bar is one of."""
    found: list[_Endings | None] = []
    for k, bar in enumerate(bars):
        here = None
        if bar.endings:
            before = found[-1] if k and not bar.forward else None
            here = before or _Endings(k, k > 0 and not bar.forward and bars[k - 1].backward > 0)
            here.begins[k] = here.begins[k - 1] if before and bars[k - 1].endings == bar.endings else k
            here.stop = k + 1
            here.repeated |= bar.backward > 0
            here.fine = here.begins[k] if bar.fine else here.fine
        found.append(here)
    repeats = jumps = False
    for bar, here in zip(reversed(bars), reversed(found), strict=True):
        repeats, jumps = repeats or bar.backward > 0, jumps or bar.jumps
        if here:
            here.used |= repeats or jumps or here.repeated
        repeats &= not bar.forward
    return found


def _places(bars: Sequence[NavigationMarks], sign: str) -> dict[str, int]:
    """Return the first bar with each label of a sign."""
    labels = [getattr(bar, sign) for bar in bars]
    return {label: k for k, label in reversed(list(enumerate(labels))) if label is not None}


def _goal(places: dict[str, int], label: str | None) -> int | None:
    if label is None or label in places or ANY not in (label, *places):
        return places.get(label) if label is not None else None
    return min(places.values(), default=None)


def unfold(score: Score, starts: Float64Array, order: Sequence[int]) -> Score:
    """Write a score out in playing order.

    Parameters
    ----------
    score : as written, each bar once.
    starts : (bars + 1,) quarter at which each bar begins, and the last one ends.
    order : see `playing_order`.

    Raises
    ------
    IctusError
        If more notes, bars or quarters are played than a piece has.
    """
    bars = np.asarray(order, np.int64)
    begins, ends = starts[bars], starts[bars + 1]
    check_size(bars=len(bars), quarters=float(np.sum(ends - begins)))
    first = np.concatenate([[True], ends[:-1] != begins[1:]])[: len(bars)]  # stretches, played one after the other
    begins, ends = begins[first], ends[np.roll(first, -1)]
    shifts = np.cumsum([0.0, *(ends - begins)])[:-1] - begins

    def rows(
        quarters: Float64Array, after: float, before: float, side: Literal["left", "right"] = "left"
    ) -> tuple[IntArray, IntArray]:
        """Return which rows fall into each stretch, one after the other, and how many fall into each."""
        firsts = np.searchsorted(quarters, begins + after, side)
        counts = np.maximum(np.searchsorted(quarters, ends - before) - firsts, 0)
        return np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts), counts

    def times(table: Float64Array, columns: int) -> Float64Array:
        """Repeat rows by their quarter, shifted in their first `columns`."""
        which, counts = rows(table[:, 0], -1e-6, 1e-6)
        check_size(beats=len(which))
        played = table[which]
        played[:, :columns] += np.repeat(shifts, counts)[:, None]
        return played

    def curve(corners: Float64Array) -> Float64Array:
        """Repeat corners, with others where each stretch begins and just before it ends."""
        which, counts = rows(corners[:, 0], 1e-3, 2e-3, "right")
        edges = np.stack([begins, np.maximum(begins, ends - 1e-3)], axis=1)
        lasts = np.cumsum(counts + 2) - 1
        played = np.empty((len(which) + 2 * len(begins), 2))
        inner = np.ones(len(played), bool)
        inner[lasts], inner[lasts - counts - 1] = False, False
        played[inner] = corners[which]
        for column, at in enumerate((lasts - counts - 1, lasts)):
            played[at, 0], played[at, 1] = edges[:, column], np.interp(edges[:, column], corners[:, 0], corners[:, 1])
        played[:, 0] += np.repeat(shifts, counts + 2)
        return played

    total = 0

    def notes(part: Part) -> tuple[Note, ...]:
        nonlocal total
        written = sorted(part.notes, key=lambda note: note.onset)
        which, counts = rows(np.array([note.onset for note in written]), -1e-6, 1e-6)
        check_size(notes=(total := total + len(which)))
        moved = np.repeat(shifts, counts).tolist()
        again = zip((written[k] for k in which.tolist()), moved, strict=True)
        return tuple(Note(n.onset + shift, n.length, n.pitch, n.mark) if shift else n for n, shift in again)

    parts = tuple(
        replace(part, notes=notes(part), dynamics=None if part.dynamics is None else curve(part.dynamics))
        for part in score.parts
    )
    sections = np.unique(np.concatenate([times(score.sections[:, None], 1)[:, 0], begins + shifts]).round(6))
    return replace(
        score,
        tempo=curve(score.tempo),
        dynamics=curve(score.dynamics),
        parts=parts,
        beats=times(score.beats, 1),
        fermatas=times(score.fermatas, 2),
        sections=sections,
    )
