"""Forward and inverse kinematics of a hierarchy of joints, on NumPy arrays."""

import numpy as np

from ictus.skeleton import Skeleton
from ictus.types import Float64Array, FloatArray


def forward_kinematics(skeleton: Skeleton, rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Pose a hierarchy.

    Parameters
    ----------
    rotations : (T, J, 3, 3) rotation of each joint relative to its parent; identity is the rest pose.
    root : (T, 3) metres, position of the root joint.

    Returns
    -------
    (T, J, 3) metres, positions of the joints.
    """
    return global_pose(skeleton, rotations, root)[0]


def global_pose(skeleton: Skeleton, rotations: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """As `forward_kinematics`, and also each joint's rotation relative to the world, (T, J, 3, 3)."""
    parents = skeleton.parents or ()
    offsets = skeleton.offsets
    positions = np.empty((*rotations.shape[:2], 3), rotations.dtype)
    turned = np.empty_like(rotations)
    for joint, parent in enumerate(parents):
        if parent < 0:
            positions[:, joint], turned[:, joint] = root, rotations[:, joint]
        else:
            turned[:, joint] = turned[:, parent] @ rotations[:, joint]
            positions[:, joint] = positions[:, parent] + turned[:, parent] @ offsets[joint]
    return positions, turned


def two_bone_elbow(
    shoulder: FloatArray, wrist: FloatArray, upper: float, fore: float, pole: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the elbow of an arm whose ends are known: the triangle's third corner, on the side of `pole`.

    Parameters
    ----------
    shoulder, wrist : (T, 3) metres; a wrist that is out of reach is brought within it, along the same line.
    upper, fore : lengths of upper arm and forearm, metres.
    pole : (T, 3) or (3,) the direction into which the elbow points.

    Returns
    -------
    elbow, wrist : (T, 3) metres; |elbow - shoulder| = upper and |wrist - elbow| = fore.
    """
    reach = wrist - shoulder
    wanted = np.linalg.norm(reach, axis=-1, keepdims=True)
    along = _unit(reach, np.array([0.0, -1.0, 0.0]))
    distance = _soft_limit(wanted, upper + fore, abs(upper - fore))
    # Distance from the shoulder to the foot of the elbow's height in the triangle, and that height.
    foot = (distance**2 + upper**2 - fore**2) / (2 * distance)
    height = np.sqrt(np.maximum(upper**2 - foot**2, 0.0))
    sideways = _square_to(along, pole)
    return shoulder + foot * along + height * sideways, shoulder + distance * along


def _soft_limit(distance: FloatArray, longest: float, shortest: float, margin: float = 0.12) -> FloatArray:
    """Keep a reach inside (shortest, longest): untouched in the middle, levelling off smoothly near either end."""
    start, room = longest * (1 - margin), longest * (margin - 0.005)
    over = np.maximum(distance - start, 0.0) / room
    limited = np.where(distance > start, start + room * np.tanh(over), distance)
    return np.maximum(limited, shortest * 1.05 + 1e-3)


def frame_from(primary: FloatArray, secondary: FloatArray) -> FloatArray:
    """Return rotations (..., 3, 3) whose first column is along `primary` and whose second leans to `secondary`.

    Where a direction is missing (zero, or both along one line), any that makes a rotation is taken.
    """
    x = _unit(primary, np.array([1.0, 0.0, 0.0]))
    y = _square_to(x, secondary)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _square_to(axis: FloatArray, wish: FloatArray) -> FloatArray:
    """Return the unit vectors at right angles to the unit vectors `axis` that lean most to `wish`.

    Where the wish lies along the axis, any right angle will do.
    """
    square = wish - (wish * axis).sum(-1, keepdims=True) * axis
    spare = np.cross(axis, np.eye(3)[np.abs(axis).argmin(-1)])
    return _unit(square, spare / np.linalg.norm(spare, axis=-1, keepdims=True))


def _unit(vectors: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Return the vectors at length 1, or `otherwise` where they have next to no length."""
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(size > 1e-6, vectors / np.maximum(size, 1e-6), otherwise.astype(vectors.dtype))


def bone_lengths(skeleton: Skeleton, positions: FloatArray) -> FloatArray:
    """Return (T, B): the length of each of the skeleton's bones in each frame, in the unit of `positions`."""
    start, end = np.array(skeleton.bones, int).reshape(-1, 2).T
    return np.asarray(np.linalg.norm(positions[:, end] - positions[:, start], axis=-1))


def turn_between(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the smallest rotations (..., 3, 3) that take the directions `first` to `second`, both (..., 3).

    Where a direction has no length it stays; where the two are opposite, any half turn will do.
    """
    start = _unit(first, np.array([1.0, 0.0, 0.0]))
    end = _unit(second, start)
    start = np.where(np.linalg.norm(first, axis=-1, keepdims=True) > 1e-6, start, end)
    # Two mirrors make a turn: the first, square to `start`, reverses it; the second, square to the sum, brings it on.
    between = _unit(start + end, _square_to(start, np.zeros(3)))
    return _mirror(between) @ _mirror(start)


def _mirror(normal: FloatArray) -> FloatArray:
    """Return (..., 3, 3): the reflection in the plane that is square to a unit vector."""
    return np.asarray(np.eye(3, dtype=normal.dtype) - 2 * normal[..., :, None] * normal[..., None, :])


def two_bone_turns(
    start: FloatArray, middle: FloatArray, end: FloatArray, wish: FloatArray, front: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find how a limb's two bones turn for its end to come to another place, while its joint points where it pointed.

    Parameters
    ----------
    start, middle, end : (T, 3) metres, of the limb as it is: hip, knee and ankle.
    wish : (T, 3) metres, where the end shall be; the limb's length and 0.02 of it are the limits of its reach.
    front : (T, 3) unit vectors, into which the middle joint points where the limb is straight.

    Returns
    -------
    upper, lower : (T, 3, 3) rotations, in the world, to be set before those of the two bones. Next to identities where
        the end already is where it shall be. Bones keep their lengths.
    """
    upper, lower = middle - start, end - middle
    first, second = (np.linalg.norm(bone, axis=-1, keepdims=True) for bone in (upper, lower))
    along = _unit(end - start, np.array([0.0, -1.0, 0.0]))
    height = upper - (upper * along).sum(-1, keepdims=True) * along
    # A joint that is next to straight has no side of its own, and one that is bent the wrong way would snap over: what
    # points to the front is made to be more than nothing, by 1.5 cm where it is nothing and by next to none beyond 10.
    front = _square_to(along, front)
    ahead = (height * front).sum(-1, keepdims=True)
    side = _square_to(along, height + (np.sqrt(ahead**2 + 0.03**2) - ahead) / 2 * front)
    whole = turn_between(along, wish - start)
    along, side = (np.squeeze(whole @ axis[..., None], -1) for axis in (along, side))
    whole_length = first + second
    reach = np.linalg.norm(wish - start, axis=-1, keepdims=True)
    reach = np.clip(reach, np.maximum(np.abs(first - second), 0.02 * whole_length), whole_length)
    foot = (reach**2 + first**2 - second**2) / (2 * reach)
    knee = foot * along + np.sqrt(np.maximum(first**2 - foot**2, 0.0)) * side
    bones = zip((upper, lower), (knee, reach * along - knee), strict=True)
    turns = [turn_between(np.squeeze(whole @ old[..., None], -1), new) @ whole for old, new in bones]
    return turns[0], turns[1]


def nearest_rotations(matrices: FloatArray) -> FloatArray:
    """Return the rotations (..., 3, 3) nearest to matrices: of a mean of rotations, their mean.

    "Nearest" is by the sum of squares; where a matrix lies as near to several rotations, any of them.
    """
    # Newton's way to the polar factor is quick, and right for all that are no larger than rotations and not flat.
    easy = ((matrices**2).sum((-1, -2)) < 3 + 1e-3) & (np.linalg.det(matrices) > 0.1)
    near = np.where(easy[..., None, None], matrices, np.eye(3, dtype=matrices.dtype))
    for _ in range(4):
        near = 1.5 * near - 0.5 * near @ np.swapaxes(near, -1, -2) @ near
    error = np.abs(near @ np.swapaxes(near, -1, -2) - np.eye(3, dtype=near.dtype)).max((-1, -2))
    far = ~easy | (error > 1e-6)
    if far.any():
        left, _, right = np.linalg.svd(matrices[far])
        left[..., 2] *= np.sign(np.linalg.det(left @ right))[..., None]
        near[far] = left @ right
    return np.asarray(near)


def smootherstep(phase: Float64Array) -> Float64Array:
    """6 p^5 - 15 p^4 + 10 p^3: from 0 to 1 with neither speed nor acceleration at its ends."""
    return phase**3 * (10 + phase * (6 * phase - 15))
