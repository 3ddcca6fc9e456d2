import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from ictus import registry
from ictus.cli import main

TOYS = Path(__file__).parents[1] / "training"
RECIPE = """
task: toys.regression
training: {epochs: 2, batch: 4, workers: 0}
optimizer: {lr: 1e-2}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`ictus train` in a folder with a recipe and a corpus."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(TOYS)
    monkeypatch.setitem(registry.TASKS, "toys.regression", "toy_tasks:Regression")
    monkeypatch.setitem(registry.TASKS, "toys.gan", "toy_tasks:Gan")
    (tmp_path / "corpus").mkdir()
    for name, count in (("train", 12), ("val", 3)):
        rows = np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)
        np.save(tmp_path / "corpus" / f"{name}.npy", rows)
    (tmp_path / "toy.yaml").write_text(RECIPE)

    def start(*arguments):
        return main(["train", "--accelerator", "cpu", *arguments])

    return start


def test_trains_by_a_recipe(run, capsys):
    assert (
        run("toy.yaml", "--data", "corpus", "--set", "training.epochs=3", "width=5", "--set", "optimizer.lr=1e-3") == 0
    )
    captured = capsys.readouterr()
    out = Path("runs") / "toy"
    assert captured.out.startswith(f"{out / 'model'} (3 epochs, 9 steps, ")
    assert "best after epoch" in captured.out
    assert "error" in captured.out
    assert captured.err == ""
    assert (out / "model" / "weights.pt").exists()
    written = (out / "recipe.yaml").read_text()
    for line in ("data: corpus", "epochs: 3", "width: 5", "lr: 0.001"):
        assert line in written


def test_resumes_and_reports_as_json(run, capsys):
    assert run("toy.yaml", "--data", "corpus", "--out", "there", "--resume") == 0
    assert run("toy.yaml", "--data", "corpus", "-o", "there", "--resume", "--set", "training.epochs=3", "--json") == 0
    report = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (report["epochs"], report["steps"], report["out"]) == (3, 9, "there")
    assert report["best"]["validation"]["error"] > 0


def test_a_saved_recipe_trains_again(run):
    assert run("toy.yaml", "--data", "corpus") == 0
    assert run("runs/toy/recipe.yaml", "--out", "again") == 0
    first, second = (Path(name, "recipe.yaml").read_text() for name in ("runs/toy", "again"))
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.yaml"], ["none.yaml", "no such file"]),
        (["toy.yaml"], ["toy.yaml", "--data"]),
        (["toy.yaml", "--data", "nowhere"], ["--data nowhere", "no such folder"]),
        (["toy.yaml", "--data", "toy.yaml"], ["--data toy.yaml", "is a file"]),
        (["toy.yaml", "--set", "optimizer.lrr=3"], ["--set", "optimizer.lrr is unknown", "optimizer.lr"]),
        (["toy.yaml", "--set", "training.epochs=many"], ["training.epochs is 'many'", "a whole number"]),
        (["toy.yaml", "--set", "task=toys.dance"], ["'toys.dance' is unknown", "toys.gan, toys.regression"]),
        (["toy.yaml", "--set", "task=toy_tasks:Dance"], ["toy_tasks:Dance", "has no attribute 'Dance'"]),
        (["toy.yaml", "--set", "task=no_such_module:Dance"], ["No module named 'no_such_module'"]),
        (["toy.yaml", "--set", "task=toy_tasks:Points"], ["has no dataclass Config"]),
        (["toy.yaml", "--data", "corpus", "--devices", "3"], ["training.batch is 4", "3 devices"]),
        (["toy.yaml", "--data", "corpus", "--set", "training.batch=13"], ["has 12 samples", "batch of 13"]),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(run, capsys, arguments, words):
    assert run(*arguments) == 2
    message = capsys.readouterr().err
    assert len(message.splitlines()) == 1
    for word in words:
        assert word in message
    assert not Path("runs").exists()


def test_the_checkpoint_of_another_model_is_refused(run, capsys):
    assert run("toy.yaml", "--data", "corpus", "--out", "there") == 0
    Path("gan.yaml").write_text("task: toys.gan\ntraining: {batch: 4, workers: 0}\n")
    assert run("gan.yaml", "--data", "corpus", "--out", "there") == 2
    assert "there: holds a run already" in capsys.readouterr().err
    assert run("gan.yaml", "--data", "corpus", "--out", "there", "--resume") == 2
    assert "is a checkpoint of toys.regression, and the recipe trains toys.gan" in capsys.readouterr().err


def test_says_what_to_install(run, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "lightning" else find(name, *rest)
    )
    assert run("toy.yaml", "--data", "corpus") == 1
    message = capsys.readouterr().err
    assert message == "ictus: training needs lightning: pip install 'ictus[train]'\n"


def test_begins_from_a_checkpoint(run, tmp_path, capsys):
    """The weights of a model of another kind are refused before a step is made."""
    assert run("toy.yaml", "--data", "corpus", "--from", "beat-tracker") == 1
    assert "holds a beat-tracker; that is not what is trained here" in capsys.readouterr().err
    assert run("toy.yaml", "--data", "corpus", "--set", "init=nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
