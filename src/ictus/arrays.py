"""NumPy's files, read within bounds: arrays of numbers and of text, no objects.

What a header or a directory promises is checked before anything is allocated or unpacked, and only what is asked for is
read. An array (.npy) can be mapped instead; then nothing of it is in memory but what is used.
"""

import contextlib
import math
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np

from ictus import limits
from ictus.errors import IctusError
from ictus.files import reading, short, unzipping
from ictus.types import AnyArray

_HEADS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_PIECE = 1 << 20  # bytes that are unpacked at once
_WORKING = 4  # bytes that a number takes at least while it is worked with


class Archive(Mapping[str, AnyArray]):
    """The arrays of an .npz by name; each is read when it is asked for.

    Raises
    ------
    IctusError
        If an array is missing, damaged, of objects, or with those before it larger than the limit.
    """

    def __init__(self, file: zipfile.ZipFile, limit: int) -> None:
        self._file, self._left = file, limit
        self._members = {name.removesuffix(".npy"): name for name in file.namelist()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self._members:
            raise IctusError(f"holds {self.named()}, but no {name}")
        member = self._file.getinfo(self._members[name])
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise IctusError(f"{short(name)} is packed in a way that NumPy does not use; save it again")
        with self._file.open(member) as source:
            try:
                shape, by_columns, dtype = _head(source)
            except IctusError as error:
                raise IctusError(f"is no NumPy archive of numbers: {short(name)} is {error}") from error
            size = math.prod(shape) * dtype.itemsize
            if size > member.file_size:
                raise IctusError(f"damaged: {short(name)} promises {size} bytes, and has fewer")
            self._left -= math.prod(shape) * max(dtype.itemsize, _WORKING)
            if self._left < 0:
                raise IctusError(f"{short(name)} of shape {short(shape)} is too large; cut it into shorter files")
            flat = np.empty(math.prod(shape), dtype)
            _fill(source, flat)
        return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)

    def text(self, name: str, ndim: int = 0) -> Any:
        """Return text, or (nested) lists of it, by how many axes the array must have."""
        array = self._checked(name, "U", ndim)
        # NumPy passes on numbers that are no characters, and Python breaks on such text only later.
        letters = np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if (letters > sys.maxunicode).any():
            raise IctusError(f"{short(name)} holds damaged text")
        return array.tolist()

    def numbers(self, name: str, ndim: int | None = None) -> AnyArray:
        """Return numbers; `ndim` is how many axes they must have."""
        return self._checked(name, "fiu", ndim)

    def indices(self, name: str, ndim: int | None = None) -> AnyArray:
        """Return whole numbers."""
        return self._checked(name, "iu", ndim)

    def number(self, name: str) -> float:
        """Return the single number of an array of any shape."""
        array = self.numbers(name)
        if array.size != 1:
            raise _wrong(name, array, "it must be one number")
        return float(array.item())

    def _checked(self, name: str, kinds: str, ndim: int | None) -> AnyArray:
        array = self[name]
        if array.dtype.kind not in kinds or ndim not in (None, array.ndim):
            raise _wrong(name, array, "which is none here")
        return array

    def named(self) -> str:
        """Return what there is, for a message."""
        return short(", ".join(self)) or "nothing"


@contextlib.contextmanager
def archive(
    path: str | os.PathLike[str], kind: type[IctusError] = IctusError, limit: int = limits.ARRAYS
) -> Iterator[Archive]:
    """Open an .npz; what goes wrong in the block is an error of `kind` that names the file, as in `files.reading`.

    Parameters
    ----------
    limit : bytes that all arrays which are read may have together.
    """
    with reading(path, kind) as file:
        try:
            with unzipping(file) as members:
                yield Archive(members, limit)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise IctusError("is no NumPy archive (no .npz of arrays), or a damaged one") from error


def load(path: str | os.PathLike[str], kind: type[IctusError] = IctusError, limit: int = limits.MEMORY) -> AnyArray:
    """Return the array of an .npy.

    Raises
    ------
    IctusError
        Of `kind`, with the name of the file: if it is missing, damaged, of objects, or larger than `limit`.
    """
    array = mapped(path, kind)
    if array.size * max(array.itemsize, _WORKING) > limit:
        raise kind(f"{path}: has shape {short(array.shape)}, which is too large; cut it into shorter files")
    return np.array(array)


def mapped(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> AnyArray:
    """Return the array of an .npy, memory-mapped; raises as `load`, whatever its size."""
    with reading(path, kind) as file:
        with file.open("rb") as source:
            shape, by_columns, dtype = _head(source)
            start, size = source.tell(), math.prod(shape) * dtype.itemsize
        if file.stat().st_size < start + size:
            raise IctusError(f"damaged or cut short: an array of shape {short(shape)} is longer; fetch it again")
        if not size:
            return np.empty(shape, dtype)
        order: Any = "F" if by_columns else "C"
        return np.memmap(file, dtype, "r", start, shape, order)


def _head(source: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether it goes by columns, and type of the array that follows."""
    try:
        shape, by_columns, dtype = _HEADS[np.lib.format.read_magic(source)](source)
    except Exception as error:  # it parses Python, which can fail in any way
        raise IctusError("damaged or no array: it begins like no NumPy array") from error
    if dtype.hasobject or min(shape, default=0) < 0:
        raise IctusError(f"damaged or no array: objects of shape {short(shape)} are not read")
    return shape, by_columns, dtype


def _wrong(name: str, array: AnyArray, what: str) -> IctusError:
    return IctusError(f"{short(name)} is of type {array.dtype} and shape {short(array.shape)}, {what}")


def _fill(source: IO[bytes], flat: AnyArray) -> None:
    """Unpack piece by piece into an array that is as large as the directory says."""
    target, done = flat.view(np.uint8).data, 0
    while done < len(target):
        piece = source.read(min(_PIECE, len(target) - done))
        if not piece:
            raise IctusError("damaged or cut short; fetch it again")
        target[done : done + len(piece)] = piece
        done += len(piece)
