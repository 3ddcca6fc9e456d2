"""What of a prepared corpus of performances is there: clips, hours and videos by instrument, and what is broken."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ictus.corpora import SPLITS, shorten_list
from ictus.errors import IctusError, UsageError
from ictus.sound import MEL_RATE
from ictus.sound.data.dataset import FEATURE_SHAPES, PreparedPerformance, find_performances
from ictus.sound.pose_normalization import FOUND_CONFIDENCE
from ictus.types import Progress


@dataclass(frozen=True)
class InstrumentTotals:
    """What there is of one instrument in one split.

    Attributes
    ----------
    split : its name.
    instrument : its name, "unknown" where the corpus names none.
    clips, videos, hours : how much there is; a video counts once.
    with_keypoints : clips that have them.
    seen : the share of all their points that were found with some confidence, not filled; None without keypoints.
    """

    split: str
    instrument: str
    clips: int
    videos: int
    hours: float
    with_keypoints: int
    seen: float | None

    def facts(self) -> dict[str, Any]:
        """Return all as JSON types."""
        return {
            **{key: getattr(self, key) for key in ("split", "instrument", "clips", "videos", "with_keypoints")},
            "hours": round(self.hours, 4),
            "seen": None if self.seen is None else round(self.seen, 4),
        }

    def line(self) -> str:
        """Return all as a line of text."""
        poses = "" if self.seen is None else f", {self.with_keypoints} with keypoints, of which {self.seen:.0%} seen"
        return (
            f"{self.split}: {self.instrument}: {_count(self.clips, 'clip')} of {_count(self.videos, 'video')}, "
            f"{self.hours:.2f} hours{poses}"
        )


@dataclass(frozen=True)
class PerformanceInspection:
    """What was found: a share for each instrument of each split, and a line for each thing that is wrong."""

    shares: tuple[InstrumentTotals, ...]
    broken: tuple[str, ...]


def inspect_performances(
    root: str | os.PathLike[str], progress: Progress = lambda fraction: None
) -> PerformanceInspection:
    """Read all arrays of a corpus.

    A folder is broken if one of them is damaged, not finite, out of range or of another length than its mel. A video in
    more than one split is reported, for a network would then be tested on what it was trained on.

    Raises
    ------
    UsageError
        If there is no split.
    """
    there = [split for split in SPLITS if (Path(root) / split).is_dir()]
    if not there:
        raise UsageError(
            f"{root}: has none of {', '.join(f'{split}/' for split in SPLITS)}; give the folder above them"
        )
    found = {split: find_performances(root, split) for split in there}
    broken = [line for split in found.values() for line in split.broken]
    count = sum(len(split.performances) for split in found.values())
    groups: dict[tuple[str, str], list[tuple[PreparedPerformance, float | None]]] = {}
    places: dict[str, set[str]] = {}
    done = 0
    for split in there:
        beside, lines = _beside(root, split)
        broken += lines
        for one in found[split].performances:
            try:
                sure = _read(one, beside.get(one.folder, {}))
                groups.setdefault((split, str(one.about.get("instrument") or "unknown")), []).append((one, sure))
                places.setdefault(_video(one), set()).add(split)
            except IctusError as error:
                broken.append(str(error))
            done += 1
            progress(done / count)
    if twice := sorted(video for video, splits in places.items() if len(splits) > 1):
        broken.append(f"{root}: in more than one split: {shorten_list(twice)}; prepare it anew, split by video")
    return PerformanceInspection(tuple(_share(*key, group) for key, group in groups.items()), tuple(broken))


def _beside(root: str | os.PathLike[str], split: str) -> tuple[dict[Path, dict[str, PreparedPerformance]], list[str]]:
    """Return for each folder what it has beside its mel, by kind; and a line for each such array that is broken."""
    beside: dict[Path, dict[str, PreparedPerformance]] = {}
    lines = []
    for kind in FEATURE_SHAPES:
        found = find_performances(root, split, (kind,))
        for one in found.performances:
            beside.setdefault(one.folder, {})[kind] = one
        # most lines are of arrays that simply are not there, or of folders that are broken without them
        lines += [line for line in found.broken if f"{kind}.npy:" in line and not line.endswith(": missing")]
    return beside, lines


def _read(performance: PreparedPerformance, beside: Mapping[str, PreparedPerformance]) -> float | None:
    """Read all arrays of a performance; return the share of its points that were found, None without keypoints."""
    performance.mel()
    features = {kind: one.features(kind) for kind, one in beside.items()}
    return float((features["keypoints"][..., 2] > FOUND_CONFIDENCE).mean()) if "keypoints" in features else None


def _video(performance: PreparedPerformance) -> str:
    return str(performance.about.get("video") or performance.folder.name)


def _share(split: str, instrument: str, group: Sequence[tuple[PreparedPerformance, float | None]]) -> InstrumentTotals:
    shares = [share for _, share in group if share is not None]
    return InstrumentTotals(
        split,
        instrument,
        len(group),
        len({_video(one) for one, _ in group}),
        sum(one.frames for one, _ in group) / MEL_RATE / 3600,
        len(shares),
        float(np.mean(shares)) if shares else None,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
