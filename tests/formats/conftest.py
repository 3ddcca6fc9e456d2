"""Motions to write and read again."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton


def _swing(body: Skeleton, frames: int = 6, fps: float = 30.0, seed: int = 0, meta: dict | None = None) -> Motion:
    rng = np.random.default_rng(seed)
    start, step = rng.normal(size=(1, len(body), 3)), rng.normal(size=(1, len(body), 3))
    times = np.arange(frames)[:, None, None]
    turns = Rotation.from_rotvec((start + 0.7 * times * step).reshape(-1, 3))
    rotations = turns.as_matrix().reshape(frames, len(body), 3, 3).astype(np.float32)
    root = rng.normal(size=(frames, 3)).astype(np.float32)
    return Motion(forward_kinematics(body, rotations, root), fps, body, rotations, root, meta or {})


def _random_body(joints: int, seed: int = 0) -> Skeleton:
    rng = np.random.default_rng(seed)
    parents = (-1, *(int(rng.integers(joint)) for joint in range(1, joints)))
    offsets = rng.normal(size=(joints, 3)) * rng.choice([0.0, 0.3, 0.3], size=(joints, 1))  # a third have no length
    rest = np.zeros((joints, 3))
    for joint, parent in enumerate(parents[1:], start=1):
        rest[joint] = rest[parent] + offsets[joint]
    rest += rng.normal(size=3)
    names = tuple(f"{'left' if joint % 2 else 'right'}_{joint // 2}" for joint in range(joints))
    bones = tuple((parent, joint) for joint, parent in enumerate(parents) if parent >= 0)
    return Skeleton(f"random-{joints}", names, bones, parents, rest=rest.astype(np.float32))


@pytest.fixture(scope="session")
def swing() -> Callable[..., Motion]:
    """Make a motion of a hierarchy with random, steadily turning joints."""
    return _swing


@pytest.fixture(scope="session")
def random_body() -> Callable[..., Skeleton]:
    """Make a hierarchy of random shape; joints may coincide."""
    return _random_body
