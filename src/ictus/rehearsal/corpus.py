"""Corpus: any number of minutes of music whose truth is known, from a folder of scores.

The n-th minute of a split depends on the scores, the seed and n alone: a corpus can be stopped, resumed, made longer
and made in parallel, and stays the same.
"""

import contextlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.audio import Audio
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.rehearsal import tempo
from ictus.rehearsal.library import SHARES, Piece, survey
from ictus.rehearsal.reader import read
from ictus.rehearsal.score import Score
from ictus.rehearsal.session import Session
from ictus.rehearsal.synthesizer import play
from ictus.rehearsal.truth import Truth, beats_in, truth_of

SECONDS = 60.0  # of an excerpt
RATE = 22050
SPLITS = tuple(SHARES)
_TOGETHER = 2  # excerpts of one piece that are made after each other, so that it is read once
_LEAD = 1.5  # seconds of silence there may be before a piece
_MOST_HOURS = 10_000
_FEWEST = 12  # beats in an excerpt
_REAL = 0.75  # how often a real performance's tempo is taken where there is one

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Excerpt:
    """A minute of music, its truth, and how it came about (JSON types)."""

    audio: Audio
    truth: Truth
    about: dict[str, Any]

    def archive(self) -> dict[str, NDArray[Any]]:
        """Return the truth's arrays, and in `about` the rest as a JSON text, for `numpy.savez`."""
        return {**self.truth.arrays(), "about": np.array(json.dumps(self.about, ensure_ascii=False))}


class WritingError(IctusError):
    """The corpus cannot be written: no other score would help."""


Finish = Callable[[Excerpt], Mapping[str, Any]]
Report = Callable[[str], None]


# --- One excerpt -----------------------------------------------------------------------------------------------------


def excerpt(piece: Piece, score: Score, part: tuple[float, float], rng: np.random.Generator) -> Excerpt:
    """Make one excerpt.

    Parameters
    ----------
    part : where in the piece it may begin, as fractions of what there is (0 to 1).

    Raises
    ------
    IctusError
        If the piece is shorter than an excerpt, or nowhere keeps one metre for as long.
    """
    timing = _timing(piece, score, rng)
    start = _beginning(piece, score, timing, part, rng)
    session, seed = Session.drawn(rng), int(rng.integers(2**31))
    span = (start, start + SECONDS)
    audio = play(score, rate=RATE, seed=seed, timing=timing, span=span, session=session)
    first, last = timing.where(np.array(span))
    about = {
        "piece": piece.name,
        "title": score.title,
        "score": piece.file.name,
        "tempo": timing.source,
        "seconds": [round(start, 3), round(start + SECONDS, 3)],
        "quarters": [round(float(first), 3), round(float(last), 3)],
        "parts": len(score.parts),
        "renderer": "ictus.rehearsal.synthesizer",
    }
    return Excerpt(audio, truth_of(score, timing, span, audio), about)


def _timing(piece: Piece, score: Score, rng: np.random.Generator) -> tempo.Timing:
    if piece.alignment and rng.uniform() < _REAL:
        timing = tempo.recorded(score, piece.alignment, int(rng.choice(piece.recordings)))
    else:
        timing = tempo.imagined(score, rng)
    return tempo.humanised(timing, score, rng, scale=float(np.exp(rng.normal(0, 0.04))))


def _beginning(
    piece: Piece, score: Score, timing: tempo.Timing, part: tuple[float, float], rng: np.random.Generator
) -> float:
    """Choose the second at which an excerpt of one metre begins."""
    room = float(timing.at(np.array([score.length]))[0]) + 1.0 - SECONDS + _LEAD
    if room < 0:
        raise IctusError(f"{piece.file}: is shorter than a minute")
    for attempt in range(40):
        low, high = part if attempt < 10 else (0.0, 1.0)
        start = float(rng.uniform(low, high)) * room - _LEAD
        rows = beats_in(score, timing, (start, start + SECONDS))
        if len(rows) >= _FEWEST and len(np.unique(rows[:, 2:], axis=0)) == 1:
            return start
    raise IctusError(f"{piece.file}: no minute of it keeps one metre")


# --- All of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """What is to be made: `count` excerpts of one split, into `out/split/0`, `1`, ..."""

    pieces: tuple[Piece, ...]
    split: str
    count: int
    seed: int
    out: Path

    def folder(self, number: int) -> Path:
        """Return where an excerpt belongs."""
        return self.out / self.split / str(number)


