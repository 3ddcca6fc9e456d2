"""Corpus: any number of minutes of music whose truth is known, from a folder of scores.

The n-th minute of a split depends on the scores, the seed and n alone: a corpus can be stopped, resumed, made longer
and made in parallel, and stays the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus import corpora, processes
from ictus.audio import Audio
from ictus.beats.annotation import BeatAnnotation
from ictus.corpora import Done, Progress, Report, WritingError, clear_up, gather
from ictus.errors import IctusError
from ictus.scores.reader import read
from ictus.scores.score import Score
from ictus.synthesis import band, tempo
from ictus.synthesis.chart import chart
from ictus.synthesis.cluster import spread
from ictus.synthesis.ground_truth import annotate, beats_in
from ictus.synthesis.library import SHARES, Piece, plan_splits
from ictus.synthesis.pianist import at_the_piano, freer
from ictus.synthesis.rendering import Production, Studio, transposed
from ictus.synthesis.session import Session

SECONDS = 60.0  # of an excerpt
RATE = 22050
SPLITS = tuple(SHARES)
_TOGETHER = 2  # excerpts of one piece that are made after each other, so that it is read once
_LEAD = 1.5  # seconds of silence there may be before a piece
_FEWEST = 12  # beats in an excerpt
_REAL = 0.75  # how often a real performance's tempo is taken where there is one


@dataclass(frozen=True)
class Excerpt:
    """A minute of music, its truth, and how it came about (JSON types)."""

    audio: Audio
    truth: BeatAnnotation
    about: dict[str, Any]

    def archive(self) -> dict[str, NDArray[Any]]:
        """Return the truth's arrays, and in `about` the rest as a JSON text, for `numpy.savez`."""
        return {**self.truth.arrays(), "about": np.array(json.dumps(self.about, ensure_ascii=False))}


Finish = Callable[[Excerpt], Mapping[str, Any]]


# --- One excerpt -----------------------------------------------------------------------------------------------------


def excerpt(
    piece: Piece,
    score: Score,
    part: tuple[float, float],
    rng: np.random.Generator,
    studio: Studio | None = None,
) -> Excerpt:
    """Make one excerpt.

    Parameters
    ----------
    part : where in the piece it may begin, as fractions of what there is (0 to 1).
    studio : who else may play it; None leaves it to the orchestra of `ictus.synthesis.synthesizer`.

    Raises
    ------
    IctusError
        If the piece is shorter than an excerpt, or nowhere keeps one metre for as long.
    """
    production = (studio or Studio()).production(rng.spawn(1)[0])  # a stream of its own: rng's goes on as ever
    timing = _timing(piece, score, rng)
    if production.piano:
        score, timing = at_the_piano(score), freer(timing, score, production.freedom)
    score = transposed(score, production.semitones)
    start = _beginning(str(piece.file), score, timing, part, rng)
    about = {"piece": piece.name, "title": score.title, "score": piece.file.name, **production.about()}
    return _recorded(score, timing, start, production, rng, about)


def song_excerpt(part: tuple[float, float], rng: np.random.Generator, studio: Studio) -> Excerpt:
    """Let a band invent a song, and take a minute of it; parameters as of `excerpt`."""
    production = replace(studio.production(rng.spawn(1)[0]), piano=False, semitones=0)
    plan = chart(rng)
    score = band.arranged(plan, rng)
    timing = band.timing(score, rng)
    start = _beginning(plan.title, score, timing, part, rng)
    about = {"piece": plan.title, "title": plan.title, **plan.about(), **production.about(), "group": "pop"}
    return _recorded(score, timing, start, production, rng, about)


def _recorded(
    score: Score,
    timing: tempo.Timing,
    start: float,
    production: Production,
    rng: np.random.Generator,
    about: dict[str, Any],
) -> Excerpt:
    session, seed = Session.drawn(rng), int(rng.integers(2**31))
    span = (start, start + SECONDS)
    audio = production.play(score, rate=RATE, seed=seed, timing=timing, span=span, session=session)
    first, last = timing.where(np.array(span))
    where = {
        "tempo": timing.source,
        "seconds": [round(start, 3), round(start + SECONDS, 3)],
        "quarters": [round(float(first), 3), round(float(last), 3)],
        "parts": len(score.parts),
    }
    return Excerpt(audio, annotate(score, timing, span, audio), {**about, **where})


def _timing(piece: Piece, score: Score, rng: np.random.Generator) -> tempo.Timing:
    if piece.alignment and rng.uniform() < _REAL:
        timing = tempo.recorded(score, piece.alignment, int(rng.choice(piece.recordings)))
    else:
        timing = tempo.imagined(score, rng)
    return tempo.humanised(timing, score, rng, scale=float(np.exp(rng.normal(0, 0.04))))


