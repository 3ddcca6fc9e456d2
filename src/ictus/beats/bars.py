"""Bars, as the positions of beats show them."""

import numpy as np

from ictus.types import IntArray


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
