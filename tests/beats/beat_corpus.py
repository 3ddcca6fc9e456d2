"""A corpus in small, of music whose beats are known: clicks in three or four, the downbeats lower and louder."""

import json
from pathlib import Path

import numpy as np

from ictus.audio import Audio


def clicks(times: np.ndarray, positions: np.ndarray, seconds: float) -> Audio:
    samples = np.random.default_rng(0).normal(0, 1e-3, int(seconds * 22050)).astype(np.float32)
    time = np.arange(3000) / 22050
    for start, position in zip(times, positions, strict=True):
        hertz, level = (220, 0.8) if position == 1 else (660, 0.4)
        wave = (level * np.exp(-time * 40) * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
        first = int(start * 22050)
        samples[first : first + 3000] += wave[: max(0, len(samples) - first)]
    return Audio(samples, 22050)


def write_recording(folder: Path, bpm: float, meter: int, seconds: float = 20) -> None:
    """Write one piece."""
    folder.mkdir(parents=True)
    times = np.arange(0.4, seconds - 0.3, 60 / bpm)
    positions = np.arange(len(times)) % meter + 1
    clicks(times, positions, seconds).save(folder / "music.flac")
    shown = {"conducted_times": times, "conducted_positions": positions, "conducted_meter": np.array(meter)}
    np.savez(folder / "beats.npz", **shown, about=np.array(json.dumps({"group": "pop"})))
