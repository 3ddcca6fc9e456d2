"""Corpora as they are fetched, in small: AIST++ with songs, and Dance with Melody."""

import json
import pickle
from pathlib import Path

import numpy as np

from ictus.audio import Audio

TRAIN = ("gBR_sBM_cAll_d04_mBR0_ch03", "gBR_sFM_cAll_d05_mBR0_ch11", "gHO_sBM_cAll_d20_mHO5_ch04")
VAL, TEST = ("gHO_sBM_cAll_d19_mHO5_ch01",), ("gHO_sBM_cAll_d19_mHO5_ch02",)
IGNORED = "gBR_sBM_cAll_d06_mBR0_ch05"
TEMPI = {"mBR0": 80, "mHO5": 135}


def pulse(seconds: float, tempo: float, rate: int = 22050, seed: int = 0) -> Audio:
    """Make a tone on every beat from 0 s on, over a little noise."""
    samples = np.random.default_rng(seed).normal(0, 0.003, round(seconds * rate)).astype(np.float32)
    ring = np.exp(-np.arange(2000) / 300) * np.sin(2 * np.pi * 300 * np.arange(2000) / rate)
    for start in np.arange(0, seconds, 60 / tempo):
        part = samples[round(start * rate) :][:2000]
        part += 0.5 * ring[: len(part)].astype(np.float32)
    return Audio(samples, rate)


def write_aist(root: Path, frames: int = 200, seconds: float = 6.0) -> Path:
    """Write five dances in three splits, one that is ignored, and their two songs in music/."""
    for number, name in enumerate((*TRAIN, *VAL, *TEST, IGNORED)):
        rng = np.random.default_rng(number)
        content = {
            "smpl_poses": rng.normal(0, 0.3, (frames + number, 72)),
            "smpl_trans": rng.normal(0, 90, (frames + number, 3)).astype(np.float32),
            "smpl_scaling": np.array([95.0]),
            "smpl_loss": 1.0,
        }
        (root / "motions").mkdir(parents=True, exist_ok=True)
        (root / "motions" / f"{name}.pkl").write_bytes(pickle.dumps(content))
    (root / "splits").mkdir()
    for split, names in (("train", (*TRAIN, IGNORED)), ("val", VAL), ("test", TEST)):
        (root / "splits" / f"crossmodal_{split}.txt").write_text("".join(f"{name}\n" for name in names))
    (root / "ignore_list.txt").write_text(f"{IGNORED}\n")
    for number, (song, tempo) in enumerate(TEMPI.items()):
        pulse(seconds, tempo, seed=number).save(root / "music" / f"{song}.wav")
    return root


def walk(frames: int, seed: int = 0) -> np.ndarray:
    """Return (frames, 23, 3) centimetres: one who walks about and turns, on a floor that rises.

    The `_l` points lie on the dancer's right, as in the corpus.
    """
    rng = np.random.default_rng(seed)
    body = rng.normal(0, 5, (23, 3)) + np.array([0, 100, 0])
    for side, x in (("l", -1), ("r", 1)):
        first = {"l": 7, "r": 16}[side]
        places = ((10, 95, 0), (10, 50, 3), (10, 12, -2), (10, 6, -6), (10, 6, 14))  # hip, knee, ankle, heel, toe
        for number, (across, up, ahead) in enumerate(places):
            body[first + number] = (x * across, up, ahead)
    body[2] = (0, 110, 0)
    time = np.arange(frames) / 25
    angle = 0.5 + 0.3 * time
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    x = body[:, 0] * cosine + body[:, 2] * sine
    z = -body[:, 0] * sine + body[:, 2] * cosine
    points = np.stack([x, np.broadcast_to(body[:, 1], x.shape), z], axis=-1)
    way = np.stack([100 + 40 * time, 2 * time, 50 * np.sin(time)], axis=-1)
    return points + way[:, None]


def write_gathered(root: Path, names: tuple[str, ...] = ("C_2", "W_1"), frames: int = 100) -> Path:
    """Write dances as .npz and .ogg, without splits.csv."""
    root.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        np.savez(root / f"{name}.npz", positions=walk(frames, number).astype(np.float32), fps=25.0)
        pulse(frames / 25 + 1, 90, seed=number).save(root / f"{name}.ogg")
    return root


def write_published(root: Path, name: str = "W_1", frames: int = 100, start: int = 50) -> Path:
    """Write a dance as its authors do; the song begins two seconds (50 frames) before it."""
    folder = root / f"DANCE_{name}"
    folder.mkdir(parents=True)
    points = walk(frames)
    center = points.mean(1) + np.array([1.0, -2, 3])
    content = {"length": frames, "center": center.tolist(), "skeletons": (points - center[:, None]).tolist()}
    (folder / "skeletons.json").write_text(json.dumps(content))
    (folder / "config.json").write_text(json.dumps({"start_position": start, "end_position": start + frames}))
    pulse((start + frames) / 25 + 3, 90).save(folder / "audio.mp3")
    return root
