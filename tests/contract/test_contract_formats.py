"""What every format promises: what was written comes back, and a bad file is refused in one line that names it."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from registered import formats, line, lines, one_line
from scipy.spatial.transform import Rotation

from ictus.errors import IctusError
from ictus.formats import SUFFIXES, MotionData, coco, npz, openpose, read_keypoints
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

WHERE = "FORMATS or WRITTEN in tests/contract/test_contract_formats.py"
RNG = np.random.default_rng(0)
MARK, PIXELS = 0.34375, 343.75  # exact in binary; a number of each example, in whose place NaN is put

SMPL = get_skeleton("smpl-24")
TURNS = Rotation.random(6 * len(SMPL), random_state=0).as_matrix().reshape(6, len(SMPL), 3, 3).astype(np.float32)
ROOT = RNG.normal(size=(6, 3)).astype(np.float32)
ROOT[3, 0] = MARK
DANCE = Motion(forward_kinematics(SMPL, TURNS, ROOT), 60.0, SMPL, TURNS, ROOT)

CONDUCTED = Motion(RNG.random((6, 13, 2)), 30.0, get_skeleton("conductor-13"))
CONDUCTED.positions[3, 4, 0] = MARK

# A player in pixels with a confidence, whose neck is in the middle of the shoulders and whose fingers are all seen.
PLAYER = np.concatenate((RNG.uniform(5, 470, (4, 47, 2)), RNG.uniform(0.1, 1, (4, 47, 1))), 2).astype(np.float32)
JOINTS = get_skeleton("solos-47").joints
SHOULDERS = PLAYER[:, [JOINTS.index("right_shoulder"), JOINTS.index("left_shoulder")]]
PLAYER[:, 0, :2], PLAYER[:, 0, 2], PLAYER[:, 7:, 2] = SHOULDERS[..., :2].mean(1), SHOULDERS[..., 2].min(1), 1
PLAYER[2, JOINTS.index("left_wrist"), 0] = PIXELS


def placed(count: int, **joints: int) -> np.ndarray:
    """(T, count, 3) with the player's arms in the places of a format."""
    points = np.zeros((len(PLAYER), count, 3), np.float32)
    for name, number in joints.items():
        points[:, number] = PLAYER[:, JOINTS.index(name)]
    return points


def hand(side: str) -> np.ndarray:
    """(T, 21, 3), the wrist first."""
    first = 7 if side == "right" else 27
    return np.concatenate((PLAYER[:, [JOINTS.index(f"{side}_wrist")]], PLAYER[:, first : first + 20]), 1)


def coco_arms(count: int) -> np.ndarray:
    sides = {f"{side}_{joint}": 5 + 2 * k + i for i, side in enumerate(("left", "right")) for k, joint in ARM}
    return placed(count, **sides)


ARM = tuple(enumerate(("shoulder", "elbow", "wrist")))


def write_seen_motion(path: Path) -> None:
    body = get_skeleton("solos-47")
    npz.write(path, MotionData(body, 25.0, PLAYER[..., :2]), {"confidence": PLAYER[..., 2]})


def write_landmarks(path: Path) -> None:
    sides = {f"{side}_{joint}": 11 + 2 * k + i for i, side in enumerate(("left", "right")) for k, joint in ARM}
    pose = np.insert(placed(33, **sides), 2, 0, axis=2)  # x, y, z, visibility
    np.savez(path, pose=pose, left_hand=hand("left")[..., :2], right_hand=hand("right")[..., :2])


def write_wholebody(path: Path) -> None:
    points = coco_arms(133)
    points[:, 91:112], points[:, 112:133] = hand("left"), hand("right")
    path.write_text(json.dumps([{"image_id": k, "keypoints": row.ravel().tolist()} for k, row in enumerate(points)]))


