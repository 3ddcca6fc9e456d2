"""Where a run stands, and whether a recipe may go on with it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ictus.errors import UsageError
from ictus.files import short
from ictus.training import checkpoint
from ictus.training.recipe import Recipe

# What may differ, when a run is resumed, from the recipe with which it began.
_FREE = {"data", *(f"training.{key}" for key in ("epochs", "steps", "workers", "validate_first"))}
_FREE |= {f"training.{key}_every" for key in ("validate", "checkpoint", "keep", "log")}


@dataclass
class Progress:
    """Where a run stands: all of its state that is not in tensors.

    Attributes
    ----------
    epoch, position : whole epochs done, and steps done of the next one.
    step, seconds : steps done, and the time that they and the validations took.
    validated : the step at which the last validation was made.
    samples : size of the train set of this epoch.
    best : "epoch", "step" and "validation" (the values) of the best validation.
    sums : sum and count of each value since the last line of the log.
    """

    epoch: int = 0
    position: int = 0
    step: int = 0
    seconds: float = 0.0
    validated: int = -1
    samples: int = 0
    best: dict[str, Any] | None = None
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)


def check_same_run(last: Path, recipe: Recipe, resume: bool) -> None:
    """Refuse to train in a folder that holds another run, or this one if it is not to be resumed.

    Raises
    ------
    UsageError
        Naming both, and what differs.
    """
    if not resume:
        raise UsageError(f"{last.parents[1]}: holds a run already; resume it, or train in another folder", option="run")
    before = checkpoint.read_facts(last).get("recipe", {})
    if before.get("task") != recipe.task:
        raise UsageError(
            f"{last}: is a checkpoint of {short(before.get('task'))}, and the recipe trains {recipe.task}; "
            "train in another folder",
            option="out",
        )
    old, new = _flat(before), _flat(json.loads(json.dumps(recipe.to_dict())))
    for key in sorted(old.keys() | new.keys()):
        if key not in _FREE and old.get(key) != new.get(key):
            raise UsageError(
                f"{last}: was trained with {short(key)} = {short(old.get(key))}, and the recipe says {new.get(key)}; "
                "a run goes on with its own recipe: train in another folder",
                option="out",
            )


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"a.b": value} of nested dicts."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
