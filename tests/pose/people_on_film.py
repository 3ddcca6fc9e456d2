"""Films of people whose place is known, and an engine that needs no network to find them: people are light boxes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ictus.pose import Follower, Person, Picture
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray, Float64Array

BODY = get_skeleton("blaze-75")
SIZE = (160, 96)  # width and height, pixels
Box = tuple[int, int, int, int]  # left, top, right, bottom


def picture(boxes: Sequence[Box], background: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) with people in it."""
    pixels = np.full((size[1], size[0], 3), background, np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    return pixels


def write_people(
    path: Path, shown: Iterable[NDArray[np.uint8]], fps: float = 25, times: Sequence[float] | None = None
) -> Path:
    """Write pictures as a film without sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.options = {"preset": "ultrafast", "crf": "10", "g": "10", "bf": "0"}
        stream.codec_context.time_base = Fraction(1, 90_000)
        for number, pixels in enumerate(shown):
            if not number:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            time = number / fps if times is None else times[number]
            frame.pts, frame.time_base = round(90_000 * time), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def walking(count: int = 50, wide: int = 30, still: Sequence[Box] = ()) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of somebody who walks to the right, a pixel a picture, from column 10 on."""
    for number in range(count):
        yield picture([(10 + number, 20, 10 + number + wide, 80), *still])


class BoxEngine:
    """Finds light boxes, in which it believes bodies to stand; `wider` makes the body so many times as wide."""

    skeleton = BODY

    def __init__(self, lost: Callable[[int], bool] = lambda number: False, wider: float = 1) -> None:
        self.lost, self.wider = lost, wider
        self.seen: list[Picture] = []

    def __call__(self, pictures: Iterable[Picture], follow: Follower) -> Iterator[Person | None]:
        for number, one in enumerate(pictures):
            self.seen.append(one)
            if one.new_scene:
                follow.forget()
            boxes = light_boxes(one.pixels)
            chosen = None if self.lost(number) else follow(boxes)
            yield None if chosen is None else person_in(self._widened(boxes[chosen]))

    def _widened(self, box: Float64Array) -> Float64Array:
        return box + np.array([0, 0, (self.wider - 1) * (box[2] - box[0]), 0])


def light_boxes(pixels: AnyArray) -> Float64Array:
    """Return (N, 4) of each run of light columns."""
    light = pixels[..., 1] > 200
    columns = np.flatnonzero(np.diff(np.concatenate(([0], light.any(0).astype(int), [0]))))
    boxes = []
    for left, right in columns.reshape(-1, 2):
        rows = np.flatnonzero(light[:, left:right].any(1))
        boxes.append((left, rows[0], right, rows[-1] + 1))
    return np.array(boxes, float).reshape(-1, 4)


def person_in(box: Float64Array) -> Person:
    """Return a body that fills a box, and stands in space, 1.70 m tall, facing the camera."""
    points = unit_body()
    ahead = {"foot_index": 0.12, "heel": -0.06, "nose": 0.1}  # metres
    depth = [ahead.get(name.removeprefix("left_").removeprefix("right_"), 0.0) for name in BODY.joints]
    world = np.concatenate(((points - points[[23, 24]].mean(0)) * (0.8, -1.7), np.array(depth)[:, None]), 1)
    return Person(points * (box[2:] - box[:2]) + box[:2], np.full(len(BODY), 0.9), world)


def unit_body() -> Float64Array:
    """Return (75, 2) in [0, 1]: a body that stands, seen from before, its left side to the right."""
    heights = {
        **{
            "foot": 1.0,
            "nose": 0.08,
            "eye": 0.06,
            "ear": 0.07,
            "mouth": 0.1,
            "shoulder": 0.18,
            "elbow": 0.33,
            "wrist": 0.47,
        },
        **{"pinky": 0.5, "index": 0.5, "thumb": 0.49, "hip": 0.5, "knee": 0.73, "ankle": 0.95, "heel": 0.98},
    }
    out = {"nose": 0.0, "eye": 0.05, "ear": 0.1, "mouth": 0.04, "hip": 0.15, "knee": 0.15, "ankle": 0.15, "heel": 0.15}
    points = np.zeros((len(BODY), 2))
    for number, name in enumerate(BODY.joints):
        side = 1 if name.startswith("left") else -1
        part = next(key for key in (*heights, "middle", "ring", "hand") if key in name)
        reach = out.get(part, {"foot": 0.2, "shoulder": 0.3}.get(part, 0.4))
        down = heights.get(part, 0.5)
        if name[-1].isdigit():
            down += 0.01 * int(name[-1])
        points[number] = 0.5 + side * reach, down
    return points
