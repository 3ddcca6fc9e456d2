"""Drawing: motions on a stage, moment by moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render.beat_lamps import Lamps
from ictus.render.body import is_whole
from ictus.render.camera import Box, Extent
from ictus.render.conductor import CONDUCTORS, Conductor, conductor_extent
from ictus.render.dancer import Dancer, dancer_extent
from ictus.render.figure import Figure, Layer, Pose
from ictus.render.floor import Ground
from ictus.render.generic_figure import GenericFigure, generic_extent
from ictus.render.player import PLAYER, Player, player_extent
from ictus.render.shapes import SHIFT, Bounds, Rectangle, inside
from ictus.render.theme import Image, Theme, get_theme, lit, write
from ictus.render.trail import Glow, Ribbons, ribbons
from ictus.types import Float32Array

_STRETCH = 64  # frames whose shapes are worked out at once


class Scene:
    """One or more motions side by side on a stage.

    Parameters
    ----------
    motions : shown at the frame rate of the first; one that is over stands still until the longest one ends.
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
        motions = [motion.resample(motions[0].fps) for motion in motions]
        palette = get_theme(theme)
        width, height = size
        self.fps = motions[0].fps
        self.frames = max(len(motion) for motion in motions)
        self.width, self.height = width * len(motions), height
        self._backdrop = np.tile(lit(width, height, palette), (1, len(motions), 1))
        extents = _extents(motions)
        self._panels: list[_Panel | _Floored] = [
            (_Floored if _dances(motion) else _Panel)(
                _lasting(motion, self.frames),
                extents[_kind(motion)],
                self._box(k, size, bool(title), bool(captions)),
                (width * k, width * (k + 1)),
                self._backdrop,
                palette,
            )
            for k, motion in enumerate(motions)
        ]
        letters = max(9.0, 0.026 * height)
        if title:
            middle = (width * len(motions) / 2, 0.055 * height)
            write(self._backdrop, title, middle, letters, 0.94 * self.width, palette.text)
        for k, caption in enumerate(captions or ()):
            middle = (width * (k + 0.5), 0.955 * height)
            write(self._backdrop, caption, middle, letters, 0.94 * width, palette.faint)
        self._glow = Glow(height, width * len(motions))

    @staticmethod
    def _box(number: int, size: tuple[int, int], title: bool, captions: bool) -> Box:
        width, height = size
        top, bottom = (0.11 if title else 0.06), (0.86 if captions else 0.9)
        return width * (number + 0.04), height * top, width * (number + 0.96), height * bottom

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
                    part = inside(rectangle)
                    np.copyto(canvas[part], self._backdrop[part])
                touched = []
                for panel, stretch in zip(self._panels, stretches, strict=True):
                    touched.append(stretch.paint(canvas, self._glow, frame - first))
                    if panel.lamps:
                        touched.append(panel.lamps.paint(canvas, frame / self.fps))
                yield canvas, touched

    @property
    def travels(self) -> bool:
        """Whether a camera goes along with the motion, so that all of the picture moves."""
        return any(isinstance(panel, _Floored) for panel in self._panels)

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


def _kind(motion: Motion) -> tuple[str, int]:
    return motion.skeleton.name, motion.positions.shape[2]


def _extents(motions: Sequence[Motion]) -> dict[tuple[str, int], Extent]:
    """Return for each kind of body what its motions reach: bodies of one kind are shown at one size."""
    extents: dict[tuple[str, int], Extent] = {}
    for motion in motions:
        kind = _kind(motion)
        extent = _reach(motion)
        extents[kind] = extents[kind] | extent if kind in extents else extent
    return extents


def _dances(motion: Motion) -> bool:
    return motion.skeleton.name not in CONDUCTORS and is_whole(motion)


def _reach(motion: Motion) -> Extent:
    if motion.skeleton.name in CONDUCTORS:
        return conductor_extent(motion)
    if motion.skeleton.name == PLAYER:
        return player_extent(motion)
    return dancer_extent(motion) if _dances(motion) else generic_extent(motion)


def _lamps(motion: Motion, box: Box, height: int, theme: Theme) -> Lamps | None:
    return Lamps.of(motion, ((box[0] + box[2]) / 2, box[3] + 0.05 * height), 0.011 * height, theme)


