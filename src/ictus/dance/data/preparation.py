"""Make a prepared corpus (`ictus.dance.data.dataset`) of one that was fetched: what all corpora of dance share.

A folder of a dance is there whole or not at all, and what is there is kept: the same command resumes. `prepared.json`
beside the splits says what they were made of.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ictus import corpora
from ictus.audio import Audio
from ictus.corpora import SPLITS, finish_preparation
from ictus.dance.data.dataset import Layout, scan_dances
from ictus.types import AnyArray, Float32Array, Float64Array


def save_dance(folder: Path, files: Mapping[str, AnyArray | Audio]) -> None:
    """Write a dance's arrays (NAME.npy) and sounds (NAME.flac), all or nothing.

    Raises
    ------
    IctusError
        If the folder cannot be written.
    """
    named = {f"{name}.{'flac' if isinstance(content, Audio) else 'npy'}": content for name, content in files.items()}
    corpora.save_example(folder, named, bits=24)


def finish_corpus(out: Path, layout: Layout) -> dict[str, Any]:
    """Count what is there, write it into prepared.json, and return it: {split: {"dances": n, "hours": h}}."""
    counts: dict[str, Any] = {}
    for split in (name for name in SPLITS if (out / name).is_dir()):
        dances = scan_dances(out, split, layout).dances
        hours = sum(dance.frames for dance in dances) / layout.rate / 3600
        counts[split] = {"dances": len(dances), "hours": round(hours, 4)}
    finish_preparation(out, counts)
    return counts


def beat_times(rhythm: Float32Array, frame_rate: float, seconds: float) -> Float64Array:
    """Return the times (K,), in seconds, of the frames that rhythm35 (T, 35) marks as beats, before `seconds`."""
    times = np.flatnonzero(rhythm[:, -1]) / frame_rate
    return np.asarray(times[times < seconds], np.float64)
