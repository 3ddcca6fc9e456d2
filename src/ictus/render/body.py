"""A whole body in space: which joints of a skeleton are its limbs, and the flesh around them."""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from ictus.kinematics import global_pose
from ictus.motion import Motion
from ictus.render import figure_tables as tables
from ictus.render.figure_tables import SIDES, BodyPart, Place
from ictus.render.shapes import smoothed, unit
from ictus.skeleton import Skeleton
from ictus.types import FloatArray

_USUAL = {"waist": "hip", "toes": "toe"}  # what Dance with Melody and SMPL call these
_NEEDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_STAND, _SHARE, _DRIFT = 3.0, 30, 0.3  # seconds, percent and body sizes: how the floor is found
_LARGEST = 1e6  # metres
_BLOCK = 2048  # frames that are worked on at once
_UP, _AHEAD = np.array([0, 1, 0], np.float32), np.array([0, 0, 1], np.float32)

Joints = dict[str, FloatArray]  # (T, 3) each, metres


@dataclass(frozen=True)
class Solid:
    """The hull of N balls.

    Attributes
    ----------
    part : "chest", "hips", "neck", "skull", "arm", "hand", "leg" or "foot".
    side : "left", "right" or "middle".
    centres : (T, N, 3) metres.
    radii : (N,) metres.
    """

    part: str
    side: str
    centres: FloatArray
    radii: FloatArray


@dataclass(frozen=True)
class Head:
    """Where a head is and where it looks: (T, 3) each; the centre in metres, the directions of length 1."""

    centre: FloatArray
    ahead: FloatArray
    up: FloatArray
    radius: float


