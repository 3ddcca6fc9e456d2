"""Library: the scores in a folder, which split each belongs to, and which recordings lend it their tempo."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ictus.corpora import check_signature
from ictus.errors import UsageError
from ictus.scores.reader import SUFFIXES

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}  # of the pieces, where nobody has split them
_MAX_HOURS = 10_000


@dataclass(frozen=True)
class Piece:
    """A score, and what is known about performances of it.

    Attributes
    ----------
    name : of the piece, unique in its folder.
    file : the score.
    split : train, val or test.
    alignment : timings of recordings of it, or None.
    recordings : the columns of the alignment that may be used.
    """

    name: str
    file: Path
    split: str
    alignment: Path | None = None
    recordings: tuple[int, ...] = ()


def find_pieces(folder: Path, seed: int = 0) -> list[Piece]:
    """Return the pieces in a folder and its subfolders, in the order of their names.

    Where the folder holds a `splits.csv` (columns movement_id, split), a score named after a movement takes its split;
    others, and all where there is none, are split by a hash of their name and the seed, 80 : 10 : 10. Recordings that
    `recordings.csv` passes (recording_id, movement_id, passes) lend their timing, from `NAME.alignment.npz`.

    Raises
    ------
    UsageError
        If there is no such folder, or no score in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; --data names a folder of scores")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise UsageError(f"{folder}: no scores in it; it may hold {' '.join(SUFFIXES)}")
    splits = {row["movement_id"]: row["split"] for row in _table(folder / "splits.csv", "movement_id", "split")}
    passing: dict[str, set[str]] = {}
    for row in _table(folder / "recordings.csv", "movement_id", "recording_id", "passes"):
        if row["passes"] == "1":
            passing.setdefault(row["movement_id"], set()).add(row["recording_id"])
    pieces = []
    for file in files:
        name = file.relative_to(folder).with_suffix("").as_posix()
        split = splits.get(file.stem) or _hashed_split(name, seed)
        alignment = file.with_name(file.stem + ".alignment.npz")
        columns = _usable_recordings(alignment, passing.get(file.stem, set()))
        pieces.append(Piece(name, file, split, alignment if columns else None, columns))
    return pieces


@dataclass(frozen=True)
class SplitPlan:
    """How many excerpts there shall be of one split, and the pieces that they are taken from."""

    split: str
    pieces: tuple[Piece, ...]
    count: int


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
) -> list[SplitPlan]:
    """Plan a corpus of excerpts, and write down what it is made of.

    Parameters
    ----------
    folder : of scores; see `survey`.
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
    if split not in (*SHARES, "all"):
        raise UsageError(f"{split!r} is no split; there are {', '.join(SHARES)} and all")
    pieces = find_pieces(folder, seed)
    by_split = {name: tuple(piece for piece in pieces if piece.split == name) for name in SHARES}
    wanted = [name for name in SHARES if by_split[name]] if split == "all" else [split]
    if not by_split[wanted[0]]:
        raise UsageError(f"{folder}: none of its {len(pieces)} scores belongs to {split}; add a splits.csv or scores")
    differs = check_signature(
        signature, {"seed": seed, "scores": {piece.name: piece.split for piece in pieces}, **made_of}
    )
    others = {"scores": "other scores", "seed": "another seed", **names}
    if other := next((words for key, words in others.items() if key in differs or (differs and not key)), None):
        raise UsageError(f"{signature.parent}: holds a corpus of {other}; choose another folder, or ask for the same")
    whole = sum(SHARES[name] for name in wanted)
    return [
        SplitPlan(name, by_split[name], max(1, round(hours * 3600 / seconds * SHARES[name] / whole))) for name in wanted
    ]


def _table(path: Path, *columns: str) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    if missing := [column for column in columns if rows and column not in rows[0]]:
        raise UsageError(f"{path}: has no column {missing[0]!r}; it needs {', '.join(columns)}")
    return rows


def _hashed_split(name: str, seed: int) -> str:
    share = int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()) / 2**32
    for split, part in SHARES.items():
        share -= part
        if share < 0:
            return split
    return "train"


def _usable_recordings(alignment: Path, passing: set[str]) -> tuple[int, ...]:
    if not passing or not alignment.is_file():
        return ()
    with np.load(alignment, allow_pickle=False) as file:
        names = [str(name) for name in file["recordings"]]
    return tuple(k for k, name in enumerate(names) if name in passing)
