"""Text, tables and JSON from files, read within bounds."""

import csv
import io
import json
import os
from typing import Any

from ictus import limits
from ictus.errors import IctusError
from ictus.files import reading, short

# Bytes that Python needs for what begins with, or stands behind, a character: lists, objects, entries.
_WEIGHTS = {"[": 64, "{": 72, ",": 16, ".": 24, ":": 100}


def read_text(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> str:
    """Return the text of a file in UTF-8, with or without a byte order mark.

    Raises
    ------
    IctusError
        Of `kind`, with the name of the file: if it is missing, empty, no such text, or too large.
    """
    with reading(path, kind) as file:
        if file.stat().st_size > limits.MEMORY:
            raise IctusError(f"is larger than {limits.MEMORY / 1e6:.0f} MB; cut it into shorter files")
        try:
            return file.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise IctusError("is no text in UTF-8") from error


def read_json(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> Any:
    """Return what a file of JSON holds; raises as `read_text`, and if it is no JSON."""
    text = read_text(path, kind)
    with reading(path, kind):
        return parse_json(text)


def read_table(
    path: str | os.PathLike[str], *columns: str, kind: type[IctusError] = IctusError
) -> list[dict[str, str]]:
    """Return the rows of a table (.csv) whose first line names the columns; what a row lacks is empty.

    Raises
    ------
    IctusError
        As `read_text`, and if it is no table or has not these columns.
    """
    text = read_text(path, kind)
    with reading(path, kind):
        table = csv.DictReader(io.StringIO(text, newline=""), restval="")
        if missing := [column for column in columns if column not in (table.fieldnames or ())]:
            raise IctusError(f"has no column {missing[0]!r}; it needs {', '.join(columns)}")
        return [{name: value for name, value in row.items() if isinstance(value, str)} for row in table]


def parse_json(text: str | bytes) -> Any:
    """Return what JSON holds; NaN and infinity, which the standard does not know, are refused.

    Raises
    ------
    IctusError
        If it is damaged, nested too deep, or would fill the memory.
    """
    letters = text if isinstance(text, str) else text.decode("utf-8-sig", "replace")
    if sum(weight * letters.count(letter) for letter, weight in _WEIGHTS.items()) > limits.MEMORY:
        raise IctusError("is JSON of too many values; cut it into shorter files")
    try:
        return json.loads(letters, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise IctusError(f"is no valid JSON (line {error.lineno}: {error.msg})") from error
    except RecursionError as error:
        raise IctusError("is no valid JSON (nested too deep)") from error
    except ValueError as error:
        raise IctusError(f"is no valid JSON ({short(error)})") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
