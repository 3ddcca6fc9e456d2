"""Features that are computed when films are prepared: with the clip that they belong to, and what is said if not."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus import video_io
from ictus.corpora import PreparationResult, run_jobs
from ictus.errors import IctusError, UsageError
from ictus.sound.data import video_index
from ictus.sound.data.dataset import MelWindows
from ictus.sound.data.optical_flow import COLUMNS
from ictus.sound.data.picture_features import compute_features, rgb_rows
from ictus.sound.data.preparation import ClipSettings, finish_corpus, plan_clips, prepare_video
from ictus.sound.models.bn_inception import BNInception
from sound.moving_films import SHOULDERS, SIDE, moving_square, player, write

VELOCITY = (30.0, -20.0)
START = (70.0, 130.0)
MIDDLE = (START[0] + SIDE / 2, START[1] + SIDE / 2)
SECONDS = 4.0
TIMES = tuple(np.arange(100) / 25)
LEFT_X = COLUMNS.index("left_hand.x")


def made(data: Path, out: Path, **settings: object) -> PreparationResult:
    cutting = ClipSettings(**{"seconds": 2.0, "features": ("flow",), **settings})  # type: ignore[arg-type]
    found, _ = video_index.find_videos(data)
    done = run_jobs(prepare_video, plan_clips(found, cutting, out))
    finish_corpus(out)
    return done


def clips(out: Path) -> list[Path]:
    return sorted((path.parent for path in out.glob("*/*/about.json")), key=lambda folder: folder.name)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A film of four seconds in which a square moves with the left hand; it stands still for the second half."""
    root, moving = tmp_path / "films", moving_square(START, VELOCITY)
    write(root / "Cello" / "a.mp4", lambda time: moving(min(time, 2.0)), TIMES)
    points = player(SECONDS, MIDDLE, VELOCITY)
    points[50:] = points[49:50]
    np.save(root / "Cello" / "a.npy", points)
    return root


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of BN-Inception in a file as it is published."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("networks") / "bn_inception.pth"
    tensors = BNInception.from_config("paper").state_dict()
    torch.save({name: x for name, x in tensors.items() if not name.endswith("num_batches_tracked")}, file)
    return file


