"""Retargeting: the same movement on another body, as far as the two have in common; what files of motion need.

Works on `Motion` and on what format modules call a motion alike: dataclasses with skeleton, fps, positions, rotations
and root.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from ictus.errors import MotionError
from ictus.skeleton import Skeleton, find_skeleton
from ictus.types import Float32Array


class Moving(Protocol):
    """A body's movement; what is not known is None."""

    @property
    def skeleton(self) -> Skeleton:
        """The body."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def positions(self) -> Float32Array | None:
        """(T, J, 2|3)."""

    @property
    def rotations(self) -> Float32Array | None:
        """(T, J, 3, 3), each relative to the parent joint."""

    @property
    def root(self) -> Float32Array | None:
        """(T, 3), where the root joint is."""


M = TypeVar("M", bound=Moving)


def positions_of(motion: Moving) -> Float32Array:
    """Return (T, J, 2|3); raise MotionError if there are none."""
    if motion.positions is None:
        raise MotionError(f"this motion of {motion.skeleton.name} has no positions")
    return motion.positions


def moved(
    motion: M,
    skeleton: Skeleton,
    positions: Float32Array,
    rotations: Float32Array | None = None,
    root: Float32Array | None = None,
) -> M:
    """Return the motion on another skeleton."""
    return replace(motion, skeleton=skeleton, positions=positions, rotations=rotations, root=root)  # type: ignore[type-var]


def fitted(motion: M, bodies: Iterable[str]) -> M:
    """Return the motion on one of the bodies that a file can hold, if there is a way to it; else as it is.

    Parameters
    ----------
    bodies : names of skeletons.
    """
    from ictus.retargeting.humanoid import as_dancer
    from ictus.retargeting.pose_fitting import POSABLE, posed
    from ictus.retargeting.projection import lift, project

    name, wanted = motion.skeleton.name, tuple(bodies)
    if name in wanted:
        return motion
    if name == "conductor-23" and "conductor-13" in wanted:
        return project(motion)
    if name == "conductor-13" and "conductor-23" in wanted:
        return lift(motion)
    if name in POSABLE and "smpl-24" in wanted and positions_of(motion).shape[2] == 3:
        return posed(motion)
    parents = motion.skeleton.parents
    if wanted == ("smpl-24",) and parents is not None and find_skeleton(motion.skeleton.joints, parents) is None:
        return as_dancer(motion)
    return motion
