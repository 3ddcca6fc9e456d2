"""BlazePose's landmarks: 33 points of a body in a region of a picture, in the plane and in space.

Constants: MediaPipe's graph of pose_landmark.
Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", 2020.
"""

from dataclasses import dataclass

import numpy as np

from ictus.pose.network import Network
from ictus.pose.region import Region
from ictus.types import AnyArray, Float32Array, Float64Array, FloatArray

POINTS = 33
_ALL = 39  # with those that only turn and place the next region
_NEXT = (33, 34)  # the hips' middle, and how far the body reaches from there
_PIXELS = 256
_FOUND = 0.5  # the presence from which on there is a body
_REACH = 3  # cells of a heat map about a point, to each side, that refine it
_SURE = 0.5  # the least that a heat map must reach there
_MARGIN = 1.25  # of regions


@dataclass(frozen=True)
class Body:
    """A body in a picture.

    Attributes
    ----------
    points : (33, 2) pixels, y down.
    visibility : (33,) in [0, 1].
    world : (33, 3) metres about the hips' middle: x to the picture's right, y down, z away from the camera.
    following : (2, 2) pixels: from where to where the next picture's region reaches.
    region : where it was found.
    """

    points: Float64Array
    visibility: Float64Array
    world: Float64Array
    following: Float64Array
    region: Region


class BodyLandmarks:
    """The network of body landmarks: (picture, region) -> Body, or None where there is none."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, picture: AnyArray, region: Region) -> Body | None:
        """Find the body in a region of a picture (H, W, 3) uint8 RGB."""
        raw, presence, _, heat, world = self.network(region.crop(picture, _PIXELS))
        if presence[0, 0] < _FOUND:
            return None
        numbers = raw.reshape(_ALL, 5).astype(np.float64)  # x, y, z, visibility, presence
        points = region.outside(refined(numbers[:, :2] / _PIXELS, heat[0]))
        visibility = _sigmoid(numbers[:POINTS, 3])
        metres = region.turned(world.reshape(_ALL, 3)[:POINTS].astype(np.float64))
        return Body(points[:POINTS], visibility, metres, points[list(_NEXT)], region)


def region_of(following: FloatArray) -> Region:
    """Return the region of a body from two points (2, 2): the hips' middle, and how far it reaches from there."""
    return Region.between(following[0], following[1]).scaled(_MARGIN)


def refined(points: Float64Array, heat: Float32Array) -> Float64Array:
    """Move points to the middle of what their heat maps show about them.

    Parameters
    ----------
    points : (N, 2) shares of the region.
    heat : (rows, columns, N) before the sigmoid.

    Returns
    -------
    (N, 2) shares of the region.
    """
    rows, columns, count = heat.shape
    cells = (points * (columns, rows)).astype(np.int64)  # (N, 2)
    inside = (cells >= 0).all(1) & (cells < (columns, rows)).all(1)
    steps = np.arange(-_REACH, _REACH + 1)
    x, y = cells[:, 0, None, None] + steps, cells[:, 1, None, None] + steps[:, None]  # (N, 1, 7), (N, 7, 1)
    there = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)  # (N, 7, 7)
    logits = heat[np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1), np.arange(count)[:, None, None]]
    shares = np.where(there, _sigmoid(logits.astype(np.float64)), 0)
    total = shares.sum((1, 2))
    better = inside & (shares.max((1, 2)) >= _SURE) & (total > 0)
    weights = shares / np.maximum(total, 1e-12)[:, None, None]
    middle = np.stack(((weights * x).sum((1, 2)) / columns, (weights * y).sum((1, 2)) / rows), 1)
    return np.where(better[:, None], middle, points)


def _sigmoid(logits: Float64Array) -> Float64Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -100, 100))))
