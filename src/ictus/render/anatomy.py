"""Heads and hands: what all figures share. Lengths count in body sizes."""

import math
from collections.abc import Iterable

import numpy as np

from ictus.render.figure import Ball, Figure, Sum

SIDES = ("left", "right")
HEAD = 0.093  # radius
_BALLS = ((1.0, 0.0, 0.0), (0.62, -0.72, 0.24))  # of head and chin: radius, up and ahead, all in radii of the head
_HAIR = (0.72, -0.69)  # up and ahead: the middle of the hair
Outline = Iterable[tuple[float, float]]

# The face, in radii of the head: to its left and up. What lies at one side is mirrored to the other.
_EYE = tuple((0.35 + 0.08 * np.cos(a), 0.02 + 0.115 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 10, endpoint=False))
_BROW = ((0.17, 0.22), (0.36, 0.28), (0.55, 0.22), (0.55, 0.27), (0.36, 0.35), (0.17, 0.29))
_NOSE = ((0.03, 0.02), (-0.03, 0.02), (-0.11, -0.34), (0, -0.4), (0.11, -0.34))
_MOUTH = ((-0.25, -0.68), (0, -0.71), (0.25, -0.68), (0.13, -0.745), (0, -0.76), (-0.13, -0.745))

# Fingers from the index: where they leave the hand, along it and towards the thumb, and how long they are.
_FINGERS = ((0.09, 0.027, 0.075), (0.094, 0.009, 0.083), (0.09, -0.009, 0.077), (0.082, -0.026, 0.06))


def head(figure: Figure, centre: Sum, face: str, crown: str, hair: str, before: float = 0.05) -> None:
    """Add a head that looks along the direction `face`, with `crown` at right angles to that."""
    aside = figure.cross("aside", figure[crown], face)
    up, ahead = figure[crown], figure[face]

    def on(outline: Outline, raised: float = 0.02) -> list[Sum]:
        corners = [(x, y, raised + _surface(x, y)) for x, y in counterclockwise(outline)]
        return [centre + HEAD * (x * aside + y * up + z * ahead) for x, y, z in corners]

    pairs = [("eye", _EYE), ("brow", _BROW)]
    features = [(paint, on((way * x, y) for x, y in outline)) for paint, outline in pairs for way in (1, -1)]
    features += [("nose", on(_NOSE, 0.1)), ("mouth", on(_MOUTH))]
    skull = [(radius * HEAD, centre + HEAD * (rise * up + out * ahead)) for radius, rise, out in _BALLS]
    for way in (1, -1):
        figure.solid("ear", [(0.2 * HEAD, centre + HEAD * (way * 0.95 * aside - 0.15 * up))], before=before - 0.06)
    middle = figure.direction("hair", _HAIR[0] * up + _HAIR[1] * ahead)
    figure.solid("skin", skull, before=before, patches=features, cap=(hair, centre + HEAD * middle))


def hand(figure: Figure, side: str, curl: float, spread: float = 0.0) -> None:
    """Add a hand at "SIDE_wrist" that points along the direction "SIDE_palm" and whose back faces along "SIDE_back".

    Parameters
    ----------
    curl : radians by which each joint of the fingers bends.
    spread : how far the fingers' tips are apart beyond their roots, in body sizes.
    """
    wrist, along, back = (figure[f"{side}_{name}"] for name in ("wrist", "palm", "back"))
    thumb = figure.cross(f"{side}_thumb", along if side == "left" else -along, f"{side}_back")
    edge: list[Ball] = [(0.02, wrist + 0.084 * along + way * 0.022 * thumb) for way in (1, -1)]
    figure.solid("hand", [(0.026, wrist + 0.005 * along), *edge], before=0.02)
    for number, (out, across, length) in enumerate(_FINGERS):
        joints = [wrist + out * along + across * thumb]
        for bend, share in ((curl, 0.55), (2 * curl, 0.45)):
            step = np.cos(bend) * along - np.sin(bend) * back + (spread * across / 0.02) * thumb
            joints.append(joints[-1] + share * length * step)
        figure.solid("hand", list(zip((0.0105, 0.01, 0.009), joints, strict=True)), before=0.03 + 0.001 * number)
    base = wrist + 0.03 * along + 0.02 * thumb
    middle = base + 0.035 * along + 0.022 * thumb - 0.012 * back
    tip = middle + 0.03 * along + (0.012 - 0.02 * np.sin(curl)) * thumb - 0.01 * back
    figure.solid("hand", [(0.014, base), (0.0115, middle), (0.0095, tip)], before=0.035)


def counterclockwise(outline: Outline) -> list[tuple[float, float]]:
    """Return an outline so that it runs counterclockwise where y points up."""
    corners = list(outline)
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, corners[1:] + corners[:1], strict=True))
    return corners if area > 0 else corners[::-1]


def _surface(x: float, y: float) -> float:
    """How far ahead of its middle the head reaches at a place of the face, in radii of the head."""
    return max(out + math.sqrt(max(radius**2 - x**2 - (y - rise) ** 2, 0.0)) for radius, rise, out in _BALLS)
