"""Solos: its body, its arrays, and its array of all videos."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import MotionError, UsageError
from ictus.formats import read_keypoints, solos
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

BODY = get_skeleton("solos-47")


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate((rng.uniform(0, 1000, (5, 47, 2)), rng.random((5, 47, 1))), -1).astype(np.float32)


def test_the_body_is_a_tree_of_which_each_hand_hangs_on_its_own_wrist() -> None:
    assert len(BODY) == 47
    assert len(BODY.bones) == len(set(BODY.bones)) == 46
    assert {bone[1] for bone in BODY.bones} == set(range(1, 47))  # one parent each, so all hang together
    for joint, parent in enumerate(BODY.parents[1:], start=1):
        name, above = BODY.joints[joint], BODY.joints[parent]
        assert above == "neck" or above[:4] == name[:4]  # the same side
        assert not name.endswith("thumb_1") or above.endswith("wrist")
    chain, joint = [], BODY.index("left_pinky_4")
    while joint >= 0:
        chain, joint = [*chain, BODY.joints[joint]], BODY.parents[joint]
    arm = ["left_wrist", "left_elbow", "left_shoulder", "neck"]
    assert chain == ["left_pinky_4", "left_pinky_3", "left_pinky_2", "left_pinky_1", *arm]


def test_the_body_agrees_with_the_facts_of_its_corpus(shared_data: Path) -> None:
    facts = json.loads((shared_data / "solos" / "skeleton.json").read_text())
    assert list(BODY.joints) == facts["joint_names"]
    assert set(BODY.bones) == set(map(tuple, facts["edges"]))
    assert list(BODY.parents) == facts["parents"]
    assert list(BODY.mirror) == facts["left_right_swap"]


def test_the_bones_of_a_real_player_keep_their_length(shared_data: Path) -> None:
    """In a picture they are foreshortened, but what is no bone varies far more."""
    found = read_keypoints(shared_data / "solos" / "skeleton_npy_test.npy")
    assert found.fps == 25
    assert found.points.shape == (1619, 47, 3)
    facts = json.loads((shared_data / "solos" / "skeleton.json").read_text())["body_bone_lengths_in_test_clip"]
    for fact in facts:
        a, b = fact["edge"]
        lengths = np.linalg.norm(found.points[:, a, :2] - found.points[:, b, :2], axis=1)
        assert lengths.mean() == pytest.approx(fact["mean_px"], rel=0.01)
        assert lengths.std() / lengths.mean() == pytest.approx(fact["cv"], abs=0.005)
    for hand, own, other in ((slice(7, 27), "right_wrist", "left_wrist"), (slice(27, 47), "left_wrist", "right_wrist")):
        tips = found.points[:, hand, :2]
        near = np.linalg.norm(tips - found.points[:, [BODY.index(own)], :2], axis=2).mean()
        far = np.linalg.norm(tips - found.points[:, [BODY.index(other)], :2], axis=2).mean()
        assert near < 100 < 250 < far


@pytest.mark.parametrize("order", [(0, 2, 1), (0, 1, 2)])
def test_one_video(tmp_path: Path, points: np.ndarray, order: tuple[int, int, int]) -> None:
    np.save(tmp_path / "x.npy", points.transpose(order).astype(np.float64))
    found = read_keypoints(tmp_path / "x.npy")
    assert found.fps == 25
    assert found.points.dtype == np.float32
    np.testing.assert_array_equal(found.points, points)


def test_a_video_among_all(tmp_path: Path, points: np.ndarray) -> None:
    points.swapaxes(1, 2).tofile(tmp_path / "skeleton.npy")
    table = tmp_path / "skeleton_dict.json"
    table.write_text(json.dumps({"a": [0, 2], "b": [2, 5], "c": [3, 9], "d": [4, 4], "_counter": 5}))
    found = solos.read_video(tmp_path / "skeleton.npy", table, "b")
    np.testing.assert_array_equal(found.points, points[2:])
    for video, complaint in {
        "c": "has 5 frames, and .* states 9",
        "d": "d is .4, 4.; it must be",
        "_counter": "_counter is 5",
        "e": "no video 'e'",
    }.items():
        with pytest.raises(MotionError, match=complaint):
            solos.read_video(tmp_path / "skeleton.npy", table, video)
    (tmp_path / "cut.npy").write_bytes(b"x" * 700)
    with pytest.raises(MotionError, match=r"cut\.npy: has 700 bytes"):
        solos.read_video(tmp_path / "cut.npy", table, "a")
    table.write_text("{")
    with pytest.raises(MotionError, match=r"skeleton_dict\.json: is no valid JSON"):
        solos.read_video(tmp_path / "skeleton.npy", table, "a")


def test_what_is_wrong_is_said(tmp_path: Path, points: np.ndarray) -> None:
    def complain(array: np.ndarray, match: str) -> None:
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(MotionError, match=rf"x\.npy: .*{match}"):
            read_keypoints(tmp_path / "x.npy")

    complain(points[:, :46], r"shape \(5, 46, 3\); keypoints of Solos")
    complain(points.astype(int), "type int64")
    complain(points[:0], "no frames")
    broken = points.copy()
    broken[3, 7, 0] = np.nan
    complain(broken, "first in frame 3")
    broken[3, 7, 0], broken[2, 1, 2] = 0, 1.5
    complain(broken, "must lie in")
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00nonsense")
    with pytest.raises(MotionError, match="damaged"):
        read_keypoints(tmp_path / "x.npy")
    with pytest.raises(UsageError, match=r"suffix '\.csv'; known are \.json"):
        read_keypoints(tmp_path / "x.csv")


def test_it_travels_as_a_motion(tmp_path: Path, points: np.ndarray) -> None:
    motion = Motion(points[..., :2], 25.0, BODY)
    for suffix in (".npz", ".json"):
        motion.save(tmp_path / f"x{suffix}")
        loaded = Motion.load(tmp_path / f"x{suffix}")
        assert loaded.skeleton == BODY
        np.testing.assert_allclose(loaded.positions, motion.positions, rtol=1e-6)


def test_one_player_is_followed_among_others() -> None:
    def person(x: float, size: float, sure: float) -> np.ndarray:
        places = np.random.default_rng(0).random((47, 2)) * size + [x, 0]
        return np.concatenate((places, np.full((47, 1), sure)), 1).astype(np.float32)

    people = {}
    for frame in range(10):
        player, listener = person(500 + 20 * frame, 200, 0.6), person(100, 80, 0.9)
        people[frame + 3] = [listener, player] if frame % 2 else [player, listener]
    people[5], people[6] = [], []
    points = solos.followed(people, "x")
    assert points.shape == (10, 47, 3)
    assert not points[2:4].any()
    kept = [0, 1, *range(4, 10)]
    np.testing.assert_allclose(points[kept, :, 0].min(1) - 20 * np.array(kept), points[0, :, 0].min(), atol=1e-3)
    assert (points[kept, :, 2] == np.float32(0.6)).all()
    del people[7]
    assert not solos.followed(people, "x")[4].any()
    with pytest.raises(MotionError, match="x: shows nobody"):
        solos.followed({1: []}, "x")
    with pytest.raises(MotionError, match="2 of 999 frames"):
        solos.followed({1: people[3], 999: people[3]}, "x")
