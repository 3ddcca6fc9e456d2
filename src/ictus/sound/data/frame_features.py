"""Frame features of a film: the player's keypoints, and features of the pictures, brought to seconds of its clips.

Of a film that is played slower there are fewer features a second; keypoints are 25 a second whatever film
they come from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ictus import limits
from ictus.arrays import archive, mapped
from ictus.errors import IctusError, MotionError, UsageError
from ictus.files import short
from ictus.formats import Keypoints, pickled, read_keypoints
from ictus.formats.solos import read_video
from ictus.pose import points_of
from ictus.pose.watch import Watch
from ictus.sound import KEYPOINT_RATE
from ictus.sound.data.dataset import FEATURE_SHAPES, has_shape
from ictus.sound.data.video_index import Video
from ictus.sound.pose_normalization import PoseTrack, fill_gaps, resample_track
from ictus.types import AnyArray, Float32Array, Float64Array
from ictus.video_io import Film

FEATURE_RATE = 21.5  # rows a second, as published for Solos
WATCHED_RATE = 30.0  # frames a second, about, in which a player is looked for
_FIT = 0.01  # share of a film by which what belongs to it may be longer or shorter, or a second if that is more
_EVEN = 0.002  # seconds by which containers round the times of pictures


@dataclass(frozen=True)
class FrameFeatures:
    """Keypoints or features from the first instant of a film on, and how many there are a second."""

    values: AnyArray
    rate: float

    @property
    def seconds(self) -> float:
        """How long they last."""
        return len(self.values) / self.rate

    def cut(self, start: float, seconds: float) -> AnyArray:
        """Return the rows of some seconds; where they end too early, the last is repeated."""
        first, count = round(start * self.rate), round(seconds * self.rate)
        rows = self.values[first : first + count]
        return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), 0)])


def load_keypoints(video: Video, film: Film, *, rate: float | None = None, stretch: float = 1.0) -> FrameFeatures:
    """Read a player's keypoints, fill their gaps, and bring them to 25 a second of clips.

    Whether a row is a moment of a steady rate or a picture of the film is seen from their number; the pictures need not
    be evenly spaced.

    Parameters
    ----------
    rate : rows a second of the film; takes precedence over that in the file.
    stretch : how fast the film is played.

    Raises
    ------
    IctusError
        If they are damaged, show nobody, or do not fit the film.
    UsageError
        If there are none of this video.
    """
    if video.keypoints:
        where, found = str(video.keypoints), read_keypoints(video.keypoints, film.size)
    elif video.skeletons:
        where, found = f"{video.skeletons[0]}, {video.name}", read_video(*video.skeletons, video.name)
    else:
        raise UsageError(f"{video.film}: there are no keypoints of it")
    times, rate = _times(found, film, rate, where)
    points = _filled(found.points, rate, where)
    if times is not None:
        points = _evenly(points, times, rate)
    return FrameFeatures(resample_track(PoseTrack.of(points, rate * stretch)).points, KEYPOINT_RATE)


def watch_keypoints(film: Film, watch: Watch, *, stretch: float = 1.0) -> FrameFeatures:
    """Find the player in a film of which there are no keypoints, and bring them to 25 a second of clips.

    Parameters
    ----------
    watch : finds the player.
    stretch : how fast the film is played.

    Raises
    ------
    IctusError
        If nobody is seen in it, or its pictures are damaged.
    """
    found = watch(film.file, WATCHED_RATE)
    points = _filled(points_of(found, "solos-47"), found.fps, str(film.file))
    return FrameFeatures(resample_track(PoseTrack.of(points, found.fps * stretch)).points, KEYPOINT_RATE)


def _filled(points: Float32Array, rate: float, where: str) -> Float32Array:
    try:
        return fill_gaps(PoseTrack.of(points, rate)).track.points
    except MotionError as error:
        raise IctusError(f"{where}: {error}") from error


def load_features(
    file: Path, kind: str, film: Film, *, rate: float = FEATURE_RATE, stretch: float = 1.0
) -> FrameFeatures:
    """Read features of the pictures, "rgb" (N, 1024), or of the movement in them, "flow" (N, F).

    Parameters
    ----------
    file : .npy; .npz with an array of that name, or with one array only, and perhaps `fps`; or .pkl.
    rate : rows a second of the film, where the file does not say.
    stretch : how fast the film is played.

    Raises
    ------
    IctusError
        If the file is damaged, holds something else, or lasts longer or shorter than the film.
    """
    values, stated = _array(file, kind)
    rate = stated or rate
    if not isinstance(values, np.ndarray) or not has_shape(values, FEATURE_SHAPES[kind]):
        what = (
            f"{short(values.dtype)} of shape {short(values.shape)}"
            if isinstance(values, np.ndarray)
            else type(values).__name__
        )
        raise IctusError(f"{file}: {kind} is {what}; it must be floats (rows, {FEATURE_SHAPES[kind][0] or 'numbers'})")
    if not np.isfinite(values).all():
        raise IctusError(f"{file}: {kind} is not finite; compute it again")
    if not _fits(len(values) / rate, film):
        raise IctusError(
            f"{file}: {len(values)} rows, {rate:g} a second, last {len(values) / rate:.1f} s, but the film "
            f"{film.seconds:.1f} s; give their rate"
        )
    return FrameFeatures(values, rate * stretch)


def _array(file: Path, kind: str) -> tuple[Any, float | None]:
    """Return what a file holds of a kind, and the rate that it states."""
    suffix = file.suffix.lower()
    if suffix == ".pkl":
        return pickled.load(file), None
    if suffix == ".npy":
        return mapped(file), None
    with archive(file, limit=limits.MEMORY) as held:
        names = [name for name in held if name != "fps"]
        values = held[names[0] if len(names) == 1 else kind]
        rate = held.number("fps") if "fps" in held else None
    if rate is not None and not 0 < rate < 1000:
        raise IctusError(f"{file}: fps is {rate:g}; it must be positive")
    return values, rate


def _times(found: Keypoints, film: Film, rate: float | None, where: str) -> tuple[Float64Array | None, float]:
    """Return the time of each row in the film, None if they are evenly spaced, and how many a second there are."""
    count = len(found.points)
    stated = rate or found.fps
    if stated and _fits(count / stated, film):
        return None, stated
    if rate is None and abs(count - len(film.times)) <= max(1, _FIT * count):
        even = np.allclose(film.times, np.arange(len(film.times)) / film.rate, atol=_EVEN)
        return (None if even else film.times[:count]), film.rate
    if stated is None and _fits(count / KEYPOINT_RATE, film):
        return None, KEYPOINT_RATE
    at = f", {stated:g} a second, last {count / stated:.1f} s" if stated else ""
    raise IctusError(
        f"{where}: {count} rows{at}, but the film has {len(film.times)} pictures and lasts {film.seconds:.1f} s; "
        "they do not belong together, or their rate is another (give the keypoint rate)"
    )


def _fits(seconds: float, film: Film) -> bool:
    return abs(seconds - film.seconds) <= max(1, _FIT * film.seconds)


def _evenly(points: Float32Array, times: Float64Array, rate: float) -> Float32Array:
    """Return points (T, 47, 3) at a steady rate, of which each was seen at its own time."""
    points = points[: len(times)]
    wanted = np.arange(round(times[-1] * rate) + 1) / rate
    columns = [np.interp(wanted, times, column) for column in points.reshape(len(points), -1).T]
    return np.stack(columns, 1).reshape(-1, *points.shape[1:]).astype(np.float32)
