"""The motion pickles of AIST++ (`motions/*.pkl`): smpl-24 by axes and angles, at 60 frames per second.

| key | shape | meaning |
|---|---|---|
| `smpl_poses` | (T, 72) or (T, 24, 3) | each joint's rotation relative to its parent: axis times angle, radians |
| `smpl_trans` | (T, 3) | where the root is, in metres times the scaling |
| `smpl_scaling` | (1,) | about 95 in the corpus, 1 in what is written here and where there is none |
| `smpl_loss` | number | how well the body fitted the pictures; kept in `meta`, 0 in what is written here |

EDGE's dances, which also hold the points of the body, `full_pose`, are at 30 frames per second, in metres and with z
up; they are turned so that y is.

Positions come by forward kinematics of the package's own neutral body: those of the licensed SMPL body, which the
corpus does not contain either, differ by its bones. Its root also lies a constant pelvis offset beside `smpl_trans`.
Pickles are read without running anything (`formats.pickled`).
Source: Li, Yang, Ross & Kanazawa, AI Choreographer (ICCV 2021), and google/aistplusplus_api.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.files import short
from ictus.formats import MotionData, pickled
from ictus.formats.hierarchy import turning
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

FPS = 60.0
_EDGE = 30.0
_UPRIGHT = Rotation.from_euler("x", -90, degrees=True)  # from z up to y up
BODIES = ("smpl-24",)
_BODY = get_skeleton("smpl-24")
_PROTOCOL = 4  # of the pickle, which every Python 3 reads


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no pickle of data alone, or not one of AIST++'s motions.
    """
    content = pickled.load(path)
    poses, root = _numbers(content, "smpl_poses"), _numbers(content, "smpl_trans")
    scaling = _numbers(content, "smpl_scaling").ravel() if "smpl_scaling" in content else np.ones(1)
    if poses.ndim not in (2, 3) or poses.shape[1:] not in ((72,), (24, 3)):
        raise MotionError(f"smpl_poses has shape {poses.shape}; AIST++ has (frames, 72) or (frames, 24, 3)")
    if root.shape != (len(poses), 3):
        raise MotionError(f"smpl_trans has shape {root.shape}; {len(poses)} poses need ({len(poses)}, 3)")
    if scaling.shape != (1,) or not scaling[0] > 0:
        raise MotionError(f"smpl_scaling is {scaling[:4].tolist()}; it must be one positive number")
    rotations = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(-1, len(_BODY), 3, 3)
    if edge := "full_pose" in content:
        root, rotations[:, 0] = _UPRIGHT.apply(root), _UPRIGHT.as_matrix() @ rotations[:, 0]
    meta = {"smpl_loss": float(_numbers(content, "smpl_loss").ravel()[0])} if "smpl_loss" in content else {}
    fps, place = _EDGE if edge else FPS, (root / scaling).astype(np.float32)
    return MotionData(_BODY, fps, None, rotations.astype(np.float32), place, meta)


def write(path: Path, data: MotionData) -> None:
    """Write rotations and root, in metres with a scaling of 1; meta and other proportions have no place in this format.

    Raises
    ------
    MotionError
        If the motion is not of smpl-24 with rotations, or not at 60 frames per second.
    """
    body, rotations, root = turning(data, ".pkl")
    if body != _BODY:
        raise MotionError(
            f".pkl holds smpl-24, and this motion is of {body.name}; save it as .npz, .json, .bvh or .glb"
        )
    if data.fps != FPS:
        raise MotionError(f".pkl means {FPS:g} frames per second, and this motion has {data.fps:g}; resample(60)")
    poses = Rotation.from_matrix(rotations.reshape(-1, 3, 3).astype(np.float64)).as_rotvec()
    content = {
        "smpl_poses": poses.reshape(-1, 72),
        "smpl_trans": root.astype(np.float32),
        "smpl_scaling": np.ones(1),
        "smpl_loss": 0.0,
    }
    with path.open("wb") as file:
        pickle.dump(content, file, _PROTOCOL)


def _numbers(content: Mapping[str, Any], key: str) -> Float64Array:
    """Return one entry of the dict in a pickle as an array of finite numbers."""
    if not isinstance(content, dict):
        raise MotionError("is a pickle, but of no dict; an AIST++ motion has smpl_poses, smpl_trans and smpl_scaling")
    if key not in content:
        keys = short(", ".join(map(str, content))) or "nothing"
        raise MotionError(f"is no AIST++ motion: it holds {keys}, but no {key}")
    values = pickled.numbers(content[key], key)
    if not values.size:
        raise MotionError("there are no frames in it")
    if not np.isfinite(values).all():
        raise MotionError(f"{key} is not finite; fill or cut the gap first")
    return values