def _beginning(
    name: str, score: Score, timing: tempo.Timing, part: tuple[float, float], rng: np.random.Generator
) -> float:
    """Choose the second at which an excerpt of one metre begins."""
    room = float(timing.at(np.array([score.length]))[0]) + 1.0 - SECONDS + _LEAD
    if room < 0:
        raise IctusError(f"{name}: is shorter than a minute")
    for attempt in range(40):
        low, high = part if attempt < 10 else (0.0, 1.0)
        start = float(rng.uniform(low, high)) * room - _LEAD
        rows = beats_in(score, timing, (start, start + SECONDS))
        if len(rows) >= _FEWEST and len(np.unique(rows[:, 2:], axis=0)) == 1:
            return start
    raise IctusError(f"{name}: no minute of it keeps one metre")


# --- All of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """What is to be made: `count` excerpts of one split, into `out/split/0`, `1`, ..."""

    pieces: tuple[Piece, ...]
    split: str
    count: int
    seed: int
    out: Path
    studio: Studio = field(default_factory=Studio)

    def folder(self, number: int) -> Path:
        """Return where an excerpt belongs."""
        return self.out / self.split / str(number)


def orders(
    folder: Path, out: Path, *, hours: float, split: str = "all", seed: int = 0, studio: Studio | None = None
) -> list[Order]:
    """Plan a corpus.

    Parameters
    ----------
    folder : of scores; see `survey`.
    hours : of music: in one split, or shared out 8 : 1 : 1 between those that there are.
    split : "train", "val", "test" or "all".
    studio : who plays beside the orchestra of `ictus.synthesis.synthesizer`.

    Raises
    ------
    UsageError
        If there are no such scores, or `out` holds a corpus of other scores, of another seed or of another studio.
    """
    studio = studio or Studio()
    made_of, names = studio.signature(), {"": "other sounds"}
    plans = plan_splits(
        folder, out / "rehearsal.json", made_of, names, hours=hours, seconds=SECONDS, split=split, seed=seed
    )
    return [Order(plan.pieces, plan.split, plan.count, seed, out, studio) for plan in plans]


def prepare(
    wanted: Sequence[Order],
    finish: Finish,
    *,
    workers: int,
    progress: Progress,
    report: Report,
    cluster: str | None = None,
) -> int:
    """Make excerpts, those that are not there yet; return how many were made.

    Parameters
    ----------
    finish : turns an excerpt into what its folder holds, by name: arrays (.npy), dictionaries of them (.npz), sound
        (.flac, 16 bit). It must be a function of a module, because other processes call it.
    workers : processes.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.
    cluster : address of a Ray cluster that works in the place of processes here (see `ictus.synthesis.cluster`).
    """
    blocks = [(order, block) for order in wanted for block in range(-(-order.count // _TOGETHER))]
    jobs = [(order, block) for order, block in blocks if _missing(order, block)]
    work = partial(_block, finish)
    outcomes = spread(work, jobs, cluster) if cluster and jobs else processes.results(work, jobs, workers)
    made = gather(outcomes, len(jobs), progress, report).made
    for order in wanted:
        clear_up(order.out)
    return made


def _missing(order: Order, block: int) -> list[int]:
    numbers = range(block * _TOGETHER, min((block + 1) * _TOGETHER, order.count))
    return [number for number in numbers if not order.folder(number).is_dir()]


def _block(finish: Finish, job: tuple[Order, int]) -> Done:
    """Make the missing excerpts of a block, of the first piece from its turn on that can be used.

    Every piece has its turn in a round, and every round its own order.
    """
    order, block = job
    complaints: list[str] = []
    split = SPLITS.index(order.split)
    if np.random.default_rng([order.seed, split, 2, block]).uniform() < order.studio.songs:
        return Done(_songs(finish, order, block))
    turn, place = divmod(block, len(order.pieces))
    permutation = np.random.default_rng([order.seed, split, 0, turn]).permutation(len(order.pieces))
    for choice in np.roll(permutation, -place):
        piece, made = order.pieces[choice], 0
        try:
            score = read(piece.file)
            for number in _missing(order, block):
                rng = np.random.default_rng([order.seed, split, 1, number])
                part = (number % _TOGETHER / _TOGETHER, (number % _TOGETHER + 1) / _TOGETHER)
                _save(order.folder(number), finish(excerpt(piece, score, part, rng, order.studio)))
                made += 1
            return Done(made, tuple(complaints))
        except WritingError:
            raise
        except (IctusError, MemoryError) as error:
            complaints.append(str(error) or f"{piece.file}: too large for the memory")
    complaints.append(f"{order.split}: none of the {len(order.pieces)} scores can be used")
    return Done(0, tuple(complaints))


def _songs(finish: Finish, order: Order, block: int) -> int:
    """Make the missing excerpts of a block of songs; return how many."""
    missing = _missing(order, block)
    for number in missing:
        rng = np.random.default_rng([order.seed, SPLITS.index(order.split), 1, number])
        _save(order.folder(number), finish(song_excerpt((0.0, 1.0), rng, order.studio)))
    return len(missing)


def _save(folder: Path, files: Mapping[str, Any]) -> None:
    """Write a folder of .npy files (.npz of a dictionary, .flac of sound), whole or not at all."""
    suffixes = {name: ".npz" if isinstance(content, dict) else ".npy" for name, content in files.items()}
    suffixes |= {name: ".flac" for name, content in files.items() if isinstance(content, Audio)}
    corpora.save(folder, {name + suffixes[name]: content for name, content in files.items()})
