"""Pickles of numbers, read without running anything: plain containers, and NumPy arrays rebuilt by our own code.

A pickle is a program: it may call whatever it can name. Here it can name the few things by which
arrays and bytes are spelled, and each is answered by a small stand-in that only keeps numbers; not even NumPy's own way
to rebuild an array, which trusts its arguments, is called.
"""

import io
import pickle
import pickletools
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ictus.errors import MotionError
from ictus.formats.npz import DAMAGE
from ictus.types import AnyArray

_NUMBERS = re.compile(r"[biuf]\d{1,2}")


def load(path: Path) -> Any:
    """Read a pickle of dicts, lists, tuples, text, bytes, numbers and arrays of numbers.

    Raises
    ------
    MotionError
        If it names anything else, or is none, or damaged. Nothing that it asks for has been run then.
    """
    content = path.read_bytes()
    try:
        _check_size_of_memo(content)
        return _arrays(_DataOnly(io.BytesIO(content), encoding="latin1").load())
    except (pickle.UnpicklingError, *DAMAGE) as error:
        raise MotionError("is no pickle, or a damaged one") from error


def _check_size_of_memo(content: bytes) -> None:
    """Refuse places in the memo beyond what the file could have filled: the reader would allocate up to them."""
    for code, place, _ in pickletools.genops(content):
        if code.name in ("PUT", "LONG_BINPUT") and isinstance(place, int) and place > len(content):
            raise ValueError(f"place {place} in the memo of {len(content)} bytes")


class _Type:
    """Stands for numpy.dtype: of numbers only."""

    def __init__(self, name: str, *_: object) -> None:
        if not isinstance(name, str) or not _NUMBERS.fullmatch(name):
            raise MotionError(f"holds an array of {str(name)[:20]!r}, and only numbers are read from a pickle")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for a numpy.ndarray that is still to be filled."""

    values: AnyArray | None = None

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, content = state
        self.values = _filled(content, kind, shape, "F" if by_columns else "C")


def _filled(content: Any, kind: _Type, shape: tuple[int, ...], order: Any) -> AnyArray:
    if not isinstance(kind, _Type):
        raise ValueError("an array without a type")
    return np.frombuffer(content, kind.dtype).reshape(shape, order=order).copy()


def _from_buffer(content: Any, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    """Stand for what NumPy rebuilds arrays with in pickles of protocol 5."""
    array = _Array()
    array.values = _filled(content, kind, shape, order)
    return array


def _scalar(kind: _Type, content: bytes) -> Any:
    return _filled(content, kind, (), "C").item()


def _bytes(text: str, encoding: str) -> bytes:
    """Stand for _codecs.encode: how pickles of protocol 2 spell bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes in {encoding}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stand for bytes(): how they spell none."""
    return b""


_CORES = ("numpy.core", "numpy._core")
_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    **{(f"{core}.multiarray", "_reconstruct"): _Array for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _from_buffer for core in _CORES},
}


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            what = f"{module}.{name}"[:60]
            raise MotionError(f"is refused: it names {what!r}, and a pickle of data needs no such thing")
        return partial(_KNOWN[module, name])  # a fresh one each time, for a pickle may write on what it is given


def _arrays(value: Any) -> Any:
    """Put the arrays where their stand-ins are."""
    if isinstance(value, _Array):
        if value.values is None:
            raise ValueError("an array that is never filled")
        return value.values
    if isinstance(value, dict):
        return {key: _arrays(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_arrays, value))
    return value
