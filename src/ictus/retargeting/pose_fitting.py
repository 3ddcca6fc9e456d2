"""From the points of other corpora to the dancer's body: the rotations of smpl-24, by inverse kinematics.

The other way round is `ictus.retargeting.body_conversion`. Bones follow the directions between the points, joint by
joint from the pelvis outwards; knees and elbows are hinges, whose axes tell how the bone above them is twisted.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ictus.errors import MotionError
from ictus.kinematics import forward_kinematics, frame_from, turn_between, two_bone_turns
from ictus.retargeting import M, moved, positions_of
from ictus.retargeting.body_conversion import convert
from ictus.skeleton import get_skeleton

Array: TypeAlias = NDArray[np.floating]

POSABLE = ("melody-21", "melody-23", "coco-17")  # bodies of points that `posed` takes

_BODY = get_skeleton("smpl-24")
_REST = np.asarray(_BODY.rest, np.float32)
_SIDES = {"l": "left", "r": "right"}
# Into which direction an upper arm and a thigh point where they are not twisted (left, up, forwards; of the left side):
# about the middle of what they can do, so that the opposite direction, where a twist cannot be seen, is out of reach.
ARM, LEG = np.array([0.6, -0.6, 0.5]), np.array([0.0, -0.87, 0.5])


def posed(motion: M, *, sides_known: bool = False) -> M:
    """Return the dancer, smpl-24 with rotations, whose points these are; (T, 24) joints at the same frame rate.

    Bones have the lengths of our body: the points are scaled by the length of their legs, the path of the root as well.
    Each ankle then is where its point is, as far as the leg reaches. Points whose sides are swapped (those of Dance
    with Melody: see `ictus.skeleton`) are known by feet or nose that point backwards, and are swapped back.

    What the points do not show stays as it is at rest: hands, the twist of forearms, and of coco-17 the feet and how
    the spine is bent. With noisy points, `ictus.dance.foot_cleanup.clean_feet` smooths it and plants its feet.

    Parameters
    ----------
    motion : "melody-21", "melody-23" or "coco-17", in space, y up; in whatever unit of length.
    sides_known : whether left and right are never swapped, however feet and nose point: where these are guessed, as of
        somebody who is filmed from behind, they are no evidence.

    Raises
    ------
    MotionError
        If the motion is of another skeleton or in the plane, or has no legs to scale it by.
    """
    body = motion.skeleton.name.replace("melody-23", "melody-21")
    given = positions_of(motion)
    if motion.skeleton.name not in POSABLE or given.shape[2] != 3:
        size = given.shape[2]
        raise MotionError(
            f"this motion of {motion.skeleton.name} in {size}-D cannot be posed: give melody-21 or coco-17 in 3-D"
        )
    skeleton = get_skeleton(body)
    still = moved(motion, _BODY, _REST[None], np.tile(np.eye(3, dtype=np.float32), (1, 24, 1, 1)), _REST[:1])
    rest = _Points(body, positions_of(convert(still, body)).astype(np.float64))
    positions = given[:, : len(skeleton)].astype(np.float64)
    seen = _Points(body, positions)
    if not np.median(seen.leg()) > 0:
        raise MotionError(f"this motion of {motion.skeleton.name} cannot be posed: its legs have no length")
    backwards = np.median((seen.ahead() * np.cross(seen.across("hip"), seen.trunk())).sum(-1)) < 0
    if backwards and not sides_known:
        positions = positions[:, list(skeleton.mirror)]
    positions = positions * (np.median(rest.leg()) / np.median(seen.leg()))
    return _turned(motion, _PointPose(_Points(body, positions), rest, motion.fps))


def posed_joints(motion: M) -> M:
    """Return the dancer with rotations of whose joints only the places are known, as a network predicts them.

    The pelvis stays where it is, and each bone is as long as our body's and points where it is seen to. How a bone is
    twisted follows from the knees and elbows; where these are straight, from the frames around.

    Parameters
    ----------
    motion : smpl-24, metres, y up; what rotations it has are not looked at.

    Raises
    ------
    MotionError
        If the motion is of another skeleton.
    """
    if motion.skeleton != _BODY:
        raise MotionError(f"this motion is of {motion.skeleton.name}; joints of {_BODY.name} are needed")
    return _turned(motion, _JointPose(positions_of(motion).astype(np.float64), motion.fps))


def _turned(motion: M, pose: "_Pose") -> M:
    rotations, root = pose.solved()
    places = forward_kinematics(_BODY, rotations, root)
    return moved(motion, _BODY, places.astype(np.float32), rotations.astype(np.float32), root.astype(np.float32))


@dataclass(frozen=True)
class _Points:
    """The points of a body (T, J, 3), by what they mark."""

    body: str
    positions: Array

    def __getitem__(self, name: str) -> Array:
        return self.positions[:, get_skeleton(self.body).index(name)]

    @property
    def has_feet(self) -> bool:
        return self.body == "melody-21"

    def of(self, mark: str, side: str) -> Array:
        """Return (T, 3): "hip", "shoulder", "head" and so on, of side "l" or "r"."""
        if self.body == "coco-17":
            return self[f"{_SIDES[side]}_{'ear' if mark == 'head' else mark}"]
        return self[f"{'waist' if mark == 'hip' else mark}_{side}"]

    def across(self, mark: str) -> Array:
        return self.of(mark, "l") - self.of(mark, "r")

    def middle(self, mark: str) -> Array:
        return np.asarray((self.of(mark, "l") + self.of(mark, "r")) / 2)

    def trunk(self) -> Array:
        """From between the hips upwards, as near to the pelvis as there is a point."""
        top = self["waist"] if self.body == "melody-21" else self.middle("shoulder")
        return np.asarray(top - self.middle("hip"))

    def ahead(self) -> Array:
        if self.has_feet:
            return np.asarray(self.middle("toe") - self.middle("heel"))
        return np.asarray(self["nose"] - self.middle("head"))

    def leg(self) -> Array:
        """Return (T,): from hip to knee to ankle, mean of both legs."""
        lengths = [
            np.linalg.norm(self.of("knee", side) - self.of("hip", side), axis=-1)
            + np.linalg.norm(self.of("ankle", side) - self.of("knee", side), axis=-1)
            for side in "lr"
        ]
        return np.asarray(np.mean(lengths, axis=0))


class _Pose:
    """The body while it is being posed: where its joints are and how they are turned in the world."""

    def __init__(self, frames: int, fps: float) -> None:
        self._fps = fps
        self._places = np.zeros((frames, len(_BODY), 3))
        self._turned = np.tile(np.eye(3), (frames, len(_BODY), 1, 1))

    def solved(self) -> tuple[Array, Array]:
        """Return rotations relative to the parents (T, 24, 3, 3) and the root's path (T, 3) metres."""
        self._set_trunk()
        for side in "lr":
            self._set_arm(side)
            self._set_leg(side)
        above = self._turned[:, list(_BODY.parents or ())]
        above[:, 0] = np.eye(3)
        return np.swapaxes(above, -1, -2) @ self._turned, self._places[:, 0]

    def _set_trunk(self) -> None:
        raise NotImplementedError

    def _set_arm(self, side: str) -> None:
        raise NotImplementedError

    def _set_leg(self, side: str) -> None:
        raise NotImplementedError

    def _turn(self, joint: str, turn: Array) -> None:
        """Turn a joint in the world, (T, 3, 3)."""
        self._place(joint)
        self._turned[:, _BODY.index(joint)] = turn

    def _place(self, joint: str) -> Array:
        """Return where a joint is, (T, 3), whose parent has been turned."""
        number = _BODY.index(joint)
        parent = (_BODY.parents or ())[number]
        if parent >= 0:
            self._places[:, number] = self._places[:, parent] + self._turned[:, parent] @ _BODY.offsets[number]
        return self._places[:, number]

    def _aimed(self, joint: str, before: Array, direction: Array, target: Array) -> Array:
        """Turn a joint no more than it takes for a direction (3,) of its rest pose to point to a target (T, 3)."""
        return turn_between(before @ direction, target - self._place(joint)) @ before


