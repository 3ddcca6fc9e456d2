"""Prepared corpora in small: dances that sway with the beat of their music."""

from pathlib import Path

import numpy as np

from ictus.dance.frames import rest


def write_aist(root: Path, frames: int = 420) -> Path:
    """Four dances of 219 numbers to train on and two to hold out; the pelvis sways and one knee bends."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            folder = root / split / f"dance{number}"
            folder.mkdir(parents=True)
            time = np.arange(frames) / 60 + rng.uniform(0, 1)
            motion = np.tile(rest(1.0).numpy(), (frames, 1))
            motion[:, 0] = 0.2 * np.sin(2 * np.pi * time)
            angle = 0.5 + 0.5 * np.cos(2 * np.pi * time)
            turned = np.zeros((frames, 3, 3))
            turned[:, 0, 0] = 1
            turned[:, 1, 1] = turned[:, 2, 2] = np.cos(angle)
            turned[:, 1, 2], turned[:, 2, 1] = -np.sin(angle), np.sin(angle)
            motion[:, 3 + 9 * 4 : 3 + 9 * 5] = turned.reshape(frames, 9)
            audio = rng.normal(0, 0.1, (frames, 35))
            audio[:, 0] += np.cos(2 * np.pi * time)
            audio[:, 33:] = (time % 1 < 1 / 60)[:, None]
            np.save(folder / "motion.npy", motion.astype(np.float32))
            np.save(folder / "audio.npy", audio.astype(np.float32))
    return root


def write_one_of_aist(root: Path, frames: int) -> Path:
    """The first of these dances alone, to train on and to hold out."""
    write_aist(root, frames)
    for folder in (*(root / "train").iterdir(), *(root / "val").iterdir()):
        for file in (root / "train" / "dance0").iterdir():
            np.save(folder / file.name, np.load(file))
    return root


def write_melody(root: Path, frames: int = 300) -> Path:
    """Four dances of 21 joints to train on and two to hold out, with a beat every half second."""
    rng = np.random.default_rng(0)
    body = rng.normal(0, 0.5, (21, 3))
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            folder = root / split / f"dance{number}"
            folder.mkdir(parents=True)
            beats = np.arange(rng.integers(0, 12), frames, 12)
            phase = (np.arange(frames) - beats[0]) / 12
            sway = np.sin(2 * np.pi * phase)[:, None, None] * np.array([0.2, 0.05, 0])
            audio = rng.normal(0, 0.1, (frames, 16)) * np.array([100] * 3 + [10] * 3 + [1] * 10)
            audio[:, 15] += phase % 1 == 0
            np.save(folder / "motion.npy", (body + sway).astype(np.float32))
            np.save(folder / "audio.npy", audio.astype(np.float32))
            np.save(folder / "beats.npy", beats / 25)
    return root


def write_one_dance(root: Path, frames: int = 400) -> Path:
    """One dance of 21 joints, to train on and to hold out: it changes all through the song, and sways on each beat."""
    rng = np.random.default_rng(0)
    time, since = np.arange(frames)[:, None] / 25, np.arange(frames)[:, None] - 4
    motion = rng.normal(0, 0.5, 63) + np.sin(2 * np.pi * since / 13) * rng.normal(0, 0.1, 63)
    for seconds in (4, 7, 16):
        motion += np.sin(2 * np.pi * (time / seconds + rng.random())) * rng.normal(0, 0.1, 63)
    audio = rng.normal(0, 1, (frames, 16))
    for folder in (root / "train" / "dance", root / "val" / "dance"):
        folder.mkdir(parents=True)
        np.save(folder / "motion.npy", motion.astype(np.float32))
        np.save(folder / "audio.npy", audio.astype(np.float32))
        np.save(folder / "beats.npy", np.arange(4, frames, 13) / 25)
    return root
