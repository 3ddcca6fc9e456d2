"""Drawing: motions on a stage, moment by moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.stage.backdrop import Image, Theme, get_theme, lit, write
from ictus.stage.beats import Lamps
from ictus.stage.anybody import Anybody
from ictus.stage.conductor import Conductor
from ictus.stage.figure import Box, Figure, Layer, Pose
from ictus.stage.shapes import SHIFT
from ictus.stage.trail import Glow, Ribbons, ribbons

_STRETCH = 64  # frames whose shapes are worked out at once


class Scene:
    """One or more motions side by side on a stage.

    Parameters
    ----------
    motions : all at the same frame rate; a motion that is over stands still until the longest one ends.
    size : width and height of each motion's picture, in pixels.
    theme : "dark" or "light".
    captions : a line below each motion.
    title : a line above all.
    """

    def __init__(
        self,
        motions: Sequence[Motion],
        *,
        size: tuple[int, int] = (600, 600),
        theme: str = "dark",
        captions: Sequence[str] | None = None,
        title: str | None = None,
    ) -> None:
        if not motions:
            raise UsageError("there is no motion to draw; give at least one")
        if captions is not None and len(captions) != len(motions):
            raise UsageError(f"{len(captions)} captions for {len(motions)} motions; give one for each")
        palette = get_theme(theme)
        width, height = size
        self.fps = motions[0].fps
        self.frames = max(len(motion) for motion in motions)
        self._backdrop = np.tile(lit(width, height, palette), (1, len(motions), 1))
        self._panels = [
            _Panel(_lasting(motion, self.frames), self._box(k, size, bool(title), bool(captions)), self._backdrop, palette)
            for k, motion in enumerate(motions)
        ]
        letters = max(9.0, 0.026 * height)
        if title:
            write(self._backdrop, title, (width * len(motions) / 2, 0.055 * height), letters, palette.text)
        for k, caption in enumerate(captions or ()):
            write(self._backdrop, caption, (width * (k + 0.5), 0.955 * height), letters, palette.faint)
        self._glow = Glow(height, width * len(motions))

    @staticmethod
    def _box(number: int, size: tuple[int, int], title: bool, captions: bool) -> Box:
        width, height = size
        top, bottom = (0.11 if title else 0.06), (0.86 if captions else 0.9)
        return width * (number + 0.04), height * top, width * (number + 0.96), height * bottom

    def render(self, start: int = 0, stop: int | None = None) -> Iterator[Image]:
        """Yield frames (height, width, 3) uint8 in OpenCV's BGR order.

        All are the same array, painted anew each time: copy what you keep.
        """
        stop = self.frames if stop is None else stop
        canvas = self._backdrop.copy()
        for first in range(start, stop, _STRETCH):
            last = min(first + _STRETCH, stop)
            stretches = [panel.stretch(first, last) for panel in self._panels]
            for frame in range(first, last):
                np.copyto(canvas, self._backdrop)
                for stretch in stretches:
                    stretch.paint(canvas, self._glow, frame - first)
                for panel in self._panels:
                    if panel.lamps:
                        panel.lamps.paint(canvas, frame / self.fps)
                yield canvas

    def still(self, seconds: float) -> Image:
        """Return the frame nearest to a time, (height, width, 3) uint8 BGR."""
        frame = min(max(round(seconds * self.fps), 0), self.frames - 1)
        return next(self.render(frame, frame + 1)).copy()


def _lasting(motion: Motion, frames: int) -> Motion:
    """Let a motion stand still at its end until it has so many frames."""
    if len(motion) == frames:
        return motion
    rest = np.repeat(motion.positions[-1:], frames - len(motion), axis=0)
    return replace(motion, positions=np.concatenate([motion.positions, rest]), rotations=None, root=None)


class _Panel:
    """One motion's place in the picture."""

    def __init__(self, motion: Motion, box: Box, backdrop: Image, theme: Theme) -> None:
        height = backdrop.shape[0]
        dressed = motion.skeleton.name in ("conductor-13", "conductor-23")
        self._figure: Figure = Conductor(motion, box, theme) if dressed else Anybody(motion, box, theme)
        hem, unit = self._figure.hem, self._figure.unit
        self._fade = None if hem is None else _Fade(backdrop, box, hem, 0.7 * unit)
        self._fps = motion.fps
        self.lamps = Lamps.of(motion, ((box[0] + box[2]) / 2, box[3] + 0.05 * height), 0.009 * height, theme)

    def stretch(self, start: int, stop: int) -> "_Stretch":
        """Work out the shapes of frames `start` to `stop`."""
        trails = [
            ribbons(trail.track, start, stop, self._fps, 0.045 * self._figure.unit, trail.colour)
            for trail in self._figure.trails
        ]
        return _Stretch(self._figure.pose(start, stop), trails, self._fade)


@dataclass(frozen=True)
class _Stretch:
    """A panel's shapes over some frames."""

    pose: Pose
    trails: list[Ribbons]
    fade: "_Fade | None"

    def paint(self, canvas: Image, glow: Glow, frame: int) -> None:
        _fill(canvas, self.pose.body, frame)
        if self.fade:
            self.fade.paint(canvas)
        glow.paint(canvas, self.trails, frame)
        for limb in self.pose.order[frame]:
            _fill(canvas, self.pose.limbs[limb], frame)


def _fill(canvas: Image, layer: Layer, frame: int) -> None:
    for shape in layer:
        cv2.fillPoly(canvas, [shape.points[frame]], shape.colours[frame], cv2.LINE_AA, SHIFT)


class _Fade:
    """Lets the lower end of a body fade into the stage."""

    def __init__(self, backdrop: Image, box: Box, hem: float, depth: float) -> None:
        height = backdrop.shape[0]
        top, left, right = (int(max(edge, 0)) for edge in (hem - depth, box[0], box[2]))
        self._part = np.s_[top:height, left:right]
        share = np.clip((hem - np.arange(top, height)) / depth, 0, 1)
        share = (share * share * (3 - 2 * share))[:, None, None]  # smooth at both ends
        empty = backdrop[self._part]
        self._body = np.broadcast_to(np.rint(255 * share), empty.shape).astype(np.uint8)
        self._stage = np.rint(empty * (1 - share)).astype(np.uint8)

    def paint(self, canvas: Image) -> None:
        part = canvas[self._part]
        cv2.multiply(part, self._body, part, 1 / 255)
        cv2.add(part, self._stage, part)
