"""Keypoints in motion files of ours, .npz and .json: a player of solos-47 or blaze-75 in pixels.

An .npz of `ictus pose` has the confidence (T, J) beside the motion; where there is none, all points count as sure.
"""

from pathlib import Path

import numpy as np

from ictus import formats, limits
from ictus.arrays import archive
from ictus.errors import MotionError
from ictus.formats.solos import ARMS, HAND, checked, joined
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array

_SOLOS = get_skeleton("solos-47")
_MARK, _HEAD = b'"ictus-motion"', 256  # stands among the first bytes of such a .json


def fits(path: Path) -> bool:
    """Return whether a .json or .npz file holds a motion of ours, and not landmarks beside it."""
    if path.suffix.lower() == ".json":
        with path.open("rb") as file:
            return _MARK in file.read(_HEAD)
    with archive(path, MotionError, limits.MEMORY) as held:
        return "positions" in held and "pose" not in held


def read(path: Path) -> formats.Keypoints:
    """Read a player's arms and hands, solos-47, in pixels.

    Raises
    ------
    MotionError
        If the motion is damaged, or of a body without hands.
    """
    motion = formats.reader(path)(path)
    body, places = motion.skeleton, motion.positions
    if body.name not in ("solos-47", "blaze-75") or places is None or places.shape[-1] != 2:
        raise MotionError(
            f"{path}: a motion of {body.name}; a player's keypoints are of solos-47 or blaze-75 in pixels"
        )
    points = np.concatenate((places, _confidence(path, places.shape[:2])[..., None]), -1)
    if body.name == "blaze-75":
        arms = {name: points[:, body.index(name)] for name in _SOLOS.joints[1:ARMS]}
        starts = [body.index(f"{side}_hand_wrist") for side in ("right", "left")]
        points = joined(arms, *(points[:, start : start + HAND] for start in starts))
    return formats.Keypoints(checked(points.astype(np.float32), str(path)), motion.fps)


def _confidence(path: Path, shape: tuple[int, ...]) -> Float32Array:
    if path.suffix.lower() == ".npz":
        with archive(path, MotionError, limits.MEMORY) as held:
            if "confidence" in held:
                found = np.asarray(held["confidence"], np.float32)
                if found.shape != shape:
                    raise MotionError(f"{path}: confidence has shape {found.shape}; its points are {shape}")
                return found
    return np.ones(shape, np.float32)
