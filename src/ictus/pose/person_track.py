"""One person through a film: points with their confidence, gaps filled and smoothed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ictus.formats import check_fps, count_frames
from ictus.pose.gaps import LONGEST, runs
from ictus.skeleton import Skeleton
from ictus.types import BoolArray, Float32Array


@dataclass(frozen=True)
class Track:
    """One person through a film.

    Attributes
    ----------
    skeleton : whose J joints there are.
    points : (T, J, 2) pixels, y down; all finite, those that were not found are guessed.
    confidence : (T, J) in [0, 1]; a point that was filled in has `ictus.pose.gaps.FILLED`, one beside
        the picture no more than that, and one in a long gap 0.
    world : (T, J, 3) metres about the hips' middle, y up, z towards the camera; or None.
    seen : (T,) whether anybody is.
    fps : frames per second.
    size : width and height of the pictures, pixels.
    cuts : seconds of the track at which a new scene begins.
    film : the file.
    start : second of the film at which the track begins.
    """

    skeleton: Skeleton
    points: Float32Array
    confidence: Float32Array
    world: Float32Array | None
    seen: BoolArray
    fps: float
    size: tuple[int, int]
    cuts: tuple[float, ...] = ()
    film: Path | None = None
    start: float = 0.0

    def __len__(self) -> int:
        return len(self.points)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self) / self.fps

    @property
    def nobody(self) -> list[tuple[float, float]]:
        """Seconds of the film, begin and end, in which nobody is seen for longer than is filled in."""
        gaps = [(first, last) for first, last in runs(~self.seen).tolist() if last - first > LONGEST * self.fps]
        return [(self.start + first / self.fps, self.start + last / self.fps) for first, last in gaps]

    def resampled(self, fps: float) -> "Track":
        """Return the track at another frame rate; all runs along straight lines, and the last frame is held.

        Raises
        ------
        MotionError
            If fps is out of range, or makes too many frames.
        """
        check_fps(fps)
        if fps == self.fps:
            return self
        times = np.arange(count_frames(self.duration, fps, 6 * len(self.skeleton))) * (self.fps / fps)  # in frames
        before = np.minimum(times.astype(np.int64), len(self) - 1)
        after = np.minimum(before + 1, len(self) - 1)
        share = np.minimum(times - before, 1)[:, None, None]

        def between(array: Float32Array) -> Float32Array:
            return np.asarray((1 - share) * array[before] + share * array[after], np.float32)

        return replace(
            self,
            points=between(self.points),
            confidence=between(self.confidence[..., None])[..., 0],
            world=None if self.world is None else between(self.world),
            seen=self.seen[np.minimum(np.round(times).astype(np.int64), len(self) - 1)],
            fps=fps,
        )
