"""The beats of the bar, as a row of lamps: one lit at each beat and dying down after it."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.motion import Motion
from ictus.stage.backdrop import Image, Theme, mix
from ictus.stage.shapes import SHIFT

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

    times: NDArray[np.float64]
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

    def paint(self, canvas: Image, seconds: float) -> None:
        """Paint the lamps as they are at this time."""
        lit, count, light = self.light(seconds)
        theme, gap = self.theme, 3.6 * self.radius
        x, y = self.centre[0] - gap * (count - 1) / 2, self.centre[1]
        idle = mix(theme.edge, theme.faint, 0.45)
        for lamp in range(1, count + 1):
            share = light if lamp == lit else 0.0
            colour = mix(idle, theme.right if lamp == 1 else theme.text, share)
            radius = self.radius * (0.7 + 0.5 * share)
            at = (round((x + gap * (lamp - 1)) * (1 << SHIFT)), round(y * (1 << SHIFT)))
            cv2.circle(canvas, at, round(radius * (1 << SHIFT)), colour, -1, cv2.LINE_AA, SHIFT)


def _bar_lengths(positions: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return how many beats each beat's bar has; a bar that the music begins or ends in takes its neighbour's."""
    starts = np.flatnonzero(positions == 1)
    bars = np.split(positions, starts)
    lengths = [int(bar.max()) if len(bar) else 1 for bar in bars]
    if len(lengths) > 2:
        lengths[0] = max(lengths[0], lengths[1])
        lengths[-1] = max(lengths[-1], lengths[-2])
    return np.repeat(lengths, [len(bar) for bar in bars])
