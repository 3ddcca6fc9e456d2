"""Files that are written whole or not at all."""

import contextlib
import functools
import os
import platform
import re
import reprlib
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ictus import limits
from ictus.errors import IctusError

SOUNDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".au", ".wma")
FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
_UNFINISHED = re.compile(r"\.?ictus-([0-9a-f]{8})-([0-9]{1,10})-[a-z0-9_]{8}(\.\w{1,16})*")
_WEEK = 7 * 86400.0  # seconds
_LONG = 512  # bits of a whole number that is written out in a message
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = limits.TEXT
_ZIP_END = 66_000  # bytes at the end of a zip file that say where its directory is
_ZIP_DIRECTORY = 4_000_000  # bytes; of some ten thousand members


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends well, delete it when it does not.

    The temporary name keeps the suffix, because writers choose their format by it. Where `path` is a symbolic link,
    what it leads to is written, and the link stays. What killed processes have left in the folder is removed.

    Raises
    ------
    IctusError
        If the folder cannot be written to or the disk is full.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(target.stat().st_mode):
                what = "is a folder" if target.is_dir() else "is no file that can be replaced"
                raise IctusError(f"{path}: {what}; give the name of a file")
        remove_leftovers(target.parent, os.getpid())
        handle, name = tempfile.mkstemp(prefix=f".{unfinished()}-", suffix=Path(path).suffix, dir=target.parent)
    except OSError as error:
        raise IctusError(
            f"{path}: cannot write there ({error.strerror}); choose another place", option="out"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise IctusError(f"{path}: writing failed ({error.strerror or error}); nothing was kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def unfinished() -> str:
    """Return how the name begins of what this process makes and removes: with its machine and its number."""
    return f"ictus-{_machine()}-{os.getpid()}"


@functools.lru_cache(maxsize=256)
def remove_leftovers(folder: Path, process: int) -> None:
    """Remove what processes have left in a folder that were killed, once for each process that asks.

    That is what has a name of `unfinished`, and whose process ran on this machine and is gone, or which nobody has
    touched for a week.
    """
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if found := _UNFINISHED.fullmatch(path.name):
                old = time.time() - path.lstat().st_mtime > _WEEK
                if old or _is_gone(found[1], int(found[2])):
                    _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _is_gone(machine: str, process: int) -> bool:
    if machine != _machine() or os.name != "posix":  # elsewhere, asking would end it
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # somebody else's
        return False
    return False


@functools.cache
def _machine() -> str:
    """Return a short name of this machine, or of its container, where processes are numbered otherwise."""
    numbers = Path("/proc/self/ns/pid")
    return f"{zlib.crc32(f'{platform.node()} {numbers.stat().st_ino if numbers.exists() else 0}'.encode()):08x}"


def readable(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> Path:
    """Return `path` if it names a file with something in it; raise `kind` with a plain sentence if it does not."""
    file = Path(path)
    try:
        if not file.exists():
            raise kind(f"{file}: no such file; check the name")
        if file.is_dir():
            raise kind(f"{file}: is a folder, but a file is needed")
        if file.stat().st_size == 0:
            raise kind(f"{file}: the file is empty; fetch or export it again")
        with file.open("rb"):
            pass
    except OSError as error:
        raise kind(f"{file}: cannot be read ({error.strerror})") from error
    return file


@contextlib.contextmanager
def reading(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> Iterator[Path]:
    """Give `path` if it can be read; whatever goes wrong in the block becomes one line that names the file.

    Every reader of a format does its work in such a block, so that bytes which nobody thought of are a sentence and no
    traceback. An error of `kind` or another IctusError gets the name of the file before it, where it has none.

    Raises
    ------
    IctusError
        Of `kind` where the file is missing, empty or damaged; the cause is chained.
    """
    file = readable(path, kind)
    try:
        yield file
    except IctusError as error:
        if str(error).startswith(f"{file}: "):
            raise
        own = kind if type(error) is IctusError else type(error)  # the ground knows no kinds
        raise own(f"{file}: {error}", option=error.option) from error
    except MemoryError as error:
        raise kind(f"{file}: needs more memory than there is; cut it into shorter files") from error
    except (Exception, RecursionError) as error:
        raise kind(f"{file}: damaged ({short(error)}); fetch or export it again") from error


def short(value: object) -> str:
    """Return the words of an error, or anything else from a file, as harmless text of one line and limited length."""
    if not isinstance(value, str):
        value = (str(value) if isinstance(value, BaseException) else _brief(value)) or type(value).__name__
    text = "".join(c if c.isprintable() else " " for c in value[: 4 * limits.TEXT])
    text = " ".join(text.split())
    return text if len(text) <= limits.TEXT else text[: limits.TEXT - 3] + "..."


def counted(number: int, things: str) -> str:
    """Return "1 frame", "2 frames": so many of what is named in the plural, by an s."""
    return f"{number} {things.removesuffix('s') if number == 1 else things}"


def quoted(value: object) -> str:
    """Return anything from a file as `repr` shows it, text in quotes; harmless and short as `short` makes it."""
    return short(_brief(value) if not isinstance(value, str) else repr(value[: limits.TEXT]))


def _brief(value: object) -> str:
    """Return text for a value without walking through all that hangs on it."""
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _REPR.repr(value)
    if isinstance(value, int) and value.bit_length() > _LONG:
        return f"a number of {value.bit_length()} bits"  # which Python may refuse to write out
    return str(value)


@contextlib.contextmanager
def unzipping(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file, unless its directory alone is too large to be held.

    Raises
    ------
    IctusError
        If it is.
    zipfile.BadZipFile
        If it is no zip file, or a damaged one.
    """
    with file.open("rb") as source:
        source.seek(max(0, file.stat().st_size - _ZIP_END))
        end = source.read()
        place = end.rfind(b"PK\x05\x06")
        size = int.from_bytes(end[place + 12 : place + 16], "little")
        if end[:place][-20:-16] == b"PK\x06\x07":  # it has fields of 64 bits
            size = int.from_bytes(end[:place][-36:-28], "little")
        if place >= 0 and size > _ZIP_DIRECTORY:
            raise IctusError(f"is a zip file with a directory of {size / 1e6:.0f} MB, which is too large")
        with zipfile.ZipFile(source) as archive:
            yield archive


def unpacked(archive: zipfile.ZipFile, name: str, limit: int = limits.MEMORY) -> bytes:
    """Return one member of a zip file, if its directory promises no more than `limit` bytes and it keeps the promise.

    Raises
    ------
    IctusError
        If it is larger; nothing has been unpacked then.
    KeyError, zipfile.BadZipFile
        If there is no such member, or a damaged one.
    """
    size = archive.getinfo(name).file_size
    if size > limit:
        raise IctusError(f"{short(name)} unpacks to {size / 1e6:.0f} MB; at most {limit / 1e6:.0f} MB are read")
    with archive.open(name) as member:
        content = member.read(size + 1)
    if len(content) > size:
        raise IctusError(f"{short(name)} unpacks to more than its directory says")
    return content


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