def write_openpose(folder: Path) -> None:
    folder.mkdir()
    sides = {f"{side}_{joint}": first + k for side, first in (("right", 2), ("left", 5)) for k, joint in ARM}
    parts = {"pose": placed(25, neck=1, **sides), "hand_left": hand("left"), "hand_right": hand("right")}
    for k in range(len(PLAYER)):
        person = {f"{part}_keypoints_2d": points[k].ravel().tolist() for part, points in parts.items()}
        (folder / f"x_{k:012}_keypoints.json").write_text(json.dumps({"people": [person]}))


def replaced(number: bytes, nan: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path = path if path.is_file() else sorted(path.iterdir())[2]
        content = path.read_bytes()
        assert number in content
        path.write_bytes(content.replace(number, nan))

    return spoil


def zipped(key: str, value: float) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        arrays = dict(np.load(path))
        arrays[key].flat[3] = value
        np.savez(path, **arrays)

    return spoil


NAN = struct.pack("<f", np.nan)
RAW, RAW_PIXELS = (replaced(struct.pack("<f", number), NAN) for number in (MARK, PIXELS))


@dataclass(frozen=True)
class Format:
    """The line of a format that is read.

    Attributes
    ----------
    file : its name; with a suffix of motions, unless it holds a player.
    holds : the example, a motion or a player's keypoints.
    within : by how much a coordinate or a rotation may be off.
    spoil : puts NaN (MediaPipe, where NaN says that nothing was found: infinity) into a file.
    write : writes a player; a motion saves itself.
    kept : whether the whole frames of a file that is cut short are read, with a warning.
    """

    file: str
    holds: Any
    within: float
    spoil: Callable[[Path], None]
    write: Callable[[Path], None] | None = None
    kept: bool = False

    def save(self, folder: Path) -> Path:
        path = folder / self.file
        self.holds.save(path) if self.write is None else self.write(path)
        return path

    def load(self, path: Path) -> Any:
        return Motion.load(path) if self.write is None else read_keypoints(path).points


FORMATS: dict[str, Format] = {
    "aist": Format("x.pkl", DANCE, 2e-6, RAW),
    "bvh": Format("x.bvh", DANCE, 2e-6, replaced(b"34.375000", b"nan"), kept=True),
    "cm100": Format("x.npy", CONDUCTED, 0, RAW),
    "gltf": Format("x.glb", DANCE, 2e-6, RAW),
    "json": Format("x.json", DANCE, 3e-6, replaced(b"0.34375", b"NaN")),
    "landmarks": Format("x.npz", PLAYER, 0, zipped("pose", np.inf), write_landmarks),
    "npy": Format("x.npy", CONDUCTED, 0, RAW),
    "npz": Format("x.npz", DANCE, 0, zipped("positions", np.nan)),
    "openpose": Format("x", PLAYER, 0, replaced(b"343.75", b"NaN"), write_openpose),
    "seen_motion": Format("x.npz", PLAYER, 0, zipped("positions", np.nan), write_seen_motion),
    "solos": Format("x.npy", PLAYER, 0, RAW_PIXELS, lambda path: np.save(path, PLAYER)),
    "wholebody": Format("x.json", PLAYER, 0, replaced(b"343.75", b"NaN"), write_wholebody),
}

# What is written for other programs: how, and how such a program finds the points (T, 17, 2) of coco-17 in it.
FLAT = MotionData(get_skeleton("coco-17"), 30.0, RNG.uniform(0, 480, (3, 17, 2)).astype(np.float32))
BODY_25 = [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]


def coco_points(path: Path) -> list[Any]:
    return [person["keypoints"] for person in json.loads(path.read_text())["annotations"]]


def openpose_points(folder: Path) -> list[Any]:
    pages = [json.loads(page.read_text())["people"][0] for page in sorted(folder.iterdir())]
    return [np.reshape(page["pose_keypoints_2d"], (25, 3))[BODY_25] for page in pages]


WRITTEN: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], list[Any]]]] = {
    "coco": ("x.json", lambda path: coco.write(path, FLAT, (640, 480)), coco_points),
    "openpose": ("x", lambda path: openpose.write(path, FLAT), openpose_points),
}

