"""A studio for tests: with a soloist that has learnt nothing, and music of a few seconds."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.sound.models.codebook import SpectrogramCodebook
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import RAW_KEYPOINTS, SoloistTransformer


def untrained_soloist(folder: Path) -> Path:
    network = SoloistTransformer(replace(SoloistTransformer.sizes["debug"], keypoints=RAW_KEYPOINTS))
    network.save_pretrained(folder, {"art": "sound", "movement": "raw", "description": "has learnt nothing"})
    SpectrogramCodebook.from_config("debug").save_pretrained(folder / "codebook")
    KeypointEncoder.from_config("debug").save_pretrained(folder / "encoder")
    return folder


def clicks(path: Path, seconds: float = 5.0, rate: int = 22050) -> Path:
    samples = np.zeros(int(seconds * rate), np.float32)
    time_ = np.arange(rate // 10) / rate
    ring = 0.5 * np.exp(-time_ / 0.02) * np.sin(2 * np.pi * 440 * time_)
    for start in np.arange(0.25, seconds - 0.2, 0.5):
        samples[int(start * rate) :][: len(ring)] += ring.astype(np.float32)
    Audio(samples, rate).save(path)
    return path


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application from a thread; give its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
