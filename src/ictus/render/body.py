"""Which joints of a skeleton are its limbs."""

import re
from functools import cache

from ictus.motion import Motion
from ictus.skeleton import Skeleton

_USUAL = {"waist": "hip", "toes": "toe"}  # what Dance with Melody and SMPL call these
_NEEDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def is_whole(motion: Motion) -> bool:
    """Whether a motion moves a body with two arms and two legs in space."""
    known = places(motion.skeleton)
    return motion.positions.shape[2] == 3 and all(
        f"{side}_{joint}" in known for side in ("left", "right") for joint in _NEEDED
    )


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
