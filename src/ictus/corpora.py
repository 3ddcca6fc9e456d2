"""Corpora on disk, as all arts keep them: <root>/{train,val,test}/<name>/, a folder for each example.

A folder is there whole or not at all, and what is there is kept: the same command resumes. A file beside the splits
holds the corpus's signature: what it is made of. Nothing else is added to it.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import soundfile

from ictus.arrays import mapped
from ictus.documents import read_json, read_table
from ictus.errors import IctusError, UsageError
from ictus.files import quoted, short, writing
from ictus.processes import run_in_processes
from ictus.types import AnyArray, Progress
from ictus.video_io import SUFFIXES as FILMS

Found = TypeVar("Found")
Job = TypeVar("Job")

Report = Callable[[str], None]


SPLIT_SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}  # of what nobody has split
SPLITS = tuple(SPLIT_SHARES)


class CorpusWriteError(IctusError):
    """A folder cannot be written: another example would not help."""


def hashed_split(name: str, seed: int = 0) -> str:
    """Return the split of an example: always the same, whatever other examples there are; 80 : 10 : 10."""
    share = int.from_bytes(hashlib.blake2b(os.fsencode(f"{seed}/{name}"), digest_size=4).digest()) / 2**32
    for split, part in SPLIT_SHARES.items():
        share -= part
        if share < 0:
            return split
    return "train"


# --- Films that a corpus is made of ----------------------------------------------------------------------------------

_TABLE = "videos.csv"


def find_films(root: Path) -> list[Path]:
    """Return the films in a folder and in the folders in it, by their names.

    Raises
    ------
    UsageError
        If there is no such folder, or no film in it.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; give the folder of the films")
    films = sorted(
        path
        for pattern in ("*", "*/*")
        for path in root.glob(pattern)
        if path.suffix.lower() in FILMS and not path.name.startswith(".")
    )
    if not films:
        raise UsageError(f"{root}: no films in it, nor in the folders in it; they may be {' '.join(FILMS)}")
    return films


