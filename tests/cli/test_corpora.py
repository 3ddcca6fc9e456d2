"""`ictus train`, `ictus evaluate` and `ictus data` on a corpus in small: the whole loop of a researcher."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.cli import main

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            folder = root / split / str(number)
            folder.mkdir(parents=True)
            walk = np.cumsum(rng.normal(0, 0.01, (12 * 30, 13, 2)), axis=0)
            np.save(folder / "motion.npy", np.clip(0.5 + walk, 0, 1).astype(np.float32))
            np.save(folder / "mel.npy", rng.uniform(0, 1, (12 * 90, 128)).astype(np.float32))
    return root


def train(recipe: str, corpus: Path, out: Path, *changes: str) -> int:
    small = ("size=debug", "corpus.seconds=12", "training.epochs=1", "training.batch=4", "training.validate_every=1")
    words = [word for change in (*small, "training.workers=0", *changes) for word in ("--set", change)]
    return main(["train", str(RECIPES / recipe), "--data", str(corpus), "--out", str(out), *words])


def test_every_recipe_trains_and_what_it_makes_is_evaluated(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightning", reason="needs the train extra")
    assert train("plain.yaml", corpus, tmp_path / "plain") == 0
    assert train("cnn-lstm.yaml", corpus, tmp_path / "cnn") == 0
    assert train("m2s-net.yaml", corpus, tmp_path / "net", "clip=4") == 0
    assert (tmp_path / "net" / "pictures").is_dir()
    assert train("m2s-gan.yaml", corpus, tmp_path / "gan", f"m2s_net={tmp_path / 'net' / 'model'}") == 0
    capsys.readouterr()
    models = [word for name in ("plain", "cnn", "gan") for word in ("--model", str(tmp_path / name / "model"))]
    tables = [word for suffix in ("json", "md", "csv") for word in ("-o", str(tmp_path / f"table.{suffix}"))]
    command = ["evaluate", "conducting", "--data", str(corpus), "--seconds", "12", *models, *tables]
    networks = ["--judge", str(tmp_path / "net" / "model"), "--critic", str(tmp_path / "gan" / "model" / "critic")]
    show = ["--show", str(tmp_path / "shown"), "--shown", "1", "--seeds", "2"]
    assert main([*command, *networks, *show]) == 0
    assert "ground truth" in capsys.readouterr().out
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["model"] for row in rows][:2] == ["ground truth", "shuffled pairs"]
    assert len(rows) == 5
    published = {"rde", "sce", "sdp", "mse", "sync", "wasserstein", "seconds"}
    assert set(rows[-1]["figures"]) == {*published, "jerk", "bones", "hands", "diversity"}
    spread = [row["figures"]["diversity"]["value"] for row in rows[2:]]
    assert spread[0] == spread[1] == 0 < spread[2]  # only the GAN draws noise
    assert len((tmp_path / "table.csv").read_text().splitlines()) == 1 + 5 * 2
    assert (tmp_path / "table.md").read_text().startswith("|  | rde |")
    shown = sorted(path.name for path in (tmp_path / "shown").iterdir())
    assert shown == ["val-0-0-cnn.png", "val-0-0-gan.png", "val-0-0-plain.png", "val-0-0.mp4"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--model", "maestro"], 2, "takes sound"),
        (["--model", "nowhere"], 1, "nowhere"),
        (["--split", "test"], 2, "no such folder"),
        (["-o", "table.xls"], 2, "table.xls"),
    ],
)
def test_evaluate_refuses(
    words: list[str], code: int, says: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "conducting", "--data", str(corpus), "--seconds", "12", *words]) == code
    assert says in capsys.readouterr().err


def test_inspect_names_what_is_broken(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "inspect", "conductor-motion", "--data", str(corpus)]) == 0
    assert "train: 4 takes" in capsys.readouterr().out
    (tmp_path / "train" / "0").mkdir(parents=True)
    assert main(["data", "inspect", "conductor-motion", "--data", str(tmp_path), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["train"]["takes"] == 0
    assert "mel.npy: missing" in captured.err
    assert main(["data", "inspect", "conductor-motion", "--data", str(tmp_path / "train")]) == 2


def test_plot(corpus: Path, tmp_path: Path) -> None:
    command = ["data", "plot", "conductor-motion", "--data", str(corpus), "-o", str(tmp_path), "--limit", "1"]
    assert main(command) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-curves.png", "0-matrix.png"]


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    """Scores: one metronome of seventy seconds."""
    times = np.arange(0.5, 70, 0.6)
    (tmp_path / "scores").mkdir()
    Beats(times, np.arange(len(times)) % 3 + 1, 3).save(tmp_path / "scores" / "click.mid")
    (tmp_path / "scores" / "splits.csv").write_text("movement_id,split\nclick,train\n")
    return tmp_path / "scores"


def test_a_corpus_that_can_be_heard(clicks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "prepare", "synthetic", "--data", str(clicks), "-o", str(tmp_path / "x"), "--hours", "0.02"]
    assert main([*command, "--music"]) == 0
    assert (tmp_path / "x" / "train" / "0" / "music.flac").stat().st_size > 10_000
    assert json.loads((tmp_path / "x" / "rehearsal.json").read_text())["music"] is True
    assert main(command) == 2
    assert "other sounds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--piano", "2"], 2, "piano 2: it is a share"),
        (["--soundfont", "nowhere.sf2"], 1, "nowhere.sf2: no such file"),
        (["--soundfont", __file__], 1, "test_corpora.py: no SoundFont"),
    ],
)
def test_prepare_refuses(
    words: list[str], code: int, says: str, clicks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--soundfont" in words:
        pytest.importorskip("fluidsynth", reason="needs the scores extra and libfluidsynth", exc_type=ImportError)
    assert main(["data", "prepare", "synthetic", "--data", str(clicks), "-o", str(tmp_path / "x"), *words]) == code
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
