"""A conductor in white tie, who stands before the players: conductor-13 and conductor-23. Lengths are body sizes."""

import numpy as np

from ictus.motion import Motion
from ictus.render.anatomy import SIDES, counterclockwise, hand, head
from ictus.render.figure import Figure, Sum
from ictus.render.shapes import smoothed, unit

CONDUCTORS = {"conductor-13": 0.2, "conductor-23": 0.36}  # usual width of the shoulders, in the body's own units
_SHOULDERS = 0.36  # width
HIPS = 0.92  # height over the floor
_ARM = 0.45  # from the shoulder to the wrist of an arm that is bent
_RISE = 0.19  # of the head's middle over the neck, where a picture does not say
_ROLL = 0.5  # radians that a head tilts at most

# On the chest: to the left, and down from the neck.
_SHIRT = (
    (-0.07, -0.04),
    (0.07, -0.04),
    (0.068, 0.1),
    (0.03, 0.37),
    (0.06, 0.45),
    (0, 0.47),
    (-0.06, 0.45),
    (-0.03, 0.37),
    (-0.068, 0.1),
)
_LAPEL = (
    (0.058, -0.05),
    (0.104, -0.018),
    (0.13, 0.08),
    (0.104, 0.08),
    (0.115, 0.105),
    (0.036, 0.385),
    (0.024, 0.36),
    (0.061, 0.1),
)
_SQUARE = ((0.097, 0.165), (0.108, 0.137), (0.119, 0.15), (0.13, 0.133), (0.137, 0.165))


def conductor(motion: Motion) -> Figure:
    """Return the figure of a conducting motion."""
    usual = CONDUCTORS[motion.skeleton.name]
    left, right = (Figure(motion, 1.0).joint(f"{side}_shoulder") for side in SIDES)
    width = float(np.clip(np.median(np.linalg.norm(left - right, axis=1)), 0.3 * usual, 3 * usual))
    figure = Figure(motion, width / _SHOULDERS, stands=True)
    if motion.positions.shape[2] == 2:
        _lift(figure)
    _trunk(figure)
    for side in SIDES:
        _arm(figure, side)
    _legs(figure)
    figure.trails = [("left", "left_hand"), ("right", "baton")]
    return figure


