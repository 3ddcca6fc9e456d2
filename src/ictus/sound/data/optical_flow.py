"""Optical flow of a player's film, pooled: how all moves over the picture, at the hands, what they hold, and the mouth.

Our own definition. Pictures are taken at a steady rate, grey, scaled to fit 340 x 256; between each and the one before,
OpenCV's DIS flow (preset medium) gives the velocity of every pixel, by the times at which the two were really shown. x
is to the right, y down. The median over the picture, that of a moving camera or of all the player, stands first, and is
taken from all the rest. Where the picture is flat, as a wall is, nothing can be seen to move, and flow is noise: there
all velocities are 0, and count neither for the median nor for the player. A row has 166 numbers, `COLUMNS` names them:

    picture         x, y                 the median, in heights of the picture a second
    left_hand       x, y, speed, spread  means over a disc of 0.3 shoulder widths about the hand's points, in shoulder
                                         widths a second; spread is how far velocities are from their mean: fingers
                    seen                 how sure its points are (0 to 1), times the share of it that is in the picture
                                         and not flat
    right_hand      the same
    bow             the same             what the right hand holds: the ring about it, from 0.3 to 0.75
    mouth           the same             a disc of 0.25, at 0.42 above the middle of the shoulders
    y0_x0 ... y5_x7 x, y, speed          means over 6 x 8 cells of the picture, in heights of the picture a second

What is not seen, or lies without the picture, is 0, and so are all velocities where the film is cut. The first row is
that of the second once more. Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import av
import cv2
import numpy as np
import torch

from ictus.errors import IctusError
from ictus.pose.scenes import SceneCuts
from ictus.sound import KEYPOINT_RATE
from ictus.sound.models.keypoint_encoder import shoulder_widths
from ictus.sound.pose_normalization import BODY, LEFT_SHOULDER, RIGHT_SHOULDER
from ictus.types import AnyArray, BoolArray, Float32Array, Float64Array
from ictus.video_io import Film, video_frames

_WIDTH, _HEIGHT, _LEAST = 340, 256, 16  # pixels that pictures are scaled to fit, and the least that DIS needs
_GRID = (6, 8)  # cells of the picture, down and across
_CAMERA_STEP = 4  # pixels; of every so many in both directions one counts for the median
_TEXTURE, _AROUND = 1.0, 15  # grey levels a pixel, below which a picture is flat, on average over so many pixels square


@dataclass(frozen=True)
class Region:
    """A disc or ring about points of solos-47.

    Attributes
    ----------
    joints : whose mean is its middle.
    inner, outer : radii in shoulder widths.
    above : how far above that mean it lies, in shoulder widths.
    """

    joints: tuple[int, ...]
    inner: float
    outer: float
    above: float = 0.0


def _hand(side: str) -> tuple[int, ...]:
    """Return the wrist and twenty points of a hand."""
    first = BODY.index(f"{side}_thumb_1")
    return (BODY.index(f"{side}_wrist"), *range(first, first + 20))


REGIONS = {
    "left_hand": Region(_hand("left"), 0.0, 0.3),
    "right_hand": Region(_hand("right"), 0.0, 0.3),
    "bow": Region(_hand("right"), 0.3, 0.75),
    "mouth": Region((RIGHT_SHOULDER, LEFT_SHOULDER), 0.0, 0.25, above=0.42),
}
_CELLS = [f"y{row}_x{column}" for row in range(_GRID[0]) for column in range(_GRID[1])]
COLUMNS = (
    *("picture.x", "picture.y"),
    *(f"{region}.{what}" for region in REGIONS for what in ("x", "y", "speed", "spread", "seen")),
    *(f"{cell}.{what}" for cell in _CELLS for what in ("x", "y", "speed")),
)


def flow_rows(
    film: Film, points: Float32Array | None = None, *, rate: float, stretch: float = 1.0
) -> Iterator[Float32Array]:
    """Yield the rows (166,) of a film, one picture after another; no more than two are in memory.

    Parameters
    ----------
    points : (K, 47, 3) x, y in the film's pixels, and confidence, without gaps, 25 for each second in which the film is
        played; without them nothing of the player is seen, and the picture's columns are all there is.
    rate : rows a second.
    stretch : how fast the film is played; rates, and velocities, are of seconds in which it is.

    Raises
    ------
    IctusError
        If there is one picture only, the keypoints last longer or shorter than the film, or the film is damaged; the
        message then says from where on.
    """
    if len(film.times) < 2:
        raise IctusError(f"{film.file}: has one picture only, in which nothing moves; give a film")
    places = None if points is None else _Places.of(points, film, stretch)
    size = _scaled_size(film.size)
    rows = _moving_rows(film, places, size, rate, stretch)
    first = next(rows, None)  # of the second picture
    return iter(()) if first is None else chain((first, first), rows)


def _moving_rows(
    film: Film, places: "_Places | None", size: tuple[int, int], rate: float, stretch: float
) -> Iterator[Float32Array]:
    """Yield the rows from the second picture on."""
    flow_between = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    cut, row = SceneCuts(), np.zeros(len(COLUMNS), np.float32)
    last: tuple[float, AnyArray] | None = None
    for number, picture in enumerate(video_frames(film, rate / stretch)):
        time = shown_at(picture, film)
        if last is None or time > last[0]:  # where a picture stands for several instants, it goes on moving
            grey = np.ascontiguousarray(picture.reformat(*size, "gray", interpolation="AREA").to_ndarray())
            is_cut = cut(grey)
            if last is not None:
                field = flow_between.calc(last[1], grey, None)  # type: ignore[call-overload]  # (h, w, 2) pixels
                field *= 0 if is_cut else stretch / (time - last[0])
                row = pooled(field, textured(grey), None if places is None else places.at(number / rate, size))
            last = time, grey
        if number:
            yield row


def textured(grey: AnyArray) -> BoolArray:
    """Return where a picture (h, w) has enough texture for its movement to be seen, (h, w)."""
    slopes = (cv2.Sobel(grey, cv2.CV_32F, *direction, scale=1 / 8) for direction in ((1, 0), (0, 1)))
    return cv2.blur(cv2.magnitude(*slopes), (_AROUND, _AROUND)) >= _TEXTURE


def pooled(field: Float32Array, seen: BoolArray, discs: "list[_Disc] | None") -> Float32Array:
    """Return the row (166,) of a velocity field (h, w, 2), in its pixels a second.

    seen : (h, w), where it counts; `discs` are those of `REGIONS`.
    """
    height, step = len(field), slice(None, None, _CAMERA_STEP)
    still = field[step, step][seen[step, step]]
    camera = np.median(still, 0) if len(still) else np.zeros(2)
    relative = np.empty((*field.shape[:2], 3), np.float32)
    np.subtract(field, camera, out=relative[..., :2])
    relative[~seen] = 0
    relative[..., 2] = np.hypot(relative[..., 0], relative[..., 1])
    cells = cv2.resize(relative, _GRID[::-1], interpolation=cv2.INTER_AREA) / height  # means, (6, 8, 3)
    player = [disc.mean(relative, seen) for disc in discs] if discs else [np.zeros(5)] * len(REGIONS)
    return np.concatenate([camera / height, *player, cells.ravel()]).astype(np.float32)


@dataclass(frozen=True)
class _Disc:
    """A region of one picture: middle, radii and shoulder width in its pixels; and how sure its points are."""

    x: float
    y: float
    inner: float
    outer: float
    width: float
    sure: float

    def mean(self, relative: Float32Array, seen: BoolArray) -> Float64Array:
        """Return x, y, speed, spread and seen of velocities (h, w, 3), of which those count that are `seen` (h, w)."""
        top, left = max(0, int(self.y - self.outer)), max(0, int(self.x - self.outer))
        rows = slice(top, max(0, int(self.y + self.outer) + 2))
        columns = slice(left, max(0, int(self.x + self.outer) + 2))
        counts = seen[rows, columns]
        ys, xs = np.ogrid[top : top + counts.shape[0], left : left + counts.shape[1]]
        apart = (xs - self.x) ** 2 + (ys - self.y) ** 2
        counts = counts & (apart >= self.inner**2) & (apart <= self.outer**2)
        inside = relative[rows, columns][counts].astype(np.float64)  # (n, 3)
        area = np.pi * (self.outer**2 - self.inner**2)
        if not len(inside) or not self.sure:
            return np.zeros(5)
        mean = inside.mean(0) / self.width
        spread = np.sqrt(((inside[:, :2] / self.width - mean[:2]) ** 2).sum(1).mean())
        return np.array([*mean, spread, self.sure * min(1.0, len(inside) / area)])


@dataclass(frozen=True)
class _Places:
    """Where the regions are: (K, regions, 3) x, y, confidence in pixels of the film, and the shoulder width in them."""

    middles: Float32Array
    width: float
    size: tuple[int, int]

    @classmethod
    def of(cls, points: Float32Array, film: Film, stretch: float) -> "_Places":
        """Find them; raises IctusError if the keypoints are not as long as the film."""
        lasts, plays = len(points) / KEYPOINT_RATE, film.seconds / stretch
        if abs(lasts - plays) > max(1, 0.01 * plays):
            raise IctusError(
                f"{film.file}: lasts {plays:.1f} s, but its keypoints {lasts:.1f} s; they do not belong together"
            )
        width = float(shoulder_widths(torch.from_numpy(np.ascontiguousarray(points, np.float32))[None])[0])
        middles = np.stack([points[:, region.joints].mean(1) for region in REGIONS.values()], 1)
        middles[..., 1] -= width * np.array([region.above for region in REGIONS.values()], np.float32)
        return cls(middles, width, film.size)

    def at(self, time: float, size: tuple[int, int]) -> list[_Disc]:
        """Return the regions of a moment in a picture of another size."""
        place = min(time * KEYPOINT_RATE, len(self.middles) - 1)
        before, share = int(place), place % 1
        after = min(before + 1, len(self.middles) - 1)
        found = (1 - share) * self.middles[before] + share * self.middles[after]  # (regions, 3)
        across, down = size[0] / self.size[0], size[1] / self.size[1]
        width = max(self.width * down, 1e-6)
        return [
            _Disc(x * across, y * down, region.inner * width, max(1.0, region.outer * width), width, sure)
            for region, (x, y, sure) in zip(REGIONS.values(), found.tolist(), strict=True)
        ]


def shown_at(picture: av.VideoFrame, film: Film) -> float:
    """Return when a picture is shown, in seconds after the film's first."""
    return float(picture.time or 0) - film.origin


def _scaled_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the pictures between which flow is computed."""
    scale = min(_WIDTH / size[0], _HEIGHT / size[1])
    return max(_LEAST, round(scale * size[0])), max(_LEAST, round(scale * size[1]))
