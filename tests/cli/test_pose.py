"""`ictus pose`, and `ictus models get`, from end to end; an engine without networks stands for the real one."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from ictus import io
from ictus.cli import main
from ictus.cli.console import LabelledBar
from ictus.cli.pose import with_speed
from ictus.motion import Motion
from ictus.pose import engines, networks, track
from pose.people_on_film import BoxEngine, picture, walking, write_people


@pytest.fixture(autouse=True)
def boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "get_engine", lambda name, networks=None: BoxEngine())


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_people(tmp_path / "in" / "walk.mp4", walking(30))


def test_all_kinds_at_once(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.npz", "a.npy", "a.json", "a.mp4", "a.html", "a.bvh", "a.glb", "a.pkl"]
    flags = [part for name in names for part in ("-o", str(tmp_path / name))]
    assert main(["pose", str(film), *flags]) == 0
    said = capsys.readouterr().out
    assert "30 frames at 25 a second; somebody in 100% of them; left hand in 100%" in said
    assert "frames a second)" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "in"])
    assert Motion.load(tmp_path / "a.bvh").skeleton.name == "smpl-24"
    assert Motion.load(tmp_path / "a.npz").skeleton.name == "blaze-75"


def test_a_dancer_may_be_lifted(film: Path, tmp_path: Path) -> None:
    assert main(["pose", str(film), "-o", str(tmp_path / "found.bvh")]) == 0
    assert main(["pose", str(film), "-o", str(tmp_path / "lifted.bvh"), "--lift"]) == 0
    found, lifted = (Motion.load(tmp_path / f"{name}.bvh") for name in ("found", "lifted"))
    assert found.positions.shape == lifted.positions.shape
    assert np.abs(found.positions - lifted.positions).max() > 0.01


def test_without_out_the_keypoints_lie_beside_the_film(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pose", str(film), "--start", "0.4", "--end", "0.8", "--fps", "10", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["out"] == [str(film.with_suffix(".npz"))]
    assert (report["frames"], report["fps"]) == (4, 10)


def test_formats_of_others(film: Path, tmp_path: Path) -> None:
    assert main(["pose", str(film), "-o", str(tmp_path / "coco.json"), "--keypoints", "coco"]) == 0
    assert "annotations" in json.loads((tmp_path / "coco.json").read_text())
    pages = tmp_path / "pages"
    assert main(["pose", str(film), "-o", str(pages), "--keypoints", "openpose"]) == 0
    assert len(list(pages.glob("pages_*_keypoints.json"))) == 30


def test_a_folder_in_which_one_film_shows_nobody(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_people(film.with_name("empty.mp4"), (picture([]) for _ in range(5)))
    assert main(["pose", str(film.parent), "-o", f"{tmp_path}/out/"]) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["walk.npz"]
    (error,) = capsys.readouterr().err.strip().splitlines()
    assert "empty.mp4: nobody is seen in its 5 pictures" in error


def test_gaps_and_cuts_are_said(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = BoxEngine(lambda number: number < 15)
    monkeypatch.setattr(engines, "get_engine", lambda name, networks=None: engine)
    assert main(["pose", str(film)]) == 0
    assert "nobody at 0.0-0.6 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lost.mp4"], 1, "lost.mp4: no such file"),
        (["a.mp4", "--person", "tallest"], 2, "no person is called 'tallest'"),
        (["a.mp4", "--start", "9"], 1, "there is nothing in it from 9 s on"),
        (["a.mp4", "--keypoints", "openpose"], 2, "a folder; give its name to -o"),
        (["a.mp4", "--keypoints", "coco"], 2, "COCO's keypoints are a .json file"),
        (["a.mp4", "-o", "x.wav"], 2, "cannot make a file with '.wav'"),
        (["a.mp4", "-o", "a.mp4"], 2, "would overwrite what was given"),
        (["empty"], 2, "no films in this folder"),
        (["text.mp4"], 1, "text.mp4: no film or sound that can be read"),
        (["song.npy"], 1, "song.npy: this is a motion"),
        ([], 2, "no film given"),
    ],
)
def test_bad_input_gives_one_line_and_no_file(
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(film.parent)
    film.rename("a.mp4")
    Path("empty").mkdir()
    Path("text.mp4").write_text("no film")
    Path("song.npy").write_bytes(b"x")
    before = sorted(Path().iterdir())
    assert main(["pose", *arguments]) == code
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1, errors
    assert message in errors[0], errors
    assert sorted(Path().iterdir()) == before


def test_one_picture_is_one_frame(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_people(tmp_path / "one.mp4", walking(1))
    assert main(["pose", str(tmp_path / "one.mp4")]) == 0
    assert "(1 frame at 25 a second; somebody in 100% of them" in capsys.readouterr().out
    write_people(tmp_path / "none.mp4", [picture([])])
    assert main(["pose", str(tmp_path / "none.mp4")]) == 1
    assert "none.mp4: nobody is seen in its 1 picture\n" in capsys.readouterr().err


@pytest.mark.parametrize("fps", [12.0, 24.0, np.nextafter(25.0, 0)])
def test_feet_of_films_of_any_rate_are_set_down(tmp_path: Path, fps: float) -> None:
    """As of the cinema, and of one that broke off, whose rate is measured from the times of its pictures."""
    write_people(tmp_path / "a.mp4", walking(20))
    found = track(tmp_path / "a.mp4", engine=BoxEngine(), fps=fps)
    io.save_track(found, tmp_path / "a.bvh", "blaze-75", None, lambda share: None)
    assert Motion.load(tmp_path / "a.bvh").fps == pytest.approx(fps, rel=1e-4)
    assert len(Motion.load(tmp_path / "a.bvh")) == len(found)


@pytest.mark.parametrize("spoilt", ["sum", "kind", "missing"])
def test_networks_that_cannot_run_are_one_line(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    monkeypatch.undo()
    folder = film.parent / "blaze"
    folder.mkdir()
    for name in networks.FILES:
        (folder / f"{name}.tflite").write_bytes(b"<html>gone</html>" if spoilt == "kind" else b"\x1c\0\0\0TFL3 another")
    if spoilt == "sum":
        monkeypatch.setenv("ICTUS_CACHE", str(film.parent))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    own = [] if spoilt == "sum" else ["--networks", str(folder)]
    outs = ["-o", str(film.with_suffix(".npz")), "-o", str(film.with_suffix(".out.mp4"))]
    before = sorted(film.parent.iterdir())
    assert main(["pose", str(film), *outs, *own]) == 1
    (error,) = capsys.readouterr().err.strip().splitlines()
    assert {
        "sum": "pose_detection.tflite: is not the file that is known (its SHA-256 differs); fetch it again by",
        "kind": "pose_detection: is no network in TensorFlow Lite's format (.tflite); give another file",
        "missing": "needs LiteRT, which is not installed; type: pip install 'ictus[pose]'",
    }[spoilt] in error
    assert sorted(film.parent.iterdir()) == before


def test_without_networks_it_is_said_what_to_type(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("ICTUS_CACHE", str(film.parent))
    assert main(["pose", str(film)]) == 1
    assert "fetch them once by `ictus models get blaze`" in capsys.readouterr().err


def test_the_bar_says_how_fast_it_goes() -> None:
    shown: list[str] = []
    bar = LabelledBar("walk.mp4", lambda completed, description: shown.append(f"{completed:g} {description}"))
    said = with_speed(bar, bar)
    for fraction in (0.5, 1.0):
        said(fraction)
    assert shown[1].startswith("1 walk.mp4 (")
    assert shown[1].endswith(" frames a second)")


def test_models_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.tflite").write_bytes(bytes(2_000_000))
    monkeypatch.setattr(networks, "fetch", lambda: [tmp_path / "x.tflite"])
    assert main(["models", "get", "blaze"]) == 0
    assert capsys.readouterr().out == f"1 networks of mediapipe==0.10.14 (Apache-2.0, 2 MB) are in {tmp_path}\n"
    assert main(["models", "get", "maestro"]) == 2
    assert "maestro: cannot be fetched; what can is blaze" in capsys.readouterr().err
    assert main(["models", "fetch"]) == 2
    assert "type `ictus models`, or `ictus models get blaze`" in capsys.readouterr().err
