"""Several dancers on one stage, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ictus.audio import Audio
from ictus.dance.pipeline import Dancer, GenreDancer
from ictus.dance.quaternions import from_matrices, mirrored, to_motion
from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.types import Progress

_APART = 1.5  # metres from one to the next
_CLEAR = 1.0  # metres that are always between two neighbours' pelvises, sideways


def dance_together(
    dancer: Dancer,
    audio: Audio,
    dancers: int,
    *,
    mirror: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Motion]:
    """Let several dance to the same music, in one genre.

    Parameters
    ----------
    dancers : how many, from the left as the audience sees them.
    mirror : whether all dance as the first, every second one with left and right exchanged; otherwise each dances
        another dance, of the seeds `seed`, `seed + 1` and so on.

    Returns
    -------
    Each dancer's motion, in its place on the stage; meta["dancer"] is its number from 1. A single one is not moved.
    """
    if dancers == 1:
        return [dancer(audio, seed=seed, progress=progress)]
    report = progress or (lambda fraction: None)
    motions = [dancer(audio, seed=seed)]
    report(1 / dancers)
    genre = motions[0].meta.get("genre")
    others = dancer.in_genre(genre) if genre and isinstance(dancer, GenreDancer) else dancer
    for number in range(1, dancers):
        if mirror:
            motions.append(mirrored_motion(motions[0]) if number % 2 else motions[0])
        else:
            motions.append(others(audio, seed=seed + number))
        report((number + 1) / dancers)
    named = [replace(motion, meta={**motion.meta, "dancer": k}) for k, motion in enumerate(motions, 1)]
    return placed_side_by_side(named)


def mirrored_motion(motion: Motion) -> Motion:
    """Return a dance of smpl-24 with left and right exchanged. Raises MotionError if it has no rotations."""
    if motion.rotations is None or motion.root is None:
        raise MotionError(f"a motion of {motion.skeleton.name} without rotations cannot be mirrored")
    quaternions, root = mirrored(from_matrices(motion.rotations.astype(np.float64)), motion.root.astype(np.float64))
    turned = to_motion(quaternions, root)
    return replace(motion, positions=turned.positions, rotations=turned.rotations, root=turned.root)


def placed_side_by_side(motions: Sequence[Motion]) -> list[Motion]:
    """Move equally long motions sideways, x, so that each has a place of its own and none walks into another."""
    paths = [motion.positions[:, 0, 0] - np.median(motion.positions[:, 0, 0]) for motion in motions]  # each (T,)
    places = [0.0]
    for left, right in pairwise(paths):
        places.append(places[-1] + max(_APART, float((left - right).max()) + _CLEAR))
    middle = (places[0] + places[-1]) / 2
    return [
        _moved(motion, float(path[0] - motion.positions[0, 0, 0]) + place - middle)
        for motion, path, place in zip(motions, paths, places, strict=True)
    ]


def _moved(motion: Motion, aside: float) -> Motion:
    step = np.array([aside, 0, 0], np.float32)
    root = None if motion.root is None else motion.root + step
    return replace(motion, positions=motion.positions + step, root=root)
