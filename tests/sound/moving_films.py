"""Films of textures whose movement is known, and keypoints of a player before them."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.types import Float32Array

WIDTH, HEIGHT, SIDE = 320, 240, 96  # pixels of the film and of the square
SHOULDERS = 100.0  # pixels
LEFT_HAND, RIGHT_HAND = slice(27, 47), slice(7, 27)  # of solos-47, but for the wrists
_RATE = 22_050  # samples of sound a second

Picture = Callable[[float], NDArray[np.uint8]]  # of a time: (H, W)


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture in which everything can be told from its surroundings."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8)


def moving_square(start: tuple[float, float], velocity: tuple[float, float]) -> Picture:
    """Return the pictures of a square whose corner is at `start`, and moves by `velocity` pixels a second."""
    behind, square = texture(HEIGHT, WIDTH).astype(np.float32), texture(SIDE, SIDE, 1).astype(np.float32)

    def at(time: float) -> NDArray[np.uint8]:
        place = np.array([[1, 0, start[0] + time * velocity[0]], [0, 1, start[1] + time * velocity[1]]], np.float32)
        cover = cv2.warpAffine(np.ones_like(square), place, (WIDTH, HEIGHT))
        return (behind * (1 - cover) + cv2.warpAffine(square, place, (WIDTH, HEIGHT))).round().astype(np.uint8)

    return at


def panned(velocity: float) -> Picture:
    """Return the pictures of a camera before which all moves by so many pixels a second, to the right."""
    wide = texture(HEIGHT, 3 * WIDTH).astype(np.float32)

    def at(time: float) -> NDArray[np.uint8]:
        place = np.array([[1, 0, velocity * time - WIDTH], [0, 1, 0]], np.float32)
        return cv2.warpAffine(wide, place, (WIDTH, HEIGHT)).round().astype(np.uint8)

    return at


def write(path: Path, picture: Picture, times: Sequence[float], *, sound: bool = True) -> Path:
    """Write a film that shows a picture at each time, and hums."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds = times[-1] + 0.04
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(25))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "10", "g": "12"}
        video.codec_context.time_base = Fraction(1, 90_000)
        if sound:
            track = container.add_stream("aac", rate=_RATE, layout="mono")
            hum = 0.1 * np.sin(np.arange(round(seconds * _RATE)) / 9).astype(np.float32)
            for start in range(0, len(hum), 1024):
                block = av.AudioFrame.from_ndarray(hum[None, start : start + 1024].copy(), format="fltp", layout="mono")
                block.sample_rate, block.pts, block.time_base = _RATE, start, Fraction(1, _RATE)
                container.mux(track.encode(block))
            container.mux(track.encode(None))
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture(time), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def turned(film: Path) -> Path:
    """Write the film again as of a telephone that was held upright: to be shown a quarter turned with the clock."""
    still, quarter = (
        struct.pack(">9i", *(number << (30 if place % 3 == 2 else 16) for place, number in enumerate(numbers)))
        for numbers in ((1, 0, 0, 0, 1, 0, 0, 0, 1), (0, 1, 0, -1, 0, 0, 0, 0, 1))
    )
    content = film.read_bytes()
    place = content.index(still, content.index(b"tkhd"))
    path = film.with_stem(f"{film.stem}-turned")
    path.write_bytes(content[:place] + quarter + content[place + len(still) :])
    return path


def player(
    seconds: float,
    left: tuple[float, float],
    velocity: tuple[float, float] = (0, 0),
    right: tuple[float, float] = (60, 40),
) -> Float32Array:
    """Return keypoints (K, 47, 3), 25 a second, of one whose left hand moves, and all others of whose points stay."""
    times = np.arange(round(25 * seconds)) / 25
    points = np.full((len(times), 47, 3), 1, np.float32)
    points[..., :2] = 200, 200
    points[:, 1, :2], points[:, 4, :2] = (110, 220), (110 + SHOULDERS, 220)
    points[:, [2, 3], :2] = right
    points[:, RIGHT_HAND, :2] = right
    hand = np.array(left) + times[:, None] * np.array(velocity)
    points[:, [5, 6], :2] = hand[:, None]
    points[:, LEFT_HAND, :2] = hand[:, None]
    return points
