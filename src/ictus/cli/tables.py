"""Tables of results: on the screen, as JSON, Markdown, or CSV of every sample."""

import csv
import json
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictus.cli.console import say, say_json, show_table
from ictus.errors import UsageError
from ictus.files import writing

if TYPE_CHECKING:
    from ictus.metrics.tables import Row


_COLUMNS = 13  # side by side on a screen; what has more becomes several tables of equal width


def check(paths: tuple[Path, ...]) -> None:
    """Make sure that tables can be written as these files."""
    for path in paths:
        if path.suffix.lower() not in _WRITERS:
            raise UsageError(f"{path}: a table is written as {' '.join(_WRITERS)}")


def short(name: str) -> str:
    """Return a name for captions, files and folders: RUN for RUN/model, as training leaves it."""
    path = Path(name).resolve()
    return path.parent.name if path.name == "model" and path.parent.name else path.name


def give(rows: Sequence["Row"], title: str, meaning: Mapping[str, str], paths: tuple[Path, ...], json: bool) -> None:
    """Write a table to files, and to stdout as text or JSON."""
    for path in paths:
        with writing(path) as temporary:
            _WRITERS[path.suffix.lower()](rows, temporary)
    if json:
        say_json([_as_dict(row) for row in rows])
        return
    metrics = _metrics(rows)
    narrow = [[cell.replace(" (", "\n(") for cell in line] for line in _cells(rows)]
    width = ceil(len(metrics) / ceil(len(metrics) / _COLUMNS))
    for first in range(0, len(metrics), width):
        part = slice(first, first + width)
        lines = [[name, *cells[part]] for name, *cells in narrow]
        show_table("" if first else title, ["", *metrics[part]], lines)
    for metric in metrics:
        say(f"{metric}: {meaning[metric]}")


def _metrics(rows: Sequence["Row"]) -> list[str]:
    return list(dict.fromkeys(metric for row in rows for metric in row.values))


def _cells(rows: Sequence["Row"]) -> list[list[str]]:
    def cell(row: "Row", metric: str) -> str:
        if metric not in row.values:
            return "-"
        value, low, high = row.values[metric]
        return f"{value:.3g} ({low:.3g}..{high:.3g})"

    return [[row.name, *(cell(row, metric) for metric in _metrics(rows))] for row in rows]


def _as_dict(row: "Row") -> dict[str, Any]:
    figures = {name: dict(zip(("value", "low", "high"), triple, strict=True)) for name, triple in row.values.items()}
    return {"model": row.name, "figures": figures, "samples": list(row.samples)}


def _write_json(rows: Sequence["Row"], path: Path) -> None:
    path.write_text(json.dumps([_as_dict(row) for row in rows], indent=2) + "\n", encoding="utf-8")


def _write_markdown(rows: Sequence["Row"], path: Path) -> None:
    head = ["", *_metrics(rows)]
    table = [head, ["---"] * len(head), *_cells(rows)]
    path.write_text("".join("| " + " | ".join(line) + " |\n" for line in table), "utf-8", "backslashreplace")


def _write_csv(rows: Sequence["Row"], path: Path) -> None:
    names = list(dict.fromkeys(key for row in rows for sample in row.samples for key in sample))
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as sink:
        table = csv.DictWriter(sink, ["model", *names], lineterminator="\n")
        table.writeheader()
        table.writerows({"model": row.name, **sample} for row in rows for sample in row.samples)


_WRITERS = {".json": _write_json, ".md": _write_markdown, ".csv": _write_csv}
