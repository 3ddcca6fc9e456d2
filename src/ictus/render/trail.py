"""Trails: the light that a moving hand leaves behind, brightest where it has just been."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.render.figure_tables import TRAIL_FADE, TRAIL_OPACITY, TRAIL_SECONDS, TRAIL_TAPER
from ictus.render.shapes import SHIFT, Bounds, fixed, inside, turned, unit
from ictus.render.theme import Colour, Image
from ictus.types import FloatArray

_BANDS = 10  # of opacity along a trail


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


def ribbons(track: FloatArray, start: int, stop: int, fps: float, width: float, colour: Colour) -> Ribbons:
    """Return the trail of `track`, (frames, 2) in pixels, in the frames `start` to `stop`.

    A trail is at most `width` pixels wide and `TRAIL_SECONDS` long, and grows thinner and fainter towards its past.
    """
    steps = max(2, round(TRAIL_SECONDS * fps * 2 / _BANDS))  # half frames in a band
    frames = -(-steps * _BANDS // 2)
    # The past of each frame; before the first frame there is none, so the trail grows out of its first point.
    past = np.clip(np.arange(start - frames - 1, stop + 1), 0, len(track) - 1)
    fine = _halved(track[past])
    window = np.lib.stride_tricks.sliding_window_view(fine, 2 * frames + 1, axis=0)[::2].swapaxes(1, 2)
    window = window[: stop - start, -(steps * _BANDS + 1) :]  # (T, steps * bands + 1, 2)
    age = np.linspace(1, 0, window.shape[1], dtype=np.float32)
    across = turned(unit(np.gradient(window, axis=1)))
    half = np.float32(width / 2) * ((1 - age) ** TRAIL_TAPER)[:, None] * across
    edges = np.stack([window + half, window - half], axis=1)  # (T, 2, samples, 2)
    pick = np.arange(_BANDS)[:, None] * steps + np.arange(steps + 1)  # (bands, steps + 1)
    one, other = edges[:, 0][:, pick], edges[:, 1][:, pick[:, ::-1]]
    bands = fixed(np.concatenate([one, other], axis=2))
    opacity = (TRAIL_OPACITY * (np.arange(1, _BANDS + 1) / _BANDS) ** TRAIL_FADE).tolist()
    blue, green, red = colour
    colours = [(blue * share, green * share, red * share, 255 * (1 - share)) for share in opacity]
    return Ribbons(bands, colours, Bounds.of([bands.reshape(len(bands), -1, 2)]))


def _halved(track: FloatArray) -> FloatArray:
    """Put a point between each two, on the smooth curve through four; the first and last point are spent on that."""
    between = (9 * (track[1:-2] + track[2:-1]) - track[:-3] - track[3:]) / 16
    fine = np.empty((2 * len(between) + 1, 2), np.float32)
    fine[::2], fine[1::2] = track[1:-1], between
    return fine


class Glow:
    """A transparent sheet over the picture, on which the trails are painted before they are laid down."""

    def __init__(self, height: int, width: int) -> None:
        # Blue, green and red as they will be added, and how much of the picture below shines through.
        self._clear = np.tile(np.array([0, 0, 0, 255], np.uint8), (height, width, 1))
        self._sheet = self._clear.copy()

    def paint(self, canvas: Image, trails: list[Ribbons], frame: int) -> None:
        """Paint the trails of one frame onto the picture."""
        for trail in trails:
            for band, colour in zip(trail.bands[frame], trail.colours, strict=True):
                cv2.fillPoly(self._sheet, [band], colour, cv2.LINE_AA, SHIFT)
            self._lay(canvas, inside(trail.bounds.rectangle(frame)))

    def _lay(self, canvas: Image, part: tuple[slice, slice]) -> None:
        """Lay a part of the sheet onto the picture, and wipe it."""
        sheet, picture = self._sheet[part], canvas[part]
        if sheet.size:
            through = cv2.cvtColor(cv2.extractChannel(sheet, 3), cv2.COLOR_GRAY2BGR)
            cv2.multiply(picture, through, picture, 1 / 255)
            cv2.add(picture, cv2.cvtColor(sheet, cv2.COLOR_BGRA2BGR), picture)
            np.copyto(sheet, self._clear[part])
