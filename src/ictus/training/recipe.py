"""Recipes: YAML files that say what is trained and how, parsed into frozen dataclasses.

A recipe is::

    task: conducting.m2s_gan   # whose further keys these are: the fields of its Config
    data: ../corpus            # optional; the data given to `read` take precedence
    init: m2s-gan              # optional: begin from these weights, a folder or a shipped name
    training:                  # how the loop trains, the same for all tasks: see `Training`
      epochs: 200
      batch: 20
    optimizer:                 # from here on: the task's own
      lr: 5e-4

Every key has a default but `task`; an unknown key, or a value of another type, is an error.
"""

import dataclasses
import itertools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from ictus.config import build, field_types, parse_fields, to_plain, with_new_names
from ictus.documents import read_text
from ictus.errors import IctusError, UsageError
from ictus.files import reading, short, writing
from ictus.training.schedule import Schedule

_LONGEST = 200_000  # letters, and values, of a recipe
_DEEPEST = 50  # brackets within each other
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True)
class Training:
    """How the loop trains.

    Attributes
    ----------
    epochs, steps : how long; whichever comes first. A step is one batch.
    batch : samples of one step, over all devices and accumulated parts: the recipe means the same on any machine.
    accumulate : parts in which a device computes its share of a batch, to save memory.
    precision : "32-true", "bf16-mixed" or "16-mixed" (float16, with loss scaling).
    clip : largest norm of the gradient of each optimiser.
    ema : decay of averaged weights, e.g. 0.999; they are what is validated and exported.
    schedule : of the learning rates.
    seed : of everything that is drawn.
    workers : processes per device that load samples; the result does not depend on it.
    validate_every : epochs between validations; each is followed by a checkpoint.
    validate_first : also validate before the first step, which shows what is wrong with it before hours have passed.
    checkpoint_every : steps between checkpoints.
    keep_every : epochs between checkpoints of the weights that are kept for good; must be validated epochs.
    log_every : steps between lines in the log; its values are means over them.
    sync_batch_norm : normalise over the batch of all GPUs. Otherwise each normalises its own part, and the running
        statistics are averaged after each step.
    deterministic : the same result, bit for bit, on the same GPU, at some cost in speed; a CPU needs no asking.
    """

    epochs: int = 100
    steps: int | None = None
    batch: int = 32
    accumulate: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    clip: float | None = None
    ema: float | None = None
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
    workers: int = 2
    validate_every: int = 1
    validate_first: bool = True
    checkpoint_every: int = 1000
    keep_every: int | None = None
    log_every: int = 50
    sync_batch_norm: bool = False
    deterministic: bool = False

    def __post_init__(self) -> None:
        whole = (
            "epochs",
            "steps",
            "batch",
            "accumulate",
            "validate_every",
            "checkpoint_every",
            "keep_every",
            "log_every",
        )
        for name in whole:
            if (value := getattr(self, name)) is not None and value < 1:
                raise UsageError(f"{name} is {value}; it must be 1 or more")
        for name in ("seed", "workers"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if self.clip is not None and self.clip <= 0:
            raise UsageError(f"clip is {self.clip:g}; it must be more than 0")
        if self.ema is not None and not 0 < self.ema < 1:
            raise UsageError(f"ema is {self.ema:g}; it must lie between 0 and 1, for example 0.999")
        if self.batch % self.accumulate:
            raise UsageError(f"batch is {self.batch}; it must be a multiple of accumulate ({self.accumulate})")
        if self.keep_every is not None and self.keep_every % self.validate_every:
            raise UsageError(f"keep_every is {self.keep_every}; it must be a multiple of validate_every")


@dataclass(frozen=True)
class Recipe:
    """A recipe as it was parsed.

    Attributes
    ----------
    task, config : the name of the task, and its own settings.
    training : how it is trained.
    data : the folder of its data.
    init : a checkpoint, by its folder or the name of a shipped one, whose weights training begins from where name and
        shape agree; None for fresh ones.
    """

    task: str
    config: Any
    training: Training = field(default_factory=Training)
    data: str | None = None
    init: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON types, in the form of the file, with all defaults."""
        return {
            "task": self.task,
            "data": self.data,
            "init": self.init,
            "training": to_plain(self.training),
            **to_plain(self.config),
        }

    def save(self, path: Path) -> None:
        """Write the recipe as YAML."""
        with writing(path) as temporary:
            text = yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)
            temporary.write_text(text, encoding="utf-8")


def read_recipe(
    path: str | os.PathLike[str],
    config: Callable[[str], type[Any]],
    changes: Sequence[str] = (),
    data: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : the YAML file.
    config : gives the dataclass of a task's settings by the task's name, or raises UsageError.
    changes : overrides such as "optimizer.lr=1e-3"; values are YAML.
    data, init : the folder of the data, and the checkpoint to begin from, instead of the recipe's.

    Raises
    ------
    UsageError
        If it is no YAML, names a key that does not exist, or holds a value of the wrong type.
    """
    text = read_text(path, UsageError)
    with reading(path, UsageError) as file:
        content = load_yaml(text)
    recipe = _recipe(content, config, str(file))
    if changes:
        for change in changes:
            _change(content, change)
        recipe = _recipe(content, config, "the changes", option="set")
    return dataclasses.replace(
        recipe,
        data=recipe.data if data is None else os.fspath(data),
        init=recipe.init if init is None else os.fspath(init),
    )


def load_yaml(text: str) -> Any:
    """Return what YAML says: plain values, and no more of them than a recipe can have.

    Raises
    ------
    UsageError
        If it is damaged, too long, nested too deep, or refers to its own parts too often.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"is YAML of {len(text)} letters; recipes are shorter")
    depths = itertools.accumulate({"[": 1, "{": 1, "]": -1, "}": -1}[bracket] for bracket in _BRACKET.findall(text))
    if max(depths, default=0) > _DEEPEST:  # the parser would need the square of the time
        raise UsageError("is no valid YAML (nested too deep)")
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _count(node, {}) > _LONGEST:
            raise UsageError("is YAML whose aliases unfold into too many values")
        return loader.construct_document(node)
    except IctusError:
        raise
    except Exception as error:  # what is damaged fails in any way
        raise UsageError(f"is no valid YAML ({short(error)})") from error
    finally:
        loader.dispose()


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many values a node holds, each as often as it is reached."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = _LONGEST  # of one that holds itself
        pairs = isinstance(node, yaml.MappingNode)
        known[id(node)] = sum(_count(inner, known) for entry in node.value for inner in (entry if pairs else (entry,)))
    return known[id(node)]


def _recipe(content: Any, config: Callable[[str], type[Any]], where: str, option: str | None = None) -> Recipe:
    if not isinstance(content, dict) or not isinstance(content.get("task"), str):
        raise UsageError(
            f"{where}: a recipe begins with the name of what is trained, for example task: conducting.m2s_net"
        )
    try:
        settings = config(content["task"])
        common = {"task": str, "data": str | None, "init": str | None, "training": Training}
        content = with_new_names(settings, content)
        values = parse_fields({**field_types(settings), **common}, content, "")
        own = {key: value for key, value in values.items() if key not in common}
        return Recipe(config=build(settings, own, ""), **{key: values[key] for key in common if key in values})
    except UsageError as error:
        raise UsageError(f"{where}: {error}", option=option) from error


def _change(content: dict[str, Any], change: str) -> None:
    """Put the value of "a.b=value" into a nested dict."""
    path, equals, text = change.partition("=")
    *parents, key = path.strip().split(".")
    if not equals or not key or not all(parents):
        raise UsageError(f"{change}: give a key and a value, for example training.epochs=10", option="set")
    try:
        value = load_yaml(text)
    except UsageError as error:
        raise UsageError(f"{change}: {error}", option="set") from error
    for parent in parents:
        below = content.get(parent)
        content[parent] = content = dict(below) if isinstance(below, dict) else {}
    content[key] = value
