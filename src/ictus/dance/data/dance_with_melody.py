"""Dance with Melody as it lies on disk: ballroom dances with the songs that they were danced to.

As it is published:

    <root>/DANCE_<name>/skeletons.json   {"center": (N, 3), "skeletons": (N, 23, 3) relative to it}, centimetres, y up
                       /config.json      {"start_position", "end_position"}: the part of the song, in frames at 25 fps
                       /audio.mp3        the whole song

or gathered, one file of motion and one of sound for each dance:

    <root>/<name>.npz                    positions (N, 23, 3), centimetres, y up
          /<name>.ogg (.wav .flac .mp3)  its part of the song: second 0 is frame 0
          /splits.csv                    dance_id and split of each dance; if it is there, it decides

Names are a letter for the kind of dance and a number: W_1. Nominally there are 25 frames a second, but the waltzes fit
the bars of their songs best when they are played 1.5 % slower, at about 24.63; of the others no such thing is known.
The waltzes are spliced from clips that many of them share. The splits here keep together what shares clips, though even
so nine tenths of what is held out of the waltzes has a near copy among those to train on.
Source: Tang, Jia & Mao, Dance with Melody (ACM Multimedia 2018), the data set in its re-timed form of 2019.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ictus.arrays import archive
from ictus.audio import Audio
from ictus.documents import read_json, read_table
from ictus.errors import IctusError, MotionError, UsageError
from ictus.files import quoted, reading, short
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

Kind = Literal["all", "waltz", "tango", "cha-cha", "rumba"]
KINDS = {"C": "cha-cha", "R": "rumba", "T": "tango", "W": "waltz"}
RATE = 25.0  # nominal frames a second
RATES = {"waltz": RATE / 1.015}  # where the true one is known to be another
MUSIC_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")

_BODY = get_skeleton("melody-23")
_NAME = re.compile(r"(?:DANCE_)?([CRTW])_(\d+)")
_FARTHEST = 10_000.0  # centimetres: what is farther away is not in that unit
# Those of the 39 dances whose shared clips were compared that are held out; all others of them are for training.
_HELD_OUT = {
    "val": ("C_6", "R_5", "W_4", "W_8", "W_18", "W_20", "W_29"),
    "test": ("C_4", "R_7", "W_5", "W_15", "W_17", "W_25", "W_28"),
}
_COMPARED = {
    "C": (2, 4, 6, 8),
    "R": (2, 4, 5, 7, 8, 9),
    "T": (5,),
    "W": (1, *range(3, 9), 10, 11, 12, 14, 15, 17, 18, *range(20, 34)),
}


@dataclass(frozen=True)
class MelodyRecording:
    """One dance of the corpus: its name, and the files of its motion and of its song."""

    name: str
    motion_file: Path
    music_file: Path

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return KINDS[self.name[0]]

    def motion(self, rate: float | None = None) -> Motion:
        """Read the motion: melody-23 in metres, as it was recorded.

        Parameters
        ----------
        rate : true frames a second; None recordings what is known of its kind.

        Raises
        ------
        MotionError
            If the file is missing, damaged or something else.
        """
        with reading(self.motion_file, MotionError) as file, np.errstate(all="ignore"):
            centimetres = _published(file) if file.suffix == ".json" else _gathered(file)
            if centimetres.ndim != 3 or centimetres.shape[1:] != (len(_BODY), 3) or not len(centimetres):
                raise MotionError(
                    f"holds points of shape {short(centimetres.shape)}, expected (frames, {len(_BODY)}, 3)"
                )
            if not np.abs(centimetres).max() < _FARTHEST:
                raise MotionError("holds points that are nowhere, or farther away than any stage is wide")
            metres = (centimetres / 100).astype(np.float32)
            return Motion(metres, rate or RATES.get(self.kind, RATE), _BODY, meta={"dance": self.kind})

    def audio(self) -> Audio:
        """Read the song from the moment at which the dance begins, and no more of it than a second beyond the dance.

        Raises
        ------
        AudioError
            If the file is missing or damaged.
        MotionError
            If what says where the dance begins is.
        """
        whole = Audio.load(self.music_file)
        if self.motion_file.suffix != ".json":
            return whole
        start, end = _part(self.motion_file.with_name("config.json"))
        return Audio(whole.samples[:, round(start * whole.rate) : round((end + 1) * whole.rate)], whole.rate)


@dataclass(frozen=True)
class MelodyScan:
    """What was found: usable recordings with the seconds that they last, and one line for each that is not usable."""

    recordings: tuple[MelodyRecording, ...]
    seconds: tuple[float, ...]
    broken: tuple[str, ...]


def find_recordings(
    root: str | os.PathLike[str], kind: Kind = "all"
) -> tuple[tuple[MelodyRecording, ...], tuple[str, ...]]:
    """Return the dances by kind and number, and a line for each whose song is not there. No file is opened.

    Raises
    ------
    UsageError
        If there is no such folder, or no dance of that kind in it.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give the one that holds the dances of Dance with Melody")
    found: list[MelodyRecording] = []
    alone: list[str] = []
    for path in sorted(folder.iterdir(), key=_by_number):
        match = _NAME.fullmatch(path.name if path.is_dir() else path.stem)
        if match is None or not (path.is_dir() or path.suffix == ".npz") or kind not in ("all", KINDS[match[1]]):
            continue
        motion = path / "skeletons.json" if path.is_dir() else path
        places = [path / f"audio{s}" if path.is_dir() else path.with_suffix(s) for s in MUSIC_SUFFIXES]
        music = next((place for place in places if place.is_file()), None)
        if music is None:
            alone.append(f"{path}: its song is missing ({' or '.join(place.name for place in places)})")
        else:
            found.append(MelodyRecording(f"{match[1]}_{match[2]}", motion, music))
    if not found and not alone:
        what = "dance" if kind == "all" else kind
        raise UsageError(f"{folder}: holds no {what}; they are named like DANCE_W_1/skeletons.json or W_1.npz")
    return tuple(found), tuple(alone)


