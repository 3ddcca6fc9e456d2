"""What of AIST++ is there: motions, hours, genres, splits, and what is ignored, missing or broken."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ictus.corpora import shorten_list
from ictus.dance.data import aist
from ictus.dance.data.aist import AISTMotion
from ictus.types import Progress


@dataclass(frozen=True)
class SplitContents:
    """One split: the names that it lists, and those that cannot be used, by the reason."""

    listed: int
    usable: tuple[AISTMotion, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    broken: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return the counts as JSON types."""
        lengths = {key: len(getattr(self, key)) for key in ("usable", "ignored", "missing", "broken")}
        return {"listed": self.listed, **lengths, **_counts(self.usable)}


@dataclass(frozen=True)
class AISTInspection:
    """What was found.

    Attributes
    ----------
    motions : those that can be used, of any split or none.
    splits : by their names, e.g. "crossmodal_train".
    ignored : how many names the ignore list holds.
    broken : a line for each file that cannot be used.
    songs_found, songs_missing : of the songs that the motions are danced to; None if no folder of music was given.
    """

    motions: tuple[AISTMotion, ...]
    splits: dict[str, SplitContents]
    ignored: int
    broken: tuple[str, ...]
    songs_found: tuple[str, ...] | None
    songs_missing: tuple[str, ...] | None

    def facts(self) -> dict[str, Any]:
        """Return all as JSON types."""
        genres = {genre: _counts(t for t in self.motions if t.sequence.genre == genre) for genre in self._genres}
        music = None
        if self.songs_found is not None and self.songs_missing is not None:
            music = {"found": list(self.songs_found), "missing": list(self.songs_missing)}
        return {
            **_counts(self.motions),
            "ignored": self.ignored,
            "broken": list(self.broken),
            "genres": {f"{genre} ({aist.GENRES[genre]})": facts for genre, facts in genres.items()},
            "splits": {name: split.facts() for name, split in self.splits.items()},
            "music": music,
        }

    def lines(self) -> list[str]:
        """Return all but the broken files as lines of text."""
        facts = self.facts()
        lines = [f"{_sentence(facts)}; {self.ignored} on the ignore list, {len(self.broken)} broken"]
        lines += [f"{genre}: {_sentence(part)}" for genre, part in facts["genres"].items()]
        for name, split in facts["splits"].items():
            bad = ", ".join(f"{split[key]} {key}" for key in ("ignored", "missing", "broken"))
            lines.append(f"{name}: {split['listed']} listed, {bad}; {_sentence(split)}")
        if self.songs_found is not None and self.songs_missing is not None:
            missing = f"; missing are {shorten_list(self.songs_missing)}" if self.songs_missing else ""
            lines.append(f"music: {len(self.songs_found)} of {facts['songs']} songs found{missing}")
        return lines

    @property
    def _genres(self) -> list[str]:
        return sorted({motion.sequence.genre for motion in self.motions})


def inspect(
    root: str | os.PathLike[str],
    music: str | os.PathLike[str] | None = None,
    progress: Progress = lambda fraction: None,
) -> AISTInspection:
    """Read all motions of AIST++, and see which splits and songs they make.

    Parameters
    ----------
    music : folder of the songs, if they are to be looked for.
    progress : called with the fraction done.

    Raises
    ------
    UsageError
        If `root` holds no motions, or there is no such folder of music.
    """
    found = aist.scan_motions(root, progress=progress)
    motions = {motion.name: motion for motion in found.motions}
    there, ignored = aist.motion_files(root), aist.ignore_list(root)
    splits = {}
    for file in sorted((Path(root) / "splits").glob("*_*.txt"), key=_order):
        kind, _, split = file.stem.partition("_")
        if kind not in ("crossmodal", "pose") or split not in aist.SPLITS:
            continue
        names = aist.split_names(root, split, "pose" if kind == "pose" else "crossmodal")
        wanted = [name for name in names if name not in ignored]
        splits[file.stem] = SplitContents(
            len(names),
            tuple(motions[name] for name in wanted if name in motions),
            tuple(name for name in names if name in ignored),
            tuple(name for name in wanted if name not in there),
            tuple(name for name in wanted if name in there and name not in motions),
        )
    if music is None:
        return AISTInspection(found.motions, splits, len(ignored), found.broken, None, None)
    needed = sorted({motion.sequence.music for motion in found.motions})
    known = aist.songs(music)
    has, lacks = (tuple(s for s in needed if (s in known) == wanted) for wanted in (True, False))
    return AISTInspection(found.motions, splits, len(ignored), found.broken, has, lacks)


def _order(file: Path) -> tuple[str, int]:
    kind, _, split = file.stem.partition("_")
    return kind, aist.SPLITS.index(split) if split in aist.SPLITS else len(aist.SPLITS)


def _counts(motions: Iterable[AISTMotion]) -> dict[str, Any]:
    motions = tuple(motions)
    situations = Counter(motion.sequence.situation for motion in motions)
    return {
        "motions": len(motions),
        "hours": round(sum(motion.frames for motion in motions) / aist.RATE / 3600, 4),
        "songs": len({motion.sequence.music for motion in motions}),
        "dancers": len({motion.sequence.dancer for motion in motions}),
        **{situation: situations[situation] for situation in aist.SITUATIONS},
    }


def _sentence(facts: dict[str, Any]) -> str:
    return (
        f"{facts['motions']} motions ({facts['sBM']} basic, {facts['sFM']} advanced), {facts['hours']:.2f} hours, "
        f"{facts['songs']} songs, {facts['dancers']} dancers"
    )
