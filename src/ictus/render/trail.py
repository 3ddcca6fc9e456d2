"""Trails: the light that a moving hand leaves behind, brightest where it has just been."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.render.figure_tables import (
    TRAIL_BANDS,
    TRAIL_FADE,
    TRAIL_OPACITY,
    TRAIL_SECONDS,
    TRAIL_STEPS,
    TRAIL_TAPER,
)
from ictus.render.shapes import SHIFT, Bounds, fixed, inside, turned, unit
from ictus.render.theme import Colour, Image
from ictus.types import FloatArray


@dataclass(frozen=True)
class Ribbons:
    """One trail over a stretch of T frames.

    Attributes
    ----------
    bands : (T, bands, N, 2) polygons in fixed-point pixels, the oldest first.
    colours : for each band blue, green, red times its opacity, and its transparency, up to 255.
    bounds : what it touches.
    """

    bands: NDArray[np.int32]
    colours: list[tuple[float, float, float, float]]
    bounds: Bounds


def past(track: FloatArray, start: int, stop: int, fps: float) -> FloatArray:
    """Return where a point (frames, 3) was in the last `TRAIL_SECONDS` of each frame, (T, samples, 3), oldest first.

    Before the first frame there is no past, so that a trail grows out of its first point.
    """
    count = TRAIL_BANDS * TRAIL_STEPS
    ago = fps * TRAIL_SECONDS * np.linspace(1, 0, count + 1)
    place = np.maximum(np.arange(start, stop)[:, None] - ago, 0)
    frame = np.minimum(place.astype(int), max(len(track) - 2, 0))
    t = (place - frame)[..., None].astype(np.float32)
    a, b, c, d = (track[np.clip(frame + k, 0, len(track) - 1)] for k in (-1, 0, 1, 2))
    # On a smooth curve (Catmull-Rom) through the frames.
    return np.asarray(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))


def ribbons(points: FloatArray, width: FloatArray, colour: Colour) -> Ribbons:
    """Return the trail through `points`, (T, samples, 2) in pixels, (T,) wide where it is newest.

    It grows thinner and fainter towards its past.
    """
    age = np.linspace(1, 0, points.shape[1], dtype=np.float32)
    across = turned(unit(np.gradient(points, axis=1)))
    half = width[:, None, None] / 2 * ((1 - age) ** TRAIL_TAPER)[:, None] * across
    one, other = points + half, points - half
    pick = np.arange(TRAIL_BANDS)[:, None] * TRAIL_STEPS + np.arange(TRAIL_STEPS + 1)  # (bands, steps + 1)
    bands = fixed(np.concatenate([one[:, pick], other[:, pick[:, ::-1]]], axis=2))
    opacity = (TRAIL_OPACITY * (np.arange(1, TRAIL_BANDS + 1) / TRAIL_BANDS) ** TRAIL_FADE).tolist()
    blue, green, red = colour
    colours = [(blue * share, green * share, red * share, 255 * (1 - share)) for share in opacity]
    return Ribbons(bands, colours, Bounds.of(points, width[:, None, None]))


class Glow:
    """A transparent sheet over the picture, on which a trail is painted before it is laid down."""

    def __init__(self, height: int, width: int) -> None:
        # Blue, green and red as they will be added, and how much of the picture below shines through.
        self._clear = np.tile(np.array([0, 0, 0, 255], np.uint8), (height, width, 1))
        self._sheet = self._clear.copy()

    def paint(self, canvas: Image, trail: Ribbons, frame: int) -> None:
        """Paint the trail of one frame onto the picture, and wipe the sheet."""
        for band, colour in zip(trail.bands[frame], trail.colours, strict=True):
            cv2.fillPoly(self._sheet, [band], colour, cv2.LINE_AA, SHIFT)
        part = inside(trail.bounds.rectangle(frame))
        sheet, picture = self._sheet[part], canvas[part]
        if sheet.size:
            through = cv2.cvtColor(cv2.extractChannel(sheet, 3), cv2.COLOR_GRAY2BGR)
            cv2.multiply(picture, through, picture, 1 / 255)
            cv2.add(picture, cv2.cvtColor(sheet, cv2.COLOR_BGRA2BGR), picture)
            np.copyto(sheet, self._clear[part])
