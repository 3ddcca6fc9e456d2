"""From the 3-D body to CM100's keypoints, and back to a body."""

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.conducting.pipeline import Maestro
from ictus.errors import MotionError
from ictus.kinematics import bone_lengths
from ictus.motion import Motion
from ictus.retargeting.projection import lift, project
from ictus.skeleton import get_skeleton


@pytest.fixture(scope="module")
def body() -> Motion:
    beats = Beats(1 + 0.6 * np.arange(30), np.arange(30) % 4 + 1, 4, loudness=np.linspace(0, 1, 30))
    return Maestro().perform(beats, 20)


def joint(motion: Motion, name: str) -> np.ndarray:
    return motion.positions[:, motion.skeleton.index(name)]


def test_normalised_as_conductor_motion_100(body: Motion) -> None:
    seen = project(body)
    assert seen.positions.shape == (600, 13, 2)
    width = np.linalg.norm(joint(seen, "left_shoulder") - joint(seen, "right_shoulder"), axis=1)
    assert width.mean() == pytest.approx(0.2, abs=1e-5)
    hips = (joint(seen, "left_hip") + joint(seen, "right_hip")) / 2
    np.testing.assert_allclose(hips.mean(0), [0.5, 0.75], atol=1e-5)
    assert (seen.positions > -0.2).all()
    assert (seen.positions < 1.2).all()


def test_seen_from_the_front(body: Motion) -> None:
    seen = project(body)
    assert joint(seen, "right_wrist")[:, 0].mean() < 0.5 < joint(seen, "left_wrist")[:, 0].mean()
    assert joint(seen, "nose")[:, 1].mean() < joint(seen, "left_shoulder")[:, 1].mean() < 0.75
    np.testing.assert_allclose(
        np.corrcoef(joint(seen, "right_wrist")[:, 1], -joint(body, "right_wrist")[:, 1])[0, 1], 1, atol=1e-6
    )


def test_projected_like_published_conducting(body: Motion, shared_data) -> None:
    published = np.load(shared_data / "virtualconductor/parity.npz")["motion"][0].mean(0)
    assert np.abs(project(body).positions.mean(0) - published).max() < 0.12


def test_lifting_keeps_what_the_camera_saw(body: Motion) -> None:
    seen = project(body)
    again = project(lift(seen))
    for name in ("left_wrist", "right_wrist"):
        assert np.linalg.norm(joint(again, name) - joint(seen, name), axis=1).mean() < 0.02
    assert np.ptp(bone_lengths(again.skeleton, lift(seen).positions[:, :13]), axis=0).shape == (
        len(again.skeleton.bones),
    )
    lifted = lift(seen)
    assert np.ptp(bone_lengths(lifted.skeleton, lifted.positions), axis=0).max() < 1e-5
    assert lifted.rotations is not None


def test_what_is_already_there_is_left_alone(body: Motion) -> None:
    assert lift(body) is body
    assert project(project(body)).positions is not None


def test_other_bodies_are_refused() -> None:
    other = Motion(np.zeros((2, 17, 3)), 30, get_skeleton("coco-17"))
    for function in (project, lift):
        with pytest.raises(MotionError, match="coco-17"):
            function(other)
