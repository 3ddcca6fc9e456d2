"""The motion files of ConductorMotion100 (`motion.npy`): conductor-13 in the image, at 30 frames per second.

One float array (T, 13, 2): x to the right and y down, scaled so that the shoulders are about 0.2 apart and the middle
of the hips stays near (0.5, 0.75). The array alone says nothing of its frame rate: it is 30 by definition.
"""

from pathlib import Path

import numpy as np

from ictus.arrays import load
from ictus.errors import MotionError
from ictus.files import short
from ictus.formats import MotionData
from ictus.skeleton import get_skeleton

FPS = 30.0
BODIES = ("conductor-13",)
_BODY = get_skeleton("conductor-13")


def read(path: Path) -> MotionData:
    """Read a motion; an array (T, 26) counts as (T, 13, 2) with each row flattened: x0, y0, x1, y1, ...

    Raises
    ------
    MotionError
        If the file is no NumPy array, or one of another shape or type.
    """
    array = load(path, MotionError)
    flat = array.ndim == 2 and array.shape[1:] == (2 * len(_BODY),)
    positions = array.reshape(-1, len(_BODY), 2) if flat else array
    if array.dtype.kind != "f" or positions.shape[1:] != (len(_BODY), 2):
        raise MotionError(
            f"holds an array of type {array.dtype} and shape {short(array.shape)}; "
            "a ConductorMotion100 motion is of floats (frames, 13, 2)"
        )
    return MotionData(_BODY, FPS, positions.astype(np.float32))


def write(path: Path, data: MotionData) -> None:
    """Write the positions, float32 (T, 13, 2); rotations and meta have no place in this format.

    Raises
    ------
    MotionError
        If the motion is not of conductor-13 in 2-D, or not at 30 frames per second.
    """
    positions, body = data.positions, data.skeleton
    if positions is None or body != _BODY or positions.shape[2] != 2:
        depth = "" if positions is None else f" in {positions.shape[2]}-D"
        raise MotionError(
            f".npy holds conductor-13 in 2-D, and this motion is of {body.name}{depth}; "
            "project it to conductor-13 first, or save it as .npz, .json, .bvh or .glb"
        )
    if data.fps != FPS:
        raise MotionError(f".npy means {FPS:g} frames per second, and this motion has {data.fps:g}; resample(30)")
    with path.open("wb") as file:
        np.save(file, positions.astype(np.float32), allow_pickle=False)
