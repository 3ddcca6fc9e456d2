"""Motions as small as a page can carry them: whole steps of a millimetre or less, their differences, gzip.

A track (T, C) of whole steps becomes (C, T) differences along time, in each channel of the first to fourth order,
whichever are smallest. They are folded into counts (0, -1, 1, -2 ... become 0, 1, 2, 3 ...) of four bytes, which lie in
four planes, all lowest bytes first, and are compressed by gzip. The page's reader is viewer/unpacking.js; `unpack` here
is the same in NumPy.
"""

import base64
import gzip
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton
from ictus.types import Float64Array, FloatArray

Packed = dict[str, Any]

FINE, COARSE = 0.0005, 0.001  # metres
_TALL = 2.0  # metres that the height of a body in a picture stands for
_COARSEST = 0.002  # radians, for joints that move nothing far
_ORDERS = (1, 2, 3, 4)  # of differences
_LARGEST = 1 << 26  # steps, 33 km: whatever lies farther away is shown there


def thinned(motion: Motion, fps: float) -> Motion:
    """Return every second, third ... frame of a motion, so that no more than `fps` remain a second."""
    every = int(np.ceil(motion.fps / fps - 1e-6))
    if every <= 1:
        return motion
    turns, root = motion.rotations, motion.root
    return replace(
        motion,
        positions=motion.positions[::every],
        fps=motion.fps / every,
        rotations=None if turns is None else turns[::every],
        root=None if root is None else root[::every],
    )


def packed(motion: Motion, step: float = FINE, figure: FloatArray | None = None) -> dict[str, Packed]:
    """Return the motion's tracks: "positions", or where those follow from them "rotations" and "root", or all three.

    Parameters
    ----------
    figure : (T, C) what the motion's figure needs beside, in the motion's units; the track of that name.
    step : metres between two neighbouring positions; of a flat motion, as if it showed a body of 2 m. A step of a
        joint's rotation moves the farthest joint that hangs on it by this much.
    """
    tracks: dict[str, Packed] = {}
    follows = False
    if motion.rotations is not None and motion.root is not None:
        turns = _turn_steps(motion.skeleton, step)
        vectors = Rotation.from_matrix(motion.rotations.reshape(-1, 3, 3)).as_rotvec().reshape(len(motion), -1)
        tracks["rotations"] = _packed(vectors, turns)
        tracks["root"] = _packed(motion.root, np.full(3, step))
        follows = _follows(motion)
    if not follows:
        flat = motion.positions.reshape(len(motion), -1)
        tracks["positions"] = _packed(flat, np.full(flat.shape[1], step * _metre(motion)))
    if figure is not None:
        tracks["figure"] = _packed(figure, np.full(figure.shape[1], 2 * step * _metre(motion)))
    return tracks


def size(tracks: dict[str, Packed]) -> int:
    """Return how many letters the tracks take up in a page."""
    return sum(len(track["deltas"]) for track in tracks.values())


def unpack(track: Packed) -> Float64Array:
    """Return a track (T, C) as the page reads it."""
    steps = np.asarray(track["steps"])
    planes = np.frombuffer(gzip.decompress(base64.b64decode(track["deltas"])), np.uint8)
    folded = planes.reshape(4, len(steps), track["frames"]).astype(np.int64)  # (4, C, T)
    counts = sum(plane << 8 * number for number, plane in enumerate(folded))
    values = np.where(counts % 2, -(counts + 1) // 2, counts // 2)
    for channel, order in zip(values, track["orders"], strict=True):
        for _ in range(order):
            np.cumsum(channel, out=channel)
    return np.asarray(values.T * steps, np.float64)


def _follows(motion: Motion) -> bool:
    """Whether the positions are those that the rotations give, to a millimetre."""
    body = motion.skeleton
    if motion.rotations is None or motion.root is None or body.parents is None or body.rest is None:
        return False
    posed = forward_kinematics(body, motion.rotations, motion.root)
    return bool(np.abs(posed - motion.positions).max() < COARSE)


def _metre(motion: Motion) -> float:
    """Return how long a metre is in the motion's own units."""
    if motion.positions.shape[2] == 3:
        return 1.0
    return (float(np.median(np.ptp(motion.positions, axis=1).max(1))) or 1.0) / _TALL


def _turn_steps(body: Skeleton, step: float) -> Float64Array:
    """Return for each channel (3 J) the angle that moves the farthest joint by a step."""
    reach = np.zeros(len(body))
    if body.parents is not None and body.rest is not None:
        lengths = np.linalg.norm(body.offsets, axis=1)
        for joint in range(len(body) - 1, 0, -1):
            parent = body.parents[joint]
            reach[parent] = max(reach[parent], reach[joint] + lengths[joint])
    return np.repeat(np.minimum(step / np.maximum(reach, 1e-6), _COARSEST), 3)


def _packed(values: FloatArray, steps: Float64Array) -> Packed:
    """Pack a track (T, C) in steps (C,)."""
    whole = np.clip(np.rint(values / steps), -_LARGEST, _LARGEST).astype(np.int64)
    before = np.zeros((len(_ORDERS), whole.shape[1]), np.int64)
    changes = np.stack([np.diff(whole, n=order, axis=0, prepend=before[:order]).T for order in _ORDERS])  # (4, C, T)
    best = np.log2(1 + np.abs(changes)).sum(2).argmin(0)  # (C,)
    change = changes[best, np.arange(len(best))]
    folded = np.where(change < 0, -2 * change - 1, 2 * change).astype("<u4")
    planes = np.ascontiguousarray(folded).view(np.uint8).reshape(-1, 4).T  # (4, C T)
    deltas = base64.b64encode(gzip.compress(planes.tobytes(), mtime=0)).decode()
    rounded = [float(f"{step:.6g}") for step in steps]
    return {"frames": len(whole), "steps": rounded, "orders": (best + 1).tolist(), "deltas": deltas}
