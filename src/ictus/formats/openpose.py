"""OpenPose's output: a folder with one JSON file for each frame, the BODY_25 points of one person.

    <folder>/<folder's name>_000000000000_keypoints.json
    {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, confidence, ...], ...}]}

2-D motions fill `pose_keypoints_2d`, in pixels or whatever unit they have; 3-D ones `pose_keypoints_3d` (x, y, z,
confidence). Points that the body does not have, as the toes of coco-17, are zeros of confidence 0.

A player's keypoints are read from such a folder, of BODY_25 or COCO's 18 points, with the hands if OpenPose was asked
for them (`--hand`); of several people one is followed.
Source: CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ictus.documents import read_json
from ictus.errors import MotionError
from ictus.files import short, writing
from ictus.formats import Keypoints, MotionData
from ictus.formats.solos import ARMS, BODY, HAND, checked, followed, joined
from ictus.types import Float32Array

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
_POSES = (25, 18)  # points of BODY_25 and of COCO; the nose and the arms come first in both
_NUMBER = re.compile(r"(\d+)_keypoints$")


def read(folder: Path) -> Keypoints:
    """Read a player's arms and hands, solos-47, in pixels; the format holds no frame rate.

    Raises
    ------
    MotionError
        If there are no such files, one is damaged or holds other numbers, or many frames are missing.
    """
    files = [(int(found[1]), file) for file in folder.glob("*.json") if (found := _NUMBER.search(file.stem))]
    if not files:
        raise MotionError(f"{folder}: holds no *_keypoints.json of OpenPose")
    if len({number for number, _ in files}) < len(files):
        films = sorted({_NUMBER.sub("", file.stem) for _, file in files})
        raise MotionError(f"{folder}: holds the pages of several films ({short(', '.join(films))}); give each a folder")
    people = {number: _people(file) for number, file in files}
    return Keypoints(checked(followed(people, str(folder)), str(folder)), None)


def _people(file: Path) -> list[Float32Array]:
    """Return (47, 3) of each person in a frame."""
    content = read_json(file, MotionError)
    try:
        return [_person(person) for person in content["people"]]
    except MotionError as error:
        raise MotionError(f"{file}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MotionError(f'{file}: is no page of OpenPose\'s, with "people" and their keypoints') from error


def _person(person: dict[str, Any]) -> Float32Array:
    lists = {part: np.array(_numbers(person, part), np.float32) for part in _PARTS}
    pose, hands = lists["pose"], [lists["hand_right"], lists["hand_left"]]
    if pose.size not in [3 * count for count in _POSES]:
        raise MotionError(f"a body of {pose.size} numbers; BODY_25 has 75, COCO 54")
    if any(hand.size not in (0, 3 * HAND) for hand in hands):
        raise MotionError(f"hands of {hands[0].size} and {hands[1].size} numbers; OpenPose's have {3 * HAND}")
    # The peaks of a heat map reach a little over 1.
    points = [np.clip(x.reshape(-1, 3), None, (np.inf, np.inf, 1)) for x in (pose, *hands)]
    right, left = (hand if len(hand) else np.zeros((HAND, 3), np.float32) for hand in points[1:])
    arms = {name: points[0][None, 1 + number] for number, name in enumerate(BODY.joints[:ARMS])}
    player: Float32Array = joined(arms, right[None], left[None])[0]
    return player


def _numbers(person: dict[str, Any], part: str) -> list[float]:
    """Return a list of x, y, confidence; up to version 1.1 its name does not end with "_2d"."""
    return person.get(f"{part}_keypoints_2d") or person.get(f"{part}_keypoints") or []


def write(folder: Path, data: MotionData) -> None:
    """Write a file for each frame.

    Parameters
    ----------
    folder : is made if it is not there.
    data : positions (T, J, 2|3) of coco-17, conductor-13 or another body whose joints have COCO's names.

    Raises
    ------
    MotionError
        If there are no positions, or no shoulder, elbow or wrist of these names.
    IctusError
        If the folder cannot be written to.
    """
    for frame, points in enumerate(body_25(data).tolist()):
        numbers = [round(number, 6) for point in points for number in point]
        with writing(folder / f"{folder.name}_{frame:012}_keypoints.json") as temporary:
            temporary.write_text(json.dumps(_page(numbers, depth=len(points[0]) - 1)))


def write_points(folder: Path, body: Float32Array, left: Float32Array, right: Float32Array) -> None:
    """Write a file for each frame, of points with their confidence, and with hands.

    Parameters
    ----------
    body : (T, 25, 3) of BODY_25: pixels and the confidence.
    left, right : (T, 21, 3) hands, the wrist first.
    """
    for frame, parts in enumerate(zip(body, left, right, strict=True)):
        pose, hands = _triples(parts[0]), {"hand_left": _triples(parts[1]), "hand_right": _triples(parts[2])}
        people = _page(pose, depth=2)
        people["people"][0] |= {f"{name}_keypoints_2d": numbers for name, numbers in hands.items()}
        if not (parts[0][:, 2] > 0).any():
            people["people"] = []
        with writing(folder / f"{folder.name}_{frame:012}_keypoints.json") as temporary:
            temporary.write_text(json.dumps(people))


def _triples(points: Float32Array) -> list[float]:
    known = np.where(points[:, 2:] > 0, points, 0)
    return [round(float(number), 3) for number in known.ravel()]


def body_25(data: MotionData) -> Float32Array:
    """Return (T, 25, 3|4): the coordinates and the confidence, 1 or 0, of each of BODY_25's points."""
    joints, positions = data.skeleton.joints, data.positions
    if positions is None or "right_wrist" not in joints:
        raise MotionError(f"OpenPose knows coco-17, and this motion is of {data.skeleton.name}; convert it first")
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
