"""Make a prepared corpus (`ictus.dance.dataset`) of one that was fetched: what all corpora of dance share.

A folder of a dance is there whole or not at all, and what is there is kept: the same command resumes. `prepared.json`
beside the splits says what they were made of.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ictus import processes
from ictus.audio import Audio
from ictus.dance.dataset import Layout, survey
from ictus.errors import IctusError, UsageError
from ictus.files import writing

SPLITS = ("train", "val", "test")

Job = TypeVar("Job")


@dataclass(frozen=True)
class Done:
    """What came of a job: how many dances were made, and a line for each that could not be."""

    made: int = 0
    failures: tuple[str, ...] = ()


def carry_out(
    work: Callable[[Job], Done],
    jobs: Sequence[Job],
    *,
    workers: int = 1,
    progress: Callable[[float], None],
    report: Callable[[str], None],
) -> Done:
    """Do all jobs; each failure is reported in a line as it comes, and the others go on.

    Parameters
    ----------
    work : a function of a module, because other processes call it.
    workers : processes.
    progress : called with the fraction done.
    """
    made = 0
    failures: list[str] = []
    for number, done in enumerate(processes.results(work, jobs, workers), 1):
        for line in done.failures:
            report(line)
        made += done.made
        failures += done.failures
        progress(number / len(jobs))
    return Done(made, tuple(failures))


def save(folder: Path, files: Mapping[str, NDArray[Any] | Audio]) -> None:
    """Write a dance's arrays (NAME.npy) and sounds (NAME.flac), all or nothing.

    Raises
    ------
    IctusError
        If the folder cannot be written.
    """
    root = folder.parents[1]
    unfinished = root / ".unfinished" / f"{folder.parent.name}-{folder.name}"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            if isinstance(content, Audio):
                content.save(unfinished / f"{name}.flac")
            else:
                np.save(unfinished / f"{name}.npy", content, allow_pickle=False)
        folder.parent.mkdir(exist_ok=True)
        unfinished.replace(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise IctusError(f"{folder}: cannot be written ({error.strerror or error})") from error


def sign(out: Path, about: Mapping[str, Any]) -> None:
    """Write down what a corpus is made of, as JSON types; refuse to go on with another.

    Raises
    ------
    UsageError
        If `out` holds a corpus that was made of something else, or otherwise.
    """
    file = out / "prepared.json"
    known = _signature(file)
    if known is None:
        _write(file, about)
        return
    other = [key for key, value in about.items() if known.get(key) != value]
    if other:
        raise UsageError(f"{file}: says that another corpus is there ({', '.join(other)}); choose another --out")


def close(out: Path, layout: Layout) -> dict[str, Any]:
    """Count what is there, write it into prepared.json, and return it: {split: {"dances": n, "hours": h}}."""
    counts: dict[str, Any] = {}
    for split in (name for name in SPLITS if (out / name).is_dir()):
        dances = survey(out, split, layout).dances
        hours = sum(dance.frames for dance in dances) / layout.rate / 3600
        counts[split] = {"dances": len(dances), "hours": round(hours, 4)}
    file = out / "prepared.json"
    _write(file, {**(_signature(file) or {}), "splits": counts})
    with contextlib.suppress(OSError):  # not there, or another run is at work
        (out / ".unfinished").rmdir()
    return counts


def beat_times(rhythm: NDArray[np.float32], frame_rate: float, seconds: float) -> NDArray[np.float64]:
    """Return the times (K,), in seconds, of the frames that rhythm35 (T, 35) marks as beats, before `seconds`."""
    times = np.flatnonzero(rhythm[:, -1]) / frame_rate
    return np.asarray(times[times < seconds], np.float64)


def listed(names: Iterable[str]) -> str:
    """Return names for a line of text: all if they are few, or three and how many more."""
    names = list(names)
    more = f" and {len(names) - 3} more" if len(names) > 4 else ""
    return ", ".join(names[:3] if more else names) + more


def _signature(file: Path) -> dict[str, Any] | None:
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read ({error}); choose another --out") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file}: is no description of a corpus; choose another --out")
    return content


def _write(file: Path, content: Mapping[str, Any]) -> None:
    with writing(file) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + os.linesep, encoding="utf-8")
