"""Several dancers on one stage."""

import itertools

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.dance.group import dance_together, mirrored_motion, placed_side_by_side
from ictus.dance.quaternions import to_motion
from ictus.errors import MotionError
from ictus.motion import Motion
from ictus.registry import dancer
from ictus.skeleton import get_skeleton

BODY = get_skeleton("smpl-24")


def walking(speed: float, frames: int = 240) -> Motion:
    """A body that walks sideways, its right hand lifted, at metres a second."""
    quaternions = np.tile(np.array([0.0, 0, 0, 1]), (frames, 24, 1))
    quaternions[:, BODY.index("rshoulder")] = [0, 0, np.sin(0.5), np.cos(0.5)]
    root = np.zeros((frames, 3))
    root[:, 0] = speed * np.arange(frames) / 60
    return to_motion(quaternions, root)


def clicks(seconds: float = 8.0) -> Audio:
    samples = np.zeros((1, round(seconds * 22050)), np.float32)
    for k in range(round(2 * seconds)):
        start = round(k * 22050 / 2)
        samples[0, start : start + 600] = np.exp(-np.arange(600) / 100)[: samples.shape[1] - start]
    return Audio(samples, 22050)


@pytest.mark.parametrize("speeds", [(0.0, 0.0), (1.0, -1.0), (0.5, 0.0, -0.5)])
def test_nobody_walks_into_anybody(speeds):
    together = placed_side_by_side([walking(speed) for speed in speeds])
    for left, right in itertools.pairwise(together):
        assert (right.positions[:, 0, 0] - left.positions[:, 0, 0]).min() > 0.99
    middles = [np.median(motion.positions[:, 0, 0]) for motion in together]
    assert middles[0] == pytest.approx(-middles[-1], abs=1e-4)  # the stage's middle is between them
    for motion in together:
        pelvis = motion.root - motion.positions[:, 0]
        np.testing.assert_allclose(pelvis, np.zeros_like(pelvis), atol=1e-6)


def test_a_mirrored_dance_lifts_the_other_hand():
    motion = walking(0.3)
    other = mirrored_motion(motion)
    np.testing.assert_allclose(other.positions, motion.positions[:, list(BODY.mirror)] * (-1, 1, 1), atol=1e-5)
    with pytest.raises(MotionError, match="without rotations"):
        mirrored_motion(Motion(motion.positions, 60, BODY))


def test_dancers_share_the_genre_but_not_the_dance():
    first, second = dance_together(dancer("choreographer"), clicks(), 2, seed=3)
    assert first.meta["genre"] == second.meta["genre"]
    assert (first.meta["dancer"], second.meta["dancer"]) == (1, 2)
    assert np.abs(first.rotations - second.rotations).max() > 0.1
    assert len(first) == len(second)
    (alone,) = dance_together(dancer("choreographer"), clicks(), 1, seed=3)
    np.testing.assert_array_equal(alone.rotations, first.rotations)


def test_mirrored_dancers_dance_alike():
    first, second, third = dance_together(dancer("choreographer"), clicks(), 3, mirror=True, seed=3)
    np.testing.assert_array_equal(first.rotations, third.rotations)
    np.testing.assert_allclose(mirrored_motion(second).rotations, first.rotations, atol=1e-5)
