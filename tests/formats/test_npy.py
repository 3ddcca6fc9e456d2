"""Arrays whose shape says which corpus they are of."""

import numpy as np
import pytest

from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton


def frames_of(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.root, motion.rotations.reshape(len(motion), -1)], axis=1)


@pytest.mark.parametrize("front", [0, 6])
def test_a_dance_of_fact(tmp_path, swing, front):
    motion = swing(get_skeleton("smpl-24"), 5, 60.0)
    noise = np.random.default_rng(0).normal(size=(5, front)).astype(np.float32)
    np.save(tmp_path / "x.npy", np.concatenate([noise, frames_of(motion)], axis=1))
    loaded = Motion.load(tmp_path / "x.npy")
    assert (loaded.skeleton, loaded.fps) == (motion.skeleton, 60.0)
    np.testing.assert_allclose(loaded.rotations, motion.rotations, atol=1e-6)
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=1e-5)


def test_what_a_network_makes_becomes_the_nearest_rotations(tmp_path, swing):
    motion = swing(get_skeleton("smpl-24"), 5, 60.0)
    noise = np.random.default_rng(0).normal(0, 0.02, (5, 216))
    rough = frames_of(motion).astype(np.float64)
    rough[:, 3:] = 0.8 * rough[:, 3:] + noise
    np.save(tmp_path / "x.npy", rough)
    loaded = Motion.load(tmp_path / "x.npy").rotations
    np.testing.assert_allclose(loaded, motion.rotations, atol=0.15)
    np.testing.assert_allclose(loaded @ loaded.swapaxes(-1, -2), np.broadcast_to(np.eye(3), loaded.shape), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(loaded), 1, atol=1e-5)


@pytest.mark.parametrize("shape", [(7, 63), (7, 21, 3)])
def test_a_dance_with_melody(tmp_path, shape):
    points = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.save(tmp_path / "x.npy", points)
    loaded = Motion.load(tmp_path / "x.npy")
    assert (loaded.skeleton.name, loaded.fps) == ("melody-21", 25.0)
    np.testing.assert_array_equal(loaded.positions, points.reshape(7, 21, 3))


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((4, 219)), "far from any rotation"),
        (np.full((4, 219), np.nan), "not finite"),
        (np.zeros((4, 219), int), "type int64"),
        (np.zeros((4, 220)), r"floats \(frames, 13, 2\)"),
        (np.zeros((0, 63), np.float32), "no frames"),
        (np.zeros((0, 219), np.float32), "no frames"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, says):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(MotionError, match=says):
        Motion.load(tmp_path / "x.npy")
