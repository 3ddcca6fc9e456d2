"""Motion formats: one file each, with `read(path) -> MotionData` and `write(path, data)`.

Formats know skeletons and arrays, not `Motion`, so that `Motion.load` and `Motion.save` can call them. The suffix
chooses the format. `coco` and `openpose`, which have no suffix of their own, are written by calling them.

What pose estimators find of a player in a film is read by `read_keypoints`: points with a confidence, not a motion yet.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from ictus import limits
from ictus.errors import MotionError, UsageError
from ictus.files import quoted, reading
from ictus.skeleton import Skeleton
from ictus.types import Float32Array


@dataclass(frozen=True)
class MotionData:
    """What a motion file holds.

    Attributes
    ----------
    skeleton : the body.
    fps : frames per second.
    positions : (T, J, 2|3), or None where the file gives rotations only.
    rotations : (T, J, 3, 3) relative to the parent, or None.
    root : (T, 3) position of the root joint, or None.
    meta : anything else worth keeping, JSON types only (beats, model, seed).
    """

    skeleton: Skeleton
    fps: float
    positions: Float32Array | None
    rotations: Float32Array | None = None
    root: Float32Array | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Keypoints:
    """What a file of a pose estimator holds of one player.

    Attributes
    ----------
    points : (T, 47, 3) of solos-47: x and y in pixels, y down, and the confidence in [0, 1]. A point that was not
        found is zeros, or where its confidence of 0 says so a guess.
    fps : frames per second, or None where the format does not say.
    """

    points: Float32Array
    fps: float | None


def check_fps(fps: Any, what: str = "fps") -> float:
    """Return frames a second as a float.

    Raises
    ------
    MotionError
        Beginning with `what`: if it is no number that a motion can have.
    """
    slowest, fastest = limits.FRAME_RATES
    if isinstance(fps, bool) or not isinstance(fps, int | float | np.number) or not slowest <= fps <= fastest:
        raise MotionError(f"{what} is {quoted(fps)}; it must be positive, from {slowest:g} to {fastest:,.0f}")
    return float(fps)


def count_frames(seconds: float, fps: float, size: int) -> int:
    """Return how many frames some seconds are, at least one.

    Raises
    ------
    MotionError
        If they are too many, or with `size` numbers in each would fill the memory.
    """
    count = max(1, round(seconds * fps))
    if count > limits.FRAMES or 4 * count * size > limits.MEMORY:
        raise MotionError(f"{seconds:g} s at {fps:g} frames a second are {count} frames, which is too many")
    return count


_MODULES = {".npz": "npz", ".npy": "npy", ".json": "json", ".bvh": "bvh", ".glb": "gltf", ".pkl": "aist"}
SUFFIXES = tuple(_MODULES)


def reader(path: str | os.PathLike[str]) -> Callable[[Path], MotionData]:
    """Return the function that reads motion from files with this path's suffix."""
    read: Callable[[Path], MotionData] = _module(path).read
    return read


def writer(path: str | os.PathLike[str]) -> Callable[[Path, MotionData], None]:
    """Return the function that writes motion to files with this path's suffix."""
    write: Callable[[Path, MotionData], None] = _module(path).write
    return write


def holds(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], float | None]:
    """Return the bodies that a motion is fitted to for files with this path's suffix, and their only frame rate.

    Empty, or None, where the format takes any: each module says so by `BODIES` and `FPS`.
    """
    module = _module(path)
    return getattr(module, "BODIES", ()), getattr(module, "FPS", None)


def _module(path: str | os.PathLike[str]) -> Any:
    suffix = Path(path).suffix.lower()
    if suffix not in _MODULES:
        raise UsageError(f"{path}: no motion format has the suffix {suffix!r}; known are {' '.join(SUFFIXES)}")
    return import_module(f"ictus.formats.{_MODULES[suffix]}")


def read_keypoints(path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> Keypoints:
    """Read what a pose estimator has found of a player.

    Parameters
    ----------
    path : a folder of OpenPose, .json of COCO-WholeBody or MMPose, .npy of Solos, .npy or .npz of MediaPipe,
        .npz or .json of ours with solos-47 or blaze-75.
    size : width and height of the film in pixels; MediaPipe's landmarks need it, and nothing else does.

    Raises
    ------
    MotionError
        If it is damaged or holds something else.
    UsageError
        If no format of keypoints has this suffix.
    """
    file = Path(path)
    if file.is_dir():
        return cast("Keypoints", import_module("ictus.formats.openpose").read(file))
    suffix = file.suffix.lower()
    if suffix not in (".json", ".npy", ".npz"):
        raise UsageError(
            f"{path}: no format of keypoints has the suffix {suffix!r}; known are .json (COCO-WholeBody, MMPose), "
            ".npy (Solos, MediaPipe), .npz (MediaPipe), those of `ictus pose`, and a folder of OpenPose's files"
        )
    with reading(file, MotionError), np.errstate(all="ignore"):  # what overflows is refused for being infinite
        seen_motion = import_module("ictus.formats.seen_motion")
        if suffix != ".npy" and seen_motion.fits(file):
            return cast("Keypoints", seen_motion.read(file))
        if suffix == ".json":
            return cast("Keypoints", import_module("ictus.formats.wholebody").read(file))
        landmarks = import_module("ictus.formats.landmarks")
        if suffix == ".npz" or landmarks.fits(file):
            return cast("Keypoints", landmarks.read(file, size))
        return cast("Keypoints", import_module("ictus.formats.solos").read(file))
