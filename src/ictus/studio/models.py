"""The models that each tab offers: those that are shipped, and folders that whoever starts the studio names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from ictus import hub
from ictus.errors import UsageError
from ictus.nn.folder import locate, read_config

Command = Literal["conduct", "dance", "sound"]

_KINDS: dict[Command, tuple[str, ...]] = {
    "conduct": hub._CONDUCTORS,
    "dance": tuple(hub._DANCERS),
    "sound": (hub._SOLOIST,),
}
_LOADERS: dict[Command, Any] = {"conduct": hub.conductor, "dance": hub.dancer, "sound": hub.soloist}
_FIRST = ("maestro", "choreographer", "soloist")  # what a tab begins with, where it is there
_LOADED = 4  # models in memory


@dataclass(frozen=True)
class Offer:
    """A model that can be chosen.

    Attributes
    ----------
    name : as `hub.load` takes it.
    title : as it is shown.
    what : a line about it.
    """

    name: str
    title: str
    what: str


def offers(command: Command, folders: Sequence[Path] = ()) -> list[Offer]:
    """Return what can be chosen, the usual one first.

    Raises
    ------
    ModelError
        If a folder is no checkpoint.
    """
    found = [Offer(one.name, one.name, one.what) for one in hub.shipped() if _does(command, one.name)]
    found.sort(key=lambda one: one.name not in _FIRST)
    for folder in folders:
        if _does(command, str(folder)):
            what = str(read_config(folder)["metadata"].get("description", ""))
            found.append(Offer(str(folder), folder.resolve().name, what))
    return found


def _does(command: Command, name: str) -> bool:
    if name == "maestro":
        return command == "conduct"
    return str(read_config(locate(name))["class"]) in _KINDS[command]


@lru_cache(maxsize=_LOADED)
def loaded(command: Command, name: str) -> Any:
    """Load a model, once: a conductor, dancer or soloist."""
    return _LOADERS[command](name)


def chosen(choices: Sequence[Offer], name: str) -> str:
    """Return a name if it is among those offered: what a browser sends need not be.

    Raises
    ------
    UsageError
        If it is not.
    """
    if name not in [one.name for one in choices]:
        raise UsageError("there is no such model here; choose one of the list")
    return name
