"""A dancer's body by a file: how far each joint of smpl-24 lies from its parent.

    offsets.json   [[x, y, z], ... 24 of them], or {"offsets": [...]} (or "smpl_offsets"),
                   or {"root": [x, y, z], "lhip": [x, y, z], ...} by the names of the joints
    offsets.npz    the array "offsets" (or "smpl_offsets"), (24, 3)

Metres, y up, of a body that stands in a T-pose and faces +z, its left at +x; the order is that of smpl-24. The root's
own row is not used, for each motion holds the root's place: the body is set on the floor.
The package's own measures differ from those of the licensed SMPL body, which it cannot contain; who has them gets the
places of AIST++'s joints by this file.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from ictus.arrays import archive
from ictus.documents import read_json
from ictus.errors import MotionError
from ictus.files import reading, short
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import Skeleton, get_skeleton
from ictus.types import Float64Array

_BODY = get_skeleton("smpl-24")
_KEYS = ("offsets", "smpl_offsets")
_HEIGHTS = (0.3, 4.0)  # metres between the lowest and the highest joint: of a child, and of a giant
_LEVEL = 1e-6  # metres; two joints nearer than that are one


def load_body(file: str | os.PathLike[str]) -> Skeleton:
    """Return smpl-24 with the measures of a file.

    Raises
    ------
    MotionError
        If the file is missing, damaged, has other joints, or cannot be of a body that stands upright, in metres.
    """
    with reading(file, MotionError) as path:
        if path.suffix.lower() == ".json":
            offsets = _of_json(path)
        elif path.suffix.lower() == ".npz":
            offsets = _of_npz(path)
        else:
            raise MotionError("a body is read from .json or .npz")
        return _standing(offsets)


def with_body(motion: Motion, body: Skeleton) -> Motion:
    """Return the motion of smpl-24 with the joints where another body of smpl-24 has them; root and turns are the same.

    Raises
    ------
    MotionError
        If the motion is of another skeleton, or has no rotations.
    """
    if motion.skeleton != body:
        raise MotionError(f"a body by file is of {body.name}, and this motion is of {motion.skeleton.name}")
    if motion.rotations is None or motion.root is None:
        raise MotionError(f"this motion of {body.name} has positions only, which no other body can take on")
    positions = forward_kinematics(body, motion.rotations, motion.root)
    return replace(motion, positions=positions, skeleton=body)


def _of_json(path: Path) -> Float64Array:
    content = read_json(path, MotionError)
    if isinstance(content, dict):
        listed = next((content[key] for key in _KEYS if key in content), None)
        if listed is None:
            missing = [joint for joint in _BODY.joints if joint not in content]
            if missing:
                raise MotionError(f'has neither "offsets" nor all joints of {_BODY.name}: {missing[0]} is missing')
            listed = [content[joint] for joint in _BODY.joints]
        content = listed
    try:
        return np.asarray(content, np.float64)
    except (TypeError, ValueError) as error:
        raise MotionError("its offsets are no list of numbers [x, y, z]") from error


def _of_npz(path: Path) -> Float64Array:
    with archive(path, MotionError) as held:
        key = next((key for key in _KEYS if key in held), None)
        if key is None:
            raise MotionError(f'holds {held.named()}, but no "offsets"')
        return held.numbers(key).astype(np.float64)


def _standing(offsets: Float64Array) -> Skeleton:
    """Return a body of these offsets that stands on the floor as the package's own does."""
    if offsets.shape != (len(_BODY), 3) or not np.isfinite(offsets).all():
        raise MotionError(
            f"has offsets of shape {short(offsets.shape)}; {_BODY.name} needs ({len(_BODY)}, 3) finite numbers"
        )
    rest = np.zeros_like(offsets)
    for joint, parent in enumerate(_BODY.parents or ()):
        if parent >= 0:
            rest[joint] = rest[parent] + offsets[joint]
    height = float(np.ptp(rest[:, 1]))
    shortest, tallest = _HEIGHTS
    if not shortest <= height <= tallest:
        raise MotionError(f"is of a body {height:.3g} m high from toes to head; offsets are metres, with y up")
    if rest[_BODY.index("head"), 1] < rest[_BODY.index("ltoes"), 1] + _LEVEL:
        raise MotionError("is of a body that stands on its head; y points up, and each offset is from the parent joint")
    if rest[_BODY.index("lhip"), 0] < rest[_BODY.index("rhip"), 0] + _LEVEL:
        raise MotionError("is of a body whose left hip lies on its right; the body faces +z, and its left is at +x")
    own = np.zeros_like(rest) if _BODY.rest is None else _BODY.rest
    rest[:, 1] += own[:, 1].min() - rest[:, 1].min()
    return replace(_BODY, rest=rest.astype(np.float32))
