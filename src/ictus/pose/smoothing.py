"""The One-Euro filter: calm where a point rests, quick where it moves; as it comes, or offline without delay.

Source: Casiez, Roussel & Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012.
"""

from dataclasses import dataclass
from math import pi

import numpy as np

from ictus.types import Float64Array, FloatArray


@dataclass(frozen=True)
class Smoothness:
    """How a point is smoothed.

    Attributes
    ----------
    cutoff : hertz, of what does not move.
    slope : hertz by which the cutoff rises for a speed of one size a second.
    speed_cutoff : hertz, of the speed itself.
    """

    cutoff: float
    slope: float
    speed_cutoff: float = 1.0


class OneEuro:
    """The filter as it comes: point by point, each with its time; it lags behind what moves."""

    def __init__(self, how: Smoothness) -> None:
        self.how = how
        self._time = 0.0
        self._given: Float64Array | None = None
        self._smooth: Float64Array = np.zeros(())
        self._speed: Float64Array = np.zeros(())

    def forget(self) -> None:
        """Begin anew."""
        self._given = None

    def __call__(self, points: FloatArray, time: float, size: float) -> Float64Array:
        """Return points of whatever shape, smoothed.

        Parameters
        ----------
        time : seconds, of one call after that of the other.
        size : of the body that they are of, in their unit.
        """
        given: Float64Array = np.asarray(points, np.float64)
        rate = 1 / max(time - self._time, 1e-3)
        self._time = time
        if self._given is None:
            self._given = self._smooth = given
            self._speed = np.zeros_like(given)
            return given
        speed = (given - self._given) * rate / max(size, 1e-9)
        self._speed = self._speed + share(self.how.speed_cutoff, rate) * (speed - self._speed)
        shares = share(self.how.cutoff + self.how.slope * np.abs(self._speed), rate)
        self._smooth = self._smooth + shares * (given - self._smooth)
        self._given = given
        return np.asarray(self._smooth)


def smoothed(points: FloatArray, fps: float, size: FloatArray, how: Smoothness) -> Float64Array:
    """Smooth points over time without delay: the same filter, run to both sides.

    Its cutoff follows the speed about a frame, before as after. Run backwards in time, all comes out the same.

    Parameters
    ----------
    points : (T, J, D).
    size : (T,) of the body that they are of, in their unit.
    """
    given: Float64Array = np.asarray(points, np.float64)
    if len(given) < 3:
        return given
    speed = np.gradient(given, axis=0) * fps / np.maximum(size, 1e-9)[:, None, None]
    speed = _both_ways(speed, np.full((len(given), 1, 1), share(how.speed_cutoff, fps)))
    cutoff = how.cutoff + how.slope * np.linalg.norm(speed, axis=-1, keepdims=True)  # (T, J, 1)
    return _both_ways(given, share(cutoff, fps))


def share(cutoff: float | FloatArray, rate: float) -> FloatArray:
    """Return how much of a new value a low-pass filter of a cutoff takes, at `rate` values a second."""
    return np.asarray(1 / (1 + rate / (2 * pi * np.asarray(cutoff))))


def _both_ways(values: Float64Array, shares: FloatArray) -> Float64Array:
    there = _forwards(_forwards(values, shares)[::-1], shares[::-1])[::-1]
    back = _forwards(_forwards(values[::-1], shares[::-1])[::-1], shares)
    return np.asarray((there + back) / 2)


def _forwards(values: Float64Array, shares: FloatArray) -> Float64Array:
    smooth = np.empty_like(values)
    last = values[0]
    for frame, (value, part) in enumerate(zip(values, shares, strict=True)):
        last = last + part * (value - last)
        smooth[frame] = last
    return smooth
