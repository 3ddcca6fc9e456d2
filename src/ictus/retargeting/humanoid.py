"""The movement of any rig on the dancer's body, smpl-24, whatever its names, axes, unit of length and rest pose.

Where the joints are says how each bone points; how the joints turn says how it twists. So each joint of the dancer
turns as the rig's does, times a constant: the one that fits the points best, in the rig's rest pose if it stands in
that, and over the whole motion if it does not (many files have a rest pose in which the legs point upwards). Without
rotations the points alone decide.
"""

import itertools

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.errors import MotionError
from ictus.kinematics import global_pose, nearest_rotations, turn_between, two_bone_turns
from ictus.retargeting import M, moved, positions_of
from ictus.retargeting.pose_fitting import ARM, LEG, POSABLE, framed, hinged, posed
from ictus.retargeting.rigs import find_joints
from ictus.skeleton import Skeleton, get_skeleton
from ictus.types import FloatArray

_BODY = get_skeleton("smpl-24")
_OFFSETS = dict(zip(_BODY.joints, _BODY.offsets.astype(np.float64), strict=True))
_UP, _LEFT = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
_LIMBS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
_UPRIGHT = 0.7  # how much less upright along y than along another axis a body may be for y still to be up
_STANDS = 0.9  # cosine between trunk and legs of a body that stands
_LOW = 0.05  # parts of a leg's length by which a foot is higher than at its lowest, and still flat on the floor
_KEEN = 20  # power of the cosine between trunk and legs that decides how much a frame says of the trunk
_LEAST = (
    0.02  # what a limb that is straight counts when its twist is sought, where a right angle counts 1; likewise trunks
)

_Places = dict[str, FloatArray]  # (T, 3) by joints of smpl-24
_Turns = dict[str, FloatArray]  # (T, 3, 3) in the world, likewise


def as_dancer(motion: M, scale: float | None = None) -> M:
    """Return the movement on smpl-24 with rotations, y up, at the same frame rate.

    Parameters
    ----------
    motion : of a rig with names that `ictus.retargeting.rigs` knows, or of points that `ictus.retargeting.pose_fitting`
        takes; in space, in whatever unit of length, with whatever axis up.
    scale : metres in one unit, for the path along the floor; without it, it grows as the legs do.

    Raises
    ------
    MotionError
        If the body cannot be mapped; the message names what it lacks.
    """
    body = motion.skeleton
    if body.name in POSABLE:
        return posed(motion)
    if body == _BODY and motion.rotations is not None and motion.root is not None:
        upright = turn_between(_up(_places(positions_of(motion), joint_numbers(body))), _UP)
        rotations: FloatArray = motion.rotations.astype(np.float64)
        rotations[:, 0] = upright @ rotations[:, 0]
        root: FloatArray = motion.root @ upright.T * _along_floor(1.0 if scale is None else scale)
    else:
        rotations, root = _retargeted(motion, scale)
    positions = global_pose(_BODY, rotations, root)[0]
    return moved(motion, _BODY, *(array.astype(np.float32) for array in (positions, rotations, root)))


def joint_numbers(body: Skeleton) -> dict[str, int]:
    """Return which joint of a rig is which joint of smpl-24: see `ictus.retargeting.rigs.find_joints`."""
    return find_joints(body.joints, body.parents)


def _retargeted(motion: M, scale: float | None) -> tuple[FloatArray, FloatArray]:
    """Return rotations (T, 24, 3, 3) relative to the parents, and the root's path (T, 3) metres."""
    body, positions = motion.skeleton, positions_of(motion)
    if positions.shape[2] != 3:
        raise MotionError(f"this motion of {body.name} lies in a plane; give one in space")
    joints = joint_numbers(body)
    at = _places(positions, joints)
    if _faces_back(at):  # sides are exchanged, or the axes are left-handed: the dancer is then seen in a mirror
        joints = {_BODY.joints[_BODY.mirror[_BODY.index(name)]]: number for name, number in joints.items()}
        at = _places(positions, joints)
    legs = float(np.median(_leg_length(at)))
    if not legs > 0:
        raise MotionError(f"this motion of {body.name} cannot be retargeted: its legs have no length")
    if motion.rotations is not None and motion.root is not None and body.parents is not None:
        rig = global_pose(body, motion.rotations.astype(np.float64), motion.root.astype(np.float64))[1]
        at_rest = None if body.rest is None else _places(body.rest[None], joints)
        turned = _as_the_rig_turns(at, {name: rig[:, number] for name, number in joints.items()}, at_rest, motion.fps)
    else:
        turned = _posed(at, motion.fps)
    upright, size = turn_between(_up(at), _UP), float(_leg_length(_REST)[0]) / legs
    at = {name: place @ upright.T * size for name, place in at.items()}
    rotations, root = _on_its_feet({name: upright @ turn for name, turn in turned.items()}, at)
    return rotations, root * _along_floor(1.0 if scale is None else scale / size)


