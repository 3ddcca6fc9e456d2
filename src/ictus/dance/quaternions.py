"""Sequences of rotations as unit quaternions (T, 24, 4), in the order x, y, z, w, and how two of them are joined."""

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.kinematics import forward_kinematics, smootherstep
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

RATE = 60  # frames a second
_BODY = get_skeleton("smpl-24")


def from_matrices(matrices: Float64Array) -> Float64Array:
    """(T, J, 3, 3) -> (T, J, 4), continuous in time."""
    quaternions = Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_quat()
    return continuous(quaternions.reshape(*matrices.shape[:2], 4))


def to_matrices(quaternions: Float64Array) -> Float64Array:
    """(..., 4) -> (..., 3, 3)."""
    matrices = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    return np.asarray(matrices.reshape(*quaternions.shape[:-1], 3, 3))


def to_motion(quaternions: Float64Array, root: Float64Array) -> Motion:
    """(T, 24, 4) and (T, 3) metres -> the motion, smpl-24 at 60 fps."""
    rotations, path = to_matrices(quaternions).astype(np.float32), root.astype(np.float32)
    return Motion(forward_kinematics(_BODY, rotations, path), RATE, _BODY, rotations, path)


def joint_positions(quaternions: Float64Array, root: Float64Array) -> Float64Array:
    """(T, 24, 4) and (T, 3) -> (T, 24, 3) metres, on the body smpl-24."""
    return np.asarray(forward_kinematics(_BODY, to_matrices(quaternions), root))


def continuous(quaternions: Float64Array) -> Float64Array:
    """(T, J, 4) -> the same rotations, with the signs that make neighbouring frames alike."""
    flips = np.where((quaternions[1:] * quaternions[:-1]).sum(-1) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones((1, quaternions.shape[1])), np.cumprod(flips, axis=0)])
    return np.asarray(quaternions * signs[..., None])


def normalise(quaternions: Float64Array) -> Float64Array:
    """(..., 4) -> the same at length 1."""
    return np.asarray(quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True))


def mirrored(quaternions: Float64Array, root: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Exchange left and right of (T, 24, 4) and (T, 3)."""
    return quaternions[:, list(_BODY.mirror)] * (1, -1, -1, 1), root * (-1, 1, 1)


def heading(quaternion: Float64Array) -> float:
    """Return the angle, radians, by which a rotation (4,) turns about the vertical: 0 faces the front."""
    return 2 * float(np.arctan2(quaternion[1], quaternion[3]))


def turned(places: Float64Array, angle: float) -> Float64Array:
    """Turn places (..., 3) about the vertical, by radians."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.asarray(places @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]]))


def about_vertical(quaternions: Float64Array, angle: float) -> Float64Array:
    """Turn rotations (n, 4) about the vertical, by radians."""
    return (Rotation.from_rotvec([0, angle, 0]) * Rotation.from_quat(quaternions)).as_quat()


def inertialise(
    quaternions: Float64Array, root: Float64Array, join: int, frames: int, stop: int | None = None
) -> tuple[Float64Array, Float64Array]:
    """Remove the step before frame `join`: the second part continues the first, and is itself again after `frames`.

    The difference fades out, instead of two motions being mixed (Bollo, "Inertialization", GDC 2018). Where the second
    part stands on the floor is moved for good, up to frame `stop`.
    """
    stop = len(root) if stop is None else stop
    last, one_before = (Rotation.from_quat(quaternions[join - k]) for k in (1, 2))
    extrapolated = last * one_before.inv() * last  # where each joint would be by now
    difference = (extrapolated * Rotation.from_quat(quaternions[join]).inv()).as_rotvec()  # (24, 3)
    weight = 1 - smootherstep(np.minimum(np.arange(stop - join) / frames, 1))
    offset = Rotation.from_rotvec((weight[:, None, None] * difference).reshape(-1, 3))
    joined = offset * Rotation.from_quat(quaternions[join:stop].reshape(-1, 4))
    quaternions, root = quaternions.copy(), root.copy()
    quaternions[join:stop] = joined.as_quat().reshape(stop - join, -1, 4)
    quaternions[join - 1 : stop] = continuous(quaternions[join - 1 : stop])
    step = 2 * root[join - 1] - root[join - 2] - root[join]
    root[join:stop] += step * (1, 0, 1)
    root[join:stop, 1] += weight * step[1]
    return quaternions, root
