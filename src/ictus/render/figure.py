"""Figures: a motion's joints, turned into the shapes that the painter fills."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ictus.render.shapes import fixed
from ictus.render.theme import Colour
from ictus.types import FloatArray


@dataclass(frozen=True)
class Shape:
    """A filled polygon in each of T frames: points (T, N, 2) in fixed-point pixels, and T colours."""

    points: NDArray[np.int32]
    colours: Sequence[Colour]


Layer = list[Shape]


@dataclass(frozen=True)
class Trail:
    """A point that leaves light behind: its track (T, 2) in pixels."""

    track: FloatArray
    colour: Colour


@dataclass(frozen=True)
class Pose:
    """A figure over a stretch of T frames.

    Attributes
    ----------
    body : what lies behind the trails of light.
    limbs : what lies before them, each a layer of its own.
    order : (T, len(limbs)) the numbers of `limbs`, the farthest first.
    """

    body: Layer
    limbs: list[Layer]
    order: NDArray[np.intp]


class Figure(Protocol):
    """A body that can be painted.

    Attributes
    ----------
    unit : the width of the shoulders, or what stands for it, in pixels.
    hem : the row at which the body has faded into the stage; None if it stands on its own feet.
    trails : the points that leave light behind.
    """

    unit: float
    hem: float | None
    trails: list[Trail]

    def pose(self, start: int, stop: int) -> Pose:
        """Return the shapes of frames `start` to `stop`."""
        ...


def shape(polygon: FloatArray, colour: Colour | list[Colour]) -> Shape:
    """Return a polygon (T, N, 2) in pixels, of one colour or of a colour for each frame, as a shape."""
    return Shape(fixed(polygon), colour if isinstance(colour, list) else [colour] * len(polygon))


def shaded(dark: Colour, light: Colour, share: FloatArray) -> list[Colour]:
    """Return T colours between two, for T shares in [0, 1]."""
    start, end = np.asarray(dark), np.asarray(light)
    mixed = np.rint(start + np.clip(share, 0, 1)[:, None] * (end - start)).astype(int)
    return [(blue, green, red) for blue, green, red in mixed.tolist()]
