"""What test_parallel starts under torchrun: runs that two processes share, each in a folder of its own."""

import sys
from pathlib import Path

import torch
import toy_tasks

from conftest import make_recipe
from ictus.errors import IctusError
from ictus.training.loop import fit
from ictus.training.parallel import launch, part

SMOOTH = {"norm": False, "dropout": 0.0, "noise": 1.0}
# Name: task, own settings, training, strategy.
RUNS = {
    "gan": ("Gan", {"noise": 1.0}, {"clip": 1.0}, "ddp"),
    "parts": ("Regression", SMOOTH, {"accumulate": 2, "ema": 0.5}, "ddp"),
    "sharded": ("Regression", SMOOTH, {"clip": 1.0, "ema": 0.5}, "fsdp"),
    "noisy": ("Regression", {}, {}, "ddp"),
}


def main(corpus, out):
    fabric = launch(make_recipe(corpus).training, accelerator="cpu")

    def run(name, task, own, training, strategy="ddp", resume=False, spoil=None):
        recipe = make_recipe(corpus, task, own, epochs=3, **training)

        toys = []

        def build():
            toys.append(getattr(toy_tasks, task)(recipe.config, corpus))
            if fabric.global_rank == 1 and spoil is not None:
                spoil(toys[0])
            return toys[-1]

        fit(fabric, build, recipe, out / name, resume=resume, strategy=strategy)
        return toys[0]

    def disturb(toy):  # the weights of the first process count
        with torch.no_grad():
            next(iter(toy.networks.values()))[0].weight += 1

    for name, arguments in RUNS.items():
        toy = run(name, *arguments, spoil=disturb)
        if name == "noisy":
            torch.save(toy.network.state_dict(), out / f"state-{fabric.global_rank}.pt")
    for name in ("noisy", "sharded"):
        task, own, training, strategy = RUNS[name]
        run(f"{name}-resumed", task, own, {**training, "steps": 8}, strategy)
        run(f"{name}-resumed", task, own, training, strategy, resume=True)

    def spoil(toy):
        toy.points.rows = toy.points.rows.copy()
        toy.points.rows[:, 4] = torch.nan

    try:
        run("spoilt", *RUNS["gan"], spoil=spoil)
    except IctusError as error:
        (out / f"error-{fabric.global_rank}.txt").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    part()
