"""Files that hold a tree of joints, each moving relative to its parent (BVH, glTF): what such formats share."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ictus import limits
from ictus.errors import MotionError
from ictus.formats import MotionData
from ictus.skeleton import Skeleton, find_skeleton
from ictus.types import Float32Array, Float64Array, FloatArray

_SAME_BODY = 1e-4  # metres between two rest poses that count as one
_LARGEST = 2_500_000  # frames times joints of a small file
_FAR = 1e9  # metres
_PIECE = 1 << 16  # rotations that are turned into quaternions at a time, in float64
_RIGID = 1e-3  # metres by which a bone may change its length and still count as rigid


def from_transforms(
    name: str,
    joints: tuple[str, ...],
    parents: tuple[int, ...],
    translations: FloatArray,
    rotations: FloatArray,
    fps: float,
    start: FloatArray | None = None,
    meta: dict[str, Any] | None = None,
) -> MotionData:
    """Make motion data of local transforms.

    A body that the package knows by its joints and parents is recognised, and its joints come in its own order; another
    becomes a skeleton called `name`. Rotations are kept where the bones are rigid. Where a joint slides away from its
    parent by more than a millimetre no rest pose could give the motion back, and the motion holds positions only.

    Parameters
    ----------
    translations : (T, J, 3) metres, each joint in its parent's axes, the root in the world's.
    rotations : (T, J, 3, 3) of each joint relative to its parent.
    start : (3,) metres, the root's place in the rest pose; the origin, or a known body's own, if not given.

    Raises
    ------
    MotionError
        If there are no frames or the joints make no skeleton.
    """
    if not len(translations):
        raise MotionError("there are no frames in it")
    if not (np.abs(translations).max() < _FAR and np.isfinite(rotations).all()):
        raise MotionError("has joints that are nowhere, or farther away than a motion can be")
    offsets = np.median(translations, axis=0)
    offsets[0] = 0 if start is None else start
    rest = _accumulate(offsets, parents)
    known = find_skeleton(joints, parents)
    if known is not None and known.parents is not None:
        order = [joints.index(joint) for joint in known.joints]
        offsets, rest = offsets[order], rest[order]
        translations, rotations = translations[:, order], rotations[:, order]
        parents = known.parents
    body = _new_body(name, joints, parents, rest) if known is None else _known_body(known, rest)
    root = translations[:, 0].astype(np.float32)
    slide = np.abs(translations[:, 1:] - offsets[1:]).max(initial=0.0)
    if slide > _RIGID:
        return MotionData(body, fps, _pose(parents, translations, rotations), meta=meta or {})
    return MotionData(body, fps, None, rotations.astype(np.float32), root, meta or {})


def check_size(frames: float, joints: int, numbers: int) -> None:
    """Refuse motions that are far larger than the file from which they come.

    Parameters
    ----------
    numbers : how many of them the file gives.

    Raises
    ------
    MotionError
        If there are too many joints or frames, or too many of both for so few numbers.
    """
    if joints > limits.JOINTS:
        raise MotionError(f"holds {joints} joints; at most {limits.JOINTS} are read")
    if frames > limits.FRAMES or frames * joints > max(_LARGEST, 10 * numbers):
        raise MotionError(f"holds {frames:.0f} frames of {joints} joints, which is too long")


def turning(data: MotionData, form: str) -> tuple[Skeleton, Float32Array, Float32Array]:
    """Return the body, its rotations (T, J, 3, 3) and its root (T, 3), for a format that cannot do without them.

    Raises
    ------
    MotionError
        If the motion has none; `form` names the format in the message.
    """
    body, rotations, root = data.skeleton, data.rotations, data.root
    if rotations is None or root is None or body.parents is None or body.rest is None:
        raise MotionError(
            f"{form} stores how joints turn, and this motion of {body.name} has positions only; "
            "save it as .npz or .json (conductor-13 also as .npy)"
        )
    return body, rotations, root


def quaternions(rotations: FloatArray) -> Float64Array:
    """Return rotation matrices (..., 3, 3) as unit quaternions (..., 4) in the order x, y, z, w."""
    flat = rotations.reshape(-1, 3, 3)
    turned = np.empty((len(flat), 4))
    for start in range(0, len(flat), _PIECE):
        piece = slice(start, start + _PIECE)
        turned[piece] = Rotation.from_matrix(flat[piece]).as_quat()
    return turned.reshape(*rotations.shape[:-2], 4)


def matrices(quaternions: FloatArray) -> Float64Array:
    """Return quaternions (..., 4), x, y, z, w, as rotation matrices (..., 3, 3). Raises ValueError if one is zero."""
    return Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix().reshape(*quaternions.shape[:-1], 3, 3)


def whole_fps(fps: float, error: float) -> float:
    """Return the whole number that `fps` stands for if it is within `error` of one, otherwise `fps` itself."""
    return float(round(fps)) if abs(fps - round(fps)) <= error else fps


def _new_body(name: str, joints: tuple[str, ...], parents: tuple[int, ...], rest: FloatArray) -> Skeleton:
    bones = tuple((parent, joint) for joint, parent in enumerate(parents) if parent >= 0)
    return Skeleton(name, joints, bones, parents, rest=rest.astype(np.float32))


def _known_body(known: Skeleton, rest: FloatArray) -> Skeleton:
    """Return a known body as it is, or with the rest pose of a file in which it has other proportions."""
    if known.rest is None:
        return replace(known, rest=rest)
    rest = rest - rest[0] + known.rest[0]
    return known if np.allclose(rest, known.rest, rtol=0, atol=_SAME_BODY) else replace(known, rest=rest)


def _accumulate(offsets: FloatArray, parents: tuple[int, ...]) -> FloatArray:
    rest = offsets.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] += rest[parent]
    return rest


def _pose(parents: tuple[int, ...], translations: FloatArray, rotations: FloatArray) -> Float32Array:
    """Forward kinematics of bones that change their length: (T, J, 3) metres."""
    positions, turned = translations.copy(), rotations.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            turned[:, joint] = turned[:, parent] @ rotations[:, joint]
            positions[:, joint] = positions[:, parent] + (turned[:, parent] @ translations[:, joint, :, None])[..., 0]
    return positions.astype(np.float32)
