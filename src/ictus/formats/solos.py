"""The skeletons of Solos: solos-47, with a confidence for each point, at 25 frames per second.

    skeleton.npy        raw float32 (N, 3, 47) without a header: all videos one after another
    skeleton_dict.json  {video: [first row, row after the last], ..., "_counter": N}
    <any>.npy           float (T, 3, 47) with a header: one video; (T, 47, 3), as prepared corpora have it, is read too

Of the three numbers the first two are x and y in pixels, y down; the third is the confidence, 0 where a point was not
found. The rows of a video are its frames at 25 per second, whatever rate it was published with.
Source: Montesinos, Slizovskaia & Haro, "Solos: A Dataset for Audio-Visual Music Analysis", MMSP 2020, and its
repository.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ictus import limits
from ictus.arrays import load
from ictus.documents import read_json
from ictus.errors import MotionError
from ictus.files import quoted, readable, short
from ictus.formats import Keypoints
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array

FPS = 25.0
BODY = get_skeleton("solos-47")
ARMS = 7  # neck and arms; the fingers follow, twenty of each hand
HAND = 21  # points that estimators give a hand: the wrist, then each finger from base to tip
_ROW = (3, len(BODY))


def read(path: Path) -> Keypoints:
    """Read one video's array.

    Raises
    ------
    MotionError
        If it is no such array, or its numbers are not finite.
    """
    array = load(path, MotionError, limit=limits.ARRAYS)
    turned = array.shape[1:] == _ROW
    if array.dtype.kind != "f" or array.ndim != 3 or (not turned and array.shape[1:] != _ROW[::-1]):
        raise MotionError(
            f"{path}: holds an array of type {array.dtype} and shape {short(array.shape)}; "
            "keypoints of Solos are floats (frames, 3, 47) or (frames, 47, 3)"
        )
    return Keypoints(checked((array.swapaxes(1, 2) if turned else array).astype(np.float32), str(path)), FPS)


def write(path: Path, points: Float32Array) -> None:
    """Write one video's points (T, 47, 3) at 25 frames per second: x and y in pixels, and the confidence."""
    with path.open("wb") as file:
        np.save(file, checked(points, str(path)).swapaxes(1, 2), allow_pickle=False)


def read_video(path: Path, table: Path, video: str) -> Keypoints:
    """Read one video from the array of all.

    Parameters
    ----------
    path : skeleton.npy, which is mapped, not loaded.
    table : skeleton_dict.json.
    video : its id.

    Raises
    ------
    MotionError
        If the table does not name the video, or the array has not the rows that it states.
    """
    rows = _rows(table, video)
    size = readable(path, MotionError).stat().st_size
    width = 4 * _ROW[0] * _ROW[1]
    if size % width:
        raise MotionError(f"{path}: has {size} bytes, no multiple of a frame's {width}; fetch it again")
    if size // width < rows[1]:
        raise MotionError(f"{path}: has {size // width} frames, and {table} states {rows[1]}; they do not belong")
    array = np.memmap(path, np.float32, "r", shape=(size // width, *_ROW))
    return Keypoints(checked(np.array(array[slice(*rows)]).swapaxes(1, 2), f"{path}, {video}"), FPS)


def joined(arms: dict[str, Float32Array], right: Float32Array, left: Float32Array) -> Float32Array:
    """Put a player together from arms and hands, as other formats have them.

    Parameters
    ----------
    arms : (T, 3) of each joint "right_shoulder" ... "left_wrist", and of "neck" where the format has one; otherwise
        it is the middle of the shoulders, as sure as the less sure of them.
    right, left : (T, 21, 3) hands, the wrist first, which is left out.

    Returns
    -------
    (T, 47, 3) of solos-47.
    """
    if "neck" not in arms:
        shoulders = np.stack([arms["right_shoulder"], arms["left_shoulder"]])  # (2, T, 3)
        sure = shoulders[..., 2].min(0)
        neck = np.concatenate((shoulders[..., :2].mean(0), sure[:, None]), 1)
        arms = {**arms, "neck": np.where(sure[:, None] > 0, neck, 0)}
    body = np.stack([arms[name] for name in BODY.joints[:ARMS]], 1)  # (T, 7, 3)
    return np.concatenate((body, right[:, 1:], left[:, 1:]), 1).astype(np.float32)


def followed(people: Mapping[int, Sequence[Float32Array]], where: str) -> Float32Array:
    """Follow one player through a film in which others may be seen, too.

    It is whoever is seen most clearly and largest in any frame, and from there on, to both sides, whoever is nearest.

    Parameters
    ----------
    people : (47, 3) of each person in a frame, by the frame's number. Frames that are left out show nobody.

    Returns
    -------
    (T, 47, 3) from the first number to the last; zeros where nobody is seen.

    Raises
    ------
    MotionError
        Beginning with `where`: if nobody is ever seen, or more frames are left out than are there.
    """
    seen = [number for number in sorted(people) if len(people[number])]
    if not seen:
        raise MotionError(f"{where}: shows nobody")
    first, count = min(people), max(people) - min(people) + 1
    if count > 2 * len(people) + 1:
        raise MotionError(f"{where}: {len(people)} of {count} frames are there; their numbers must follow one another")
    points = np.zeros((count, len(BODY), 3), np.float32)
    start = max(range(len(seen)), key=lambda k: max(map(_presence, people[seen[k]])))
    for order in (seen[start:], seen[start::-1]):
        last = max(people[seen[start]], key=_presence)
        for number in order:
            last = min(people[number], key=lambda person, last=last: _distance(person, last))  # type: ignore[misc]
            points[number - first] = last
    return points


def _presence(person: Float32Array) -> float:
    """Return how clearly and how large a person is seen."""
    known = person[person[:, 2] > 0]
    return float(person[:, 2].sum() * np.ptp(known[:, :2], axis=0).sum()) if len(known) else 0.0


def _distance(one: Float32Array, other: Float32Array) -> float:
    """Return the mean distance of the points that both have, or infinity."""
    both = (one[:, 2] > 0) & (other[:, 2] > 0)
    return float(np.abs(one[both, :2] - other[both, :2]).mean()) if both.any() else np.inf


def checked(points: Float32Array, where: str) -> Float32Array:
    """Return points (T, 47, 3), contiguous.

    Raises
    ------
    MotionError
        Beginning with `where`: if there are none, one is not finite, or a confidence lies outside [0, 1].
    """
    if not len(points):
        raise MotionError(f"{where}: there are no frames in it")
    finite = np.isfinite(points).reshape(len(points), -1).all(1)
    if not finite.all():
        raise MotionError(
            f"{where}: not finite (first in frame {int(finite.argmin())}); write zeros where nothing was found"
        )
    low, high = points[..., 2].min(), points[..., 2].max()
    if low < 0 or high > 1:
        raise MotionError(f"{where}: its confidences run from {low:g} to {high:g}; they must lie in [0, 1]")
    return np.ascontiguousarray(points, np.float32)


def _rows(table: Path, video: str) -> tuple[int, int]:
    """Return the first row of a video, and the row after its last."""
    content = read_json(table, MotionError)
    if not isinstance(content, dict) or video not in content:
        raise MotionError(f"{table}: names no video {quoted(video)}; give the skeleton_dict.json of Solos")
    rows = content[video]
    whole = isinstance(rows, list) and len(rows) == 2 and all(type(row) is int for row in rows)
    if not whole or not 0 <= rows[0] < rows[1]:
        raise MotionError(f"{table}: {short(video)} is {quoted(rows)}; it must be [first row, row after the last]")
    return rows[0], rows[1]
