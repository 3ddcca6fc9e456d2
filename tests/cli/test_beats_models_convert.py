"""`ictus beats`, `ictus models`, `ictus convert`."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.cli import main
from ictus.conducting.pipeline import Maestro
from ictus.motion import Motion


@pytest.fixture
def motion() -> Motion:
    beats = Beats(0.5 + 0.5 * np.arange(6), np.arange(6) % 3 + 1, 3)
    return Maestro().perform(beats, 4)


def test_beats_in_every_format(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["beats", str(music), "-o", f"{music.parent}/.mid", "-o", f"{music.parent}/.txt"]) == 0
    assert main(["beats", str(music), "-o", str(music.with_suffix(".json"))]) == 0
    assert main(["beats", str(music)]) == 0
    table = np.loadtxt(music.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert np.abs(table[:, 0, None] - (0.25 + 0.5 * np.arange(6))).min(1).max() < 0.03
    np.testing.assert_array_equal(np.loadtxt(music.with_suffix(".txt")), table)
    for suffix in (".mid", ".json"):
        np.testing.assert_allclose(Beats.load(music.with_suffix(suffix)).times, table[:, 0], atol=1e-3)
    assert "beats in" in capsys.readouterr().out


def test_beats_as_json(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["beats", str(music), "--meter", "6/8", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)[0]
    assert report["meter"] == 2
    assert len(report["times"]) == len(report["positions"]) > 3


def test_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "maestro" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert {"name", "size", "licence", "scores"} <= set(json.loads(capsys.readouterr().out)[0])


def test_convert_between_motion_formats(motion: Motion, tmp_path: Path) -> None:
    motion.save(tmp_path / "a.npz")
    for source, target in (
        ("a.npz", "b.bvh"),
        ("b.bvh", "c.glb"),
        ("c.glb", "d.json"),
        ("a.npz", "e.npy"),
        ("e.npy", "f.bvh"),
    ):
        assert main(["convert", str(tmp_path / source), str(tmp_path / target)]) == 0
    np.testing.assert_allclose(Motion.load(tmp_path / "d.json").positions, motion.positions, atol=1e-3)
    assert Motion.load(tmp_path / "f.bvh").skeleton.name == "conductor-23"


@pytest.mark.parametrize(("target", "code"), [("x.xyz", 2), ("x.npy", 1)])
def test_convert_refuses(target: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.bvh").write_text("HIERARCHY nonsense")
    assert main(["convert", str(tmp_path / "bad.bvh"), str(tmp_path / target)]) == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_convert_official_weights_and_conduct_with_them(shared_data: Path, music: Path, tmp_path: Path) -> None:
    official = shared_data / "virtualconductor" / "M2SGAN_official_pretrained.pt"
    folder = tmp_path / "m2s-gan"
    assert main(["convert", str(official), str(folder)]) == 0
    assert main(["conduct", str(music), "--model", str(folder), "-o", str(tmp_path / "a.npy")]) == 0
    assert np.load(tmp_path / "a.npy").shape == (90, 13, 2)
    assert main(["conduct", str(music), "--model", str(folder), "-o", str(tmp_path / "a.npy"), "--meter", "3"]) == 2


def test_convert_a_judge_cannot_conduct(
    shared_data: Path, music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    official = shared_data / "virtualconductor" / "M2SNet_official_pretrained.pt"
    assert main(["convert", str(official), str(tmp_path / "judge")]) == 0
    assert main(["conduct", str(music), "--model", str(tmp_path / "judge")]) == 1
    assert "makes no motion" in capsys.readouterr().err
