"""`ictus data`, as a person types it."""

from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.cli import main


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Two clicks of 70 and 80 seconds, and a file that is no score."""
    folder = tmp_path / "scores"
    folder.mkdir()
    for k, seconds in enumerate((70, 80)):
        times = np.arange(0.5, seconds, 0.6)
        Beats(times, np.arange(len(times)) % 3 + 1, 3).save(folder / f"click_{k}.mid")
    (folder / "broken.mxl").write_text("x" * 100_000)
    (folder / "splits.csv").write_text("movement_id,split\nclick_0,train\nbroken,train\nclick_1,val\n")
    return folder


def test_a_corpus_is_made_and_gone_on_with(scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "corpus"
    command = ["data", "prepare", "synthetic", "--data", str(scores), "--out", str(out), "--hours"]
    assert main([*command, "0.03"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"{out}: 3 minutes made; train has 2 minutes, val has 1 minute"
    assert sorted(str(p.relative_to(out)) for p in out.glob("*/*/*")) == sorted(
        f"{folder}/{name}"
        for folder in ("train/0", "train/1", "val/0")
        for name in ("beats.npz", "mel.npy", "motion.npy")
    )
    before = (out / "train/0/motion.npy").stat().st_mtime_ns
    assert main([*command, "0.05", "--split", "train"]) == 0
    assert "1 minute made; train has 3 minutes" in capsys.readouterr().out
    assert (out / "train/0/motion.npy").stat().st_mtime_ns == before


def test_bad_scores_are_named_in_a_line(scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (scores / "click_0.mid").unlink()
    command = ["data", "prepare", "synthetic", "--data", str(scores), "-o", str(tmp_path / "x"), "--hours", "0.02"]
    assert main([*command, "--split", "train"]) == 1
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if "broken.mxl: no MusicXML" in line]
    assert "none of the 1 scores can be used" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere", "--out", "x"], "nowhere: no such folder"),
        (["--data", ".", "--out", "x", "--workers", "0"], "--workers 0"),
        (["--data", ".", "--out", "x", "--hours", "-1"], "-1 hours"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "prepare", "synthetic", *arguments]) == 2
    assert message in capsys.readouterr().err
