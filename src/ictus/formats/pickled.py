"""Pickles of numbers, read without running anything: plain containers, and NumPy arrays rebuilt by our own code.

A pickle is a program: it may call whatever it can name. Here its operations are followed by a machine of our own, which
knows those that data need. What they can name are the few things by which arrays and bytes are spelled, and each is
answered by a small stand-in that only keeps numbers; not even NumPy's own way to rebuild an array, which trusts its
arguments, is called.
"""

import codecs
import io
import pickletools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ictus import limits
from ictus.errors import MotionError
from ictus.files import quoted, reading, short
from ictus.types import AnyArray, Float64Array

_NUMBERS = re.compile(r"[biuf]\d{1,2}")
_HELD = 100  # bytes that an empty list, dict or tuple takes, and an entry for it
_PLAIN = (str, bytes, int, float, type(None))  # what can be a key: it costs nothing to compare


def load(path: Path) -> Any:
    """Read a pickle of dicts, lists, tuples, text, bytes, numbers and arrays of numbers.

    Raises
    ------
    MotionError
        If it names anything else, or is none, or damaged. Nothing that it asks for has been run then.
    """
    with reading(path, MotionError):
        content = path.read_bytes()
        try:
            return _arrays(_Machine(_KNOWN).run(io.BytesIO(content)), {})
        except MotionError:
            raise
        except Exception as error:  # damage can show itself in any way
            raise MotionError("is no pickle, or a damaged one") from error


def check(source: IO[bytes]) -> None:
    """Follow one pickle from where `source` stands to its end, whatever it names, for another reader than this one.

    Raises
    ------
    MotionError
        If it would cost far more than it is long: by keys that hold each other, or by countless containers.
    Exception
        Of any kind, if it is damaged.
    """
    _Machine(known=None).run(source)


def numbers(value: Any, name: str) -> Float64Array:
    """Return part of what `load` gave, an array or nested lists, as an array of numbers.

    Raises
    ------
    MotionError
        Beginning with `name`: if it is something else, or lists that hold each other so often that it fills the memory.
    """
    try:
        if 8 * _count(value, {}) > limits.MEMORY:
            raise MotionError(f"{name} unfolds into too many numbers")
        array = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MotionError(f"{name} is no array of numbers") from error
    return array


def _count(value: Any, known: dict[int, int]) -> int:
    """Return how many numbers nested lists hold, each list as often as it is reached."""
    if not isinstance(value, list | tuple):
        return value.size if isinstance(value, np.ndarray) else 1
    if id(value) not in known:
        known[id(value)] = sum(_count(inner, known) for inner in value)
    return known[id(value)]


class _Machine:
    """Follows the operations of one pickle; what it may name is `known`, or anything, which then stands for nothing."""

    def __init__(self, known: Mapping[tuple[str, str], Any] | None) -> None:
        self.known = known
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []  # the stacks below the marks
        self.memo: dict[int, Any] = {}
        self.held = 0  # bytes of the containers that were made

    def run(self, source: IO[bytes]) -> Any:
        """Return what the pickle says."""
        for name, argument in _operations(source):
            if name in _VALUES:
                self.stack.append(argument)
            elif name in _CONTAINERS:
                self.held += _HELD
                if self.held > limits.MEMORY:
                    raise MotionError("holds too many lists, tuples or dicts")
                _CONTAINERS[name](self)
            elif name == "STOP":
                return self.stack.pop()
            elif name in _STEPS:
                _STEPS[name](self, argument)
            else:
                raise MotionError(f"is refused: a pickle of data needs no {name}")
        raise ValueError("no end")

    def since_mark(self) -> list[Any]:
        """Take what lies above the last mark."""
        above, self.stack = self.stack, self.marked.pop()
        return above

    def extend(self, values: list[Any]) -> None:
        """Append to the list on top."""
        if not isinstance(self.stack[-1], list | _Nothing):
            raise ValueError("no list")
        self.stack[-1].extend(values)

    def update(self, pairs: list[Any]) -> None:
        """Set entries of the dict on top, from keys and values by turns."""
        if not isinstance(self.stack[-1], dict | _Nothing) or not all(isinstance(key, _PLAIN) for key in pairs[::2]):
            raise ValueError("no entries of a dict with plain keys")
        self.stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))

    def gather(self, kind: type[list[Any]] | type[tuple[Any, ...]]) -> None:
        """Make a list or tuple of all above the mark."""
        above = self.since_mark()
        self.stack.append(kind(above))

    def pack(self, count: int) -> None:
        """Make a tuple of what is on top."""
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def dictionary(self) -> None:
        """Make a dict of all above the mark, keys and values by turns."""
        pairs = self.since_mark()
        self.stack.append({})
        self.update(pairs)

    def name(self, module: str, name: str) -> None:
        """Put the stand-in for a name on top."""
        if self.known is None:
            self.stack.append(_Nothing())
            return
        if (module, name) not in self.known:
            raise MotionError(
                f"is refused: it names {quoted(f'{module}.{name}')}, and a pickle of data needs no such thing"
            )
        self.stack.append(_Name(self.known[module, name]))

    def name_on_stack(self) -> None:
        """Do the same with the two texts on top."""
        name, module = self.stack.pop(), self.stack.pop()
        self.name(str(module), str(name))

    def call(self) -> None:
        """Call a stand-in."""
        arguments, known = self.stack.pop(), self.stack.pop()
        if not isinstance(known, _Name | _Nothing) or not isinstance(arguments, tuple):
            raise ValueError("a call of data")
        self.stack.append(known.make(*arguments))

    def refer(self) -> None:
        """Put something on top that lies beside the pickle."""
        if self.known is not None:
            raise MotionError("is refused: a pickle of data refers to nothing beside it")
        self.stack[-1] = _Nothing()

    def fill(self) -> None:
        """Give a stand-in its state."""
        state = self.stack.pop()
        self.stack[-1].fill(*state)

    def pop(self) -> None:
        """Forget what is on top, or the mark."""
        if self.stack:
            self.stack.pop()
        else:
            self.stack = self.marked.pop()

    def mark(self) -> None:
        """Begin something of unknown length."""
        self.marked.append(self.stack)
        self.stack = []


