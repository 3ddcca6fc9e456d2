"""The measures, outlines and colours that figures are drawn by, in films as in pages; a page holds them as JSON.

The film reads this module, the page's scripts read what `exported` returns. Nothing here is repeated in either.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ictus.render.theme import DARK, LIGHT, WHITE, Colour, Theme, bgr, code, mix

SIDES = ("left", "right")
Table = Sequence[tuple[float, float]]
Weights = Mapping[str, float]
Capsule = tuple[str, str, str, float, float]  # paint, from, to, and the radii there

# ---- Light. Each tone lies on the one before, shrunk and moved towards the light by shares of a radius.
TONES = ((0.0, 0.0), (0.14, 0.14), (0.29, 0.27), (0.46, 0.38), (0.64, 0.46), (0.83, 0.5))
LIGHT_FROM = (-0.5, -0.866)  # in the picture: from the left, above
EDGE = 1.2  # pixels that the edge of a part is wider than the part
FARTHEST = 0.3  # share of the stage's edge colour in what is farthest away
DEPTH = 0.9  # body sizes from the nearest to the farthest
HAIR_ANGLE, HAIR_MIDDLE, HAIR_RADIUS = 1.5, (0.72, -0.69), 1.03  # radians to its edge; up and ahead; of the head's
HAIR_GLEAM = (0.86, 0.12)  # size of its lit part, and how far that is moved towards the light

# ---- Trails.
TRAIL_SECONDS, TRAIL_OPACITY, TRAIL_FADE, TRAIL_TAPER = 1.0, 0.75, 1.8, 0.7

# ---- The perspective view, in body sizes and radians.
FAR, HEIGHT, PITCH = 6.0, 0.9, 0.2  # the camera's distance, what it looks at above the floor, how much it looks down
NEAREST = 0.3  # of the distance: what comes nearer is seen as if it were there

# ---- The floor, in body sizes.
TILE, REACH = 0.5, 4.5  # between two lines, and from the target to where they have faded
CAST = (0.22, -0.3)  # where the top of a thing of height 1 throws its shadow: to the right, and away from the camera
SHADOW_GROWTH, SHADOW_HEIGHT, SHADOW_LEAST = 0.15, 2.2, 0.25  # of radius by height; where it is palest; and how pale

# ---- The conductor. In the chest's frame x counts in shoulder widths, and y from the neck (0) to the hips (1).
SHIRT: Table = ((-0.2, -0.12), (0.2, -0.12), (0.19, 0.2), (0.0, 0.75), (-0.19, 0.2))
LAPEL: Table = (
    *((0.16, -0.14), (0.29, -0.05), (0.36, 0.16), (0.29, 0.16), (0.32, 0.21)),
    *((0.03, 0.79), (0.0, 0.72), (0.17, 0.2)),
)
SQUARE: Table = ((0.27, 0.33), (0.3, 0.275), (0.33, 0.3), (0.36, 0.265), (0.38, 0.33))
CHEST = (  # paint and outline
    ("shirt", SHIRT),
    ("shirt", SQUARE),
    ("lapel", LAPEL),
    ("lapel", tuple((-x, y) for x, y in LAPEL)),
)
# In the neck's frame both axes count in shoulder widths.
COLLAR: Table = ((-0.17, -0.2), (0.17, -0.2), (0.2, -0.1), (0.13, 0.04), (0.0, -0.08), (-0.13, 0.04), (-0.2, -0.1))
BOW: Table = (
    *((-0.2, -0.07), (-0.17, -0.1), (-0.02, -0.04), (0.02, -0.04), (0.17, -0.1), (0.2, -0.07)),
    *((0.2, 0.07), (0.17, 0.1), (0.02, 0.04), (-0.02, 0.04), (-0.17, 0.1), (-0.2, 0.07)),
)
# In the head's frame both axes count in half-axes of the head.
FACE: Table = (
    *((0.6, -0.62), (0.88, -0.25), (0.86, 0.25), (0.52, 0.86), (0.0, 1.05)),
    *((-0.52, 0.86), (-0.86, 0.25), (-0.88, -0.25), (-0.6, -0.62), (0.0, -0.52)),
)
CONDUCTOR_WIDTHS = {"conductor-13": 0.2, "conductor-23": 0.36}  # of the shoulders, in the body's own units
# The head, in shoulder widths: usually so far over the neck, about so much more or less, and at most so far aside.
RISE, RISE_RANGE, SWAY = 0.54, 0.1, 0.3
TEMPLE, ROLL, TURN = 0.24, 0.5, 0.9  # half its width; radians it tilts at most; how far it looks aside at most
CUFF = 0.86  # where the sleeve ends, from the elbow (0) to the wrist (1)
HAND_SHARE, HAND_LENGTH = 0.34, 0.26  # a hand that is not known: at most so much of a forearm, and shoulder widths
BATON_ALONG, BATON_UP = 0.55, (0.16, 0.34)  # one that is not known: of a forearm onwards; inwards and up, in widths
GRIP = 0.12  # shoulder widths from the hand to the end of the cork
# Capsules: paint, from, to and the two radii in shoulder widths, in the order in which they are painted.
SLEEVE: tuple[Capsule, ...] = (("sleeve", "shoulder", "elbow", 0.135, 0.12), ("sleeve", "elbow", "cuff", 0.12, 0.092))
LINEN: Capsule = ("linen", "cuff", "wrist", 0.08, 0.076)
BATON: tuple[Capsule, ...] = (("baton", "hand", "baton", 0.014, 0.008), ("cork", "grip", "hand", 0.036, 0.02))
HAND: Capsule = ("hand", "wrist", "hand", 0.062, 0.052)

# ---- Any other body, in units of about a shoulder width.
LIMB, PLAYER_LIMB, TAPER = 0.15, 0.115, 0.73  # how thick limbs are, and their far ends by shares of that
LIMB_SHARES = (0.4, 0.3)  # of its length: no thicker than that at both ends
NECK = (0.14, 0.11)
TRUNK = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")
FACE_JOINTS = ("head", "nose", "eye", "ear")

# ---- The dancer. Lengths count in body sizes: 1 for a body of 1.70 m, with legs of 0.78 m from hip to ankle.
TALL, LEG, HEAD_RADIUS = 1.70, 0.78, 0.1
HEAD_OVER_JOINT, HEAD_OVER_NECK = (0.085, 0.01), 0.2  # from the head joint up and ahead; from the neck up
BEFORE = {"chest": 0.04, "hips": 0.03, "skull": 0.05, "hand": 0.02}  # body sizes that a part wins by when it is close


@dataclass(frozen=True)
class Place:
    """A point: the weighted sum of points, and of steps along directions, in body sizes."""

    points: Weights
    steps: Weights = field(default_factory=dict)


@dataclass(frozen=True)
class BodyPart:
    """The hull of balls: radii in body sizes, and where the balls are."""

    part: str
    side: str
    balls: tuple[tuple[float, Place], ...]


def _on(*joints: tuple[str, float]) -> tuple[tuple[float, Place], ...]:
    return tuple((radius, Place({joint: 1})) for joint, radius in joints)


def _paired(points: Weights, direction: str, step: float, radius: float) -> tuple[tuple[float, Place], ...]:
    """Two balls, as far to one side as to the other."""
    return (radius, Place(points, {direction: step})), (radius, Place(points, {direction: -step}))


# Directions (a weighted sum at length 1) and points, in order; a point that a body has as a joint stays where it is.
# "across", "up", "ahead" are the chest's own, "face" and "crown" the head's, "vertical" the world's.
def _derived(side: str) -> Iterator[tuple[str, bool, Place]]:
    for name, is_direction, points, steps in (
        ("@_toe", False, {"@_ankle": 1}, {"ahead": 0.12, "vertical": -0.05}),
        ("@_forearm_axis", True, {"@_wrist": 1, "@_elbow": -1}, {}),
        ("@_hand", False, {"@_wrist": 1}, {"@_forearm_axis": 0.08}),
        ("@_hand_axis", True, {"@_hand": 1, "@_wrist": -1}, {}),
        ("@_foot_axis", True, {"@_toe": 1, "@_ankle": -1}, {}),
        ("@_shin_axis", True, {"@_ankle": 1, "@_knee": -1}, {}),
        # The heel lies below the ankle and behind it.
        ("@_heel_axis", True, {"@_shin_axis": 1, "@_foot_axis": -0.5}, {}),
        ("@_heel", False, {"@_ankle": 1}, {"@_heel_axis": 0.05}),
        ("@_toe_axis", True, {"@_toe": 1, "@_heel": -1}, {}),
    ):
        yield name.replace("@", side), is_direction, Place(_sided(points, side), _sided(steps, side))


def _limbs(side: str) -> Iterator[BodyPart]:
    tips, tip = Place({"@_hand": 1}, {"@_hand_axis": 0.05}), Place({"@_toe": 1}, {"@_toe_axis": 0.05})
    calf = Place({"@_knee": 0.72, "@_ankle": 0.28})
    for part, balls in (
        ("arm", _on(("@_shoulder", 0.058), ("@_elbow", 0.042))),
        ("arm", _on(("@_elbow", 0.042), ("@_wrist", 0.03))),
        ("hand", (*_on(("@_wrist", 0.024), ("@_hand", 0.036)), (0.024, tips))),
        ("leg", _on(("@_hip", 0.088), ("@_knee", 0.056))),
        ("leg", (*_on(("@_knee", 0.055)), (0.055, calf), *_on(("@_ankle", 0.036)))),
        ("foot", (*_on(("@_ankle", 0.038), ("@_heel", 0.03), ("@_toe", 0.032)), (0.022, tip))),
    ):
        placed = ((radius, Place(_sided(at.points, side), _sided(at.steps, side))) for radius, at in balls)
        yield BodyPart(part, side, tuple(placed))


def _sided(weights: Weights, side: str) -> Weights:
    return {name.replace("@", side): weight for name, weight in weights.items()}


_SHOULDERS = tuple((0.078, Place({f"{side}_shoulder": 0.75, "neck": 0.25}, {"up": -0.02})) for side in SIDES)
_HIPS = tuple((0.102, Place({f"{side}_hip": 0.8, "waist": 0.2})) for side in SIDES)
_RIBS = _paired({"waist": 0.75, "neck": 0.25}, "across", 0.05, 0.092)
_CHIN = Place({"head_centre": 1}, {"face": 0.25 * HEAD_RADIUS, "crown": -0.75 * HEAD_RADIUS})
DERIVED = tuple(row for side in SIDES for row in _derived(side))
BODY = (
    BodyPart("chest", "middle", (*_SHOULDERS, (0.045, Place({"neck": 1}, {"up": 0.04})), *_RIBS)),
    BodyPart("hips", "middle", (*_paired({"waist": 1}, "across", 0.045, 0.086), *_HIPS)),
    BodyPart("neck", "middle", _on(("neck", 0.05), ("head_centre", 0.05))),
    BodyPart("skull", "middle", (*_on(("head_centre", HEAD_RADIUS)), (0.062, _CHIN))),
    *(part for side in SIDES for part in _limbs(side)),
)


Paint = tuple[Colour, ...]  # the edge of a part, and its tones from shade to gleam
_CHESTNUT = bgr("#7a5240")


def paints(theme: Theme, *, conducting: bool = False) -> dict[str, Paint]:
    """Return the paint of each part, or part and side ("chest", "armleft")."""
    dark = theme.edge if theme.name == "dark" else theme.text
    ramps = {"chest": theme.middle, "limb": theme.middle, "hips": mix(theme.middle, theme.edge, 0.25)}
    ramps |= {"neck": theme.skin_shade if conducting else theme.skin, "hair": theme.hair if conducting else _CHESTNUT}
    ramps |= {"skull": theme.skin, "hand": theme.skin, "ear": theme.skin_shade, "cork": theme.cork}
    for side, colour in (("left", theme.left), ("right", theme.right)):
        ramps |= {f"arm{side}": colour, f"leg{side}": colour, f"foot{side}": mix(colour, dark, 0.4)}
    cloths = {"coat": (theme.coat, theme.lapel), "trousers": (theme.coat, theme.lapel), "shoe": (theme.coat, theme.rim)}
    cloths["sleeve"] = mix(theme.coat, theme.lapel, 0.35), mix(theme.lapel, theme.rim, 0.35)
    linen = (mix(theme.linen_shade, theme.linen, min(0.35 + 0.3 * k, 1)) for k in range(len(TONES)))
    plain = {"baton": theme.baton, "ghost": mix(theme.centre, theme.middle, 0.2)}
    return {
        **{part: tuple(_ramp(colour, dark)) for part, colour in ramps.items()},
        **{part: (theme.rim, *_cloth(*colours)) for part, colours in cloths.items()},
        **{part: (colour,) * (len(TONES) + 1) for part, colour in plain.items()},
        "linen": (theme.linen_shade, *linen),
    }


def _ramp(colour: Colour, dark: Colour) -> Iterator[Colour]:
    yield mix(colour, dark, 0.8)
    for light in np.linspace(-0.45, 0.3, len(TONES)):
        yield mix(colour, dark, -light) if light < 0 else mix(colour, WHITE, light)


def _cloth(colour: Colour, sheen: Colour) -> Iterator[Colour]:
    return (mix(colour, sheen, k / len(TONES)) for k in range(len(TONES)))


def exported() -> dict[str, Any]:
    """Return all that the page's scripts need of this module, as JSON holds it, by the names in it."""
    shared = {name: value for name, value in globals().items() if name.isupper() and not name.startswith("_")}
    for other in ("DARK", "LIGHT", "WHITE", "FACE", "SQUARE", "SHIRT", "LAPEL"):
        shared.pop(other)
    shared["DERIVED"] = [(name, is_direction, at.points, at.steps) for name, is_direction, at in DERIVED]
    shared["BODY"] = [
        (one.part, one.side, BEFORE.get(one.part, 0), [(radius, at.points, at.steps) for radius, at in one.balls])
        for one in BODY
    ]
    shared["PAINTS"] = {theme.name: _codes(theme) for theme in (DARK, LIGHT)}
    return shared


def _codes(theme: Theme) -> dict[str, dict[str, list[str]]]:
    """Return the paints of all figures, and those in which a conductor differs."""
    usual, conductor = paints(theme), paints(theme, conducting=True)
    different = {part: paint for part, paint in conductor.items() if paint != usual[part]}
    return {
        name: {part: [code(colour) for colour in paint] for part, paint in some.items()}
        for name, some in (("usual", usual), ("conductor", different))
    }