def _lift(figure: Figure) -> None:
    """Give depth to what a camera saw: each arm reaches forwards by what it lacks in the picture."""
    for side in SIDES:
        shoulder, elbow, wrist = (figure[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        reach = figure.depth(f"{side}_reach", wrist - shoulder + _ARM * figure.z)
        figure.point(f"{side}_elbow", elbow + 0.3 * reach)
        figure.point(f"{side}_wrist", wrist + reach)
    # Face and forearm tremble in recordings, and are steadied.
    fps = figure.motion.fps
    names = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    nose, left_eye, right_eye, left_ear, right_ear = (smoothed(figure.joint(name), 0.25 * fps) for name in names)
    level = left_ear - right_ear + left_eye - right_eye
    level[:, 0] = np.maximum(np.abs(level[:, 0]), 0.1 * figure.unit)
    roll = np.clip(np.arctan2(level[:, 1], level[:, 0]), -_ROLL, _ROLL)
    figure.track("level", np.stack([np.cos(roll), np.sin(roll), 0 * roll], axis=1))
    look = nose - (left_ear + right_ear) / 2
    look[:, 1] -= np.median(look[:, 1])
    figure.direction("face", 0.086 * figure.z + 0.6 * figure.track("look", look))
    neck = (figure.joint("left_shoulder") + figure.joint("right_shoulder")) / 2
    figure.track("rise", unit((left_ear + right_ear + left_eye + right_eye) / 4 - neck))
    figure.track("fore", smoothed(figure.joint("right_wrist") - figure.joint("right_elbow"), 0.12 * fps))


def _trunk(figure: Figure) -> None:
    neck = figure.point("neck", 0.5 * figure["left_shoulder"] + 0.5 * figure["right_shoulder"])
    hips = figure.point("hips", 0.5 * figure["left_hip"] + 0.5 * figure["right_hip"])
    across = figure.direction("across", figure["left_shoulder"] - figure["right_shoulder"])
    up = figure.direction("up", neck - hips)
    ahead = figure.cross("ahead", across, "up")

    def at(x: float, down: float, z: float = 0.0) -> Sum:
        return neck + x * across + z * ahead - down * up

    def low(x: float, rise: float, z: float = 0.0) -> Sum:
        return hips + x * across + z * ahead + rise * up

    ways = (1, -1)
    tops = [
        (0.064, figure[f"{side}_shoulder"] - way * 0.018 * across - 0.027 * up)
        for side, way in zip(SIDES, ways, strict=True)
    ]
    ribs = [(0.096, at(way * 0.062, 0.15, 0.008)) for way in ways]
    waist = [(0.08, at(way * 0.05, 0.33)) for way in ways]
    skirt = [(0.08, low(way * 0.055, 0.075)) for way in ways]
    cloths = [("shirt", _SHIRT), ("shirt", _SQUARE), ("lapel", _LAPEL), ("lapel", tuple((-x, y) for x, y in _LAPEL))]
    front = [
        (paint, [at(x, -y, 0.09) for x, y in counterclockwise((x, -y) for x, y in outline)])
        for paint, outline in cloths
    ]
    figure.solid("coat", [*waist, *skirt], [*tops, (0.05, at(0, 0)), *ribs, *waist], before=0.03, patches=front)
    for way in ways:  # the tails
        hem = low(way * 0.115, 0, -0.07) - 0.47 * figure.y
        tail = [(0.05, low(way * 0.08, 0.08, -0.03)), (0.055, low(way * 0.115, -0.05, -0.05)), (0.028, hem)]
        figure.solid("coat", tail, before=-0.06)
    figure.solid(
        "linen", [(0.032, at(way * 0.026, -0.028, 0.01)) for way in ways] + [(0.03, at(0, -0.018, 0.03))], before=0.1
    )
    tie = at(0, 0.012, 0.075)
    figure.solid("linen", *([(0.01, tie), (0.02, tie + way * 0.05 * across)] for way in ways), before=0.16)
    figure.solid("linen", [(0.014, tie + 0.012 * ahead)], before=0.18)
    _head(figure)


def _head(figure: Figure) -> None:
    neck, up = figure["neck"], figure["up"]
    if figure.motion.positions.shape[2] == 2:
        figure.square("crown", figure.cross("tilt", figure["face"], "level"), "face")
        # Recorded heads drift away from the shoulders; no neck is that long, nor as oblique.
        over = figure.direction("over", figure.unit * figure["rise"] + figure.y)
        centre = figure.point("head_centre", neck + _RISE * over)
    else:
        ears = 0.5 * figure["left_ear"] + 0.5 * figure["right_ear"]
        face = figure.direction("face", figure["nose"] - ears)
        crown = figure.square("crown", up, "face")
        centre = figure.point("head_centre", ears + 0.02 * crown + 0.02 * face)
    figure.solid("skin_shade", [(0.047, neck + 0.03 * up), (0.047, 0.4 * neck + 0.6 * centre)], before=0.02)
    head(figure, centre, "face", "crown", "hair", before=0.07)


def _arm(figure: Figure, side: str) -> None:
    shoulder, elbow, wrist = (figure[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
    out = figure["across"] if side == "left" else -figure["across"]
    fore = figure.direction(f"{side}_fore", wrist - elbow)
    if figure.turns:
        turn = figure.axis(f"{side}_turn", f"{side}_wrist", 0)  # at rest it points to the left
        palm = figure.direction(f"{side}_palm", turn if side == "left" else -turn)
        figure.axis(f"{side}_back", f"{side}_wrist", 1)
    else:
        palm = figure.direction(
            f"{side}_palm", figure[f"{side}_hand"] - wrist if figure.has(f"{side}_hand") else fore + 0.3 * figure.z
        )
        figure.square(f"{side}_back", figure.y + 0.5 * out, f"{side}_palm")
    if not figure.has(f"{side}_hand"):
        figure.point(f"{side}_hand", wrist + 0.1 * palm)
    cuff = 0.14 * elbow + 0.86 * wrist
    figure.solid("sleeve", [(0.05, shoulder), (0.043, elbow)], [(0.043, elbow), (0.034, cuff)], before=0.02)
    figure.solid("linen", [(0.029, cuff), (0.028, wrist)], before=0.03)
    if side == "left":
        hand(figure, side, curl=0.28, spread=0.1)
    else:
        hand(figure, side, curl=1.15)
        _baton(figure)


def _baton(figure: Figure) -> None:
    holds = figure["right_hand"]
    if not figure.has("baton"):  # held a little up, inwards and ahead
        figure.point("baton", holds + 0.55 * figure["fore"] + 0.06 * figure.x + 0.12 * figure.y + 0.15 * figure.z)
    tip = figure["baton"]
    stick = figure.direction("stick", tip - holds)
    figure.solid("cork", [(0.013, holds - 0.043 * stick), (0.008, holds)], before=0.05)
    figure.solid("baton", [(0.0055, holds), (0.003, tip)], before=0.25)


def _legs(figure: Figure) -> None:
    """Two legs that stand where the hips usually are; of conductors' legs the motion says nothing."""
    hips, across, up = (figure[name] for name in ("hips", "across", "up"))
    pelvis = [(0.09, hips + way * 0.055 * across + 0.03 * up) for way in (1, -1)]
    trousers = [pelvis + [(0.08, hips + way * 0.075 * across - 0.06 * up) for way in (1, -1)]]
    for side, way in zip(SIDES, (1, -1), strict=True):
        hip = figure[f"{side}_hip"]
        usual = np.median(figure.joint(f"{side}_hip"), axis=0)
        place = usual + figure.unit * np.array([way * 0.035, 0.08 - HIPS, -0.02])
        ankle = figure.track(f"{side}_ankle", np.tile(place, (len(figure), 1)))
        knee = figure.point(f"{side}_knee", 0.52 * ankle + 0.48 * hip + 0.03 * figure.z)
        top = 0.75 * hip + 0.25 * hips - 0.06 * figure.y
        trousers.append([(0.082, top), (0.062, knee), (0.052, ankle)])
        toe = ankle + 0.13 * figure.z + way * 0.035 * figure.x - 0.052 * figure.y
        sole = [(0.04, ankle - 0.03 * figure.y), (0.032, ankle - 0.05 * figure.y - 0.03 * figure.z), (0.03, toe)]
        figure.solid("shoe", sole, before=-0.1)
    figure.solid("trousers", *trousers, before=-0.06)
