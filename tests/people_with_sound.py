"""Films with sound, of people who are light boxes (see `pose.people_on_film`) and conduct."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ictus.audio import Audio
from ictus.pose import PoseEstimator, engines, estimation
from ictus.types import FloatArray
from ictus.video_io import write_film
from pose.people_on_film import BoxEngine, picture

FPS, RATE = 25, 22_050


def conducting(
    seconds: float, beats: Sequence[float] | FloatArray = (), background: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of somebody whose hands, being in the middle of the body, are lowest on the beats."""
    beats = np.asarray(beats, float)
    for time in np.arange(round(seconds * FPS)) / FPS:
        after = np.interp(time, beats, np.arange(len(beats))) % 1 if len(beats) else 0.0
        down = round(12 * abs(np.cos(np.pi * after)))
        yield picture([(60, 8 + down, 100, 68 + down)], background)


def nobody(seconds: float) -> Iterator[NDArray[np.uint8]]:
    """Yield empty pictures."""
    for _ in range(round(seconds * FPS)):
        yield picture([])


def clicks(seconds: float, beats: Sequence[float] | FloatArray = ()) -> Audio:
    """Return a soft tone with a click on each beat."""
    samples = 0.02 * np.sin(2 * np.pi * 330 * np.arange(round(seconds * RATE)) / RATE)
    burst = np.sin(2 * np.pi * 2000 * np.arange(400) / RATE) * np.exp(-np.arange(400) / 120)
    for time in beats:
        room = samples[round(time * RATE) :][: len(burst)]
        room += 0.8 * burst[: len(room)]
    return Audio(samples[None].astype(np.float32), RATE)


def write(path: Path, pictures: Iterable[NDArray[np.uint8]], audio: Audio | None) -> Path:
    """Write a film."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (av.VideoFrame.from_ndarray(one, format="rgb24") for one in pictures)
    write_film(path, frames, FPS, audio)
    return path


def use_boxes(monkeypatch: pytest.MonkeyPatch, engine: PoseEstimator | None = None) -> None:
    """Let commands find people with an engine that needs no networks."""
    for module in (engines, estimation):
        monkeypatch.setattr(module, "get_engine", lambda name, networks=None: engine or BoxEngine())
