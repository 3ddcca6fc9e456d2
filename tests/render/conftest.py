"""Motions to draw."""

import numpy as np
import pytest

from ictus.kinematics import forward_kinematics, two_bone_elbow
from ictus.motion import Motion
from ictus.skeleton import get_skeleton


def beats_at(times: list[float], meter: int) -> dict[str, object]:
    return {"times": times, "positions": [k % meter + 1 for k in range(len(times))], "meter": meter}


@pytest.fixture(scope="session")
def flat() -> Motion:
    """Two seconds of conductor-13 at 30 fps that waves both hands, with beats at 0.5, 1.0 and 1.5 s."""
    pose = np.array(
        [
            *((0.50, 0.400), (0.52, 0.380), (0.48, 0.380), (0.55, 0.385), (0.45, 0.385)),
            *((0.60, 0.475), (0.40, 0.475), (0.66, 0.600), (0.34, 0.600), (0.70, 0.550), (0.30, 0.550)),
            *((0.56, 0.750), (0.44, 0.750)),
        ]
    )
    time = np.arange(60) / 30
    positions = np.tile(pose, (60, 1, 1))
    wave = 0.12 * np.stack([np.sin(2 * np.pi * time), np.cos(2 * np.pi * time)], axis=1)
    positions[:, 9] += wave
    positions[:, 10] += wave * [-1, 1]
    return Motion(positions, 30, get_skeleton("conductor-13"), meta={"beats": beats_at([0.5, 1.0, 1.5], 3)})


@pytest.fixture(scope="session")
def solid() -> Motion:
    """Two seconds of conductor-23 at 60 fps: the right hand crosses before the trunk, the left hangs behind it."""
    body = get_skeleton("conductor-23")
    time = np.arange(120) / 60
    positions = np.repeat(np.asarray(body.rest, np.float64)[None], 120, axis=0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, elbow, wrist, hand = (body.index(f"{side}_{j}") for j in ("shoulder", "elbow", "wrist", "hand"))
        turn = 2 * np.pi * time
        depth = 0.35 if side == "right" else -0.2
        goal = np.stack([sign * 0.2 + 0.15 * np.sin(turn), 1.15 + 0.1 * np.cos(turn), depth + 0 * turn], axis=1)
        bend, end = two_bone_elbow(positions[:, shoulder], goal, 0.295, 0.26, np.array([sign, -1.0, -0.3]))
        positions[:, elbow], positions[:, wrist] = bend, end
        positions[:, hand] = end + 0.38 * (end - bend)
    positions[:, body.index("baton")] = positions[:, body.index("right_hand")] + [0.1, 0.3, 0.1]
    return Motion(positions, 60, body)


@pytest.fixture(scope="session")
def dancer() -> Motion:
    """Three seconds of smpl-24 at 30 fps: arms down, the left knee lifted now and then, walking to its left."""
    body = get_skeleton("smpl-24")
    time = np.arange(90) / 30
    rotations = np.tile(np.eye(3), (90, 24, 1, 1))
    for side, sign in (("l", -1), ("r", 1)):
        rotations[:, body.index(f"{side}shoulder")] = turned_by(np.full(90, sign * 1.2), axis=2)
    lift = np.maximum(np.sin(2 * np.pi * time), 0)
    rotations[:, body.index("lhip")] = turned_by(-1.2 * lift, axis=0)
    rotations[:, body.index("lknee")] = turned_by(1.6 * lift, axis=0)
    root = np.stack([0.5 * time, np.full(90, 0.92), 0 * time], axis=1)
    positions = forward_kinematics(body, rotations, root)
    return Motion(positions, 30, body, rotations, root, {"beats": beats_at([0.5, 1.0, 1.5, 2.0], 4)})


def turned_by(angles: np.ndarray, axis: int) -> np.ndarray:
    """Rotations (T, 3, 3) about one axis."""
    first, second = ((axis + 1) % 3, (axis + 2) % 3)
    turns = np.tile(np.eye(3), (len(angles), 1, 1))
    turns[:, first, first] = turns[:, second, second] = np.cos(angles)
    turns[:, second, first] = np.sin(angles)
    turns[:, first, second] = -np.sin(angles)
    return turns
