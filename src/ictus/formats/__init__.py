"""Motion formats: one file each, with `read(path) -> Recording` and `write(path, recording)`.

Formats know skeletons and arrays, not `Motion`, so that `Motion.load` and `Motion.save` can call them. The suffix
chooses the format. `coco` and `openpose`, which have no suffix of their own, are written by calling them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.errors import UsageError
from ictus.skeleton import Skeleton


@dataclass(frozen=True)
class Recording:
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
    positions: NDArray[np.float32] | None
    rotations: NDArray[np.float32] | None = None
    root: NDArray[np.float32] | None = None
    meta: dict[str, Any] = field(default_factory=dict)


_MODULES = {".npz": "npz", ".npy": "cm100", ".json": "json", ".bvh": "bvh", ".glb": "gltf", ".pkl": "aist"}
SUFFIXES = tuple(_MODULES)


def reader(path: str | os.PathLike[str]) -> Callable[[Path], Recording]:
    """Return the function that reads motion from files with this path's suffix."""
    read: Callable[[Path], Recording] = _module(path).read
    return read


def writer(path: str | os.PathLike[str]) -> Callable[[Path, Recording], None]:
    """Return the function that writes motion to files with this path's suffix."""
    write: Callable[[Path, Recording], None] = _module(path).write
    return write


def _module(path: str | os.PathLike[str]) -> Any:
    suffix = Path(path).suffix.lower()
    if suffix not in _MODULES:
        raise UsageError(f"{path}: no motion format has the suffix {suffix!r}; known are {' '.join(SUFFIXES)}")
    return import_module(f"ictus.formats.{_MODULES[suffix]}")
