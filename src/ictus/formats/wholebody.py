"""COCO-WholeBody's 133 points, as pose estimators write them into one JSON file.

| who | content |
|---|---|
| MMPose | `[{"frame_id": n, "instances": [{"keypoints": [133 x [x, y]], "keypoint_scores": [133]}]}]`, |
| | or the same list as `"instance_info"` of an object |
| COCO's results, AlphaPose | `[{"image_id": n or "n.jpg", "keypoints": [133 x (x, y, score)]}]` |
| COCO-WholeBody | `{"images": [...], "annotations": [...]}`, whose annotations are such results, or hold |
| | `keypoints` (17), `lefthand_kpts` (21) and `righthand_kpts` (21), each point x, y, visibility |

The points are 17 of the body, 6 of the feet, 68 of the face, 21 of the left hand, 21 of the right. Pixels, x right and
y down. Scores and visibilities over 1 count as 1. Of several people one is followed. Only `info.fps` gives a frame
rate, where there is one.
Source: Jin et al., "Whole-Body Human Pose Estimation in the Wild", ECCV 2020, and data_format.md of its repository.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ictus.documents import read_json
from ictus.errors import MotionError
from ictus.files import quoted
from ictus.formats import Keypoints, check_fps
from ictus.formats.solos import HAND, checked, followed, joined
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array

_POINTS = 133
_LEFT, _RIGHT = 91, 112  # where the hands begin
_COCO = get_skeleton("coco-17")
_ARMS = [name for name in _COCO.joints if name.endswith(("shoulder", "elbow", "wrist"))]
_NUMBER = re.compile(r"(\d+)\D*$")  # the last in a file's name


def read(path: Path) -> Keypoints:
    """Read a player's arms and hands, solos-47, in pixels.

    Raises
    ------
    MotionError
        If the file is no such JSON, or holds other points.
    """
    content = read_json(path, MotionError)
    try:
        people = _by_frame(content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MotionError("is JSON, but no keypoints of COCO-WholeBody or MMPose") from error
    return Keypoints(checked(followed(people, str(path)), str(path)), _fps(path, content))


def write(path: Path, body: Float32Array, feet: Float32Array, hands: Float32Array, meta: dict[str, Any]) -> None:
    """Write one person's points as COCO-WholeBody's annotations, with an image for each frame.

    Parameters
    ----------
    body : (T, 17, 3) of coco-17: pixels and the confidence.
    feet : (T, 6, 3): big toe, small toe and heel, of the left foot first.
    hands : (T, 42, 3): the left hand, then the right, each the wrist and then the fingers.
    meta : "fps", "size" (width, height), and what else there is to say, in JSON's types.
    """
    groups = {"keypoints": body, "foot_kpts": feet, "lefthand_kpts": hands[:, :HAND], "righthand_kpts": hands[:, HAND:]}
    width, height = meta["size"]
    content = {
        "info": {"description": "written by ictus", **meta},
        "images": [
            {"id": frame, "file_name": f"{frame:06}.jpg", "width": width, "height": height}
            for frame in range(len(body))
        ],
        "annotations": [
            _annotation(frame, {name: points[frame] for name, points in groups.items()})
            for frame in range(len(body))
            if (body[frame, :, 2] > 0).any()
        ],
        "categories": [
            {
                "id": 1,
                "name": "person",
                "keypoints": list(_COCO.joints),
                "skeleton": [[a + 1, b + 1] for a, b in _COCO.bones],
            }
        ],
    }
    path.write_text(json.dumps(content))


def _annotation(frame: int, groups: dict[str, Float32Array]) -> dict[str, Any]:
    """Return what is said of a frame: points (n, 3) of each group, of which the first is the body."""
    shown = [points[points[:, 2] > 0, :2] for points in groups.values()]
    low, high = np.concatenate(shown).min(0), np.concatenate(shown).max(0)
    lists = {
        name: np.where(points[:, 2:] > 0, points, 0).round(3).astype(np.float64).ravel().tolist()
        for name, points in groups.items()
    }
    return {
        **{"id": frame, "image_id": frame, "category_id": 1, "iscrowd": 0},
        **{name: [round(number, 3) for number in numbers] for name, numbers in lists.items()},
        **{f"{name.removesuffix('_kpts')}_valid": bool(groups[name][:, 2].any()) for name in list(groups)[1:]},
        "num_keypoints": len(shown[0]),
        "bbox": [round(float(number), 3) for number in (*low, *(high - low))],
        "area": round(float(np.prod(high - low)), 3),
    }


def _by_frame(content: Any) -> dict[int, list[Float32Array]]:
    """Return (47, 3) of each person, by the number of the frame."""
    if isinstance(content, dict) and "annotations" in content:
        people: dict[int, list[Float32Array]] = {_frame(image["id"]): [] for image in content.get("images", [])}
        entries = content["annotations"]
    else:
        people, entries = {}, content["instance_info"] if isinstance(content, dict) else content
    for entry in entries:
        frame = people.setdefault(_frame(entry["frame_id" if "instances" in entry else "image_id"]), [])
        frame += [_person(person) for person in entry.get("instances", [entry])]
    return people


def _frame(name: int | str) -> int:
    """Return the number of a frame, given as that or as the name of its picture."""
    if isinstance(name, int):
        return name
    if (found := _NUMBER.search(Path(name).stem)) is None:
        raise MotionError(f"a picture is called {quoted(name)}, without a number that gives its place in the film")
    return int(found[1])


def _person(person: dict[str, Any]) -> Float32Array:
    """Return (47, 3)."""
    points = np.array(person["keypoints"], np.float32)
    if "keypoint_scores" in person:
        points = np.concatenate((points.reshape(-1, 2), np.array(person["keypoint_scores"], np.float32)[:, None]), 1)
    elif "lefthand_kpts" in person:
        points = _whole(points, person["lefthand_kpts"], person["righthand_kpts"])
    if points.size != 3 * _POINTS:
        raise MotionError(
            f"a person has {points.size // 3} points; players need the {_POINTS} of COCO-WholeBody, with hands"
        )
    # A score below 0 means that nothing was found, as 0 does.
    points = np.clip(points.reshape(1, _POINTS, 3), (-np.inf, -np.inf, 0), (np.inf, np.inf, 1)).astype(np.float32)
    arms = {name: points[:, _COCO.index(name)] for name in _ARMS}
    player: Float32Array = joined(arms, points[:, _RIGHT : _RIGHT + HAND], points[:, _LEFT : _LEFT + HAND])[0]
    return player


def _whole(body: Float32Array, left: Iterable[float], right: Iterable[float]) -> Float32Array:
    """Return (133, 3) of the lists of an annotation, without feet and face."""
    lists = [body.reshape(-1, 3), *(np.array(hand, np.float32).reshape(-1, 3) for hand in (left, right))]
    if [len(points) for points in lists] != [len(_COCO), HAND, HAND]:
        raise MotionError(
            f"a person has {', '.join(str(len(points)) for points in lists)} points of body and hands; "
            f"they must be {len(_COCO)}, {HAND}, {HAND}"
        )
    whole = np.zeros((_POINTS, 3), np.float32)
    whole[: len(_COCO)], whole[_LEFT:_RIGHT], whole[_RIGHT:] = lists
    return whole


def _fps(path: Path, content: Any) -> float | None:
    info = content.get("info") if isinstance(content, dict) else None
    if not isinstance(info, dict) or "fps" not in info:
        return None
    return check_fps(info["fps"], f"{path}: info.fps")
