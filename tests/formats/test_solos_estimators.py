"""The same player, written as each pose estimator would write it, comes back as solos-47.

The orders of the points are written out here as the documentation of each prints them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import read_keypoints
from ictus.skeleton import get_skeleton

JOINTS = get_skeleton("solos-47").joints
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HAND = ["wrist", *(f"{finger}_{k}" for finger in FINGERS for k in range(1, 5))]
BODY_25 = {
    **{"neck": 1, "right_shoulder": 2, "right_elbow": 3, "right_wrist": 4},
    **{"left_shoulder": 5, "left_elbow": 6, "left_wrist": 7},
}
COCO = {
    **{"left_shoulder": 5, "right_shoulder": 6, "left_elbow": 7, "right_elbow": 8},
    **{"left_wrist": 9, "right_wrist": 10},
}
MEDIAPIPE = {
    **{"left_shoulder": 11, "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14},
    **{"left_wrist": 15, "right_wrist": 16},
}
SIZE = (640, 480)


@pytest.fixture
def points() -> np.ndarray:
    """(4, 47, 3), the neck in the middle of the shoulders and as sure as the less sure."""
    rng = np.random.default_rng(1)
    points = np.concatenate((rng.uniform(5, 470, (4, 47, 2)), rng.uniform(0.1, 1, (4, 47, 1))), -1).astype(np.float32)
    return with_neck(points)


def with_neck(points: np.ndarray) -> np.ndarray:
    shoulders = points[:, [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]]
    points[:, 0, :2], points[:, 0, 2] = shoulders[..., :2].mean(1), shoulders[..., 2].min(1)
    return points


def placed(points: np.ndarray, count: int, numbers: dict[str, int]) -> np.ndarray:
    """(T, count, 3) with the arms in the places of a format, noise elsewhere."""
    body = np.random.default_rng(2).uniform(5, 470, (len(points), count, 3)).astype(np.float32)
    for name, number in numbers.items():
        body[:, number] = points[:, JOINTS.index(name)]
    return body


def hand(points: np.ndarray, side: str) -> np.ndarray:
    """(T, 21, 3)."""
    return points[:, [JOINTS.index(f"{side}_{name}") for name in HAND]]


def whole(points: np.ndarray) -> np.ndarray:
    """(T, 133, 3) of COCO-WholeBody."""
    body = placed(points, 133, COCO)
    body[:, 91:112], body[:, 112:133] = hand(points, "left"), hand(points, "right")
    body[..., 2] = np.clip(body[..., 2], 0, 1)
    return body


def openpose(points: np.ndarray, folder: Path, count: int = 25) -> Path:
    folder.mkdir()
    body = placed(points, count, BODY_25)
    for frame in range(len(points)):
        person = {
            "pose_keypoints_2d": body[frame].ravel().tolist(),
            "face_keypoints_2d": [],
            "hand_left_keypoints_2d": hand(points, "left")[frame].ravel().tolist(),
            "hand_right_keypoints_2d": hand(points, "right")[frame].ravel().tolist(),
        }
        page = {"version": 1.3, "people": [person]}
        (folder / f"film_{frame + 7:012}_keypoints.json").write_text(json.dumps(page))
    return folder


def mmpose(points: np.ndarray, path: Path) -> Path:
    frames = [
        {"frame_id": k, "instances": [{"keypoints": p[:, :2].tolist(), "keypoint_scores": p[:, 2].tolist()}]}
        for k, p in enumerate(whole(points))
    ]
    path.write_text(json.dumps(frames))
    return path


def mmpose_object(points: np.ndarray, path: Path) -> Path:
    frames = json.loads(mmpose(points, path).read_text())
    path.write_text(json.dumps({"meta_info": {"dataset_name": "coco_wholebody"}, "instance_info": frames}))
    return path


def results(points: np.ndarray, path: Path) -> Path:
    rows = [
        {"image_id": f"{k}.jpg", "category_id": 1, "keypoints": p.ravel().tolist(), "score": 0.9}
        for k, p in enumerate(whole(points))
    ]
    path.write_text(json.dumps(rows[::-1]))
    return path


def annotations(points: np.ndarray, path: Path) -> Path:
    rows = [
        {
            "image_id": k + 1,
            "keypoints": p[:17].ravel().tolist(),
            "foot_kpts": [0] * 18,
            "face_kpts": [0] * 204,
            "lefthand_kpts": p[91:112].ravel().tolist(),
            "righthand_kpts": p[112:].ravel().tolist(),
        }
        for k, p in enumerate(whole(points))
    ]
    images = [{"id": k + 1} for k in range(len(points))]
    path.write_text(json.dumps({"info": {"fps": 25}, "images": images, "annotations": rows}))
    return path


WRITERS: dict[str, Callable[[np.ndarray, Path], Path]] = {
    "openpose": lambda points, folder: openpose(points, folder / "film"),
    "openpose-coco": lambda points, folder: openpose(points, folder / "film", 18),
    "mmpose": lambda points, folder: mmpose(points, folder / "x.json"),
    "mmpose-object": lambda points, folder: mmpose_object(points, folder / "x.json"),
    "coco-results": lambda points, folder: results(points, folder / "x.json"),
    "coco-wholebody": lambda points, folder: annotations(points, folder / "x.json"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_player_comes_back(tmp_path: Path, points: np.ndarray, name: str) -> None:
    found = read_keypoints(WRITERS[name](points, tmp_path))
    np.testing.assert_allclose(found.points, points, atol=1e-3)
    assert found.fps == (25 if name == "coco-wholebody" else None)


def landmarks(points: np.ndarray, channels: int = 4) -> dict[str, np.ndarray]:
    """MediaPipe's arrays: fractions of the picture, a depth, and for the body a visibility."""

    def fractions(part: np.ndarray) -> np.ndarray:
        flat = part[..., :2] / np.float32(SIZE)
        rest = [np.full_like(part[..., :1], -0.3), part[..., 2:], part[..., 2:]]
        return np.concatenate((flat, *rest), -1)[..., :channels]

    hands = {f"{side}_hand": hand(points, side) for side in ("left", "right")}
    for part in hands.values():
        part[..., 2] = 0  # a hand landmark's visibility is never set
    return {"pose": fractions(placed(points, 33, MEDIAPIPE)), **{k: fractions(v) for k, v in hands.items()}}


