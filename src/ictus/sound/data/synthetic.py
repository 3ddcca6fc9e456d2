"""Recital: any number of hours of soloists who play from scores, their bodies and their sound sharing one truth.

`<out>/<split>/<number>-<instrument>/` holds `sound.flac` (22,050 Hz, mono), `mel.npy` (T, 80), `keypoints.npy`
(K, 47, 3) at 25 frames a second, `notes.npy` (N, 4; onset and duration in seconds, MIDI pitch, loudness) and
`about.json`; for training also `takes.npy` (takes, K, 47, 3), other players who play the same before other cameras.
Everything begins at the same instant. The n-th excerpt depends on the scores, the sounds, the seed and n
alone: a corpus can be stopped, resumed, made longer and made in parallel, and stays the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ictus.corpora import Done, Progress, Report, WritingError, clear_up, gather, save, sign
from ictus.errors import IctusError, UsageError
from ictus.processes import results
from ictus.scores.reader import read
from ictus.scores.score import Score
from ictus.sound import INSTRUMENTS
from ictus.synthesis import soundfont, tempo
from ictus.synthesis.library import SHARES, Piece, survey
from ictus.synthesis.players.performers import PLAYERS, perform
from ictus.synthesis.players.repertoire import excerpt_of, heard, solo_part

SPLITS = tuple(SHARES)
_MEAN = 15.0  # seconds of an excerpt, on average
_SHORTEST, _LONGEST = 10.0, 20.0
_MOST_HOURS = 10_000


@dataclass(frozen=True)
class Order:
    """What is to be made: `count` excerpts of one split; a block of them, one for each instrument, is of one piece."""

    pieces: tuple[Piece, ...]
    split: str
    count: int
    seed: int
    out: Path
    soundfonts: tuple[Path, ...] = ()
    takes: int = 0

    def folder(self, number: int) -> Path:
        """Return where an excerpt belongs."""
        return self.out / self.split / f"{number:05d}-{INSTRUMENTS[number % len(INSTRUMENTS)]}"

    def missing(self, block: int) -> list[int]:
        """Return the excerpts of a block that are not there."""
        numbers = range(block * len(INSTRUMENTS), min((block + 1) * len(INSTRUMENTS), self.count))
        return [number for number in numbers if not self.folder(number).is_dir()]


def prepare(
    scores: Path,
    out: Path,
    *,
    hours: float,
    split: str = "all",
    workers: int = 1,
    seed: int = 0,
    soundfonts: Sequence[Path] = (),
    takes: int = 0,
    progress: Progress | None = None,
    report: Report | None = None,
) -> int:
    """Make a corpus of soloists, what of it is not there yet; return how many excerpts were made.

    Parameters
    ----------
    scores : a folder of scores, MusicXML or MIDI; how they are split is told by `ictus.synthesis.library.survey`.
    out : the folder of the corpus.
    hours : of playing: in one split, or shared out 8 : 1 : 1 between those that there are.
    split : "train", "val", "test" or "all".
    workers : processes.
    soundfonts : General MIDI SoundFonts; each plays as many excerpts as the package's own synthesizer.
    takes : other players who also play each excerpt of the training split; they are seen, not heard.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.

    Raises
    ------
    UsageError
        If there are no such scores, or `out` holds a corpus of other scores, SoundFonts or takes, or of another seed.
    IctusError
        If a SoundFont cannot be played, or the corpus cannot be written.
    """
    orders = ordered(scores, out, hours=hours, split=split, seed=seed, soundfonts=soundfonts, takes=takes)
    jobs = [(order, block) for order in orders for block in range(-(-order.count // len(INSTRUMENTS)))]
    jobs = [(order, block) for order, block in jobs if order.missing(block)]
    made = gather(results(_block, jobs, workers), len(jobs), progress, report).made
    clear_up(out)
    return made


def ordered(
    scores: Path,
    out: Path,
    *,
    hours: float,
    split: str = "all",
    seed: int = 0,
    soundfonts: Sequence[Path] = (),
    takes: int = 0,
) -> list[Order]:
    """Plan a corpus; parameters and errors are those of `prepare`."""
    if not 0 < hours <= _MOST_HOURS:
        raise UsageError(f"{hours:g} hours: choose more than 0 and at most {_MOST_HOURS}")
    if takes < 0:
        raise UsageError(f"{takes} takes: choose 0 or more")
    if split not in (*SPLITS, "all"):
        raise UsageError(f"{split!r} is no split; there are {', '.join(SPLITS)} and all")
    for path in soundfonts:
        soundfont.known(path)
    sizes = {path.name: path.stat().st_size for path in soundfonts}
    if len(sizes) < len(soundfonts):
        raise UsageError("two SoundFonts have the same name; rename one, or give it once")
    pieces = survey(scores, seed)
    by_split = {name: tuple(piece for piece in pieces if piece.split == name) for name in SPLITS}
    wanted = [name for name in SPLITS if by_split[name]] if split == "all" else [split]
    if not by_split[wanted[0]]:
        raise UsageError(f"{scores}: none of its {len(pieces)} scores belongs to {split}; add a splits.csv or scores")
    named = {"scores": "other scores", "seed": "another seed", "soundfonts": "other SoundFonts", "takes": "other takes"}
    by_name = {piece.name: piece.split for piece in pieces}
    differs = sign(out / "recital.json", {"seed": seed, "scores": by_name, "soundfonts": sizes, "takes": takes})
    if other := next((words for key, words in named.items() if key in differs), None):
        raise UsageError(f"{out}: holds a corpus of {other}; choose another --out, or ask for the same")
    whole = sum(SHARES[name] for name in wanted)
    return [
        Order(
            *(by_split[name], name, max(1, round(hours * 3600 / _MEAN * SHARES[name] / whole)), seed, out),
            (*soundfonts,),
            takes if name == "train" else 0,
        )
        for name in wanted
    ]


# --- One block of excerpts -------------------------------------------------------------------------------------------


def _block(job: tuple[Order, int]) -> Done:
    """Make the missing excerpts of a block, of the first pieces from its turn on that can be used.

    Every piece has its turn in a round, and every round its own order. An instrument that finds nothing to play in a
    piece takes the next.
    """
    order, block = job
    turn, place = divmod(block, len(order.pieces))
    split = SPLITS.index(order.split)
    permutation = np.random.default_rng([order.seed, split, 0, turn]).permutation(len(order.pieces))
    made, left, complaints = 0, order.missing(block), list[str]()
    for choice in np.roll(permutation, -place):
        piece = order.pieces[choice]
        try:
            score = read(piece.file)
        except (IctusError, MemoryError) as error:
            complaints.append(str(error) or f"{piece.file}: too large for the memory")
            continue
        still: list[int] = []
        for number in left:
            rng = np.random.default_rng([order.seed, split, 1, number, choice])
            try:
                save(order.folder(number), _excerpt(order, piece, score, number, rng))
                made += 1
            except WritingError:
                raise
            except IctusError as error:
                complaints.append(str(error))
                still.append(number)
        left = still
        if not left:
            return Done(made, tuple(complaints))
    complaints.append(f"{order.split}: none of the {len(order.pieces)} scores can be used")
    return Done(made, tuple(complaints))


def _excerpt(order: Order, piece: Piece, score: Score, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return what an excerpt's folder holds, by the names of its files."""
    from ictus.features import mel80

    instrument = INSTRUMENTS[number % len(INSTRUMENTS)]
    player = PLAYERS[instrument]
    timing = tempo.imagined(score, rng)
    timing = tempo.humanised(timing, score, rng, scale=float(np.exp(rng.normal(0, 0.12))))
    try:
        part, solo = solo_part(score, timing, instrument, (player.lowest, player.highest), rng)
        solo, start = excerpt_of(solo, float(rng.uniform(_SHORTEST, _LONGEST)), rng)
    except IctusError as error:
        raise IctusError(f"{piece.file}: {error}") from error
    font = (None, *order.soundfonts)[int(rng.integers(1 + len(order.soundfonts)))]
    audio = heard(solo, instrument, font, rng)
    seed = int(rng.integers(2**31))
    filmed = perform(solo, instrument, seed=seed)
    seeds = np.random.default_rng(seed).integers(2**31, size=order.takes)
    others = [perform(solo, instrument, seed=int(other)).keypoints for other in seeds]
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
        "size": [filmed.camera.width, filmed.camera.height],
        "seed": seed,
    }
    return {
        "sound.flac": audio,
        "mel.npy": mel80(audio).astype(np.float16),
        "keypoints.npy": filmed.keypoints,
        "notes.npy": solo.notes.astype(np.float32),
        "about.json": about,
        **({"takes.npy": np.stack(others)} if others else {}),
    }
