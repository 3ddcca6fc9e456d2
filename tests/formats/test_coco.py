"""COCO keypoints, read again by the format's definition."""

import json

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import MotionData, coco
from ictus.skeleton import get_skeleton


def motion_data(name: str = "coco-17", depth: int = 2) -> MotionData:
    body = get_skeleton(name)
    return MotionData(body, 30.0, (500 * np.random.default_rng(0).random((4, len(body), depth))).astype(np.float32))


@pytest.mark.parametrize("name", ["coco-17", "conductor-13"])
def test_a_person_in_each_picture(tmp_path, name):
    given = motion_data(name)
    coco.write(tmp_path / "x.json", given, (640, 480))
    content = json.loads((tmp_path / "x.json").read_text())
    (category,) = content["categories"]
    assert category["keypoints"] == list(get_skeleton("coco-17").joints)
    ends = [category["keypoints"][number - 1] for number in category["skeleton"][-1]]
    assert ends == ["right_knee", "right_ankle"]
    assert [(image["id"], image["width"], image["height"]) for image in content["images"]] == [
        (frame, 640, 480) for frame in range(4)
    ]
    for frame, person in enumerate(content["annotations"]):
        assert (person["image_id"], person["category_id"]) == (frame, category["id"])
        points = np.reshape(person["keypoints"], (17, 3))
        there = points[points[:, 2] == 2]
        assert person["num_keypoints"] == len(there) == len(given.skeleton)
        np.testing.assert_allclose(there[:, :2], given.positions[frame], atol=1e-3)
        assert not points[len(there) :].any()
        left, top, width, height = person["bbox"]
        np.testing.assert_allclose([left, top], there[:, :2].min(0), atol=2e-3)
        np.testing.assert_allclose([left + width, top + height], there[:, :2].max(0), atol=2e-3)
        assert person["area"] == pytest.approx(width * height, rel=1e-4)


def test_other_motions_are_refused(tmp_path):
    for given in (motion_data(depth=3), motion_data("smpl-24"), MotionData(get_skeleton("coco-17"), 30.0, None)):
        with pytest.raises(MotionError, match="pixels of coco-17"):
            coco.write(tmp_path / "x.json", given, (640, 480))
    assert not list(tmp_path.iterdir())
