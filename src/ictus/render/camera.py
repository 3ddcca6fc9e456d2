"""A camera that goes along with a body: always as far away, always looking the same way."""

from dataclasses import dataclass

import numpy as np

from ictus.render.shapes import smoothed
from ictus.types import Float32Array, FloatArray

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

# In body sizes and radians.
FAR, HEIGHT, PITCH = 6.0, 0.9, 0.2  # the camera's distance, what it looks at above the floor, how much it looks down
NEAREST = 0.3  # of the distance: what comes nearer is seen as if it were there
_CALM, _SOFT = 1.6, 0.5  # seconds
_ASTRAY = 1.8  # body sizes that the body may be off the picture's middle


@dataclass(frozen=True)
class Extent:
    """What a picture must show: from low to high, each (2,), as `slopes` returns them."""

    low: FloatArray
    high: FloatArray

    def __or__(self, other: "Extent") -> "Extent":
        return Extent(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


@dataclass(frozen=True)
class View:
    """A perspective view around one point, the target on the floor: x to the right, y up, z towards the camera.

    Attributes
    ----------
    unit : the body's size in the motion's units; all other lengths are counted in it.
    focal : pixels to which one unit at a distance of one unit comes.
    centre : where the picture shows the point that the camera looks at.
    pitch : radians that it looks down.
    """

    unit: float
    focal: float
    centre: tuple[float, float]
    pitch: float = PITCH

    @property
    def eye(self) -> FloatArray:
        """(3,) in the motion's units: where the camera is, from the target."""
        aside = np.array([0, HEIGHT + FAR * np.sin(self.pitch), FAR * np.cos(self.pitch)], np.float32)
        return aside * np.float32(self.unit)

    @property
    def scale(self) -> float:
        """Pixels to a body size at the usual distance."""
        return self.focal / FAR

    @classmethod
    def fit(cls, extent: Extent, unit: float, box: Box, pitch: float = PITCH) -> "View":
        """Show an extent as large as it fits into a box; targets are in the middle."""
        left, top, right, bottom = box
        wide = 2 * max(-float(extent.low[0]), float(extent.high[0]), 1e-6)
        low, high = float(extent.low[1]), float(extent.high[1])
        focal = min((right - left) / wide, (bottom - top) / max(high - low, 1e-6))
        return cls(unit, focal, ((left + right) / 2, (top + bottom) / 2 + focal * (low + high) / 2), pitch)

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return pixels (..., 2), and pixels per unit of the motion (...), of points (..., 3) from the target."""
        slope, near = slopes(points, self.unit, self.pitch)
        pixels = slope * np.array([self.focal, -self.focal], np.float32) + np.array(self.centre, np.float32)
        return np.asarray(pixels), np.asarray(np.float32(self.focal / self.unit) * near)

    def floor(self, width: int, height: int) -> tuple[FloatArray, FloatArray]:
        """Return where on the floor each pixel of a picture lies: right of and towards the camera from the target.

        Both (height, width) in units; NaN above the horizon.
        """
        x = (np.arange(width, dtype=np.float32)[None] + 0.5 - self.centre[0]) / self.focal
        y = (self.centre[1] - 0.5 - np.arange(height, dtype=np.float32)[:, None]) / self.focal
        sine, cosine = np.sin(self.pitch), np.cos(self.pitch)
        fall = sine - y * cosine
        away = np.where(fall > 1e-3, (HEIGHT + FAR * sine) / np.maximum(fall, 1e-3), np.nan)
        return np.asarray(x * away), np.asarray(-y * away * sine + (FAR - away) * cosine + 0 * x)


def slopes(points: FloatArray, unit: float, pitch: float = PITCH) -> tuple[FloatArray, FloatArray]:
    """Return slopes (..., 2) right and up, and 1 / distance (...) in units, of points (..., 3) from the target."""
    x, y, z = (points[..., k] / np.float32(unit) for k in range(3))
    sine, cosine = np.float32(np.sin(pitch)), np.float32(np.cos(pitch))
    y = y - np.float32(HEIGHT)
    near = 1 / np.maximum(np.float32(FAR) - (y * sine + z * cosine), np.float32(NEAREST * FAR))
    return np.stack([x * near, (y * cosine - z * sine) * near], axis=-1), near


def followed(middle: FloatArray, floor: FloatArray, unit: float, fps: float) -> Float32Array:
    """Return the target (T, 3): a point on the floor that goes along with a body, calmly.

    It stands still while the body only sways, for it is the middle between the farthest places within some seconds.

    Parameters
    ----------
    middle : (T, 3) metres, the body's middle.
    floor : (T,) metres.
    """
    ground = middle[:, [0, 2]]
    reach = round(_CALM / 2 * fps)
    padded = np.pad(ground, ((reach, reach), (0, 0)), mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    path = smoothed((window.min(-1) + window.max(-1)) / 2, 2 * _SOFT * fps)
    behind = ground - path
    far = np.linalg.norm(behind, axis=1, keepdims=True) / np.float32(_ASTRAY * unit)
    # Only a body that leaps away faster than any dancer is followed at once.
    path = np.where(far > 1, ground - behind / np.maximum(far, 1), path)
    return np.stack([path[:, 0], floor, path[:, 1]], axis=1).astype(np.float32)
