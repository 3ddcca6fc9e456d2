"""`ictus data`, as a person types it."""

from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.beats.dataset import BeatDataset
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


def test_music_for_beat_trackers(scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "corpus"
    command = ["data", "prepare", "beats", "--data", str(scores), "--out", str(out), "--split", "val"]
    given = ["--hours", "0.03", "--songs", "0.5", "--recordings", "3"]
    assert main([*command, *given]) == 0
    assert "2 minutes made; val has 2 minutes" in capsys.readouterr().out
    corpus = BeatDataset(out, "val", seconds=40)
    assert len(corpus) == 2
    mel, *others = corpus.recordings[0].recordings()
    assert [other.shape for other in others] == [mel.shape] * 3
    rises = [np.maximum(np.diff(one.astype(np.float32), axis=0), 0).sum(1) for one in (mel, *others)]
    for other in rises[1:]:  # other recordings of it, but of the same music at the same time
        assert not np.array_equal(other, rises[0])
        likeness = [float(np.corrcoef(rises[0][10:-10], np.roll(other, k)[10:-10])[0, 1]) for k in range(-3, 4)]
        assert int(np.argmax(likeness)) == 3
    assert main([*command, "--hours", "0.03", "--recordings", "99"]) == 2
    assert "choose 0 to 16" in capsys.readouterr().err
