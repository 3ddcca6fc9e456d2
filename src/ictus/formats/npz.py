"""Motion as a NumPy archive: everything, without loss.

| array | shape | meaning |
|---|---|---|
| `positions` | (T, J, 2 or 3) float32 | metres, y up; conductor-13: image coordinates, y down |
| `fps` | () float64 | frames per second |
| `skeleton` | () text | name of the body |
| `joints` | (J,) text | names of the joints |
| `bones` | (B, 2) int | pairs of joints to draw |
| `mirror` | (J,) int | the joint on the other side |
| `parents` | (J,) int | -1 for the root; left out where there is no hierarchy |
| `rest` | (J, 3) float32 | metres, y up: the pose without rotations; left out where there is none |
| `rotations` | (T, J, 3, 3) float32 | relative to the parent joint; left out where there are none |
| `root` | (T, 3) float32 | metres; left out where there is none |
| `meta` | () text | a JSON object |

To read, `positions`, `fps` and `skeleton` are enough where the body is one that the package knows.
"""

import sys
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import MotionError
from ictus.formats import MotionData
from ictus.formats.json import dumps, loads
from ictus.skeleton import Skeleton, get_skeleton
from ictus.types import AnyArray, IntArray

# What NumPy's reader and the layers under it raise for damaged bytes.
DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OSError, SyntaxError),
    *(OverflowError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no NumPy archive, or one of something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: np.asarray(archive[key]) for key in archive.files}
    except DAMAGE as error:
        raise MotionError("is no NumPy archive, or a damaged one") from error
    missing = [key for key in ("positions", "fps", "skeleton") if key not in arrays]
    if missing:
        raise MotionError(f"is no motion: it holds {', '.join(arrays) or 'nothing'}, but no {', '.join(missing)}")
    meta = loads(_text(arrays, "meta")) if "meta" in arrays else {}
    if not isinstance(meta, dict):
        raise MotionError("meta is no JSON object")
    fps = _numbers(arrays, "fps", 0)
    rotations, root = (
        _numbers(arrays, key, n) if key in arrays else None for key, n in (("rotations", 4), ("root", 2))
    )
    return MotionData(_skeleton(arrays), fps.item(), _numbers(arrays, "positions", 3), rotations, root, meta)


def write(path: Path, data: MotionData) -> None:
    """Write a motion. Raises MotionError if its meta is not made of JSON types."""
    body = data.skeleton
    arrays: dict[str, Any] = {
        "positions": data.positions,
        "fps": np.float64(data.fps),
        "skeleton": np.array(body.name),
        "joints": np.array(body.joints),
        "bones": np.array(body.bones, np.int64).reshape(-1, 2),
        "mirror": np.array(body.mirror, np.int64),
        "parents": None if body.parents is None else np.array(body.parents, np.int64),
        "rest": body.rest,
        "rotations": data.rotations,
        "root": data.root,
        "meta": np.array(dumps(data.meta)),
    }
    with path.open("wb") as file:
        np.savez_compressed(file, **{key: a for key, a in arrays.items() if a is not None})


def _skeleton(arrays: Mapping[str, AnyArray]) -> Skeleton:
    name = _text(arrays, "skeleton")
    if "joints" not in arrays:
        return get_skeleton(name)
    missing = [key for key in ("bones", "mirror") if key not in arrays]
    if missing:
        raise MotionError(f"the skeleton is incomplete: no {', '.join(missing)}")
    bones = _indices(arrays, "bones", 2)
    if bones.shape[1] != 2:
        raise MotionError(f"bones have shape {bones.shape}, expected (bones, 2)")
    return Skeleton(
        name,
        tuple(_text(arrays, "joints", 1)),
        tuple((a, b) for a, b in bones.tolist()),
        tuple(_indices(arrays, "parents", 1).tolist()) if "parents" in arrays else None,
        tuple(_indices(arrays, "mirror", 1).tolist()),
        _numbers(arrays, "rest", 2) if "rest" in arrays else None,
    )


def _array(arrays: Mapping[str, AnyArray], key: str, kinds: str, dimensions: int) -> AnyArray:
    array = arrays[key]
    if array.dtype.kind not in kinds or array.ndim != dimensions:
        raise MotionError(f"{key} is of type {array.dtype} and shape {array.shape}, which is no part of a motion")
    return array


def _text(arrays: Mapping[str, AnyArray], key: str, dimensions: int = 0) -> Any:
    array = _array(arrays, key, "U", dimensions)
    # NumPy passes on numbers that are no characters, and Python breaks on such text only later.
    characters = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    if (characters > sys.maxunicode).any():
        raise MotionError(f"{key} holds damaged text")
    return array.tolist()


def _indices(arrays: Mapping[str, AnyArray], key: str, dimensions: int) -> IntArray:
    return _array(arrays, key, "iu", dimensions)


def _numbers(arrays: Mapping[str, AnyArray], key: str, dimensions: int) -> AnyArray:
    return _array(arrays, key, "fiu", dimensions)
