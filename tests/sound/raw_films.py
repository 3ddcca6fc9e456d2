"""Films whose time can be read off picture and sound: a square that moves steadily, and a sound that clicks."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ictus.types import Float32Array, Float64Array, FloatArray

WIDTH, HEIGHT, SIDE, SPEED = 320, 48, 16, 45  # pixels, and pixels a second
RATE = 44100
_TICKS = 90_000  # of a second, in which times of pictures are written


def square(time: float) -> NDArray[np.uint8]:
    """Return the picture of a moment (H, W, 3)."""
    left = SIDE / 2 + SPEED * time
    cover = np.clip(np.minimum(np.arange(WIDTH) + 1, left + SIDE) - np.maximum(np.arange(WIDTH), left), 0, 1)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[16:32] = (255 * cover).round().astype(np.uint8)[None, :, None]
    return picture


def moment(picture: NDArray[np.uint8]) -> float:
    """Return the time that a picture shows."""
    light = picture[18:30].astype(float).sum((0, 2))
    light = np.where(light > 0.2 * light.max(), light, 0)
    return float(((np.arange(WIDTH) + 0.5) @ light / light.sum() - SIDE) / SPEED)


def clicking(seconds: float, clicks: Sequence[float]) -> Float32Array:
    """Return a soft tone (n,) with a click at each time."""
    samples = 0.02 * np.sin(2 * np.pi * 330 * np.arange(round(seconds * RATE)) / RATE)
    burst = np.sin(2 * np.pi * 2000 * np.arange(400) / RATE) * np.exp(-np.arange(400) / 120)
    for time in clicks:
        part = samples[round(time * RATE) :][: len(burst)]
        part += 0.8 * burst[: len(part)]
    return samples.astype(np.float32)


def onsets(samples: FloatArray, rate: int) -> Float64Array:
    """Return when clicks sound, in seconds."""
    loud = np.flatnonzero(np.abs(samples) > 0.25)
    return loud[np.diff(loud, prepend=-rate) > rate // 10] / rate


def write_film(
    path: Path,
    seconds: float = 6.0,
    *,
    fps: float = 30,
    times: Sequence[float] | None = None,
    clicks: Sequence[float] = (),
    sound: bool = True,
    pictures_from: float = 0.0,
    sound_from: float = 0.0,
) -> Path:
    """Write a film.

    Parameters
    ----------
    times : of the pictures, if they are not evenly spaced.
    clicks : in seconds of what the pictures show.
    pictures_from, sound_from : timestamps with which they begin. The sound begins that much later in the music.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * fps)) / fps if times is None else times
    options = {"movflags": "+faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "ultrafast", "crf": "18"}
        video.codec_context.time_base = Fraction(1, _TICKS)
        track = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        if track:
            samples = clicking(seconds + pictures_from, [click + pictures_from for click in clicks])
            samples = samples[round(sound_from * RATE) :]
            for start in range(0, len(samples), 1024):
                part = np.ascontiguousarray(samples[None, start : start + 1024])
                block = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                block.sample_rate, block.pts = RATE, start + round(sound_from * RATE)
                block.time_base = Fraction(1, RATE)
                container.mux(track.encode(block))
            container.mux(track.encode(None))
        for time in times:
            frame = av.VideoFrame.from_ndarray(square(time), format="rgb24")
            frame.pts, frame.time_base = round((time + pictures_from) * _TICKS), Fraction(1, _TICKS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def write_keypoints(path: Path, times: Sequence[float], *, mediapipe: bool = False) -> Path:
    """Write a player whose right wrist is where the square is at each time: Solos' array, or MediaPipe's landmarks."""
    times = np.asarray(times)
    x = SIDE + SPEED * times
    if mediapipe:
        pose = np.full((len(times), 33, 5), 0.5, np.float32)
        pose[..., 3:] = 0.9
        pose[:, 16, 0] = x / WIDTH
        hands = np.zeros((len(times), 21, 3), np.float32)
        np.savez(path, pose=pose, left_hand=hands, right_hand=hands)
        return path
    points = np.zeros((len(times), 3, 47), np.float32)
    points[:, 0] = np.linspace(20, 60, 47)
    points[:, 1], points[:, 2] = 24, 0.9
    points[:, 0, 3] = x
    np.save(path, points)
    return path


def read_film(path: Path) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return when each picture of a film is shown, what moment of the original it shows, and when clicks sound."""
    with av.open(str(path)) as container:
        shown = [(frame.time, moment(frame.to_ndarray(format="rgb24"))) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        sound = np.zeros(0)
        for frame in container.decode(audio=0):
            start, samples = round(frame.time * rate), frame.to_ndarray()[0]
            samples, start = (samples[-start:], 0) if start < 0 else (samples, start)
            sound = np.concatenate([sound[:start], np.zeros(max(start - len(sound), 0)), samples])
    times, moments = np.array(shown).T
    return times, moments, onsets(sound, rate)
