"""A folder of recordings with the beats that people tapped: what beat trackers are measured on.

    NAME.ogg               sound, of whatever kind
    NAME.csv|.beats|.txt   a line for each beat: seconds and, where it is known, the place in the bar (1 is the
                           downbeat, 0 not known); see `ictus.beats.labels`
    index.csv              where it is there: `name` and `group` of each recording

Folders within the folder are read, too, and name a group.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ictus.beats.beats import Beats
from ictus.errors import IctusError, UsageError
from ictus.files import FILMS, SOUNDS, reading
from ictus.types import Float64Array, IntArray

_BEATS = (".csv", ".beats", ".txt")
_INDEX = "index.csv"


@dataclass(frozen=True)
class AnnotatedMusic:
    """A recording and its beats.

    Attributes
    ----------
    music : sound file.
    times : (N,) seconds of the beats.
    positions : (N,) places in the bar, 0 where it is not known.
    group : kind of music.
    """

    music: Path
    times: Float64Array
    positions: IntArray
    group: str

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.music.stem

    @property
    def meter(self) -> int | None:
        """Beats in most of the bars; None if less than two downbeats are known."""
        downbeats = np.flatnonzero(self.positions == 1)
        if len(downbeats) < 2:
            return None
        return int(np.bincount(np.diff(downbeats)).argmax())


def annotated_folder(folder: Path) -> list[AnnotatedMusic]:
    """Find all recordings that have beats beside them, by name.

    Raises
    ------
    UsageError
        If there are none.
    IctusError
        If a file of beats is damaged.
    """
    groups = _groups(folder / _INDEX)
    found = []
    for file in sorted(folder.rglob("*")):
        beats = next((other for suffix in _BEATS if (other := file.with_suffix(suffix)).is_file()), None)
        if file.suffix.lower() in (*SOUNDS, *FILMS) and beats is not None:
            times, positions = read_beats(beats)
            inner = "music" if file.parent == folder else file.parent.relative_to(folder).as_posix()
            found.append(AnnotatedMusic(file, times, positions, groups.get(file.stem, inner)))
    if not found:
        raise UsageError(f"{folder}: no recordings with beats; put NAME.csv (time,beat) beside each NAME.wav")
    return found


def read_beats(file: Path) -> tuple[Float64Array, IntArray]:
    """Return seconds and places in the bar, both (N,), of a file of tapped beats. Raises IctusError if it is none."""
    beats = Beats.load(file)
    if not len(beats) or beats.times[0] < 0:
        raise IctusError(f"{file}: must hold beats, none of them before second 0")
    return beats.times, beats.positions


def _groups(index: Path) -> dict[str, str]:
    if not index.is_file():
        return {}
    with reading(index) as path:
        rows = csv.DictReader(path.read_text("utf-8-sig").splitlines())
        return {row["name"]: row["group"] for row in rows if row.get("name") and row.get("group")}