MODULES = formats()
READ = [name for name, module in MODULES.items() if hasattr(module, "read")]
MOTIONS = [name for name, form in FORMATS.items() if form.write is None]


def refused(form: Format, path: Path) -> str:
    with pytest.raises(IctusError) as refusal:
        form.load(path)
    message = one_line(refusal)
    assert message.count(str(path)) == 1, message
    return message


def same(found: Any, expected: Any, within: float) -> None:
    if isinstance(expected, np.ndarray):
        np.testing.assert_allclose(found, expected, rtol=0, atol=within)
        return
    assert (found.skeleton, found.fps) == (expected.skeleton, expected.fps)
    for part in ("positions", "rotations", "root"):
        if getattr(expected, part) is None:
            assert getattr(found, part) is None
        else:
            np.testing.assert_allclose(getattr(found, part), getattr(expected, part), rtol=0, atol=within)


def test_every_format_is_under_contract() -> None:
    lines({**FORMATS, **WRITTEN}, MODULES, WHERE)
    assert {Path(FORMATS[name].file).suffix for name in MOTIONS} == set(SUFFIXES)


@pytest.mark.parametrize("name", READ)
def test_what_was_written_comes_back(name: str, tmp_path) -> None:
    form = line(FORMATS, name, WHERE)
    path = form.save(tmp_path)
    loaded = form.load(path)
    same(loaded, form.holds, form.within)
    if form.write is None:  # and a second time, no worse
        loaded.save(path)
        same(form.load(path), form.holds, 2 * form.within)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in READ or name in WRITTEN])
def test_other_programs_find_the_points(name: str, tmp_path) -> None:
    file, write, points = line(WRITTEN, name, WHERE)
    write(tmp_path / file)
    found = np.reshape(points(tmp_path / file), (3, 17, 3))
    np.testing.assert_allclose(found[..., :2], FLAT.positions, rtol=0, atol=1e-3)
    assert (found[..., 2] > 0).all()


@pytest.mark.parametrize(("source", "target"), list(product(MOTIONS, MOTIONS)))
def test_motions_convert_to_every_format_or_are_refused_with_a_way_out(source: str, target: str, tmp_path) -> None:
    given, wanted = FORMATS[source], FORMATS[target]
    (tmp_path / "in").mkdir()
    motion = Motion.load(given.save(tmp_path / "in"))
    path = tmp_path / wanted.file
    if given.holds is wanted.holds or path.suffix in (".npz", ".json"):
        motion.save(path)
        same(Motion.load(path), given.holds, given.within + wanted.within)
        return
    if path.suffix in (".bvh", ".glb") and motion.skeleton.name == "conductor-13":  # gets a body with a hierarchy
        motion.save(path)
        assert Motion.load(path).skeleton.name == "conductor-23"
        return
    with pytest.raises(IctusError) as refusal:
        motion.save(path)
    assert str(path) in one_line(refusal)
    assert "; " in str(refusal.value)  # behind which the message says what to do
    assert not path.exists()


@pytest.mark.parametrize("name", READ)
def test_an_empty_or_missing_file_is_refused(name: str, tmp_path) -> None:
    form = line(FORMATS, name, WHERE)
    refused(form, tmp_path / ("missing" + Path(form.file).suffix))
    path = form.save(tmp_path)
    for file in [path] if path.is_file() else list(path.iterdir()):
        file.write_bytes(b"")
    refused(form, path)


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_refused_or_warned_of(name: str, part: float, tmp_path, caplog) -> None:
    form = line(FORMATS, name, WHERE)
    path = form.save(tmp_path)
    file = path if path.is_file() else sorted(path.iterdir())[1]
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    if form.kept and part > 0.1:
        assert len(form.load(path)) < len(form.holds)
        assert str(path) in caplog.text
    else:
        refused(form, path)


@pytest.mark.parametrize("name", READ)
def test_nan_is_refused(name: str, tmp_path) -> None:
    form = line(FORMATS, name, WHERE)
    path = form.save(tmp_path)
    form.spoil(path)
    refused(form, path)
