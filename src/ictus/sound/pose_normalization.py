"""From the output of a pose estimator to poses that a network can learn from.

    file -> PoseTrack.load -> fill_gaps -> resample_track -> keypoint_encoder.normalised_points

Points that were not found are filled where the gap is short, and reported where it is long; then all films have the
same rate, and the player the same place and size, so that nothing depends on the camera or its resolution.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ictus.errors import MotionError
from ictus.files import readable
from ictus.formats import check_fps, count_frames, read_keypoints
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.sound import KEYPOINT_RATE
from ictus.types import BoolArray, Float32Array, Float64Array, IntArray

BODY = get_skeleton("solos-47")
RATE = float(KEYPOINT_RATE)  # poses a second, of Solos and of all that is learnt from it
FOUND_CONFIDENCE = 0.2  # at this confidence or below, a point counts as not found (Solos, its rectification)
RIGHT_SHOULDER, LEFT_SHOULDER = BODY.index("right_shoulder"), BODY.index("left_shoulder")
WRISTS = (BODY.index("right_wrist"), BODY.index("left_wrist"))
ARMS = tuple(
    tuple(BODY.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist")) for side in ("right", "left")
)
SIDEWAYS = 0.5  # a player's shoulders count as no narrower than this much of an arm


@dataclass(frozen=True)
class PoseTrack:
    """A player's points over time, each with a confidence.

    Attributes
    ----------
    positions : (T, 47, 2) float32 of solos-47: pixels, x right and y down.
    confidence : (T, 47) float32 in [0, 1]; 0 where a point was not found.
    fps : frames per second.

    Raises
    ------
    MotionError
        If the shapes do not fit solos-47, there is no frame, a number is not finite or a confidence no fraction, or
        fps is not positive.
    """

    positions: Float32Array
    confidence: Float32Array
    fps: float

    def __post_init__(self) -> None:
        for name in ("positions", "confidence"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float32))
        shape = self.confidence.shape
        if shape[1:] != (len(BODY),) or self.positions.shape != (*shape, 2):
            raise MotionError(
                f"positions have shape {self.positions.shape} and confidence {shape}; "
                f"a player's are (frames, {len(BODY)}, 2) and (frames, {len(BODY)})"
            )
        if not len(self):
            raise MotionError("there are no frames in it")
        finite = np.isfinite(self.points).all((1, 2))
        if not finite.all():
            raise MotionError(f"the points are not finite (first in frame {int(finite.argmin())})")
        if self.confidence.min() < 0 or self.confidence.max() > 1:
            raise MotionError("a confidence lies outside [0, 1]")
        check_fps(self.fps)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    @property
    def points(self) -> Float32Array:
        """(T, 47, 3): x, y, confidence, as networks take them and prepared corpora hold them."""
        return np.concatenate((self.positions, self.confidence[..., None]), -1)

    @classmethod
    def of(cls, points: Float32Array, fps: float = RATE) -> "PoseTrack":
        """Make a track of (T, 47, 3): x, y, confidence."""
        if points.ndim != 3 or points.shape[1:] != (len(BODY), 3):
            raise MotionError(f"points have shape {points.shape}; a player's are (frames, {len(BODY)}, 3)")
        return cls(points[..., :2], points[..., 2], fps)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], fps: float | None = None, size: tuple[int, int] | None = None
    ) -> "PoseTrack":
        """Read a file or folder of a pose estimator; see `ictus.formats.read_keypoints`.

        Parameters
        ----------
        fps : of the film; takes precedence over that in the file; needed where that has none (OpenPose, MMPose).
        size : width and height of the film in pixels, for landmarks that are fractions of it (MediaPipe).

        Raises
        ------
        MotionError
            If the file is missing, damaged, of another body, or its frame rate is not known.
        """
        source = Path(path)
        found = read_keypoints(source if source.is_dir() else readable(source, MotionError), size)
        rate = found.fps if fps is None else fps
        if rate is None:
            raise MotionError(
                f"{path}: holds no frame rate; give the frames per second of the film", option="keypoint-fps"
            )
        try:
            return cls.of(found.points, rate)
        except MotionError as error:
            raise MotionError(f"{path}: {error}") from error

    def motion(self) -> Motion:
        """Return the points as a motion of solos-47; the confidence is left behind."""
        return Motion(self.positions, self.fps, BODY)


@dataclass(frozen=True)
class FilledTrack:
    """A track without gaps.

    Attributes
    ----------
    track : all positions are whole. A filled point has `FOUND_CONFIDENCE`; one that could only be guessed, 0.
    filled, guessed : the share of all points that were filled, and of those whose gaps were too long.
    silent : (N, 2) seconds, begin and end: where neither wrist is seen for longer than the limit. What is played there
        cannot be known.
    """

    track: PoseTrack
    filled: float
    guessed: float
    silent: Float64Array


def fill_gaps(track: PoseTrack, limit: float = 0.4) -> FilledTrack:
    """Fill gaps along straight lines, each joint relative to the one it hangs on: unseen fingers go with their hand.

    Before its first sight and after its last a joint stays as it was seen next; one that is never seen lies on the
    joint it hangs on.

    Parameters
    ----------
    limit : seconds; longer gaps are guessed in the same way, but reported.

    Raises
    ------
    MotionError
        If no point is ever seen.
    """
    seen = track.confidence > FOUND_CONFIDENCE  # (T, 47)
    if not seen.any():
        raise MotionError(
            f"no point is ever seen with a confidence over {FOUND_CONFIDENCE:g}; is there a player in the film?"
        )
    positions = track.positions.astype(np.float64)
    frames = np.arange(len(track))
    if not seen[:, 0].any():  # the root, which all hang on: rather near the others than in a corner
        positions[:, 0] = np.median(positions[seen], 0)
    for joint, parent in enumerate(BODY.parents or ()):
        known = np.flatnonzero(seen[:, joint])
        above = positions[:, parent] if parent >= 0 else np.zeros(2)
        if len(known):
            offset = positions[:, joint] - above
            for axis in range(2):
                offset[:, axis] = np.interp(frames, known, offset[known, axis])
            path = above + offset
            path[known] = positions[known, joint]  # exactly
            positions[:, joint] = path
        elif parent >= 0:
            positions[:, joint] = above
    short = ~seen & (_gaps(seen) <= limit * track.fps)
    confidence = np.where(seen, track.confidence, np.where(short, FOUND_CONFIDENCE, 0)).astype(np.float32)
    whole = PoseTrack(positions.astype(np.float32), confidence, track.fps)
    wrists = np.any(seen[:, list(WRISTS)], axis=1, keepdims=True)  # (T, 1)
    long = (~wrists & (_gaps(wrists) > limit * track.fps))[:, 0]
    return FilledTrack(whole, float(short.mean()), float((~seen & ~short).mean()), _runs(long) / track.fps)


def _gaps(seen: BoolArray) -> IntArray:
    """Return (T, J): for each frame in which a joint is not seen, the length of that gap in frames; otherwise 0."""
    lengths = np.zeros(seen.shape, np.int64)
    for joint in range(seen.shape[1]):
        for first, last in _runs(~seen[:, joint]):
            lengths[first:last, joint] = last - first
    return lengths


def _runs(marked: BoolArray) -> IntArray:
    """Return (N, 2): the first frame of each marked run, and the frame after its last."""
    edges = np.diff(np.concatenate(([False], marked, [False])).astype(np.int8))
    return np.stack((np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)), 1)


def resample_track(track: PoseTrack, fps: float = RATE) -> PoseTrack:
    """Return a track without gaps at another frame rate; positions and confidences run along straight lines.

    The first frame stays at 0 s, and what would lie beyond the last frame repeats it.
    """
    if fps == track.fps:
        return track
    check_fps(fps)
    times = np.arange(count_frames(track.duration, fps, 3 * len(BODY))) / fps * track.fps  # in frames
    before = np.minimum(times.astype(np.int64), len(track) - 1)
    share = np.minimum(times - before, 1)[:, None, None]
    points = track.points.astype(np.float64)
    between = (1 - share) * points[before] + share * points[np.minimum(before + 1, len(track) - 1)]
    return PoseTrack.of(between.astype(np.float32), fps)


def mirror_track(track: PoseTrack) -> PoseTrack:
    """Return a track of the film in a mirror: left and right change places. For films taken as selfies."""
    positions = track.positions[:, BODY.mirror] * np.array([-1, 1], np.float32)
    return replace(track, positions=positions, confidence=track.confidence[:, BODY.mirror])
