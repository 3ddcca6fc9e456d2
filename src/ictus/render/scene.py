"""Drawing: motions on a stage, moment by moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render import figure_tables as tables
from ictus.render.beat_lamps import Lamps
from ictus.render.camera import Box, Extent, View
from ictus.render.figure import Figure
from ictus.render.figures import shown
from ictus.render.floor import Floor, Ground
from ictus.render.painter import Layer, Painter, Pose, paint
from ictus.render.shapes import Bounds, Rectangle, inside
from ictus.render.theme import Image, Theme, get_theme, lit, write
from ictus.render.trail import Glow, Ribbons, past, ribbons
from ictus.types import Float32Array

_STRETCH = 128  # frames whose shapes are worked out at once


class Scene:
    """One or more motions, side by side or on one stage.

    Parameters
    ----------
    motions : shown at the frame rate of the first; one that is over stands still until the longest one ends.
    size : width and height of each stage's picture, in pixels.
    theme : "dark" or "light".
    captions : a line below each stage.
    title : a line above all.
    together : whether all motions are on one stage, where they are in the world.
    """

    def __init__(
        self,
        motions: Sequence[Motion],
        *,
        size: tuple[int, int] = (600, 600),
        theme: str = "dark",
        captions: Sequence[str] | None = None,
        title: str | None = None,
        together: bool = False,
    ) -> None:
        if not motions:
            raise UsageError("there is no motion to draw; give at least one")
        count = 1 if together else len(motions)
        if captions is not None and len(captions) != count:
            raise UsageError(
                f"{len(captions)} captions for {count} {'stage' if together else 'motions'}; give one for each"
            )
        motions = [motion.resample(motions[0].fps) for motion in motions]
        palette = get_theme(theme)
        width, height = size
        self.fps = motions[0].fps
        self.frames = max(len(motion) for motion in motions)
        self.width, self.height, self._count = width * count, height, count
        self._backdrop = np.tile(lit(width, height, palette), (1, count, 1))
        motions = [_lasting(motion, self.frames) for motion in motions]
        box = self._box(size, bool(title), bool(captions))
        self._panels = [
            _Panel(figures, extent, box, self._place(k, self._backdrop), palette)
            for k, (figures, extent) in enumerate(shown(motions, together))
        ]
        letters = max(9.0, 0.026 * height)
        if title:
            middle = (self.width / 2, 0.055 * height)
            write(self._backdrop, title, middle, letters, 0.94 * self.width, palette.text)
        for k, caption in enumerate(captions or ()):
            middle = (width * (k + 0.5), 0.955 * height)
            write(self._backdrop, caption, middle, letters, 0.94 * width, palette.faint)

    @staticmethod
    def _box(size: tuple[int, int], title: bool, captions: bool) -> Box:
        width, height = size
        top, bottom = (0.11 if title else 0.06), (0.86 if captions else 0.9)
        return width * 0.04, height * top, width * 0.96, height * bottom

    def _place(self, number: int, picture: Image) -> Image:
        """Return the part of a picture in which a motion is shown; nothing reaches into the picture beside it."""
        width = self.width // self._count
        return picture[:, width * number : width * (number + 1)]

    def render(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[Image, list[Rectangle]]]:
        """Draw frames `start` to `stop`, one after the other.

        Yields
        ------
        picture : (height, width, 3) uint8 in OpenCV's BGR order. Always the same array, painted anew each time: copy
            what you keep.
        touched : the rectangles outside which the picture shows the empty stage; in each frame equally many.
        """
        stop = self.frames if stop is None else stop
        canvas, touched = self._backdrop.copy(), list[Rectangle]()
        for first in range(start, stop, _STRETCH):
            stretches = [panel.stretch(first, min(first + _STRETCH, stop)) for panel in self._panels]
            for frame in range(first, min(first + _STRETCH, stop)):
                for rectangle in touched:
                    np.copyto(canvas[inside(rectangle)], self._backdrop[inside(rectangle)])
                touched = []
                for number, (panel, stretch) in enumerate(zip(self._panels, stretches, strict=True)):
                    part = self._place(number, canvas)
                    painted = [panel.paint(part, stretch, frame - first)]
                    if panel.lamps:
                        painted.append(panel.lamps.paint(part, frame / self.fps))
                    touched += [_moved(one, number * part.shape[1], part.shape[1]) for one in painted]
                yield canvas, touched

    @property
    def travels(self) -> bool:
        """Whether a camera goes along with the motion, so that all of the picture moves."""
        return any(panel.travels for panel in self._panels)

    @property
    def backdrop(self) -> Image:
        """The empty stage with its lettering, (height, width, 3) uint8 BGR."""
        return self._backdrop

    def still(self, seconds: float) -> Image:
        """Return the frame nearest to a time, (height, width, 3) uint8 BGR."""
        frame = min(max(round(seconds * self.fps), 0), self.frames - 1)
        return next(self.render(frame, frame + 1))[0].copy()


def _lasting(motion: Motion, frames: int) -> Motion:
    """Let a motion stand still at its end until it has so many frames."""
    if len(motion) == frames:
        return motion

    def held(track: Float32Array | None) -> Float32Array | None:
        return None if track is None else np.concatenate([track, np.repeat(track[-1:], frames - len(track), axis=0)])

    positions = np.concatenate([motion.positions, np.repeat(motion.positions[-1:], frames - len(motion), axis=0)])
    return replace(motion, positions=positions, rotations=held(motion.rotations), root=held(motion.root))


def _moved(rectangle: Rectangle, right: int, width: int) -> Rectangle:
    """Move a rectangle of a picture so wide to the right, where it is part of a larger one."""
    left, top, end, bottom = rectangle
    return right + min(max(left, 0), width), top, right + min(max(end, 0), width), bottom


class _Panel:
    """One stage: a place in the picture, with figures that have one target and one scale."""

    def __init__(self, figures: Sequence[Figure], extent: Extent, box: Box, stage: Image, theme: Theme) -> None:
        first = figures[0]
        motion, self._target = first.motion, first.target
        self._figures, self._theme, self._fps = figures, theme, motion.fps
        self._view = View.fit(extent, first.scale, box, first.pitch)
        self._painters = [Painter(figure, self._view, theme) for figure in figures]
        self._floor = None if first.flat else Floor(figures, self._view, theme, stage)
        self._trails = [(one.path(name), getattr(theme, side)) for one in figures for side, name in one.trails]
        self._glow = Glow(*stage.shape[:2])
        self.whole = (0, 0, stage.shape[1], stage.shape[0])
        self.travels = not (first.flat or first.stands)
        height = len(stage)
        self.lamps = Lamps.of(motion, ((box[0] + box[2]) / 2, box[3] + 0.05 * height), 0.011 * height, theme)

    def stretch(self, start: int, stop: int) -> "_Stretch":
        """Work out the shapes of frames `start` to `stop`."""
        target = self._target[start:stop]
        at = [figure.places(start, stop) for figure in self._figures]
        poses = [painter.pose(places, target) for painter, places in zip(self._painters, at, strict=True)]
        layers: list[Layer | Ribbons] = [layer for pose in poses for layer in pose.layers]
        away = [column for pose in poses for column in pose.away.T]
        for track, colour in self._trails:
            points, scale = self._view.project(past(track, start, stop, self._fps) - target[:, None])
            width = np.maximum(tables.TRAIL_WIDTH * self._view.unit * scale[:, -1], tables.TRAIL_LEAST)
            layers.append(ribbons(points, width, colour))
            away.append(self._view.focal / self._view.unit / scale[:, -1] + np.float32(0.02))
        order = np.argsort(-np.stack(away, axis=1), axis=1, kind="stable")  # the farthest first
        ground = self._floor.ground(at, target) if self._floor and self.travels else None
        bounds = [one.bounds for one in (*poses, *layers) if isinstance(one, Pose | Ribbons)]
        return _Stretch(layers, order.tolist(), ground, Bounds.around(bounds))

    def paint(self, stage: Image, stretch: "_Stretch", frame: int) -> Rectangle:
        """Paint one frame of a stretch; return the rectangle that it touches."""
        if self._floor and stretch.ground:
            self._floor.paint(stage, stretch.ground, frame)
        for number in stretch.order[frame]:
            layer = stretch.layers[number]
            if isinstance(layer, Ribbons):
                self._glow.paint(stage, layer, frame)
            else:
                paint(stage, layer, frame)
        return self.whole if self.travels else stretch.bounds.rectangle(frame)


@dataclass(frozen=True)
class _Stretch:
    """A panel's shapes over some frames, and in which order they are painted."""

    layers: list[Layer | Ribbons]
    order: list[list[int]]
    ground: Ground | None
    bounds: Bounds
