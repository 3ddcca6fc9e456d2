"""What the command line says: results on stdout, complaints and progress on stderr, each in one line.

Names of files, and words from inside of them, come along; none of them controls the terminal.
"""

import contextlib
import functools
import json
import logging
import os
import sys
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from ictus.errors import IctusError
from ictus.files import short

if TYPE_CHECKING:
    from ictus.types import Progress

_TRACEBACK = "ICTUS_TRACEBACK"  # of the environment


def harmless(text: str) -> str:
    """Return text with everything that would not show as itself written as JSON does: an escape as \\u001b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else json.dumps(c)[1:-1] for c in text)


def say(text: str) -> None:
    """Write a line to stdout."""
    _say(harmless(text))


def say_json(value: Any) -> None:
    """Write a value to stdout as JSON."""
    _say("\n".join(map(harmless, json.dumps(value, indent=2, ensure_ascii=False).split("\n"))))


def complain(text: str) -> None:
    """Write one line to stderr, whatever line breaks the text holds."""
    _write(sys.stderr, f"ictus: {harmless(' '.join(text.split()))}")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed
        return
    try:
        stream.write(text + "\n")
    except UnicodeEncodeError:  # a terminal that knows fewer letters
        stream.write("".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text) + "\n")
    stream.flush()


def _say(text: str) -> None:
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise IctusError(f"stdout: {error.strerror}") from error


def silence() -> None:
    """Let what is still to be written to stdout go nowhere: nobody reads it, and Python would complain at its end."""
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reason(error: Exception) -> str:
    """Return why something failed, in a line for people; where that was, too, goes to stderr if it is asked for."""
    if os.environ.get(_TRACEBACK):
        for line in "".join(traceback.format_exception(error)).split("\n"):
            _write(sys.stderr, harmless(line))
    if isinstance(error, IctusError):
        return with_flags(error)
    if isinstance(error, MemoryError):
        return "needs more memory than there is; give shorter files, or fewer workers"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return f"unforeseen: {type(error).__name__}, {short(error)} ({_TRACEBACK}=1 ictus ... shows where, for a report)"


def with_flags(error: IctusError) -> str:
    """Return an error's message, with the flag that gives what has to be given otherwise, if it says so."""
    flags = {"run": "--resume or --out", "devices": "--devices, --accelerator"}
    return f"{error} ({flags.get(error.option, f'--{error.option}')})" if error.option else str(error)


class _Line(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        return harmless(super().formatMessage(record))


def show_warnings() -> None:
    """Show what the library logs, on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Write a table to stdout."""
    from rich.console import Console
    from rich.table import Table

    width = None if sys.stdout.isatty() else 200  # a file or a program has no narrow window
    console = Console(width=width, markup=False, emoji=False)
    table = Table(title=harmless(title), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    for row in rows:
        table.add_row(*("\n".join(map(harmless, cell.split("\n"))) for cell in row))
    console.print(table)


class LabelledBar:
    """Shows the fraction done, and behind the label a note; silent where there is nothing to show it on."""

    def __init__(self, label: str, update: "Callable[..., None] | None" = None) -> None:
        self._label, self._update, self._note = label, update, ""

    def __call__(self, fraction: float) -> None:
        """Show the fraction done."""
        if self._update:
            self._update(completed=fraction, description=harmless(f"{self._label}{self._note}"))

    def note(self, text: str) -> None:
        """Say something behind the label from the next fraction on."""
        self._note = f" ({text})"


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[LabelledBar]:
    """Give a function that shows the fraction done; silent where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield LabelledBar(label)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(harmless(label), total=1.0)
        yield LabelledBar(label, functools.partial(bar.update, task))


def part(progress: "Progress", start: float, end: float) -> "Progress":
    """Give the progress of a part of the work, from one fraction of the whole to another."""
    return lambda fraction: progress(start + (end - start) * fraction)
