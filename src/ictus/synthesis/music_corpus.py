"""Music corpus: any number of minutes of music whose beats are known, from a folder of scores."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ictus.audio import Audio
from ictus.beats.annotation import BeatAnnotation
from ictus.corpora import CorpusWriteError, PreparationResult, Report, save_example
from ictus.errors import IctusError
from ictus.processes import run_in_processes
from ictus.scores.reader import read
from ictus.scores.score import Score
from ictus.synthesis import band, tempo
from ictus.synthesis.cluster import run_on_cluster
from ictus.synthesis.corpus_plan import CorpusSplit, make_splits, plan_splits
from ictus.synthesis.grooves import draw_take, find_takes, with_drummer
from ictus.synthesis.ground_truth import annotate, beats_in
from ictus.synthesis.orchestration import reorchestrate
from ictus.synthesis.piano_reduction import exaggerate_timing, reduce_for_piano
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.rendering import Rendering, SynthesisOptions, transpose
from ictus.synthesis.score_collection import Piece
from ictus.synthesis.song_form import draw_song_form
from ictus.types import AnyArray, Progress

SECONDS = 60.0  # of an excerpt
RATE = 22050
_MAX_LEAD = 1.5  # seconds of silence there may be before a piece
_MIN_BEATS = 12  # beats in an excerpt
_DRUMMERS_SHARE = 0.7  # how often a real drummer plays in a song, where there are any
_TRIES = 5  # takes of drummers
_CHANGING_SHARE = 0.3  # how often the metre may change within an excerpt, where it is varied
_RECORDED_SHARE = 0.75  # how often a real performance's tempo is taken where there is one


@dataclass(frozen=True)
class AnnotatedExcerpt:
    """A minute of music, the annotation of its beats, and how it was made (JSON types)."""

    audio: Audio
    annotation: BeatAnnotation
    about: dict[str, Any]

    def archive(self) -> dict[str, AnyArray]:
        """Return the annotation's arrays, and in `about` the rest as a JSON text, for `numpy.savez`."""
        return {**self.annotation.arrays(), "about": np.array(json.dumps(self.about, ensure_ascii=False))}


ToFiles = Callable[[AnnotatedExcerpt], Mapping[str, Any]]


# --- One excerpt -----------------------------------------------------------------------------------------------------


def score_excerpt(
    piece: Piece,
    score: Score,
    part: tuple[float, float],
    rng: np.random.Generator,
    options: SynthesisOptions | None = None,
) -> AnnotatedExcerpt:
    """Make one excerpt.

    Parameters
    ----------
    part : where in the piece it may begin, as fractions of what there is (0 to 1).
    options : from which the rendering is drawn; None leaves it to the orchestra of `ictus.synthesis.synthesizer`.

    Raises
    ------
    IctusError
        If the piece is shorter than an excerpt, or nowhere keeps one metre for as long.
    """
    options = options or SynthesisOptions()
    rendering = options.draw(rng.spawn(1)[0])  # a stream of its own: rng's goes on as ever
    timing = _choose_timing(piece, score, rng, options.varied)
    if rendering.piano:
        score, timing = reduce_for_piano(score), exaggerate_timing(timing, score, rendering.freedom)
    elif options.reorchestrated and rng.uniform() < options.reorchestrated:
        score = reorchestrate(score, rng)
    score = transpose(score, rendering.semitones)
    changing = options.varied and rng.uniform() < _CHANGING_SHARE
    start = _choose_start(str(piece.file), score, timing, part, rng, changing)
    about = {"piece": piece.name, "title": score.title, "score": piece.file.name, **rendering.about()}
    return _render_excerpt(score, timing, start, rendering, rng, about, options.varied)


def song_excerpt(
    part: tuple[float, float], rng: np.random.Generator, options: SynthesisOptions, split: str = "train"
) -> AnnotatedExcerpt:
    """Return a minute of an invented song; parameters as of `score_excerpt`; `split` is that of the drummers' takes."""
    rendering = replace(options.draw(rng.spawn(1)[0]), piano=False, semitones=0)
    form = draw_song_form(rng)
    score, take = _with_drummer(band.arrange(form, rng), options, split, rng)
    timing = band.band_timing(score, rng)
    start = _choose_start(form.title, score, timing, part, rng)
    about = {"piece": form.title, "title": form.title, **form.about(), **rendering.about(), "group": "pop", **take}
    return _render_excerpt(score, timing, start, rendering, rng, about, options.varied)


def _with_drummer(
    song: Score, options: SynthesisOptions, split: str, rng: np.random.Generator
) -> tuple[Score, dict[str, str]]:
    """Return a song, mostly with a real drummer where there are some, and what is to be told of him."""
    if options.grooves is None or rng.uniform() > _DRUMMERS_SHARE:
        return song, {}
    for _ in range(_TRIES):
        take = draw_take(find_takes(options.grooves), song, split, rng)
        if take is None:
            break
        with contextlib.suppress(IctusError):  # a take that is damaged, or no groove: another one
            return with_drummer(song, take, rng), {"drummer": take.path.name}
    return song, {}


