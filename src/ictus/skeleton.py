"""Skeletons: which joints a body has, how they hang together, and the bodies that this package knows."""

import itertools
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ictus.errors import MotionError
from ictus.files import quoted, short
from ictus.limits import JOINTS, TEXT
from ictus.types import Float32Array


@dataclass(frozen=True)
class Skeleton:
    """A body's joints and bones.

    Attributes
    ----------
    name : e.g. "conductor-13".
    joints : names of the J joints, in the order of a motion's joint axis.
    bones : pairs of joint numbers to draw and to convolve over; need not be a tree.
    parents : for a hierarchy, the parent of each joint (-1 for the root, parents before children); otherwise None.
    mirror : for each joint, the number of its left/right counterpart (itself for the middle ones).
    rest : (J, 3) metres, y up, facing +z: the pose in which all rotations are the identity; otherwise None.

    Raises
    ------
    MotionError
        If these do not fit together.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    parents: tuple[int, ...] | None = None
    mirror: tuple[int, ...] = ()
    rest: Float32Array | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        count = len(self.joints)
        object.__setattr__(self, "name", _harmless(self.name))  # which messages, pages and tables show
        object.__setattr__(self, "joints", tuple(map(_harmless, self.joints)))
        if not 0 < count <= JOINTS:
            raise MotionError(f"skeleton {self.name}: it has {count or 'no'} joints; at most {JOINTS} are read")
        if not self.mirror:
            object.__setattr__(self, "mirror", _mirror_by_name(self.joints))
        if len(places := {name: place for place, name in enumerate(self.joints)}) != count:
            twice = next(name for place, name in enumerate(self.joints) if places[name] != place)
            raise MotionError(f"skeleton {self.name}: two joints have the same name, {twice!r}; rename one")
        if any(not (0 <= a < count and 0 <= b < count) for a, b in self.bones):
            raise MotionError(f"skeleton {self.name}: a bone names a joint that is not there")
        if len(self.mirror) != count or any(
            not 0 <= m < count or self.mirror[m] != j for j, m in enumerate(self.mirror)
        ):
            raise MotionError(f"skeleton {self.name}: the joints do not mirror each other in pairs")
        if self.parents is not None:
            _check_parents(self.name, self.parents, count)
        if self.rest is not None:
            object.__setattr__(self, "rest", np.asarray(self.rest, np.float32))
            if self.rest.shape != (count, 3):
                raise MotionError(f"skeleton {self.name}: rest pose has shape {self.rest.shape}, not ({count}, 3)")
            if not np.isfinite(self.rest).all():
                raise MotionError(f"skeleton {self.name}: the rest pose is not finite")

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the number of a joint, by its name."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise MotionError(
                f"skeleton {self.name} has no joint {joint!r}; it has {short(', '.join(self.joints))}"
            ) from None

    @cached_property
    def offsets(self) -> Float32Array:
        """(J, 3) metres: each joint's rest position relative to its parent (the root's: relative to the origin)."""
        if self.parents is None or self.rest is None:
            raise MotionError(f"skeleton {self.name} is no hierarchy: it has no parents or no rest pose")
        parents = np.asarray(self.parents)
        return np.where(parents[:, None] >= 0, self.rest - self.rest[parents], self.rest).astype(np.float32)


def _harmless(name: str) -> str:
    return name if name.isprintable() and len(name) <= TEXT else short(name)


def _check_parents(name: str, parents: tuple[int, ...], count: int) -> None:
    if len(parents) != count:
        raise MotionError(f"skeleton {name}: {len(parents)} parents for {count} joints")
    if any(not -1 <= p < j for j, p in enumerate(parents)):
        raise MotionError(f"skeleton {name}: every parent must come before its children")
    if -1 in parents[1:]:
        raise MotionError(f"skeleton {name}: only the first joint may be without a parent")


def _mirror_by_name(joints: tuple[str, ...]) -> tuple[int, ...]:
    places = {name: place for place, name in enumerate(joints)}
    sides = {"left_": "right_", "right_": "left_", "Left": "Right", "Right": "Left"}
    ends = {"_l": "_r", "_r": "_l"}

    def counterpart(name: str) -> str:
        for side, other in sides.items():
            if name.startswith(side):
                return other + name.removeprefix(side)
        for side, other in ends.items():
            if name.endswith(side):
                return name.removesuffix(side) + other
        return name

    return tuple(places.get(counterpart(name), j) for j, name in enumerate(joints))


def _chain(*names: str, joints: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    numbers = [joints.index(name) for name in names]
    return tuple(itertools.pairwise(numbers))


def _conductor_13() -> Skeleton:
    """ConductorMotion100's upper body: COCO's first 13 keypoints, in image coordinates (y down)."""
    joints = (
        *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
        *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    )
    head = ((0, 1), (0, 2), (1, 3), (2, 4))
    fake_neck = ((0, 5), (0, 6))
    arms = ((5, 6), (5, 7), (7, 9), (6, 8), (8, 10))
    torso = ((11, 12), (5, 11), (6, 12))
    return Skeleton("conductor-13", joints, head + fake_neck + arms + torso)


def _conductor_23() -> Skeleton:
    """maestro's upper body in 3-D, standing in a T-pose and facing the players (+z); its own left hand is at +x."""
    table: dict[str, tuple[int | str, tuple[float, float, float]]] = {
        "pelvis": (-1, (0, 0.95, 0)),
        "spine": ("pelvis", (0, 1.07, 0.005)),
        "chest": ("spine", (0, 1.22, -0.005)),
        "neck": ("chest", (0, 1.465, -0.01)),
        "head": ("neck", (0, 1.56, 0.015)),
        "nose": ("head", (0, 1.605, 0.115)),
    }
    left: dict[str, tuple[str, tuple[float, float, float]]] = {
        "left_eye": ("head", (0.032, 1.64, 0.095)),
        "left_ear": ("head", (0.075, 1.61, 0.01)),
        "left_collar": ("chest", (0.03, 1.42, 0)),
        "left_shoulder": ("left_collar", (0.18, 1.415, 0)),
        "left_elbow": ("left_shoulder", (0.475, 1.415, 0)),
        "left_wrist": ("left_elbow", (0.735, 1.415, 0)),
        "left_hand": ("left_wrist", (0.835, 1.415, 0)),
        "left_hip": ("pelvis", (0.105, 0.92, 0)),
    }
    table.update(left)
    for name, (parent, (x, y, z)) in left.items():
        table[name.replace("left", "right")] = (parent.replace("left", "right"), (-x, y, z))
    table["baton"] = ("right_hand", (-1.185, 1.415, 0))
    joints = tuple(table)
    parents = tuple(-1 if isinstance(parent, int) else joints.index(parent) for parent, _ in table.values())
    bones = tuple((p, j) for j, p in enumerate(parents) if p >= 0)
    rest = np.array([position for _, position in table.values()], np.float32)
    return Skeleton("conductor-23", joints, bones, parents, rest=rest)


