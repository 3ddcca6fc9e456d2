"""AIST++ on disk, in small."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from ictus.dance.data import aist
from ictus.errors import MotionError, UsageError

NAMES = [f"g{genre}_sBM_cAll_d04_m{genre}{k}_ch0{k + 1}" for k, genre in enumerate(("BR", "HO", "KR"))]


def dump(file: Path, content: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(content))
    return file


def pictures(frames: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 1080, (9, frames, 17, 3)).astype(np.float32)
    points[3, 1:2] = np.nan
    return {"keypoints2d": points, "det_scores": rng.random((9, frames)), "timestamps": np.arange(frames) * 16667}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k, name in enumerate(NAMES):
        content = {
            "smpl_poses": rng.normal(0, 0.3, (60 * (k + 1), 72)),
            "smpl_trans": rng.normal(0, 90, (60 * (k + 1), 3)),
            "smpl_scaling": np.array([95.0]),
            "smpl_loss": 1.0,
        }
        dump(tmp_path / "motions" / f"{name}.pkl", content)
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "crossmodal_train.txt").write_text(f"{NAMES[0]}\n{NAMES[1]} \n\n{NAMES[2]}.json\n")
    (tmp_path / "splits" / "pose_test.txt").write_text(f"{NAMES[2]}\n")
    camera = {
        "size": [1920, 1080],
        "matrix": [[1800.0, 0, 960], [0, 1800.0, 540], [0, 0, 1]],
        "rotation": [0.1, -0.2, 3.0],
        "translation": [10.0, 160, 500],
        "distortions": [0.02, -0.03, 0.001, -0.002, 0.005],
    }
    (tmp_path / "cameras").mkdir()
    (tmp_path / "cameras" / "mapping.txt").write_text("".join(f"{name} setting1\n" for name in NAMES))
    settings = [camera | {"name": f"c{k:02}"} for k in range(1, 10)]
    (tmp_path / "cameras" / "setting1.json").write_text(json.dumps(settings))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "tempo"), [("gBR_sBM_cAll_d04_mBR0_ch01", 80), ("gHO_sFM_c03_d20_mHO5_ch12", 135), (NAMES[2], 100)]
)
def test_names(name, tempo):
    sequence = aist.SequenceName.parse(name)
    assert str(sequence) == name
    assert sequence.tempo == tempo
    assert sequence.genre in aist.AIST_GENRES
    assert f"_{sequence.music}_" in name
    assert name.startswith(f"g{sequence.genre}_{sequence.situation}_c{sequence.camera}_d{sequence.dancer:02}")


@pytest.mark.parametrize(
    "name", ["", "walk", "gXX_sBM_cAll_d04_mXX0_ch01", "gBR_sXX_cAll_d04_mBR0_ch01", NAMES[0] + "x"]
)
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match=r"no sequence of AIST\+\+"):
        aist.SequenceName.parse(name)


def test_tempo_of_a_song():
    assert [aist.song_tempo(f"mWA{k}") for k in range(6)] == [80, 90, 100, 110, 120, 130]
    assert [aist.song_tempo(f"mHO{k}") for k in range(6)] == [110, 115, 120, 125, 130, 135]
    with pytest.raises(UsageError, match="no song of AIST"):
        aist.song_tempo("mXX0")


def test_a_survey_counts(corpus):
    for split in (None, "train"):
        found = aist.scan_motions(corpus, split)
        assert [(m.name, m.frames) for m in found.motions] == list(zip(NAMES, (60, 120, 180), strict=True))
        assert found.hours == pytest.approx(6 / 3600)
        assert not found.broken
    motion = found.motions[1]
    assert motion.sequence.tempo == 115
    assert len(motion.motion()) == 120
    assert [motion.name for motion in aist.scan_motions(corpus, "test", "pose").motions] == NAMES[2:]


def test_ignored_sequences_are_left_out(corpus):
    (corpus / "ignore_list.txt").write_text(f"{NAMES[1]} \n")
    assert [motion.name for motion in aist.scan_motions(corpus, "train").motions] == [NAMES[0], NAMES[2]]


def test_broken_files_are_named_one_by_one(corpus):
    motions = corpus / "motions"
    (motions / f"{NAMES[0]}.pkl").write_bytes(b"garbage")
    (motions / f"{NAMES[2]}.pkl").unlink()
    (motions / f"{NAMES[1]}.pkl").rename(motions / "walk.pkl")
    found = aist.scan_motions(corpus, "train")
    assert not found.motions
    assert [line.split(": ")[0] for line in found.broken] == [str(motions / f"{name}.pkl") for name in NAMES]
    assert "no such file" in found.broken[2]
    assert "walk.pkl" in aist.scan_motions(corpus).broken[1]
    assert all("\n" not in line for line in found.broken)


def test_no_corpus(tmp_path, corpus):
    with pytest.raises(UsageError, match="motions: no such folder"):
        aist.scan_motions(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"crossmodal_dress\.txt: no such split"):
        aist.split_names(corpus, "dress")


def test_keypoints_in_pictures(tmp_path):
    content = pictures()
    seen = aist.keypoints2d(dump(tmp_path / "x.pkl", content))
    np.testing.assert_array_equal(seen.positions, content["keypoints2d"][..., :2])
    np.testing.assert_array_equal(seen.scores, content["keypoints2d"][..., 2])
    np.testing.assert_allclose(seen.detections, content["det_scores"], rtol=1e-6)
    np.testing.assert_array_equal(seen.times, content["timestamps"])


def test_keypoints_in_space(tmp_path):
    rng = np.random.default_rng(0)
    content = {"keypoints3d": rng.normal(size=(5, 17, 3)), "keypoints3d_optim": rng.normal(size=(5, 17, 3))}
    file = dump(tmp_path / "x.pkl", content)
    np.testing.assert_allclose(aist.keypoints3d(file), content["keypoints3d_optim"], rtol=1e-6)
    np.testing.assert_allclose(aist.keypoints3d(file, optimised=False), content["keypoints3d"], rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "is missing"),
        ([1], "is missing"),
        (pictures() | {"keypoints2d": np.zeros((9, 4, 17, 2))}, r"keypoints2d has shape \(9, 4, 17, 2\)"),
        (pictures() | {"keypoints2d": np.zeros((8, 4, 17, 3))}, "keypoints2d has shape"),
        (pictures() | {"keypoints2d": np.zeros(())}, "keypoints2d has shape"),
        (pictures(0), "keypoints2d has shape"),
        (pictures() | {"det_scores": np.zeros((9, 3))}, "det_scores has shape"),
        (pictures() | {"timestamps": np.zeros(3)}, "timestamps has shape"),
        (pictures() | {"timestamps": ["a"]}, "is no array of numbers"),
        (pictures() | {"timestamps": print}, "is refused"),
    ],
)
def test_other_pickles_are_no_keypoints(tmp_path, content, says):
    file = dump(tmp_path / "x.pkl", content)
    with pytest.raises(MotionError, match=says) as refusal:
        aist.keypoints2d(file)
    assert str(refusal.value).startswith(f"{file}: ")
    with pytest.raises(MotionError):
        aist.keypoints3d(file)


def test_cameras(corpus):
    nine = aist.cameras(corpus, NAMES[0])
    assert [camera.name for camera in nine] == [f"c0{k}" for k in range(1, 10)]
    assert nine[0].size == (1920, 1080)
    camera = nine[0]
    turn, _ = cv2.Rodrigues(camera.rotation)
    middle = -turn.T @ camera.translation + turn[2] * 300  # in front of the lens, 3 m away
    np.testing.assert_allclose(camera.project(middle), [960, 540], atol=1e-6)
    aside = middle + turn[0] * 3  # to the right of it, where the lens hardly bends
    np.testing.assert_allclose(camera.project(np.stack([middle, aside])), [[960, 540], [978, 540]], atol=0.1)


def test_cameras_that_are_not_there(corpus):
    assert aist.camera_settings(corpus) == dict.fromkeys(NAMES, "setting1")
    with pytest.raises(UsageError, match="no camera setting"):
        aist.cameras(corpus, "gBR")
    setting = corpus / "cameras" / "setting1.json"
    for text in ("{", "[{}]", "[1]", '[{"size": 3}]', "3"):
        setting.write_text(text)
        with pytest.raises(MotionError, match=r"setting1\.json: is no (list of cameras|valid JSON)"):
            aist.cameras(corpus, NAMES[0])
    setting.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(MotionError, match="is no text"):
        aist.cameras(corpus, NAMES[0])
    (corpus / "cameras" / "mapping.txt").write_text("one two\nthree\n")
    with pytest.raises(MotionError, match="line 2"):
        aist.camera_settings(corpus)


def test_the_published_lists(shared_data):
    folder = shared_data / "aist" / "splits"
    names = (folder / "crossmodal_train.txt").read_text().split()
    assert {aist.SequenceName.parse(name).situation for name in names} == set(aist.SITUATIONS)
    assert {aist.SequenceName.parse(name).genre for name in names} == set(aist.AIST_GENRES)
    test = [aist.SequenceName.parse(name) for name in (folder / "crossmodal_test.txt").read_text().split()]
    assert len({sequence.music for sequence in test}) == 10  # one song of each genre
    assert {sequence.choreography for sequence in test} == {2}


def test_tempo_fits_real_clips(shared_data):
    for file in (shared_data / "aist" / "gendance2d").glob("*.npz"):
        assert aist.SequenceName.parse(file.stem).tempo == float(np.load(file)["bpm"])