class Body:
    """The body of a motion for which `is_whole`.

    Attributes
    ----------
    scale : its size; 1 for a body of 1.70 m.
    floor : (T,) metres, the height at which it stands; it changes slowly where recorded heights drift.
    middle : (T, 3) metres, the mean of its joints.
    """

    def __init__(self, motion: Motion) -> None:
        # Whatever a network that has gone astray puts out can be squared, and is still drawn.
        huge = max(float(np.abs(motion.positions).max()) / _LARGEST, 1.0)
        self._positions: FloatArray = motion.positions if huge == 1 else motion.positions / np.float32(huge)
        self._places = places(motion.skeleton)
        self.middle: FloatArray = np.asarray(self._positions.mean(1))
        at = self._joints(slice(None))
        self.scale = _scale(at, self._positions)
        self._sense = 1.0
        self._looks = _looks(motion)
        feet = [self._toe(at, side) - at[f"{side}_ankle"] for side in SIDES]
        # The sides of a corpus may be exchanged, but toes always point forwards.
        if "left_toe" in at and float(np.median((sum(feet) * self._axes(at)[2]).sum(1))) < 0:
            self._sense = -1.0
        self.floor = self._ground(motion.fps)

    def solids(self, start: int, stop: int) -> list[Solid]:
        """Return the flesh of frames `start` to `stop`, without gaps between the parts."""
        at, head = self._joints(slice(start, stop)), self.head(start, stop)
        at |= dict(zip(("across", "up", "ahead"), self._axes(at), strict=True))
        at |= {"head_centre": head.centre, "face": head.ahead, "crown": head.up, "vertical": _UP}
        for name, is_direction, place in tables.DERIVED:
            if is_direction:
                at[name] = unit(self._at(at, place))
            elif name not in at:
                at[name] = self._at(at, place)
        return [self._solid(part, at) for part in tables.BODY]

    def head(self, start: int, stop: int) -> Head:
        """Return the head of frames `start` to `stop`."""
        at = self._joints(slice(start, stop))
        _, up, ahead = self._axes(at)
        if self._looks is not None:
            ahead, up = self._looks[start:stop] @ _AHEAD, self._looks[start:stop] @ _UP
        if "head" in at:
            up = up if self._looks is not None else unit(at["head"] - at["waist"])
            centre = at["head"] + np.float32(self.scale) * (
                np.float32(tables.HEAD_OVER_JOINT[0]) * up + np.float32(tables.HEAD_OVER_JOINT[1]) * ahead
            )
        else:  # points of the face or the skull, which lie around its middle
            around = [at[name] for name in at if "head" in name or "ear" in name]
            centre = np.mean(around or [at["neck"] + np.float32(tables.HEAD_OVER_NECK * self.scale) * up], axis=0)
            ahead = unit(at["nose"] - centre) if "nose" in at and around else ahead
        up = unit(up - (up * ahead).sum(1, keepdims=True) * ahead)
        return Head(centre, ahead, up, tables.HEAD_RADIUS * self.scale)

    def _ground(self, fps: float) -> FloatArray:
        lowest = np.concatenate(
            [
                np.min([(one.centres[..., 1] - one.radii).min(1) for one in self.solids(start, start + _BLOCK)], axis=0)
                for start in range(0, len(self._positions), _BLOCK)
            ]
        )
        # A dancer is in the air for less than half of any few seconds; a share of them, and not the least, is taken
        # so that a foot that is recorded too low now and then does not pull the floor away from under all other steps.
        reach = round(_STAND / 2 * fps)
        window = np.lib.stride_tricks.sliding_window_view(np.pad(lowest, reach, mode="edge"), 2 * reach + 1)
        floor, usual = np.percentile(window, _SHARE, axis=1), np.percentile(lowest, _SHARE)
        drift = smoothed(floor - usual, _STAND / 2 * fps)
        # Who floats far above the floor shall be seen to float.
        return np.asarray(usual + np.clip(drift, -_DRIFT * self.scale, _DRIFT * self.scale), np.float32)

    def _joints(self, frames: slice) -> Joints:
        """Return the joints by their usual names, and some that not every skeleton has."""
        at: Joints = {name: self._positions[frames, j] for name, j in self._places.items()}
        at["neck"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
        at["pelvis"] = (at["left_hip"] + at["right_hip"]) / 2
        at["waist"] = at.get("spine", at.get("waist", np.float32(0.4) * at["neck"] + np.float32(0.6) * at["pelvis"]))
        return at

    def _axes(self, at: Joints) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The chest's own left, up and ahead, (T, 3) of length 1."""
        across = unit(at["left_shoulder"] - at["right_shoulder"])
        up = unit(at["neck"] - at["waist"])
        return across, up, np.float32(self._sense) * unit(np.cross(across, up))

    def _toe(self, at: Joints, side: str) -> FloatArray:
        if (toe := at.get(f"{side}_toe")) is not None:
            return toe
        ahead = self._axes(at)[2]
        return at[f"{side}_ankle"] + np.float32(self.scale) * (np.float32(0.12) * ahead - np.float32(0.05) * _UP)

    def _at(self, at: Joints, place: Place) -> FloatArray:
        """(T, 3): a point by the points and directions it is made of."""
        terms = [np.float32(weight) * at[name] for name, weight in place.points.items()]
        terms += [np.float32(self.scale * step) * at[name] for name, step in place.steps.items()]
        return np.asarray(sum(terms[1:], start=terms[0]))

    def _solid(self, part: BodyPart, at: Joints) -> Solid:
        centres = np.stack([self._at(at, place) for _, place in part.balls], axis=1)
        return Solid(
            part.part, part.side, centres, np.float32(self.scale) * np.array([r for r, _ in part.balls], np.float32)
        )


def is_whole(motion: Motion) -> bool:
    """Whether a motion moves a body with two arms and two legs in space."""
    known = places(motion.skeleton)
    return motion.positions.shape[2] == 3 and all(f"{side}_{joint}" in known for side in SIDES for joint in _NEEDED)


def sides(body: Skeleton) -> list[str]:
    """Return for each joint "left" or "right", if it has a counterpart whose name says so, else "middle"."""
    return [_side(body.joints[joint], body.joints[other]) for joint, other in enumerate(body.mirror)]


def _side(name: str, counterpart: str) -> str:
    """Return the side of a joint by the first letter in which its name differs from the other's, an l or an r."""
    place = _difference(name, counterpart)
    letters = name[place : place + 1].lower() + counterpart[place : place + 1].lower()
    return {"lr": "left", "rl": "right"}.get(letters, "middle")


def _difference(one: str, other: str) -> int:
    """Return the place of the first letter in which two names differ, or the length of the shorter one."""
    pairs = enumerate(zip(one.lower(), other.lower(), strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


@cache
def places(body: Skeleton) -> dict[str, int]:
    """Return the joints' numbers by their usual names: of a pair, "left_" or "right_" and the limb."""
    found = {}
    for joint, (side, other) in enumerate(zip(sides(body), body.mirror, strict=True)):
        name = body.joints[joint].lower()
        if side == "left":
            place = _difference(name, body.joints[other])
            limb = name[:place].rstrip("_") + re.sub("^(left|l)_?", "", name[place:])
            limb = _USUAL.get(limb, limb)
            found[f"left_{limb}"], found[f"right_{limb}"] = joint, other
        elif side == "middle":
            found[name] = joint
    return found


def _scale(at: Joints, positions: FloatArray) -> float:
    """Return how large a body is by the length of its legs, or, where they have none, by its height."""
    pairs = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    legs = np.sum([np.linalg.norm(at[a] - at[b], axis=1) for a, b in pairs], axis=0) / 2
    height = float(np.median(np.ptp(positions[..., 1], axis=1)))
    return max(float(np.median(legs)) / tables.LEG, 0.2 * height / tables.TALL) or 1.0


def _looks(motion: Motion) -> FloatArray | None:
    """Return how the head is turned, (T, 3, 3), where a motion of the package's own dancer states it."""
    if motion.rotations is None or motion.root is None or motion.skeleton.name != "smpl-24":
        return None
    return global_pose(motion.skeleton, motion.rotations, motion.root)[1][:, motion.skeleton.index("head")]
