"""Music for the command line."""

from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio


def pulse(seconds: float = 3.0, rate: int = 22050, channels: int = 1) -> Audio:
    """Make clicks every half second."""
    samples = np.zeros((channels, int(seconds * rate)), np.float32)
    for start in np.arange(0.25, seconds - 0.1, 0.5):
        first = int(start * rate)
        ring = np.exp(-np.arange(rate // 10) / (0.02 * rate)) * np.sin(2 * np.pi * 440 * np.arange(rate // 10) / rate)
        samples[:, first : first + len(ring)] += ring[: samples.shape[1] - first].astype(np.float32)
    return Audio(samples * 0.5, rate)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A short wav file in a folder of its own."""
    path = tmp_path / "music" / "song.wav"
    pulse().save(path)
    return path
