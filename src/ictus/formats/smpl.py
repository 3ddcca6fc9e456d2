"""Motions of SMPL bodies as NumPy archives: AMASS's, and those that others keep in its way.

| array | shape | meaning |
|---|---|---|
| `poses` | (T, 66 or more) | axis times angle, radians: of SMPL 24 joints, of SMPL-H and SMPL-X 22 and then fingers |
| `trans` | (T, 3) | metres |
| `mocap_framerate`, `mocap_frame_rate` or `fps` | () | frames a second |

Instead of `poses` also `root_orient` and `pose_body`, or `global_orient` and `body_pose`; instead of `trans` also
`transl`. AMASS has z up, others y: the axis along which the head is above the feet is made y. Hands and the shape of
the body are left out. Source: Mahmood et al., AMASS (ICCV 2019).
"""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.formats import MotionData
from ictus.kinematics import forward_kinematics
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray, Float64Array

_BODY = get_skeleton("smpl-24")
_BODY_JOINTS = 22  # those that all these bodies have
_SMPL = 72  # numbers of a pose of SMPL itself
_POSES = (("poses",), ("root_orient", "pose_body"), ("global_orient", "body_pose"))
_TRANSLATIONS = ("trans", "transl")
_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")
_UPRIGHT = Rotation.from_euler("x", -90, degrees=True)  # from z up to y up


def fits(arrays: Mapping[str, AnyArray]) -> bool:
    """Whether an archive holds poses of an SMPL body."""
    return any(set(names) <= set(arrays) for names in _POSES) and any(name in arrays for name in _TRANSLATIONS)


def motion_data(arrays: Mapping[str, AnyArray]) -> MotionData:
    """Make a motion of the arrays of an archive.

    Raises
    ------
    MotionError
        If they are malformed, or there is no frame rate.
    """
    names = next(names for names in _POSES if set(names) <= set(arrays))
    root = _numbers(arrays, next(name for name in _TRANSLATIONS if name in arrays))
    parts = [_numbers(arrays, name).reshape(len(root), -1) for name in names]
    poses = np.concatenate(parts, axis=1)
    if root.ndim != 2 or root.shape[1] != 3 or not len(root) or poses.shape[1] < 3 * _BODY_JOINTS:
        raise MotionError(f"{' and '.join(names)} of shape {poses.shape} and a path of {root.shape} are no SMPL motion")
    rate = next((arrays[name] for name in _RATES if name in arrays), None)
    if rate is None or rate.size != 1 or rate.dtype.kind not in "fiu":
        raise MotionError(f"has no frame rate: add one of {', '.join(_RATES)}")
    count = len(_BODY) if poses.shape[1] == _SMPL else _BODY_JOINTS
    turns = np.zeros((len(root), len(_BODY), 3))
    turns[:, :count] = poses[:, : 3 * count].reshape(len(root), count, 3)
    rotations = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(*turns.shape, 3)
    if _z_is_up(rotations):
        root, rotations[:, 0] = _UPRIGHT.apply(root), _UPRIGHT.as_matrix() @ rotations[:, 0]
    return MotionData(_BODY, float(rate.item()), None, rotations.astype(np.float32), root.astype(np.float32))


def _z_is_up(rotations: Float64Array) -> bool:
    positions = forward_kinematics(_BODY, rotations, np.zeros((len(rotations), 3)))
    feet = positions[:, [_BODY.index("lankle"), _BODY.index("rankle")]].mean(1)
    _, y, z = (positions[:, _BODY.index("head")] - feet).mean(0)
    return bool(z > abs(y))


def _numbers(arrays: Mapping[str, AnyArray], name: str) -> Float64Array:
    if arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all():
        raise MotionError(f"{name} holds something else than finite numbers")
    return arrays[name].astype(np.float64)
