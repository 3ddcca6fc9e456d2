"""OpenPose's files, read again by its documentation."""

import json

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import MotionData, openpose
from ictus.skeleton import get_skeleton
from tolerance import close

# The order of BODY_25 as OpenPose's documentation prints it.
ORDER = [
    *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
    *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
    *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
]


def motion_data(name: str = "coco-17", frames: int = 3, depth: int = 2) -> MotionData:
    body = get_skeleton(name)
    return MotionData(body, 30.0, np.random.default_rng(0).random((frames, len(body), depth)).astype(np.float32))


@pytest.mark.parametrize("depth", [2, 3])
def test_a_file_for_each_frame(tmp_path, depth):
    given = motion_data(depth=depth)
    openpose.write(tmp_path / "dance", given)
    files = sorted((tmp_path / "dance").iterdir())
    assert [file.name for file in files] == [f"dance_{k:012}_keypoints.json" for k in range(3)]
    content = json.loads(files[1].read_text())
    assert content["version"] == 1.3
    (person,) = content["people"]
    points = dict(zip(ORDER, np.reshape(person[f"pose_keypoints_{depth}d"], (25, depth + 1)), strict=True))
    assert not person[f"pose_keypoints_{5 - depth}d"]
    places = dict(zip(given.skeleton.joints, given.positions[1], strict=True))
    for ours, theirs in (("right_wrist", "RWrist"), ("left_ear", "LEar"), ("left_knee", "LKnee"), ("nose", "Nose")):
        close(points[theirs], [*places[ours], 1])
    close(points["Neck"][:-1], (places["left_shoulder"] + places["right_shoulder"]) / 2)
    close(points["MidHip"][:-1], (places["left_hip"] + places["right_hip"]) / 2)
    assert not np.any([points[name] for name in ORDER[19:]])


def test_points_that_a_body_lacks_have_no_confidence():
    points = openpose.body_25(motion_data("conductor-13"))
    assert points.shape == (3, 25, 3)
    assert {ORDER[k] for k in np.flatnonzero(points[0, :, 2])} == {*ORDER[:10], "LHip", *ORDER[15:19]}


def test_other_bodies_are_refused(tmp_path):
    for given in (motion_data("smpl-24"), MotionData(get_skeleton("coco-17"), 30.0, None)):
        with pytest.raises(MotionError, match="OpenPose knows coco-17"):
            openpose.write(tmp_path / "x", given)
    assert not list(tmp_path.iterdir())
