"""A dancer: a body of round limbs, lit from above and seen in perspective, its left and right set apart by colour."""

import numpy as np

from ictus.motion import Motion
from ictus.render import figure_tables as tables
from ictus.render.body import Body, Head, Solid
from ictus.render.camera import Box, Extent
from ictus.render.figure import Pose, Shape, shaded, shape
from ictus.render.figure_tables import Paint, paints
from ictus.render.floor import Floor, Ground
from ictus.render.perspective import View, followed, slopes
from ictus.render.shapes import hull, unit
from ictus.render.theme import Theme, mix
from ictus.types import FloatArray

_LIGHT = np.array(tables.LIGHT_FROM, np.float32)
_BLOCK = 2048  # frames that are measured at once


class Dancer:
    """The figure of a motion for which `ictus.render.body.is_whole`, on a floor that the camera moves over."""

    def __init__(self, motion: Motion, extent: Extent, box: Box, theme: Theme) -> None:
        self._body = Body(motion)
        self._path = _path(self._body, motion.fps)
        self._view = View.fit(extent, self._body.scale, box)
        self._theme = theme
        self._paints = paints(theme)
        self.floor = Floor(self._view, self._path, theme)

    def ground(self, start: int, stop: int) -> Ground:
        """Return what lies on the floor in frames `start` to `stop`."""
        return self.floor.ground(self._body.solids(start, stop), start, stop)

    def pose(self, start: int, stop: int) -> Pose:
        """Return the shapes of frames `start` to `stop`, each limb a layer."""
        path = self._path[start:stop]
        solids = self._body.solids(start, stop)
        usual = self._view.focal / self._view.project(self._body.middle[start:stop] - path)[1]
        limbs, away = [], []
        for solid in solids:
            at, scale = self._view.project(solid.centres - path[:, None])
            distance = self._view.focal / scale.mean(1)  # metres
            near = 0.5 + (usual - distance) / np.float32(tables.DEPTH * self._body.scale)
            limbs.append(self._lit(at, scale * solid.radii, self._paint(solid), near))
            away.append(distance - tables.BEFORE.get(solid.part, 0) * self._body.scale)
            if solid.part == "skull":
                limbs[-1] += self._hair(self._body.head(start, stop), path, near)
        order = np.argsort(-np.stack(away, axis=1), axis=1, kind="stable")
        return Pose([], limbs, order)

    def _paint(self, solid: Solid) -> Paint:
        return self._paints.get(solid.part + solid.side) or self._paints[solid.part]

    def _lit(self, at: FloatArray, radii: FloatArray, paint: Paint, near: FloatArray) -> list[Shape]:
        """A round part, the darker the farther away, with an edge that sets it off from what lies behind."""
        layer = [shape(hull(at, radii + np.float32(tables.EDGE)), paint[0])]
        for (less, aside), colour in zip(tables.TONES, paint[1:], strict=True):
            moved = at + np.float32(aside) * radii[..., None] * _LIGHT
            dark = mix(colour, self._theme.edge, tables.FARTHEST)
            layer.append(shape(hull(moved, np.float32(1 - less) * radii), shaded(dark, colour, near)))
        return layer

    def _hair(self, head: Head, path: FloatArray, near: FloatArray) -> list[Shape]:
        """The part of the hair that can be seen: a cap on the ball of the head."""
        crown = unit(np.float32(tables.HAIR_MIDDLE[0]) * head.up + np.float32(tables.HAIR_MIDDLE[1]) * head.ahead)
        viewer = unit(self._view.eye + path - head.centre)
        cap = head.centre[:, None] + np.float32(tables.HAIR_RADIUS * head.radius) * seen_of_cap(
            crown, tables.HAIR_ANGLE, viewer
        )
        at, scale = self._view.project(np.concatenate([head.centre[:, None], cap], axis=1) - path[:, None])
        middle, rim = at[:, :1], at[:, 1:]
        size, aside = tables.HAIR_GLEAM
        lit = middle + np.float32(size) * (rim - middle)
        lit = lit + np.float32(aside * head.radius) * scale[:, :1, None] * _LIGHT
        _, dark, _, _, hair, *_ = self._paints["hair"]
        return [shape(rim, shaded(mix(dark, self._theme.edge, tables.FARTHEST), dark, near)), shape(lit, hair)]


def seen_of_cap(middle: FloatArray, angle: float, viewer: FloatArray, corners: int = 16) -> FloatArray:
    """Return the outline of what can be seen of a cap on the unit ball, (T, 2 * corners, 3).

    Parameters
    ----------
    middle : (T, 3) unit vectors, where the cap is.
    angle : radians from there to its edge, less than a right angle.
    viewer : (T, 3) unit vectors, from where the ball is seen.
    """
    facing = (middle * viewer).sum(-1, keepdims=True)
    nearer = unit(viewer - facing * middle)  # along the cap, towards the viewer
    aside = np.cross(middle, nearer)
    steep = np.sqrt(np.maximum(1 - facing**2, np.float32(1e-6)))
    # First the edge, as far as it is on the viewer's side; then, from one end of that to the other, the ball's outline.
    end = np.arccos(np.clip(-facing / steep / np.float32(np.tan(angle)), -1, 1))
    turn = (end * np.linspace(-1, 1, corners, dtype=np.float32))[..., None]
    edge = np.cos(turn) * nearer[:, None] + np.sin(turn) * aside[:, None]
    edge = np.float32(np.cos(angle)) * middle[:, None] + np.float32(np.sin(angle)) * edge
    outwards = unit(middle - facing * viewer)
    end = np.arccos(np.clip(np.float32(np.cos(angle)) / steep, -1, 1))
    turn = (end * np.linspace(1, -1, corners, dtype=np.float32))[..., None]
    outline = np.cos(turn) * outwards[:, None] + np.sin(turn) * np.cross(outwards, viewer)[:, None]
    return np.concatenate([edge, outline], axis=1)


def dancer_extent(motion: Motion) -> Extent:
    """Return all slopes at which the camera ever sees the body."""
    body = Body(motion)
    path = _path(body, motion.fps)
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for start in range(0, len(motion), _BLOCK):
        stop = min(start + _BLOCK, len(motion))
        for solid in body.solids(start, stop):
            slope, near = slopes(solid.centres - path[start:stop, None], body.scale)
            reach = (near * (solid.radii / np.float32(body.scale)))[..., None]
            low = np.minimum(low, (slope - reach).min((0, 1)))
            high = np.maximum(high, (slope + reach).max((0, 1)))
    return Extent(low, high)


def _path(body: Body, fps: float) -> FloatArray:
    return followed(body.middle, body.floor, body.scale, fps)
