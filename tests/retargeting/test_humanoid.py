"""Rigs of other programs, on the dancer's body."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.kinematics import forward_kinematics, global_pose
from ictus.motion import Motion
from ictus.retargeting.humanoid import as_dancer
from ictus.retargeting.rigs import find_joints
from ictus.skeleton import Skeleton, get_skeleton

SMPL = get_skeleton("smpl-24")
J = {name: number for number, name in enumerate(SMPL.joints)}
LEFT = ("lhip", "lknee", "lankle", "ltoes", "linshoulder", "lshoulder", "lelbow", "lwrist")
MIDDLE = ("root", "belly", "spine", "chest", "neck", "head")

# The joints of one side of each rig, from the hip to the toes and from the collar to the wrist; @ is the side.
RIGS = {
    "mixamo": ("mixamorig:@(UpLeg Leg Foot ToeBase Shoulder Arm ForeArm Hand)", "Left", "Right"),
    "rokoko": ("@(Thigh Shin Foot Toe Shoulder Arm ForeArm Hand)", "Left", "Right"),
    "cmu": ("@(Hip Knee Ankle Toe Collar Shoulder Elbow Wrist)", "Left", "Right"),
    "asf": ("@(femur tibia foot toes clavicle humerus radius wrist)", "l", "r"),
    "vrm": ("J_Bip_@_(UpperLeg LowerLeg Foot ToeBase Shoulder UpperArm LowerArm Hand)", "L", "R"),
    "unity": ("@(UpperLeg LowerLeg Foot Toes Shoulder UpperArm LowerArm Hand)", "Left", "Right"),
    "unreal": ("(thigh_@ calf_@ foot_@ ball_@ clavicle_@ upperarm_@ lowerarm_@ hand_@)", "l", "r"),
    "biped": ("Bip01 @ (Thigh Calf Foot Toe0 Clavicle UpperArm Forearm Hand)", "L", "R"),
    "character creator": ("CC_Base_@_(Thigh Calf Foot ToeBase Clavicle Upperarm Forearm Hand)", "L", "R"),
    "daz": ("@(ThighBend Shin Foot Toe Collar ShldrBend ForearmBend Hand)", "l", "r"),
    "optitrack": ("@(Thigh Shin Foot Toe Shoulder UArm FArm Hand)", "L", "R"),
    "rigify": ("(thigh.@ shin.@ foot.@ toe.@ shoulder.@ upper_arm.@ forearm.@ hand.@)", "L", "R"),
    "smpl": ("@_(Hip Knee Ankle Foot Collar Shoulder Elbow Wrist)", "L", "R"),
    "plain": ("@_(hip knee ankle toe collar shoulder elbow wrist)", "left", "right"),
}


def names(rig: str) -> dict[str, str]:
    """The rig's name of each joint of smpl-24, but for the ends of the hands."""
    pattern, *sides = RIGS[rig]
    before, words = pattern.removesuffix(")").split("(")
    called = {joint: joint.capitalize() for joint in MIDDLE}
    for side, word in zip("lr", sides, strict=True):
        called |= {side + j[1:]: (before + w).replace("@", word) for j, w in zip(LEFT, words.split(), strict=True)}
    return called


def dance(frames: int = 90) -> Motion:
    """One who bends the knees with flat feet, throws the arms, bows and turns around."""
    phase = np.linspace(0, 2 * np.pi, frames)
    wave, zero = 0.5 - 0.5 * np.cos(2 * phase), np.zeros(frames)
    bend = 0.1 + 0.7 * wave
    turns = {
        "root": (zero, phase, zero),
        "lshoulder": (zero, zero, -1.2 + 0.9 * wave),
        "rshoulder": (zero, 0.4 * wave, 0.3 - 0.9 * wave),
        "lelbow": (zero, -0.2 - 1.2 * wave, zero),
        "relbow": (zero, 0.1 + 1.5 * wave, zero),
        "head": (0.1 * np.sin(phase), 0.4 * np.sin(phase), zero),
        **dict.fromkeys(("belly", "spine", "chest"), (0.12 * wave, zero, zero)),
        **{
            f"{side}{joint}": (part * bend, zero, zero)
            for side in "lr"
            for joint, part in (("hip", -1), ("knee", 2), ("ankle", -1))
        },
    }
    rotations = np.tile(np.eye(3), (frames, 24, 1, 1))
    for joint, vectors in turns.items():
        rotations[:, J[joint]] = Rotation.from_rotvec(np.stack(vectors, 1)).as_matrix()
    root = np.column_stack([np.sin(phase), 0.14 + 0.78 * np.cos(bend), np.cos(phase)])
    return Motion(forward_kinematics(SMPL, rotations, root), 30.0, SMPL, rotations, root)