@pytest.mark.parametrize("channels", [2, 3, 4, 5])
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_mediapipe(tmp_path: Path, points: np.ndarray, suffix: str, channels: int) -> None:
    given, path = landmarks(points, channels), tmp_path / f"x{suffix}"
    if suffix == ".npz":
        np.savez(path, **given, fps=29.97, size=np.array(SIZE))
    else:
        np.save(path, np.concatenate(list(given.values()), 1))
    expected = points.copy()
    if channels < 4:
        expected[:, :, 2] = 1
    expected[:, 7:, 2] = 1
    found = read_keypoints(path, SIZE if suffix == ".npy" else None)
    np.testing.assert_allclose(found.points, with_neck(expected), atol=1e-3)
    assert found.fps == (29.97 if suffix == ".npz" else None)


@pytest.mark.parametrize("nothing", [np.nan, 0])
def test_a_hand_that_mediapipe_did_not_find(tmp_path: Path, points: np.ndarray, nothing: float) -> None:
    given = landmarks(points)
    given["left_hand"][1:3] = nothing
    given["pose"][2] = nothing
    np.savez(tmp_path / "x.npz", **given, size=np.array(SIZE))
    found = read_keypoints(tmp_path / "x.npz").points
    assert not found[1:3, 27:].any()
    assert not found[2, :7].any()  # the neck, too
    assert (found[[0, 3], 27:, 2] == 1).all()
    assert (found[:, 7:27, 2] == 1).all()


def test_pixels_of_mediapipe_stay_pixels(tmp_path: Path, points: np.ndarray) -> None:
    given = landmarks(points, 3)
    for part in given.values():
        part[..., :2] *= np.float32(SIZE)
    np.savez(tmp_path / "x.npz", **given)
    np.testing.assert_allclose(read_keypoints(tmp_path / "x.npz").points[..., :2], points[..., :2], atol=1e-3)


