"""`ictus convert` of dances: AIST++'s pickles, other bodies, keypoints, FACT's weights."""

import itertools
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from dance.golden_dance import REST
from dance.test_convert_checkpoint_fact import write as write_fact
from ictus.cli import main
from ictus.motion import Motion
from ictus.retargeting.body_conversion import convert
from ictus.skeleton import get_skeleton

SMPL = get_skeleton("smpl-24")


@pytest.fixture
def dance(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    content = {
        "smpl_poses": np.cumsum(rng.normal(0, 0.03, (12, 72)), axis=0),
        "smpl_trans": rng.normal(0, 20, (12, 3)) + np.array([0, 90, 0]),
        "smpl_scaling": np.array([95.0]),
        "smpl_loss": 1.0,
    }
    (tmp_path / "dance.pkl").write_bytes(pickle.dumps(content))
    return tmp_path / "dance.pkl"


def run(source: Path, target: Path, *words: str) -> int:
    return main(["convert", str(source), str(target), *words])


def test_from_a_pickle_through_every_format_and_back(dance: Path, tmp_path: Path) -> None:
    motion = Motion.load(dance)
    names = ("dance.pkl", "a.npz", "b.bvh", "c.glb", "d.json", "e.pkl")
    for source, target in itertools.pairwise(names):
        assert run(tmp_path / source, tmp_path / target) == 0
    back = Motion.load(tmp_path / "e.pkl")
    np.testing.assert_allclose(back.positions, motion.positions, atol=1e-4)
    np.testing.assert_allclose(back.rotations, motion.rotations, atol=1e-4)


def test_other_frame_rates(dance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dance, tmp_path / "a.npz", "--fps", "30") == 0
    assert "6 frames at 30 a second" in capsys.readouterr().out
    assert run(tmp_path / "a.npz", tmp_path / "b.pkl") == 0  # a pickle means 60
    assert len(Motion.load(tmp_path / "b.pkl")) == 12
    assert run(dance, tmp_path / "c.npz", "--fps", "0") == 1


@pytest.mark.parametrize("body", ["coco-17", "melody-21"])
def test_points_of_other_bodies(dance: Path, tmp_path: Path, body: str) -> None:
    assert run(dance, tmp_path / "a.npz", "--points", body) == 0
    seen = Motion.load(tmp_path / "a.npz")
    assert seen.skeleton.name == body
    np.testing.assert_array_equal(seen.positions, convert(Motion.load(dance), body).positions)
    assert run(tmp_path / "a.npz", tmp_path / "b.npz", "--points", body) == 0  # there is nothing to do
    np.testing.assert_array_equal(Motion.load(tmp_path / "b.npz").positions, seen.positions)


def test_points_are_posed_where_joints_must_turn(dance: Path, tmp_path: Path) -> None:
    motion = Motion.load(dance)
    np.save(tmp_path / "points.npy", convert(motion, "melody-21").positions.reshape(-1, 63))
    for name in ("x.bvh", "x.glb", "x.pkl"):
        assert run(tmp_path / "points.npy", tmp_path / name) == 0
        assert Motion.load(tmp_path / name).skeleton == SMPL
    elbows = [SMPL.index("lelbow"), SMPL.index("relbow")]
    near = Motion.load(tmp_path / "x.bvh").positions - motion.positions
    assert np.linalg.norm(near[:, elbows], axis=-1).max() < 0.1
    assert run(tmp_path / "points.npy", tmp_path / "x.json", "--keypoints", "coco") == 0


def test_a_body_by_file(dance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parents = np.array(SMPL.parents)
    offsets = np.where(parents[:, None] >= 0, REST - REST[parents], 0)
    (tmp_path / "body.json").write_text(json.dumps(offsets.tolist()))
    assert run(dance, tmp_path / "a.glb", "--body", str(tmp_path / "body.json")) == 0
    moved = Motion.load(tmp_path / "a.glb")
    np.testing.assert_allclose(moved.skeleton.offsets[1:], offsets[1:], atol=1e-5)
    lengths = np.linalg.norm(moved.positions[:, 1:] - moved.positions[:, parents[1:]], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(np.linalg.norm(offsets[1:], axis=1), (12, 1)), atol=1e-4)
    (tmp_path / "body.json").write_text("[[1, 2, 3]]")
    capsys.readouterr()
    assert run(dance, tmp_path / "b.glb", "--body", str(tmp_path / "body.json")) == 1
    assert capsys.readouterr().err.startswith(f"ictus: {tmp_path / 'body.json'}: has offsets of shape (1, 3)")
    assert not (tmp_path / "b.glb").exists()


def test_keypoints_lie_in_the_picture_and_stand_upright(dance: Path, tmp_path: Path) -> None:
    assert run(dance, tmp_path / "a.json", "--keypoints", "coco", "--size", "640x480") == 0
    content = json.loads((tmp_path / "a.json").read_text())
    points = np.array([person["keypoints"] for person in content["annotations"]]).reshape(12, 17, 3)
    assert content["images"][0]["width"] == 640
    assert (points[..., :2] >= 23.9).all()
    assert (points[..., :2] <= [616.1, 456.1]).all()
    assert np.ptp(points[..., :2].reshape(-1, 2), axis=0).max() > 400  # as large as fits
    space = convert(Motion.load(dance), "coco-17").positions
    for axis, sign in ((0, 1), (1, -1)):  # x to the right; y down; one scale for all
        along = np.polyfit(space[..., axis].ravel(), points[..., axis].ravel(), 1)
        np.testing.assert_allclose(np.polyval(along, space[..., axis]), points[..., axis], atol=0.05)
        assert np.sign(along[0]) == sign
    assert run(dance, tmp_path / "people", "--keypoints", "openpose", "--size", "640x480") == 0
    pages = sorted((tmp_path / "people").iterdir())
    assert len(pages) == 12
    person = json.loads(pages[3].read_text())["people"][0]
    wrist = person["pose_keypoints_2d"][4 * 3 : 4 * 3 + 2]
    np.testing.assert_allclose(wrist, points[3, 10, :2], atol=0.01)  # the right one, in both


def test_keypoints_of_a_conductor(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0.2, 0.8, (4, 13, 2)).astype(np.float32)
    np.save(tmp_path / "c.npy", points)
    assert run(tmp_path / "c.npy", tmp_path / "c.json", "--keypoints", "coco") == 0
    person = json.loads((tmp_path / "c.json").read_text())["annotations"][0]
    found = np.reshape(person["keypoints"], (17, 3))[:13]
    order = np.argsort(points[0, :, 1])
    assert (np.diff(found[order, 1]) >= 0).all()  # the picture's y points down, and so did the conductor's
    melody = np.zeros((4, 63), np.float32)
    np.save(tmp_path / "m.npy", melody)
    assert run(tmp_path / "m.npy", tmp_path / "m.json", "--keypoints", "coco") == 1


def test_weights_of_fact(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from ictus.dance.models import convert_checkpoint

    file = write_fact(tmp_path / "fact.npz")
    small = convert_checkpoint.convert
    monkeypatch.setattr(convert_checkpoint, "convert", lambda source, folder: small(source, folder, heads=2))
    assert run(file, tmp_path / "fact") == 0
    assert "(FACT, " in capsys.readouterr().out
    assert (tmp_path / "fact" / "model.safetensors").is_file()
    assert run(file, tmp_path / "fact.bvh") == 2
    assert "becomes a folder" in capsys.readouterr().err
    assert run(file, tmp_path / "other", "--fps", "30") == 2


@pytest.mark.parametrize("name", ["ckpt-100.index", "ckpt-100.data-00000-of-00001", "checkpoint"])
def test_tensorflow_checkpoints_say_what_to_do(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_bytes(b"x" * 100)
    assert run(tmp_path / name, tmp_path / "fact") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pydoc ictus.dance.models.convert_checkpoint" in line


@pytest.mark.parametrize(
    ("target", "words", "says"),
    [
        ("fact", [], "no motion format has that suffix"),
        ("a.txt", ["--keypoints", "coco"], "coco is one .json file"),
        ("a.json", ["--keypoints", "openpose"], "openpose is a folder"),
        ("a.json", ["--keypoints", "coco", "--size", "big"], "--size big"),
    ],
)
def test_wrong_usage(
    target: str, words: list[str], says: str, dance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(dance, tmp_path / target, *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert [path.name for path in tmp_path.iterdir()] == ["dance.pkl"]


class Runs:
    """Unpickled the ordinary way, it calls something."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_a_malicious_pickle_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"smpl_poses": Runs(f"touch {tmp_path / 'ran'}"), "smpl_trans": 0, "smpl_scaling": 1}
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    assert run(tmp_path / "x.pkl", tmp_path / "x.bvh") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "is refused: it names" in line
    assert [path.name for path in tmp_path.iterdir()] == ["x.pkl"]


def test_a_real_pickle(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "aist" / "last.generated.test.pkl"
    assert run(source, tmp_path / "a.bvh", "--body", str(shared_data / "aist" / "golden.json")) == 0
    assert run(tmp_path / "a.bvh", tmp_path / "a.pkl") == 0
    np.testing.assert_allclose(Motion.load(tmp_path / "a.pkl").rotations, Motion.load(source).rotations, atol=1e-4)
