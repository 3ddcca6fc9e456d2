"""AIST++ as it lies on disk: motions, keypoints, cameras, splits, and the names of its sequences.

    <root>/motions/<sequence>.pkl        smpl-24 at 60 frames per second (see `ictus.formats.aist`)
          /keypoints2d/<sequence>.pkl    nine views of coco-17 in pixels
          /keypoints3d/<sequence>.pkl    coco-17 in centimetres
          /cameras/mapping.txt           two columns: sequence and setting
                  /<setting>.json        nine cameras
          /splits/<kind>_<split>.txt     sequences, one per line; kind is crossmodal or pose
          /ignore_list.txt               sequences whose motion failed

Motion frame 0 is second 0 of the music, which is not part of the corpus.
Source: Li, Yang, Ross & Kanazawa, AI Choreographer: Music Conditioned 3D Dance Generation with AIST++ (ICCV 2021);
music and names: Tsuchida et al., AIST Dance Video Database (ISMIR 2019).
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ictus.documents import read_json, read_text
from ictus.errors import IctusError, MotionError, UsageError
from ictus.files import reading
from ictus.formats import pickled
from ictus.motion import Motion
from ictus.types import AnyArray, Float32Array, Float64Array, FloatArray, Progress

RATE = 60  # frames a second
VIEWS = 9
SPLITS = ("train", "val", "test")
AIST_GENRES = {
    "BR": "break",
    "PO": "pop",
    "LO": "lock",
    "MH": "middle hip-hop",
    "LH": "LA hip-hop",
    "HO": "house",
    "WA": "waack",
    "KR": "krump",
    "JS": "street jazz",
    "JB": "ballet jazz",
}
GENRES = {**AIST_GENRES, "MO": "modern", "IN": "Indian"}  # of other corpora, too
SITUATIONS = ("sBM", "sFM")  # basic and advanced dance
MUSIC_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus", ".mp4")  # the first of a song counts

_NAME = re.compile(r"g([A-Z]{2})_(s[A-Z]{2})_c(All|\d\d)_d(\d\d)_(m[A-Z]{2}\d)_ch(\d\d)")
_SETTING = re.compile(r"[\w-]{1,40}")  # the name of a file, without its suffix
_MUSIC = re.compile(r"m([A-Z]{2})(\d)")


@dataclass(frozen=True)
class SequenceName:
    """What the name of a sequence says: gBR_sBM_cAll_d04_mBR0_ch01.

    Attributes
    ----------
    genre : one of `AIST_GENRES`.
    situation : "sBM" (basic dance) or "sFM" (advanced).
    camera : "All", or a view, "01" to "09".
    dancer, choreography : numbers, from 1.
    music : the song, e.g. "mBR0".
    """

    genre: str
    situation: str
    camera: str
    dancer: int
    music: str
    choreography: int

    @classmethod
    def parse(cls, name: str) -> "SequenceName":
        """Read a name. Raises UsageError if it is none of AIST's."""
        match = _NAME.fullmatch(name)
        if match is None or match[1] not in AIST_GENRES or match[2] not in SITUATIONS:
            raise UsageError(f"{name!r} is no sequence of AIST++; they are named like gBR_sBM_cAll_d04_mBR0_ch01")
        return cls(match[1], match[2], match[3], int(match[4]), match[5], int(match[6]))

    def __str__(self) -> str:
        return f"g{self.genre}_{self.situation}_c{self.camera}_d{self.dancer:02}_{self.music}_ch{self.choreography:02}"

    @property
    def tempo(self) -> float:
        """Beats per minute."""
        return song_tempo(self.music)


def song_tempo(music: str) -> float:
    """Return a song's beats per minute from its name, e.g. 110 for "mHO0": house 110 + 5 k, the others 80 + 10 k.

    Raises
    ------
    UsageError
        If it is no name of an AIST song.
    """
    match = _MUSIC.fullmatch(music)
    if match is None or match[1] not in AIST_GENRES:
        raise UsageError(f"{music!r} is no song of AIST; they are named like mBR0")
    return 110.0 + 5 * int(match[2]) if match[1] == "HO" else 80.0 + 10 * int(match[2])


@dataclass(frozen=True)
class AISTMotion:
    """One motion of the corpus: its name, its file and its frames at 60 a second."""

    name: str
    file: Path
    frames: int

    @property
    def sequence(self) -> SequenceName:
        """What the name says."""
        return SequenceName.parse(self.name)

    def motion(self) -> Motion:
        """Read it: smpl-24 with rotations, at 60 frames a second."""
        return Motion.load(self.file)


