"""Tracks as files: what is written is what other readers find."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.formats import read_keypoints
from ictus.motion import Motion
from ictus.pose import Track, motion_of, points_of, track
from ictus.pose.files import body_25, save_keypoints
from pose.people_on_film import BODY, SIZE, BoxEngine, walking, write_people


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Track:
    film = write_people(tmp_path_factory.mktemp("film") / "walk.mp4", walking(50), fps=30)
    return track(film, engine=BoxEngine(lambda number: 20 <= number < 40))


@pytest.mark.parametrize(
    ("name", "options", "fps"),
    [
        ("x.npz", {}, 30.0),
        ("x.npy", {}, None),
        ("x.npy", {"skeleton": "solos-47"}, 25.0),
        ("x.json", {"keypoints": "coco"}, 30.0),
        ("pages", {"keypoints": "openpose"}, None),
    ],
)
def test_ictus_sound_reads_every_kind(
    found: Track, tmp_path: Path, name: str, options: dict[str, str], fps: float | None
) -> None:
    save_keypoints(found, tmp_path / name, **options)  # type: ignore[arg-type]
    read = read_keypoints(tmp_path / name, SIZE)
    assert read.fps == fps
    own = found.resampled(25) if fps == 25 else found
    expected = points_of(own, "solos-47")
    assert read.points.shape == expected.shape
    sure = expected[..., 2] > 0.5
    np.testing.assert_allclose(read.points[sure, :2], expected[sure, :2], atol=2e-3)
    assert ((read.points[..., 2] > 0.5) == sure).mean() > 0.9  # hands of MediaPipe have no confidence of their own


def test_sides_and_fingers_are_those_of_the_person(found: Track) -> None:
    solos, whole = points_of(found, "solos-47"), points_of(found, "blaze-75")
    from ictus.skeleton import get_skeleton

    for name in get_skeleton("solos-47").joints[1:]:
        np.testing.assert_array_equal(
            solos[:, get_skeleton("solos-47").index(name)], whole[:, BODY.index(name)], err_msg=name
        )


def test_conductors_are_normalised(found: Track, tmp_path: Path) -> None:
    save_keypoints(found, tmp_path / "c.npy", "conductor-13")
    motion = Motion.load(tmp_path / "c.npy")
    body = motion.skeleton
    left, right = (motion.positions[:, body.index(f"{side}_shoulder")] for side in ("left", "right"))
    assert np.median(np.linalg.norm(left - right, axis=-1)) == pytest.approx(0.2, rel=0.02)
    hips = motion.positions[:, [body.index("left_hip"), body.index("right_hip")]].mean(1)
    np.testing.assert_allclose(np.median(hips[:20], 0), [0.5, 0.75], atol=0.15)
    assert (motion.positions[:, body.index("nose"), 1] < hips[:, 1]).all()  # y down


def test_motions_of_ours(found: Track, tmp_path: Path) -> None:
    for name in ("m.npz", "m.json"):
        save_keypoints(found, tmp_path / name, "coco-17")
        motion = Motion.load(tmp_path / name)
        assert motion.skeleton.name == "coco-17"
        np.testing.assert_allclose(motion.positions, motion_of(found, "coco-17").positions, atol=1e-5)
        assert motion.meta["nobody"] == [pytest.approx([20 / 30, 40 / 30])]


def test_the_archive_holds_confidence_and_metres(found: Track, tmp_path: Path) -> None:
    save_keypoints(found, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as held:
        np.testing.assert_array_equal(held["confidence"], found.confidence)
        np.testing.assert_array_equal(held["world"], found.world)


def test_coco_has_feet_and_leaves_out_frames_without_anybody(found: Track, tmp_path: Path) -> None:
    save_keypoints(found, tmp_path / "c.json", keypoints="coco")
    content = json.loads((tmp_path / "c.json").read_text())
    assert len(content["images"]) == 50
    assert [one["image_id"] for one in content["annotations"]] == [*range(20), *range(40, 50)]
    first = content["annotations"][0]
    assert first["foot_kpts"][:2] == pytest.approx(found.points[0, BODY.index("left_foot_index")].tolist(), abs=1e-3)
    assert first["foot_kpts"][3:6] == [0, 0, 0]  # the small toe, which the engine does not know
    assert first["num_keypoints"] == 17


def test_openposes_middles_are_between_both_sides(found: Track) -> None:
    points = body_25(points_of(found, "blaze-75"))
    hips = found.points[:, [BODY.index("left_hip"), BODY.index("right_hip")]].mean(1)
    np.testing.assert_allclose(points[:, 8, :2], hips, rtol=1e-5)


def test_an_unknown_body(found: Track, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="no body 'horse' can be made of a film; choose one of solos-47"):
        save_keypoints(found, tmp_path / "x.npz", "horse")
