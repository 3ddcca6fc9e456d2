"""Windows of performances: what belongs together is of the same time, and what is broken is named."""

import runpy
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ictus.errors import IctusError, UsageError
from ictus.sound import INSTRUMENTS, KEYPOINT_RATE, MEL_RATE
from ictus.sound.data.dataset import (
    FEATURE_SHAPES,
    UNKNOWN,
    WINDOW,
    MelWindows,
    PreparedPerformance,
    RandomMelWindows,
    feature_frames,
    find_performances,
)
from sound.small_performances import write_performance

FEATURE_RATE = 21.5
SOLOS_MELS = Path(__file__).parents[2] / "scripts" / "solos_mels.py"


def write(
    folder: Path, frames: int = 2000, *, kind: str = "float32", instrument: str | None = "flute", flow: int = 1024
) -> Path:
    """A performance in which every number is its time, as a share of 100 s."""
    seconds = frames / MEL_RATE
    mel = np.repeat(np.arange(frames)[:, None] / MEL_RATE / 100, 80, 1)
    arrays = {"mel": np.round(255 * mel).astype(np.uint8) if kind == "uint8" else mel.astype(kind)}
    for name, sizes in FEATURE_SHAPES.items():
        shape = tuple(size or flow for size in sizes)
        rate = KEYPOINT_RATE if name == "keypoints" else FEATURE_RATE
        times = np.arange(int(seconds * rate)) / rate / 100
        arrays[name] = np.broadcast_to(times.reshape(-1, *(1 for _ in shape)), (len(times), *shape))
    return write_performance(folder, instrument, **arrays, feature_rate=FEATURE_RATE)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write(tmp_path / "train" / "a", 2000)
    write(tmp_path / "train" / "b", 3500, kind="float16", instrument="horn")
    write(tmp_path / "train" / "c", 900, kind="uint8", instrument=None)
    return tmp_path


@pytest.mark.parametrize("frames", [WINDOW, 416])
@pytest.mark.parametrize("draws", [0, 3])
def test_all_parts_of_a_window_are_of_the_same_time(corpus: Path, frames: int, draws: int) -> None:
    kinds = ("keypoints", "rgb", "flow")
    made = RandomMelWindows(corpus, "train", frames=frames, kinds=kinds, draws=draws) if draws else None
    windows = made or MelWindows(corpus, "train", frames=frames, hop=100, kinds=kinds)
    np.random.seed(0)  # noqa: NPY002
    for index in range(len(windows)):
        item = windows[index]
        start = int(item["name"].partition("@")[2]) / MEL_RATE
        assert item["mel"].shape == (80, frames)
        assert item["mel"].dtype == np.float32
        step = 0.2 if "/c@" in item["name"] else 0.02  # uint8 holds levels, and so times here, coarsely
        times = start + np.arange(frames) / MEL_RATE
        np.testing.assert_allclose(50 * (item["mel"] + 1), np.broadcast_to(times, (80, frames)), atol=step)
        for kind, rate in (("keypoints", KEYPOINT_RATE), ("rgb", FEATURE_RATE), ("flow", FEATURE_RATE)):
            rows = item[kind].reshape(len(item[kind]), -1)
            times = start + np.arange(len(rows)) / rate
            off = np.abs(100 * rows[:, 0] - times)
            assert off[:-1].max() <= 0.5 / rate + 1e-3
            assert off[-1] <= 1.5 / rate + 1e-3  # the last may be repeated
    assert feature_frames(WINDOW, KEYPOINT_RATE) == 246
    assert feature_frames(WINDOW, FEATURE_RATE) == 212  # as published


def test_numbers_of_instruments(corpus: Path) -> None:
    numbers = {
        item["name"][:7]: int(item["instrument"]) for item in map(MelWindows(corpus, "train").__getitem__, range(7))
    }
    expected = {"train/a": INSTRUMENTS.index("flute"), "train/b": INSTRUMENTS.index("horn"), "train/c": UNKNOWN}
    assert numbers == expected


def test_random_windows_depend_on_the_seed_alone_and_reach_everywhere(corpus: Path) -> None:
    windows = RandomMelWindows(corpus, "train", draws=40)
    assert len(windows) == 40 * (2 + 4 + 1)  # as many as lie side by side

    def starts() -> list[str]:
        np.random.seed(3)  # noqa: NPY002
        return [str(windows[index]["name"]) for index in range(len(windows))]

    names = starts()
    assert names == starts()
    places = [int(name.partition("@")[2]) for name in names if name.startswith("train/b")]
    assert min(places) < 150
    assert max(places) > 3500 - WINDOW - 150


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "mel.npy").unlink(), "mel.npy: missing"),
        (lambda f: (f / "mel.npy").write_bytes(b"no array"), "mel.npy: damaged"),
        (lambda f: np.save(f / "mel.npy", np.zeros((80, 2000), np.float32)), "mel.npy: shape .* transposed"),
        (lambda f: np.save(f / "mel.npy", np.zeros((2000, 80), np.int32)), "mel.npy: holds int32"),
        (lambda f: np.save(f / "mel.npy", np.zeros((1000, 80), np.float32)), "keypoints.npy: lasts 23.2 s.*11.6 s"),
        (lambda f: (f / "about.json").write_text("{"), "about.json: is no valid JSON"),
        (lambda f: (f / "about.json").write_text("[]"), "about.json: must be a JSON object"),
        (lambda f: (f / "about.json").write_text("{}"), "about.json: feature_rate is None"),
        (lambda f: (f / "about.json").unlink(), "about.json: missing"),
        (
            lambda f: np.save(f / "keypoints.npy", np.zeros((580, 46, 3), np.float32)),
            r"keypoints.npy: .*\(580, 46, 3\)",
        ),
        (lambda f: (f / "rgb.npy").unlink(), "rgb.npy: missing"),
    ],
)
def test_one_line_for_each_broken_folder(corpus: Path, damage, message: str) -> None:
    damage(corpus / "train" / "a")
    found = find_performances(corpus, "train", ("keypoints", "rgb"))
    assert [each.name for each in found.performances] == ["train/b", "train/c"]
    assert len(found.broken) == 1
    assert "\n" not in found.broken[0]
    with pytest.raises(IctusError, match=message):
        raise IctusError(found.broken[0])