def test_flow_belongs_to_the_clip_that_it_lies_beside(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert made(films, out) == PreparationResult(2)
    moving, still = (np.load(clip / "flow.npy") for clip in clips(out))
    assert moving.shape == still.shape == (43, 166)
    assert moving.dtype == np.float32
    np.testing.assert_allclose(moving[:, LEFT_X], VELOCITY[0] / SHOULDERS, rtol=0.1)
    assert np.abs(still[2:, LEFT_X]).max() < 0.02
    about = json.loads((clips(out)[0] / "about.json").read_text())
    assert (about["feature_rate"], about["clips"]) == (21.5, 2)
    window = MelWindows(out, clips(out)[0].parent.name, frames=128, kinds=("keypoints", "flow"))[0]
    assert window["flow"].shape == (32, 166)  # type: ignore[union-attr]
    assert made(films, out) == PreparationResult(0)
    (clips(out)[1] / "flow.npy").unlink()
    assert made(films, out) == PreparationResult(1)


def test_films_that_are_played_slower_have_as_many_rows(films: Path, tmp_path: Path) -> None:
    assert made(films, tmp_path / "out", stretch=0.8) == PreparationResult(2)
    moving = np.load(clips(tmp_path / "out")[0] / "flow.npy")
    assert moving.shape == (43, 166)
    np.testing.assert_allclose(moving[:, LEFT_X], 0.8 * VELOCITY[0] / SHOULDERS, rtol=0.1)


def test_what_is_given_takes_precedence_and_without_keypoints_there_is_the_picture(films: Path, tmp_path: Path) -> None:
    given = np.random.default_rng(0).random((86, 1024)).astype(np.float32)
    np.save(films / "Cello" / "a_flow.npy", given)
    assert made(films, tmp_path / "given") == PreparationResult(2)
    np.testing.assert_array_equal(np.load(clips(tmp_path / "given")[0] / "flow.npy"), given[:43])
    (films / "Cello" / "a_flow.npy").unlink()
    np.savez(films / "Cello" / "a_rgb.npz", rgb=given[:40], fps=10)
    assert made(films, tmp_path / "slow") == PreparationResult(2)
    assert np.load(clips(tmp_path / "slow")[0] / "flow.npy").shape == (20, 166)  # as many as of rgb
    (films / "Cello" / "a_rgb.npz").unlink()
    (films / "Cello" / "a.npy").unlink()
    assert made(films, tmp_path / "out") == PreparationResult(2)
    rows = np.load(clips(tmp_path / "out")[0] / "flow.npy")
    assert not rows[:, 2:22].any()
    assert rows[:, 22:].any()


def test_rgb_is_what_the_network_sees(films: Path, tmp_path: Path, network: Path) -> None:
    out = tmp_path / "out"
    assert made(films, out, seconds=1.0, features=("flow", "rgb"), inception=network).made == 4
    rows = [np.load(clip / "rgb.npy") for clip in clips(out)]
    assert {(one.shape, one.dtype.name) for one in rows} == {((22, 1024), "float32")}
    assert min(one.min() for one in rows) >= 0
    assert np.abs(rows[0][0] - rows[0][20]).max() > 3 * np.abs(rows[3][0] - rows[3][20]).max()  # which is still
    film = video_io.probe(films / "Cello" / "a.mp4")
    loaded = BNInception.from_config("paper").eval()
    with torch.no_grad():
        loaded.load_state_dict(torch.load(network, weights_only=True), strict=False)
    again = [next(rgb_rows(film, loaded, rate=21.5)) for _ in range(2)]
    np.testing.assert_array_equal(*again)
    np.testing.assert_allclose(again[0], rows[0][0], rtol=1e-4, atol=1e-5)


def test_rgb_needs_its_network(films: Path) -> None:
    with pytest.raises(UsageError, match=r"BN-Inception.*not part of this package; give the file"):
        ClipSettings(features=("rgb",))
    film = video_io.probe(films / "Cello" / "a.mp4")
    with pytest.raises(IctusError, match=r"a\.mp4: rgb is what BN-Inception sees"):
        compute_features("rgb", film, None, report=print)


def test_each_bad_film_is_a_line_and_what_could_be_read_is_kept(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    square, cello = moving_square(START, VELOCITY), films / "Cello"
    write(cello / "one.mp4", square, [0.0])
    write(cello / "mute.mp4", square, TIMES[:60], sound=False)
    (cello / "blind.mp4").write_bytes(_sound_alone(tmp_path))
    write(cello / "long.mp4", square, TIMES)
    np.save(cello / "long.npy", player(8.0, MIDDLE))
    write(cello / "odd.mp4", square, TIMES)
    np.save(cello / "odd_flow.npy", np.zeros((150, 166), np.float32))
    write(cello / "hurt.mp4", square, TIMES)
    frames = video_io.video_frames

    def breaking(film: video_io.Film, *arguments: object, **choices: object):  # type: ignore[no-untyped-def]
        for number, frame in enumerate(frames(film, *arguments, **choices)):  # type: ignore[arg-type]
            if film.file.name == "hurt.mp4" and number == 60:
                raise IctusError(f"{film.file}: its pictures are damaged after 2.8 s")
            yield frame

    monkeypatch.setattr("ictus.sound.data.optical_flow.video_frames", breaking)
    done = made(films, tmp_path / "out")
    expected = {
        "one.mp4": "has one picture only, in which nothing moves",
        "mute.mp4": "has no sound",
        "blind.mp4": "has no pictures",
        "long.npy": "200 rows",
        "odd_flow.npy": "150 rows, 21.5 a second, last 7.0 s, but the film 4.0 s",
        "hurt.mp4": "its pictures are damaged after 2.8 s",
    }
    assert len(done.failures) == len(expected)
    for name, says in expected.items():
        (line,) = [line for line in done.failures if line.startswith(str(cello / name))]
        assert says in line
        assert "\n" not in line
    assert [clip.name for clip in clips(tmp_path / "out")] == ["cello-a-0000", "cello-a-0001", "cello-hurt-0000"]
    hurt = json.loads((clips(tmp_path / "out")[2] / "about.json").read_text())
    assert hurt["clips"] is None  # there are more
    monkeypatch.undo()
    assert made(films, tmp_path / "out").made == 1  # the rest of it, now that it is whole


def _sound_alone(folder: Path) -> bytes:
    import soundfile

    soundfile.write(folder / "tone.wav", np.zeros(44100), 44100)
    return (folder / "tone.wav").read_bytes()
