"""OpenPose's output: a folder with one JSON file for each frame, the BODY_25 points of one person.

    <folder>/<folder's name>_000000000000_keypoints.json
    {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, confidence, ...], ...}]}

2-D motions fill `pose_keypoints_2d`, in pixels or whatever unit they have; 3-D ones `pose_keypoints_3d` (x, y, z,
confidence). Points that the body does not have, as the toes of coco-17, are zeros of confidence 0.
Source: CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.errors import MotionError
from ictus.files import writing
from ictus.formats import Recording

# Each of BODY_25's points lies in the middle of these joints.
BODY_25: tuple[tuple[str, ...], ...] = (
    ("nose",),
    ("left_shoulder", "right_shoulder"),
    *((f"right_{name}",) for name in ("shoulder", "elbow", "wrist")),
    *((f"left_{name}",) for name in ("shoulder", "elbow", "wrist")),
    ("left_hip", "right_hip"),
    *((f"right_{name}",) for name in ("hip", "knee", "ankle")),
    *((f"left_{name}",) for name in ("hip", "knee", "ankle")),
    *(("right_eye",), ("left_eye",), ("right_ear",), ("left_ear",)),
    *((f"left_{name}",) for name in ("big_toe", "small_toe", "heel")),
    *((f"right_{name}",) for name in ("big_toe", "small_toe", "heel")),
)
_PARTS = ("pose", "face", "hand_left", "hand_right")


def write(folder: Path, recording: Recording) -> None:
    """Write a file for each frame.

    Parameters
    ----------
    folder : is made if it is not there.
    recording : positions (T, J, 2|3) of coco-17, conductor-13 or another body whose joints have COCO's names.

    Raises
    ------
    MotionError
        If there are no positions, or no shoulder, elbow or wrist of these names.
    IctusError
        If the folder cannot be written to.
    """
    for frame, points in enumerate(body_25(recording).tolist()):
        numbers = [round(number, 6) for point in points for number in point]
        with writing(folder / f"{folder.name}_{frame:012}_keypoints.json") as temporary:
            temporary.write_text(json.dumps(_page(numbers, depth=len(points[0]) - 1)))


def body_25(recording: Recording) -> NDArray[np.float32]:
    """Return (T, 25, 3|4): the coordinates and the confidence, 1 or 0, of each of BODY_25's points."""
    joints, positions = recording.skeleton.joints, recording.positions
    if positions is None or "right_wrist" not in joints:
        raise MotionError(f"OpenPose knows coco-17, and this motion is of {recording.skeleton.name}; convert it first")
    points = np.zeros((len(positions), len(BODY_25), positions.shape[2] + 1), np.float32)
    for number, between in enumerate(BODY_25):
        if set(between) <= set(joints):
            points[:, number, :-1] = positions[:, [joints.index(name) for name in between]].mean(1)
            points[:, number, -1] = 1
    return points


def _page(numbers: list[float], depth: int) -> dict[str, Any]:
    """Return what a file holds: the points in their place among all the lists that OpenPose gives a person."""
    lists: dict[str, Any] = {f"{part}_keypoints_{d}d": [] for d in (2, 3) for part in _PARTS}
    return {"version": 1.3, "people": [{"person_id": [-1], **lists, f"pose_keypoints_{depth}d": numbers}]}
