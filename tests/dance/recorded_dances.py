"""Recordings of real dances in small, as `ictus.dance.data.motion_clips.read_clip` takes them."""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation


def arm_swings(
    name: str = "gBR_sBM_c01_d01_mBR0_ch01", tempo: float = 100.0, seconds: float = 9.0, size: float = 0.9
) -> dict:
    """A recording of one who throws the arms up and down, at rest on each beat, with two pieces joined by a step."""
    frames = round(30 * seconds)
    beat = np.arange(frames) / 30 * tempo / 60
    turned = np.tile(np.eye(3), (frames, 22, 1, 1))
    for joint, sign in ((16, 1), (17, -1), (18, 1), (19, -1)):
        turned[:, joint] = Rotation.from_euler("z", sign * size * (1 - np.cos(np.pi * beat))[:, None]).as_matrix()
    turned[frames // 2 :, 0] = Rotation.from_euler("y", 10, degrees=True).as_matrix()
    root = np.column_stack([0.1 * np.sin(np.pi * beat / 4), np.full(frames, 1.15), np.zeros(frames)])
    joins = np.array([frames // 2])
    return {"name": name, "rotations": turned, "root": root, "fps": 30, "bpm": tempo, "joins": joins}


def write(folder: Path, **changes: object) -> Path:
    content = {**arm_swings(), **changes}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{content.pop('name')}.npz"
    np.savez(path, **content)
    return path
