"""Dance with Melody on disk, as published and as gathered."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from raw_dances import walk, write_gathered, write_published

from ictus.dance.data import dance_with_melody
from ictus.errors import MotionError, UsageError


def test_published_and_gathered_are_the_same_dance(tmp_path: Path) -> None:
    ((published,), lacking) = dance_with_melody.find_recordings(write_published(tmp_path / "published"))
    ((gathered,), _) = dance_with_melody.find_recordings(write_gathered(tmp_path / "gathered", ("W_1",)))
    assert (published.name, published.kind, lacking) == ("W_1", "waltz", ())
    for recording in (published, gathered):
        motion = recording.motion()
        assert (motion.skeleton.name, motion.meta) == ("melody-23", {"dance": "waltz"})
        np.testing.assert_allclose(motion.positions, walk(100) / 100, atol=1e-5)
    assert published.motion().fps == pytest.approx(25 / 1.015)
    assert published.motion(rate=24).fps == 24


def test_the_song_begins_with_the_dance(tmp_path: Path) -> None:
    ((recording,), _) = dance_with_melody.find_recordings(write_published(tmp_path, start=60))
    whole = dance_with_melody.Audio.load(recording.music_file)
    part = recording.audio()
    assert part.duration == pytest.approx(100 / 25 + 1, abs=1e-3)
    first = round(60 / 25 * whole.rate)
    np.testing.assert_array_equal(part.samples, whole.samples[:, first : first + part.samples.shape[1]])


def test_only_the_waltzes_have_another_rate(tmp_path: Path) -> None:
    found, _ = dance_with_melody.find_recordings(write_gathered(tmp_path, ("C_2", "T_5", "W_10", "W_9")))
    assert [recording.name for recording in found] == ["C_2", "T_5", "W_9", "W_10"]
    assert [round(recording.motion().fps, 2) for recording in found] == [25, 25, 24.63, 24.63]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("skeletons.json", "[", "is no valid JSON"),
        ("skeletons.json", '{"center": [[0, 0, 0]]}', "missing or malformed"),
        ("skeletons.json", '{"center": [[0, 0, 0]], "skeletons": [[[1, 2, 3]]]}', r"shape \(1, 1, 3\)"),
        ("skeletons.json", '{"center": [], "skeletons": []}', "missing or malformed|shape"),
        ("skeletons.json", json.dumps({"center": [[1e9] * 3], "skeletons": np.zeros((1, 23, 3)).tolist()}), "nowhere"),
        ("config.json", "{}", "start_position and end_position are missing"),
        ("config.json", '{"start_position": 9, "end_position": 2}', "is none"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, file: str, content: str, says: str) -> None:
    ((recording,), _) = dance_with_melody.find_recordings(write_published(tmp_path))
    (recording.motion_file.parent / file).write_text(content)
    with pytest.raises(MotionError, match=says) as refusal:
        recording.audio() if file == "config.json" else recording.motion()
    assert str(recording.motion_file.parent) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_survey_names_what_is_broken(tmp_path: Path) -> None:
    write_gathered(tmp_path, ("C_2", "R_4", "W_1"))
    (tmp_path / "C_2.ogg").unlink()
    (tmp_path / "R_4.npz").write_bytes(b"garbage")
    found = dance_with_melody.scan_recordings(tmp_path)
    assert [recording.name for recording in found.recordings] == ["W_1"]
    assert found.seconds == (pytest.approx(100 / 25 * 1.015),)
    assert "its song is missing" in found.broken[0]
    assert found.broken[1].startswith(f"{tmp_path / 'R_4.npz'}: ")
    with pytest.raises(UsageError, match="no such folder"):
        dance_with_melody.scan_recordings(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no dance"):
        dance_with_melody.scan_recordings(tmp_path / "empty")


def test_splits(tmp_path: Path) -> None:
    assert dance_with_melody.splits(tmp_path)["W_1"] == "train"
    assert "C_7" not in dance_with_melody.splits(tmp_path)
    file = tmp_path / "splits.csv"
    file.write_text("dance_id,split\nW_1,val\nC_7,test\n")
    assert dance_with_melody.splits(tmp_path) == {"W_1": "val", "C_7": "test"}
    for text, says in (
        ("name\nW_1\n", "has no column 'dance_id'; it needs dance_id, split"),
        ("dance_id,split\nW_1,dev\n", "'dev'"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=says):
            dance_with_melody.splits(tmp_path)


def test_our_split_is_that_of_the_shared_clips(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "dance_with_melody"
    with (folder / "splits.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert dance_with_melody.splits(tmp_path) == {row["dance_id"]: row["split"] for row in rows}
    groups = {
        row["motion_group"]: {r["split"] for r in rows if r["motion_group"] == row["motion_group"]} for row in rows
    }
    assert all(len(splits) == 1 for splits in groups.values())


def test_real_dances(shared_data: Path) -> None:
    found, lacking = dance_with_melody.find_recordings(shared_data / "dance_with_melody")
    assert (len(found), lacking) == (39, ())
    recording = next(recording for recording in found if recording.name == "W_24")
    motion, audio = recording.motion(), recording.audio()
    assert len(motion) == 970
    assert audio.duration > motion.duration
