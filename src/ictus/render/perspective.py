"""A camera that goes along with a dancer: always as far away, always looking the same way."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ictus.render.camera import Box, Extent
from ictus.render.figure_tables import FAR, HEIGHT, NEAREST, PITCH
from ictus.render.shapes import smoothed
from ictus.types import FloatArray

_CALM, _SOFT = 1.6, 0.5  # seconds
_ASTRAY = 1.8  # body sizes that the body may be off the picture's middle


@dataclass(frozen=True)
class View:
    """A perspective view of the floor around one point, the target: x to the right, y up, z towards the camera.

    Attributes
    ----------
    unit : the body's size in metres; all other lengths are counted in it.
    focal : pixels to which one unit at a distance of one unit comes.
    centre : where the picture shows the point that the camera looks at.
    """

    unit: float
    focal: float
    centre: tuple[float, float]

    far: ClassVar[float] = FAR  # units from the camera to what it looks at

    @property
    def eye(self) -> FloatArray:
        """(3,) metres: where the camera is, from the target."""
        aside = np.array([0, HEIGHT + FAR * np.sin(PITCH), FAR * np.cos(PITCH)], np.float32)
        return aside * np.float32(self.unit)

    @classmethod
    def fit(cls, extent: Extent, unit: float, box: Box) -> "View":
        """Show an extent, in slopes as `slopes` returns them, as large as it fits into a box; targets in the middle."""
        left, top, right, bottom = box
        wide = 2 * max(-float(extent.low[0]), float(extent.high[0]), 1e-6)
        low, high = float(extent.low[1]), float(extent.high[1])
        focal = min((right - left) / wide, (bottom - top) / max(high - low, 1e-6))
        return cls(unit, focal, ((left + right) / 2, (top + bottom) / 2 + focal * (low + high) / 2))

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return pixels (..., 2), and pixels per metre (...), of points (..., 3) in metres from the target."""
        slope, near = slopes(points, self.unit)
        pixels = slope * np.array([self.focal, -self.focal], np.float32) + np.array(self.centre, np.float32)
        return np.asarray(pixels), np.asarray(self.focal / self.unit * near)

    def floor(self, width: int, height: int) -> tuple[FloatArray, FloatArray]:
        """Return where on the floor each pixel of a picture lies: right of and towards the camera from the target.

        Both (height, width) in units; NaN above the horizon.
        """
        x = (np.arange(width, dtype=np.float32)[None] + 0.5 - self.centre[0]) / self.focal
        y = (self.centre[1] - 0.5 - np.arange(height, dtype=np.float32)[:, None]) / self.focal
        sine, cosine = np.sin(PITCH), np.cos(PITCH)
        fall = sine - y * cosine
        away = np.where(fall > 1e-3, (HEIGHT + FAR * sine) / np.maximum(fall, 1e-3), np.nan)
        return np.asarray(x * away), np.asarray(-y * away * sine + (FAR - away) * cosine + 0 * x)


def slopes(points: FloatArray, unit: float) -> tuple[FloatArray, FloatArray]:
    """Return slopes (..., 2) right and up, and 1 / distance (...) in units, of points (..., 3) from the target."""
    x, y, z = (np.asarray(points[..., k] / np.float32(unit)) for k in range(3))
    sine, cosine = np.float32(np.sin(PITCH)), np.float32(np.cos(PITCH))
    y = y - np.float32(HEIGHT)
    away = np.maximum(np.float32(FAR) - (y * sine + z * cosine), np.float32(NEAREST * FAR))
    return np.stack([x / away, (y * cosine - z * sine) / away], axis=-1), 1 / away


def followed(middle: FloatArray, floor: FloatArray, unit: float, fps: float) -> FloatArray:
    """Return the target (T, 3), metres: a point on the floor that goes along with a body, calmly.

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