@dataclass(frozen=True)
class AISTScan:
    """What was found: usable motions, and one line for each that is not."""

    motions: tuple[AISTMotion, ...]
    broken: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Usable hours."""
        return sum(motion.frames for motion in self.motions) / RATE / 3600


def scan_motions(
    root: str | os.PathLike[str],
    split: str | None = None,
    kind: Literal["crossmodal", "pose"] = "crossmodal",
    progress: Progress = lambda fraction: None,
) -> AISTScan:
    """Read the motions of a split, or all that are there.

    Sequences on the ignore list are left out; `progress` is called with the fraction done.

    Raises
    ------
    UsageError
        If the folder holds no motions, or has no such split.
    """
    there = motion_files(root)
    names = sorted(there) if split is None else split_names(root, split, kind)
    ignored = ignore_list(root)
    motions: list[AISTMotion] = []
    broken: list[str] = []
    for number, name in enumerate(names, 1):
        progress(number / len(names))
        if name in ignored:
            continue
        file = Path(root) / "motions" / f"{name}.pkl"
        try:
            SequenceName.parse(name)
            motions.append(AISTMotion(name, file, len(Motion.load(file))))
        except UsageError as error:
            broken.append(f"{file}: {error}")
        except IctusError as error:
            broken.append(str(error))
    return AISTScan(tuple(motions), tuple(broken))


def motion_files(root: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the files of motions/ by the names of their sequences. Raises UsageError if there is no such folder."""
    motions = Path(root) / "motions"
    if not motions.is_dir():
        raise UsageError(f"{motions}: no such folder; give the folder of AIST++ that holds motions/ and splits/")
    return {path.stem: path for path in motions.glob("*.pkl")}


