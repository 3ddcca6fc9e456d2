"""A corpus in small."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ConductorMotion100 in small: 4 recordings of 24 s to train on and 2 held out; the hands follow the loudness."""
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            folder = root / split / str(number)
            folder.mkdir(parents=True)
            pulse = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(1, 2) * np.arange(24 * 90) / 90 + rng.uniform(0, 6))
            mel = np.clip(pulse[:, None] * rng.uniform(0.5, 1, 128) + rng.normal(0, 0.05, (24 * 90, 128)), 0, 1)
            pose = rng.uniform(0.4, 0.6, (13, 2))
            motion = pose + 0.1 * pulse[::3, None, None] * np.array([0.2, 1.0])
            np.save(folder / "mel.npy", mel.astype(np.float32))
            np.save(folder / "motion.npy", motion.astype(np.float32))
    return root
