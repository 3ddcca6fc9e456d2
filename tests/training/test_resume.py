"""Training that is killed (SIGKILL) goes on as if nothing had happened: same weights, bit for bit, and same log."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from conftest import same
from ictus.cli import main
from ictus.training import checkpoint

RUN = {"epochs": 3, "checkpoint_every": 4, "log_every": 5, "ema": 0.9, "keep_every": 1}


def killed(train, where, task, name="killed", **arguments):
    """Train in a forked process which kills itself at some instant."""

    def spoil(toy):
        method, count = where
        if hasattr(toy, method):
            real, calls = getattr(toy, method), iter(range(10**9))

            def deadly(*args):
                if next(calls) == count:
                    die()
                return real(*args)

            setattr(toy, method, deadly)

    def go():
        method, count = where
        if method == "save_file":
            calls = iter(range(10**9))

            def half(tensors, file, metadata):
                Path(file).write_bytes(b"half a checkpoint")
                if next(calls) == count:
                    die()
                save(tensors, file, metadata)

            save, checkpoint.save_file = checkpoint.save_file, half
        train(name, task, spoil=spoil, resume=True, **arguments)

    process = multiprocessing.get_context("fork").Process(target=go)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def die():
    os.kill(os.getpid(), signal.SIGKILL)


INSTANTS = [
    ("losses", 2),  # before the first checkpoint
    ("losses", 11),  # within an epoch, some steps after a checkpoint
    ("validate", 1),
    ("export", 1),
    ("save_file", 0),  # while the first checkpoint is written
    ("save_file", 4),  # while that of a validation is written
    ("train_set", 3),  # between epochs
]


def test_killed_once(train):
    chances = {"own": {"noise": 1.0, "dropout": 0.5}, **RUN}
    whole = train("whole", **chances)
    for number, where in enumerate(INSTANTS):
        name = f"killed-{number}"
        killed(train, where, "Regression", name, **chances)
        assert_same_runs(whole, train(name, resume=True, **chances))


def test_killed_many_times(train):
    whole = train("whole", "Gan", own={"noise": 0.1}, **RUN)
    for step in (5, 3, 3, 6):
        killed(train, ("losses", step), "Gan", own={"noise": 0.1}, **RUN)
    assert_same_runs(whole, train("killed", "Gan", own={"noise": 0.1}, resume=True, **RUN))


def test_killed_in_the_last_validation_of_a_run_that_ends_by_steps(train):
    limits = {**RUN, "steps": 8, "keep_every": None}  # and there is a checkpoint at step 8, not yet validated
    whole = train("whole", **limits)
    killed(train, ("validate", 1), "Regression", **limits)
    assert_same_runs(whole, train("killed", resume=True, **limits))


def assert_same_runs(a, b):
    assert same(a.weights, b.weights)
    assert a.log_without_times() == b.log_without_times()
    files = sorted(path.name for path in (a.out / "checkpoints").iterdir())
    assert files == sorted(path.name for path in (b.out / "checkpoints").iterdir())
    for name in files:
        (one, facts), (other, others) = (checkpoint.read(run.out / "checkpoints" / name) for run in (a, b))
        assert same(one, other)
        assert facts.get("validation") == others.get("validation")
    one, other = (torch.load(run.out / "model" / "weights.pt", weights_only=True) for run in (a, b))
    assert same(one, other)


RECIPE = """
task: toy_tasks:Regression
training: {epochs: 20, batch: 8, workers: 1, checkpoint_every: 7, log_every: 2, validate_every: 30}
noise: 1.0
dropout: 0.5
"""


@pytest.mark.slow
def test_the_command_is_killed_from_outside(tmp_path, corpus):
    recipe = tmp_path / "toy.yaml"
    recipe.write_text(RECIPE)
    paths = f"{Path(__file__).parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}

    def arguments(out):
        return ["train", str(recipe), "--data", str(corpus), "--out", str(tmp_path / out), "--accelerator", "cpu"]

    def lines():
        log = tmp_path / "killed" / "log.jsonl"
        return len(log.read_text().splitlines()) if log.exists() else 0

    command = [sys.executable, "-c", "import sys; from ictus.cli import main; sys.exit(main())"]
    process = subprocess.Popen([*command, *arguments("killed")], env=environment)
    deadline = time.monotonic() + 60
    while lines() < 10 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 10 <= lines() < 62
    assert main(arguments("whole")) == 0
    assert main([*arguments("killed"), "--resume"]) == 0

    one, other = (
        checkpoint.read(tmp_path / name / "checkpoints" / "last.safetensors")[0] for name in ("whole", "killed")
    )
    assert same(one, other)
    times = ("seconds", "samples_per_second", "waiting")
    logs = [
        [
            {key: value for key, value in json.loads(line).items() if key not in times}
            for line in (tmp_path / name / "log.jsonl").read_text().splitlines()
        ]
        for name in ("whole", "killed")
    ]
    assert logs[0] == logs[1]
    assert len(logs[0]) == 62
