"""Many files at once: which are meant, where their results go, and how one bad file leaves the others alone."""

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ictus.cli.console import complain, part, progress_bar, reason, say, say_json
from ictus.errors import IctusError, UsageError
from ictus.files import FILMS, SOUNDS

if TYPE_CHECKING:
    from ictus.types import Progress

Plan = tuple[Path, list[Path]]  # what is given, and what shall be made of it

SCORES = (".mxl", ".musicxml", ".mid", ".midi", ".xml", ".json")
_SHOWN = {*SOUNDS, *FILMS, ".mxl", ".musicxml"}  # of a folder, in which others may lie that this package has made
MUSIC = {*_SHOWN, *SCORES}
_KINDS = (  # what people have, and what takes it
    (SOUNDS, "music", "`ictus conduct`, `ictus dance` and `ictus beats` take it"),
    (FILMS, "a film", "`ictus conduct`, `ictus dance` and `ictus beats` take its sound, `ictus sound` what is seen"),
    ((".bvh", ".glb", ".gltf", ".npz", ".npy", ".pkl"), "a motion", "`ictus convert` takes it"),
    (SCORES[:4], "a score", "`ictus conduct`, `ictus dance` and `ictus beats` take it"),
    ((".yaml", ".yml"), "a recipe", "`ictus train` takes it"),
    ((".safetensors", ".pt", ".pth"), "a model's weights", "--model takes their folder; `ictus convert` makes one"),
)


def plan_music(paths: Sequence[Path], outs: Sequence[str], suffixes: Sequence[str], default: str) -> list[Plan]:
    """Return what shall be made of each file given, and of all music that lies directly in each folder given.

    Parameters
    ----------
    outs, suffixes, default : as of `plan_files`.

    Raises
    ------
    UsageError
        If nothing is given, or a folder holds no music; and as `plan_files`.
    """
    if not paths:
        raise UsageError("no music given; name a sound file, a film, a score or a folder of them")
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        shown = (p for p in path.iterdir() if p.suffix.lower() in _SHOWN and not p.name.startswith("."))
        inside = sorted(p for p in shown if p.is_file())
        if not inside:
            raise UsageError(f"{path}: no music in this folder; it may hold {' '.join(sorted(_SHOWN))}")
        files += inside
    return plan_files(files, outs, suffixes, default)


def plan_files(
    given: Sequence[Path], outs: Sequence[str], suffixes: Sequence[str], default: str, takes: Collection[str] = MUSIC
) -> list[Plan]:
    """Return, for each input file, the files to make.

    An OUT that is a folder (or ends with a slash) takes each file's name with the default suffix; an OUT whose name is
    only a suffix (`films/.bvh`, `.npz`) takes each file's name with that suffix; any other is one file's name. Where
    `song.mp3` and `song.flac` would become the same, they become `song-mp3` and `song-flac`. A file that the command
    does not take, by its suffix, becomes nothing.

    Parameters
    ----------
    takes : suffixes of what the command takes.

    Raises
    ------
    UsageError
        If a suffix is unknown, or several results would have the same name.
    """
    files = list(dict.fromkeys(given))

    def results(file: Path, name: str) -> list[Path]:
        return [] if other_kind(file, takes) else [_result(file, name, out, default) for out in outs or [default]]

    plans = [(file, results(file, file.stem)) for file in files]
    times = Counter(path for _, paths in plans for path in paths)
    for number, (file, paths) in enumerate(plans):
        if file.suffix and any(times[path] > 1 for path in paths):
            plans[number] = file, results(file, f"{file.stem}-{file.suffix[1:]}")
    sources = {os.path.realpath(file) for file in files}
    there = set[Path]()
    for path in (path for _, paths in plans for path in paths):
        if path.suffix.lower() not in suffixes:
            suffix = repr(path.suffix) if path.suffix else "no suffix"
            raise UsageError(f"{path}: cannot make a file with {suffix}; choose one of {' '.join(suffixes)}")
        if os.path.realpath(path) in sources:
            raise UsageError(f"{path}: would overwrite what was given; name another file with -o")
        if path in there:
            raise UsageError(f"{path}: more than one result would get this name; give a folder to -o")
        there.add(path)
    return plans


def _result(file: Path, name: str, out: str, default: str) -> Path:
    path = Path(out)
    if path.is_dir() or out.endswith(("/", "\\")):
        return path / (name + default)
    if path.name.startswith(".") and path.suffix == "":
        beside = path.parent if path.parent != Path() else file.parent
        return beside / (name + path.name)
    return path


def other_kind(file: Path, takes: Collection[str]) -> str | None:
    """Return what a file is, and which command takes it, if it is known by its suffix, which is none of `takes`."""
    suffix = file.suffix.lower()
    known = suffix not in takes and file.is_file()
    return next((f"this is {what}: {who}" for suffixes, what, who in _KINDS if known and suffix in suffixes), None)


def check_kind(file: Path, takes: Collection[str]) -> None:
    """Raise IctusError if a file is, by its suffix, something that other commands take."""
    if other := other_kind(file, takes):
        raise IctusError(f"{file}: {other}")


def run_batch(
    plans: Sequence[Plan],
    work: "Callable[[Path, Sequence[Path], Progress], dict[str, Any]]",
    describe: Callable[[dict[str, Any]], str],
    json: bool,
    given: str = "music",
    takes: Collection[str] = MUSIC,
) -> int:
    """Do the work for each file; report each result, and each failure in a line; return the exit code.

    Parameters
    ----------
    work : a function of a file, what shall be made of it, and a progress callback; returns what there is to report.
    describe : turns a report into a line.
    json : write all reports as one JSON list instead.
    given : what the files are; the name of theirs in a report.
    takes : the suffixes that they may have.
    """
    reports: list[dict[str, Any]] = []
    for file, outs in plans:
        try:
            check_kind(file, takes)
            with progress_bar(file.name) as progress:
                report = {given: str(file), **work(file, outs, progress)}
        except UsageError:
            raise
        except Exception as error:
            message = reason(error)
            report = {given: str(file), "error": message}
            complain(message if message.startswith(str(file)) else f"{file}: {message}")
        else:
            if not json:
                say(describe(report))
        reports.append(report)
    if json:
        say_json(reports)
    return int(any("error" in report for report in reports))


def beats_found(count: int, more: str = "") -> str:
    """Say how many beats were found; music without any is rare enough to be said in words."""
    return f"{count} beats{more}" if count else "no beats found: nothing in it pulses"


def named_meters(beats: Mapping[str, Any]) -> str:
    """Return the metres of what a motion carries of its beats, in words: "3", or "3, 5 and 4" where they change."""
    *firsts, last = dict.fromkeys(beats.get("meters") or [beats["meter"]])
    return f"{', '.join(map(str, firsts))} and {last}" if firsts else str(last)


def picture_size(text: str) -> tuple[int, int]:
    """Read "1280x720". Raises UsageError if it is no such thing."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text.lower())
    if found is None:
        raise UsageError(f"--size {text}: give width and height in pixels, for example 1280x720")
    return int(found[1]), int(found[2])


def shares(progress: "Progress", start: float, count: int) -> "list[Progress]":
    """Give the progress of each of several results, which share what is left from `start` on."""
    bounds = [start + (1 - start) * k / count for k in range(count + 1)]
    return [part(progress, low, high) for low, high in itertools.pairwise(bounds)]
