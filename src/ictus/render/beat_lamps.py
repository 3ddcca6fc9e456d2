"""The beats of the bar, as a row of lamps: one lit at each beat and dying down after it."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.motion import Motion
from ictus.render.shapes import SHIFT, Rectangle
from ictus.render.theme import Colour, Image, Theme, mix
from ictus.types import Float64Array

_DECAY = 0.22  # seconds until a lamp has lost two thirds of its light


@dataclass(frozen=True)
class Lamps:
    """A row of lamps around `centre`.

    Attributes
    ----------
    times : (B,) seconds of the beats.
    positions : (B,) each beat's number in its bar, from 1.
    counts : (B,) how many lamps its bar has.
    """

    times: Float64Array
    positions: NDArray[np.intp]
    counts: NDArray[np.intp]
    centre: tuple[float, float]
    radius: float
    theme: Theme

    @classmethod
    def of(cls, motion: Motion, centre: tuple[float, float], radius: float, theme: Theme) -> "Lamps | None":
        """Return the lamps for `motion.meta["beats"]` = {"times": [...], "positions": [...]}, or None without beats."""
        beats: Any = motion.meta.get("beats")
        if not isinstance(beats, dict) or not beats.get("times"):
            return None
        times = np.asarray(beats["times"], np.float64)
        positions = np.asarray(beats.get("positions") or np.ones(len(times)), np.intp)[: len(times)]
        times = times[: len(positions)]
        return cls(times, positions, _bar_lengths(positions), centre, radius, theme)

    def light(self, seconds: float) -> tuple[int, int, float]:
        """Return the lamp that shines (0 before the first beat), how many there are, and its light in [0, 1]."""
        beat = int(np.searchsorted(self.times, seconds + 1e-6, side="right")) - 1
        if beat < 0:
            return 0, int(self.counts[0]), 0.0
        age = seconds - float(self.times[beat])
        return int(self.positions[beat]), int(self.counts[beat]), math.exp(-max(age, 0.0) / _DECAY)

    def paint(self, canvas: Image, seconds: float) -> Rectangle:
        """Paint the lamps as they are at this time; return the rectangle that they touch."""
        shining, count, light = self.light(seconds)
        gap = 3.6 * self.radius
        left = self.centre[0] - gap * (count - 1) / 2
        for lamp in range(1, count + 1):
            share = light if lamp == shining else 0.0
            colour = self._idle if share < 0.02 else mix(self._idle, self._lit[lamp > 1], share)
            at = (round((left + gap * (lamp - 1)) * (1 << SHIFT)), round(self.centre[1] * (1 << SHIFT)))
            radius = round(self.radius * (0.7 + 0.5 * share) * (1 << SHIFT))
            cv2.circle(canvas, at, radius, colour, -1, cv2.LINE_AA, SHIFT)
        (x, y), reach = self.centre, gap * (count + 1) / 2
        return int(x - reach), int(y - gap), int(x + reach) + 1, int(y + gap) + 1

    @cached_property
    def _idle(self) -> Colour:
        return mix(self.theme.edge, self.theme.faint, 0.45)

    @cached_property
    def _lit(self) -> tuple[Colour, Colour]:
        """The colour of the first lamp of the bar and that of the others."""
        return self.theme.right, self.theme.text


def _bar_lengths(positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many beats each beat's bar has; a bar that the music begins or ends in takes its neighbour's."""
    starts = np.flatnonzero(positions == 1)
    bars = np.split(positions, starts)
    lengths = [int(bar.max()) if len(bar) else 1 for bar in bars]
    if len(lengths) > 2:
        lengths[0] = max(lengths[0], lengths[1])
        lengths[-1] = max(lengths[-1], lengths[-2])
    return np.repeat(lengths, [len(bar) for bar in bars])
