"""What of AIST++ is there: motions, hours, genres, splits, and what is ignored, missing or broken."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ictus.corpora import shorten_list
from ictus.dance.data import aist
from ictus.dance.data.aist import Take


@dataclass(frozen=True)
class Share:
    """What there is of one split: the names that it lists, and those of them that are of no use, for what reason."""

    listed: int
    usable: tuple[Take, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    broken: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return the counts as JSON types."""
        lengths = {key: len(getattr(self, key)) for key in ("usable", "ignored", "missing", "broken")}
        return {"listed": self.listed, **lengths, **_counted(self.usable)}


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes
    ----------
    takes : those that can be used, of any split or none.
    splits : by their names, e.g. "crossmodal_train".
    ignored : how many names the ignore list holds.
    broken : a line for each file that cannot be used.
    songs_found, songs_missing : of the songs that the takes are danced to; None if no folder of music was given.
    """

    takes: tuple[Take, ...]
    splits: dict[str, Share]
    ignored: int
    broken: tuple[str, ...]
    songs_found: tuple[str, ...] | None
    songs_missing: tuple[str, ...] | None

    def facts(self) -> dict[str, Any]:
        """Return all as JSON types."""
        genres = {genre: _counted(t for t in self.takes if t.sequence.genre == genre) for genre in self._genres}
        music = None
        if self.songs_found is not None and self.songs_missing is not None:
            music = {"found": list(self.songs_found), "missing": list(self.songs_missing)}
        return {
            **_counted(self.takes),
            "ignored": self.ignored,
            "broken": list(self.broken),
            "genres": {f"{genre} ({aist.GENRES[genre]})": facts for genre, facts in genres.items()},
            "splits": {name: share.facts() for name, share in self.splits.items()},
            "music": music,
        }

    def lines(self) -> list[str]:
        """Return all but the broken files as lines of text."""
        facts = self.facts()
        lines = [f"{_said(facts)}; {self.ignored} on the ignore list, {len(self.broken)} broken"]
        lines += [f"{genre}: {_said(part)}" for genre, part in facts["genres"].items()]
        for name, share in facts["splits"].items():
            bad = ", ".join(f"{share[key]} {key}" for key in ("ignored", "missing", "broken"))
            lines.append(f"{name}: {share['listed']} listed, {bad}; {_said(share)}")
        if self.songs_found is not None and self.songs_missing is not None:
            missing = f"; missing are {shorten_list(self.songs_missing)}" if self.songs_missing else ""
            lines.append(f"music: {len(self.songs_found)} of {facts['songs']} songs found{missing}")
        return lines

    @property
    def _genres(self) -> list[str]:
        return sorted({take.sequence.genre for take in self.takes})


def inspect(
    root: str | os.PathLike[str],
    music: str | os.PathLike[str] | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Inspection:
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
    found = aist.survey(root, progress=progress)
    takes = {take.name: take for take in found.takes}
    there, ignored = aist.motion_files(root), aist.ignore_list(root)
    splits = {}
    for file in sorted((Path(root) / "splits").glob("*_*.txt"), key=_order):
        kind, _, split = file.stem.partition("_")
        if kind not in ("crossmodal", "pose") or split not in aist.SPLITS:
            continue
        names = aist.split_names(root, split, "pose" if kind == "pose" else "crossmodal")
        wanted = [name for name in names if name not in ignored]
        splits[file.stem] = Share(
            len(names),
            tuple(takes[name] for name in wanted if name in takes),
            tuple(name for name in names if name in ignored),
            tuple(name for name in wanted if name not in there),
            tuple(name for name in wanted if name in there and name not in takes),
        )
    if music is None:
        return Inspection(found.takes, splits, len(ignored), found.broken, None, None)
    needed = sorted({take.sequence.music for take in found.takes})
    known = aist.songs(music)
    has, lacks = (tuple(s for s in needed if (s in known) == wanted) for wanted in (True, False))
    return Inspection(found.takes, splits, len(ignored), found.broken, has, lacks)


def _order(file: Path) -> tuple[str, int]:
    kind, _, split = file.stem.partition("_")
    return kind, aist.SPLITS.index(split) if split in aist.SPLITS else len(aist.SPLITS)


def _counted(takes: Iterable[Take]) -> dict[str, Any]:
    takes = tuple(takes)
    situations = Counter(take.sequence.situation for take in takes)
    return {
        "motions": len(takes),
        "hours": round(sum(take.frames for take in takes) / aist.RATE / 3600, 4),
        "songs": len({take.sequence.music for take in takes}),
        "dancers": len({take.sequence.dancer for take in takes}),
        **{situation: situations[situation] for situation in aist.SITUATIONS},
    }


def _said(facts: dict[str, Any]) -> str:
    return (
        f"{facts['motions']} motions ({facts['sBM']} basic, {facts['sFM']} advanced), {facts['hours']:.2f} hours, "
        f"{facts['songs']} songs, {facts['dancers']} dancers"
    )
