"""Regions of a picture: turned squares, in which networks look for a body or a hand.

Constants: the graphs of MediaPipe's pose, hand and holistic landmarkers.
"""

from dataclasses import dataclass
from math import atan2, ceil, cos, floor, hypot, pi, sin

import cv2
import numpy as np

from ictus.types import AnyArray, Float32Array, Float64Array, FloatArray

UP, DOWN = pi / 2, -pi / 2  # where the second of two points that turn a region shall lie in it


@dataclass(frozen=True)
class Region:
    """A square in a picture.

    Attributes
    ----------
    x, y : its middle, pixels, y down.
    size : of a side, pixels.
    angle : radians, by which it is turned with the clock.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    @classmethod
    def of_picture(cls, picture: AnyArray) -> "Region":
        """Return the smallest upright square about a whole picture (H, W, 3)."""
        height, width = picture.shape[:2]
        return cls(width / 2, height / 2, max(width, height))

    @classmethod
    def between(cls, start: FloatArray, end: FloatArray, towards: float = UP) -> "Region":
        """Return the square about a point (2,) in which another lies half a side away, in a direction."""
        across, down = float(end[0] - start[0]), float(end[1] - start[1])
        return cls(float(start[0]), float(start[1]), 2 * hypot(across, down), wrapped(towards - atan2(-down, across)))

    @property
    def axes(self) -> Float64Array:
        """(2, 2): picture = middle + axes @ (across, down)."""
        return np.array([[cos(self.angle), -sin(self.angle)], [sin(self.angle), cos(self.angle)]])

    @property
    def box(self) -> Float64Array:
        """(4,): left, top, right, bottom of the same square, not turned."""
        half = self.size / 2
        return np.array([self.x - half, self.y - half, self.x + half, self.y + half])

    def scaled(self, scale: float, down: float = 0.0) -> "Region":
        """Return the square, moved along itself by a share of its size, and then with other sides."""
        shift = self.axes @ np.array([0, down * self.size])
        return Region(self.x + float(shift[0]), self.y + float(shift[1]), self.size * scale, self.angle)

    def inside(self, points: FloatArray) -> Float64Array:
        """Turn points (N, 2) of the picture into shares of the square, 0 to 1 where they lie in it."""
        shares: Float64Array = (points[:, :2] - (self.x, self.y)) @ self.axes / self.size + 0.5
        return shares

    def outside(self, shares: FloatArray) -> Float64Array:
        """Turn shares of the square (N, 2) into points of the picture."""
        points: Float64Array = (shares[:, :2] - 0.5) @ self.axes.T * self.size + (self.x, self.y)
        return points

    def turned(self, vectors: FloatArray) -> Float64Array:
        """Turn vectors (N, 3) from the square's directions into the picture's."""
        return np.concatenate((vectors[:, :2] @ self.axes.T, vectors[:, 2:]), 1)

    def crop(self, picture: AnyArray, pixels: int, *, blank: bool = False) -> Float32Array:
        """Cut the square out of a picture.

        Parameters
        ----------
        picture : (H, W, 3) uint8.
        pixels : of a side of what comes out.
        blank : whether it is black beside the picture; otherwise the picture's edge goes on.

        Returns
        -------
        (1, pixels, pixels, 3) float32 in [0, 1].
        """
        picture, x, y = self._near(picture, blank)
        turn = self.axes * (self.size / pixels)
        corner = np.array([x, y]) - turn @ np.array([pixels / 2, pixels / 2])
        cut = cv2.warpAffine(
            picture,
            np.column_stack((turn, corner)),
            (pixels, pixels),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT if blank else cv2.BORDER_REPLICATE,
        )
        return np.multiply(cut, 1 / 255, dtype=np.float32)[None]

    def _near(self, picture: AnyArray, blank: bool) -> tuple[AnyArray, float, float]:
        """Return the part of a picture about the square, and where the middle is in it: OpenCV counts to 32,767."""
        height, width = picture.shape[:2]
        if max(height, width) < 1 << 15:
            return picture, self.x, self.y
        reach = self.size
        left, top = max(floor(self.x - reach), 0), max(floor(self.y - reach), 0)
        part = picture[top : max(ceil(self.y + reach), top + 1), left : max(ceil(self.x + reach), left + 1)]
        return part, self.x - left, self.y - top


def about(points: FloatArray, start: FloatArray, end: FloatArray) -> Region:
    """Return the tightest turned square about points (N, 2), in which `end` lies above `start` (2,)."""
    angle = Region.between(start, end).angle
    middle = (points.min(0) + points.max(0)) / 2
    upright = Region(float(middle[0]), float(middle[1]), 1.0, angle)
    shares = upright.inside(points)
    low, high = shares.min(0), shares.max(0)
    x, y = upright.outside((low + high)[None] / 2)[0]
    return Region(float(x), float(y), float((high - low).max()), angle)


def wrapped(angle: float) -> float:
    """Return an angle between -pi and pi."""
    return angle - 2 * pi * floor((angle + pi) / (2 * pi))


def overlap(one: FloatArray, others: FloatArray) -> Float64Array:
    """Return the overlap (N,) of a box (4,) with others (N, 4): the area that they share, of that which they cover."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(np.maximum(box[..., 2:] - box[..., :2], 0), axis=-1) for box in (one, others)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-12))
