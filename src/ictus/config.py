"""Configs: frozen dataclasses from JSON and YAML, and back. Recipes and checkpoints are parsed by the same code.

A dataclass whose fields were renamed says so in a class variable, and is still read under the old names::

    renamed: ClassVar = {"old": "new"}
"""

import dataclasses
import difflib
import math
import os
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ictus.errors import IctusError, UsageError
from ictus.files import quoted, short

_LARGEST = 1 << 62  # whole number
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", tuple: "a list", list: "a list"}


def to_plain(value: Any) -> Any:
    """Return dataclasses, tuples and paths as JSON types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return os.fspath(value) if isinstance(value, Path) else value


def parse(kind: Any, value: Any, where: str = "") -> Any:
    """Turn what YAML or JSON gives into `kind`: a dataclass, number, text, tuple, mapping, literal, or X | None.

    Raises
    ------
    UsageError
        Naming the place, which begins with `where`, what stands there and what should.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise UsageError(f"{where} is {quoted(value)}; it must have keys: {', '.join(field_types(kind))}")
        return build(kind, parse_fields(field_types(kind), with_new_names(kind, value), where), where)
    if origin is Literal:
        if value in arguments:
            return value
        raise UsageError(f"{where} is {quoted(value)}; it must be one of {', '.join(map(str, arguments))}")
    if origin in (Union, types.UnionType):
        return _parse_union(arguments, value, where)
    if origin in (tuple, list) and isinstance(value, list):
        kinds = arguments * len(value) if origin is list else arguments
        kinds = arguments[:1] * len(value) if Ellipsis in arguments else kinds
        if len(kinds) == len(value):
            return origin(parse(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))
        raise UsageError(f"{where} has {len(value)} entries; it must have {len(kinds)}")
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {str(key): parse(arguments[1], item, f"{where}.{short(key)}") for key, item in value.items()}
    if kind is float and type(value) in (int, float, str):  # to YAML 1.1, 1e-3 is text
        try:
            if math.isfinite(number := float(value)):
                return number
        except (ValueError, OverflowError):
            pass
    if kind is Path and isinstance(value, str):
        return Path(value)
    if type(value) is kind and kind is not float and not (kind is int and abs(value) > _LARGEST):
        return value
    raise UsageError(f"{where} is {quoted(value)}; it must be {_WORDS.get(origin or kind, str(kind))}")


def field_types(kind: type[Any]) -> dict[str, Any]:
    """Return the type of each field of a dataclass."""
    kinds = get_type_hints(kind)
    return {entry.name: kinds[entry.name] for entry in dataclasses.fields(kind)}


def with_new_names(kind: type[Any], value: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return fields of a dataclass under the names that they have today; see `renamed` above."""
    renamed: Mapping[str, str] = getattr(kind, "renamed", {})
    return {renamed.get(key, key): item for key, item in value.items()}


def parse_fields(kinds: Mapping[str, Any], value: Mapping[Any, Any], where: str) -> dict[str, Any]:
    """Parse the values of named fields, each by its type.

    Raises
    ------
    UsageError
        If a name is unknown, with the nearest one that is known, or a value does not fit.
    """
    prefix = f"{where}." if where else ""
    for key in value:
        if key not in kinds:
            near = difflib.get_close_matches(short(key), kinds, n=1, cutoff=0)
            nearest = f"; the nearest valid key is {prefix.rpartition(': ')[2]}{near[0]}" if near else ""
            raise UsageError(f"{prefix}{short(key)} is unknown{nearest}")
    return {key: parse(kinds[key], item, f"{prefix}{key}") for key, item in value.items()}


def build(kind: type[Any], values: Mapping[str, Any], where: str) -> Any:
    """Build a dataclass of parsed values.

    Raises
    ------
    UsageError
        If a field without a default is missing, or the dataclass refuses a value.
    """
    prefix = f"{where}." if where else ""
    for entry in dataclasses.fields(kind):
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and entry.name not in values:
            raise UsageError(f"{prefix}{entry.name} is missing; it has no default")
    try:
        return kind(**values)
    except (IctusError, ValueError) as error:  # what a __post_init__ checks
        raise UsageError(f"{prefix}{error if isinstance(error, IctusError) else short(error)}") from error


def _parse_union(kinds: Sequence[Any], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    error: UsageError | None = None
    for kind in kinds:
        if kind is not type(None):
            try:
                return parse(kind, value, where)
            except UsageError as caught:
                error = error or caught
    raise error or UsageError(f"{where} is {quoted(value)}; it must be empty")
