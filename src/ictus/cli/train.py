"""`ictus train`: a recipe -> a trained model."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus.cli.batch import check_kind
from ictus.cli.console import say, say_json
from ictus.cli.options import Count, command
from ictus.errors import IctusError, UsageError

if TYPE_CHECKING:
    from ictus.training.progress import Progress


@command
def run(
    recipe: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")],
    /,
    data: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    init: Annotated[str | None, tyro.conf.arg(name="from", metavar="NAME|FOLDER")] = None,
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    set: Annotated[tuple[tuple[str, ...], ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE")] = (),
    resume: bool = False,
    devices: Count = 1,
    nodes: Count = 1,
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    strategy: Literal["ddp", "fsdp"] = "ddp",
    json: bool = False,
) -> int:
    """Train a model by a recipe.

    Args:
        recipe: A YAML file; those of the shipped models are in recipes/.
        data: The folder of the corpus, if it is not the recipe's.
        init: Begin from the weights of a shipped model or a folder, wherever they fit, instead of from fresh ones.
        out: The folder of the run: log, checkpoints, and model/ with the best weights. Without it: runs/RECIPE.
        set: Changes to the recipe, for example --set training.epochs=10 optimizer.lr=1e-3.
        resume: Go on from the last checkpoint in that folder, if there is one.
        devices: Processes on each node, each with a GPU where there are GPUs.
        nodes: Machines; start the command on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK set. torchrun and SLURM
            work, too.
        accelerator: What to compute on; auto takes a GPU if there is one.
        strategy: ddp: each device holds the whole model. fsdp: very large models are sharded over the devices.
        json: Report on stdout as JSON.
    """
    check_kind(recipe, (".yaml", ".yml"))
    _require("lightning", "yaml")
    from ictus.registry import task_class
    from ictus.training.recipe import read_recipe

    changes = [change for group in set for change in group]
    chosen = read_recipe(recipe, lambda name: task_class(name).Config, changes, data, init)
    if chosen.data is None:
        raise UsageError(f"{recipe}: names no data; give the folder of the corpus with --data")
    folder = Path(chosen.data)
    if not folder.is_dir():
        raise UsageError(f"--data {folder}: {'is a file' if folder.exists() else 'no such folder'}; give the corpus")
    out = Path("runs") / recipe.stem if out is None else out

    from ictus.training.loop import fit
    from ictus.training.parallel import launch, part

    fabric = launch(chosen.training, devices=devices, nodes=nodes, accelerator=accelerator, strategy=strategy)
    make = task_class(chosen.task)
    progress = fit(fabric, lambda: make(chosen.config, folder), chosen, out, resume=resume, strategy=strategy)
    part()
    if fabric.global_rank == 0:
        _report(progress, out, json)
    return 0


def _require(*modules: str) -> None:
    if missing := [name for name in modules if importlib.util.find_spec(name) is None]:
        raise IctusError(f"training needs {', '.join(missing)}: pip install 'ictus[train]'")


def _report(progress: "Progress", out: Path, json: bool) -> None:
    facts: dict[str, Any] = {"out": str(out), "epochs": progress.epoch, "steps": progress.step, "best": progress.best}
    if json:
        say_json({**facts, "seconds": round(progress.seconds, 1)})
        return
    done = f"{progress.epoch} epochs, {progress.step} steps, {progress.seconds:.0f} s"
    if progress.best is None:
        say(f"{out}: {done}; no validation gave a finite figure, so nothing was exported")
        return
    figures = ", ".join(f"{name} {value:.4g}" for name, value in progress.best["validation"].items())
    say(f"{out / 'model'} ({done}; best after epoch {progress.best['epoch']}: {figures})")
