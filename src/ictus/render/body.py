"""A whole body in space: which joints of a skeleton are its limbs, and the flesh around them."""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from ictus.kinematics import global_pose
from ictus.motion import Motion
from ictus.render.shapes import Points, smoothed, unit
from ictus.skeleton import Skeleton

SIDES = ("left", "right")
_USUAL = {"waist": "hip", "toes": "toe"}  # what Dance with Melody and SMPL call these
_NEEDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_TALL, _LEG = 1.70, 0.78  # metres: the body whose measures stand below, and its leg from hip to ankle
_STAND, _SHARE, _DRIFT = 3.0, 30, 0.3  # seconds, percent and body sizes: how the floor is found
_LARGEST = 1e6  # metres
_BLOCK = 2048  # frames that are worked on at once
_UP, _AHEAD = np.array([0, 1, 0], np.float32), np.array([0, 0, 1], np.float32)

Joints = dict[str, Points]  # (T, 3) each, metres
Ball = tuple[Points, float]  # centre (T, 3) and radius, metres


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
    centres: Points
    radii: Points


@dataclass(frozen=True)
class Head:
    """Where a head is and where it looks: (T, 3) each; the centre in metres, the directions of length 1."""

    centre: Points
    ahead: Points
    up: Points
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
        self._positions: Points = motion.positions if huge == 1 else motion.positions / np.float32(huge)
        self._places = places(motion.skeleton)
        self.middle: Points = np.asarray(self._positions.mean(1))
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
        across, up, _ = self._axes(at)
        chin = head.centre + head.radius * (0.25 * head.ahead - 0.75 * head.up)
        solids = [
            self._chest(at, across, up),
            self._hips(at, across, up),
            self._solid("neck", "middle", (at["neck"], 0.05), (head.centre, 0.05)),
            self._solid("skull", "middle", (head.centre, 0.1), (chin, 0.062)),
        ]
        for side in SIDES:
            solids += [*self._arm(at, side), *self._leg(at, side)]
        return solids

    def head(self, start: int, stop: int) -> Head:
        """Return the head of frames `start` to `stop`."""
        at = self._joints(slice(start, stop))
        _, up, ahead = self._axes(at)
        if self._looks is not None:
            ahead, up = self._looks[start:stop] @ _AHEAD, self._looks[start:stop] @ _UP
        if "head" in at:
            up = up if self._looks is not None else unit(at["head"] - at["waist"])
            centre = at["head"] + np.float32(self.scale) * (np.float32(0.085) * up + np.float32(0.01) * ahead)
        else:  # points of the face or the skull, which lie around its middle
            around = [at[name] for name in at if "head" in name or "ear" in name]
            centre = np.mean(around or [at["neck"] + np.float32(0.2 * self.scale) * up], axis=0)
            ahead = unit(at["nose"] - centre) if "nose" in at and around else ahead
        up = unit(up - (up * ahead).sum(1, keepdims=True) * ahead)
        return Head(centre, ahead, up, 0.1 * self.scale)

    def _ground(self, fps: float) -> Points:
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

    def _axes(self, at: Joints) -> tuple[Points, Points, Points]:
        """The chest's own left, up and ahead, (T, 3) of length 1."""
        across = unit(at["left_shoulder"] - at["right_shoulder"])
        up = unit(at["neck"] - at["waist"])
        return across, up, np.float32(self._sense) * unit(np.cross(across, up))

    def _chest(self, at: Joints, across: Points, up: Points) -> Solid:
        shoulders = [at[f"{side}_shoulder"] for side in SIDES]
        inwards = [np.float32(0.25) * (at["neck"] - shoulder) for shoulder in shoulders]
        side, rise = np.float32(0.05 * self.scale) * across, np.float32(0.02 * self.scale) * up
        tops = [(shoulder + inner - rise, 0.078) for shoulder, inner in zip(shoulders, inwards, strict=True)]
        ribs = np.float32(0.75) * at["waist"] + np.float32(0.25) * at["neck"]
        tops.append((at["neck"] + np.float32(0.04 * self.scale) * up, 0.045))
        return self._solid("chest", "middle", *tops, (ribs + side, 0.092), (ribs - side, 0.092))

    def _hips(self, at: Joints, across: Points, up: Points) -> Solid:
        side = np.float32(0.045 * self.scale) * across
        bones = [(np.float32(0.8) * at[f"{side}_hip"] + np.float32(0.2) * at["waist"], 0.102) for side in SIDES]
        return self._solid("hips", "middle", (at["waist"] + side, 0.086), (at["waist"] - side, 0.086), *bones)

    def _arm(self, at: Joints, side: str) -> list[Solid]:
        shoulder, elbow, wrist = (at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        along = unit(wrist - elbow)
        palm = at.get(f"{side}_hand", wrist + np.float32(0.08 * self.scale) * along)
        tips = palm + np.float32(0.05 * self.scale) * unit(palm - wrist)
        return [
            self._solid("arm", side, (shoulder, 0.058), (elbow, 0.042)),
            self._solid("arm", side, (elbow, 0.042), (wrist, 0.03)),
            self._solid("hand", side, (wrist, 0.024), (palm, 0.036), (tips, 0.024)),
        ]

    def _leg(self, at: Joints, side: str) -> list[Solid]:
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        calf = np.float32(0.72) * knee + np.float32(0.28) * ankle
        return [
            self._solid("leg", side, (hip, 0.088), (knee, 0.056)),
            self._solid("leg", side, (knee, 0.055), (calf, 0.055), (ankle, 0.036)),
            self._solid("foot", side, (ankle, 0.038), *self._sole(at, side)),
        ]

    def _sole(self, at: Joints, side: str) -> list[Ball]:
        """The heel, the ball and the tip of a foot."""
        ankle, toe = at[f"{side}_ankle"], self._toe(at, side)
        along = unit(toe - ankle)
        down = unit(ankle - at[f"{side}_knee"])
        down = unit(down - np.float32(0.5) * along)  # the heel lies below the ankle and behind it
        heel = at.get(f"{side}_heel", ankle + np.float32(0.05 * self.scale) * down)
        tip = toe + np.float32(0.05 * self.scale) * unit(toe - heel)
        return [(heel, 0.03), (toe, 0.032), (tip, 0.022)]

    def _toe(self, at: Joints, side: str) -> Points:
        if (toe := at.get(f"{side}_toe")) is not None:
            return toe
        ahead = self._axes(at)[2]
        return at[f"{side}_ankle"] + np.float32(self.scale) * (np.float32(0.12) * ahead - np.float32(0.05) * _UP)

    def _solid(self, part: str, side: str, *balls: Ball) -> Solid:
        centres = np.stack([centre for centre, _ in balls], axis=1)
        return Solid(part, side, centres, np.array([self.scale * radius for _, radius in balls], np.float32))


def is_whole(motion: Motion) -> bool:
    """Whether a motion moves a body with two arms and two legs in space."""
    known = places(motion.skeleton)
    return motion.positions.shape[2] == 3 and all(f"{side}_{joint}" in known for side in SIDES for joint in _NEEDED)


def sides(body: Skeleton) -> list[str]:
    """Return for each joint "left" or "right", if it has a counterpart whose name tells so, else "middle"."""
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


def _scale(at: Joints, positions: Points) -> float:
    """Return how large a body is by the length of its legs, or, where they have none, by its height."""
    pairs = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    legs = np.sum([np.linalg.norm(at[a] - at[b], axis=1) for a, b in pairs], axis=0) / 2
    height = float(np.median(np.ptp(positions[..., 1], axis=1)))
    return max(float(np.median(legs)) / _LEG, 0.2 * height / _TALL) or 1.0


def _looks(motion: Motion) -> Points | None:
    """Return how the head is turned, (T, 3, 3), where a motion of the package's own dancer tells."""
    if motion.rotations is None or motion.root is None or motion.skeleton.name != "smpl-24":
        return None
    return global_pose(motion.skeleton, motion.rotations, motion.root)[1][:, motion.skeleton.index("head")]