def rigged(motion: Motion, called: dict[str, str], axes: bool, unit: float = 1.0, z_up: bool = False) -> Motion:
    """The same movement under other names, in another unit and, if `axes`, with axes of each joint's own."""
    joints = [joint for joint in SMPL.joints if joint in called]
    numbers = [J[joint] for joint in joints]
    parents = tuple(joints.index(SMPL.joints[SMPL.parents[n]]) if n else -1 for n in numbers)
    own = Rotation.random(len(joints), random_state=1).as_matrix() if axes else np.tile(np.eye(3), (len(joints), 1, 1))
    upright = Rotation.from_euler("x", 90 if z_up else 0, degrees=True).as_matrix()
    positions, world = global_pose(SMPL, motion.rotations.astype(float), motion.root.astype(float))
    world = upright @ world[:, numbers] @ own
    above = [own[p] if p >= 0 else np.eye(3) for p in parents]
    offsets = np.stack([turn.T @ SMPL.offsets[n] * unit for turn, n in zip(above, numbers, strict=True)])
    rest = np.zeros((len(joints), 3))
    local = world.copy()
    for k, parent in enumerate(parents):
        if parent >= 0:
            rest[k] = rest[parent] + offsets[k]
            local[:, k] = np.swapaxes(world[:, parent], 1, 2) @ world[:, k]
    body = Skeleton("rig", tuple(called[joint] for joint in joints), (), parents, rest=rest)
    root = positions[:, 0] @ upright.T * unit
    return Motion(forward_kinematics(body, local, root), motion.fps, body, local, root)


@pytest.mark.parametrize("rig", RIGS)
def test_names_of_a_rig(rig: str) -> None:
    called = names(rig)
    order = [joint for joint in SMPL.joints if joint in called]
    shuffled = [called[joint] for joint in order]
    assert len(set(shuffled)) == 22, shuffled
    parents = [order.index(SMPL.joints[SMPL.parents[J[joint]]]) if joint != "root" else -1 for joint in order]
    extra = [*shuffled, f"{called['lelbow']}Twist", "ik_foot_l", "HeadTop_End"]
    found = find_joints(extra, [*parents, order.index("lelbow"), 0, order.index("head")])
    assert {joint: extra[number] for joint, number in found.items()} == {
        joint: called[joint] for joint in called if joint not in ("belly", "spine")
    }


@pytest.mark.parametrize(("unit", "z_up"), [(1.0, False), (100.0, True), (1 / 0.0254, False), (0.5, True)])
@pytest.mark.parametrize("axes", [False, True])
def test_a_dance_on_a_rig_comes_back(axes: bool, unit: float, z_up: bool) -> None:
    motion = dance()
    again = as_dancer(rigged(motion, names("mixamo"), axes, unit, z_up))
    assert (again.skeleton, again.fps) == (SMPL, 30)
    error = np.linalg.norm(again.positions - motion.positions, axis=-1).max(0)
    assert error.max() < (0.06 if axes else 0.015), dict(zip(SMPL.joints, error.round(3), strict=True))
    turn = np.swapaxes(again.rotations, -1, -2) @ motion.rotations
    angles = Rotation.from_matrix(turn.reshape(-1, 3, 3)).magnitude().reshape(len(motion), 24).max(0)
    assert np.degrees(angles).max() < (25 if axes else 3), dict(
        zip(SMPL.joints, np.degrees(angles).round(), strict=True)
    )


def test_points_alone_are_enough() -> None:
    motion = dance()
    rig = rigged(motion, names("plain"), axes=False, unit=100)
    again = as_dancer(replace(rig, rotations=None, root=None))
    assert np.linalg.norm(again.positions - motion.positions, axis=-1).max() < 0.08


def test_a_given_scale_is_that_of_the_path() -> None:
    motion = dance()
    again = as_dancer(rigged(motion, names("plain"), axes=False, unit=100), scale=0.02)
    np.testing.assert_allclose(np.ptp(again.root, axis=0), np.ptp(motion.root, axis=0) * (2, 1, 2), atol=0.02)
    upright = as_dancer(motion)
    np.testing.assert_allclose(upright.positions, motion.positions, atol=1e-5)


def test_left_handed_axes_are_a_mirror() -> None:
    """A rig in left-handed axes has its left where its right should be: the toes tell."""
    motion = dance()
    called = names("plain")
    swapped = called | {joint: called[SMPL.joints[SMPL.mirror[J[joint]]]] for joint in called}
    again = as_dancer(rigged(motion, swapped, axes=False))
    assert np.linalg.norm(again.positions - motion.positions, axis=-1).max() < 0.02


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (("knee", "ankle", "toes", "hip"), "has no legs: none of its joints is a left hip, left knee, left ankle"),
        (("shoulder", "elbow", "wrist"), "has no arms: none of its joints is a left shoulder"),
        (("head",), "is no whole body: none of its joints is a head; it has Root, Belly, Spine"),
    ],
)
def test_what_cannot_dance(gone: tuple[str, ...], words: str) -> None:
    called = {joint: name for joint, name in names("plain").items() if not joint.endswith(gone)}
    with pytest.raises(MotionError, match=words):
        find_joints(list(called.values()), None)
