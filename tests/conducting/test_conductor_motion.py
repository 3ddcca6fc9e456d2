"""ConductorMotion100 on disk: windows, broken files, bounded memory."""

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ictus.conducting.data.conductor_motion import ConductorMotion, inspect_split
from ictus.errors import IctusError, UsageError


@pytest.fixture
def broken(corpus: Path, tmp_path: Path) -> Path:
    """The corpus with damage of every kind."""
    root = tmp_path / "corpus"
    shutil.copytree(corpus, root)
    train = root / "train"
    for number in range(10, 16):
        shutil.copytree(train / "0", train / str(number))
    motion, mel = np.load(train / "0" / "motion.npy"), np.load(train / "0" / "mel.npy")
    np.save(train / "10" / "motion.npy", np.repeat(motion, 2, axis=0))  # 60 frames a second
    np.save(train / "11" / "motion.npy", motion[:, :12])
    np.save(train / "12" / "mel.npy", mel[:, :80])
    (train / "13" / "motion.npy").unlink()
    (train / "14" / "mel.npy").write_bytes(b"no array at all")
    np.save(train / "15" / "mel.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return root


def test_windows_are_aligned(corpus: Path) -> None:
    windows = ConductorMotion(corpus, "train", seconds=10, hop=7)
    assert len(windows) == 4 * 3
    item = windows[4]
    assert (item["mel"].shape, item["motion"].shape) == ((900, 128), (300, 13, 2))
    assert item["name"] == "train/1@7"
    np.testing.assert_array_equal(item["mel"], np.load(corpus / "train/1/mel.npy")[630:1530])
    np.testing.assert_array_equal(item["motion"], np.load(corpus / "train/1/motion.npy")[210:510])


def test_part_of_a_corpus(corpus: Path) -> None:
    assert len(ConductorMotion(corpus, "train", seconds=24, limit_hours=25 / 3600)) == 2
    assert len(ConductorMotion(corpus, "val", seconds=24)) == 2


def test_broken_takes_are_named_and_the_rest_is_usable(broken: Path) -> None:
    found = inspect_split(broken, "train")
    assert len(found.recordings) == 4
    assert found.hours == pytest.approx(4 * 24 / 3600)
    for number, says in ((10, "60 frames"), (11, "shape"), (12, "shape"), (13, "missing"), (14, "damaged"), (15, "")):
        line = next(line for line in found.broken if f"/{number}/" in line)
        assert says in line
        assert "\n" not in line
    assert len(ConductorMotion(broken, "train", seconds=24)) == 4


def test_values_that_are_no_numbers_are_named_when_they_are_read(broken: Path) -> None:
    mel = np.load(broken / "train" / "2" / "mel.npy")
    mel[500, 3] = np.nan
    np.save(broken / "train" / "2" / "mel.npy", mel)
    windows = ConductorMotion(broken, "train", seconds=12)
    with pytest.raises(IctusError, match=r"2/mel\.npy.*not finite between 0 and 12"):
        windows[4]
    assert windows[5]["name"] == "train/2@12"


def test_motion_that_is_no_number_is_found_before_it_is_learnt_from(broken: Path) -> None:
    for name, thorough in (("motion", False), ("mel", True)):
        before = inspect_split(broken, "train", thorough=True)
        file = before.recordings[-1].folder / f"{name}.npy"
        values = np.load(file)
        values[7:9] = np.nan
        np.save(file, values)
        after = inspect_split(broken, "train", thorough=thorough)
        assert len(after.recordings) == len(before.recordings) - 1
        assert f"{file}: 2 frames are not finite, the first is 7" in after.broken


@pytest.mark.parametrize(
    ("split", "seconds", "says"), [("test", 10, "no such folder"), ("train", 99, "recording of 99")]
)
def test_nothing_to_learn_from(corpus: Path, split: str, seconds: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ConductorMotion(corpus, split, seconds=seconds)


def test_memory_does_not_depend_on_the_size_of_the_corpus(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / "train" / str(number)
        folder.mkdir(parents=True)
        np.save(folder / "mel.npy", np.zeros((5400, 128), np.float32))
        np.save(folder / "motion.npy", np.zeros((1800, 13, 2), np.float32))
    tracemalloc.start()
    windows = ConductorMotion(tmp_path, "train", seconds=10)
    for index in range(0, len(windows), 7):
        windows[index]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6  # one recording alone is 3 MB, all of them 59
