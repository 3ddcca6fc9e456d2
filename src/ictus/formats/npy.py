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

from ictus.errors import MotionError
from ictus.formats import MotionData, cm100
from ictus.formats.npz import DAMAGE
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

_DANCER, _MELODY = get_skeleton("smpl-24"), get_skeleton("melody-21")
_FRAME, _PADDING = 3 + 9 * len(_DANCER), 6
_DANCER_FPS, _MELODY_FPS = 60.0, 25.0

write, BODIES, FPS = cm100.write, cm100.BODIES, cm100.FPS


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no NumPy array, or its shape is none of these.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        shape = array.shape[1:] if array.dtype.kind == "f" else ()
        if shape in ((_FRAME,), (_PADDING + _FRAME,)):
            return _dancer(np.array(array[:, -_FRAME:], np.float64))
        if shape in ((len(_MELODY), 3), (3 * len(_MELODY),)):
            points = np.array(array, np.float32).reshape(-1, len(_MELODY), 3)
            return MotionData(_MELODY, _MELODY_FPS, points)
    except DAMAGE as error:
        raise MotionError("is no NumPy array of numbers, or a damaged one") from error
    return cm100.read(path)


def _dancer(frames: Float64Array) -> MotionData:
    matrices = frames[:, 3:].reshape(-1, len(_DANCER), 3, 3)
    if not np.isfinite(frames).all():
        raise MotionError("its numbers are not finite; fill or cut the gap first")
    left, size, right = np.linalg.svd(matrices)
    if (size[..., 1] < 1e-3).any():  # then no rotation is the nearest
        raise MotionError("some of its matrices are far from any rotation; this is no dance")
    left[..., 2] *= np.linalg.det(left @ right)[..., None]
    return MotionData(_DANCER, _DANCER_FPS, None, (left @ right).astype(np.float32), frames[:, :3].astype(np.float32))
