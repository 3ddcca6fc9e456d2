"""AIST++ and its songs, made into what FACT learns from."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from raw_dances import IGNORED, TEMPI, TEST, TRAIN, VAL, write_aist
from scipy.spatial.transform import Rotation

from ictus.audio import Audio
from ictus.corpora import PreparationResult, run_jobs
from ictus.dance.data import aist, aist_inspection
from ictus.dance.data.aist_preparation import plan, prepare_song
from ictus.dance.data.dataset import AIST, scan_dances
from ictus.dance.data.preparation import finish_corpus, save_dance
from ictus.errors import IctusError, UsageError
from ictus.features import rhythm35


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_aist(tmp_path / "aist")


def make(corpus: Path, out: Path, workers: int = 1, **asked: object) -> tuple[PreparationResult, list[str], list[str]]:
    said: list[str] = []
    songs, lacking = plan(corpus, corpus / "music", out, **asked)
    done = run_jobs(prepare_song, songs, workers=workers, progress=lambda fraction: None, report=said.append)
    finish_corpus(out, AIST)
    return done, lacking, said


def test_what_fact_learns_from(corpus: Path, tmp_path: Path) -> None:
    done, lacking, said = make(corpus, tmp_path / "out")
    assert (done, lacking, said) == (PreparationResult(5), [], [])
    found = {split: scan_dances(tmp_path / "out", split, AIST) for split in ("train", "val", "test")}
    assert not any(split.broken for split in found.values())
    assert {split: tuple(dance.folder.name for dance in s.dances) for split, s in found.items()} == {
        "train": TRAIN,
        "val": VAL,
        "test": TEST,
    }
    (dance,) = found["val"].dances
    content = pickle.loads((corpus / "motions" / f"{VAL[0]}.pkl").read_bytes())
    motion = dance.read("motion")
    assert motion.shape == (203, 219)
    np.testing.assert_allclose(motion[:, :3], content["smpl_trans"] / 95, rtol=1e-6)
    turns = Rotation.from_rotvec(content["smpl_poses"].reshape(-1, 3)).as_matrix()
    np.testing.assert_allclose(motion[:, 3:].reshape(-1, 3, 3), turns, atol=1e-6)

    song = Audio.load(corpus / "music" / "mHO5.wav")
    whole = rhythm35(song, tempo=135)
    np.testing.assert_allclose(dance.read("audio"), whole[:203], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(dance.read("audio"), np.load(tmp_path / "out/music/mHO5.npy")[:203])
    assert len(np.load(tmp_path / "out/music/mHO5.npy")) == len(whole)
    marked = np.flatnonzero(dance.read("audio")[:, 34]) / 60
    np.testing.assert_array_equal(dance.beats, marked)
    off = dance.beats[:, None] - np.arange(0, 6, 60 / TEMPI["mHO5"])
    assert np.abs(off).min(1).max() < 2 / 60
    assert len(marked) >= 5
    about = json.loads((tmp_path / "out" / "prepared.json").read_text())
    assert about["corpus"] == "AIST++"
    assert about["splits"]["train"] == {"dances": 3, "hours": pytest.approx(603 / 60 / 3600, abs=1e-4)}
    assert str(tmp_path) not in json.dumps(about)
    assert not (tmp_path / "out" / ".unfinished").exists()


def test_it_goes_on_where_it_stopped_and_parallel_is_the_same(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert make(corpus, out, splits=("val",))[0].made == 1
    before = (out / "val" / VAL[0] / "motion.npy").stat().st_mtime_ns
    (out / ".unfinished" / f"train-{TRAIN[0]}").mkdir(parents=True)  # of a run that was killed
    (out / ".unfinished" / f"train-{TRAIN[0]}" / "old.npy").touch()
    assert make(corpus, out, workers=2)[0].made == 4
    assert make(corpus, out)[0] == PreparationResult()
    assert (out / "val" / VAL[0] / "motion.npy").stat().st_mtime_ns == before
    alone = tmp_path / "alone"
    make(corpus, alone)
    files = sorted(file.relative_to(alone) for file in alone.rglob("*.npy"))
    assert files == sorted(file.relative_to(out) for file in out.rglob("*.npy"))
    for file in files:
        np.testing.assert_array_equal(np.load(alone / file), np.load(out / file))


def test_the_shorter_counts_and_the_sound_may_be_kept(tmp_path: Path) -> None:
    corpus = write_aist(tmp_path / "aist", frames=240, seconds=3.0)
    make(corpus, tmp_path / "out", splits=("test",), sound=True)
    folder = tmp_path / "out" / "test" / TEST[0]
    length = len(np.load(folder / "motion.npy"))
    assert length == len(np.load(folder / "audio.npy")) == 1 + 3 * 30720 // 512
    assert Audio.load(folder / "music.flac").duration == pytest.approx(3.0, abs=0.02)


def test_what_cannot_be_made_is_named_and_the_rest_is(corpus: Path, tmp_path: Path) -> None:
    (corpus / "motions" / f"{TRAIN[0]}.pkl").write_bytes(b"garbage")
    (corpus / "motions" / f"{TRAIN[2]}.pkl").unlink()
    (corpus / "music" / "mHO5.wav").unlink()
    done, lacking, said = make(corpus, tmp_path / "out")
    assert done.made == 1
    assert [path.name for path in (tmp_path / "out" / "train").iterdir()] == [TRAIN[1]]
    (line,) = said
    assert line.startswith(f"{corpus / 'motions' / TRAIN[0]}.pkl: ")
    assert lacking[0] == f"train: 1 of 3 motions are not there: {TRAIN[2]}"
    assert "mHO5: no such song; 2 dances to it are left out" in lacking[1]
    (corpus / "music" / "mHO5.wav").write_bytes(b"no sound")
    done, _, said = make(corpus, tmp_path / "out")
    assert done.made == 0
    assert any("mHO5.wav" in line and "2 dances to it are left out" in line for line in said)
    assert all("\n" not in line for line in (*said, *lacking))


def test_features_that_are_damaged_are_not_used(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "music").mkdir(parents=True)
    (tmp_path / "out" / "music" / "mBR0.npy").write_bytes(b"garbage")
    done, _, said = make(corpus, tmp_path / "out", splits=("train",))
    assert done.made == 1
    assert "mBR0.npy: damaged" in said[0]


def test_wrong_usage(corpus: Path, tmp_path: Path) -> None:
    for music, root, says in (
        ("nowhere", corpus, "nowhere: no such folder"),
        ("music", tmp_path / "music", "motions: no such folder"),
    ):
        with pytest.raises(UsageError, match=says):
            plan(root, corpus / music, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    make(corpus, tmp_path / "out", splits=("val",))
    with pytest.raises(UsageError, match=r"another corpus is there \(sound\)"):
        plan(corpus, corpus / "music", tmp_path / "out", sound=True)
    (tmp_path / "out" / "prepared.json").write_text("[")
    with pytest.raises(UsageError, match="cannot be read"):
        plan(corpus, corpus / "music", tmp_path / "out")


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train").touch()  # no folder can be made there
    with pytest.raises(IctusError, match=r"dance: cannot be written"):
        save_dance(tmp_path / "out" / "train" / "dance", {"motion": np.zeros(3)})
    assert not list((tmp_path / "out").glob(".unfinished/*"))


def test_songs_by_their_names(tmp_path: Path) -> None:
    for name in ("mBR0.mp3", "mBR0.wav", "mHO5.MP3", "mHO5.txt", "song.wav", "mWA3"):
        (tmp_path / name).touch()
    assert aist.songs(tmp_path) == {"mBR0": tmp_path / "mBR0.wav", "mHO5": tmp_path / "mHO5.MP3"}


def test_an_inspection_counts(corpus: Path) -> None:
    (corpus / "motions" / f"{TRAIN[0]}.pkl").write_bytes(b"garbage")
    (corpus / "motions" / f"{TEST[0]}.pkl").unlink()
    (corpus / "music" / "mHO5.wav").unlink()
    (corpus / "splits" / "pose_val.txt").write_text(f"{TRAIN[1]}\n")
    steps: list[float] = []
    found = aist_inspection.inspect(corpus, corpus / "music", steps.append)
    facts = found.facts()
    assert steps[-1] == 1
    assert (facts["motions"], facts["sBM"], facts["sFM"], facts["dancers"], facts["ignored"]) == (3, 2, 1, 3, 1)
    assert facts["hours"] == pytest.approx((201 + 202 + 203) / 60 / 3600, abs=1e-4)
    assert {genre: part["motions"] for genre, part in facts["genres"].items()} == {"BR (break)": 1, "HO (house)": 2}
    assert list(facts["splits"]) == ["crossmodal_train", "crossmodal_val", "crossmodal_test", "pose_val"]
    train = facts["splits"]["crossmodal_train"]
    assert [train[k] for k in ("listed", "usable", "ignored", "missing", "broken")] == [4, 2, 1, 0, 1]
    assert facts["splits"]["crossmodal_test"]["missing"] == 1
    assert facts["splits"]["pose_val"]["usable"] == 1
    assert facts["music"] == {"found": ["mBR0"], "missing": ["mHO5"]}
    assert len(found.broken) == 1
    assert IGNORED not in "".join(found.broken)
    assert json.dumps(facts)
    lines = found.lines()
    assert lines[0].startswith("3 motions (2 basic, 1 advanced), 0.00 hours, 2 songs, 3 dancers; 1 on the ignore list")
    assert lines[-1] == "music: 1 of 2 songs found; missing are mHO5"
    assert aist_inspection.inspect(corpus).facts()["music"] is None


def test_the_published_lists_with_a_real_pickle(shared_data: Path, tmp_path: Path) -> None:
    lists = shared_data / "aist" / "splits"
    (tmp_path / "motions").mkdir()
    (tmp_path / "splits").mkdir()
    for split in ("train", "test"):
        (tmp_path / "splits" / f"crossmodal_{split}.txt").write_bytes((lists / f"crossmodal_{split}.txt").read_bytes())
    (tmp_path / "ignore_list.txt").write_bytes((lists / "ignore_list.txt").read_bytes())
    name = aist.split_names(tmp_path, "test")[0]
    real = (shared_data / "aist" / "last.generated.test.pkl").read_bytes()
    (tmp_path / "motions" / f"{name}.pkl").write_bytes(real)
    facts = aist_inspection.inspect(tmp_path).facts()
    train, test = facts["splits"]["crossmodal_train"], facts["splits"]["crossmodal_test"]
    assert (train["listed"], train["ignored"], train["missing"]) == (980, 28, 952)
    assert (test["listed"], test["usable"], test["missing"]) == (20, 1, 19)
