"""The camera: from a body's coordinates to the picture's pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


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
    def fit(cls, low: Points, high: Points, box: tuple[float, float, float, float], *, y_up: bool) -> "Camera":
        """Fit the extent from `low` to `high`, each (2,) in the body's units, into `box` = (left, top, right, bottom)."""
        left, top, right, bottom = box
        span = np.maximum(high - low, 1e-6)
        scale = float(min((right - left) / span[0], (bottom - top) / span[1]))
        middle = (low + high) / 2
        centre_y = (top + bottom) / 2
        y = centre_y + scale * middle[1] if y_up else centre_y - scale * middle[1]
        return cls(scale, ((left + right) / 2 - scale * float(middle[0]), float(y)), y_up)

    def project(self, positions: Points) -> Points:
        """Return pixels (..., 2) of positions (..., 2|3); all frames at once."""
        scale = np.array([self.scale, -self.scale if self.y_up else self.scale], np.float32)
        return positions[..., :2] * scale + np.array(self.origin, np.float32)


def depth(positions: Points) -> Points:
    """Return how near each point is to the viewer, (...) in the body's units; 0 for a flat body."""
    if positions.shape[-1] == 3:
        return positions[..., 2]
    return np.zeros(positions.shape[:-1], np.float32)
