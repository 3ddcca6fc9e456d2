"""Files that are written whole or not at all."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ictus import limits
from ictus.errors import IctusError


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends well, delete it when it does not.

    The temporary name keeps the suffix, because writers choose their format by it.

    Raises
    ------
    IctusError
        If the folder cannot be written to or the disk is full.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IctusError(f"{target}: is a folder; give the name of a file")
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise IctusError(
            f"{target}: cannot write there ({error.strerror}); choose another place", option="out"
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise IctusError(f"{target}: writing failed ({error.strerror or error}); nothing was kept") from error
    finally:
        temporary.unlink(missing_ok=True)


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
        raise type(error)(f"{file}: {error}", option=error.option) from error
    except MemoryError as error:
        raise kind(f"{file}: needs more memory than there is; cut it into shorter files") from error
    except (Exception, RecursionError) as error:
        raise kind(f"{file}: damaged ({short(error)}); fetch or export it again") from error


def short(value: object) -> str:
    """Return the words of an error, or anything else from a file, as harmless text of one line and limited length."""
    text = str(value) or type(value).__name__ if isinstance(value, BaseException) else str(value)
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * limits.TEXT])
    text = " ".join(text.split())
    return text if len(text) <= limits.TEXT else text[: limits.TEXT - 3] + "..."


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
