"""The models that each tab offers: those that are shipped, and folders that whoever starts the studio names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ictus import registry
from ictus.errors import UsageError
from ictus.nn.folder import read_config

_FIRST = ("maestro", "choreographer", "soloist")  # what a tab begins with, where it is there
_LOADED = 4  # models in memory


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be chosen.

    Attributes
    ----------
    name : as `registry.load` takes it.
    title : as it is shown.
    what : a line about it.
    """

    name: str
    title: str
    what: str


def model_choices(command: registry.Command, folders: Sequence[Path] = ()) -> list[ModelChoice]:
    """Return what can be chosen, the usual one first.

    Raises
    ------
    ModelError
        If a folder is no checkpoint.
    """
    found = [
        ModelChoice(one.name, one.name, one.what)
        for one in registry.shipped()
        if registry.command_of(one.name) == command
    ]
    found.sort(key=lambda one: one.name not in _FIRST)
    for folder in folders:
        if registry.command_of(folder) == command:
            what = str(read_config(folder)["metadata"].get("description", ""))
            found.append(ModelChoice(str(folder), folder.resolve().name, what))
    return found


@lru_cache(maxsize=_LOADED)
def loaded(name: str, **options: Any) -> Any:
    """Load a model with its options, once: a conductor, dancer or soloist."""
    return registry.load(name, **options)


def chosen(choices: Sequence[ModelChoice], name: str) -> str:
    """Return a name if it is among those offered: what a browser sends need not be.

    Raises
    ------
    UsageError
        If it is not.
    """
    if name not in [one.name for one in choices]:
        raise UsageError("there is no such model here; choose one of the list")
    return name
