"""A dancer's measures by file."""

import json
from pathlib import Path

import numpy as np
import pytest
from golden_dance import REST

from ictus.dance.body import load_body, with_body
from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

SMPL = get_skeleton("smpl-24")
PARENTS = np.array(SMPL.parents)
OFFSETS = np.where(PARENTS[:, None] >= 0, REST - REST[PARENTS], 0)
EYES = np.broadcast_to(np.eye(3, dtype=np.float32), (2, 24, 3, 3))


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("form", ["list", "offsets", "smpl_offsets", "names", "npz"])
def test_every_spelling_is_the_same_body(tmp_path: Path, form: str) -> None:
    rows = OFFSETS.tolist()
    file = tmp_path / ("body.npz" if form == "npz" else "body.json")
    if form == "npz":
        np.savez(file, offsets=OFFSETS)
    else:
        names = dict(zip(SMPL.joints, rows, strict=True))
        write(file, {"list": rows, "names": names}.get(form, {form: rows, "unit": "m"}))
    body = load_body(file)
    assert body == SMPL  # names and tree
    np.testing.assert_allclose(body.offsets[1:], OFFSETS[1:], atol=1e-6)
    assert body.rest[:, 1].min() == pytest.approx(SMPL.rest[:, 1].min())
    np.testing.assert_allclose(body.rest[0, [0, 2]], 0, atol=1e-6)


def test_a_motion_takes_on_the_body(tmp_path: Path) -> None:
    root = np.array([[0.0, 1, 0], [0.2, 0.9, -0.1]], np.float32)
    motion = Motion(np.zeros((2, 24, 3)), 60.0, SMPL, EYES, root, {"seed": 1})
    other = with_body(motion, load_body(write(tmp_path / "body.json", OFFSETS.tolist())))
    np.testing.assert_allclose(other.positions, REST + root[:, None], atol=1e-6)  # places published with EDGE
    np.testing.assert_array_equal(other.root, root)
    assert other.meta == {"seed": 1}
    other.save(tmp_path / "x.bvh")
    loaded = Motion.load(tmp_path / "x.bvh")
    np.testing.assert_allclose(loaded.positions, other.positions, atol=1e-5)
    np.testing.assert_allclose(loaded.skeleton.offsets[1:], OFFSETS[1:], atol=1e-5)


def test_what_cannot_take_it_on() -> None:
    with pytest.raises(MotionError, match="is of coco-17"):
        with_body(Motion(np.zeros((1, 17, 3)), 60.0, get_skeleton("coco-17")), SMPL)
    with pytest.raises(MotionError, match="positions only"):
        with_body(Motion(np.zeros((1, 24, 3)), 60.0, SMPL), SMPL)


HUGE = (100 * OFFSETS).tolist()
Z_UP = OFFSETS[:, [0, 2, 1]].tolist()
UPSIDE_DOWN = (-OFFSETS).tolist()
BACKWARDS = (OFFSETS * [-1, 1, -1]).tolist()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (OFFSETS[:22].tolist(), r"shape \(22, 3\); smpl-24 needs \(24, 3\)"),
        (HUGE, "metres"),
        (Z_UP, "y up"),
        (UPSIDE_DOWN, "stands on its head"),
        (BACKWARDS, "left hip lies on its right"),
        ([[0, 0, 0], [1, 2]], "no list of numbers"),
        ("tall", "no list of numbers"),
        ({"bones": []}, 'neither "offsets" nor all joints of smpl-24: root is missing'),
        ({name: [0, 0, 0] for name in SMPL.joints[:-1]}, "rhand is missing"),
        ({"offsets": None}, "neither"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: object, says: str) -> None:
    file = write(tmp_path / "body.json", content)
    with pytest.raises(MotionError, match=says) as refusal:
        load_body(file)
    assert str(refusal.value).startswith(f"{file}: ")
    assert "\n" not in str(refusal.value)


def test_damaged_files_and_other_formats(tmp_path: Path) -> None:
    for name, content, says in (
        ("a.json", b"{", "no valid JSON"),
        ("a.json", b"\xff\xfe\xff", "UTF-8"),
        ("a.json", b'[["NaN"]]', "shape|finite"),
        ("a.npz", b"garbage", "no NumPy archive"),
        ("a.bvh", b"HIERARCHY", "from .json or .npz"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MotionError, match=says):
            load_body(tmp_path / name)
    np.savez(tmp_path / "b.npz", bones=OFFSETS)
    with pytest.raises(MotionError, match='holds bones, but no "offsets"'):
        load_body(tmp_path / "b.npz")
    with pytest.raises(MotionError, match="no such file"):
        load_body(tmp_path / "c.json")


def test_published_offsets(shared_data: Path) -> None:
    file = shared_data / "aist" / "golden.json"
    body = load_body(file)
    rest = np.array(json.loads(file.read_text())["rest_joints_R"])
    np.testing.assert_allclose(body.rest - body.rest[0], rest, atol=1e-6)
