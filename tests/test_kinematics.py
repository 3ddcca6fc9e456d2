import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ictus.kinematics import bone_lengths, forward_kinematics, frame_from, global_pose, two_bone_elbow
from ictus.skeleton import Skeleton, get_skeleton

BODY = get_skeleton("conductor-23")
SEEDS = st.integers(0, 2**32 - 1)


def turns(frames, seed=0):
    rng = np.random.default_rng(seed)
    rotations = Rotation.from_rotvec(rng.normal(size=(frames * len(BODY), 3))).as_matrix()
    return rotations.reshape(frames, len(BODY), 3, 3), rng.normal(size=(frames, 3))


def test_without_rotations_the_body_rests():
    rotations = np.tile(np.eye(3), (2, len(BODY), 1, 1))
    root = np.array([BODY.rest[0], BODY.rest[0] + [1, 2, 3]])
    positions = forward_kinematics(BODY, rotations, root)
    np.testing.assert_allclose(positions[0], BODY.rest, atol=1e-6)
    np.testing.assert_allclose(positions[1] - positions[0], np.tile([1, 2, 3], (len(BODY), 1)), atol=1e-6)


def test_each_joint_is_where_its_chain_of_matrices_puts_it():
    rotations, root = turns(3)
    positions, world = global_pose(BODY, rotations, root)
    for frame in range(3):
        for joint in range(len(BODY)):
            chain, parent = [], joint
            while parent >= 0:
                local = np.eye(4)
                local[:3, :3] = rotations[frame, parent]
                local[:3, 3] = BODY.offsets[parent] if BODY.parents[parent] >= 0 else root[frame]
                chain.insert(0, local)
                parent = BODY.parents[parent]
            matrix = np.linalg.multi_dot([np.eye(4), np.eye(4), *chain])
            np.testing.assert_allclose(positions[frame, joint], matrix[:3, 3], atol=1e-6)
            np.testing.assert_allclose(world[frame, joint], matrix[:3, :3], atol=1e-12)


def test_turning_a_shoulder_moves_only_the_arm():
    rotations = np.tile(np.eye(3), (1, len(BODY), 1, 1))
    rotations[0, BODY.index("left_shoulder")] = Rotation.from_euler("z", -90, degrees=True).as_matrix()
    moved = forward_kinematics(BODY, rotations, BODY.rest[:1])[0]
    shoulder, hand = BODY.rest[BODY.index("left_shoulder")], moved[BODY.index("left_hand")]
    np.testing.assert_allclose(hand - shoulder, [0, -0.655, 0], atol=1e-6)  # hanging down
    changed = {BODY.joints[j] for j in np.flatnonzero(np.abs(moved - BODY.rest).max(-1) > 1e-6)}
    assert changed == {"left_elbow", "left_wrist", "left_hand"}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_bones_keep_their_length_however_the_body_turns(seed):
    rotations, root = turns(2, seed)
    lengths = bone_lengths(BODY, forward_kinematics(BODY, rotations, root))
    np.testing.assert_allclose(lengths, np.tile(bone_lengths(BODY, BODY.rest[None]), (2, 1)), atol=1e-6)


def test_a_body_without_bones_has_no_lengths():
    assert bone_lengths(Skeleton("dots", ("a", "b"), ()), np.zeros((4, 2, 3))).shape == (4, 0)


def test_single_precision_stays_single():
    rotations, root = (array.astype(np.float32) for array in turns(2))
    assert forward_kinematics(BODY, rotations, root).dtype == np.float32
    assert frame_from(root, root[::-1]).dtype == np.float32


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=SEEDS, upper=st.floats(0.1, 0.5), fore=st.floats(0.1, 0.5), far=st.sampled_from([0, 1e-4, 0.3, 1, 100]))
def test_the_elbow_keeps_both_bones_their_length(seed, upper, fore, far):
    rng = np.random.default_rng(seed)
    shoulder, reach, pole = rng.normal(size=(3, 8, 3))
    pole[0], pole[1] = 0, reach[1]  # no pole, and one along the arm
    elbow, wrist = two_bone_elbow(shoulder, shoulder + far * reach, upper, fore, pole)
    np.testing.assert_allclose(np.linalg.norm(elbow - shoulder, axis=-1), upper, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(wrist - elbow, axis=-1), fore, atol=1e-9)
    if far:
        along = (wrist - shoulder) / np.linalg.norm(wrist - shoulder, axis=-1, keepdims=True)
        np.testing.assert_allclose(along, reach / np.linalg.norm(reach, axis=-1, keepdims=True), atol=1e-6)
    side = (
        elbow
        - shoulder
        - ((elbow - shoulder) * (wrist - shoulder)).sum(-1, keepdims=True)
        * (wrist - shoulder)
        / ((wrist - shoulder) ** 2).sum(-1, keepdims=True)
    )
    assert ((side * pole).sum(-1) >= -1e-9).all()


def test_a_wrist_in_easy_reach_stays_and_one_too_far_comes_smoothly_near():
    shoulder, pole = np.zeros((200, 3)), np.array([0.0, -1.0, 0.0])
    wished = np.zeros((200, 3))
    wished[:, 2] = np.linspace(0.1, 2, 200)
    _, wrist = two_bone_elbow(shoulder, wished, 0.3, 0.25, pole)
    easy = wished[:, 2] < 0.55 * 0.88
    np.testing.assert_allclose(wrist[easy], wished[easy], atol=1e-12)
    assert wrist[-1, 2] == pytest.approx(0.995 * 0.55, abs=1e-6)
    steps = np.diff(wrist[:, 2])
    assert (steps >= 0).all()
    assert np.abs(np.diff(steps)).max() < 0.005  # no jerk where the limit sets in


def test_the_elbow_points_to_the_pole():
    shoulder, wrist = np.zeros((1, 3)), np.array([[0.4, 0.0, 0.0]])
    elbow, _ = two_bone_elbow(shoulder, wrist, 0.3, 0.3, np.array([0.0, -1.0, 0.0]))
    np.testing.assert_allclose(elbow, [[0.2, -np.sqrt(0.3**2 - 0.2**2), 0]], atol=1e-9)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_a_frame_is_a_rotation_that_points_as_asked(seed):
    primary, secondary = np.random.default_rng(seed).normal(size=(2, 5, 3))
    frame = frame_from(primary, secondary)
    np.testing.assert_allclose(frame.swapaxes(-1, -2) @ frame, np.tile(np.eye(3), (5, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(frame), 1, atol=1e-9)
    np.testing.assert_allclose(frame[..., 0], primary / np.linalg.norm(primary, axis=-1, keepdims=True), atol=1e-9)
    assert ((frame[..., 1] * secondary).sum(-1) > 0).all()
    np.testing.assert_allclose((frame[..., 2] * secondary).sum(-1), 0, atol=1e-9)


def test_a_frame_is_a_rotation_even_where_directions_are_missing():
    primary = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    secondary = np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 0], [-3, -3, -3]])
    frame = frame_from(primary, secondary)
    np.testing.assert_allclose(frame.swapaxes(-1, -2) @ frame, np.tile(np.eye(3), (4, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(frame), 1, atol=1e-9)
