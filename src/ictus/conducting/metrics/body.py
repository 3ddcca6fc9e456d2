"""How a body moves: smoothness, rigid bones, the part of the left hand, and how much two conductors differ."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ictus.conducting.metrics.inputs import Given, as_motion
from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.types import Float64Array, FloatArray

WRISTS = ("left_wrist", "right_wrist")


def jerk(motion: Given, fps: float | None = None) -> float:
    """Mean squared jerk of all joints, from third differences: (units / s^3)^2, where conductor-23 is in metres.

    A unit of conductor-13 is the picture's side, five times the width of the shoulders.

    Parameters
    ----------
    motion : Motion, or (T, 13, 2) or (T, 23, 3) at `fps` (30 if not given); T >= 4.
    """
    given = as_motion(motion, fps)
    if len(given) < 4:
        raise UsageError(f"the motion has {len(given)} frames; its jerk needs at least 4")
    third = np.diff(given.positions.astype(np.float64), 3, axis=0) * given.fps**3  # (T - 3, J, 2|3)
    return float((third**2).sum(-1).mean())


def bone_length_constancy(motion: Given) -> float:
    """Coefficient of variation of a bone's length over time, mean over the bones: 0 where bones are rigid; no unit.

    In a picture a bone also changes its length by turning towards the camera, so that only bodies in 3-D, or two
    motions seen by the same camera, should be compared.

    Parameters
    ----------
    motion : Motion, or (T, 13, 2) or (T, 23, 3).
    """
    given = as_motion(motion)
    positions = given.positions.astype(np.float64)
    starts, ends = np.array(given.skeleton.bones).T
    length = np.linalg.norm(positions[:, starts] - positions[:, ends], axis=-1)  # (T, bones)
    mean = length.mean(0)
    return float((length.std(0) / np.where(mean > 0, mean, 1)).mean())


def left_right_correlation(motion: Given) -> float:
    """Pearson's correlation of the wrists' vertical velocities: 1 where the left hand mirrors the right, 0 at rest.

    From -1 to 1; no unit.

    Parameters
    ----------
    motion : Motion, or (T, 13, 2) or (T, 23, 3); T >= 3.
    """
    given = as_motion(motion)
    if len(given) < 3:
        raise UsageError(f"the motion has {len(given)} frames; a correlation needs at least 3")
    left, right = np.diff(wrist_heights(given), axis=1)
    if not (np.ptp(left) and np.ptp(right)):
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def diversity(motions: Sequence[Given] | FloatArray) -> float:
    """Mean distance between every two motions, in their units: root mean square over frames and joints.

    Parameters
    ----------
    motions : N >= 2 motions of one body and length (made for one music with several seeds), or (N, T, 13|23, 2|3).
    """
    given = [as_motion(motion) for motion in motions]
    if len(given) < 2:
        raise UsageError(f"diversity of {len(given)} motions; at least two are needed")
    if len({(m.skeleton.name, m.positions.shape, m.fps) for m in given}) > 1:
        raise UsageError("the motions differ in skeleton, length or frame rate; make them for the same music")
    pairs = combinations([m.positions.astype(np.float64) for m in given], 2)
    return float(np.mean([np.sqrt(((a - b) ** 2).sum(-1).mean()) for a, b in pairs]))


def wrist_heights(motion: Motion) -> Float64Array:
    """(2, T): how high the left and the right wrist are; pictures (2-D) have y down, bodies (3-D) have y up."""
    wrists = [motion.skeleton.index(name) for name in WRISTS]
    up = -1 if motion.positions.shape[-1] == 2 else 1
    return up * motion.positions[:, wrists, 1].T.astype(np.float64)
