"""Motion as one array without a word beside it: its shape says which corpus it is of.

| shape | what | frames per second |
|---|---|---|
| (T, 13, 2) or (T, 26) | conductor-13, ConductorMotion100 (`formats.cm100`) | 30 |
| (T, 219) | smpl-24, AIST++ as FACT learns it: root in metres, 24 matrices row by row | 60 |
| (T, 225) | the same behind six numbers without meaning, as FACT's authors save what it dances | 60 |
| (T, 21, 3) or (T, 63) | melody-21, Dance with Melody, metres | 25 |

Networks make matrices that are nearly rotations; the nearest rotation is taken. Only conductor-13 is written.
"""

from pathlib import Path

import numpy as np

from ictus.arrays import load, mapped
from ictus.errors import MotionError
from ictus.formats import MotionData, cm100
from ictus.limits import FRAMES
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray, Float32Array, Float64Array

_DANCER, _MELODY = get_skeleton("smpl-24"), get_skeleton("melody-21")
_FRAME, _PADDING = 3 + 9 * len(_DANCER), 6
_PIECE = 10_000  # frames whose matrices are worked on at once
_DANCER_FPS, _MELODY_FPS = 60.0, 25.0

write, BODIES, FPS = cm100.write, cm100.BODIES, cm100.FPS


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no NumPy array, or its shape is none of these.
    """
    array = mapped(path, MotionError)
    shape = array.shape[1:] if array.dtype.kind == "f" else ()
    if shape in ((_FRAME,), (_PADDING + _FRAME,)):
        return _dancer(array[:, -_FRAME:])
    if shape in ((len(_MELODY), 3), (3 * len(_MELODY),)):
        return MotionData(_MELODY, _MELODY_FPS, load(path, MotionError).astype(np.float32).reshape(-1, len(_MELODY), 3))
    return cm100.read(path)


def _dancer(frames: AnyArray) -> MotionData:
    if len(frames) > FRAMES:
        raise MotionError(f"holds {len(frames)} frames; at most {FRAMES} are read")
    pieces = [_rotations(np.array(frames[k : k + _PIECE, 3:], np.float64)) for k in range(0, len(frames), _PIECE)]
    rotations = np.concatenate([np.zeros((0, len(_DANCER), 3, 3), np.float32), *pieces])
    return MotionData(_DANCER, _DANCER_FPS, None, rotations, np.array(frames[:, :3], np.float32))


def _rotations(matrices: Float64Array) -> Float32Array:
    """(T, 24 * 9) -> the nearest rotations (T, 24, 3, 3)."""
    if not np.isfinite(matrices).all():
        raise MotionError("its numbers are not finite; fill or cut the gap first")
    left, size, right = np.linalg.svd(matrices.reshape(-1, len(_DANCER), 3, 3))
    if (size[..., 1] < 1e-3).any():  # then no rotation is the nearest
        raise MotionError("some of its matrices are far from any rotation; this is no dance")
    left[..., 2] *= np.linalg.det(left @ right)[..., None]
    rotations: Float32Array = (left @ right).astype(np.float32)
    return rotations
