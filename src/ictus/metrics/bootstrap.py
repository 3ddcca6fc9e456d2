"""Bootstrap: the interval of a value, by drawing the samples again and again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ictus.types import Float64Array

Chosen = NDArray[np.intp]
Interval = tuple[float, float, float]  # value, low, high

_DRAWS = 1000


def interval(
    statistic: Callable[[Chosen], float],
    groups: Chosen,
    *,
    centred: bool = False,
    value: float | None = None,
    least: float | None = None,
) -> Interval:
    """Return a value, and its 95 % interval: over 1000 drawings of as many groups of samples, with repetition.

    Parameters
    ----------
    statistic : the value of the samples with given numbers.
    groups : (N,) the group of each sample: its performance. Windows of one performance are alike, so that drawing
        windows would make the interval too narrow. Where each sample is another performance, each is a group.
    centred : move the drawings so that their mean is the value. A set in which samples come twice is less spread than
        one of as many others would be: its Frechet distance is always larger, its diversity smaller.
    value : of all samples, if the drawings take another way to it.
    least : below which the value cannot be.
    """
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    value = statistic(np.arange(len(groups))) if value is None else value
    drawn = (rng.integers(0, len(members), len(members)) for _ in range(_DRAWS))
    draws = [statistic(np.concatenate([members[k] for k in chosen])) for chosen in drawn]
    low, high = np.percentile(draws, [2.5, 97.5]) + (value - np.mean(draws) if centred else 0)
    return value, float(low if least is None else max(least, low)), float(high)


def mean_of(values: Float64Array, chosen: Chosen) -> float:
    """Return the mean of the chosen ones of (N,)."""
    return float(values[chosen].mean())
