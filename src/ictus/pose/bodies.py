"""From a track to the bodies that others know: solos-47, coco-17, conductor-13, in the plane."""

from typing import Any

import numpy as np

from ictus.errors import MotionError
from ictus.files import quoted
from ictus.formats.solos import ARMS, HAND, joined
from ictus.motion import Motion
from ictus.pose.person_track import Track
from ictus.skeleton import Skeleton, get_skeleton
from ictus.types import Float32Array

BODIES = ("solos-47", "coco-17", "conductor-13", "blaze-75")
_SOLOS = get_skeleton("solos-47")
_SHOULDER_WIDTH, _HIPS = 0.2, np.array([0.5, 0.75])  # ConductorMotion100's normalisation


def points_of(track: Track, skeleton: str) -> Float32Array:
    """Return (T, J, 3): pixels and the confidence, of a body that others know.

    Raises
    ------
    MotionError
        If there is no such body, or the engine does not find its points.
    """
    if skeleton not in BODIES:
        raise MotionError(f"no body {quoted(skeleton)} can be made of a film; choose one of {', '.join(BODIES)}")
    points = np.concatenate((track.points, track.confidence[..., None]), -1)
    own = track.skeleton
    if skeleton == "solos-47":
        arms = {name: points[:, own.index(name)] for name in _SOLOS.joints[1:ARMS]}
        right, left = (points[:, _hand(own, side)] for side in ("right", "left"))
        return joined(arms, right, left)
    return points[:, [own.index(name) for name in get_skeleton(skeleton).joints]].astype(np.float32)


def motion_of(track: Track, skeleton: str) -> Motion:
    """Return a track as a motion of such a body; conductor-13 as ConductorMotion100 has it, others in pixels."""
    points = points_of(track, skeleton)
    places = points[..., :2]
    if skeleton == "conductor-13":
        places = _normalised(places, points[..., 2])
    return Motion(places, track.fps, get_skeleton(skeleton), meta=about(track))


def about(track: Track) -> dict[str, Any]:
    """Return what a file says beside the points, in JSON's types."""
    return {
        "film": track.film.name if track.film else None,
        "size": list(track.size),
        "start": track.start,
        "nobody": [list(map(float, gap)) for gap in track.nobody],
        "cuts": list(track.cuts),
    }


def _hand(skeleton: Skeleton, side: str) -> list[int]:
    wrist = skeleton.index(f"{side}_hand_wrist")
    return list(range(wrist, wrist + HAND))


def _normalised(points: Float32Array, confidence: Float32Array) -> Float32Array:
    """Scale (T, 13, 2) so that the shoulders are 0.2 apart, in the median, and the hips' middle is (0.5, 0.75)."""
    body = get_skeleton("conductor-13")
    left, right = body.index("left_shoulder"), body.index("right_shoulder")
    sure = confidence[:, [left, right]].min(1) > 0
    sure = sure if sure.any() else np.ones(len(points), bool)
    width = np.median(np.linalg.norm(points[sure, left] - points[sure, right], axis=-1))
    hips = points[:, [body.index("left_hip"), body.index("right_hip")]].mean(1)
    scaled = (points - np.median(hips[sure], 0)) * (_SHOULDER_WIDTH / max(float(width), 1e-6)) + _HIPS
    return np.asarray(scaled, np.float32)
