"""Between the 3-D body and the 13 keypoints of a camera in front of it, as ConductorMotion100 holds them."""

import numpy as np

from ictus.errors import MotionError
from ictus.retargeting import M, moved, positions_of
from ictus.retargeting.conductor_body import BODY, Gestures, embody
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

_SHOULDER_WIDTH = 0.2  # of the picture's side
_HIPS = np.array([0.5, 0.75])


def project(motion: M) -> M:
    """Return the conductor-13 keypoints of a conductor-23 motion, in CM100's normalisation.

    Orthographic, seen from the front (the conductor's right hand on the picture's left), y down; the shoulders are 1/5
    apart on average and the hips' mean lies at (0.5, 0.75).
    """
    target = get_skeleton("conductor-13")
    if motion.skeleton.name == target.name:
        return motion
    if motion.skeleton.name != "conductor-23":
        raise MotionError(f"a {motion.skeleton.name} motion cannot be seen as conductor-13; give a conductor's motion")
    seen = positions_of(motion)[:, [motion.skeleton.index(name) for name in target.joints], :2] * (1, -1)
    left, right = target.index("left_shoulder"), target.index("right_shoulder")
    width = float(np.linalg.norm(seen[:, left] - seen[:, right], axis=-1).mean())
    hips = seen[:, [target.index("left_hip"), target.index("right_hip")]].mean((0, 1))
    positions = (seen - hips) * (_SHOULDER_WIDTH / width) + _HIPS
    return moved(motion, target, positions.astype(np.float32))


def lift(motion: M) -> M:
    """Return a conductor-23 body that moves as conductor-13 keypoints do, for formats that need a 3-D hierarchy.

    The picture says nothing of depth: each hand is put as far in front of its shoulder as a bent arm brings it (four
    fifths of its length away), and the elbows follow by inverse kinematics.
    """
    if motion.skeleton.name == BODY.name:
        return motion
    if motion.skeleton.name != "conductor-13":
        raise MotionError(f"a {motion.skeleton.name} motion has no conductor's body; give conductor-13")
    seen = dict(zip(motion.skeleton.joints, np.moveaxis(positions_of(motion).astype(np.float64), 1, 0), strict=True))
    standing = dict(zip(BODY.joints, np.zeros((0, 3)) if BODY.rest is None else BODY.rest, strict=True))
    scale = float(standing["left_shoulder"][0] - standing["right_shoulder"][0]) / _SHOULDER_WIDTH
    hip_height = float(standing["left_hip"][1])

    def metres(name: str) -> Float64Array:
        return np.asarray((seen[name] - _HIPS) * (scale, -scale) + (0.0, hip_height))

    hips = (metres("left_hip") + metres("right_hip")) / 2
    chest = (metres("left_shoulder") + metres("right_shoulder")) / 2
    lean = np.arctan2(chest[:, 0] - hips[:, 0], np.maximum(chest[:, 1] - hips[:, 1], 0.2))
    ears = metres("left_ear") - metres("right_ear")
    nose = metres("nose") - (metres("left_ear") + metres("right_ear")) / 2
    look = np.arcsin(np.clip(nose[:, 0] / 0.12, -0.9, 0.9))
    nod = np.arcsin(np.clip(-nose[:, 1] / 0.12, -0.6, 0.6))
    still = np.zeros(len(positions_of(motion)))
    gestures = Gestures(
        right=_with_depth(metres("right_wrist"), metres("right_shoulder")),
        left=_with_depth(metres("left_wrist"), metres("left_shoulder")),
        left_palm=still,
        lean=still + 0.04,
        turn=0.3 * look,
        sway=-lean,
        nod=nod,
        look=0.7 * look * (np.abs(ears[:, 0]) > 0.02),
        breath=still + 0.5,
        shift=hips[:, 0],
    )
    return moved(motion, BODY, *embody(gestures, motion.fps))


def _with_depth(wrist: Float64Array, shoulder: Float64Array) -> Float64Array:
    arm = sum(float(np.linalg.norm(BODY.offsets[BODY.index(name)])) for name in ("left_elbow", "left_wrist"))
    flat = np.linalg.norm(wrist - shoulder, axis=1)
    depth = np.sqrt(np.maximum((0.8 * arm) ** 2 - flat**2, 0.12**2))
    return np.concatenate([wrist, depth[:, None]], axis=1)
