"""A person in space: from points about the hips, and from place and size in the picture, to a dancer's body.

    Track -> lifter, or the engine's own metres -> path over the floor -> inverse kinematics -> dancer

Source of the inverse kinematics: `ictus.retargeting.pose_fitting`.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.pose.bodies import about
from ictus.pose.person_track import Track
from ictus.retargeting.pose_fitting import posed, posed_joints
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array, FloatArray

_POINTS, _DANCER = get_skeleton("melody-21"), get_skeleton("smpl-24")
_FOCAL = 1.2  # of the camera, by the picture's larger side: about 45 degrees, as telephones and camcorders have
_CALM = 0.25  # seconds, by which the distance from the camera is smoothed: it is known less well than all else
_LOW = 10  # percentile of the frames, by how low the feet are
_SEEN = 0.5  # the confidence of what is seen
_FEET = ("heel", "foot_index")


def in_space(track: Track, *, lifted: bool = False) -> Motion:
    """Return the person as a dancer, smpl-24, whose bones have constant lengths, on a floor.

    Metres, y up; the camera stands at greater z. A point that the film does not show is the network's guess.

    Parameters
    ----------
    lifted : whether the lifter says where the joints are, of a track of blaze-75, instead of the engine's own points in
        space. It is for whole bodies: of players behind instruments it makes the arms worse (docs/pose.md).

    Raises
    ------
    MotionError
        If the engine knows no space.
    """
    if track.world is None:
        raise MotionError("this engine finds no points in space; only files in the plane can be made of its tracks")
    if lifted:
        return _on_the_floor(posed_joints(_lifted(track)))
    return _on_the_floor(posed(_as_found(track), sides_known=True))


def _lifted(track: Track) -> Motion:
    """Return the joints of the dancer, on their path."""
    from ictus.pose.lifter import lift  # loads torch

    joints = lift(track).astype(np.float64)  # (T, 24, 3)
    hips, feet = ([_DANCER.index(side + name) for side in "lr" for name in part] for part in (("hip",), ("toes",)))
    lowest = (joints - joints[:, hips].mean(1, keepdims=True))[:, feet, 1].min(1)
    path = _path(track, np.asarray(track.world), lowest)
    return Motion((joints + path[:, None]).astype(np.float32), track.fps, _DANCER, meta=about(track))


def _as_found(track: Track) -> Motion:
    """Return the engine's points in space, on their path."""
    names = track.skeleton.index
    world = np.asarray(track.world, np.float64)  # (T, J, 3)

    def at(*joints: str) -> Float64Array:
        return np.asarray(world[:, [names(joint) for joint in joints]].mean(1))

    points = {"head_l": at("left_ear"), "head_r": at("right_ear")}
    points["waist"] = 0.8 * at("left_hip", "right_hip") + 0.2 * at("left_shoulder", "right_shoulder")
    for side, of in (("l", "left"), ("r", "right")):
        for ours, own in (("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("waist", "hip")):
            points[f"{ours}_{side}"] = at(f"{of}_{own}")
        points[f"hand_{side}"] = at(f"{of}_index", f"{of}_pinky")
        for ours, own in (("knee", "knee"), ("ankle", "ankle"), ("heel", "heel"), ("toe", "foot_index")):
            points[f"{ours}_{side}"] = at(f"{of}_{own}")
    body = np.stack([points[name] for name in _POINTS.joints], 1)
    feet = [names(f"{side}_{joint}") for side in ("left", "right") for joint in _FEET]
    path = _path(track, world, world[:, feet, 1].min(1))
    return Motion((body + path[:, None]).astype(np.float32), track.fps, _POINTS, meta=about(track))


def _on_the_floor(motion: Motion) -> Motion:
    """Move a dancer up or down so that the soles touch the floor where they are lowest, but for a few frames."""
    body = motion.skeleton
    toes = [body.index("ltoes"), body.index("rtoes")]
    rest = 0.0 if body.rest is None else float(body.rest[toes, 1].min())
    lift = rest - float(np.percentile(motion.positions[:, toes, 1].min(1), _LOW))
    up = np.array([0, lift, 0], np.float32)
    root = None if motion.root is None else motion.root + up
    return replace(motion, positions=motion.positions + up, root=root)


def feet_seen(track: Track) -> bool:
    """Return whether an ankle is seen in most frames; otherwise, as of who sits, the legs are a guess."""
    ankles = [track.skeleton.index(f"{side}_ankle") for side in ("left", "right")]
    return bool((track.confidence[:, ankles].max(1) > _SEEN).mean() > 1 / 2)


def _path(track: Track, world: FloatArray, lowest: FloatArray) -> Float64Array:
    """Return where the hips are (T, 3).

    Along the picture and in depth by place and size; in height by the feet, if they are seen: by their lowest point
    (T,), metres from the hips.
    """
    names = track.skeleton.index
    trunk = [names(f"{side}_{joint}") for side in ("left", "right") for joint in ("shoulder", "hip")]
    seen, metres = track.points[:, trunk].astype(np.float64), world[:, trunk, :2]
    middle = seen.mean(1)
    spread = np.sqrt(((seen - middle[:, None]) ** 2).sum((1, 2)))
    scale = spread / np.maximum(np.sqrt(((metres - metres.mean(1, keepdims=True)) ** 2).sum((1, 2))), 1e-3)
    scale = np.exp(gaussian_filter1d(np.log(np.maximum(scale, 1e-3)), _CALM * track.fps, mode="nearest"))
    distance = _FOCAL * max(track.size) / scale  # metres
    hips = seen[:, 1::2].mean(1)
    across = (hips[:, 0] - track.size[0] / 2) / scale
    height = -lowest if feet_seen(track) else np.full(len(track), -np.median(lowest))
    return np.stack((across - np.median(across), height, np.median(distance) - distance), 1)