def _posed(at: _Places, fps: float) -> _Turns:
    """Return how the joints are turned as far as the points show it."""
    trunk, trunk_rest = _middle(at, "shoulder") - _middle(at, "hip"), _middle(_REST, "shoulder") - _middle(_REST, "hip")
    turned = {
        joint: framed(_across(at, mark), trunk, _across(_REST, mark), trunk_rest)
        for joint, mark in (("root", "hip"), ("chest", "shoulder"))
    }
    neck = chest = turned["chest"]
    if "neck" in at:
        neck = turn_between(chest @ _OFFSETS["head"], at["head"] - at["neck"]) @ chest
    turned |= {"neck": neck, "head": neck}
    for side, sign in (("l", 1), ("r", -1)):
        for limb, above, hinge, usual in zip(_LIMBS, ("root", "chest"), (_LEFT, -sign * _UP), (LEG, ARM), strict=True):
            first, second, end = (side + joint for joint in limb)
            turned[first], turned[second] = hinged(
                *(turned[above], (_OFFSETS[second], _OFFSETS[end]), hinge, usual * (sign, 1, 1)),
                *(at[second] - at[first], at[end] - at[second], fps),
            )
        ankle, toes, shank = f"{side}ankle", f"{side}toes", turned[f"{side}knee"]
        foot = shank
        if toes in at:
            foot = framed(at[toes] - at[ankle], shank[..., 0], _OFFSETS[toes][None], _LEFT[None])
        turned |= {f"{side}inshoulder": chest, f"{side}wrist": turned[f"{side}elbow"], ankle: foot, toes: foot}
    return turned


def _as_the_rig_turns(at: _Places, own: _Turns, at_rest: _Places | None, fps: float) -> _Turns:
    """Return the rig's own turns, each times the constant that fits the points best; limbs point where the rig's do.

    Parameters
    ----------
    at : the points.
    own : how the rig's joints are turned in the world.
    at_rest : (1, 3) the points where none is turned.
    """
    rests = at_rest is not None and _stands(at_rest)
    seen = at_rest if at_rest is not None and rests else at
    shown, weights = _posed(seen, fps), _weights(seen)
    # How neck, head and collars lie differs from rig to rig: where the body is straight, they are so, too.
    shown |= dict.fromkeys(("neck", "head", "linshoulder", "rinshoulder"), shown["chest"])
    fixed = {joint: np.eye(3)[None] if rests else turns for joint, turns in own.items()}
    flat, low = _flat_feet(at)  # of the motion in either case, for at rest they may stand as no foot does
    shown, weights, fixed = shown | flat, weights | low, fixed | {foot: own[foot] for foot in flat}
    turned: _Turns = {}
    for joint, turns in own.items():
        turned[joint] = turns @ _constant(fixed[joint], shown[joint], weights.get(joint))
    for side in "lr":
        for limb in _LIMBS:
            for start, end in itertools.pairwise(side + joint for joint in limb):
                points = turned[start] @ _OFFSETS[end]
                turned[start] = turn_between(points, at[end] - at[start]) @ turned[start]
    return turned


