"""Each file of keypoints that `ictus pose` writes, at each door that takes keypoints."""

from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.cli import main
from ictus.formats import read_keypoints
from ictus.motion import Motion
from ictus.pose import engines
from pose.people_on_film import SIZE, BoxEngine, walking, write_people
from sound.raw_films import write_film
from sound.small_soloist import save_soloist

FRAMES = 50  # 2 s
KINDS = {  # of files with a player's arms and hands: what `ictus pose` is told
    "blaze.npz": ["--skeleton", "blaze-75"],
    "blaze.npy": ["--skeleton", "blaze-75"],
    "blaze.json": ["--skeleton", "blaze-75"],
    "solos.npz": ["--skeleton", "solos-47"],
    "solos.npy": ["--skeleton", "solos-47"],
    "solos.json": ["--skeleton", "solos-47"],
    "coco.json": ["--keypoints", "coco"],
    "openpose": ["--keypoints", "openpose"],
}
HANDLESS = ["coco-17", "conductor-13"]
MOTIONS = ["blaze.npz", "blaze.json", "solos.npz", "solos.json"]
RATELESS = ["blaze.npy", "openpose"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all of them, and the film of somebody who walks by."""
    folder = tmp_path_factory.mktemp("written")
    film = write_people(folder / "walk.mp4", walking(FRAMES))
    bodies = {f"{body}{suffix}": ["--skeleton", body] for body in HANDLESS for suffix in (".npz", ".npy", ".json")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "get_engine", lambda name, networks=None: BoxEngine())
        for name, flags in {**KINDS, **bodies}.items():
            assert main(["pose", str(film), "-o", str(folder / name), *flags]) == 0
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_soloist(tmp_path_factory.mktemp("soloist")))


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_they_hold_the_same_player(written: Path, kind: str) -> None:
    found, wanted = read_keypoints(written / kind, SIZE), read_keypoints(written / "blaze.npz", SIZE)
    assert found.fps == (None if kind in RATELESS else 25)
    seen = (found.points[..., 2] > 0) & (wanted.points[..., 2] > 0)
    assert seen.mean() > 0.95
    np.testing.assert_allclose(found.points[seen, :2], wanted.points[seen, :2], atol=0.02)


@pytest.mark.parametrize("kind", ["solos.npz", "coco.json", "openpose"])
def test_sound_is_played_from_them(written: Path, model: str, tmp_path: Path, kind: str) -> None:
    out, rate = tmp_path / "a.wav", ["--keypoint-fps", "25"] if kind in RATELESS else []
    assert main(["sound", str(written / kind), "-o", str(out), "--model", model, *rate]) == 0
    assert abs(Audio.load(out).duration - FRAMES / 25) < 0.1


def test_the_film_gives_them_what_they_lack(written: Path, model: str, tmp_path: Path) -> None:
    film, out = written / "walk.mp4", tmp_path / "a.wav"
    command = ["sound", str(film), "--keypoints", str(written / "blaze.npy"), "-o", str(out), "--model", model]
    assert main(command) == 0
    assert abs(Audio.load(out).duration - FRAMES / 25) < 0.1


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("blaze.npy", "whose width and height in pixels are needed; give the film too"),
        ("openpose", "holds no frame rate; give the frames per second of the film (--keypoint-fps)"),
        ("coco-17.npz", "a motion of coco-17; a player's keypoints are of solos-47 or blaze-75"),
        ("coco-17.npy", "keypoints of Solos are floats (frames, 3, 47)"),
        ("conductor-13.json", "a motion of conductor-13; a player's keypoints are of solos-47 or blaze-75"),
        ("conductor-13.npy", "keypoints of Solos are floats (frames, 3, 47)"),
    ],
)
def test_sound_says_what_is_lacking(
    written: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, message: str
) -> None:
    assert main(["sound", str(written / kind), "-o", str(tmp_path / "a.wav"), "--model", model]) == 1
    assert message in one_line(capsys)
    assert not list(tmp_path.iterdir())


def test_clips_are_cut_with_each(written: Path, tmp_path: Path) -> None:
    films = tmp_path / "films" / "Cello"
    for kind in KINDS:
        name = kind.replace(".", "_")
        write_film(films / f"{name}.mp4", FRAMES / 25)
        (films / f"{name}{Path(kind).suffix}").symlink_to(written / kind)
    command = ["data", "prepare", "solos", "--data", str(films.parent), "--out", str(tmp_path / "out")]
    assert main([*command, "--seconds", "2", "--no-estimate"]) == 0
    clips = list((tmp_path / "out").rglob("keypoints.npy"))
    assert len(clips) == len(KINDS)
    for clip in clips:
        assert np.load(clip).shape[1:] == (47, 3)


@pytest.mark.parametrize("kind", [*MOTIONS, "coco-17.npz", "conductor-13.npz", "conductor-13.npy"])
def test_motions_are_converted(written: Path, tmp_path: Path, kind: str) -> None:
    assert main(["convert", str(written / kind), str(tmp_path / "a.json")]) == 0
    assert Motion.load(tmp_path / "a.json").skeleton == Motion.load(written / kind).skeleton


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in MOTIONS])
def test_keypoints_that_are_no_motion_are_shown_the_way(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    assert main(["convert", str(written / kind), str(tmp_path / "a.npz")]) == 1
    said = one_line(capsys)
    assert f"{kind}: holds a player's keypoints, which are no motion; `ictus sound` takes them" in said
    assert "`ictus pose FILM -o NAME.npz` makes a motion" in said
    assert not list(tmp_path.iterdir())
