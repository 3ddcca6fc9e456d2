"""Dance with Melody, made into what its autoencoder learns from."""

import json
from pathlib import Path

import numpy as np
import pytest
from raw_dances import walk, write_gathered, write_published

from ictus.beats import BeatTracker
from ictus.corpora import PreparationResult, run_jobs
from ictus.dance.data import dance_with_melody
from ictus.dance.data.dataset import MELODY, scan_dances
from ictus.dance.data.melody_preparation import danced_pieces, face_front, heading, plan, prepare_recording
from ictus.dance.data.preparation import finish_corpus
from ictus.errors import UsageError
from ictus.features import melody16
from ictus.skeleton import get_skeleton

BODY = get_skeleton("melody-21")
FEET = [BODY.index(f"{point}_{side}") for point in ("ankle", "heel", "toe") for side in "lr"]


def make(corpus: Path, out: Path, **asked: object) -> tuple[PreparationResult, list[str], list[str]]:
    said: list[str] = []
    jobs, lacking = plan(corpus, out, **asked)
    done = run_jobs(prepare_recording, jobs, progress=lambda fraction: None, report=said.append)
    finish_corpus(out, MELODY)
    return done, lacking, said


def test_what_the_autoencoder_learns_from(tmp_path: Path) -> None:
    corpus = write_gathered(tmp_path / "corpus", ("C_2", "C_6", "W_1"), frames=200)
    assert make(corpus, tmp_path / "out") == (PreparationResult(3), [], [])
    found = {split: scan_dances(tmp_path / "out", split, MELODY) for split in ("train", "val")}
    assert not any(split.broken for split in found.values())
    names = {split: [dance.folder.name for dance in s.dances] for split, s in found.items()}
    assert names == {"train": ["C_2", "W_1"], "val": ["C_6"]}
    chacha, waltz = found["train"].dances
    assert 203 >= waltz.frames > chacha.frames  # the waltz is slower than it says
    recordings, _ = dance_with_melody.find_recordings(corpus)
    features = melody16(recordings[0].audio())
    first = next(k for k in range(200) if (features[k] == chacha.read("audio")[0]).all())
    np.testing.assert_array_equal(chacha.read("audio"), features[first : first + chacha.frames])
    points = walk(200, 0)[:, :21] / 100
    np.testing.assert_allclose(
        chacha.read("motion"), face_front(points, "body").reshape(200, -1)[first:][: chacha.frames], atol=1e-4
    )
    assert round(chacha.beats[-1] * 25) == chacha.frames - 1
    assert np.abs(np.diff(chacha.beats) - 60 / 90).max() < 0.05
    assert set((chacha.beats[1:] + first / 25).round(4)) <= set(BeatTracker()(recordings[0].audio()).times.round(4))
    about = json.loads((tmp_path / "out" / "prepared.json").read_text())
    assert (about["view"], about["splits"]["val"]["dances"]) == ("body", 1)
    assert make(corpus, tmp_path / "out")[0] == PreparationResult()
    with pytest.raises(UsageError, match=r"another corpus is there \(view\)"):
        plan(corpus, tmp_path / "out", view="room")


def test_only_what_is_danced_is_kept_and_leaps_cut_it(tmp_path: Path) -> None:
    points = np.cumsum(np.full((300, 21, 3), 0.02), 0)  # 0.9 m/s
    points[:50], points[280:] = points[50], points[279]  # stands, before and after
    points[150:] += 0.6
    assert danced_pieces(points, np.arange(0.5, 20)) == [(38, 139), (162, 263)]
    assert danced_pieces(points[50:], np.arange(0.5, 20)) == [(0, 89), (112, 213)]  # begins in the dance
    assert danced_pieces(points, np.array([3.0])) == danced_pieces(0 * points, np.arange(9.0)) == []
    corpus = write_gathered(tmp_path / "corpus", ("R_4", "T_5", "W_1"), frames=300)
    leaping = np.load(corpus / "T_5.npz")["positions"] + 60 * (np.arange(300) >= 150)[:, None, None]
    np.savez(corpus / "T_5.npz", positions=leaping)
    assert make(corpus, tmp_path / "out", kind="tango", splits=("train",), sound=True) == (PreparationResult(1), [], [])
    first, second = sorted((tmp_path / "out" / "train").iterdir())
    assert (first.name, second.name) == ("T_5", "T_5-2")
    for folder in (first, second):
        frames = len(np.load(folder / "motion.npy"))
        assert 100 < frames == len(np.load(folder / "audio.npy"))
        assert dance_with_melody.Audio.load(folder / "music.flac").duration == pytest.approx(frames / 25, abs=1e-3)
        assert np.load(folder / "beats.npy")[-1] * 25 == pytest.approx(frames - 1, abs=0.5)
    assert np.load(second / "beats.npy")[0] * 25 < 0.5
    np.savez(corpus / "T_5.npz", positions=0 * leaping)
    with pytest.raises(UsageError, match="holds no cha-cha"):
        plan(corpus, tmp_path / "none", kind="cha-cha")
    assert "no two beats" in make(corpus, tmp_path / "still", kind="tango")[2][0]