class _PointPose(_Pose):
    """From the points that mark another body."""

    def __init__(self, seen: _Points, rest: _Points, fps: float) -> None:
        super().__init__(len(seen.positions), fps)
        self._seen, self._rest = seen, rest

    def _set_trunk(self) -> None:
        seen, rest = self._seen, self._rest
        root = _at_rest("root")
        pelvis = framed(seen.across("hip"), seen.trunk(), rest.across("hip"), rest.trunk())
        self._places[:, 0] = seen.middle("hip") - pelvis @ (rest.middle("hip")[0] - root)
        self._turn("root", pelvis)
        belly = pelvis
        if seen.body == "melody-21":
            belly = self._aimed("belly", pelvis, rest["waist"][0] - _at_rest("belly"), seen["waist"])
        self._turn("belly", belly)
        spine = self._place("spine")
        up = rest.middle("shoulder") - _at_rest("spine")
        ribs = framed(seen.across("shoulder"), seen.middle("shoulder") - spine, rest.across("shoulder"), up)
        self._turn("spine", ribs)
        self._turn("chest", ribs)
        top = rest.middle("head") - _at_rest("neck")
        neck = self._aimed("neck", ribs, top[0], seen.middle("head"))
        self._turn("neck", neck)
        if seen.body == "coco-17":
            head = framed(seen.across("head"), seen.ahead(), rest.across("head"), rest.ahead())
        else:
            # In the corpus both points now and then come together: the shoulders then tell where the head looks.
            width = np.linalg.norm(rest.across("head")[0])
            across = seen.across("head") + 0.2 * width * ribs[..., 0]
            head = framed(across, seen.middle("head") - self._place("neck"), rest.across("head"), top)
        self._turn("head", head)

    def _set_arm(self, side: str) -> None:
        seen, rest = self._seen, self._rest
        ribs = self._turned[:, _BODY.index("chest")]
        # The point is on the shoulder, at a place that turns with the arm; which hangs on where the shoulder is.
        mark = rest.of("shoulder", side)[0] - _at_rest(f"{side}shoulder")
        arm: Array = ribs
        for _ in range(3):
            shoulder = seen.of("shoulder", side) - arm @ mark
            collar = self._aimed(f"{side}inshoulder", ribs, _offset(f"{side}shoulder"), shoulder)
            self._turn(f"{side}inshoulder", collar)
            upper = seen.of("elbow", side) - self._place(f"{side}shoulder")
            lower = seen.of("wrist", side) - seen.of("elbow", side)
            bones = (_offset(f"{side}elbow"), _offset(f"{side}wrist"))
            hinge = np.array([0.0, -1.0 if side == "l" else 1.0, 0.0])
            arm, forearm = hinged(ribs, bones, hinge, ARM * _sign(side), upper, lower, self._fps)
        self._turn(f"{side}shoulder", arm)
        self._turn(f"{side}elbow", forearm)
        hand = forearm
        if seen.body == "melody-21":
            # A hand that points back along the forearm, as misnamed markers have it, is taken to point forwards.
            along, out = _unit(lower), seen.of("hand", side) - seen.of("wrist", side)
            out = out + 2 * np.maximum(-(out * along).sum(-1, keepdims=True), 0) * along
            hand = turn_between(forearm @ _offset(f"{side}hand"), out) @ forearm
        self._turn(f"{side}wrist", hand)
        self._turn(f"{side}hand", hand)

    def _set_leg(self, side: str) -> None:
        seen, rest = self._seen, self._rest
        pelvis = self._turned[:, 0]
        hip, ankle = self._place(f"{side}hip"), seen.of("ankle", side)
        bones = (_offset(f"{side}knee"), _offset(f"{side}ankle"))
        thigh, shank = (np.linalg.norm(bone) for bone in bones)
        knee = hip + thigh * _unit(seen.of("knee", side) - hip)
        end = knee + shank * _unit(ankle - seen.of("knee", side))
        first, second = two_bone_turns(hip, knee, end, ankle, pelvis[..., 2])
        upper, lower = _turn_each(first, knee - hip), _turn_each(second, end - knee)
        turned = hinged(pelvis, bones, np.array([1.0, 0.0, 0.0]), LEG * _sign(side), upper, lower, self._fps)
        for name, turn in zip(("hip", "knee"), turned, strict=True):
            self._turn(side + name, turn)
        foot = turned[1]
        if seen.has_feet:
            sole, instep = (seen.of(end, side) - seen.of("heel", side) for end in ("toe", "ankle"))
            sole_rest, instep_rest = (rest.of(end, side) - rest.of("heel", side) for end in ("toe", "ankle"))
            foot = framed(sole, instep, sole_rest, instep_rest)
        self._turn(f"{side}ankle", foot)
        self._turn(f"{side}toes", foot)