def scan_recordings(root: str | os.PathLike[str]) -> MelodyScan:
    """Look through all dances; every file of motion is read. Raises UsageError as `find_recordings`."""
    found, alone = find_recordings(root)
    usable: list[MelodyRecording] = []
    seconds: list[float] = []
    broken = list(alone)
    for recording in found:
        try:
            seconds.append(recording.motion().duration)
            usable.append(recording)
        except IctusError as error:
            broken.append(str(error))
    return MelodyScan(tuple(usable), tuple(seconds), tuple(broken))


def splits(root: str | os.PathLike[str]) -> dict[str, str]:
    """Return the split of each dance whose split is known, by its name: that of splits.csv, or else of our own list.

    Raises
    ------
    UsageError
        If splits.csv is no table of dance_id and split.
    """
    file = Path(root) / "splits.csv"
    if not file.is_file():
        named = {name: split for split, names in _HELD_OUT.items() for name in names}
        return {
            name: named.get(name, "train") for kind, ns in _COMPARED.items() for name in (f"{kind}_{n}" for n in ns)
        }
    table = {row["dance_id"]: row["split"] for row in read_table(file, "dance_id", "split", kind=UsageError)}
    if other := set(table.values()) - {"train", "val", "test"}:
        raise UsageError(f"{file}: knows a split {quoted(sorted(other)[0])}; there are train, val and test")
    return table


def _by_number(path: Path) -> tuple[str, int]:
    match = _NAME.fullmatch(path.name if path.is_dir() else path.stem)
    return (match[1], int(match[2])) if match else ("", 0)


def _published(file: Path) -> Float64Array:
    """Return the points of a skeletons.json, (N, 23, 3) centimetres."""
    content = read_json(file, MotionError)
    try:
        middle, points = (np.asarray(content[key], np.float64) for key in ("center", "skeletons"))
        return np.asarray(points + middle[:, None], np.float64)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MotionError('is no dance of this corpus: "center" and "skeletons" are missing or malformed') from error


def _gathered(file: Path) -> Float64Array:
    """Return the points of a .npz, (N, 23, 3) centimetres."""
    with archive(file, MotionError) as held:
        return held.numbers("positions").astype(np.float64)


def _part(file: Path) -> tuple[float, float]:
    """Return the seconds of the song between which is danced, from a config.json."""
    content = read_json(file, MotionError)
    try:
        start, end = (float(content[f"{edge}_position"]) / RATE for edge in ("start", "end"))
    except (KeyError, TypeError, ValueError) as error:
        raise MotionError(f"{file}: start_position and end_position are missing") from error
    if not 0 <= start < end < np.inf:
        raise MotionError(f"{file}: a dance from {start:g} s to {end:g} s of the song is none")
    return start, end