def _operations(source: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the argument of each operation."""
    while code := source.read(1):
        operation = _OPERATIONS[code.decode("latin-1")]
        if operation.name == "STRING":  # bytes of Python 2, as it writes them in its source
            yield "STRING", codecs.escape_decode(source.readline().strip()[1:-1])[0].decode("latin-1")
        else:
            yield operation.name, operation.arg.reader(source) if operation.arg else _CONSTANTS.get(operation.name)


_OPERATIONS = {operation.code: operation for operation in pickletools.opcodes}
_CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}
_VALUES = {
    *_CONSTANTS,
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_CONTAINERS: dict[str, Callable[[_Machine], None]] = {
    "EMPTY_LIST": lambda m: m.stack.append([]),
    "EMPTY_DICT": lambda m: m.stack.append({}),
    "EMPTY_TUPLE": lambda m: m.stack.append(()),
    "LIST": lambda m: m.gather(list),
    "DICT": _Machine.dictionary,
    "TUPLE": lambda m: m.gather(tuple),
    "TUPLE1": lambda m: m.pack(1),
    "TUPLE2": lambda m: m.pack(2),
    "TUPLE3": lambda m: m.pack(3),
}


def _remember(machine: _Machine, place: int) -> None:
    machine.memo[place] = machine.stack[-1]


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **{name: lambda m, _: None for name in ("PROTO", "FRAME")},
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _remember),
    "MEMOIZE": lambda m, _: _remember(m, len(m.memo)),
    **{name: lambda m, place: m.stack.append(m.memo[place]) for name in ("GET", "BINGET", "LONG_BINGET")},
    "MARK": lambda m, _: m.mark(),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.since_mark().clear(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "APPEND": lambda m, _: m.extend([m.stack.pop()]),
    "APPENDS": lambda m, _: m.extend(m.since_mark()),
    "SETITEM": lambda m, _: m.update([m.stack.pop(-2), m.stack.pop()]),
    "SETITEMS": lambda m, _: m.update(m.since_mark()),
    "GLOBAL": lambda m, both: m.name(*both.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name_on_stack(),
    "REDUCE": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.fill(),
    "BINPERSID": lambda m, _: m.refer(),
}


# --- Stand-ins -------------------------------------------------------------------------------------------------------


class _Name:
    """Stands for something that a pickle names."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make


class _Nothing:
    """Stands for whatever a pickle names, where that is of no account."""

    def make(self, *_: object) -> "_Nothing":
        """Stand for what it would make."""
        return self

    fill = extend = update = make


class _Type:
    """Stands for numpy.dtype: of numbers only."""

    def __init__(self, name: str, *_: object) -> None:
        if not isinstance(name, str) or not _NUMBERS.fullmatch(name):
            raise MotionError(f"holds an array of {quoted(name)}, and only numbers are read from a pickle")
        self.dtype = np.dtype(name)

    def fill(self, _: object, order: str, *rest: object) -> None:
        """Take the byte order from a state."""
        self.dtype = self.dtype.newbyteorder(order)  # type: ignore[arg-type]


class _Array:
    """Stands for a numpy.ndarray that is still to be filled."""

    values: AnyArray | None = None

    def __init__(self, *_: object) -> None: ...

    def fill(self, _: object, shape: tuple[int, ...], kind: Any, by_columns: object, content: Any) -> None:
        """Take the numbers from a state."""
        self.values = _filled(content, kind, shape, "F" if by_columns else "C")


def _filled(content: Any, kind: Any, shape: tuple[int, ...], order: Any) -> AnyArray:
    if not isinstance(kind, _Type):
        raise ValueError("an array without a type")
    if isinstance(content, str):  # the bytes of Python 2
        content = content.encode("latin-1")
    return np.frombuffer(content, kind.dtype).reshape(shape, order=order).copy()


def _from_buffer(content: Any, kind: Any, shape: tuple[int, ...], order: str) -> _Array:
    """Stand for what NumPy rebuilds arrays with in pickles of protocol 5."""
    array = _Array()
    array.values = _filled(content, kind, shape, order)
    return array


def _scalar(kind: Any, content: Any) -> Any:
    return _filled(content, kind, (), "C").item()


def _bytes(text: str, encoding: str) -> bytes:
    """Stand for _codecs.encode: how pickles of protocol 2 spell bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes in {short(encoding)}")
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


def _arrays(value: Any, done: dict[int, Any]) -> Any:
    """Put the arrays where their stand-ins are; what is reached in several ways is done once."""
    if isinstance(value, _Array):
        if value.values is None:
            raise ValueError("an array that is never filled")
        return value.values
    if isinstance(value, _Name | _Type):
        raise ValueError("a name without a use")
    if not isinstance(value, dict | list | tuple):
        return value
    if id(value) not in done:
        if isinstance(value, dict):
            found: Any = {key: _arrays(inner, done) for key, inner in value.items()}
        else:
            found = type(value)([_arrays(inner, done) for inner in value])
        done[id(value)] = found
    return done[id(value)]
