"""Which joint of a foreign rig is which part of a body, by its name and by what hangs on it.

Names that are known: CMU's (both BVH conversions and ASF), Mixamo, MotionBuilder, Rokoko, Perception Neuron, LAFAN1,
Xsens, OptiTrack, VRM, Unity's humanoid, Unreal's mannequin, 3ds Max' Biped, Character Creator, Daz, Rigify, SMPL, and
plain ones such as left_elbow. Limbs are found by the words of their names; trunk and neck by where the limbs hang.
"""

import re
from collections.abc import Sequence

from ictus.errors import MotionError
from ictus.files import short

# Words for each joint of a limb, from the hip or the collar outwards; the first word that some joint has decides, for
# "shoulder", "hip", "hand" and "foot" mean another joint in a rig that also has an "arm", "thigh", "wrist" or "ankle".
LIMBS: dict[str, dict[str, tuple[str, ...]]] = {
    "leg": {
        "hip": ("upleg", "upperleg", "uleg", "thigh", "femur", "hip"),
        "knee": ("lowerleg", "lowleg", "lleg", "calf", "shin", "tibia", "knee", "leg"),
        "ankle": ("ankle", "foot"),
        "toes": ("toebase", "toes", "toe", "toe0", "ball", "foot"),
    },
    "arm": {
        "shoulder": ("upperarm", "uparm", "uarm", "arm", "humerus", "shldr", "shoulder"),
        "elbow": ("forearm", "lowerarm", "lowarm", "farm", "radius", "elbow"),
        "wrist": ("wrist", "hand"),
    },
}
HEAD = ("head",)
_OPTIONAL = ("toes",)
_SIDES = {"left": "l", "l": "l", "right": "r", "r": "r"}
_NAMES = {"l": "left", "r": "right"}
# Joints beside the body: controls, helpers, and the ends of bones.
_BESIDE = {"ik", "fk", "twist", "roll", "pole", "ctrl", "target", "share", "helper", "end", "nub", "site", "tip", "sec"}
_PLAIN = {"bend"}  # says nothing: Daz' thighBend is the thigh
_KNOWN = {word for joints in LIMBS.values() for words in joints.values() for word in words} | {*HEAD}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_LISTED = 6  # names in a message
_LONGEST = 3  # words of a name that are joined to find it: "upper", "arm"


def find_joints(names: Sequence[str], parents: Sequence[int] | None) -> dict[str, int]:
    """Return the numbers of the joints that are parts of a body, under the names of smpl-24.

    "lhip", "lknee", "lankle", "lshoulder", "lelbow", "lwrist" and those of the right side, "head"; where there are any,
    "ltoes" and "rtoes", and in a hierarchy also "linshoulder", "rinshoulder", "root" (which carries both legs), "chest"
    (which carries both arms) and "neck".

    Parameters
    ----------
    parents : of each joint, -1 for the root; None where there is no hierarchy.

    Raises
    ------
    MotionError
        If a part that a dancer needs is not among them; the message names it, and what there is.
    """
    known: dict[tuple[str, str], list[int]] = {}
    for number, name in enumerate(names):
        if (meaning := _reading(name)) is not None:
            known.setdefault(meaning, []).append(number)
    found: dict[str, int] = {}
    for side in "lr":
        for joints in LIMBS.values():
            above = -1
            for joint, words in joints.items():
                taken = [found[side + other] for other in joints if side + other in found]
                chosen = _choose(known, side, words, above, taken, parents)
                if chosen is not None:
                    found[side + joint] = above = chosen
    head = _choose(known, "", HEAD, -1, [], parents)
    if head is not None:
        found["head"] = head
    _check(found, names)
    return found | ({} if parents is None else _trunk(found, parents))


def _reading(name: str) -> tuple[str, str] | None:
    """Return what a name means: side ("l", "r" or "") and the longest known word that it ends with."""
    words = [word.lower() for word in _WORD.findall(re.split(r"[:|]", name)[-1])]
    if _BESIDE & set(words):
        return None
    sides = [k for k, word in enumerate(words) if word in _SIDES]
    side = _SIDES[words[sides[0]]] if sides else ""
    rest = [word for k, word in enumerate(words) if k not in sides[:1] and word not in _PLAIN]
    for count in range(min(_LONGEST, len(rest)), 0, -1):
        joined = "".join(rest[-count:])
        if joined in _KNOWN:
            return side, joined
        if not side and joined[:1] in _NAMES and joined[1:] in _KNOWN:  # lhip, rfemur
            return joined[0], joined[1:]
    return None


def _choose(
    known: dict[tuple[str, str], list[int]],
    side: str,
    words: tuple[str, ...],
    above: int,
    taken: list[int],
    parents: Sequence[int] | None,
) -> int | None:
    """Return the first joint with one of these words that is not taken, and that hangs on the one above."""
    for word in words:
        for number in known.get((side, word), ()):
            if number not in taken and (above < 0 or parents is None or above in _line(number, parents)):
                return number
    return None


def _line(joint: int, parents: Sequence[int]) -> list[int]:
    """Return a joint and all that carry it, up to the root."""
    line = [joint]
    while parents[line[-1]] >= 0:
        line.append(parents[line[-1]])
    return line


def _trunk(found: dict[str, int], parents: Sequence[int]) -> dict[str, int]:
    """Return the joints between the limbs, where they carry what they should."""

    def shared(one: str, other: str) -> int:
        others = _line(found[other], parents)
        return next(joint for joint in _line(found[one], parents) if joint in others)

    chest = shared("lshoulder", "rshoulder")
    trunk = {"root": shared("lhip", "rhip"), "chest": chest}
    for joint, end in (("neck", "head"), ("linshoulder", "lshoulder"), ("rinshoulder", "rshoulder")):
        line = _line(found[end], parents)
        if chest in line and line.index(chest) > 1:
            trunk[joint] = line[line.index(chest) - 1]
    return trunk


def _check(found: dict[str, int], names: Sequence[str]) -> None:
    needed = {limb: [joint for joint in joints if joint not in _OPTIONAL] for limb, joints in LIMBS.items()}
    lacking = [
        f"{_NAMES[side]} {joint}"
        for limb in needed.values()
        for side in "lr"
        for joint in limb
        if side + joint not in found
    ]
    lacking += [] if "head" in found else ["head"]
    if not lacking:
        return
    limbs = [
        f"{limb}s"
        for limb, joints in needed.items()
        if not any(side + joint in found for side in "lr" for joint in joints[1:])
    ]
    what = f"has no {' and no '.join(limbs)}" if limbs else "is no whole body"
    more = " or so on" if len(lacking) > _LISTED else ""
    has = ", ".join(short(name) for name in names[:_LISTED]) + (" ..." if len(names) > _LISTED else "")
    raise MotionError(f"{what}: none of its joints is a {', '.join(lacking[:_LISTED])}{more}; it has {has}")
