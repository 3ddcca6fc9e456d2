"""Files of keypoints: a track as .npz, .npy or .json, or as a folder of OpenPose."""

from pathlib import Path
from typing import Literal

import numpy as np

from ictus.files import writing
from ictus.formats import MotionData, landmarks, npz, openpose, solos, wholebody
from ictus.pose.bodies import about, motion_of, points_of
from ictus.pose.person_track import Track
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array

SUFFIXES = (".npz", ".npy", ".json")
Keypoints = Literal["coco", "openpose"]
_WHOLE = "blaze-75"


def save_keypoints(track: Track, out: Path, skeleton: str = _WHOLE, keypoints: Keypoints | None = None) -> None:
    """Write a track; the suffix names the format.

    .npz      a motion of the body, and its `confidence`; of blaze-75 also MediaPipe's landmarks, and `world` metres
    .npy      solos-47 as Solos has it, at 25 frames a second; conductor-13 as ConductorMotion100 has it, at 30;
              coco-17: (T, 17, 3) pixels and confidence; blaze-75: MediaPipe's landmarks (T, 75, 4)
    .json     a motion of ours, or with "coco" COCO-WholeBody's annotations
    a folder  with "openpose", OpenPose's files

    Raises
    ------
    MotionError
        If the track has not the points of the body.
    IctusError
        If it cannot be written.
    """
    if keypoints == "openpose" and not out.suffix:
        points = points_of(track, _WHOLE)
        openpose.write_points(out, body_25(points), points[:, 33:54], points[:, 54:])
    elif keypoints == "coco" and out.suffix.lower() == ".json":
        _save_coco(track, out)
    elif out.suffix.lower() == ".npz":
        _save_npz(track, out, skeleton)
    elif out.suffix.lower() == ".npy" and skeleton != "conductor-13":
        _save_npy(track, out, skeleton)
    else:
        motion_of(track, skeleton).save(out)


def body_25(points: Float32Array) -> Float32Array:
    """Return OpenPose's (T, 25, 3) of points (T, 75, 3) of blaze-75; a point between two is as sure as the less sure.

    Where a foot has one toe, it is the big one.
    """
    names = get_skeleton(_WHOLE).joints
    result = np.zeros((len(points), len(openpose.BODY_25), 3), np.float32)
    for number, between in enumerate(openpose.BODY_25):
        own = [name.replace("big_toe", "foot_index") for name in between]
        if all(name in names for name in own):
            there = points[:, [names.index(name) for name in own]]
            result[:, number, :2], result[:, number, 2] = there[..., :2].mean(1), there[..., 2].min(1)
    return result


def _save_coco(track: Track, out: Path) -> None:
    points, names = points_of(track, _WHOLE), get_skeleton(_WHOLE).joints
    feet = np.zeros((len(points), 6, 3), np.float32)
    for start, side in ((0, "left"), (3, "right")):
        for place, name in ((0, "foot_index"), (2, "heel")):
            feet[:, start + place] = points[:, names.index(f"{side}_{name}")]
    meta = {"fps": track.fps, **about(track)}
    with writing(out) as temporary:
        wholebody.write(temporary, points_of(track, "coco-17"), feet, points[:, 33:], meta)


def _save_npz(track: Track, out: Path, skeleton: str) -> None:
    motion, points = motion_of(track, skeleton), points_of(track, skeleton)
    beside = {"confidence": points[..., 2]}
    if skeleton == _WHOLE:
        beside |= {"size": np.array(track.size), **landmarks.parts(landmarks.rows(points, track.size))}
        if track.world is not None:
            beside["world"] = track.world
    data = MotionData(motion.skeleton, motion.fps, motion.positions, meta=dict(motion.meta))
    with writing(out) as temporary:
        npz.write(temporary, data, beside)


def _save_npy(track: Track, out: Path, skeleton: str) -> None:
    if skeleton == "solos-47":
        points = points_of(track.resampled(solos.FPS), skeleton)
        with writing(out) as temporary:
            solos.write(temporary, points)
        return
    points = points_of(track, skeleton)
    array = landmarks.rows(points, track.size) if skeleton == _WHOLE else points
    with writing(out) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
