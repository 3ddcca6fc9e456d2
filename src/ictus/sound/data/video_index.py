"""What lies in a folder of players' films: the film, keypoints and features of each video, its instrument and split.

    <root>/<Instrument>/<video>.mp4               or all films in <root>, and a table of them
           <Instrument>/<video>.npy .npz .json    keypoints, as `ictus.formats.read_keypoints` knows them, or a folder
                                                  <video>/ of OpenPose's pages
           <Instrument>/<video>_feat.npz          rgb and flow (N, 1024), perhaps fps; or <video>_rgb and <video>_flow
                                                  as .npy, .npz or .pkl
           videos.csv                             video, instrument, split: the table; any but the first may be missing
           skeleton.npy, skeleton_dict.json       keypoints of all videos, as Solos publishes them

Films may be .mp4 .mkv .webm .mov .m4v.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ictus.corpora import find_films, hashed_split, read_video_table, shorten_list
from ictus.documents import parse_json, read_json, read_text
from ictus.errors import UsageError
from ictus.files import readable, reading

FEATURES = ("rgb", "flow")
POSES = (".npy", ".npz", ".json")  # of keypoints
_ARRAYS = (".npy", ".npz", ".pkl")
_SKELETONS, _SKELETON_DICT = "skeleton.npy", "skeleton_dict.json"


@dataclass(frozen=True)
class Video:
    """A film of one player, and what is known about it.

    Attributes
    ----------
    name : its id.
    instrument : in small letters, as "double bass"; None if it is not known.
    split : "train", "val" or "test".
    film : the file.
    keypoints : file or folder of a pose estimator, or None.
    skeletons : Solos' array of all videos and its table, if they hold this one.
    features : the file of "rgb" and of "flow", where there is one.
    """

    name: str
    instrument: str | None
    split: str
    film: Path
    keypoints: Path | None = None
    skeletons: tuple[Path, Path] | None = None
    features: Mapping[str, Path] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of what there is beside sound and pictures: "keypoints", "rgb", "flow"."""
        poses = ("keypoints",) if self.keypoints or self.skeletons else ()
        return (*poses, *(kind for kind in FEATURES if kind in self.features))

    @property
    def stem(self) -> str:
        """How the names of its clips begin: instrument and id, "cello-3HgbEKrbA9s"."""
        return f"{re.sub(r'[^a-z0-9]+', '_', self.instrument or 'unknown')}-{self.name}"


def find_videos(
    root: Path,
    *,
    table: Path | None = None,
    skeletons: Path | None = None,
    instruments: Collection[str] = (),
    seed: int = 0,
    watched: bool = False,
) -> tuple[list[Video], list[str]]:
    """Find the videos in a folder.

    Parameters
    ----------
    table : .csv with a column video, and instrument or split; it takes precedence over folders and hashes. By default
        `videos.csv` in `root`, if it is there.
    skeletons : Solos' skeleton.npy, with skeleton_dict.json beside it; by default those in `root`, if they are there.
    instruments : only these; all if empty.
    seed : another one splits the videos otherwise.
    watched : whether players are looked for in films without keypoints, which then lack nothing.

    Returns
    -------
    The videos by their names; and a line for what is doubtful: films that have the same name, and videos without
    keypoints where others have them.

    Raises
    ------
    UsageError
        If there is no such folder, no film in it, or a table is malformed.
    """
    films = find_films(root)
    rows = read_video_table(table, root)
    poses = _skeletons(skeletons, root)
    videos: dict[str, Video] = {}
    lines: list[str] = []
    for film in films:
        row = rows.get(film.stem, {})
        instrument = instrument_name(row.get("instrument") or ("" if film.parent == root else film.parent.name))
        if instruments and instrument not in {instrument_name(name) for name in instruments}:
            continue
        if film.stem in videos:
            lines.append(f"{film}: {videos[film.stem].film} has the same name; one of them is left out")
            continue
        split = row.get("split") or hashed_split(film.stem, seed)
        table_of = poses if poses and film.stem in poses[2] else None
        videos[film.stem] = Video(
            film.stem,
            instrument,
            split,
            film,
            keypoints_beside(film),
            table_of and table_of[:2],
            _features(film),
        )
    if not videos:
        raise UsageError(f"{root}: none of its {len(films)} films shows {' or '.join(instruments)}")
    found = sorted(videos.values(), key=lambda video: video.name)
    for kind, count in Counter(kind for video in found for kind in video.parts).items():
        lacking = [video.name for video in found if kind not in video.parts]
        if lacking and not (watched and kind == "keypoints"):
            lines.append(f"{root}: {count} videos have {kind}, but not {shorten_list(lacking)}")
    return found, lines


def instrument_name(instrument: str) -> str | None:
    """Return an instrument's name in small letters: "DoubleBass" is "double bass". None if it is empty."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", instrument).replace("_", " ").split()
    return " ".join(words).lower() or None


def read_ids(path: Path, instruments: Collection[str] = ()) -> dict[str, str | None]:
    """Read a list of ids, as Solos publishes them: the instrument of each, or None.

    Parameters
    ----------
    path : .json with {instrument: [ids]}, {instrument: {id: ...}} or [ids]; or text with an id in each line.
    instruments : only these; all if empty.

    Raises
    ------
    UsageError
        If it is no such list.
    """
    only = {instrument_name(name) for name in instruments}
    text = read_text(path, UsageError)
    with reading(path, UsageError):
        content: Any = parse_json(text) if Path(path).suffix.lower() == ".json" else text.split()
    groups = content if isinstance(content, dict) else {"": content}
    ids: dict[str, str | None] = {}
    for group, names in groups.items():
        if not isinstance(names, list | dict) or not all(isinstance(name, str) for name in names):
            raise UsageError(f"{path}: no list of ids; it must be {{instrument: [ids]}}, or a line for each")
        if not only or not group or instrument_name(group) in only:
            ids |= {name: instrument_name(group) for name in names}
    return ids


def _skeletons(path: Path | None, root: Path) -> tuple[Path, Path, Collection[str]] | None:
    """Return Solos' array, its table, and the videos in it."""
    if path is None:
        path = root / _SKELETONS
        if not path.is_file() or not (root / _SKELETON_DICT).is_file():
            return None
    rows = path.parent / _SKELETON_DICT
    readable(path, UsageError)
    content = read_json(rows, UsageError)
    if not isinstance(content, dict):
        raise UsageError(f"{rows}: no table of videos; give the skeleton_dict.json of Solos")
    return path, rows, content.keys()


def keypoints_beside(film: Path) -> Path | None:
    """Return the keypoints beside a film: a folder or file of its name; None if there are none."""
    places = [film.with_suffix(""), *(film.with_suffix(suffix) for suffix in POSES)]
    return next((place for place in places if (place.is_file() if place.suffix in POSES else place.is_dir())), None)


def _features(film: Path) -> dict[str, Path]:
    """Return the files of features beside a film."""
    both = film.with_name(f"{film.stem}_feat.npz")
    found = {kind: both for kind in FEATURES if both.is_file()}
    for kind in FEATURES:
        files = [film.with_name(f"{film.stem}_{kind}{suffix}") for suffix in _ARRAYS]
        if there := [file for file in files if file.is_file()]:
            found[kind] = there[0]
    return found
