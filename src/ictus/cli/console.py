"""What the command line says: results on stdout, complaints and progress on stderr, each in one line."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[float], None]


def say(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(text + "\n")


def say_json(value: Any) -> None:
    """Write a value to stdout as JSON."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def complain(text: str) -> None:
    """Write one line to stderr, whatever line breaks the text holds."""
    sys.stderr.write("ictus: " + " ".join(text.split()) + "\n")


def with_flags(error: Exception) -> str:
    """Return an error's message, with the flag that gives what has to be given otherwise, if it says so."""
    option = getattr(error, "option", None)
    flags = {"run": "--resume or --out", "devices": "--devices, --accelerator"}
    return f"{error} ({flags.get(option, f'--{option}')})" if option else str(error)


def show_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Write a table to stdout."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200)  # a file or a program has no narrow window
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    console.print(table)


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Give a function that shows the fraction done; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda fraction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


def part(progress: Progress, start: float, end: float) -> Progress:
    """Give the progress of a part of the work, from one fraction of the whole to another."""
    return lambda fraction: progress(start + (end - start) * fraction)
