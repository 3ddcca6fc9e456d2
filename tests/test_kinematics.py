import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ictus.kinematics import (
    bone_lengths,
    forward_kinematics,
    frame_from,
    global_pose,
    nearest_rotations,
    turn_between,
    two_bone_elbow,
    two_bone_turns,
)
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


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_a_turn_between_directions_is_the_smallest(seed):
    first, second = np.random.default_rng(seed).normal(size=(2, 5, 3))
    turn = turn_between(first, second)
    np.testing.assert_allclose(turn.swapaxes(-1, -2) @ turn, np.tile(np.eye(3), (5, 1, 1)), atol=1e-9)
    a, b = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) for vectors in (first, second))
    np.testing.assert_allclose((turn @ a[..., None])[..., 0], b, atol=1e-9)
    angle = np.arccos(np.clip((a * b).sum(-1), -1, 1))
    np.testing.assert_allclose(Rotation.from_matrix(turn).magnitude(), angle, atol=1e-6)


def test_turns_between_directions_that_are_opposite_or_missing():
    x, none = np.array([1.0, 0, 0]), np.zeros(3)
    turn = turn_between(np.stack([x, x, none, x, none]), np.stack([-x, x, x, none, none]))
    np.testing.assert_allclose(turn[0] @ x, -x, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-9)
    np.testing.assert_allclose(turn[1:], np.tile(np.eye(3), (4, 1, 1)), atol=1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_a_leg_reaches_where_it_shall(seed):
    rng = np.random.default_rng(seed)
    hip, knee, ankle, wish, front = rng.normal(size=(5, 8, 3))
    upper, lower = two_bone_turns(hip, knee, ankle, wish, front)
    thigh, shank = (upper @ (knee - hip)[..., None])[..., 0], (lower @ (ankle - knee)[..., None])[..., 0]
    for turn in (upper, lower):
        np.testing.assert_allclose(turn.swapaxes(-1, -2) @ turn, np.tile(np.eye(3), (8, 1, 1)), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-9)
    first, second = np.linalg.norm(knee - hip, axis=-1), np.linalg.norm(ankle - knee, axis=-1)
    far = np.linalg.norm(wish - hip, axis=-1)
    within = (far < first + second) & (far > np.abs(first - second)) & (far > 0.02 * (first + second))
    np.testing.assert_allclose((hip + thigh + shank)[within], wish[within], atol=1e-9)
    reached = (thigh + shank) / np.linalg.norm(thigh + shank, axis=-1, keepdims=True)
    np.testing.assert_allclose(reached, (wish - hip) / far[:, None], atol=1e-9)  # or at least that way


def test_a_bent_leg_that_stays_is_hardly_turned():
    hip, knee, ankle = np.array([[0, 0.8, 0.0]]), np.array([[0, 0.45, 0.17]]), np.array([[0, 0.1, 0.0]])
    front = np.array([[0.0, 0.0, 1.0]])
    for turn in two_bone_turns(hip, knee, ankle, ankle, front):
        np.testing.assert_allclose(turn[0], np.eye(3), atol=1e-9)
    upper, _ = two_bone_turns(hip, knee, ankle, ankle + np.array([0, 0.2, 0]), front)
    lifted = hip + (upper @ (knee - hip)[..., None])[..., 0]
    assert lifted[0, 2] > 0.25  # the knee goes on forwards


def test_a_knee_passes_its_full_length_without_snapping():
    bend = np.radians(np.linspace(10, -10, 200))[:, None]
    hip = np.zeros((200, 3))
    knee = np.tile([0.0, -0.4, 0.0], (200, 1))
    ankle = knee + 0.4 * np.concatenate([0 * bend, -np.cos(bend), -np.sin(bend)], axis=1)
    upper, lower = two_bone_turns(hip, knee, ankle, ankle * 0.98, np.tile([0.0, 0, 1], (200, 1)))
    for turn in (upper, lower):
        steps = Rotation.from_matrix(turn[:-1].swapaxes(-1, -2) @ turn[1:]).magnitude()
        assert np.degrees(steps).max() < 1
    assert ((upper @ knee[..., None])[:, 2, 0] > 0.05).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=SEEDS, size=st.sampled_from([0.01, 0.5, 3.0]))
def test_the_nearest_rotation_is_the_best_of_all(seed, size):
    rng = np.random.default_rng(seed)
    matrices = Rotation.random(6, random_state=seed).as_matrix() + size * rng.normal(size=(6, 3, 3))
    near = nearest_rotations(matrices)
    np.testing.assert_allclose(near @ near.swapaxes(-1, -2), np.tile(np.eye(3), (6, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(near), 1, atol=1e-5)
    # The best rotation B of sum |B e_i - m_i|^2, by scipy's solution of Wahba's problem.
    for matrix, rotation in zip(matrices, near, strict=True):
        best, _ = Rotation.align_vectors(matrix.T, np.eye(3))
        np.testing.assert_allclose(rotation, best.as_matrix(), atol=1e-4)


def test_the_mean_of_opposite_rotations_is_some_rotation():
    matrices = np.stack([np.diag([1.0, 0, 0]), np.zeros((3, 3)), np.diag([-1.0, -1, -1])])
    near = nearest_rotations(matrices)
    np.testing.assert_allclose(near @ near.swapaxes(-1, -2), np.tile(np.eye(3), (3, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(near), 1, atol=1e-9)