class _Panel:
    """One motion's place in the picture, on the empty stage."""

    def __init__(
        self, motion: Motion, extent: Extent, box: Box, sides: tuple[int, int], backdrop: Image, theme: Theme
    ) -> None:
        name = motion.skeleton.name
        body = Conductor if name in CONDUCTORS else Player if name == PLAYER else GenericFigure
        self._figure: Figure = body(motion, extent, box, theme)
        hem, unit = self._figure.hem, self._figure.unit
        self._fade = None if hem is None else _Fade(backdrop, hem, 0.7 * unit)
        self._fps = motion.fps
        self.lamps = _lamps(motion, box, len(backdrop), theme)

    def stretch(self, start: int, stop: int) -> "_Stretch":
        """Work out the shapes of frames `start` to `stop`."""
        width = 0.045 * self._figure.unit
        trails = [ribbons(one.track, start, stop, self._fps, width, one.colour) for one in self._figure.trails]
        pose = self._figure.pose(start, stop)
        limbs = Bounds.of([shape.points for limb in pose.limbs for shape in limb])
        body = Bounds.of([shape.points for shape in pose.body]) if pose.body else limbs
        return _Stretch(pose, trails, self._fade, body, Bounds.around([body, limbs, *(one.bounds for one in trails)]))


@dataclass(frozen=True)
class _Stretch:
    """A panel's shapes over some frames."""

    pose: Pose
    trails: list[Ribbons]
    fade: "_Fade | None"
    body: Bounds
    all: Bounds

    def paint(self, canvas: Image, glow: Glow, frame: int) -> Rectangle:
        """Paint one frame; return the rectangle that it touches."""
        _fill(canvas, self.pose.body, frame)
        if self.fade:
            self.fade.paint(canvas, self.body.rectangle(frame))
        glow.paint(canvas, self.trails, frame)
        for limb in self.pose.order[frame]:
            _fill(canvas, self.pose.limbs[limb], frame)
        return self.all.rectangle(frame)


class _Floored:
    """A dancer's place in the picture, between two columns: its floor goes by, so that all of it is painted anew."""

    def __init__(
        self, motion: Motion, extent: Extent, box: Box, sides: tuple[int, int], backdrop: Image, theme: Theme
    ) -> None:
        left, right = sides
        self._figure = Dancer(motion, extent, (box[0] - left, box[1], box[2] - left, box[3]), theme)
        self._place = left, 0, right, len(backdrop)
        self._figure.floor.light(backdrop[inside(self._place)])
        self.lamps = _lamps(motion, box, len(backdrop), theme)

    def stretch(self, start: int, stop: int) -> "_FlooredStretch":
        """Work out the shapes of frames `start` to `stop`."""
        return _FlooredStretch(self._figure.pose(start, stop), self._figure.ground(start, stop), self._place)


@dataclass(frozen=True)
class _FlooredStretch:
    """A dancer's shapes over some frames."""

    pose: Pose
    ground: Ground
    place: Rectangle

    def paint(self, canvas: Image, glow: Glow, frame: int) -> Rectangle:
        """Paint one frame; return the rectangle that it touches."""
        part = canvas[inside(self.place)]  # nothing reaches into the picture beside it
        self.ground.paint(part, frame)
        for limb in self.pose.order[frame]:
            _fill(part, self.pose.limbs[limb], frame)
        return self.place


def _fill(canvas: Image, layer: Layer, frame: int) -> None:
    for shape in layer:
        cv2.fillPoly(canvas, [shape.points[frame]], shape.colours[frame], cv2.LINE_AA, SHIFT)


class _Fade:
    """Lets the lower end of a body fade into the stage, over `depth` rows down to the row `hem`."""

    def __init__(self, backdrop: Image, hem: float, depth: float) -> None:
        self._top = max(int(hem - depth), 0)
        empty = backdrop[self._top :]
        share = np.clip((hem - self._top - np.arange(len(empty))) / depth, 0, 1)[:, None, None]
        share = share * share * (3 - 2 * share)  # smooth at both ends
        self._body = np.broadcast_to(np.rint(255 * share), empty.shape).astype(np.uint8)
        self._stage = np.rint(empty * (1 - share)).astype(np.uint8)

    def paint(self, canvas: Image, body: Rectangle) -> None:
        left, _, right, bottom = body
        part = inside((left, self._top, right, bottom))
        below = inside((left, 0, right, bottom - self._top))
        if canvas[part].size:
            cv2.multiply(canvas[part], self._body[below], canvas[part], 1 / 255)
            cv2.add(canvas[part], self._stage[below], canvas[part])