def _constant(fixed: FloatArray, shown: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Return (3, 3): what turns `fixed` (T, 3, 3) into `shown` (T, 3, 3) best, by weights (T,)."""
    turns = np.swapaxes(fixed, -1, -2) @ shown
    return nearest_rotations(
        turns.mean(0) if weights is None else (weights[:, None, None] * turns).sum(0) / weights.sum()
    )


def _weights(at: _Places) -> dict[str, FloatArray]:
    """Return (T,) how much each frame says of a joint's turn: of limbs where they are bent, of the trunk where not."""
    trunk, legs = (_middle(at, high) - _middle(at, low) for high, low in (("shoulder", "hip"), ("hip", "ankle")))
    straight = np.maximum((_unit(legs) * _unit(trunk)).sum(-1), 0.0) ** _KEEN + _LEAST
    straight *= np.maximum(_unit(trunk) @ _up(at), 0.0) ** _KEEN + _LEAST
    weights = dict.fromkeys(("root", "chest", "neck", "head", "linshoulder", "rinshoulder"), straight)
    for side in "lr":
        for limb in _LIMBS:
            start, middle, end = (at[side + joint] for joint in limb)
            bent = np.linalg.norm(np.cross(_unit(middle - start), _unit(end - middle)), axis=-1) ** 2
            weights |= {side + joint: bent + _LEAST for joint in limb[:2]}
    return weights


def _flat_feet(at: _Places) -> tuple[_Turns, dict[str, FloatArray]]:
    """Return how feet would be turned if they stood flat on the floor, pointing to where they point; and (T,) weights.

    Those frames count in which a foot is as low as it ever gets.
    """
    up = _up(at)
    turned: _Turns = {}
    weights: dict[str, FloatArray] = {}
    for toes, ankle in (("ltoes", "lankle"), ("rtoes", "rankle")):
        if toes in at:
            ahead = at[toes] - at[ankle]
            ahead, rest = ahead - (ahead @ up)[:, None] * up, _OFFSETS[toes] * (1, 0, 1)
            turned[ankle] = turned[toes] = framed(ahead, np.tile(up, (len(ahead), 1)), rest[None], _UP[None])
            heights = np.stack([at[point] @ up for point in (ankle, toes)], axis=1)
            low = (heights <= np.percentile(heights, 5, axis=0) + _LOW * _leg_length(at)[:, None]).all(1)
            weights[ankle] = weights[toes] = np.where(low, 1.0, 1e-6)
    return turned, weights


def _on_its_feet(turned: _Turns, at: _Places) -> tuple[FloatArray, FloatArray]:
    """Return rotations relative to the parents, and the root's path: with hips and ankles where the points are."""
    root, chest = turned["root"], turned["chest"]
    bend = Rotation.from_matrix(np.swapaxes(root, -1, -2) @ chest).as_rotvec()
    whole = {"neck": chest, "linshoulder": chest, "rinshoulder": chest} | turned
    for part, joint in ((1 / 3, "belly"), (2 / 3, "spine")):
        whole[joint] = root @ Rotation.from_rotvec(part * bend).as_matrix()
    for side in "lr":
        whole.setdefault(f"{side}toes", whole[f"{side}ankle"])
        whole[f"{side}hand"] = whole[f"{side}wrist"]
    path = _middle(at, "hip") - (root @ (_middle(_REST, "hip")[0] - _REST["root"][0]))
    positions = global_pose(_BODY, _relative(whole), path)[0]
    for side in "lr":
        hip, knee, ankle = (f"{side}{joint}" for joint in _LIMBS[0])
        start, middle, end = (positions[:, _BODY.index(joint)] for joint in (hip, knee, ankle))
        upper, lower = two_bone_turns(start, middle, end, at[ankle], root[..., 2])
        whole[hip], whole[knee] = upper @ whole[hip], lower @ whole[knee]
    return _relative(whole), path


def _relative(turned: _Turns) -> FloatArray:
    """Return (T, 24, 3, 3): each joint's turn relative to its parent's."""
    world = np.stack([turned[joint] for joint in _BODY.joints], axis=1)
    above = world[:, list(_BODY.parents or ())]
    above[:, 0] = np.eye(3)
    return np.asarray(np.swapaxes(above, -1, -2) @ world)


def _places(positions: FloatArray, joints: dict[str, int]) -> _Places:
    return {name: positions[:, number].astype(np.float64) for name, number in joints.items()}


def _middle(at: _Places, mark: str) -> FloatArray:
    return np.asarray((at[f"l{mark}"] + at[f"r{mark}"]) / 2)


def _across(at: _Places, mark: str) -> FloatArray:
    return np.asarray(at[f"l{mark}"] - at[f"r{mark}"])


def _leg_length(at: _Places) -> FloatArray:
    """(T,) from hip to knee to ankle, mean of both legs."""
    bones = [(f"{side}{a}", f"{side}{b}") for side in "lr" for a, b in (("hip", "knee"), ("knee", "ankle"))]
    return np.asarray(sum(np.linalg.norm(at[b] - at[a], axis=-1) for a, b in bones) / 2)


def _up(at: _Places) -> FloatArray:
    """Return (3,) the axis, or its opposite, along which the head is above the feet on average; y if in doubt."""
    mean = _unit(at["head"] - _middle(at, "ankle")).mean(0)
    axis = 1 if abs(mean[1]) >= _UPRIGHT * np.abs(mean).max() else int(np.abs(mean).argmax())
    return np.asarray(np.eye(3)[axis] * (np.sign(mean[axis]) or 1.0))


def _stands(at: _Places) -> bool:
    """Whether both legs point to where the trunk does not."""
    trunk = _unit(_middle(at, "shoulder") - _middle(at, "hip"))
    legs = [
        _unit(at[f"{side}{b}"] - at[f"{side}{a}"]) for side in "lr" for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return all(float(-(leg * trunk).sum(-1).min()) > _STANDS for leg in legs)


def _faces_back(at: _Places) -> bool:
    """Whether the toes point to where the sides say that the back is."""
    feet = [at[f"{side}toes"] - at[f"{side}ankle"] for side in "lr" if f"{side}toes" in at]
    ahead = np.cross(_across(at, "hip"), _middle(at, "shoulder") - _middle(at, "hip"))
    return bool(feet) and float(np.median((sum(feet) * ahead).sum(-1))) < 0


def _along_floor(scale: float) -> FloatArray:
    return np.array([scale, 1.0, scale])


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


_REST: _Places = (
    {} if _BODY.rest is None else _places(_BODY.rest[None], {name: k for k, name in enumerate(_BODY.joints)})
)
