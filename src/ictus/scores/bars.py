"""Bars: how long they are, and which beats are counted in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ictus.beats.meter import beat_unit
from ictus.scores.bounds import check_size
from ictus.scores.repeats import NavigationMarks
from ictus.types import Float64Array


@dataclass
class Bar:
    """One bar as written.

    Attributes
    ----------
    time : numerator and denominator of the time signature in force.
    actual : quarters it really holds; less than the signature says in an upbeat or where a repeat divides it.
    upbeat : whether it is marked as incomplete at its beginning.
    double : whether it ends with a double bar or a repeat: something new follows.
    free : whether it has no metre (senza misura): it is as long as what it holds.
    number : as printed.
    """

    time: tuple[int, int] = (4, 4)
    actual: float = 0.0
    upbeat: bool = False
    double: bool = False
    free: bool = False
    number: str = ""
    signs: NavigationMarks = field(default_factory=NavigationMarks)

    @property
    def nominal(self) -> float:
        """Quarters that the time signature asks for."""
        return self.actual if self.free and self.actual else 4 * self.time[0] / self.time[1]

    @property
    def beat(self) -> tuple[float, int]:
        """Quarters of a notated beat, and its parts, as `beat_unit` gives them."""
        return (1.0, 2) if self.free else beat_unit(*self.time)


def movements(bars: Sequence[Bar]) -> list[slice]:
    """Return the movements, as their bars: one begins where the printed numbers begin again.

    A trio whose numbers do so is none: it jumps back to a minuet that holds the fine.
    """
    begins, last = [0], 0
    for k, bar in enumerate(bars):
        if bar.number.isdecimal():
            if int(bar.number) <= 1 < last:
                begins.append(k)
            last = int(bar.number)
    found: list[slice] = []
    for begin, end in pairwise([*begins, len(bars)]):
        signs = [bar.signs for bar in bars[begin:end]]
        before = [bar.signs for bar in bars[found[-1]]] if found else []
        back = any(one.jumps for one in signs) and not any(one.fine or one.to_coda is not None for one in signs)
        if back and any(one.fine for one in before) and not any(one.jumps for one in before):
            begin = found.pop().start
        found.append(slice(begin, end))
    return found


def beats_of(bars: Sequence[Bar]) -> tuple[Float64Array, Float64Array]:
    """Return where the bars begin, (bars + 1,) quarters, and their beats, (B, 4) as in `Score.beats`.

    An incomplete bar is counted from its end if it is an upbeat, or goes on where the incomplete bar before it stopped.

    Raises
    ------
    IctusError
        If there are more bars, quarters or beats than pieces have.
    """
    starts = np.concatenate([[0.0], np.cumsum([bar.actual or bar.nominal for bar in bars])]).round(6)
    check_size(bars=len(bars), quarters=float(starts[-1]))
    rows: list[tuple[float, float, float, float]] = []
    reached = 0.0  # quarters into the nominal bar at which the bar before ended
    for k, bar in enumerate(bars):
        actual, (unit, parts) = float(starts[k + 1] - starts[k]), bar.beat
        short = actual < bar.nominal - 1e-6
        offset = 0.0
        if short and reached and reached + actual < bar.nominal + 1e-6:
            offset = reached
        elif short and (k == 0 or bar.upbeat):
            offset = bar.nominal - actual
        reached = offset + actual if short and offset + actual < bar.nominal - 1e-6 else 0.0
        count = max(1, round(max(bar.nominal, actual) / unit))
        check_size(beats=len(rows) + count)
        for place in range(count):
            quarter = starts[k] + place * unit - offset
            if starts[k] - 1e-6 <= quarter < starts[k + 1] - 1e-6:
                rows.append((round(float(quarter), 6), place + 1, count, parts))
    return starts, np.array(rows).reshape(-1, 4)
