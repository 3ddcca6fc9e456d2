import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from two_processes import RUNS

from conftest import make_recipe, same
from ictus.errors import UsageError
from ictus.training import checkpoint
from ictus.training.data import TrainLoader
from ictus.training.parallel import launch
from ictus.training.recipe import Training
from tolerance import close


def start(*command, **environment):
    paths = f"{Path(__file__).parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run([sys.executable, *map(str, command)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def weights(folder, name="last", prefix="networks/"):
    tensors, _ = checkpoint.read(folder / "checkpoints" / f"{name}.safetensors")
    return {key: tensor for key, tensor in tensors.items() if key.startswith(prefix)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The runs of two_processes.py."""
    from conftest import write_corpus

    folder = tmp_path_factory.mktemp("two")
    corpus = write_corpus(folder / "corpus")
    script = Path(__file__).parent / "two_processes.py"
    start("-m", "torch.distributed.run", "--nproc_per_node=2", script, corpus, folder / "out")
    return folder / "out"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan", "parts", "sharded"])
def test_two_processes_train_as_one(train, shared, name):
    task, own, training, _ = RUNS[name]
    alone = train(task=task, own=own, epochs=3, **{**training, "accumulate": 1})
    for prefix in ("networks/", "ema/", "optimizers/"):
        expected = weights(alone.out, prefix=prefix)
        found = weights(shared / name, prefix=prefix)
        assert expected.keys() == found.keys()
        for key, tensor in expected.items():
            close(found[key], tensor, layers=8)
    for key, tensor in weights(alone.out, "best").items():
        close(weights(shared / name, "best")[key], tensor, layers=8)
    exported = torch.load(shared / name / "model" / "weights.pt", weights_only=True)
    for key, tensor in torch.load(alone.out / "model" / "weights.pt", weights_only=True).items():
        close(exported[key], tensor, layers=8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["noisy", "sharded"])
def test_two_processes_resume_exactly(shared, name):
    assert same(weights(shared / name), weights(shared / f"{name}-resumed"))


@pytest.mark.slow
def test_processes_stay_equal(shared):
    """Parameters, and what BatchNorm has gathered, though each process normalises its own part."""
    first, second = (torch.load(shared / f"state-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert same(first, second)
    assert first["1.num_batches_tracked"] == 18


@pytest.mark.slow
def test_all_processes_stop_at_what_one_cannot_use(shared, corpus):
    first, second = ((shared / f"error-{rank}.txt").read_text() for rank in (0, 1))
    assert first == second
    training = make_recipe(corpus, "Gan").training
    order = TrainLoader(training, launch(training, accelerator="cpu"))
    [batch] = next(iter(order.epoch([{"name": f"row-{i}"} for i in range(50)], 0, 0)))
    assert first.endswith(": " + ", ".join(batch["name"][4:]))  # the second process's half of the first batch


@pytest.mark.slow
def test_the_command_starts_its_own_processes(train, corpus, tmp_path):
    recipe = tmp_path / "toy.yaml"
    recipe.write_text("task: toy_tasks:Gan\ntraining: {epochs: 2, batch: 8, workers: 0, validate_first: false}\n")
    script = tmp_path / "ictus.py"
    script.write_text("import sys\ndel sys.path[0]\nfrom ictus.cli import main\nsys.exit(main())\n")
    out = tmp_path / "out"
    arguments = ("train", recipe, "--data", corpus, "--out", out, "--accelerator", "cpu", "--devices", 2)
    done = start(script, *arguments)
    assert len(done.stdout.splitlines()) == 1
    alone = train(task="Gan")
    for key, tensor in weights(alone.out).items():
        close(weights(out)[key], tensor, layers=8)


@pytest.mark.parametrize(
    ("training", "asked", "message"),
    [
        ({"batch": 9}, {"devices": 2}, "training.batch is 9, which cannot be divided among 2 devices"),
        ({"batch": 6, "accumulate": 2}, {"devices": 2, "nodes": 2}, "among 4 devices x 2 parts"),
        ({}, {"devices": 0}, "0 devices on 1 nodes"),
        ({"precision": "16-mixed"}, {"strategy": "fsdp"}, "bf16-mixed"),
        ({"precision": "16-mixed"}, {"accelerator": "cpu"}, "16-mixed needs a GPU"),
        ({"sync_batch_norm": True}, {"devices": 2, "accelerator": "cpu"}, "on GPUs only"),
        ({}, {"accelerator": "abacus"}, "accelerator 'abacus'"),
    ],
)
def test_what_cannot_be_started_is_said_before(training, asked, message):
    with pytest.raises(UsageError) as caught:
        launch(Training(**training), **asked)
    assert message in str(caught.value)
