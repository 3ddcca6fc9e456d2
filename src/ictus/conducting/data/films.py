"""Films of conductors -> a corpus in the format of ConductorMotion100 (`ictus.conducting.data.conductor_motion`).

    <out>/{train,val,test}/<number>/mel.npy      (seconds * 90, 128) float32, mel128 of the part's own sound
                                   /motion.npy   (seconds * 30, 13, 2) float32, in ConductorMotion100's normalisation
                                   /about.json   film, start in it, share of the frames in which somebody is seen
         /films.json     {film: {"split", "first", "most", "parts", "left_out": [[second, why] ...]}}
         /prepared.json  what it was made of, and how much there is

A film is cut into parts of equal length, from whole seconds on, end to end within a scene: where it was cut, another
camera shows another place, and no motion leads there. Parts in which the conductor or the hands are not seen for long
are left out, and listed. All parts of a film are in one split. Numbers are given to a film once, as many as it can have
parts, so that a film more moves none.

Source: Liu et al., Self-Supervised Music-Motion Synchronization Learning (JCST 2022), whose corpus was made of films.
"""

import itertools
import math
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ictus import corpora, video_io
from ictus.audio import Audio
from ictus.conducting.data.conductor_motion import MOTION_RATE, SPLITS, inspect_split
from ictus.corpora import PreparationResult, Report, begin_preparation, finish_preparation, hashed_split, save_example
from ictus.documents import read_json
from ictus.errors import IctusError, UsageError
from ictus.features import mel128
from ictus.pose import Track, motion_of
from ictus.pose.gaps import FILLED
from ictus.pose.watch import Watch, part
from ictus.processes import run_in_processes
from ictus.types import Float32Array, Progress
from ictus.video_io import Film

_BODY = "conductor-13"
_INDEX = "films.json"
_SEEN = 0.8  # share of a part in which a conductor with shoulders and a hand must be seen; the rest is filled in
_LACK = 0.1  # seconds that a film's last part may lack: sound and pictures seldom end together


@dataclass(frozen=True)
class FilmJob:
    """A film, and which numbers its parts may have.

    Attributes
    ----------
    name : of the film within its folder.
    first, most : the first number, and how many there are at most.
    seconds : of a part.
    watch : finds the conductor.
    """

    film: Path
    name: str
    split: str
    first: int
    most: int
    out: Path
    seconds: int
    watch: Watch

    def folder(self, number: int) -> Path:
        """Return where a part belongs."""
        return self.out / self.split / str(self.first + number)


@dataclass(frozen=True)
class FilmResult:
    """What became of a film: how many parts it has, None if it failed; what was left out, and why; errors."""

    name: str
    parts: int | None = None
    made: int = 0
    left_out: tuple[tuple[float, str], ...] = ()
    failures: tuple[str, ...] = ()


