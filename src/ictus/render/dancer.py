"""A whole body in space, its left and right set apart by colour. Lengths are body sizes."""

import numpy as np

from ictus.motion import Motion
from ictus.render.anatomy import SIDES, hand, head
from ictus.render.figure import Ball, Figure, Sum
from ictus.render.shapes import smoothed
from ictus.types import Float32Array

_TALL, _LEG = 1.70, 0.78  # of a body of size 1, in metres; from hip to ankle
_STAND, _SHARE, _DRIFT = 3.0, 30, 0.3  # seconds, percent and body sizes: how the floor is found


def dancer(motion: Motion) -> Figure:
    """Return the figure of a motion for which `is_whole`."""
    figure = Figure(motion, 1.0)
    figure = Figure(motion, _size(figure))
    neck = figure.point("neck", 0.5 * figure["left_shoulder"] + 0.5 * figure["right_shoulder"])
    pelvis = figure.point("pelvis", 0.5 * figure["left_hip"] + 0.5 * figure["right_hip"])
    known = next((name for name in ("spine", "waist") if figure.has(name)), None)
    waist = figure.point("waist", figure[known] if known else 0.4 * neck + 0.6 * pelvis)
    across = figure.direction("across", figure["left_shoulder"] - figure["right_shoulder"])
    up = figure.direction("up", neck - waist)
    ahead = figure.direction("ahead", _sense(figure) * figure.cross("facing", across, "up"))
    _head(figure, neck, waist)
    shoulders = [(0.078, 0.75 * figure[f"{side}_shoulder"] + 0.25 * neck - 0.02 * up) for side in SIDES]
    hips = [(0.102, 0.8 * figure[f"{side}_hip"] + 0.2 * waist) for side in SIDES]
    ribs = [(0.092, 0.75 * waist + 0.25 * neck + way * 0.05 * across) for way in (1, -1)]
    figure.solid("chest", [*shoulders, (0.045, neck + 0.04 * up), *ribs], before=0.04)
    figure.solid("hips", [*((0.086, waist + way * 0.045 * across) for way in (1, -1)), *hips], before=0.03)
    for side in SIDES:
        _arm(figure, side, ahead)
        _leg(figure, side, ahead)
    figure.trails = [(side, f"{side}_hand") for side in SIDES]
    return figure


def floor(figure: Figure) -> Float32Array:
    """Return the height (T,) at which a body stands; it changes slowly where recorded heights drift."""
    low = np.concatenate([(figure.places(*block)[..., 1] - figure.radii).min(0) for block in figure.blocks()])
    # A dancer is in the air for less than half of any few seconds; a share of them, and not the least, is taken
    # so that a foot that is recorded too low now and then does not pull the floor away from under all other steps.
    fps = figure.motion.fps
    reach = round(_STAND / 2 * fps)
    window = np.lib.stride_tricks.sliding_window_view(np.pad(low, reach, mode="edge"), 2 * reach + 1)
    heights, usual = np.percentile(window, _SHARE, axis=1), np.percentile(low, _SHARE)
    drift = smoothed(heights - usual, _STAND / 2 * fps)
    # Who floats far above the floor shall be seen to float.
    return np.asarray(usual + np.clip(drift, -_DRIFT * figure.unit, _DRIFT * figure.unit), np.float32)


def _size(figure: Figure) -> float:
    """Return how large a body is by the length of its legs, or, where they have none, by its height."""
    pairs = [(f"{side}_{a}", f"{side}_{b}") for side in SIDES for a, b in (("hip", "knee"), ("knee", "ankle"))]
    legs = np.sum([np.linalg.norm(figure.joint(a) - figure.joint(b), axis=1) for a, b in pairs], axis=0) / 2
    height = float(np.median(np.ptp(figure.positions[..., 1], axis=1)))
    return max(float(np.median(legs)) / _LEG, 0.2 * height / _TALL) or 1.0


def _sense(figure: Figure) -> float:
    """Return -1 where the sides of a corpus are exchanged: toes always point forwards."""
    if not figure.has("left_toe"):
        return 1.0
    at = figure.places(0, len(figure), [figure["across"], figure["up"]])
    feet = sum(figure.joint(f"{side}_toe") - figure.joint(f"{side}_ankle") for side in SIDES)
    return -1.0 if float(np.median((feet * np.cross(at[0], at[1])).sum(1))) < 0 else 1.0


def _head(figure: Figure, neck: Sum, waist: Sum) -> None:
    up, ahead = figure["up"], figure["ahead"]
    if figure.turns and figure.motion.skeleton.name == "smpl-24":
        up, ahead = figure.axis("head_up", "head", 1), figure.axis("head_ahead", "head", 2)
    around = [figure[name] for name in ("left_head", "right_head", "left_ear", "right_ear") if figure.has(name)]
    if figure.has("head"):
        if not figure.turns:
            up = figure.direction("head_up", figure["head"] - waist)
        centre = figure["head"] + 0.085 * up + 0.01 * ahead
    elif around:
        centre = (1 / len(around)) * sum(around[1:], around[0])
        if figure.has("nose"):
            ahead = figure["nose"] - centre
    else:
        centre = neck + 0.2 * up
    figure.direction("face", ahead)
    figure.square("crown", up, "face")
    middle = figure.point("head_centre", centre)
    figure.solid("skin", [(0.05, neck), (0.047, 0.45 * neck + 0.55 * middle)])
    head(figure, middle, "face", "crown", "chestnut")


def _arm(figure: Figure, side: str, ahead: Sum) -> None:
    shoulder, elbow, wrist = (figure[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
    fore = figure.direction(f"{side}_fore", wrist - elbow)
    if not figure.has(f"{side}_hand"):
        figure.point(f"{side}_hand", wrist + 0.08 * fore)
    figure.direction(f"{side}_palm", figure[f"{side}_hand"] - wrist)
    out = figure["across"] if side == "left" else -figure["across"]
    back = figure.axis(f"{side}_turn", f"{side}_wrist", 1) if figure.turns else out + 0.3 * ahead
    figure.square(f"{side}_back", back, f"{side}_palm")
    paint = f"arm{side}"
    figure.solid(paint, [(0.058, shoulder), (0.042, elbow)])
    figure.solid(paint, [(0.042, elbow), (0.03, wrist)])
    hand(figure, side, curl=0.35)


def _leg(figure: Figure, side: str, ahead: Sum) -> None:
    hip, knee, ankle = (figure[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    if not figure.has(f"{side}_toe"):
        figure.point(f"{side}_toe", ankle + 0.12 * ahead - 0.05 * figure.y)
    toe = figure[f"{side}_toe"]
    shin, foot = figure.direction(f"{side}_shin", ankle - knee), figure.direction(f"{side}_foot", toe - ankle)
    # The heel lies below the ankle and behind it.
    heel = ankle + 0.05 * figure.direction(f"{side}_heel_way", shin - 0.5 * foot)
    tip = toe + 0.05 * figure.direction(f"{side}_sole", toe - heel)
    figure.solid(f"leg{side}", [(0.088, hip), (0.056, knee)])
    figure.solid(f"leg{side}", [(0.055, knee), (0.055, 0.72 * knee + 0.28 * ankle), (0.036, ankle)])
    sole: list[Ball] = [(0.038, ankle), (0.03, heel), (0.032, toe), (0.022, tip)]
    figure.solid(f"foot{side}", sole)
