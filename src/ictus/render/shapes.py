"""Shapes for whole stretches of film at once: polygons (T, N, 2) in pixels, one for each frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ictus.types import FloatArray

Table = Sequence[tuple[float, float]]
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
    def of(cls, polygons: Sequence[NDArray[np.int32]]) -> "Bounds":
        """Return the bounds of polygons (T, N, 2) in fixed-point pixels, with room for their soft edges."""
        low = np.min([polygon.min(1) for polygon in polygons], axis=0)
        high = np.max([polygon.max(1) for polygon in polygons], axis=0)
        return cls((low >> SHIFT) - 2, (high >> SHIFT) + 3)

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
    """Return vectors (..., 2) at length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-6)))


def turned(vectors: FloatArray) -> FloatArray:
    """Return vectors (..., 2) turned by a quarter, from right to down."""
    return np.stack([-vectors[..., 1], vectors[..., 0]], axis=-1)


@dataclass(frozen=True)
class Frame:
    """A place on the body with its own axes: origin, right and down are (T, 2) in pixels."""

    origin: FloatArray
    right: FloatArray
    down: FloatArray

    def at(self, x: float, y: float) -> FloatArray:
        """Return (T, 2): the point at `x`, `y` of this frame."""
        return np.asarray(self.origin + np.float32(x) * self.right + np.float32(y) * self.down)

    def polygon(self, table: Table) -> FloatArray:
        """Return (T, N, 2): the polygon with these N corners."""
        corners = np.asarray(table, np.float32)
        polygon = self.origin[:, None] + corners[:, :1] * self.right[:, None] + corners[:, 1:] * self.down[:, None]
        return np.asarray(polygon)

    def curve(self, table: Table) -> FloatArray:
        """Return (T, 4 N, 2): a smooth closed curve near these N corners."""
        return rounded(self.polygon(table))

    def ellipse(self, x: float, y: float, width: float, height: float, corners: int = 36) -> FloatArray:
        """Return (T, corners, 2): an ellipse around `x`, `y` with these half-axes."""
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        return self.polygon(np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1).tolist())

    def moved(self, x: FloatArray, y: FloatArray) -> "Frame":
        """Return this frame with its origin moved by (T, 1) of its own axes."""
        return Frame(self.origin + x * self.right + y * self.down, self.right, self.down)


def capsule(start: FloatArray, end: FloatArray, start_radius: float, end_radius: float, corners: int = 8) -> FloatArray:
    """A limb: the hull of two discs. `start`, `end` are (T, 2); returns (T, 2 * corners, 2), always convex."""
    along = end - start
    length = np.linalg.norm(along, axis=-1, keepdims=True)  # (T, 1)
    # The straight sides touch the discs where these lean by the difference of the radii.
    lean = np.arcsin(np.clip((start_radius - end_radius) / np.maximum(length, 1e-6), -1, 1))
    side = np.pi / 2 - lean
    spread = np.linspace(-1, 1, corners, dtype=np.float32)
    heading = np.arctan2(along[:, 1:], along[:, :1])
    front = heading + spread * side  # (T, corners)
    back = heading + np.pi + spread * (np.pi - side)
    around = np.stack([np.cos(front), np.sin(front)], -1) * end_radius + end[:, None]
    behind = np.stack([np.cos(back), np.sin(back)], -1) * start_radius + start[:, None]
    return np.concatenate([around, behind], axis=1).astype(np.float32)


def hull(centres: FloatArray, radii: FloatArray, corners: int = 32) -> FloatArray:
    """The hull of N discs, whose centres are (T, N, 2) and radii (T, N); returns (T, corners, 2), always convex."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False, dtype=np.float32)
    out = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (corners, 2)
    farthest = (centres @ out.T + radii[..., None]).argmax(1)  # (T, corners): the disc that reaches out most
    centre = np.take_along_axis(centres, farthest[..., None], axis=1)
    return np.asarray(centre + np.take_along_axis(radii, farthest, axis=1)[..., None] * out)


def rounded(polygon: FloatArray, steps: int = 4) -> FloatArray:
    """A closed smooth curve near the corners of `polygon`, (T, K, 2); returns (T, K * steps, 2)."""
    return np.asarray(np.matmul(_spline(polygon.shape[1], steps), polygon))


def grown(polygon: FloatArray, by: float) -> FloatArray:
    """Return the polygon with each corner moved `by` pixels outwards, across its two edges."""
    after, before = np.roll(polygon, -1, axis=1), np.roll(polygon, 1, axis=1)
    area = (polygon[..., 0] * after[..., 1] - polygon[..., 1] * after[..., 0]).sum(1)  # positive if clockwise
    return np.asarray(polygon - np.float32(by) * np.sign(area)[:, None, None] * turned(unit(after - before)))


@cache
def _spline(count: int, steps: int) -> FloatArray:
    """Weights (count * steps, count) of a closed curve halfway between a Catmull-Rom and a uniform B-spline."""
    t = np.arange(steps, dtype=np.float32)[:, None] / steps
    powers = np.concatenate([np.ones_like(t), t, t**2, t**3], axis=1)
    through = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], np.float32) / 2
    near = np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]], np.float32) / 6
    weights = powers @ (through + near) / 2
    basis = np.zeros((count, steps, count), np.float32)
    for k in range(count):
        for j in range(4):
            basis[k, :, (k + j - 1) % count] += weights[:, j]
    return basis.reshape(count * steps, count)


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