def plan_films(
    root: Path, out: Path, watch: Watch, *, seconds: int = 60, table: Path | None = None, seed: int = 0
) -> tuple[list[FilmJob], list[str]]:
    """Sign the corpus, give each film its split and numbers, and return the films that are not done.

    Parameters
    ----------
    root : folder of films.
    watch : finds the conductor in a film.
    table : .csv with columns video and split; by default videos.csv in `root`, if it is there. Films that it does not
        name are split by their names and the seed.

    Returns
    -------
    The films to do; and a line for each that cannot be used, and for a split that stays empty.

    Raises
    ------
    UsageError
        If there are no films, the table is malformed, or `out` holds another corpus.
    """
    films, rows = corpora.find_films(root), corpora.read_video_table(table, root)
    begin_preparation(out, {"corpus": "conductor-motion", "seconds": seconds, "seed": seed})
    index = _read_index(out)
    next_number = {
        split: max((e["first"] + e["most"] for e in index.values() if e["split"] == split), default=0)
        for split in SPLITS
    }
    jobs: list[FilmJob] = []
    lines: list[str] = []
    for film in films:
        name, wanted = film.relative_to(root).as_posix(), rows.get(film.stem, {}).get("split")
        entry = index.get(name)
        if entry and wanted and wanted != entry["split"]:
            raise UsageError(f"{out}: has {name} in {entry['split']}, and now it is in {wanted}; choose another folder")
        if entry is None:
            try:
                most = _most_parts(video_io.probe(film), seconds)
            except IctusError as error:
                lines.append(str(error))
                continue
            split = wanted or hashed_split(film.stem, seed)
            index[name] = entry = {"split": split, "first": next_number[split], "most": most}
            next_number[split] += most
        job = FilmJob(film, name, entry["split"], entry["first"], entry["most"], out, seconds, watch)
        if "parts" not in entry or not all(job.folder(number).is_dir() for number in range(entry["parts"])):
            jobs.append(job)
    corpora.write_json(out / _INDEX, index)
    empty = [split for split in ("train", "val") if all(entry["split"] != split for entry in index.values())]
    if empty and index:
        lines.append(f"{root}: no film is in {' and '.join(empty)}; a videos.csv (video, split) beside them decides")
    return jobs, lines


def prepare_films(
    jobs: Sequence[FilmJob], out: Path, workers: int = 1, progress: Progress | None = None, report: Report | None = None
) -> PreparationResult:
    """Do all films, and note each in films.json when it is done; failures are reported, and the others go on."""
    index = _read_index(out)

    def noted(results: Iterable[FilmResult]) -> Iterator[PreparationResult]:
        for one in results:
            if one.parts is not None:
                index[one.name] |= {"parts": one.parts, "left_out": [list(gap) for gap in one.left_out]}
                corpora.write_json(out / _INDEX, index)
            yield PreparationResult(one.made, one.failures)

    return corpora.collect_results(noted(run_in_processes(prepare_film, jobs, workers)), len(jobs), progress, report)


def prepare_film(job: FilmJob) -> FilmResult:
    """Make the parts of a film that are not there; what fails, and what is left out, is said in a line each."""
    left_out: list[tuple[float, str]] = []
    made = number = 0
    try:
        film = video_io.probe(job.film)
        found = job.watch(job.film, MOTION_RATE)
        for start, files, why in cut_parts(film, found, job.seconds):
            if why:
                left_out.append((start, why))
                continue
            if not job.folder(number).is_dir():
                save_example(job.folder(number), {**files, "about.json": {"film": job.name, **files["about.json"]}})
                made += 1
            number += 1
    except IctusError as error:
        return FilmResult(job.name, None, made, (), (str(error),))
    return FilmResult(job.name, number, made, tuple(left_out))


def list_left_out(root: Path, out: Path, names: Collection[str]) -> list[str]:
    """Return a line for each part of these films that was left out, and for each film of which nothing is there."""
    lines = []
    for name, entry in _read_index(out).items():
        if name in names and "parts" in entry:
            lines += [f"{root / name}: from {start:g} s on, {why}; left out" for start, why in entry["left_out"]]
            if not entry["parts"] and not entry["left_out"]:
                lines.append(f"{root / name}: is cut into scenes shorter than a part; choose shorter parts")
    return lines


def finish_corpus(out: Path) -> dict[str, Any]:
    """Count what is there and write it into prepared.json; return {split: {"takes", "hours"}}."""
    counts: dict[str, Any] = {}
    for split in (name for name in SPLITS if (out / name).is_dir()):
        found = inspect_split(out, split)
        counts[split] = {"takes": len(found.recordings), "hours": round(found.hours, 4)}
    finish_preparation(out, counts)
    return counts


