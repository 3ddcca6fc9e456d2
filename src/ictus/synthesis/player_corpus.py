"""Player corpus: any number of hours of procedural soloists who play from scores, their motion and sound in agreement.

`<out>/<split>/<number>-<instrument>/` holds `sound.flac` (22,050 Hz, mono), `mel.npy` (T, 80), `keypoints.npy`
(K, 47, 3) at 25 frames a second, `notes.npy` (N, 4; onset and duration in seconds, MIDI pitch, loudness) and
`about.json`; for training also `takes.npy` (takes, K, 47, 3), other players who play the same before other cameras.
Everything begins at the same instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ictus.corpora import CorpusWriteError, PreparationResult, Report, save_example
from ictus.errors import IctusError, UsageError
from ictus.processes import run_in_processes
from ictus.scores.reader import read
from ictus.scores.score import Score
from ictus.synthesis import soundfont, tempo
from ictus.synthesis.corpus_plan import CorpusSplit, make_splits, plan_splits
from ictus.synthesis.players import INSTRUMENTS
from ictus.synthesis.players.performers import PLAYERS, perform_solo
from ictus.synthesis.players.repertoire import excerpt_of, render_solo, solo_part
from ictus.synthesis.score_collection import Piece
from ictus.types import Progress

_MEAN_SECONDS = 15.0  # of an excerpt
_MIN_SECONDS, _MAX_SECONDS = 10.0, 20.0


@dataclass(frozen=True)
class PlayerCorpusSplit(CorpusSplit):
    """What is to be made of one split: blocks of excerpts, one for each instrument."""

    soundfonts: tuple[Path, ...] = ()
    takes: int = 0

    block: ClassVar[int] = len(INSTRUMENTS)

    def folder(self, number: int) -> Path:
        """Return where an excerpt belongs."""
        return self.out / self.split / f"{number:05d}-{INSTRUMENTS[number % len(INSTRUMENTS)]}"


def plan_player_corpus(
    scores: Path,
    out: Path,
    *,
    hours: float,
    split: str = "all",
    seed: int = 0,
    soundfonts: Sequence[Path] = (),
    takes: int = 0,
) -> list[PlayerCorpusSplit]:
    """Plan a corpus of soloists, and write down what it is made of.

    Parameters
    ----------
    scores : a folder of scores, MusicXML or MIDI; see `find_pieces` for how they are split.
    out : the folder of the corpus.
    hours : of playing: in one split, or shared out 8 : 1 : 1 between those that there are.
    split : "train", "val", "test" or "all".
    soundfonts : General MIDI SoundFonts; each plays as many excerpts as the package's own synthesizer.
    takes : other players who also play each excerpt of the training split; their motion is kept, not their sound.

    Raises
    ------
    UsageError
        If there are no such scores, or `out` holds a corpus of other scores, SoundFonts or takes, or of another seed.
    IctusError
        If a SoundFont cannot be played.
    """
    if takes < 0:
        raise UsageError(f"{takes} takes: choose 0 or more")
    for path in soundfonts:
        soundfont.check_soundfont(path)
    sizes = {path.name: path.stat().st_size for path in soundfonts}
    if len(sizes) < len(soundfonts):
        raise UsageError("two SoundFonts have the same name; rename one, or give it once")
    made_of, names = {"soundfonts": sizes, "takes": takes}, {"soundfonts": "other SoundFonts", "takes": "other takes"}
    plans = plan_splits(
        scores, out / "recital.json", made_of, names, hours=hours, seconds=_MEAN_SECONDS, split=split, seed=seed
    )
    return [
        PlayerCorpusSplit(**vars(plan), soundfonts=(*soundfonts,), takes=takes if plan.split == "train" else 0)
        for plan in plans
    ]


def make_player_corpus(
    splits: Sequence[PlayerCorpusSplit],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    report: Report | None = None,
) -> int:
    """Make a corpus of soloists, what of it is not there yet; return how many excerpts were made.

    Parameters
    ----------
    splits : from `plan_player_corpus`.
    workers : processes.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.

    Raises
    ------
    IctusError
        If the corpus cannot be written.
    """
    return make_splits(splits, lambda jobs: run_in_processes(_make_block, jobs, workers), progress, report)


# --- One block of excerpts -------------------------------------------------------------------------------------------


def _make_block(job: tuple[PlayerCorpusSplit, int]) -> PreparationResult:
    """Make the missing excerpts of a block, of the first pieces in turn that can be used.

    An instrument that finds nothing to play in a piece takes the next.
    """
    plan, block = job
    made, left, failures = 0, plan.missing(block), list[str]()
    for choice, piece in plan.pieces_in_turn(block):
        try:
            score = read(piece.file)
        except (IctusError, MemoryError) as error:
            failures.append(str(error) or f"{piece.file}: too large for the memory")
            continue
        still: list[int] = []
        for number in left:
            rng = plan.rng(1, number, choice)
            try:
                save_example(plan.folder(number), _excerpt(plan, piece, score, number, rng))
                made += 1
            except CorpusWriteError:
                raise
            except IctusError as error:
                failures.append(str(error))
                still.append(number)
        left = still
        if not left:
            return PreparationResult(made, tuple(failures))
    failures.append(f"{plan.split}: none of the {len(plan.pieces)} scores can be used")
    return PreparationResult(made, tuple(failures))


def _excerpt(
    plan: PlayerCorpusSplit, piece: Piece, score: Score, number: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return what an excerpt's folder holds, by the names of its files."""
    from ictus.features import mel80

    instrument = INSTRUMENTS[number % len(INSTRUMENTS)]
    player = PLAYERS[instrument]
    timing = tempo.imagined(score, rng)
    timing = tempo.humanised(timing, score, rng, scale=float(np.exp(rng.normal(0, 0.12))))
    try:
        part, solo = solo_part(score, timing, instrument, (player.lowest, player.highest), rng)
        solo, start = excerpt_of(solo, float(rng.uniform(_MIN_SECONDS, _MAX_SECONDS)), rng)
    except IctusError as error:
        raise IctusError(f"{piece.file}: {error}") from error
    font = (None, *plan.soundfonts)[int(rng.integers(1 + len(plan.soundfonts)))]
    audio = render_solo(solo, instrument, font, rng)
    seed = int(rng.integers(2**31))
    played = perform_solo(solo, instrument, seed=seed)
    seeds = np.random.default_rng(seed).integers(2**31, size=plan.takes)
    others = [perform_solo(solo, instrument, seed=int(other)).keypoints for other in seeds]
    about = {
        "instrument": instrument,
        "video": f"{piece.name}#{number}",  # another player and another camera each time
        "start": 0.0,
        "synthetic": True,
        "piece": piece.name,
        "title": score.title,
        "part": part,
        "seconds": [round(start, 3), round(start + solo.duration, 3)],
        "renderer": "ictus.synthesis." + ("soundfont" if font else "synthesizer"),
        "soundfont": font and font.name,
        "size": [played.camera.width, played.camera.height],
        "seed": seed,
    }
    return {
        "sound.flac": audio,
        "mel.npy": mel80(audio).astype(np.float16),
        "keypoints.npy": played.keypoints,
        "notes.npy": solo.notes.astype(np.float32),
        "about.json": about,
        **({"takes.npy": np.stack(others)} if others else {}),
    }