def _render_excerpt(
    score: Score,
    timing: tempo.Timing,
    start: float,
    rendering: Rendering,
    rng: np.random.Generator,
    about: dict[str, Any],
    varied: bool,
) -> AnnotatedExcerpt:
    conditions = RecordingConditions.draw(rng)
    if varied:
        conditions = conditions.varied(rng)
    seed = int(rng.integers(2**31))
    span = (start, start + SECONDS)
    audio = rendering.render(score, rate=RATE, seed=seed, timing=timing, span=span, conditions=conditions)
    first, last = timing.quarters_at(np.array(span))
    where = {
        "tempo": timing.source,
        "seconds": [round(start, 3), round(start + SECONDS, 3)],
        "quarters": [round(float(first), 3), round(float(last), 3)],
        "parts": len(score.parts),
    }
    return AnnotatedExcerpt(audio, annotate(score, timing, span, audio), {**about, **where})


def _choose_timing(piece: Piece, score: Score, rng: np.random.Generator, varied: bool) -> tempo.Timing:
    if piece.alignment and rng.uniform() < _RECORDED_SHARE:
        timing = tempo.recorded(score, piece.alignment, int(rng.choice(piece.recordings)))
    else:
        timing = tempo.imagined(score, rng)
    spread = 0.18 if varied else 0.04  # editions say little of how fast; conductors differ by a fifth
    scale = float(np.exp(rng.normal(0, spread)))
    rubato = float(np.exp(rng.uniform(np.log(0.01), np.log(0.1)))) if varied else 0.02
    return tempo.humanised(timing, score, rng, scale=scale, rubato=rubato)


def _choose_start(
    name: str,
    score: Score,
    timing: tempo.Timing,
    part: tuple[float, float],
    rng: np.random.Generator,
    changing: bool = False,
) -> float:
    """Choose the second at which an excerpt begins; of one metre, unless it may change."""
    room = float(timing.seconds_at(np.array([score.length]))[0]) + 1.0 - SECONDS + _MAX_LEAD
    if room < 0:
        raise IctusError(f"{name}: is shorter than a minute")
    for attempt in range(40):
        low, high = part if attempt < 10 else (0.0, 1.0)
        start = float(rng.uniform(low, high)) * room - _MAX_LEAD
        rows = beats_in(score, timing, (start, start + SECONDS))
        if len(rows) >= _MIN_BEATS and (changing or len(np.unique(rows[:, 2:], axis=0)) == 1):
            return start
    raise IctusError(f"{name}: no minute of it keeps one metre")


# --- All of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MusicCorpusSplit(CorpusSplit):
    """What is to be made of one split, and from which options the renderings are drawn."""

    options: SynthesisOptions = field(default_factory=SynthesisOptions)

    block: ClassVar[int] = 2  # so that a piece is read once for two excerpts


def plan_music_corpus(
    folder: Path, out: Path, *, hours: float, split: str = "all", seed: int = 0, options: SynthesisOptions | None = None
) -> list[MusicCorpusSplit]:
    """Plan a corpus.

    Parameters
    ----------
    folder : of scores; see `find_pieces`.
    hours : of music: in one split, or shared out 8 : 1 : 1 between those that there are.
    split : "train", "val", "test" or "all".
    options : from which renderings are drawn.

    Raises
    ------
    UsageError
        If there are no such scores, or `out` holds a corpus of other scores, of another seed or of other options.
    """
    options = options or SynthesisOptions()
    made_of, names = options.signature(), {"": "other sounds"}
    plans = plan_splits(
        folder, out / "rehearsal.json", made_of, names, hours=hours, seconds=SECONDS, split=split, seed=seed
    )
    return [MusicCorpusSplit(**vars(plan), options=options) for plan in plans]


def make_music_corpus(
    wanted: Sequence[MusicCorpusSplit],
    to_files: ToFiles,
    *,
    workers: int,
    progress: Progress,
    report: Report,
    cluster: str | None = None,
) -> int:
    """Make excerpts, those that are not there yet; return how many were made.

    Parameters
    ----------
    to_files : turns an excerpt into what its folder holds, by the names of the files (see `save_example`). It must be
        a function of a module, because other processes call it.
    workers : processes.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.
    cluster : address of a Ray cluster that works in the place of processes here (see `ictus.synthesis.cluster`).
    """
    work = partial(_make_block, to_files)

    def run(jobs: list[tuple[MusicCorpusSplit, int]]) -> Iterable[PreparationResult]:
        return run_on_cluster(work, jobs, cluster) if cluster and jobs else run_in_processes(work, jobs, workers)

    return make_splits(wanted, run, progress, report)


def _make_block(to_files: ToFiles, job: tuple[MusicCorpusSplit, int]) -> PreparationResult:
    """Make the missing excerpts of a block: songs, or excerpts of the first piece in turn that can be used."""
    plan, block = job
    made, failures = 0, list[str]()
    if plan.rng(2, block).uniform() < plan.options.songs:
        for number in (missing := plan.missing(block)):
            save_example(
                plan.folder(number), to_files(song_excerpt((0.0, 1.0), plan.rng(1, number), plan.options, plan.split))
            )
        return PreparationResult(len(missing))
    for _, piece in plan.pieces_in_turn(block):
        try:
            score = read(piece.file)
            for number in plan.missing(block):
                place = number % plan.block
                part = (place / plan.block, (place + 1) / plan.block)
                excerpt = score_excerpt(piece, score, part, plan.rng(1, number), plan.options)
                save_example(plan.folder(number), to_files(excerpt))
                made += 1
            return PreparationResult(made, tuple(failures))
        except CorpusWriteError:
            raise
        except (IctusError, MemoryError) as error:
            failures.append(str(error) or f"{piece.file}: too large for the memory")
    failures.append(f"{plan.split}: none of the {len(plan.pieces)} scores can be used")
    return PreparationResult(made, tuple(failures))