class _JointPose(_Pose):
    """From the joints of our own body, (T, 24, 3), wherever noise or a network has put them."""

    def __init__(self, joints: Array, fps: float) -> None:
        super().__init__(len(joints), fps)
        self._joints = joints

    def _set_trunk(self) -> None:
        self._places[:, 0] = self._bone("root")
        self._turn("root", self._framed("lhip", "rhip", "belly", "root"))
        self._follow("belly", "spine", "root")
        self._follow("spine", "chest", "belly")
        self._turn("chest", self._framed("linshoulder", "rinshoulder", "neck", "chest"))
        self._follow("neck", "head", "chest")
        self._turn("head", self._turned[:, _BODY.index("neck")])

    def _set_arm(self, side: str) -> None:
        self._follow(f"{side}inshoulder", f"{side}shoulder", "chest")
        hinge = np.array([0.0, -1.0 if side == "l" else 1.0, 0.0])
        self._set_limb("chest", [side + joint for joint in ("shoulder", "elbow", "wrist", "hand")], hinge, ARM)

    def _set_leg(self, side: str) -> None:
        hinge = np.array([1.0, 0.0, 0.0])
        self._set_limb("root", [side + joint for joint in ("hip", "knee", "ankle", "toes")], hinge, LEG)

    def _set_limb(self, trunk: str, joints: list[str], hinge: Array, middle: Array) -> None:
        first, second, third, end = joints
        upper, lower = self._bone(second, first), self._bone(third, second)
        before, bones = self._turned[:, _BODY.index(trunk)], (_offset(second), _offset(third))
        turned = hinged(before, bones, hinge, middle * _sign(first[0]), upper, lower, self._fps)
        for joint, turn in zip((first, second), turned, strict=True):
            self._turn(joint, turn)
        self._follow(third, end, second)
        self._turn(end, self._turned[:, _BODY.index(third)])

    def _follow(self, joint: str, child: str, parent: str) -> None:
        """Turn a joint no more against its parent than it takes for the bone to a child to lie as it is seen."""
        before = self._turned[:, _BODY.index(parent)]
        self._turn(joint, turn_between(before @ _offset(child), self._bone(child, joint)) @ before)

    def _framed(self, left: str, right: str, top: str, bottom: str) -> Array:
        across, up = _at_rest(left) - _at_rest(right), _at_rest(top) - _at_rest(bottom)
        return framed(self._bone(left, right), self._bone(top, bottom), across[None], up[None])

    def _bone(self, joint: str, start: str | None = None) -> Array:
        place = self._joints[:, _BODY.index(joint)]
        return np.asarray(place if start is None else place - self._joints[:, _BODY.index(start)])


