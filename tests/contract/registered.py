"""What is under contract, found by walking the package: a new model, metric, format or feature is named nowhere.

A contract needs an example of what goes in; the table in each test file has a line for each. `lines` says which line is
missing.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest

import ictus
from ictus.errors import IctusError

_FRONTS = ("ictus.cli", "ictus.studio", "ictus.render")  # what users see: slow to import, nothing is registered


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Yield a package and all modules within it."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=_raise):
        if not found.name.startswith(_FRONTS) and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def _raise(name: str) -> None:
    raise ImportError(f"{name} cannot be imported")


def models() -> dict[str, type[Any]]:
    """Return every network that saves itself to a folder, by its name."""
    from ictus.nn.pretrained import Pretrained

    list(modules(ictus))
    return {cls.__name__: cls for cls in _below(Pretrained) if hasattr(cls, "Config") and _ours(cls)}


def _below(cls: type[Any]) -> Iterator[type[Any]]:
    for found in cls.__subclasses__():
        yield found
        yield from _below(found)


def _ours(thing: Any) -> bool:
    return bool(thing.__module__.startswith("ictus."))


def metrics() -> dict[str, Any]:
    """Return every function that a package called `metrics` offers, as "dance.diversity"."""
    packages = [module for module in modules(ictus) if module.__name__.endswith(".metrics")]
    offered = {
        f"{package.__name__.split('.')[-2]}.{name}": getattr(package, name)
        for package in packages
        for name in getattr(package, "__all__", ())
    }
    return {name: thing for name, thing in offered.items() if inspect.isfunction(thing)}


def formats() -> dict[str, ModuleType]:
    """Return every module of ictus.formats that reads or writes a file, by its name."""
    package = importlib.import_module("ictus.formats")
    inside = [module for module in modules(package) if module is not package]
    return {
        module.__name__.rpartition(".")[2]: module
        for module in inside
        if hasattr(module, "read") or hasattr(module, "write")
    }


def features() -> dict[str, Any]:
    """Return every feature of sound, by its name."""
    inside = modules(importlib.import_module("ictus.features"))
    things = [thing for module in inside for thing in vars(module).items()]
    return {name: thing for name, thing in things if hasattr(thing, "frame_rate") and not inspect.isclass(thing)}


def lines(table: Mapping[str, Any], registered: Iterable[str], where: str) -> None:
    """Fail, saying what to add or take away, if a table has not one line for each thing that is registered."""
    missing, left = sorted(set(registered) - set(table)), sorted(set(table) - set(registered))
    if missing:
        pytest.fail(f"{', '.join(missing)}: not under contract yet; add a line to {where}", pytrace=False)
    if left:
        pytest.fail(f"{', '.join(left)}: no longer there; take the line out of {where}", pytrace=False)


def line(table: Mapping[str, Any], name: str, where: str) -> Any:
    """Return a thing's line of a table, or fail saying that it is missing."""
    if name not in table:
        pytest.fail(f"{name}: not under contract yet; add a line to {where}", pytrace=False)
    return table[name]


def one_line(refusal: pytest.ExceptionInfo[IctusError]) -> str:
    """Return the message of an error, which must be one line that says something."""
    message = str(refusal.value)
    assert message.strip()
    assert "\n" not in message
    return message
