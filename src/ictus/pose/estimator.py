"""What finds a person in pictures: the protocol of all engines, and what they take and give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ictus.pose.following import Follower
from ictus.skeleton import Skeleton
from ictus.types import FloatArray


@dataclass(frozen=True)
class Picture:
    """A picture of a film.

    Attributes
    ----------
    pixels : (H, W, 3) uint8, RGB, upright.
    time : seconds.
    new_scene : whether the film was cut before it, so that nothing is where it was.
    """

    pixels: NDArray[np.uint8]
    time: float
    new_scene: bool = False


@dataclass(frozen=True)
class Person:
    """What an engine finds of a person in a picture.

    Attributes
    ----------
    points : (J, 2) pixels, y down; anything where the confidence is 0.
    confidence : (J,) in [0, 1]; 0 where a point was not found.
    world : (J, 3) metres about the hips' middle, y up, z towards the camera; None where the engine knows no space.
    """

    points: FloatArray
    confidence: FloatArray
    world: FloatArray | None = None


class PoseEstimator(Protocol):
    """An engine: pictures -> the person that is followed, picture by picture, or None where nobody is.

    It takes the pictures one after another, and may look some pictures ahead. Who is followed, where there are several
    people, it asks `follow`. What it gives is not smoothed over time, so that others can do so without delay.
    """

    @property
    def skeleton(self) -> Skeleton:
        """Whose J joints it finds."""

    def __call__(self, pictures: Iterable[Picture], follow: Follower) -> Iterator[Person | None]:
        """Yield one answer for each picture."""
