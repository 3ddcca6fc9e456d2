import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_tasks

from ictus.config import parse
from ictus.training.loop import fit
from ictus.training.parallel import launch
from ictus.training.progress import Progress
from ictus.training.recipe import Recipe, Training


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_corpus(folder):
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name, count in (("train", 50), ("val", 7)):
        x = generator.normal(size=(count, 4)).astype(np.float32)
        np.save(folder / f"{name}.npy", np.concatenate((x, np.tanh(x.sum(1, keepdims=True))), 1))
    return folder


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus")


@dataclass
class Run:
    progress: Progress
    task: object
    out: Path

    @property
    def weights(self):
        networks = self.task.networks.items()
        return {f"{name}.{key}": t for name, network in networks for key, t in network.state_dict().items()}

    def log(self, kind=None):
        lines = [json.loads(line) for line in (self.out / "log.jsonl").read_text().splitlines()]
        return [line for line in lines if kind is None or kind in line]

    def log_without_times(self):
        return [
            {k: v for k, v in line.items() if k not in ("seconds", "samples_per_second", "waiting")}
            for line in self.log()
        ]


def make_recipe(corpus, task="Regression", own=None, **training):
    defaults = {"batch": 8, "workers": 0, "epochs": 2, "validate_first": False}
    kind = getattr(toy_tasks, task)
    return Recipe(
        f"toy_tasks:{task}", parse(kind.Config, own or {}), parse(Training, defaults | training), data=str(corpus)
    )


@pytest.fixture
def train(corpus, tmp_path):
    """Train a toy in tmp_path/NAME."""

    def run(name="run", task="Regression", own=None, resume=False, spoil=None, fabric=None, **training):
        recipe = make_recipe(corpus, task, own, **training)
        built = []

        def build():
            built.append(getattr(toy_tasks, task)(recipe.config, corpus))
            if spoil is not None:
                spoil(built[0])
            return built[0]

        fabric = fabric or launch(recipe.training, accelerator="cpu")
        progress = fit(fabric, build, recipe, tmp_path / name, resume=resume)
        return Run(progress, built[0], tmp_path / name)

    return run


def same(a, b):
    assert a.keys() == b.keys()
    return all(torch.equal(a[key], b[key]) for key in a)
