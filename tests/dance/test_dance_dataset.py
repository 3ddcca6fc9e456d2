"""Prepared dances on disk: windows, broken folders, bounded memory."""

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from prepared_dances import write_aist, write_melody

from ictus.dance.data.dataset import AIST, MELODY, RandomWindows, Windows, scan_dances
from ictus.errors import IctusError, UsageError


@pytest.fixture
def aist(tmp_path: Path) -> Path:
    return write_aist(tmp_path / "aist")


def test_windows_are_aligned(aist: Path) -> None:
    windows = Windows(aist, "train", AIST, frames=240, hop=90)
    assert len(windows) == 4 * 3
    item = windows[4]
    assert item["name"] == "train/dance1@90"
    np.testing.assert_array_equal(item["motion"], np.load(aist / "train/dance1/motion.npy")[90:330])
    np.testing.assert_array_equal(item["audio"], np.load(aist / "train/dance1/audio.npy")[90:330])


def test_random_windows_cover_each_dance(aist: Path) -> None:
    windows = RandomWindows(aist, "train", AIST, frames=240, draws=3)
    assert len(windows) == 12
    np.random.seed(0)  # noqa: NPY002  # as the loop does for every sample
    starts = []
    for _ in range(100):
        dance, _, at = windows[5]["name"].partition("@")
        assert dance == "train/dance1"
        starts.append(int(at))
    assert 0 <= min(starts) < 20 < 160 < max(starts) <= 180
    np.random.seed(0)  # noqa: NPY002
    assert int(windows[5]["name"].partition("@")[2]) == starts[0]


def test_flat_and_by_joint_are_the_same(tmp_path: Path) -> None:
    root = write_melody(tmp_path)
    windows = Windows(root, "val", MELODY, frames=100, hop=50)
    by_joint = np.load(root / "val/dance0/motion.npy")
    assert by_joint.shape == (300, 21, 3)
    np.testing.assert_array_equal(windows[1]["motion"], by_joint[50:150].reshape(100, 63))
    np.testing.assert_array_equal(windows.dances[0].beats, np.load(root / "val/dance0/beats.npy"))


def test_the_shorter_counts(aist: Path) -> None:
    audio = np.load(aist / "train/dance0/audio.npy")
    np.save(aist / "train/dance0/audio.npy", audio[:400])
    assert scan_dances(aist, "train", AIST).dances[0].frames == 400


def test_broken_dances_are_named_and_the_rest_is_usable(tmp_path: Path) -> None:
    root = write_melody(tmp_path)
    train = root / "train"
    for name in "abcdef":
        shutil.copytree(train / "dance0", train / name)
    motion = np.load(train / "dance0/motion.npy")
    np.save(train / "a/motion.npy", motion[:, :20])
    np.save(train / "b/motion.npy", motion[:200])
    (train / "c/audio.npy").unlink()
    np.save(train / "e/audio.npy", np.zeros((300, 16), int))
    np.save(train / "f/beats.npy", np.array([[0.5, 1.0]]))
    np.save(train / "d/audio.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    found = scan_dances(root, "train", MELODY)
    assert len(found.dances) == 4
    expected = {"a": "(300, 20, 3)", "b": "8.0 s", "c": "missing", "d": "damaged", "e": "int64", "f": "(1, 2)"}
    for name, says in expected.items():
        (line,) = (line for line in found.broken if f"/{name}/" in line)
        assert says in line
        assert "\n" not in line
    assert len(Windows(root, "train", MELODY, frames=300, hop=1)) == 4


def test_values_that_are_no_numbers_are_named_when_they_are_read(aist: Path) -> None:
    motion = np.load(aist / "val/dance1/motion.npy")
    motion[300, 3] = np.nan
    np.save(aist / "val/dance1/motion.npy", motion)
    windows = Windows(aist, "val", AIST, frames=200, hop=200)
    assert windows[2]["name"] == "val/dance1@0"
    with pytest.raises(IctusError, match=r"dance1/motion\.npy.*not finite between frames 200 and 400"):
        windows[3]


@pytest.mark.parametrize(
    ("split", "frames", "says"), [("test", 9, "no such folder"), ("val", 600, "no dance of 10.0 s")]
)
def test_nothing_to_learn_from(aist: Path, split: str, frames: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Windows(aist, split, AIST, frames=frames, hop=1)


def test_wrong_settings(aist: Path) -> None:
    with pytest.raises(UsageError, match="at least one frame"):
        Windows(aist, "val", AIST, frames=10, hop=0)
    with pytest.raises(UsageError, match="0 draws"):
        RandomWindows(aist, "val", AIST, frames=10, draws=0)


def test_memory_does_not_depend_on_the_size_of_the_corpus(tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / "train" / str(number)
        folder.mkdir(parents=True)
        np.save(folder / "motion.npy", np.zeros((6000, 219), np.float32))
        np.save(folder / "audio.npy", np.zeros((6000, 35), np.float32))
    tracemalloc.start()
    windows = RandomWindows(tmp_path, "train", AIST, frames=240)
    for index in range(10):
        windows[index]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6  # one dance alone is 6 MB
