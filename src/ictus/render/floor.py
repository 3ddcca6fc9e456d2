"""The floor that a dancer stands on: lines to see the way by, a pool of light, and the body's soft shadow."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.render.body import Solid
from ictus.render.figure import Layer, shape
from ictus.render.figure_tables import CAST, REACH, SHADOW_GROWTH, SHADOW_HEIGHT, SHADOW_LEAST, TILE
from ictus.render.perspective import View
from ictus.render.shapes import SHIFT, fixed, hull
from ictus.render.theme import Image, Theme
from ictus.types import FloatArray

_COARSE = 2  # bits: the shadow is painted at a quarter of the picture's size, for it is soft anyway


class Floor:
    """The floor under one figure.

    Parameters
    ----------
    path : (T, 3) metres, what the view's target is in each frame.
    """

    def __init__(self, view: View, path: FloatArray, theme: Theme) -> None:
        self._view, self._path, self._theme = view, path, theme
        self._dark = theme.name == "dark"

    def light(self, stage: Image) -> None:
        """Paint the light on the floor onto the empty stage, (height, width, 3), once for a whole film."""
        height, width = stage.shape[:2]
        right, ahead = self._view.floor(width, height)
        away = np.nan_to_num(np.hypot(right, ahead), nan=np.inf)
        below = np.clip((height - np.arange(height, dtype=np.float32)[:, None]) / (0.14 * height), 0, 1)
        pool = (below * np.exp(-((away / 1.9) ** 2)))[..., None]
        colour = np.array(self._theme.pool, np.float32)
        stage[:] = np.rint(stage + (colour - stage) * np.float32(0.75) * pool).astype(np.uint8)
        fade = np.clip(1 - away / REACH, 0, 1) ** 1.5
        self._fade = np.rint((48 if self._dark else 44) * fade * below).astype(np.uint8)
        rows = np.flatnonzero(self._fade.any(1))
        self._top = int(rows[0]) if len(rows) else 0
        self._fade = np.ascontiguousarray(self._fade[self._top :])
        self._lines = np.zeros_like(self._fade)
        self._shade = np.zeros(((height >> _COARSE) + 1, (width >> _COARSE) + 1), np.uint8)
        self._blur = max(0.035 * self._view.focal / self._view.far / (1 << _COARSE), 0.6)
        self._thick = max(1, round(min(height, width) / 600))

    def ground(self, solids: Sequence[Solid], start: int, stop: int) -> "Ground":
        """Return what lies on the floor in frames `start` to `stop`, where the body is these solids."""
        path = self._path[start:stop]
        layer, heights = self._shadows(solids, path)
        order = np.argsort(-np.stack(heights, axis=1), axis=1, kind="stable")  # the palest first
        return Ground(self, self._grid(path), layer, order)

    def _grid(self, path: FloatArray) -> NDArray[np.int32]:
        """Return the lines, (T, lines, 2, 2) in fixed-point pixels; they stay where they are while the camera goes."""
        tile, reach = np.float32(TILE * self._view.unit), np.float32(REACH * self._view.unit)
        count = int(REACH / TILE)
        steps = tile * np.arange(-count, count + 2, dtype=np.float32)
        lines = np.zeros((len(path), 2, len(steps), 2, 3), np.float32)
        for way, axis in enumerate((0, 2)):
            lines[:, way, :, :, axis] = (steps - np.remainder(path[:, axis : axis + 1], tile))[..., None]
            lines[:, way, :, :, 2 - axis] = np.array([-reach, reach])
        return fixed(self._view.project(lines.reshape(len(path), -1, 2, 3))[0])

    def _shadows(self, solids: Sequence[Solid], path: FloatArray) -> tuple[Layer, list[FloatArray]]:
        """Return the solids' shadows, in greys that are the lighter the deeper they are, and the solids' heights."""
        layer, heights, unit = Layer(), list[FloatArray](), np.float32(self._view.unit)
        for solid in solids:
            at = solid.centres - path[:, None]
            height = np.maximum(at[..., 1:2], 0)
            ground = at[..., ::2] + height * np.array(CAST, np.float32)
            growth = np.float32(1.4) + np.float32(SHADOW_GROWTH) * height[..., 0] / unit
            outline = hull(ground, solid.radii * growth, 20)
            flat = np.stack([outline[..., 0], np.zeros_like(outline[..., 0]), outline[..., 1]], axis=-1)
            heights.append(height.mean((1, 2)) / unit)
            depth = np.rint(255 * np.clip(1 - heights[-1] / SHADOW_HEIGHT, SHADOW_LEAST, 1)).astype(int).tolist()
            layer.append(shape(self._view.project(flat)[0], [(value, value, value) for value in depth]))
        return layer, heights

    def draw(self, stage: Image, lines: NDArray[np.int32]) -> None:
        """Draw lines, (lines, 2, 2), onto the stage."""
        sheet = self._lines
        sheet.fill(0)
        for start, end in (lines - np.array((0, self._top << SHIFT), np.int32)).tolist():
            cv2.line(sheet, start, end, 255, self._thick, cv2.LINE_AA, SHIFT)
        cv2.multiply(sheet, self._fade, sheet, 1 / 255)
        part = stage[self._top :]
        (cv2.add if self._dark else cv2.subtract)(part, cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR), part)

    def darken(self, stage: Image, shadows: Layer, order: NDArray[np.intp], frame: int) -> None:
        """Lay shadows, softened, onto the stage."""
        shade = self._shade
        shade.fill(0)
        for number in order:
            one = shadows[number]
            cv2.fillPoly(shade, [one.points[frame]], one.colours[frame], cv2.LINE_AA, SHIFT + _COARSE)
        left, top, width, height = cv2.boundingRect(shade)
        if not width:
            return
        room = int(3 * self._blur) + 2
        x, y = max(left - room, 0), max(top - room, 0)
        soft = cv2.GaussianBlur(shade[y : top + height + room, x : left + width + room], (0, 0), self._blur)
        soft = cv2.resize(soft, None, fx=1 << _COARSE, fy=1 << _COARSE, interpolation=cv2.INTER_LINEAR)
        dark = stage[y << _COARSE :, x << _COARSE :][: soft.shape[0], : soft.shape[1]]
        soft = soft[: dark.shape[0], : dark.shape[1]]
        through = cv2.convertScaleAbs(soft, alpha=-0.8 if self._dark else -0.42, beta=255)
        cv2.multiply(dark, cv2.cvtColor(through, cv2.COLOR_GRAY2BGR), dark, 1 / 255)


@dataclass(frozen=True)
class Ground:
    """What lies on a floor over a stretch of T frames.

    Attributes
    ----------
    lines : (T, lines, 2, 2) in fixed-point pixels.
    shadows : in grey, the lighter the deeper.
    order : (T, len(shadows)) their numbers, the palest first.
    """

    floor: Floor
    lines: NDArray[np.int32]
    shadows: Layer
    order: NDArray[np.intp]

    def paint(self, stage: Image, frame: int) -> None:
        """Paint one frame onto the stage, (height, width, 3)."""
        self.floor.draw(stage, self.lines[frame])
        self.floor.darken(stage, self.shadows, self.order[frame], frame)