def _coco_17() -> Skeleton:
    joints = (*_conductor_13().joints, "left_knee", "right_knee", "left_ankle", "right_ankle")
    left_leg = _chain("left_hip", "left_knee", "left_ankle", joints=joints)
    right_leg = _chain("right_hip", "right_knee", "right_ankle", joints=joints)
    return Skeleton("coco-17", joints, _conductor_13().bones + left_leg + right_leg)


def _smpl_24() -> Skeleton:
    """AIST++'s dancer: the 24 joints of SMPL, here of a neutral adult of our own measure, in a T-pose on the floor.

    The names are those of AIST++'s own code: l and r are the dancer's left (+x) and right.
    """
    # Names, parents and order are SMPL's. The places are round figures for a body of 1.70 m: pelvis at 0.53 of its
    # height, thigh and shank of 0.39 m, upper arm 0.27 m, forearm 0.25 m.
    table: dict[str, tuple[str, tuple[float, float, float]]] = {
        "root": ("", (0, 0.92, 0)),
        "lhip": ("root", (0.09, 0.85, 0)),
        "rhip": ("root", (-0.09, 0.85, 0)),
        "belly": ("root", (0, 1.02, -0.02)),
        "lknee": ("lhip", (0.09, 0.46, 0.01)),
        "rknee": ("rhip", (-0.09, 0.46, 0.01)),
        "spine": ("belly", (0, 1.15, -0.01)),
        "lankle": ("lknee", (0.09, 0.07, -0.03)),
        "rankle": ("rknee", (-0.09, 0.07, -0.03)),
        "chest": ("spine", (0, 1.21, 0)),
        "ltoes": ("lankle", (0.11, 0.02, 0.1)),
        "rtoes": ("rankle", (-0.11, 0.02, 0.1)),
        "neck": ("chest", (0, 1.43, -0.03)),
        "linshoulder": ("chest", (0.07, 1.34, -0.02)),
        "rinshoulder": ("chest", (-0.07, 1.34, -0.02)),
        "head": ("neck", (0, 1.52, 0.02)),
        "lshoulder": ("linshoulder", (0.18, 1.38, -0.03)),
        "rshoulder": ("rinshoulder", (-0.18, 1.38, -0.03)),
        "lelbow": ("lshoulder", (0.45, 1.38, -0.03)),
        "relbow": ("rshoulder", (-0.45, 1.38, -0.03)),
        "lwrist": ("lelbow", (0.7, 1.38, -0.03)),
        "rwrist": ("relbow", (-0.7, 1.38, -0.03)),
        "lhand": ("lwrist", (0.79, 1.37, -0.03)),
        "rhand": ("rwrist", (-0.79, 1.37, -0.03)),
    }
    joints = tuple(table)
    other = {"l": "r", "r": "l"}
    swapped = (other.get(name[0], name[0]) + name[1:] for name in joints)
    mirror = tuple(joints.index(name) if name in joints else j for j, name in enumerate(swapped))
    parents = tuple(joints.index(parent) if parent else -1 for parent, _ in table.values())
    bones = tuple((p, j) for j, p in enumerate(parents) if p >= 0)
    rest = np.array([place for _, place in table.values()], np.float32)
    return Skeleton("smpl-24", joints, bones, parents, mirror, rest)


