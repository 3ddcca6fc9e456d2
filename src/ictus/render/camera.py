"""The camera: from a body's coordinates to the picture's pixels."""

from dataclasses import dataclass

import numpy as np

from ictus.types import FloatArray

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class Extent:
    """What a picture must show: from low to high, each (2,) in the body's units."""

    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, points: FloatArray) -> "Extent":
        """Return the extent of points (..., 2|3), seen from the front."""
        flat = points[..., :2].reshape(-1, 2)
        return cls(flat.min(0), flat.max(0))

    def __or__(self, other: "Extent") -> "Extent":
        return Extent(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


@dataclass(frozen=True)
class Camera:
    """An orthographic view from the front: x to the right; 3-D bodies have y up and z towards the viewer.

    Attributes
    ----------
    scale : pixels per unit of the body.
    origin : where the picture shows the body's (0, 0), in pixels.
    y_up : whether the body's y axis points up (3-D) or, as the picture's own, down (2-D).
    """

    scale: float
    origin: tuple[float, float]
    y_up: bool

    @classmethod
    def fit(cls, extent: Extent, box: Box, *, y_up: bool) -> "Camera":
        """Show an extent as large as it fits into a box, in its middle."""
        left, top, right, bottom = box
        span = np.maximum(extent.high - extent.low, 1e-6)
        scale = float(min((right - left) / span[0], (bottom - top) / span[1]))
        x, y = (extent.low + extent.high) / 2 * scale * np.array([1, -1 if y_up else 1])
        return cls(scale, ((left + right) / 2 - float(x), (top + bottom) / 2 - float(y)), y_up)

    def project(self, positions: FloatArray) -> FloatArray:
        """Return pixels (..., 2) of positions (..., 2|3); all frames at once."""
        scale = np.array([self.scale, -self.scale if self.y_up else self.scale], np.float32)
        return positions[..., :2] * scale + np.array(self.origin, np.float32)


def depth(positions: FloatArray) -> FloatArray:
    """Return how near each point is to the viewer, (...) in the body's units; 0 for a flat body."""
    if positions.shape[-1] == 3:
        return positions[..., 2]
    return np.zeros(positions.shape[:-1], np.float32)