def cut_parts(film: Film, found: Track, seconds: int) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield the second at which each part begins, the files of its folder, and why it is to be left out, or "".

    Raises
    ------
    IctusError
        If the sound is damaged, or is shorter than its headers say.
    """
    track = found.resampled(MOTION_RATE)
    starts = list(part_starts(found, seconds, min(film.seconds, film.sound_seconds)))
    for start, audio in zip(starts, sound_parts(film, starts, seconds), strict=True):
        shown = part(track, start * MOTION_RATE, (start + seconds) * MOTION_RATE)
        why = reason_to_leave_out(shown) or ("" if audio.samples.any() else "there is no sound")
        if why:
            yield start, {}, why
            continue
        about = {"start": start, "seconds": seconds, "seen": round(float(shown.seen.mean()), 3)}
        motion = _lasting(motion_of(shown, _BODY).positions, seconds * MOTION_RATE)
        yield start, {"mel.npy": mel128(audio).astype(np.float32), "motion.npy": motion, "about.json": about}, ""


def part_starts(found: Track, seconds: int, lasts: float) -> Iterator[int]:
    """Yield the whole seconds at which parts begin, within the scenes of a film that lasts so many seconds."""
    for begin, end in itertools.pairwise((0.0, *found.cuts, math.inf)):
        # Between the last picture of a scene and the first of the next there is nothing to be interpolated.
        limit = min(end - 1 / found.fps, lasts + _LACK, found.duration + _LACK)
        first = math.ceil(begin - 1e-6)
        yield from range(first, math.floor(limit - seconds + 1e-6) + 1, seconds)


def sound_parts(film: Film, starts: Sequence[int], seconds: int) -> Iterator[Audio]:
    """Yield the sound of each part, one after another; a part's worth of it is in memory."""
    wanted = iter(starts)
    start = next(wanted, None)
    held: deque[Float32Array] = deque(maxlen=seconds)
    for number, block in enumerate(video_io.fixed_blocks(video_io.sound_blocks(film, mel128.rate), mel128.rate), 1):
        if start is None:
            return
        held.append(np.pad(block, (0, mel128.rate - len(block))))  # the last may be shorter
        if number == start + seconds:
            yield Audio(np.concatenate(held), mel128.rate)
            start = next(wanted, None)
    if start is not None:
        raise IctusError(f"{film.file}: its sound breaks off before {start + seconds} s; fetch it again")


def reason_to_leave_out(shown: Track) -> str:
    """Return why a part shows too little of a conductor; "" if it shows enough."""
    at = shown.skeleton.index
    sure = shown.confidence > FILLED + 1e-3
    whole = shown.confidence[:, [at("left_shoulder"), at("right_shoulder")]].min(1) > 0
    for seen, what in (
        (shown.seen & whole, "nobody is seen"),
        (sure[:, [at("left_wrist"), at("right_wrist")]].any(1), "no hand is seen"),
    ):
        if seen.mean() < _SEEN:
            return f"{what} in {100 * (1 - seen.mean()):.0f} % of it"
    return ""


def _most_parts(film: Film, seconds: int) -> int:
    """Return how many parts there may be of a film."""
    lasts = min(film.seconds, film.sound_seconds)
    most = int((lasts + _LACK) / seconds)
    if not most:
        raise IctusError(f"{film.file}: lasts {lasts:.1f} s, less than one part of {seconds} s; choose shorter parts")
    return most


def _lasting(motion: Float32Array, frames: int) -> Float32Array:
    return np.concatenate([motion, np.repeat(motion[-1:], frames - len(motion), 0)]).astype(np.float32)


def _read_index(out: Path) -> dict[str, Any]:
    """Return films.json: what is known of each film; empty if there is none."""
    file = out / _INDEX
    if not file.exists():
        return {}
    index = read_json(file, UsageError)
    kinds = {"split": str, "first": int, "most": int}
    entries = index.values() if isinstance(index, dict) else [None]
    if not all(isinstance(e, dict) and all(isinstance(e.get(k), kind) for k, kind in kinds.items()) for e in entries):
        raise UsageError(f"{file}: is no list of films; choose another folder")
    return dict(index)
