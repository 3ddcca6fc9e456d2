"""MediaPipe's landmarks as arrays: 33 points of the body and 21 of each hand, one row a frame.

| file | content |
|---|---|
| .npz | `pose` (T, 33, C), `left_hand` (T, 21, C), `right_hand` (T, 21, C); perhaps `fps`, and `size` (width, height) |
| .npy | (T, 75, C): the same three, one after another |

C is 2 to 5: x, y, z, visibility, presence, as MediaPipe orders them; z is not used, and without a visibility a point
that was found counts as sure. x and y are fractions of the picture, so that its size is needed; where they are pixels
already, which is seen by their values, it is not. A hand's landmarks have no visibility of their own. What was not
found is NaN or zeros. Sides are the player's, as the holistic landmarker gives them; the hand landmarker, which takes
every picture for a selfie, calls them the other way round.
Source: developers.google.com/edge/mediapipe, holistic, pose and hand landmarkers.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ictus import limits
from ictus.arrays import archive, load, mapped
from ictus.errors import IctusError, MotionError
from ictus.files import short
from ictus.formats import Keypoints, check_fps
from ictus.formats.solos import HAND, checked, joined
from ictus.types import AnyArray, Float32Array

_PARTS = {"pose": 33, "left_hand": HAND, "right_hand": HAND}
_ARMS = {
    **{"left_shoulder": 11, "right_shoulder": 12, "left_elbow": 13, "right_elbow": 14},
    **{"left_wrist": 15, "right_wrist": 16},
}
_VISIBILITY = 3
_FRACTION = 4.0  # what lies outside the picture is at most a few of its widths away; pixels are larger


def fits(path: Path) -> bool:
    """Return whether an .npy file has the shape of landmarks; damage is left to whoever reads it."""
    try:
        shape = mapped(path).shape
    except IctusError:
        return False
    return len(shape) == 3 and shape[1] == sum(_PARTS.values())


def read(path: Path, size: tuple[int, int] | None = None) -> Keypoints:
    """Read landmarks.

    Parameters
    ----------
    size : width and height of the picture in pixels; goes before that of the file.

    Raises
    ------
    MotionError
        If the file is damaged, lacks a part, or its fractions lack the size of the picture.
    """
    arrays = _arrays(path)
    parts = {name: _part(path, arrays, name) for name in _PARTS}
    if len({len(part) for part in parts.values()}) > 1:
        lengths = ", ".join(f"{name} {len(part)}" for name, part in parts.items())
        raise MotionError(f"{path}: the parts have different numbers of frames ({lengths}); write a row for each frame")
    scale = _scale(path, parts, arrays, size)
    found = {name: _found(part, hand=name != "pose") * scale for name, part in parts.items()}
    arms = {joint: found["pose"][:, number] for joint, number in _ARMS.items()}
    points = joined(arms, found["right_hand"], found["left_hand"])
    return Keypoints(checked(points, str(path)), _fps(path, arrays))


def rows(points: Float32Array, size: tuple[int, int]) -> Float32Array:
    """Turn points (T, 75, 3), pixels and a confidence, into landmarks (T, 75, 4): fractions, no depth, visibility.

    What has no confidence is NaN.
    """
    places = points[..., :2] / np.array(size, np.float32)
    landmarks = np.stack((places[..., 0], places[..., 1], np.zeros_like(places[..., 0]), points[..., 2]), -1)
    landmarks[points[..., 2] <= 0] = np.nan
    return landmarks.astype(np.float32)


def parts(landmarks: Float32Array) -> dict[str, Float32Array]:
    """Split landmarks (T, 75, C) into the arrays of an .npz."""
    pieces = np.split(landmarks, np.cumsum(list(_PARTS.values()))[:-1], axis=1)
    return dict(zip(_PARTS, pieces, strict=True))


def _arrays(path: Path) -> Mapping[str, AnyArray]:
    if path.suffix.lower() == ".npz":
        with archive(path, MotionError) as held:
            return {name: held.numbers(name) for name in (*_PARTS, "fps", "size") if name in held or name in _PARTS}
    whole = load(path, MotionError, limit=limits.ARRAYS)
    if whole.ndim != 3 or whole.shape[1] != sum(_PARTS.values()):
        raise MotionError(f"{path}: has shape {short(whole.shape)}; landmarks are (frames, 75, 2 to 5)")
    return parts(whole)


def _part(path: Path, arrays: Mapping[str, AnyArray], name: str) -> Float32Array:
    array = arrays[name]
    if array.dtype.kind != "f" or array.ndim != 3 or array.shape[1] != _PARTS[name] or not 2 <= array.shape[2] <= 5:
        raise MotionError(
            f"{path}: {name} has type {array.dtype} and shape {short(array.shape)}; "
            f"it must be floats (frames, {_PARTS[name]}, 2 to 5)"
        )
    if np.isinf(array).any():
        raise MotionError(f"{path}: {name} holds infinity; write NaN where nothing was found")
    return array.astype(np.float32)


def _found(part: Float32Array, hand: bool) -> Float32Array:
    """Return (T, points, 3): x, y and the confidence, all 0 where a point is missing."""
    places = part[..., :2]
    missing = np.isnan(places).any(-1) | (places == 0).all(-1)
    sure = np.ones(part.shape[:2], np.float32)
    if part.shape[2] > _VISIBILITY and not hand:
        sure = np.clip(np.nan_to_num(part[..., _VISIBILITY]), 0, 1)
    points = np.concatenate((places, sure[..., None]), -1)
    points[missing] = 0
    return points


def _scale(
    path: Path, parts: dict[str, Float32Array], arrays: Mapping[str, AnyArray], size: tuple[int, int] | None
) -> Float32Array:
    """Return what to multiply x, y and confidence with."""
    pose = np.abs(np.nan_to_num(parts["pose"][:, list(_ARMS.values()), :2]))
    found = pose[pose > 0]
    if found.size and np.percentile(found, 95) > _FRACTION:  # pixels
        return np.ones(3, np.float32)
    if size is None and "size" in arrays:
        given = arrays["size"].ravel()
        size = (int(given[0]), int(given[1])) if given.size == 2 and np.isfinite(given).all() else None
    if size is None or min(size) < 1:
        raise MotionError(
            f"{path}: these landmarks are fractions of the picture, whose width and height in pixels are needed; "
            "give the film too, or an .npz with an array `size`"
        )
    return np.array([*size, 1], np.float32)


def _fps(path: Path, arrays: Mapping[str, AnyArray]) -> float | None:
    if "fps" not in arrays:
        return None
    given = arrays["fps"].ravel()
    return check_fps(given[0] if given.size == 1 else given[:3].tolist(), f"{path}: fps")
