"""Points of other corpora, back on the dancer's body."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.kinematics import bone_lengths, forward_kinematics
from ictus.motion import Motion
from ictus.retargeting.body_conversion import convert
from ictus.retargeting.pose_fitting import posed, posed_joints
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

SMPL = get_skeleton("smpl-24")
BODIES = ("melody-21", "coco-17")
J = {name: number for number, name in enumerate(SMPL.joints)}


def dancer(turns: dict[str, np.ndarray], frames: int, root=None, fps: float = 30.0) -> Motion:
    """A body at rest but for the joints that are turned by vectors (frames, 3)."""
    rotations = np.tile(np.eye(3), (frames, 24, 1, 1))
    for joint, vectors in turns.items():
        rotations[:, J[joint]] = Rotation.from_rotvec(vectors).as_matrix()
    root = np.tile(SMPL.rest[0], (frames, 1)) if root is None else root
    return Motion(forward_kinematics(SMPL, rotations, root), fps, SMPL, rotations, root, {"seed": 7})


def moving(frames: int = 60) -> Motion:
    """Arms and legs bend, the body turns all around and bows: what the points show in full."""
    phase = np.linspace(0, 2 * np.pi, frames)
    wave, zero = np.sin(phase), np.zeros(frames)
    return dancer(
        {
            "root": np.stack([zero, phase, zero], 1),
            "lhip": np.stack([-0.6 - 0.4 * wave, zero, zero], 1),
            "lknee": np.stack([0.9 + 0.5 * wave, zero, zero], 1),
            "rhip": np.stack([-0.3 + 0.3 * wave, zero, zero], 1),
            "rknee": np.stack([0.8 - 0.4 * wave, zero, zero], 1),
            "lshoulder": np.stack([zero, zero, -0.9 + 0.5 * wave], 1),
            "lelbow": np.stack([zero, -1.2 + 0.6 * wave, zero], 1),
            "rshoulder": np.stack([zero, zero, 0.7 + 0.5 * wave], 1),
            "relbow": np.stack([zero, 1.0 - 0.5 * wave, zero], 1),
        },
        frames,
        SMPL.rest[0] + np.stack([np.cos(phase), 0.1 * wave, wave], 1),
    )


def speeds(motion: Motion) -> np.ndarray:
    """(T - 1, 24) degrees a frame."""
    turns = motion.rotations.astype(np.float64)
    steps = (np.swapaxes(turns[:-1], -1, -2) @ turns[1:]).reshape(-1, 3, 3)
    return np.degrees(Rotation.from_matrix(steps).magnitude()).reshape(len(turns) - 1, 24)


@pytest.mark.parametrize("body", BODIES)
def test_at_rest_nothing_is_turned(body):
    still = dancer({}, 3)
    again = posed(convert(still, body))
    np.testing.assert_allclose(again.positions, still.positions, atol=0.012)
    angles = Rotation.from_matrix(again.rotations.reshape(-1, 3, 3)).magnitude()
    assert angles.max() < np.radians(8)


@pytest.mark.parametrize("body", BODIES)
def test_limbs_are_found_again(body):
    dance = moving()
    again = posed(convert(dance, body))
    assert (again.fps, again.meta, again.skeleton) == (30.0, {"seed": 7}, SMPL)
    error = np.linalg.norm(again.positions - dance.positions, axis=-1)
    # The points of coco-17 are joints; those of melody-21 lie around them, where hips seem to move as they bend.
    assert error.max() < (0.035 if body == "melody-21" else 0.005)
    np.testing.assert_allclose(
        bone_lengths(SMPL, again.positions), np.tile(bone_lengths(SMPL, SMPL.rest[None]), (60, 1)), atol=1e-5
    )
    # Knees and elbows are hinges: bent limbs twist as they did.
    for joint in ("lhip", "lknee", "lshoulder", "lelbow"):
        turn = np.swapaxes(again.rotations[:, J[joint]], -1, -2) @ dance.rotations[:, J[joint]]
        assert np.degrees(Rotation.from_matrix(turn).magnitude()).max() < 12, joint


@pytest.mark.parametrize("body", BODIES)
def test_size_and_unit_are_of_no_account(body):
    points = convert(moving(), body)
    other = Motion(points.positions * 117.0, points.fps, points.skeleton)  # a tall one, in centimetres
    np.testing.assert_allclose(posed(other).positions, posed(points).positions, atol=1e-4)


@pytest.mark.parametrize("body", BODIES)
def test_swapped_sides_are_swapped_back(body):
    points = convert(moving(), body)
    swapped = Motion(points.positions[:, list(points.skeleton.mirror)], points.fps, points.skeleton)
    np.testing.assert_allclose(posed(swapped).positions, posed(points).positions, atol=1e-6)


def test_the_directions_of_hands_are_left_out():
    points = convert(moving(), "melody-21")
    more = np.concatenate([points.positions, np.full((60, 2, 3), 5.0)], axis=1)
    whole = posed(Motion(more, 30.0, get_skeleton("melody-23")))
    np.testing.assert_array_equal(whole.positions, posed(points).positions)


def test_a_straight_arm_that_shakes_does_not_spin():
    rng = np.random.default_rng(0)
    still = convert(dancer({"lshoulder": np.tile([0, 0, -1.0], (90, 1))}, 90), "melody-21")
    shaken = Motion(still.positions + rng.normal(0, 0.004, still.positions.shape), 30.0, still.skeleton)
    assert speeds(posed(shaken))[:, J["lshoulder"]].max() < 15


@pytest.mark.parametrize(("body", "mean"), [("melody-21", 0.026), ("coco-17", 0.024)])
def test_real_dances_there_and_back(shared_data, body, mean):
    errors = []
    for _, dance, _ in read_real_dances(shared_data):
        again = posed(convert(dance, body))
        errors.append(np.linalg.norm(again.positions - dance.positions, axis=-1).mean())
        assert np.percentile(speeds(again), 99) < np.percentile(speeds(dance), 99) + 7
    assert np.mean(errors) < mean
    assert max(errors) < 0.05


def test_the_corpus_gets_a_body(shared_data):
    file = sorted((shared_data / "dance_with_melody").glob("*C_2.npz"))[0]
    points = Motion(np.load(file)["positions"][:500] / 100, 25.0, get_skeleton("melody-23"))
    dance = posed(points)
    front = dance.positions[:, [J["ltoes"], J["rtoes"]]] - dance.positions[:, [J["lankle"], J["rankle"]]]
    across = dance.positions[:, J["lhip"]] - dance.positions[:, J["rhip"]]
    ahead = np.cross(across, [0, 1, 0])
    assert ((front.sum(1) * ahead).sum(-1) > 0).mean() > 0.9  # it walks where it looks
    up = dance.positions[:, J["head"], 1] - dance.positions[:, J["root"], 1]
    assert (up > 0.3).all()
    # The points of this body lie where those of the corpus do, which are of another one.
    mirrored = points.positions[:, list(get_skeleton("melody-21").mirror)]
    theirs = mirrored - mirrored[:, [2]]
    ours = convert(dance, "melody-21").positions
    error = np.linalg.norm((ours - ours[:, [2]]) - theirs, axis=-1)
    assert error.mean() < 0.08


def test_what_cannot_be_posed():
    points = convert(moving(), "coco-17")
    with pytest.raises(MotionError, match="smpl-24 in 3-D cannot be posed: give melody-21 or coco-17"):
        posed(moving())
    with pytest.raises(MotionError, match="coco-17 in 2-D"):
        posed(Motion(points.positions[..., :2], 30.0, points.skeleton))
    with pytest.raises(MotionError, match="legs have no length"):
        posed(Motion(np.zeros_like(points.positions), 30.0, points.skeleton))


def test_joints_of_the_dancer_stay_where_they_are():
    motion = moving()
    again = posed_joints(Motion(motion.positions, motion.fps, SMPL))
    assert again.positions == pytest.approx(motion.positions, abs=1e-5)
    for joint in ("root", "lhip", "rknee", "lankle", "chest", "relbow"):
        turned = np.swapaxes(again.rotations[:, J[joint]], -1, -2) @ motion.rotations[:, J[joint]]
        assert np.degrees(Rotation.from_matrix(turned).magnitude()).mean() < 15, joint
    assert speeds(again).max() < 2 * speeds(motion).max() + 5


def test_joints_beside_the_body_are_put_on_it():
    motion = moving()
    beside = motion.positions + np.random.default_rng(0).normal(0, 0.01, motion.positions.shape)
    again = posed_joints(Motion(beside, motion.fps, SMPL))
    assert np.ptp(bone_lengths(SMPL, again.positions), axis=0).max() < 1e-5
    assert np.linalg.norm(again.positions - motion.positions, axis=-1).mean() < 0.05
    with pytest.raises(MotionError, match="is of coco-17"):
        posed_joints(convert(motion, "coco-17"))
