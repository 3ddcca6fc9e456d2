"""Many files at once: which are meant, where their results go, and how one bad file leaves the others alone."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ictus.cli.console import Progress, complain, part, progress_bar, say, say_json, with_flags
from ictus.errors import IctusError, UsageError

_SOUND = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".au", ".wma"}
_FILM = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"}
MUSIC_SUFFIXES = _SOUND | _FILM


def music_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are meant: each file given, and all music directly in each folder given.

    Raises
    ------
    UsageError
        If nothing is given, or a folder holds no music.
    """
    if not paths:
        raise UsageError("no music given; name a sound file, a film or a folder of them")
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in MUSIC_SUFFIXES and p.is_file())
        if not inside:
            raise UsageError(f"{path}: no music in this folder; it may hold {' '.join(sorted(MUSIC_SUFFIXES))}")
        files += inside
    return files


def destinations(outs: Sequence[str], files: Sequence[Path], suffixes: Sequence[str], default: str) -> list[list[Path]]:
    """Return, for each input file, the files to make.

    An OUT that is a folder (or ends with a slash) takes each file's name with the default suffix; an OUT whose name is
    only a suffix (`films/.bvh`, `.npz`) takes each file's name with that suffix; any other is one file's name.

    Raises
    ------
    UsageError
        If a suffix is unknown, or several results would have the same name.
    """
    plans = [[_destination(out, file, default) for out in outs] or [file.with_suffix(default)] for file in files]
    wanted = [path for plan in plans for path in plan]
    for path in wanted:
        if path.suffix.lower() not in suffixes:
            given = repr(path.suffix) if path.suffix else "no suffix"
            raise UsageError(f"{path}: cannot make a file with {given}; choose one of {' '.join(suffixes)}")
        if path.resolve() in {file.resolve() for file in files}:
            raise UsageError(f"{path}: would overwrite what was given; name another file with -o")
    if len(set(wanted)) < len(wanted):
        twice = next(path for k, path in enumerate(wanted) if path in wanted[:k])
        raise UsageError(f"{twice}: more than one result would get this name; give a folder to -o")
    return plans


def _destination(out: str, file: Path, default: str) -> Path:
    path = Path(out)
    if path.is_dir() or out.endswith(("/", "\\")):
        return path / (file.stem + default)
    if path.name.startswith(".") and path.suffix == "":
        beside = path.parent if path.parent != Path() else file.parent
        return beside / (file.stem + path.name)
    return path


def run_batch(
    jobs: Iterable[tuple[Path, Callable[[Progress], dict[str, Any]]]],
    describe: Callable[[dict[str, Any]], str],
    json: bool,
    given: str = "music",
) -> int:
    """Do each job; report each result, and each failure in a line; return the exit code.

    Parameters
    ----------
    jobs : file and function of a progress callback; the function returns what there is to report.
    describe : turns a report into a line.
    json : write all reports as one JSON list instead.
    given : what the files are; the name of theirs in a report.
    """
    reports: list[dict[str, Any]] = []
    for file, work in jobs:
        try:
            with progress_bar(file.name) as progress:
                report = {given: str(file), **work(progress)}
            if not json:
                say(describe(report))
        except UsageError:
            raise
        except (IctusError, OSError, MemoryError) as error:
            message = with_flags(error) or type(error).__name__
            report = {given: str(file), "error": message}
            complain(message if message.startswith(str(file)) else f"{file}: {message}")
        reports.append(report)
    if json:
        say_json(reports)
    return int(any("error" in report for report in reports))


def beats_found(count: int, more: str = "") -> str:
    """Say how many beats were found; music without any is rare enough to be said in words."""
    return f"{count} beats{more}" if count else "no beats found: nothing in it pulses"


def picture_size(text: str) -> tuple[int, int]:
    """Read "1280x720". Raises UsageError if it is no such thing."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size {text}: give width and height in pixels, for example 1280x720")
    return int(width), int(height)


def shares(progress: Progress, start: float, count: int) -> list[Progress]:
    """Give the progress of each of several results, which share what is left from `start` on."""
    bounds = [start + (1 - start) * k / count for k in range(count + 1)]
    return [part(progress, low, high) for low, high in itertools.pairwise(bounds)]
