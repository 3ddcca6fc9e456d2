"""Bars, as the positions of beats show them."""

from typing import Protocol

import numpy as np

from ictus.types import BoolArray, Float64Array, IntArray

_LONGEST = 16  # beats of a bar; a longer one is no metre, but music without bar lines
GROUPINGS = {5: ((3, 2), (2, 3)), 7: ((2, 2, 3), (3, 2, 2), (2, 3, 2))}  # of bars that are uneven; the usual one first


class BeatValues(Protocol):
    """What `Beats` holds, as far as files and bars need it."""

    @property
    def times(self) -> Float64Array:
        """(N,) seconds."""

    @property
    def positions(self) -> IntArray:
        """(N,) places in the bar."""

    @property
    def meters(self) -> IntArray:
        """(N,) beats in the bar of each."""

    @property
    def duration(self) -> float:
        """Seconds of the music."""

    def __len__(self) -> int: ...


def bar_numbers(positions: IntArray) -> IntArray:
    """Return the number of each beat's bar, (N,) from 0: a bar begins where the positions go back, or to 1."""
    begins = (positions == 1) | (np.diff(positions, prepend=0) < 0)
    begins[:1] = False
    return np.cumsum(begins)


def meters_of(positions: IntArray) -> IntArray:
    """Return the metre of each beat, (N,), as far as positions in the bar, (N,), show it: the last one of each bar."""
    if not len(positions):
        return np.zeros(0, np.int64)
    bars = bar_numbers(positions)
    meters = np.zeros(bars[-1] + 1, np.int64)
    np.maximum.at(meters, bars, positions)
    if len(meters) > 1:  # the last bar may have been cut short
        meters[-1] = max(meters[-1], meters[-2])
    return meters[bars]


def positions_from(downbeats: BoolArray, meter: int) -> IntArray:
    """Return the positions in the bar, (N,), counted from each of the downbeats, (N,).

    Parameters
    ----------
    meter : beats of a bar of which the beats before the first downbeat are the last.
    """
    places = np.arange(len(downbeats))
    upbeats = int(downbeats.argmax()) if downbeats.any() else len(downbeats)
    positions = places - np.maximum.accumulate(np.where(downbeats, places, 0)) + 1
    positions[:upbeats] += max(0, meter - upbeats)
    return np.asarray(positions)


def accented_groups(meter: int, positions: IntArray, accents: Float64Array) -> tuple[int, ...]:
    """Return the groups of an uneven metre whose first beats are accented most; one group of any other metre.

    Parameters
    ----------
    positions, accents : (N,) of the beats of some bars of it.
    """

    def stands_out(groups: tuple[int, ...]) -> float:
        heads = np.isin(positions - 1, np.cumsum(groups)[:-1])
        others = ~heads & (positions > 1)
        return float(accents[heads].mean() - accents[others].mean()) if heads.any() and others.any() else 0.0

    return max(GROUPINGS.get(meter, ((meter,),)), key=stands_out)


def gathering(meter: int, positions: IntArray, accents: Float64Array) -> tuple[int, ...] | None:
    """Return the groups of beats of a bar that are one beat each where it is fast, None if there are none.

    Twos, but threes in six, nine and twelve; of other uneven bars the last group is a three.
    """
    if meter in GROUPINGS:
        return accented_groups(meter, positions, accents)
    if not 2 <= meter <= _LONGEST:
        return None
    if meter % 3 == 0:
        return (3,) * (meter // 3)
    return (2,) * (meter // 2) if meter % 2 == 0 else (*(2,) * (meter // 2 - 1), 3)
