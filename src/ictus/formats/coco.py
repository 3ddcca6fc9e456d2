"""COCO keypoints: one JSON file with a picture and one person for each frame, for tools that learn or draw poses.

Points are pixels, x right and y down, with a visibility: 2 where the body has the point and 0 where it has not.
Source: cocodataset.org, "Data format", keypoint detection.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import MotionError
from ictus.formats import MotionData
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

_BODY = get_skeleton("coco-17")


def write(path: Path, data: MotionData, size: tuple[int, int]) -> None:
    """Write the keypoints.

    Parameters
    ----------
    path : the file; give a temporary one of `ictus.files.writing`.
    data : positions (T, J, 2) in pixels, of coco-17, conductor-13 or another body whose joints have COCO's names.
    size : width and height of the pictures, pixels.

    Raises
    ------
    MotionError
        If there are no positions in a picture, or none of COCO's joints.
    """
    joints, positions = data.skeleton.joints, data.positions
    known = [number for number, name in enumerate(_BODY.joints) if name in joints]
    if positions is None or positions.shape[2] != 2 or not known:
        raise MotionError(
            f"COCO's keypoints are pixels of coco-17, and this motion is of {data.skeleton.name}; "
            "convert it and project it to a picture first"
        )
    points = np.zeros((len(positions), len(_BODY), 3))
    points[:, known, :2] = positions[:, [joints.index(_BODY.joints[number]) for number in known]]
    points[:, known, 2] = 2
    content = {
        "info": {"description": "written by ictus", "fps": data.fps},
        "images": [
            {"id": frame, "file_name": f"{frame:06}.jpg", "width": size[0], "height": size[1]}
            for frame in range(len(points))
        ],
        "annotations": [_person(frame, person[known], person) for frame, person in enumerate(points)],
        "categories": [
            {
                "id": 1,
                "name": "person",
                "supercategory": "person",
                "keypoints": list(_BODY.joints),
                "skeleton": [[a + 1, b + 1] for a, b in _BODY.bones],
            }
        ],
    }
    path.write_text(json.dumps(content))


def _person(frame: int, there: Float64Array, points: Float64Array) -> dict[str, Any]:
    """Return the annotation of one frame: all points (17, 3), and those of them that the body has."""
    (left, top), (right, bottom) = there[:, :2].min(0).tolist(), there[:, :2].max(0).tolist()
    width, height = right - left, bottom - top
    return {
        "id": frame,
        "image_id": frame,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": [round(number, 3) for number in points.ravel().tolist()],
        "num_keypoints": len(there),
        "bbox": [round(number, 3) for number in (left, top, width, height)],
        "area": round(width * height, 3),
    }
