"""The film's painter: a figure's solids as shapes in pixels, for a stretch of frames at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.render import figure_tables as tables
from ictus.render.camera import FAR, View
from ictus.render.figure import Figure, Places, Solid
from ictus.render.figure_tables import Paint, paints, tones
from ictus.render.shapes import SHIFT, Bounds, fixed, unit
from ictus.render.theme import Colour, Image, Theme, mix
from ictus.types import BoolArray, FloatArray

_LIGHT = np.array(tables.LIGHT_FROM, np.float32)
_STARK = 14  # steps of 255 between two tones that need a soft edge


@dataclass(frozen=True)
class Shape:
    """A filled polygon in each of T frames.

    Attributes
    ----------
    points : (T, N, 2) in fixed-point pixels.
    colours : T of them.
    seen : (T,) whether it is there; None if always.
    convex : whether it always is.
    line : of its edge; where two tones are much alike, a soft one is not needed.
    """

    points: NDArray[np.int32]
    colours: Sequence[Colour]
    seen: BoolArray | None = None
    convex: bool = True
    line: int = cv2.LINE_AA


Layer = list[Shape]


@dataclass(frozen=True)
class Pose:
    """A figure over a stretch of T frames.

    Attributes
    ----------
    layers : of each solid.
    away : (T, len(layers)) how far away each is, in body sizes.
    bounds : what all of them touch.
    """

    layers: list[Layer]
    away: FloatArray
    bounds: Bounds


def paint(canvas: Image, layer: Layer, frame: int) -> None:
    """Paint one frame of a layer."""
    for shape in layer:
        if shape.convex:
            cv2.fillConvexPoly(canvas, shape.points[frame], shape.colours[frame], shape.line, SHIFT)
        elif shape.seen is None or shape.seen[frame]:
            cv2.fillPoly(canvas, [shape.points[frame]], shape.colours[frame], cv2.LINE_AA, SHIFT)


class Painter:
    """Draws one figure, as a camera sees it."""

    def __init__(self, figure: Figure, view: View, theme: Theme) -> None:
        self._figure, self._view, self._theme = figure, view, theme
        self._paints = paints(theme)

    def pose(self, at: Places, target: FloatArray) -> Pose:
        """Return the shapes of the body whose points are at these places while the camera looks at `target` (T, 3)."""
        pixels, scale = self._view.project(at - target)
        radii = self._figure.radii * scale
        layers, away = [], []
        for solid, rows in zip(self._figure.solids, self._figure.rows, strict=True):
            whole = slice(rows.hulls[0].start, rows.hulls[-1].stop)
            distance = self._view.focal / self._view.unit / scale[whole].mean(0)
            near = 0.5 + (np.float32(FAR) - distance) / np.float32(tables.DEPTH)
            hulls = [(pixels[hull].swapaxes(0, 1), radii[hull].T) for hull in rows.hulls]
            size = float(self._figure.radii[whole].max()) * self._view.scale / self._view.unit
            layer = list(self._lit(hulls, self._paints[solid.paint], size, near))
            for (name, _), corners in zip(solid.patches, rows.patches, strict=True):
                outline, colour = pixels[corners].swapaxes(0, 1), self._paints[name][1]
                layer.append(Shape(fixed(outline), [colour] * len(outline), faces_camera(outline), convex=False))
            if solid.cap:
                layer += self._hair(at[whole.start], at[rows.last], target, solid, near)
            layers.append(layer)
            away.append(distance - solid.before)
        bounds = Bounds.of(pixels.swapaxes(0, 1), np.float32(tables.HAIR_RADIUS) * radii.T[..., None])
        return Pose(layers, np.stack(away, axis=1), bounds)

    def _lit(
        self, hulls: Sequence[tuple[FloatArray, FloatArray]], paint: Paint, size: float, near: FloatArray
    ) -> Iterator[Shape]:
        """A round part, the darker the farther away, with an edge that sets it off from what lies behind."""
        corners = int(tables.CORNERS[0] + tables.CORNERS[1] * np.sqrt(size))
        for at, radii in hulls:
            yield Shape(fixed(hull(at, radii + np.float32(tables.EDGE), corners)), [paint[0]] * len(at))
        below = (255, 255, 255)
        for (less, aside), colour in tones(paint, size):
            colours = self._shaded(colour, near)
            line = cv2.LINE_AA if max(abs(a - b) for a, b in zip(colour, below, strict=True)) > _STARK else cv2.LINE_8
            for at, radii in hulls:
                moved = at + np.float32(aside) * radii[..., None] * _LIGHT
                yield Shape(fixed(hull(moved, np.float32(1 - less) * radii, corners)), colours, line=line)
            below = colour

    def _hair(
        self, centre: FloatArray, top: FloatArray, target: FloatArray, solid: Solid, near: FloatArray
    ) -> Iterator[Shape]:
        """The part of the hair that can be seen: a cap on the ball of the head."""
        radius = np.float32(solid.hulls[0][0][0])
        cap = seen_of_cap(unit(top - centre), tables.HAIR_ANGLE, unit(self._view.eye + target - centre))
        points = np.concatenate(
            [centre[:, None], centre[:, None] + np.float32(tables.HAIR_RADIUS) * radius * cap], axis=1
        )
        at, scale = self._view.project(points - target[:, None])
        middle, rim = at[:, :1], at[:, 1:]
        size, aside = tables.HAIR_GLEAM
        lit = middle + np.float32(size) * (rim - middle) + np.float32(aside) * radius * scale[:, :1, None] * _LIGHT
        paint = self._paints[solid.cap[0] if solid.cap else ""]
        for outline, colour in ((rim, paint[1]), (lit, paint[4])):
            yield Shape(fixed(outline), self._shaded(colour, near), convex=False)

    def _shaded(self, colour: Colour, near: FloatArray) -> list[Colour]:
        """Return T colours, the darker the farther away."""
        start, end = np.asarray(mix(colour, self._theme.edge, tables.FARTHEST)), np.asarray(colour)
        mixed = np.rint(start + np.clip(near, 0, 1)[:, None] * (end - start)).astype(int)
        return [(blue, green, red) for blue, green, red in mixed.tolist()]


def hull(centres: FloatArray, radii: FloatArray, corners: int) -> FloatArray:
    """The hull of N discs, whose centres are (T, N, 2) and radii (T, N); returns (T, corners, 2), always convex."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False, dtype=np.float32)
    x, y = np.cos(angle), np.sin(angle)
    reach = centres[..., :1] * x + centres[..., 1:] * y + radii[..., None]  # (T, N, corners)
    # The disc that reaches out most, (T, corners), and then its middle and radius.
    farthest = reach.argmax(1) + len(radii[0]) * np.arange(len(radii))[:, None]
    disc = np.concatenate([centres, radii[..., None]], axis=2).reshape(-1, 3).take(farthest, axis=0)
    return np.asarray(disc[..., :2] + disc[..., 2:] * np.stack([x, y], axis=1))


def faces_camera(outline: FloatArray) -> BoolArray:
    """Whether polygons (T, N, 2) in pixels run counterclockwise."""
    after = np.roll(outline, -1, axis=1)
    return np.asarray((outline[..., 0] * after[..., 1] - after[..., 0] * outline[..., 1]).sum(1) < 0)


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
