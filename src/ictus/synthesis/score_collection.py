"""Score collections: the scores in a folder, the split of each, and the recordings whose tempo it may take."""

from dataclasses import dataclass
from pathlib import Path

from ictus.arrays import archive
from ictus.corpora import SPLITS, hashed_split
from ictus.documents import read_table
from ictus.errors import UsageError
from ictus.files import quoted
from ictus.scores.reader import SUFFIXES


@dataclass(frozen=True)
class Piece:
    """A score, and the recordings of it that were aligned.

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
    others, and all where there is none, are split by a hash of their name and the seed, 80 : 10 : 10. Where a
    `scores.csv` (score_id, composer) beside a score names its composer, that is the name, so that all of a composer's
    works are in one split. Recordings that
    `recordings.csv` passes (recording_id, movement_id, passes) lend their timing, from `NAME.alignment.npz`.

    Raises
    ------
    UsageError
        If there is no such folder, or no score in it.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give a folder of scores")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise UsageError(f"{folder}: no scores in it; it may hold {' '.join(SUFFIXES)}")
    splits = {row["movement_id"]: row["split"] for row in _table(folder / "splits.csv", "movement_id", "split")}
    if wrong := set(splits.values()) - {"", *SPLITS}:
        raise UsageError(f"{folder / 'splits.csv'}: knows a split {quoted(min(wrong))}; there are {', '.join(SPLITS)}")
    tables = {parent: _table(parent / "scores.csv", "score_id", "composer") for parent in {p.parent for p in files}}
    composers = {(parent, row["score_id"]): row["composer"] for parent, rows in tables.items() for row in rows}
    passing: dict[str, set[str]] = {}
    for row in _table(folder / "recordings.csv", "movement_id", "recording_id", "passes"):
        if row["passes"] == "1":
            passing.setdefault(row["movement_id"], set()).add(row["recording_id"])
    pieces = []
    for file in files:
        name = file.relative_to(folder).with_suffix("").as_posix()
        composer = composers.get((file.parent, file.stem))
        split = splits.get(file.stem) or hashed_split(composer or name, seed)
        alignment = file.with_name(file.stem + ".alignment.npz")
        columns = _usable_recordings(alignment, passing.get(file.stem, set()))
        pieces.append(Piece(name, file, split, alignment if columns else None, columns))
    return pieces


def _table(path: Path, *columns: str) -> list[dict[str, str]]:
    return read_table(path, *columns, kind=UsageError) if path.is_file() else []


def _usable_recordings(alignment: Path, passing: set[str]) -> tuple[int, ...]:
    if not passing or not alignment.is_file():
        return ()
    with archive(alignment) as held:
        names = held.text("recordings", 1)
    return tuple(k for k, name in enumerate(names) if name in passing)
