"""Kinetic features: how fast each joint moves, along the floor and upwards, and how much it accelerates."""

from typing import Literal

import numpy as np

from ictus.dance.metrics.inputs import RATE, MotionLike, positions_at
from ictus.errors import UsageError
from ictus.types import Float64Array

KineticProtocol = Literal["published", "bailando", "corrected"]
_HALF = 2  # frames before and after, over which velocity and acceleration are averaged


def kinetic_features(
    motion: MotionLike, protocol: KineticProtocol = "published", fps: float | None = None
) -> Float64Array:
    """Return (72,): for each joint, means over the frames after the first of three quantities.

    | number | what |
    |---|---|
    | 3 j | squared speed along the floor, (m/s)^2 |
    | 3 j + 1 | squared speed upwards, (m/s)^2 |
    | 3 j + 2 | size of the acceleration, m/s^2; but see below |

    Each frame's velocity and acceleration are averages over five frames, fewer at the ends.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given); measured at 60 fps, T >= 3.
    protocol : "published": a misplaced parenthesis in the authors' code takes p[k] - p[k-1] / dt for the velocity
        before frame k, so that the third number mostly measures the distance to the origin (3540 |p| for a joint at
        rest). All published FID_k have it. "bailando": the same, after the root's first place has been moved to the
        origin. "corrected": true acceleration.

    Source: K. Onuma, C. Faloutsos, J. Hodgins: FMDistance (Eurographics 2008), as in google/aistplusplus_api.
    """
    positions = positions_at(motion, RATE, fps, least=3)
    if protocol == "bailando":
        positions = positions - positions[0, 0]
    elif protocol not in ("published", "corrected"):
        raise UsageError(f"kinetic features have no protocol {protocol!r}; known are published, bailando, corrected")
    steps = np.diff(positions, axis=0)  # (T - 1, 24, 3) from frame k - 1 to k
    velocity = _window_means(steps, len(steps)) * RATE
    if protocol == "corrected":
        bends = np.diff(steps, axis=0) * RATE**2  # (T - 2, 24, 3)
    else:
        bends = (steps[1:] * RATE - (positions[1:-1] - positions[:-2] * RATE)) * RATE
    acceleration = _window_means(bends, len(steps))
    along = (velocity[..., 0] ** 2 + velocity[..., 2] ** 2).mean(0)
    upwards = (velocity[..., 1] ** 2).mean(0)
    return np.stack([along, upwards, np.linalg.norm(acceleration, axis=-1).mean(0)], axis=1).ravel()


def _window_means(values: Float64Array, count: int) -> Float64Array:
    """Return `count` means of `values` (n, 24, 3): the i-th over those from i - 2 to i + 2 that there are."""
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    centres = np.arange(count)
    first, last = np.maximum(centres - _HALF, 0), np.minimum(centres + _HALF + 1, len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None, None])