def _melody_23() -> Skeleton:
    """Dance with Melody's marker points: the 21 of the paper's table, then the two directions of the hands.

    They are means of markers, so that bones change their length, and there is no hierarchy: the middle is joint 2.
    The sides are the corpus's; with right-handed axes its `_l` lies on the dancer's right.
    """
    joints = (
        *("head_l", "head_r", "waist"),
        *("shoulder_l", "elbow_l", "wrist_l", "hand_l", "waist_l", "knee_l", "ankle_l", "heel_l", "toe_l"),
        *("shoulder_r", "elbow_r", "wrist_r", "hand_r", "waist_r", "knee_r", "ankle_r", "heel_r", "toe_r"),
        *("hand_dir_r", "hand_dir_l"),
    )
    head = _chain("waist", "head_l", "head_r", joints=joints)
    limbs = [
        _chain("waist", *(f"{point}_{side}" for point in points), joints=joints)
        for side in "lr"
        for points in (("shoulder", "elbow", "wrist", "hand"), ("waist", "knee", "ankle", "heel", "toe"))
    ]
    # The points at the end of the right arm lie otherwise than their names say: its direction hangs on the elbow.
    directions = ((joints.index("elbow_r"), 21), (joints.index("hand_l"), 22))
    return Skeleton("melody-23", joints, (*head, *itertools.chain(*limbs), *directions))


def _melody_21() -> Skeleton:
    """The points that Dance with Melody's network moves: those of the paper's table."""
    whole = _melody_23()
    return Skeleton("melody-21", whole.joints[:21], tuple(bone for bone in whole.bones if max(bone) < 21))