def test_the_published_layout(tmp_path: Path) -> None:
    done, lacking, _ = make(write_published(tmp_path / "corpus"), tmp_path / "out", sound=True)
    assert (done.made, lacking) == (1, [])
    (dance,) = scan_dances(tmp_path / "out", "train", MELODY).dances
    audio = dance_with_melody.Audio.load(dance.folder / "music.flac")
    assert audio.duration == pytest.approx(dance.frames / 25, abs=0.01)
    # The song ticks from its own second 0 on, the dance begins two seconds (three ticks) later.
    off = dance.beats[:, None] - np.arange(0, 6, 60 / 90)
    assert np.abs(off).min(1).max() < 0.06


def rigid(points: np.ndarray) -> np.ndarray:
    """All distances between points of a frame, (T, J, J)."""
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


@pytest.mark.parametrize("view", ["room", "body"])
def test_a_dance_is_put_on_the_floor_and_faces_the_front(view: str) -> None:
    points = walk(500)[:, :21] / 100
    seen = face_front(points, view)
    np.testing.assert_allclose(rigid(seen), rigid(points), atol=1e-9)  # mirrored bodies would pass this, and fail below
    lowest = seen[:, FEET, 1].min(1)
    assert np.abs(lowest - 0.052).max() < 0.03  # the floor had risen by 40 cm
    waist, facing = seen[:, BODY.index("waist")], heading(seen)
    toes = seen[:, BODY.index("toe_l")] - seen[:, BODY.index("heel_l")]
    if view == "body":
        np.testing.assert_allclose(waist[:, [0, 2]], 0, atol=1e-9)
        np.testing.assert_allclose(facing, 0, atol=1e-9)
        np.testing.assert_allclose(toes[:, [0, 2]] / 0.2, np.tile([0, 1], (500, 1)), atol=1e-9)
    else:
        np.testing.assert_allclose(waist.mean(0)[[0, 2]], 0, atol=1e-9)
        assert np.angle(np.exp(1j * facing).mean()) == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(np.diff(np.unwrap(facing)), 0.3 / 25, atol=1e-9)  # it turns as it did
        assert np.ptp(waist[:, 0]) > 1  # and travels as it did
    # The corpus's _l is the dancer's right, which the audience sees on the left where the dancer faces it.
    front = np.abs(facing).argmin()
    assert seen[front, BODY.index("waist_l"), 0] < seen[front, BODY.index("waist_r"), 0]


def test_settling_forgets_where_the_dance_was(tmp_path: Path) -> None:
    points = walk(300)[:, :21] / 100
    turned = points @ np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]]) + (3, 0.7, -2)
    np.testing.assert_allclose(face_front(turned, "body"), face_front(points, "body"), atol=1e-9)
    room = face_front(points, "room")
    again = face_front(room + np.array([1, 0.2, 1]), "room")
    np.testing.assert_allclose(again[..., [0, 2]], room[..., [0, 2]], atol=1e-9)
    np.testing.assert_allclose(again[..., 1], room[..., 1], atol=0.01)


def test_what_cannot_be_made_is_named_and_the_rest_is(tmp_path: Path) -> None:
    corpus = write_gathered(tmp_path / "corpus", ("C_2", "C_4", "C_7", "R_4", "W_1"))
    (corpus / "C_2.npz").write_bytes(b"garbage")
    (corpus / "C_4.ogg").write_bytes(b"garbage")
    (corpus / "R_4.ogg").unlink()
    done, lacking, said = make(corpus, tmp_path / "out")
    assert done.made == 1
    assert [line.split(": ")[0] for line in said] == [str(corpus / "C_2.npz"), str(corpus / "C_4.ogg")]
    assert "R_4.npz: its song is missing" in lacking[0]
    assert "no split is known of C_7" in lacking[1]
    assert all("\n" not in line for line in (*said, *lacking))


def test_a_real_waltz(shared_data: Path, tmp_path: Path) -> None:
    recording = next(
        t for t in dance_with_melody.find_recordings(shared_data / "dance_with_melody")[0] if t.name == "W_24"
    )
    points = recording.motion().resample(25).positions[:, :21].astype(np.float64)
    lowest = face_front(points, "room")[:, FEET, 1].min(1)
    assert 0.0 < lowest.min() < lowest.max() < 0.12
    seen = face_front(points, "body")
    ahead = (seen[:, FEET[4:]] - seen[:, FEET[2:4]]).mean(1)[:, 2]  # toes before heels
    assert (ahead > 0).mean() > 0.97
