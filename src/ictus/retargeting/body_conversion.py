"""From the dancer's body to the points that other corpora know: coco-17 and melody-21, in space."""

import numpy as np

from ictus.errors import MotionError, UsageError
from ictus.kinematics import global_pose
from ictus.retargeting import M, moved
from ictus.skeleton import get_skeleton

_Point = tuple[str, tuple[float, float, float]]

# Each point hangs on a joint of smpl-24, at a place in its axes (metres; left, up, forwards). Those of the right side
# mirror those of the left. The face is the conductor's; Dance with Melody's markers are placed so that the lengths
# between them are about those of its corpus.
_POINTS: dict[str, dict[str, _Point]] = {
    "coco-17": {
        "nose": ("head", (0, 0.045, 0.1)),
        "left_eye": ("head", (0.032, 0.08, 0.08)),
        "left_ear": ("head", (0.075, 0.05, -0.005)),
        **{f"left_{name}": (f"l{name}", (0, 0, 0)) for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")},
    },
    "melody-21": {
        "head_l": ("head", (0.055, 0.1, 0)),
        "waist": ("spine", (0, 0, 0)),
        "shoulder_l": ("lshoulder", (0, 0.04, 0)),
        **{f"{name}_l": (f"l{name}", (0, 0, 0)) for name in ("elbow", "wrist", "hand", "knee", "ankle")},
        "waist_l": ("root", (0.11, 0.03, 0)),
        "heel_l": ("lankle", (0, -0.05, -0.06)),
        "toe_l": ("ltoes", (0, 0, 0.02)),
    },
}


def convert(motion: M, body: str) -> M:
    """Return the points of another body as they move with a dancer, (T, J, 3) metres at the same frame rate.

    Parameters
    ----------
    motion : smpl-24 with rotations.
    body : "coco-17", or "melody-21"; sides go by their names (see `ictus.skeleton` on those of Dance with Melody).

    Raises
    ------
    UsageError
        If no points of that body are known.
    MotionError
        If the motion is of another skeleton, or has no rotations.
    """
    if body not in _POINTS:
        raise UsageError(f"a dancer cannot be seen as {body!r}; known are {', '.join(_POINTS)}")
    source, target = motion.skeleton, get_skeleton(body)
    if source.name != "smpl-24" or motion.rotations is None or motion.root is None:
        raise MotionError(f"this motion of {source.name} cannot be seen as {body}: give smpl-24 with rotations")
    places, turned = global_pose(source, motion.rotations, motion.root)
    points = np.empty((len(places), len(target), 3), np.float32)
    for number, name in enumerate(target.joints):
        known = _POINTS[body].get(name)
        joint, offset = known or _POINTS[body][target.joints[target.mirror[number]]]
        side = source.index(joint) if known else source.mirror[source.index(joint)]
        points[:, number] = places[:, side] + turned[:, side] @ (np.array(offset) * (1 if known else -1, 1, 1))
    return moved(motion, target, points)
