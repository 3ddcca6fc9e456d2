"""Folders of prepared performances, as a test needs them."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def write_performance(folder: Path, instrument: str | None, **content: Any) -> Path:
    """Write a folder: each array as NAME.npy, and what is no array beside the instrument in about.json."""
    folder.mkdir(parents=True)
    arrays = {name: value for name, value in content.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32) if array.dtype == float else array)
    about = {name: value for name, value in content.items() if name not in arrays}
    (folder / "about.json").write_text(json.dumps({"instrument": instrument, **about}), "utf-8")
    return folder


def random_keypoints(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Return as many keypoints (K, 47, 3) as belong to mel frames, anywhere, all found."""
    points = rng.uniform(0, 500, (round(frames * 256 / 22050 * 25), 47, 3))
    points[..., 2] = 1
    return points