def test_mediapipe_is_refused_in_words(tmp_path: Path, points: np.ndarray) -> None:
    good = landmarks(points)
    path = tmp_path / "x.npz"
    for change, complaint in (
        ({}, "fractions of the picture, whose width"),
        ({"size": np.array([640])}, "fractions of the picture, whose width"),
        ({"pose": good["pose"][:3]}, "pose 3, left_hand 4, right_hand 4"),
        ({"pose": good["pose"][:, :25]}, r"pose has type float32 and shape \(4, 25, 4\)"),
        ({"pose": good["pose"] * np.inf}, "pose holds infinity"),
        ({"size": np.array(SIZE), "fps": -1}, "fps is -1; it must be positive"),
    ):
        np.savez(path, **{**good, **change})
        with pytest.raises(MotionError, match=rf"x\.npz: .*{complaint}"):
            read_keypoints(path)
    np.savez(path, pose=good["pose"])
    with pytest.raises(MotionError, match="holds pose, but no left_hand"):
        read_keypoints(path)
    path.write_bytes(b"PK nonsense")
    with pytest.raises(MotionError, match="damaged"):
        read_keypoints(path)


def test_openpose_without_hands_and_with_missing_frames(tmp_path: Path, points: np.ndarray) -> None:
    folder = openpose(points, tmp_path / "film")
    pages = sorted(folder.iterdir())
    pages[1].unlink()
    page = json.loads(pages[2].read_text())
    page["people"][0]["hand_left_keypoints_2d"] = []
    page["people"][0]["pose_keypoints_2d"][3 * 4 + 2] = 1.04  # the right wrist
    pages[2].write_text(json.dumps(page))
    found = read_keypoints(folder).points
    assert not found[1].any()
    assert not found[2, 27:].any()
    np.testing.assert_allclose(found[2, 7:27], points[2, 7:27], atol=1e-3)
    assert found[2, JOINTS.index("right_wrist"), 2] == 1


def test_openpose_is_refused_in_words(tmp_path: Path, points: np.ndarray) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MotionError, match="empty: holds no"):
        read_keypoints(tmp_path / "empty")
    folder = openpose(points, tmp_path / "film")
    page = sorted(folder.iterdir())[2]
    content = json.loads(page.read_text())
    for text, complaint in (
        ("{", "is no valid JSON"),
        ('{"people": [{"pose_keypoints_2d": [NaN]}]}', "NaN is not JSON"),
        ("[]", "no page of OpenPose"),
        ('{"people": [1]}', "no page of OpenPose"),
        (json.dumps({"people": [{"pose_keypoints_2d": [0] * 51}]}), "a body of 51 numbers"),
        (json.dumps(content).replace('"hand_left_keypoints_2d": [', '"hand_left_keypoints_2d": [1, '), "63 and 64"),
    ):
        page.write_text(text)
        with pytest.raises(MotionError, match=rf"000009_keypoints\.json: .*{complaint}"):
            read_keypoints(folder)
    page.rename(folder / "other_000000000007_keypoints.json")
    with pytest.raises(MotionError, match=r"film: holds the pages of several films \(film_, other_\)"):
        read_keypoints(folder)


def test_openpose_up_to_1_1_names_its_lists_otherwise(tmp_path: Path, points: np.ndarray) -> None:
    new = read_keypoints(folder := openpose(points, tmp_path / "film"))
    for page in folder.iterdir():
        page.write_text(page.read_text().replace("_keypoints_2d", "_keypoints"))
    np.testing.assert_array_equal(read_keypoints(folder).points, new.points)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no valid JSON"),
        ('{"a": 1}', "no keypoints of COCO-WholeBody"),
        ("[1]", "no keypoints of COCO-WholeBody"),
        ("[]", "shows nobody"),
        ('[{"image_id": 1, "keypoints": [0, 0, 0]}]', "has 1 points; players need the 133"),
        ('[{"image_id": "x.jpg", "keypoints": []}]', "called 'x.jpg', without a number"),
        (
            '[{"image_id": 1, "keypoints": [0, 0, 0], "lefthand_kpts": [], "righthand_kpts": []}]',
            "1, 0, 0 points of body",
        ),
    ],
)
def test_wholebody_is_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(MotionError, match=rf"x\.json: .*{complaint}"):
        read_keypoints(tmp_path / "x.json")
