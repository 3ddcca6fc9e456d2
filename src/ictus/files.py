"""Files that are written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
