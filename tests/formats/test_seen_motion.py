"""Files of keypoints that `ictus pose` writes are read as a player's."""

from pathlib import Path

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import read_keypoints
from ictus.pose import track
from ictus.pose.bodies import points_of
from ictus.pose.files import save_keypoints
from pose.people_on_film import SIZE, BoxEngine, walking, write_people


@pytest.mark.parametrize("body", ["solos-47", "blaze-75"])
@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json"])
def test_a_player_is_read_from_each_kind(tmp_path: Path, body: str, suffix: str) -> None:
    found = track(write_people(tmp_path / "walk.mp4", walking(25)), engine=BoxEngine(lambda number: number < 12))
    save_keypoints(found, tmp_path / f"a{suffix}", body)
    read = read_keypoints(tmp_path / f"a{suffix}", SIZE)
    wanted = points_of(found, "solos-47")
    seen = wanted[..., 2] > 0
    assert 0 < seen.mean() < 1
    np.testing.assert_allclose(read.points[seen, :2], wanted[seen, :2], atol=0.02)
    if suffix != ".json":  # which has no confidence
        known = slice(7 if body == "blaze-75" else 47)  # of MediaPipe's hands it is only known whether they are found
        np.testing.assert_allclose(read.points[:, known, 2], wanted[:, known, 2], atol=1e-6)
        np.testing.assert_array_equal(read.points[..., 2] > 0, seen)


def test_a_body_without_hands_is_none(tmp_path: Path) -> None:
    found = track(write_people(tmp_path / "walk.mp4", walking(5)), engine=BoxEngine())
    save_keypoints(found, tmp_path / "a.npz", "coco-17")
    with pytest.raises(MotionError, match="a motion of coco-17; a player's keypoints are of solos-47 or blaze-75"):
        read_keypoints(tmp_path / "a.npz")
