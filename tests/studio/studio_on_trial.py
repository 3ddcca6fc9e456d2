"""A studio for tests: with a soloist that has learnt nothing, and music of a few seconds."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ictus.audio import Audio


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