def hinged(
    before: Array, bones: tuple[Array, Array], hinge: Array, middle: Array, upper: Array, lower: Array, fps: float
) -> tuple[Array, Array]:
    """Return how the two bones of a limb are turned in the world, (T, 3, 3) each.

    Parameters
    ----------
    before : (T, 3, 3) of the body that the limb hangs on.
    bones, hinge : (3,) in the rest pose: both bones, and the axis about which the second one folds.
    middle : (3,) the direction of the first bone in which it is not twisted.
    upper, lower : (T, 3) the directions of both bones.
    """
    first, second = (bone / np.linalg.norm(bone) for bone in bones)
    start = before @ turn_between(first, middle)
    swing = turn_between(start @ first, upper) @ start
    # The axis as seen from the bone: its angle is the twist. It counts by the square of how far the limb is folded:
    # where the limb is next to straight, or over-stretched by up to some 20 degrees as fits to films have it, the
    # frames around decide, and where it long is, there is no twist.
    axis = _turn_each(np.swapaxes(swing, -1, -2), np.cross(_unit(upper), _unit(lower)))
    flat = axis @ np.stack([hinge, np.cross(first, hinge)], axis=1)  # (T, 2)
    flat = flat * np.linalg.norm(flat, axis=1, keepdims=True)
    flat = flat + gaussian_filter1d(flat, 0.1 * fps, axis=0, mode="nearest") + np.array([0.12, 0])
    cosine, sine = (_unit(flat)[:, part, None, None] for part in (0, 1))
    cross = np.cross(np.eye(3), first)  # (3, 3): times a vector, it is the cross product of `first` with it
    twist = cosine * np.eye(3) + sine * cross + (1 - cosine) * np.outer(first, first)
    turned = swing @ twist
    return turned, turn_between(turned @ second, lower) @ turned


def framed(primary: Array, secondary: Array, primary_rest: Array, secondary_rest: Array) -> Array:
    """Return the rotations (T, 3, 3) of something that has two directions (T, 3), and (1, 3) at rest."""
    return np.asarray(frame_from(primary, secondary) @ np.swapaxes(frame_from(primary_rest, secondary_rest), -1, -2))


def _turn_each(turns: Array, vectors: Array) -> Array:
    """(T, 3, 3), (T, 3) -> (T, 3)."""
    return np.asarray((turns @ vectors[..., None])[..., 0])


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _at_rest(joint: str) -> Array:
    return np.asarray(_REST[_BODY.index(joint)], np.float64)


def _offset(joint: str) -> Array:
    return np.asarray(_BODY.offsets[_BODY.index(joint)], np.float64)


def _sign(side: str) -> Array:
    """Return what makes a direction of the left side one of this side."""
    return np.array([1.0 if side == "l" else -1.0, 1.0, 1.0])
