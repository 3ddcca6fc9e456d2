"""Shapes for whole stretches of film at once: polygons (T, N, 2) in pixels, one for each frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ictus.types import FloatArray

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two outside
SHIFT = 4  # bits of sub-pixel precision in the coordinates that OpenCV is given


def fixed(points: FloatArray) -> NDArray[np.int32]:
    """Return pixels as the fixed-point integers that OpenCV draws from."""
    return np.rint(points * (1 << SHIFT)).astype(np.int32, order="C")


def inside(rectangle: Rectangle) -> tuple[slice, slice]:
    """Return the part of a picture's rows and columns that a rectangle covers."""
    left, top, right, bottom = rectangle
    return slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))


def around(one: Rectangle, other: Rectangle) -> Rectangle:
    """Return the rectangle around two others."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


@dataclass(frozen=True)
class Bounds:
    """What a drawing touches in each of T frames: corners low and high, (T, 2) in pixels."""

    low: NDArray[np.int32]
    high: NDArray[np.int32]

    @classmethod
    def of(cls, points: FloatArray, room: FloatArray | float = 0.0) -> "Bounds":
        """Return the bounds of points (T, N, 2) in pixels with so much room (T, N, 1) around, and for soft edges."""
        low, high = np.floor((points - room).min(1)) - 3, np.ceil((points + room).max(1)) + 4
        return cls(low.astype(np.int32), high.astype(np.int32))

    @classmethod
    def around(cls, several: Sequence["Bounds"]) -> "Bounds":
        """Return the bounds of all that several others bound."""
        return cls(np.min([one.low for one in several], axis=0), np.max([one.high for one in several], axis=0))

    def rectangle(self, frame: int) -> Rectangle:
        """Return one frame's bounds; they may reach out of the picture."""
        left, top = self.low[frame].tolist()
        right, bottom = self.high[frame].tolist()
        return left, top, right, bottom


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors at length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-6)))


def turned(vectors: FloatArray) -> FloatArray:
    """Return vectors (..., 2) turned by a quarter, from right to down."""
    return np.stack([-vectors[..., 1], vectors[..., 0]], axis=-1)


def smoothed(track: FloatArray, frames: float) -> FloatArray:
    """Return a track (T, ...) averaged over about `frames` frames, with a bell-shaped window and steady ends."""
    radius = min(round(frames), len(track) - 1)
    if radius < 1:
        return track
    window = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (frames / 2)) ** 2)
    window /= window.sum()
    padded = np.concatenate([np.repeat(track[:1], radius, 0), track, np.repeat(track[-1:], radius, 0)])
    total = np.zeros_like(track)
    for shift, weight in enumerate(window):
        total += np.float32(weight) * padded[shift : shift + len(track)]
    return total