def orders(folder: Path, out: Path, *, hours: float, split: str = "all", seed: int = 0) -> list[Order]:
    """Plan a corpus.

    Parameters
    ----------
    folder : of scores; see `survey`.
    hours : of music: in one split, or shared out 8 : 1 : 1 between those that there are.
    split : "train", "val", "test" or "all".

    Raises
    ------
    UsageError
        If there are no such scores, or `out` holds a corpus of other scores or of another seed.
    """
    if not 0 < hours <= _MOST_HOURS:
        raise UsageError(f"{hours:g} hours: choose more than 0 and at most {_MOST_HOURS}")
    pieces = survey(folder, seed)
    by_split = {name: tuple(piece for piece in pieces if piece.split == name) for name in SPLITS}
    wanted = [name for name in SPLITS if by_split[name]] if split == "all" else [split]
    if not by_split[wanted[0]]:
        raise UsageError(f"{folder}: none of its {len(pieces)} scores belongs to {split}; add a splits.csv or scores")
    _sign(out, {"seed": seed, "scores": {piece.name: piece.split for piece in pieces}})
    whole = sum(SHARES[name] for name in wanted)
    return [
        Order(by_split[name], name, max(1, round(hours * 3600 / SECONDS * SHARES[name] / whole)), seed, out)
        for name in wanted
    ]


def _sign(out: Path, content: dict[str, Any]) -> None:
    """Write down what a corpus is made of; refuse to go on with another."""
    file = out / "rehearsal.json"
    if not file.exists():
        with writing(file) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
        return
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read; choose another --out ({error})") from error
    if known != content:
        other = "another seed" if known.get("scores") == content["scores"] else "other scores"
        raise UsageError(f"{out}: holds a corpus of {other}; choose another --out, or ask for the same")


def prepare(wanted: Sequence[Order], finish: Finish, *, workers: int, progress: Progress, report: Report) -> int:
    """Make excerpts, those that are not there yet; return how many were made.

    Parameters
    ----------
    finish : turns an excerpt into what its folder holds: arrays by name (.npy), or dictionaries of them (.npz). It must
        be a function of a module, because other processes call it.
    workers : processes.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.
    """
    blocks = [(order, block) for order in wanted for block in range(-(-order.count // _TOGETHER))]
    jobs = [(order, block) for order, block in blocks if _missing(order, block)]
    made, said = 0, set[str]()
    for number, (count, complaints) in enumerate(_done(partial(_block, finish), jobs, workers), 1):
        made += count
        for complaint in complaints:
            if complaint not in said:
                said.add(complaint)
                report(complaint)
        progress(number / len(jobs))
    for order in wanted:
        with contextlib.suppress(OSError):  # not there, or another run is at work
            (order.out / ".unfinished").rmdir()
    return made


def _done(
    work: Callable[[tuple[Order, int]], tuple[int, list[str]]], jobs: Iterable[tuple[Order, int]], workers: int
) -> Iterator[tuple[int, list[str]]]:
    if workers <= 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_follow_parent) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in as_completed(waiting):
                yield job.result()
        except BrokenProcessPool as error:
            raise IctusError("a worker was killed, most likely for want of memory; try fewer --workers") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """Leave it to the parent process when to stop; end when it ends, however that comes about."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _missing(order: Order, block: int) -> list[int]:
    numbers = range(block * _TOGETHER, min((block + 1) * _TOGETHER, order.count))
    return [number for number in numbers if not order.folder(number).is_dir()]


def _block(finish: Finish, job: tuple[Order, int]) -> tuple[int, list[str]]:
    """Make the missing excerpts of a block, of the first piece from its turn on that can be used.

    Every piece has its turn in a round, and every round its own order.
    """
    order, block = job
    complaints: list[str] = []
    split = SPLITS.index(order.split)
    turn, place = divmod(block, len(order.pieces))
    permutation = np.random.default_rng([order.seed, split, 0, turn]).permutation(len(order.pieces))
    for choice in np.roll(permutation, -place):
        piece, made = order.pieces[choice], 0
        try:
            score = read(piece.file)
            for number in _missing(order, block):
                rng = np.random.default_rng([order.seed, split, 1, number])
                part = (number % _TOGETHER / _TOGETHER, (number % _TOGETHER + 1) / _TOGETHER)
                _save(order.folder(number), finish(excerpt(piece, score, part, rng)))
                made += 1
            return made, complaints
        except WritingError:
            raise
        except (IctusError, MemoryError) as error:
            complaints.append(str(error) or f"{piece.file}: too large for the memory")
    complaints.append(f"{order.split}: none of the {len(order.pieces)} scores can be used")
    return 0, complaints


def _save(folder: Path, files: Mapping[str, Any]) -> None:
    """Write a folder of .npy files (and .npz, of a dictionary), whole or not at all."""
    unfinished = folder.parents[1] / ".unfinished" / f"{folder.parent.name}-{folder.name}"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a run that was killed
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            if isinstance(content, dict):
                np.savez(unfinished / f"{name}.npz", **content)
            else:
                np.save(unfinished / f"{name}.npy", content, allow_pickle=False)
        folder.parent.mkdir(exist_ok=True)
        unfinished.replace(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise WritingError(f"{folder}: cannot be written ({error.strerror or error})") from error
