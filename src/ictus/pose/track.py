"""One person through a film: points with their confidence, gaps filled and smoothed."""

from dataclasses import dataclass
from pathlib import Path

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
    confidence : (T, J) in [0, 1]; a point that was filled in has `ictus.pose.gaps.FILLED`, one that was guessed 0.
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
