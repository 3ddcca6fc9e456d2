"""Bodies of which less is known: a jointed figure of any skeleton, and a player of whom a camera saw arms and hands."""

from collections.abc import Collection
from itertools import permutations

import numpy as np

from ictus.motion import Motion
from ictus.render.anatomy import SIDES
from ictus.render.body import sides
from ictus.render.figure import Figure, Sum

PLAYER = "solos-47"
_SHOULDERS = 0.36  # body sizes
_LIMB, _TAPER, _SHARES = 0.055, 0.73, (0.4, 0.3)  # radius; of the far end; and at most these shares of a limb's length
_FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_FACE = ("head", "nose", "eye", "ear")
_TRUNK = ("right_shoulder", "left_shoulder", "left_hip", "right_hip")


def generic_figure(motion: Motion) -> Figure:
    """Return limbs along the bones of any body, with a trunk and a head where it has the joints for them."""
    flat = motion.positions.shape[2] == 2
    height = float(np.median(np.ptp(Figure(motion, 1.0).positions[..., 1], axis=1))) or 1.0
    figure = Figure(motion, 0.22 / _SHOULDERS * height, flat)
    face = [name for name in motion.skeleton.joints if any(part in name.lower() for part in _FACE)]
    trunk = [name for name in _TRUNK if figure.has(name)] if all(map(figure.has, _TRUNK)) else []
    if trunk:
        figure.solid("chest", [(0.075, figure[name]) for name in trunk])
        if face:
            figure.solid("skin", [(0.05, _middle(figure, trunk[:2])), (0.04, _middle(figure, face))])
    _limbs(figure, list(permutations((*face, *trunk), 2)), _LIMB)
    if face:
        figure.solid("skin", [(0.1, _middle(figure, face))])
    for name in () if figure.solids else motion.skeleton.joints:  # points without bones
        figure.solid("limb", [(_LIMB, figure[name])])
    return figure


def player(motion: Motion) -> Figure:
    """Return arms and hands before the shadow of a body, by which the eye finds its way."""
    figure = Figure(motion, 1.0, flat=True)
    width = np.linalg.norm(figure.joint("left_shoulder") - figure.joint("right_shoulder"), axis=1)
    figure = Figure(motion, float(np.median(width)) / _SHOULDERS or 1.0, flat=True)
    neck = figure["neck"]
    across = figure.direction("across", figure["left_shoulder"] - figure["right_shoulder"])
    level = figure.square("level", figure.y, "across")
    up = figure.direction("up", level + figure.y)  # half as oblique as the shoulders
    shoulders = [(0.05, figure[f"{side}_shoulder"] - 0.02 * up) for side in SIDES]
    ribs = [(0.09, neck + way * 0.07 * across - 0.2 * up) for way in (1, -1)]
    waist = [(0.09, neck + way * 0.055 * across - 0.42 * up) for way in (1, -1)]
    figure.solid("ghost", [*shoulders, (0.05, neck), *ribs], [*ribs, *waist], before=-0.5)
    figure.solid("ghost", [(0.043, neck), (0.04, neck + 0.1 * up)], before=-0.55)
    head = figure.point("head_centre", neck + 0.2 * up)
    figure.solid("ghost", [(0.078, head), (0.055, neck + 0.14 * up)], before=-0.4)
    palms = []
    for side in SIDES:
        roots = [f"{side}_{finger}_1" for finger in _FINGERS[1:]]
        figure.solid("hand", [(0.024, figure[f"{side}_wrist"]), *((0.016, figure[root]) for root in roots)])
        palms += [(f"{side}_wrist", root) for root in roots]
    _limbs(figure, [*(("neck", f"{side}_shoulder") for side in SIDES), *palms], 0.045)
    return figure


def _limbs(figure: Figure, flesh: Collection[tuple[str, str]], thick: float) -> None:
    """Add a limb along each bone but those within `flesh`, and trails of the hands."""
    body = figure.motion.skeleton
    side_of = sides(body)
    for a, b in body.bones:
        one, other = body.joints[a], body.joints[b]
        if (one, other) in flesh:
            continue
        length = float(np.median(np.linalg.norm(figure.joint(one) - figure.joint(other), axis=1))) / figure.unit
        finger = any(part in other for part in _FINGERS)
        near, far = (share * length for share in _SHARES)
        radii = (0.0135, 0.011) if finger else (min(thick, near), min(_TAPER * thick, far))
        paint = "hand" if finger else "limb" if side_of[b] == "middle" else f"arm{side_of[b]}"
        figure.solid(paint, [(radii[0], figure[one]), (radii[1], figure[other])])
    paired = [j for j, side in enumerate(side_of) if side != "middle"]
    hands = [j for j in paired if body.joints[j].lower().endswith(("wrist", "hand"))]
    figure.trails = [(side_of[j], body.joints[j]) for j in hands[:2]]


def _middle(figure: Figure, names: list[str]) -> Sum:
    points = [figure[name] for name in names]
    return (1 / len(points)) * sum(points[1:], points[0])