@pytest.mark.parametrize(("value", "message"), [(np.nan, "not finite"), (-3.0, "lies in"), (60.0, "lies in")])
def test_a_mel_that_is_none_is_named_when_it_is_read(tmp_path: Path, value: float, message: str) -> None:
    file = write(tmp_path / "train" / "a", 900) / "mel.npy"
    mel = np.load(file)
    mel[100, 3] = value
    np.save(file, mel)
    with pytest.raises(IctusError, match=f"a/mel.npy: .*{message}"):
        MelWindows(tmp_path, "train")[0]


def test_keypoints_that_are_not_finite_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "train" / "a", 900) / "keypoints.npy"
    rows = np.load(file)
    rows[10, 4, 0] = np.inf
    np.save(file, rows)
    windows = MelWindows(tmp_path, "train", kinds=["keypoints"])
    with pytest.raises(IctusError, match=r"a/keypoints.npy: not finite"):
        windows[0]
    MelWindows(tmp_path, "train")[0]  # what is not asked for is not read


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train: no such folder"):
        MelWindows(tmp_path, "train")
    write(tmp_path / "train" / "a", 500)
    with pytest.raises(UsageError, match=r"no performance of 9.8 s"):
        MelWindows(tmp_path, "train")
    with pytest.raises(UsageError, match="'sound' is no part"):
        find_performances(tmp_path, "train", ["sound"])
    with pytest.raises(UsageError, match="at least one frame"):
        MelWindows(tmp_path, "train", frames=0)
    (write(tmp_path / "train" / "b", 500) / "about.json").write_text('{"feature_rate": 25}')
    with pytest.raises(UsageError, match="feature_rate differs"):
        MelWindows(tmp_path, "train", frames=400, kinds=["flow"])
    write(tmp_path / "val" / "a", 500)
    write(tmp_path / "val" / "b", 500, flow=166)
    with pytest.raises(UsageError, match="val: rows of flow have 166 or 1024 numbers; prepare all films"):
        MelWindows(tmp_path, "val", frames=400, kinds=["flow"])
    assert MelWindows(tmp_path, "val", frames=400, kinds=["rgb"]).performances[0].widths == {"rgb": 1024}


def test_memory_does_not_depend_on_the_length(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "long"
    folder.mkdir(parents=True)
    mel = np.lib.format.open_memmap(folder / "mel.npy", "w+", np.float32, (2_000_000, 80))  # 640 MB, a hole on disk
    mel[1_999_000:] = 0.25
    del mel
    (folder / "about.json").write_text("{}")
    tracemalloc.start()
    windows = MelWindows(tmp_path, "train", hop=100_000)
    item = windows.cut(windows.performances[0], 1_999_100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (item["mel"] == -0.5).all()
    assert peak < 5e6


def test_a_whole_performance(corpus: Path) -> None:
    found: PreparedPerformance = find_performances(corpus, "train", ["keypoints"]).performances[1]
    assert found.mel().shape == (80, found.frames)
    assert len(found.features("keypoints")) == feature_frames(found.frames, KEYPOINT_RATE)


def test_real_mels_become_a_corpus(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shared_data / "solos" / "solos_real_mels_u8.npz"
    if not source.exists():
        pytest.skip("needs the mels of solos")
    splits = tmp_path / "splits.json"
    splits.write_text('{"seed": 1, "train": [0, 5], "val": [30]}')
    monkeypatch.setattr(sys, "argv", ["solos_mels.py", str(source), str(splits), str(tmp_path / "corpus")])
    runpy.run_path(str(SOLOS_MELS), run_name="__main__")
    windows = MelWindows(tmp_path / "corpus", "train")
    mels = np.load(source)["mel_u8"]
    assert len(windows) == 2
    np.testing.assert_allclose(windows[1]["mel"], 2 * (mels[5] / 255) - 1, atol=1e-6)
    assert int(windows[0]["instrument"]) == UNKNOWN


def test_other_players_takes_of_the_same_sound(corpus: Path) -> None:
    folder = corpus / "train" / "a"
    keypoints = np.load(folder / "keypoints.npy")
    np.save(folder / "takes.npy", np.stack([keypoints + 1, keypoints + 2]))
    windows = MelWindows(corpus, "train", frames=416, kinds=("keypoints",), takes=True)
    usual = MelWindows(corpus, "train", frames=416, kinds=("keypoints",))
    np.random.seed(0)  # noqa: NPY002
    drawn = [windows[0]["keypoints"] - usual[0]["keypoints"] for _ in range(40)]
    assert {float(np.round(one.mean())) for one in drawn} == {0, 1, 2}
    assert all(np.ptp(one) < 1e-3 for one in drawn)
    last = len(windows) - 1  # of one who has no takes
    np.testing.assert_array_equal(windows[last]["keypoints"], usual[last]["keypoints"])