def songs(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the sound files that are songs of AIST by their names, e.g. {"mBR0": Path("music/mBR0.wav")}.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    if not Path(folder).is_dir():
        raise UsageError(f"{folder}: no such folder; give the one that holds the songs, mBR0.wav and so on")
    files = sorted(file for file in Path(folder).iterdir() if _MUSIC.fullmatch(file.stem))
    by_suffix = [(file, file.suffix.lower()) for file in files if file.suffix.lower() in MUSIC_SUFFIXES]
    worst_first = sorted(by_suffix, key=lambda pair: -MUSIC_SUFFIXES.index(pair[1]))
    return {file.stem: file for file, _ in worst_first}


def split_names(
    root: str | os.PathLike[str], split: str, kind: Literal["crossmodal", "pose"] = "crossmodal"
) -> tuple[str, ...]:
    """Return the names of a split, in the order of its file. Raises UsageError if there is no such file."""
    file = Path(root) / "splits" / f"{kind}_{split}.txt"
    if not file.is_file():
        raise UsageError(f"{file}: no such split; AIST++ has {', '.join(SPLITS)} of crossmodal and of pose")
    return _lines(file)


def ignore_list(root: str | os.PathLike[str]) -> frozenset[str]:
    """Return the names of sequences whose motion failed; none where the list is not there."""
    file = Path(root) / "ignore_list.txt"
    return frozenset(_lines(file)) if file.is_file() else frozenset()


def _lines(file: Path) -> tuple[str, ...]:
    """Read names, one per line; some copies end them with blanks or ".json"."""
    names = (line.strip().removesuffix(".json") for line in read_text(file, MotionError).splitlines())
    return tuple(name for name in names if name)


@dataclass(frozen=True)
class Keypoints2D:
    """coco-17 in the views of nine cameras.

    Attributes
    ----------
    positions : (9, T, 17, 2) pixels, x right, y down; NaN where nobody was found.
    scores : (9, T, 17) confidence of each joint.
    detections : (9, T) confidence that there is a dancer.
    times : (T,) the timestamps of the frames, as they are in the file.
    """

    positions: Float32Array
    scores: Float32Array
    detections: Float32Array
    times: Float64Array


def keypoints2d(file: str | os.PathLike[str]) -> Keypoints2D:
    """Read a file of keypoints2d/.

    Raises
    ------
    MotionError
        If it is missing, damaged or something else.
    """
    entries = _entries(file, "keypoints2d", "det_scores", "timestamps")
    points, scores, times = entries
    frames = points.shape[1] if points.ndim > 1 else 0
    _check_shape(file, "keypoints2d", points, (VIEWS, frames, 17, 3))
    _check_shape(file, "det_scores", scores, (VIEWS, frames))
    _check_shape(file, "timestamps", times, (frames,))
    single = points.astype(np.float32)
    return Keypoints2D(single[..., :2], single[..., 2], scores.astype(np.float32), times)


def keypoints3d(file: str | os.PathLike[str], *, optimised: bool = True) -> Float32Array:
    """Read a file of keypoints3d/: (T, 17, 3), coco-17 in centimetres, y up, at 60 frames a second.

    Parameters
    ----------
    optimised : the points that were fitted with smoothness and constant bones; otherwise those triangulated frame by
        frame, NaN where they could not be.

    Raises
    ------
    MotionError
        If it is missing, damaged or something else.
    """
    key = "keypoints3d_optim" if optimised else "keypoints3d"
    (points,) = _entries(file, key)
    _check_shape(file, key, points, (len(points) if points.ndim else 0, 17, 3))
    return points.astype(np.float32)


def _entries(file: str | os.PathLike[str], *keys: str) -> list[Float64Array]:
    with reading(file, MotionError) as path:
        content = pickled.load(path)
        if not isinstance(content, dict) or any(key not in content for key in keys):
            raise MotionError(f"has not the layout of AIST++: {' or '.join(keys)} is missing")
        return [pickled.numbers(content[key], key) for key in keys]


def _check_shape(file: str | os.PathLike[str], key: str, array: AnyArray, shape: tuple[int, ...]) -> None:
    if array.shape != shape or not array.size:
        raise MotionError(f"{file}: {key} has shape {array.shape}, expected ({', '.join(map(str, shape))})")


@dataclass(frozen=True)
class Camera:
    """One camera: how places in the studio (centimetres) fall on its picture.

    Attributes
    ----------
    name : "c01" to "c09".
    size : width and height, pixels.
    matrix : (3, 3) of the lens, pixels.
    rotation : (3,) of the studio into the camera's axes, axis times angle.
    translation : (3,) centimetres.
    distortions : (5,) of the lens: k1, k2, p1, p2, k3.
    """

    name: str
    size: tuple[int, int]
    matrix: Float64Array
    rotation: Float64Array
    translation: Float64Array
    distortions: Float64Array

    def project(self, places: FloatArray) -> Float64Array:
        """Project places (..., 3) centimetres: (..., 2) pixels."""
        import cv2

        points = np.ascontiguousarray(places, np.float64).reshape(-1, 1, 3)
        pixels, _ = cv2.projectPoints(points, self.rotation, self.translation, self.matrix, self.distortions)
        return np.asarray(pixels, np.float64).reshape(*places.shape[:-1], 2)


def cameras(root: str | os.PathLike[str], sequence: str) -> tuple[Camera, ...]:
    """Return the nine cameras that filmed a sequence.

    Raises
    ------
    UsageError
        If the mapping does not know the sequence.
    MotionError
        If a file is missing or damaged.
    """
    settings = camera_settings(root)
    if sequence not in settings:
        mapping = Path(root) / "cameras" / "mapping.txt"
        raise UsageError(f"{mapping}: no camera setting is known for {sequence}; is the name complete, with cAll?")
    file = Path(root) / "cameras" / f"{settings[sequence]}.json"
    content = read_json(file, MotionError)
    try:
        return tuple(map(_camera, content))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise MotionError(f"{file}: is no list of cameras, or a damaged one") from error


def camera_settings(root: str | os.PathLike[str]) -> dict[str, str]:
    """Return the setting of each sequence, from cameras/mapping.txt: the list of all sequences that there are.

    Raises
    ------
    MotionError
        If the file is missing or has a line that is not a sequence and a setting.
    """
    file = Path(root) / "cameras" / "mapping.txt"
    rows = [line.split() for line in read_text(file, MotionError).splitlines() if line.strip()]
    bad = next((number for number, row in enumerate(rows, 1) if len(row) != 2 or not _SETTING.fullmatch(row[1])), None)
    if bad:
        raise MotionError(f"{file}: line {bad} is not a sequence and a setting")
    return dict(rows)


def _camera(entry: dict[str, Any]) -> Camera:
    width, height = entry["size"]

    def numbers(key: str, *shape: int) -> Float64Array:
        return np.asarray(entry[key], np.float64).reshape(shape)

    return Camera(
        str(entry["name"]),
        (int(width), int(height)),
        numbers("matrix", 3, 3),
        numbers("rotation", 3),
        numbers("translation", 3),
        numbers("distortions", 5),
    )
