"""`ictus sound` from end to end, with a soloist that has learnt nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.audio import Audio
from ictus.cli import main
from ictus.pose import engines
from ictus.sound.data.optical_flow import COLUMNS
from ictus.sound.models.soloist import RAW_KEYPOINTS, ConditionName, SoloistTransformer
from ictus.sound.pipeline import SAMPLING
from pose.people_on_film import BoxEngine, walking, write_people
from sound.raw_films import read_film, write_film, write_keypoints
from sound.small_soloist import save_soloist
from sound.test_bn_inception import published

TIMES = np.arange(75) / 25  # 3 s


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_soloist(tmp_path_factory.mktemp("soloist")))


def test_the_usual_temperature_is_that_of_silence_about_it(model: str, tmp_path: Path) -> None:
    """What else there is to sampling stays as it is when the temperature is named."""
    keypoints = write_keypoints(tmp_path / "player.npy", TIMES)
    for name, flags in (("plain", []), ("named", ["--temperature", str(SAMPLING.temperature)])):
        assert main(["sound", str(keypoints), "-o", str(tmp_path / f"{name}.wav"), "--model", model, *flags]) == 0
    assert SAMPLING.guidance > 1
    plain, named = (Audio.load(tmp_path / f"{name}.wav").samples for name in ("plain", "named"))
    np.testing.assert_array_equal(plain, named)


def test_keypoints_to_sound_and_to_the_players_figure(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keypoints = write_keypoints(tmp_path / "player.npy", TIMES)
    outs = [tmp_path / f"x{suffix}" for suffix in (".wav", ".flac", ".mp4")]
    flags = [part for out in outs for part in ("-o", str(out))]
    assert main(["sound", str(keypoints), *flags, "--model", model, "--instrument", "cello"]) == 0
    assert "(3.0 s, cello" in capsys.readouterr().out
    page = tmp_path / "x.html"
    assert main(["sound", str(keypoints), "-o", str(page), "--model", model]) == 0
    assert "solos-47" in page.read_text()
    for out in outs:
        assert abs(Audio.load(out).duration - 3) < 0.1, out
    capsys.readouterr()
    assert main(["sound", str(keypoints), "--model", model, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)[0]
    assert report["out"] == [str(tmp_path / "player.wav")]
    assert not report["given"]
    assert report["instrument"] == max(report["chances"], key=report["chances"].get)


@pytest.mark.parametrize("heard", [True, False])
def test_a_film_gets_its_new_sound_and_keeps_its_pictures(model: str, tmp_path: Path, heard: bool) -> None:
    film = write_film(tmp_path / "film.mp4", 3.0, fps=30, clicks=[1.0], sound=heard)
    write_keypoints(tmp_path / "elsewhere.npy", TIMES)
    out = tmp_path / "new.mp4"
    command = ["sound", str(film), "--keypoints", str(tmp_path / "elsewhere.npy"), "-o", str(out), "--model", model]
    assert main(command) == 0
    shown, moments, _ = read_film(out)
    assert len(shown) == 90
    np.testing.assert_allclose(moments, shown, atol=0.02)


def test_the_player_of_a_film_without_keypoints_is_found(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engines, "get_engine", lambda name, networks=None: BoxEngine())
    film = write_people(tmp_path / "film.mp4", walking(120), fps=60)
    outs = [tmp_path / "new.mp4", tmp_path / "new.wav"]
    flags = [part for out in outs for part in ("-o", str(out))]
    assert main(["sound", str(film), *flags, "--model", model, "--person", "largest"]) == 0
    assert "(2.0 s, " in capsys.readouterr().out
    for out in outs:
        assert abs(Audio.load(out).duration - 2) < 0.1
    assert main(["sound", str(film), "-o", str(outs[0]), "--model", model, "--person", "2"]) == 1
    assert "film.mp4: nobody is seen in its 60 pictures" in capsys.readouterr().err  # every other of them


def save_watcher(folder: Path, flow: int = len(COLUMNS)) -> str:
    """Save a soloist that has learnt nothing, of rgb, flow and keypoints."""
    sizes = replace(SoloistTransformer.sizes["debug"], keypoints=RAW_KEYPOINTS, flow=flow)
    conditions: tuple[ConditionName, ...] = ("rgb", "flow", "keypoints") if flow != 7 else ("flow", "keypoints")
    return str(save_soloist(folder, SoloistTransformer(replace(sizes, conditions=conditions))))


def test_what_a_soloist_must_see_of_the_pictures_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_film(tmp_path / "film.mp4", 3.0)
    write_keypoints(tmp_path / "film.npy", TIMES)
    torch.save(published(), tmp_path / "inception.pth")
    command = ["sound", str(film), "-o", str(tmp_path / "a.wav"), "--model", save_watcher(tmp_path / "watcher")]
    assert main(command) == 2
    said = capsys.readouterr().err.strip()
    assert "needs rgb of the film; rgb is what BN-Inception sees" in said
    assert "(--inception)" in said
    assert main([*command, "--inception", str(tmp_path / "film.npy")]) == 1
    assert "film.npy" in capsys.readouterr().err
    assert not (tmp_path / "a.wav").exists()
    assert main([*command, "--inception", str(tmp_path / "inception.pth")]) == 0
    assert abs(Audio.load(tmp_path / "a.wav").duration - 3) < 0.1


def test_a_soloist_that_sees_cannot_play_from_keypoints_alone_nor_from_flow_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, other = write_film(tmp_path / "film.mp4", 3.0), save_watcher(tmp_path / "other", 7)
    keypoints = write_keypoints(tmp_path / "film.npy", TIMES)
    assert main(["sound", str(keypoints), "--model", other]) == 2
    assert "needs flow of the film, and cannot play from keypoints" in capsys.readouterr().err
    assert main(["sound", str(film), "--model", other]) == 2
    assert "has learnt from flow of 7 numbers a row" in capsys.readouterr().err


def test_a_folder_of_films_and_keypoints(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_film(tmp_path / "in" / "film.mp4", 3.0)
    write_keypoints(tmp_path / "in" / "film.npy", TIMES)  # its own, and no performance besides
    write_keypoints(tmp_path / "in" / "alone.npy", TIMES)
    (tmp_path / "in" / "broken.json").write_text("{")
    assert main(["sound", str(tmp_path / "in"), "-o", f"{tmp_path}/out/", "--model", model]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["alone.wav", "film.wav"]
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert "broken.json" in errors[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lost.npy"], 1, "lost.npy: no such file"),
        (["film.mp4"], 1, "there are no keypoints of this film"),
        (["film.mp4", "--keypoints", "short.npy"], 1, "lasts 3.00 s, and its keypoints short.npy last 1.00 s"),
        (["k.npy", "--keypoints", "k.npy"], 2, "keypoints belong to one film"),
        (["few.npy"], 1, "few.npy"),
        (["nan.npy"], 1, "nan.npy"),
        (["k.npy", "-o", "x.bvh"], 2, "cannot make a file with '.bvh'"),
        (["k.npy", "-o", "k.npy"], 2, "cannot make a file with '.npy'"),
        (["film.mp4", "--keypoints", "k.npy", "-o", "film.mp4"], 2, "would overwrite what was given"),
        (["empty"], 2, "empty: no performance in this folder"),
        (["k.npy", "--temperature", "-1"], 2, "--temperature -1: give 0 or more"),
        ([], 2, "no performance given"),
    ],
)
def test_bad_input_gives_one_line_and_no_file(
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ICTUS_CACHE", str(tmp_path))  # which holds no networks
    write_film(tmp_path / "film.mp4", 3.0)
    write_keypoints(tmp_path / "k.npy", TIMES)
    write_keypoints(tmp_path / "short.npy", TIMES[:25])
    good = np.load(tmp_path / "k.npy")
    np.save(tmp_path / "few.npy", good[:, :, :40])
    np.save(tmp_path / "nan.npy", np.where(np.arange(75)[:, None, None] == 7, np.nan, good))
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.iterdir())
    assert main(["sound", *arguments, "--model", model]) == code
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1, errors
    assert message in errors[0], errors
    assert sorted(tmp_path.iterdir()) == before
