"""Plans of synthetic corpora: so many hours of excerpts of the scores in a folder, made block by block.

The n-th excerpt of a split depends on the scores, the seed and n alone: a corpus can be stopped, resumed, made longer
and made in parallel, and stays the same.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from ictus.corpora import (
    SPLIT_SHARES,
    SPLITS,
    PreparationResult,
    Report,
    check_signature,
    collect_results,
    remove_unfinished,
)
from ictus.errors import UsageError
from ictus.synthesis.score_collection import Piece, find_pieces
from ictus.types import Progress

_MAX_HOURS = 10_000


@dataclass(frozen=True)
class CorpusSplit:
    """What is to be made of one split: `count` excerpts, those of a block of one piece.

    Attributes
    ----------
    pieces : from which the excerpts are taken.
    out : the folder of the corpus.
    """

    pieces: tuple[Piece, ...]
    split: str
    count: int
    seed: int
    out: Path

    block: ClassVar[int] = 1  # excerpts in a block

    def folder(self, number: int) -> Path:
        """Return where an excerpt belongs."""
        return self.out / self.split / str(number)

    def missing(self, block: int) -> list[int]:
        """Return the excerpts of a block that are not there."""
        numbers = range(block * self.block, min((block + 1) * self.block, self.count))
        return [number for number in numbers if not self.folder(number).is_dir()]

    def rng(self, *key: int) -> np.random.Generator:
        """Return the random numbers of one purpose in this split."""
        return np.random.default_rng([self.seed, SPLITS.index(self.split), *key])

    def pieces_in_turn(self, block: int) -> Iterator[tuple[int, Piece]]:
        """Give the pieces, and their numbers, from the one on whose turn it is in a block.

        Every piece has its turn in a round, and every round its own order.
        """
        turn, place = divmod(block, len(self.pieces))
        for choice in np.roll(self.rng(0, turn).permutation(len(self.pieces)), -place).tolist():
            yield choice, self.pieces[choice]


Split = TypeVar("Split", bound=CorpusSplit)


def plan_splits(
    folder: Path,
    signature: Path,
    made_of: Mapping[str, Any],
    names: Mapping[str, str],
    *,
    hours: float,
    seconds: float,
    split: str = "all",
    seed: int = 0,
) -> list[CorpusSplit]:
    """Plan a corpus of excerpts, and write down what it is made of.

    Parameters
    ----------
    folder : of scores; see `find_pieces`.
    signature : the file, in the folder of the corpus, that says what that is made of.
    made_of : what that is beside the scores and the seed, as JSON types.
    names : by key of these, what is another one where it differs; that of "" where a key has no name.
    hours, seconds : of all excerpts together, in one split or shared out 8 : 1 : 1 between those that there are; and
        of one of them, on average.
    split : "train", "val", "test" or "all".

    Raises
    ------
    UsageError
        If there are no such scores, or the corpus that is there is made of something else.
    """
    if not 0 < hours <= _MAX_HOURS:
        raise UsageError(f"{hours:g} hours: choose more than 0 and at most {_MAX_HOURS}")
    if split not in (*SPLITS, "all"):
        raise UsageError(f"{split!r} is no split; there are {', '.join(SPLITS)} and all")
    pieces = find_pieces(folder, seed)
    by_split = {name: tuple(piece for piece in pieces if piece.split == name) for name in SPLITS}
    wanted = [name for name in SPLITS if by_split[name]] if split == "all" else [split]
    if not by_split[wanted[0]]:
        raise UsageError(f"{folder}: none of its {len(pieces)} scores belongs to {split}; add a splits.csv or scores")
    scores = {piece.name: piece.split for piece in pieces}
    differs = check_signature(signature, {"seed": seed, "scores": scores, **made_of})
    others = {"scores": "other scores", "seed": "another seed", **names}
    if other := next((words for key, words in others.items() if key in differs or (differs and not key)), None):
        raise UsageError(f"{signature.parent}: holds a corpus of {other}; choose another folder, or ask for the same")
    whole = sum(SPLIT_SHARES[name] for name in wanted)
    counts = {name: max(1, round(hours * 3600 / seconds * SPLIT_SHARES[name] / whole)) for name in wanted}
    return [CorpusSplit(by_split[name], name, counts[name], seed, signature.parent) for name in wanted]


def make_splits(
    splits: Sequence[Split],
    run: Callable[[list[tuple[Split, int]]], Iterable[PreparationResult]],
    progress: Progress | None,
    report: Report | None,
) -> int:
    """Make what is not there yet; return how many excerpts were made.

    Parameters
    ----------
    run : makes blocks, each given by its split and its number; gives what came of each.
    progress : called with the fraction done.
    report : called with a line for each score that cannot be used.
    """
    jobs = [(split, block) for split in splits for block in range(-(-split.count // split.block))]
    jobs = [(split, block) for split, block in jobs if split.missing(block)]
    made = collect_results(run(jobs), len(jobs), progress, report).made
    for split in splits:
        remove_unfinished(split.out)
    return made