def _solos_47() -> Skeleton:
    """A player's arms and fingers as Solos has them, in image coordinates (y down); a hand hangs on its own wrist.

    Sides are the player's. Finger joints run from base to tip. There is no rest pose: it is a tree without lengths.
    """
    fingers = ("thumb", "index", "middle", "ring", "pinky")
    parents = {"neck": ""}
    for side in ("right", "left"):
        arm = ("neck", *(f"{side}_{name}" for name in ("shoulder", "elbow", "wrist")))
        parents.update((joint, parent) for parent, joint in itertools.pairwise(arm))
    for side, finger in itertools.product(("right", "left"), fingers):
        chain = (f"{side}_wrist", *(f"{side}_{finger}_{number}" for number in range(1, 5)))
        parents.update((joint, parent) for parent, joint in itertools.pairwise(chain))
    joints = tuple(parents)
    numbers = tuple(joints.index(parent) if parent else -1 for parent in parents.values())
    return Skeleton("solos-47", joints, tuple((p, j) for j, p in enumerate(numbers) if p >= 0), numbers)


def _blaze_75() -> Skeleton:
    """MediaPipe's 33 points of a body and 21 of each hand, the left one first; sides are the person's."""
    sides, fingers = ("left", "right"), ("thumb", "index", "middle", "ring", "pinky")
    arm, leg = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb"), ("hip", "knee", "ankle", "heel", "foot_index")
    eye = ("eye_inner", "eye", "eye_outer")
    face = [f"{side}_{name}" for side in sides for name in eye]
    limbs = [f"{side}_{name}" for name in ("ear", "mouth", *arm, *leg) for side in sides]
    hands = [
        f"{side}_{name}"
        for side in sides
        for name in ("hand_wrist", *(f"{finger}_{number}" for finger in fingers for number in range(1, 5)))
    ]
    joints = ("nose", *face, *limbs, *hands)
    chains = [("left_mouth", "right_mouth"), ("left_hip", "left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    for side in sides:
        chains.append(("nose", *(f"{side}_{name}" for name in (*eye, "ear"))))
        parts = [
            *(("shoulder", "elbow", "wrist", "pinky", "index", "wrist", "thumb"), (*leg, "ankle")),
            *(("hand_wrist", *(f"{finger}_{number}" for number in range(1, 5))) for finger in fingers),
            tuple(f"{finger}_1" for finger in fingers[1:]),
        ]
        chains += [tuple(f"{side}_{name}" for name in part) for part in parts]
    return Skeleton("blaze-75", joints, tuple(bone for chain in chains for bone in _chain(*chain, joints=joints)))


_BODIES = {
    body.name: body
    for body in (
        *(_conductor_13(), _conductor_23(), _coco_17(), _smpl_24()),
        *(_melody_21(), _melody_23(), _solos_47(), _blaze_75()),
    )
}


def get_skeleton(name: str) -> Skeleton:
    """Return a body that the package knows, by name.

    "conductor-13", "conductor-23", "coco-17", "smpl-24", "melody-21", "melody-23", "solos-47", "blaze-75".

    Raises
    ------
    MotionError
        If there is no body of that name.
    """
    if name not in _BODIES:
        raise MotionError(f"no skeleton is called {quoted(name)}; known are {', '.join(_BODIES)}")
    return _BODIES[name]


def find_skeleton(joints: tuple[str, ...], parents: tuple[int, ...]) -> Skeleton | None:
    """Return the hierarchy that the package knows by its joints' names and parents, in whatever order, or None."""
    wanted = _parent_names(joints, parents)
    trees = (body for body in _BODIES.values() if body.parents is not None)
    return next((body for body in trees if _parent_names(body.joints, body.parents or ()) == wanted), None)


def _parent_names(joints: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, str]:
    return {name: joints[parent] if parent >= 0 else "" for name, parent in zip(joints, parents, strict=True)}