def read_video_table(table: Path | None, root: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table of films (.csv) by their column video; that of the split may be empty.

    Parameters
    ----------
    table : by default `videos.csv` in `root`, if it is there.

    Raises
    ------
    UsageError
        If it is malformed, or names a split that there is not.
    """
    if table is None:
        table = root / _TABLE
        if not table.is_file():
            return {}
    rows = read_table(table, "video", kind=UsageError)
    if wrong := next((row for row in rows if (row.get("split") or SPLITS[0]) not in SPLITS), None):
        raise UsageError(
            f"{table}: {short(wrong['video'])} is in split {quoted(wrong['split'])}; there are {', '.join(SPLITS)}"
        )
    return {row["video"]: row for row in rows}


# --- Reading ---------------------------------------------------------------------------------------------------------


def scan_split(
    root: str | os.PathLike[str],
    split: str,
    read: Callable[[Path], Found],
    holds: str,
    order: Callable[[Path], Any] | None = None,
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """Read what each folder of a split holds.

    Parameters
    ----------
    read : returns what a folder holds, or raises an IctusError whose line names what is wrong.
    holds : what a corpus has, for the message where there is no such split.
    order : by which the folders are sorted; by default their names.

    Returns
    -------
    What the usable folders hold, and a line for each of the others, for `list_unusable`.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    folder = Path(root) / split
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; a corpus has {holds}")
    found: list[Found] = []
    broken: list[str] = []
    for path in sorted((p for p in folder.iterdir() if p.is_dir()), key=order):
        try:
            found.append(read(path))
        except IctusError as error:
            broken.append(str(error))
    return tuple(found), tuple(broken)


def list_unusable(broken: Sequence[str]) -> str:
    """Return the end of a message that nothing was found: the first of the lines, and how many more there are."""
    return f"; unusable: {broken[0]} (and {len(broken) - 1} more)" if broken else ""


def open_array(file: Path) -> AnyArray:
    """Open the array of a file (.npy), (n, ...), memory-mapped.

    Raises
    ------
    IctusError
        If it is missing or damaged, or a single number; the message names the file.
    """
    if not file.exists():
        raise IctusError(f"{file}: missing")
    array = mapped(file)
    if not array.ndim:
        raise IctusError(f"{file}: a single number, expected an array")
    return array


# --- Writing ---------------------------------------------------------------------------------------------------------


def save_example(folder: Path, files: Mapping[str, Any], bits: int = 16) -> None:
    """Write the folder of an example, whole or not at all; one that is there is replaced.

    Parameters
    ----------
    folder : <root>/<split>/<name>; until it is whole, it lies in <root>/.unfinished.
    files : what it holds, by the names of the files: an array (.npy), a dictionary of arrays (.npz), sound (.flac),
        JSON types (.json), or a function that writes to the path that it is given.
    bits : of a sample of sound.

    Raises
    ------
    WritingError
        If the folder cannot be written.
    """
    unfinished = folder.parents[1] / ".unfinished" / f"{folder.parent.name}-{folder.name}"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            _write_file(unfinished / name, content, bits)
        folder.parent.mkdir(exist_ok=True)
        if folder.is_dir():  # damaged, or it lacks something which is there now
            shutil.rmtree(folder)
        unfinished.replace(folder)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise CorpusWriteError(f"{folder}: cannot be written ({reason or error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def remove_unfinished(out: Path) -> None:
    """Remove the place of unfinished folders."""
    with contextlib.suppress(OSError):  # not there, or another run is at work
        (out / ".unfinished").rmdir()


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write JSON types, whole or not at all; raises as `ictus.files.writing` does."""
    with writing(file) as temporary:
        temporary.write_text(_to_json(content), encoding="utf-8")


def _write_file(file: Path, content: Any, bits: int) -> None:
    if callable(content):
        content(file)
    elif file.suffix == ".flac":
        soundfile.write(file, content.samples.T, content.rate, subtype=f"PCM_{bits}")
    elif file.suffix == ".npz":
        np.savez(file, **content)
    elif file.suffix == ".json":
        file.write_text(_to_json(content), encoding="utf-8")
    else:
        np.save(file, content, allow_pickle=False)


def _to_json(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode()  # names of files may hold bytes that are no text


# --- What a corpus is made of ----------------------------------------------------------------------------------------


def check_signature(file: Path, content: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Write the signature of a corpus, what it is made of, or compare it with the one that is there.

    Returns
    -------
    What differs: by key, the value that is there and the one that is given.

    Raises
    ------
    UsageError
        If what is there cannot be read.
    """
    if not file.exists():
        write_json(file, content)
    there = _read_signature(file)  # that of another process, if it was quicker
    given = json.loads(_to_json(content))
    return {
        key: (there.get(key), given.get(key)) for key in sorted({*there, *given}) if there.get(key) != given.get(key)
    }


def begin_preparation(out: Path, about: Mapping[str, Any]) -> None:
    """Write the signature of a corpus into prepared.json; refuse to go on with another corpus.

    Raises
    ------
    UsageError
        If `out` holds a corpus that was made of something else, or otherwise.
    """
    file = out / "prepared.json"
    differs = check_signature(file, about)
    if other := [key for key in about if key in differs]:
        raise UsageError(f"{file}: another corpus is there ({shorten_list(other)}); choose another folder")


def finish_preparation(out: Path, counts: Mapping[str, Any]) -> None:
    """Write into prepared.json how much there is of each split, and clear up."""
    file = out / "prepared.json"
    write_json(file, {**(_read_signature(file) if file.exists() else {}), "splits": counts})
    remove_unfinished(out)


def _read_signature(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
        if not isinstance(content, dict):
            raise IctusError("no JSON object")
    except IctusError as error:
        reason = str(error).removeprefix(f"{file}: ")
        raise UsageError(f"{file}: cannot be read ({reason}); choose another folder") from error
    return content


# --- The work --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PreparationResult:
    """How many examples were made, and a line for each thing that failed."""

    made: int = 0
    failures: tuple[str, ...] = ()


def collect_results(
    results: Iterable[PreparationResult], jobs: int, progress: Progress | None = None, report: Report | None = None
) -> PreparationResult:
    """Add up the results of so many jobs.

    Parameters
    ----------
    progress : called with the fraction done.
    report : called with the line of each failure, once, as it comes.
    """
    made, lines = 0, dict[str, None]()
    for number, result in enumerate(results, 1):
        made += result.made
        for line in result.failures:
            if report and line not in lines:
                report(line)
            lines[line] = None
        if progress:
            progress(number / jobs)
    return PreparationResult(made, tuple(lines))


def run_jobs(
    work: Callable[[Job], PreparationResult],
    jobs: Sequence[Job],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    report: Report | None = None,
) -> PreparationResult:
    """Do all jobs; each failure is reported in a line as it comes, and the others go on.

    Parameters
    ----------
    work : a function of a module, because other processes call it.
    workers : processes.
    progress, report : as of `collect_results`.
    """
    return collect_results(run_in_processes(work, jobs, workers), len(jobs), progress, report)


def shorten_list(names: Sequence[str]) -> str:
    """Return names for a line of text: all if they are few, or three and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 4 else ""
    return ", ".join(names[:3] if more else names) + more
