"""`ictus data` of AIST++ and Dance with Melody."""

import json
from pathlib import Path

import numpy as np
import pytest

from dance.raw_dances import TRAIN, write_aist, write_gathered
from dance.rigged_dances import saved
from ictus.cli import main
from ictus.motion import Motion


@pytest.fixture
def aist(tmp_path: Path) -> Path:
    return write_aist(tmp_path / "aist")


def test_aist_is_inspected(aist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "inspect", "aist", "--data", str(aist)]) == 0
    assert "5 motions (4 basic, 1 advanced)" in capsys.readouterr().out
    (aist / "motions" / f"{TRAIN[0]}.pkl").write_bytes(b"garbage")
    (aist / "music" / "mBR0.wav").unlink()
    command = ["data", "inspect", "aist", "--data", str(aist), "--music", str(aist / "music"), "--json"]
    assert main(command) == 1
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert (facts["motions"], len(facts["broken"]), facts["music"]["missing"]) == (4, 1, ["mBR0"])
    assert said.err == f"ictus: {facts['broken'][0]}\n"
    assert main(["data", "inspect", "aist", "--data", str(aist / "music")]) == 2


def test_aist_is_prepared_and_can_be_looked_at(aist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = ["data", "prepare", "aist", "--data", str(aist), "--music", str(aist / "music"), "--out", str(out)]
    (aist / "motions" / f"{TRAIN[0]}.pkl").write_bytes(b"garbage")
    assert main([*command, "--split", "train"]) == 1
    said = capsys.readouterr()
    assert said.out == f"{out}: 2 dances made; train has 2 (0.00 hours)\n"
    (line,) = said.err.splitlines()
    assert line.startswith(f"ictus: {aist / 'motions' / TRAIN[0]}.pkl: ")
    dance = out / "train" / TRAIN[1]
    assert main(["convert", str(dance / "motion.npy"), str(tmp_path / "x.bvh")]) == 0
    source = Motion.load(aist / "motions" / f"{TRAIN[1]}.pkl")
    np.testing.assert_allclose(Motion.load(tmp_path / "x.bvh").positions, source.positions, atol=1e-4)


def test_music_must_be_given(aist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", "aist", "--data", str(aist), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    for word in ("AIST Dance Video Database", "terms of use", "--music"):
        assert word in line


def test_melody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = write_gathered(tmp_path / "melody", ("C_2", "W_1", "W_4"))
    assert main(["data", "inspect", "melody", "--data", str(corpus)]) == 0
    assert "waltz: 2 dances, 0.1 minutes; 1 in train, 1 in val" in capsys.readouterr().out
    (corpus / "C_2.npz").write_bytes(b"garbage")
    assert main(["data", "inspect", "melody", "--data", str(corpus), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [dance["name"] for dance in found["dances"]] == ["W_1", "W_4"]
    out = tmp_path / "out"
    command = ["data", "prepare", "melody", "--data", str(corpus), "--out", str(out), "--waltz-rate", "25"]
    assert main([*command, "--view", "body", "--kind", "waltz"]) == 0
    assert main(["data", "prepare", "melody", "--data", str(corpus), "--out", str(tmp_path / "all")]) == 1
    said = capsys.readouterr()
    assert f"{out}: 2 dances made; train has 1 (0.00 hours), val has 1 (0.00 hours)\n" in said.out
    assert "C_2.npz" in said.err
    assert np.load(out / "train" / "W_1" / "motion.npy").shape[1] == 63


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aist", "--data", "nowhere", "--music", "nowhere"], "nowhere/motions: no such folder"),
        (["aist", "--data", ".", "--music", ".", "--workers", "0"], "--workers 0"),
        (["melody", "--data", "nowhere"], "nowhere: no such folder"),
        (["melody", "--data", ".", "--waltz-rate", "246"], "--waltz-rate 246"),
    ],
)
def test_wrong_usage(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "prepare", *words, "--out", "out"]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_repertoire_is_inspected_and_danced(tmp_path: Path, music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(tmp_path, "inches")
    assert main(["data", "inspect", "repertoire", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "dance.bvh: dance, 9.0 s, 15 beats at 100 a minute" in said
    assert [line.split()[1::2] for line in said.splitlines() if "lhip" in line] == [["lhip", "mixamorig:LeftUpLeg"]]
    (tmp_path / "broken.bvh").write_text("HIERARCHY")
    assert main(["data", "inspect", "repertoire", "--data", str(tmp_path), "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["dances"][0]["joints"]["rtoes"] == "mixamorig:RightToeBase"
    out = tmp_path / "out.npz"
    assert main(["dance", str(music), "--repertoire", str(tmp_path), "-o", str(out)]) == 0
    assert Motion.load(out).skeleton.name == "smpl-24"
    assert main(["dance", str(music), "--repertoire", str(tmp_path / "none"), "-o", str(out)]) == 2
    assert "none: no such folder" in capsys.readouterr().err
