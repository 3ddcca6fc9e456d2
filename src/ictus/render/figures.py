"""Which figure a motion is drawn as, and where the camera looks."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render.body import is_whole
from ictus.render.camera import FAR, HEIGHT, Extent, followed, slopes
from ictus.render.conductor import CONDUCTORS, HIPS, conductor
from ictus.render.dancer import dancer, floor
from ictus.render.figure import Figure
from ictus.render.generic_figure import PLAYER, generic_figure, player
from ictus.types import Float32Array, FloatArray

_ROOM = 0.68  # body sizes to both sides of a quiet conductor


def figure_of(motion: Motion) -> Figure:
    """Return the figure of a motion, and what the camera looks at."""
    name = motion.skeleton.name
    if name in CONDUCTORS:
        figure = conductor(motion)
        hips = (figure.joint("left_hip") + figure.joint("right_hip")) / 2
        figure.target = _standing(figure, np.median(hips, axis=0), hips[:, 1] - HIPS * figure.unit)
    elif is_whole(motion):
        figure = dancer(motion)
        figure.target = followed(figure.positions.mean(1), floor(figure), figure.unit, motion.fps)
    else:
        figure = player(motion) if name == PLAYER else generic_figure(motion)
        middle = (figure.positions.min((0, 1)) + figure.positions.max((0, 1))) / 2
        figure.target = _standing(figure, middle, middle[1:2] - HEIGHT * figure.unit)
        if not figure.flat:
            low = np.full(len(motion), np.median(figure.positions[..., 1].min(1)))
            figure.target = followed(figure.positions.mean(1), low, figure.unit, motion.fps)
    return figure


def extent_of(figure: Figure) -> Extent:
    """Return all slopes at which the camera ever sees the body, never less than a quiet conductor with room."""
    room = _ROOM / FAR if figure.motion.skeleton.name in CONDUCTORS else 0.0
    extent = Extent(np.array([-room, np.inf]), np.array([room, -np.inf]))
    for start, stop in figure.blocks():
        at = figure.places(start, stop) - figure.target[start:stop]
        slope, near = slopes(at, figure.scale, figure.pitch)
        reach = (near * figure.radii / np.float32(figure.scale))[..., None]
        extent |= Extent((slope - reach).min((0, 1)), (slope + reach).max((0, 1)))
    return extent


def shown(motions: Sequence[Motion], together: bool = False) -> list[tuple[list[Figure], Extent]]:
    """Return the figures on each stage, and what its camera shows: bodies of one kind are shown at one size.

    Parameters
    ----------
    together : all motions, equally long, are on one stage, and one camera goes along with their middle.

    Raises
    ------
    UsageError
        If a flat motion and one in space are to be on one stage.
    """
    figures = [figure_of(motion) for motion in motions]
    if together:
        if len({figure.flat for figure in figures}) > 1:
            raise UsageError("flat motions and motions in space cannot be on one stage; show them side by side")
        middle = np.stack([figure.target for figure in figures]).mean(0, dtype=np.float32)
        for figure in figures:
            figure.target, figure.stands = middle, all(one.stands for one in figures)
            figure.scale = max(one.unit for one in figures)
        return [(figures, reduce(or_, map(extent_of, figures)))]
    kinds = [(figure.motion.skeleton.name, figure.flat) for figure in figures]
    alike = {kind: [one for one, other in zip(figures, kinds, strict=True) if other == kind] for kind in kinds}
    for some in alike.values():
        for figure in some:
            figure.scale = max(one.unit for one in some)
    extents = {kind: reduce(or_, map(extent_of, some)) for kind, some in alike.items()}
    return [([figure], extents[kind]) for figure, kind in zip(figures, kinds, strict=True)]


def _standing(figure: Figure, middle: FloatArray, floor: FloatArray) -> Float32Array:
    """Return a target that stays: below a point (3,), on the usual height of the floor (T,)."""
    x, _, z = middle
    return np.tile(np.array([x, np.median(floor), z], np.float32), (len(figure), 1))
