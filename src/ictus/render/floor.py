"""The floor that a body stands on: lines to see the way by, a pool of light, and the body's soft shadow."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.render import figure_tables as tables
from ictus.render.camera import FAR, View
from ictus.render.figure import Figure, Places
from ictus.render.painter import hull
from ictus.render.shapes import SHIFT, fixed
from ictus.render.theme import Image, Theme
from ictus.types import Float32Array, FloatArray

_COARSE = 2  # bits: the shadow is painted at a quarter of the picture's size, for it is soft anyway
_DARK, _LIGHT = (48, 0.8), (44, 0.42)  # how bright lines are, up to 255, and how deep a shadow is, up to 1


@dataclass(frozen=True)
class Ground:
    """What lies on a floor over a stretch of T frames.

    Attributes
    ----------
    lines : (T, lines, 2, 2) in fixed-point pixels.
    shadows : (T, S, N, 2) in fixed-point pixels.
    depths : (T, S) how deep they are, up to 255.
    """

    lines: NDArray[np.int32]
    shadows: NDArray[np.int32]
    depths: NDArray[np.int32]


class Floor:
    """The floor under figures; its light is painted onto the empty stage, (height, width, 3).

    Under figures that stand, lines and shadows belong to the stage, too.
    """

    def __init__(self, figures: Sequence[Figure], view: View, theme: Theme, stage: Image) -> None:
        self._view, self._dark = view, theme.name == "dark"
        smallest = tables.SHADOW_SMALLEST * view.unit
        self._hulls = [
            (number, hull, figure.radii[hull, 0])
            for number, figure in enumerate(figures)
            for rows in figure.rows
            for hull in rows.hulls
            if figure.radii[hull].max() > smallest
        ]
        height, width = stage.shape[:2]
        right, ahead = view.floor(width, height)
        away = np.nan_to_num(np.hypot(right, ahead), nan=np.inf)
        below = np.clip((height - np.arange(height, dtype=np.float32)[:, None]) / (0.14 * height), 0, 1)
        pool = (below * np.exp(-((away / 1.9) ** 2)))[..., None]
        stage[:] = np.rint(stage + (np.array(theme.pool, np.float32) - stage) * np.float32(0.75) * pool).astype(
            np.uint8
        )
        fade = np.clip(1 - away / tables.REACH, 0, 1) ** 1.5
        self._fade = np.rint((_DARK if self._dark else _LIGHT)[0] * fade * below).astype(np.uint8)
        rows_lit = np.flatnonzero(self._fade.any(1))
        self._top = int(rows_lit[0]) if len(rows_lit) else 0
        self._fade = np.ascontiguousarray(self._fade[self._top :])
        self._lines = np.zeros_like(self._fade)
        self._shade = np.zeros(((height >> _COARSE) + 1, (width >> _COARSE) + 1), np.uint8)
        self._blur = max(0.035 * view.focal / FAR / (1 << _COARSE), 0.6)
        self._thick = max(1, round(min(height, width) / 600))
        if figures[0].stands:
            self.paint(stage, self.ground([figure.places(0, 1) for figure in figures], figures[0].target[:1]), 0)

    def ground(self, at: Sequence[Places], target: Float32Array) -> Ground:
        """Return what lies on the floor below the figures' places while the camera looks at `target`, (T, 3)."""
        outlines, depths = [], []
        for number, rows, radii in self._hulls:
            from_target = (at[number][rows] - target).swapaxes(0, 1)  # (T, N, 3)
            height = np.maximum(from_target[..., 1:2], 0)
            ground = from_target[..., ::2] + height * np.array(tables.CAST, np.float32)
            growth = np.float32(1.4) + np.float32(tables.SHADOW_GROWTH / self._view.unit) * height[..., 0]
            outlines.append(hull(ground, radii * growth, 20))
            share = 1 - height.mean((1, 2)) / np.float32(self._view.unit * tables.SHADOW_HEIGHT)
            depths.append(np.rint(255 * np.clip(share, tables.SHADOW_LEAST, 1)).astype(np.int32))
        flat = np.stack(outlines, axis=1)  # (T, S, N, 2)
        flat = np.stack([flat[..., 0], np.zeros_like(flat[..., 0]), flat[..., 1]], axis=-1)
        shadows = fixed(self._view.project(flat)[0])
        return Ground(self._grid(target), shadows, np.stack(depths, axis=1))

    def paint(self, stage: Image, ground: Ground, frame: int) -> None:
        """Paint one frame onto the stage."""
        self._draw(stage, ground.lines[frame])
        self._darken(stage, ground.shadows[frame], ground.depths[frame])

    def _grid(self, path: FloatArray) -> NDArray[np.int32]:
        """Return the lines, (T, lines, 2, 2) in fixed-point pixels; they stay where they are while the camera goes."""
        tile, reach = np.float32(tables.TILE * self._view.unit), np.float32(tables.REACH * self._view.unit)
        count = int(tables.REACH / tables.TILE)
        steps = tile * np.arange(-count, count + 2, dtype=np.float32)
        lines = np.zeros((len(path), 2, len(steps), 2, 3), np.float32)
        for way, axis in enumerate((0, 2)):
            lines[:, way, :, :, axis] = (steps - np.remainder(path[:, axis : axis + 1], tile))[..., None]
            lines[:, way, :, :, 2 - axis] = np.array([-reach, reach])
        return fixed(self._view.project(lines.reshape(len(path), -1, 2, 3))[0])

    def _draw(self, stage: Image, lines: NDArray[np.int32]) -> None:
        """Draw lines, (lines, 2, 2), onto the stage."""
        sheet = self._lines
        sheet.fill(0)
        for start, end in (lines - np.array((0, self._top << SHIFT), np.int32)).tolist():
            cv2.line(sheet, start, end, 255, self._thick, cv2.LINE_AA, SHIFT)
        cv2.multiply(sheet, self._fade, sheet, 1 / 255)
        part = stage[self._top :]
        (cv2.add if self._dark else cv2.subtract)(part, cv2.cvtColor(sheet, cv2.COLOR_GRAY2BGR), part)

    def _darken(self, stage: Image, shadows: NDArray[np.int32], depths: NDArray[np.int32]) -> None:
        """Lay shadows, softened, onto the stage."""
        shade = self._shade
        shade.fill(0)
        for number in np.argsort(depths, kind="stable"):  # the palest first
            cv2.fillConvexPoly(shade, shadows[number], int(depths[number]), cv2.LINE_AA, SHIFT + _COARSE)
        left, top, width, height = cv2.boundingRect(shade)
        if not width:
            return
        room = int(3 * self._blur) + 2
        x, y = max(left - room, 0), max(top - room, 0)
        soft = cv2.GaussianBlur(shade[y : top + height + room, x : left + width + room], (0, 0), self._blur)
        soft = cv2.resize(soft, None, fx=1 << _COARSE, fy=1 << _COARSE, interpolation=cv2.INTER_LINEAR)
        dark = stage[y << _COARSE :, x << _COARSE :][: soft.shape[0], : soft.shape[1]]
        soft = soft[: dark.shape[0], : dark.shape[1]]
        through = cv2.convertScaleAbs(soft, alpha=-(_DARK if self._dark else _LIGHT)[1], beta=255)
        cv2.multiply(dark, cv2.cvtColor(through, cv2.COLOR_GRAY2BGR), dark, 1 / 255)
