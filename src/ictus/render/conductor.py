"""A conductor in white tie, seen from the players: conductor-13 and conductor-23."""

import numpy as np
from numpy.typing import NDArray

from ictus.motion import Motion
from ictus.render import figure_tables as tables
from ictus.render.camera import Box, Camera, Extent, depth
from ictus.render.figure import Layer, Pose, Trail, shaded, shape
from ictus.render.figure_tables import Capsule
from ictus.render.shapes import Frame, capsule, grown, rounded, smoothed, turned, unit
from ictus.render.theme import Colour, Theme
from ictus.types import FloatArray

_HEM = 0.62  # shoulder widths below the hips, where the coat has faded into the dark


CONDUCTORS = tuple(tables.CONDUCTOR_WIDTHS)


class Conductor:
    """The figure of a conducting motion. Sizes count in `unit`, the width of the shoulders in pixels."""

    def __init__(self, motion: Motion, extent: Extent, box: Box, theme: Theme) -> None:
        tracks, turn, width = _complete(motion)
        camera = Camera.fit(extent, box, y_up=False)
        self.unit = width * camera.scale
        self._theme = theme
        self._turn = turn
        self._at = {name: camera.project(track) for name, track in tracks.items()}
        self.hem: float | None = float(np.median(self._at["hips"][:, 1])) + _HEM * self.unit
        self.trails = [Trail(self._at["left_hand"], theme.left), Trail(self._at["baton"], theme.right)]
        self._order, self._near = _arms_by_depth(motion, width)

    def pose(self, start: int, stop: int) -> Pose:
        """See `Figure.pose`."""
        at = {name: track[start:stop] for name, track in self._at.items()}
        body = [*self._coat(at), *self._head(at, self._turn[start:stop])]
        arms = [self._arm(at, side, self._near[side][start:stop]) for side in ("left", "right")]
        return Pose(body, arms, self._order[start:stop])

    def _coat(self, at: dict[str, FloatArray]) -> Layer:
        across, down = self._axes(at)
        flanks = [
            self._flank(Frame(at[f"{side}_shoulder"], sign * across, down), at[f"{side}_hip"])
            for side, sign in (("left", 1), ("right", -1))
        ]
        coat = rounded(np.concatenate([flanks[0], flanks[1][:, ::-1]], axis=1))
        chest = Frame(at["neck"], across, at["hips"] - at["neck"])
        theme = self._theme
        return [
            shape(grown(coat, 1.5), theme.rim),
            shape(coat, theme.coat),
            shape(self._throat(at), theme.skin_shade),
            *(shape(chest.polygon(outline), getattr(theme, paint)) for paint, outline in tables.CHEST),
        ]

    def _throat(self, at: dict[str, FloatArray]) -> FloatArray:
        top = at["head"] + np.float32(0.35) * (at["chin"] - at["head"])
        return capsule(at["neck"], top, 0.16 * self.unit, 0.14 * self.unit)

    @staticmethod
    def _flank(shoulder: Frame, hip: FloatArray) -> FloatArray:
        """One side of the coat, from the neck down to the hem, (T, 8, 2)."""
        side = hip - shoulder.origin
        corners = [
            shoulder.at(-0.34, -0.2),
            shoulder.at(-0.06, -0.12),
            shoulder.at(0.14, 0.0),
            shoulder.at(0.15, 0.3),
            shoulder.at(0.07, 0) + 0.4 * side,
            shoulder.at(0.03, 0) + 0.72 * side,
            shoulder.at(0.14, 0) + side,
            shoulder.at(0.2, 0.75) + side,
        ]
        return np.stack(corners, axis=1)

    def _head(self, at: dict[str, FloatArray], turn: FloatArray) -> Layer:
        theme = self._theme
        head = Frame(at["head"], at["temple"] - at["head"], at["chin"] - at["head"])
        collar = Frame(at["neck"], *self._axes(at))
        aside, nod = turn[:, :1], turn[:, 1:]
        face = head.moved(0.15 * aside, 0.1 * nod)
        skull = head.moved(-0.08 * aside, -0.03 * nod)
        ears = head.moved(-0.2 * aside, 0.06 * nod)
        return [
            shape(collar.polygon(tables.COLLAR), theme.linen),
            shape(grown(collar.polygon(tables.BOW), 1.2), theme.linen_shade),
            shape(collar.polygon(tables.BOW), theme.linen),
            shape(skull.ellipse(0, -0.1, 1.1, 1.03), theme.hair),
            *(shape(ears.ellipse(0.98 * s, 0.1, 0.17, 0.24, 12), theme.skin_shade) for s in (1, -1)),
            shape(face.curve(tables.FACE), theme.skin),
        ]

    def _arm(self, at: dict[str, FloatArray], side: str, near: FloatArray) -> Layer:
        theme, u = self._theme, self.unit
        sleeve = shaded(theme.coat, theme.lapel, 0.3 + 0.5 * near)
        places = {part: at[f"{side}_{part}"] for part in ("shoulder", "elbow", "wrist", "hand")}
        places |= {"grip": at["grip"], "baton": at["baton"]}
        shoulder, elbow, wrist = places["shoulder"], places["elbow"], places["wrist"]
        places["cuff"] = elbow + np.float32(tables.CUFF) * (wrist - elbow)
        colours: dict[str, Colour | list[Colour]] = {
            "sleeve": sleeve,
            "hand": theme.skin,
            "linen": theme.linen,
            "baton": theme.baton,
            "cork": theme.cork,
        }

        def limb(part: Capsule) -> FloatArray:
            _, start, end, start_radius, end_radius = part
            corners = {"baton": 4, "cork": 5}.get(part[0], 8)
            return capsule(places[start], places[end], start_radius * u, end_radius * u, corners)

        rim = [capsule(shoulder + 0.4 * (elbow - shoulder), elbow, 0.13 * u, 0.12 * u), limb(tables.SLEEVE[1])]
        parts = [*tables.SLEEVE, tables.LINEN, *(tables.BATON if side == "right" else ()), tables.HAND]
        return [
            *(shape(grown(outline, 1.5), theme.rim) for outline in rim),
            *(shape(limb(part), colours[part[0]]) for part in parts),
        ]

    def _axes(self, at: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """The trunk's directions across (towards the figure's left) and down, each of length `unit`."""
        across = unit(at["left_shoulder"] - at["right_shoulder"])
        return across * np.float32(self.unit), unit(at["hips"] - at["neck"]) * np.float32(self.unit)


def conductor_extent(motion: Motion) -> Extent:
    """Return all that the figure ever reaches, and never less than a quiet conductor with room to breathe."""
    tracks, _, width = _complete(motion)
    middle, hips = np.median(tracks["hips"], axis=0)
    room = np.array([1.9 * width, 0], np.float32)
    hem = np.array([middle, hips + _HEM * width], np.float32)
    return Extent.of(np.concatenate([*tracks.values(), [hem - room, hem + room]]))


def _complete(motion: Motion) -> tuple[dict[str, FloatArray], FloatArray, float]:
    """Complete the joints with a head, hands, grip and baton.

    Returns
    -------
    tracks : (T, 2) each, in the body's units but with y down.
    turn : (T, 2) how far the face looks aside and down.
    width : of the shoulders.
    """
    # As the picture, with y down: then every rule holds for both bodies.
    positions = motion.positions
    flat = positions[..., :2] * np.array([1, -1 if positions.shape[2] == 3 else 1], np.float32)
    joints = {name: flat[:, j] for j, name in enumerate(motion.skeleton.joints)}
    left, right = (positions[:, motion.skeleton.index(f"{side}_shoulder")] for side in ("left", "right"))
    usual = tables.CONDUCTOR_WIDTHS[motion.skeleton.name]
    width = float(np.clip(np.median(np.linalg.norm(left - right, axis=1)), 0.3 * usual, 3 * usual))
    parts = ("shoulder", "elbow", "wrist", "hip")
    tracks: dict[str, FloatArray] = {
        f"{side}_{part}": joints[f"{side}_{part}"] for side in ("left", "right") for part in parts
    }
    tracks["neck"] = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    tracks["hips"] = (joints["left_hip"] + joints["right_hip"]) / 2
    head, turn = _head_tracks(joints, width, motion.fps)
    return tracks | head | _hand_tracks(joints, width, motion.fps), turn, width


def _head_tracks(joints: dict[str, FloatArray], width: float, fps: float) -> tuple[dict[str, FloatArray], FloatArray]:
    """Find the head from nose, eyes and ears, which tremble in real recordings and are steadied first."""
    names = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
    nose, left_eye, right_eye, left_ear, right_ear = (smoothed(joints[name], 0.25 * fps) for name in names)
    ears, eyes = (left_ear + right_ear) / 2, (left_eye + right_eye) / 2
    level = left_ear - right_ear + left_eye - right_eye
    roll = np.clip(np.arctan2(level[:, 1:], np.maximum(np.abs(level[:, :1]), 0.2 * width)), -tables.ROLL, tables.ROLL)
    right = np.concatenate([np.cos(roll), np.sin(roll)], axis=1).astype(np.float32)
    down = turned(right)
    look = nose - ears
    # Recorded heads drift away from the shoulders; no neck is that long.
    neck = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    rise = (ears + eyes) / 2 - neck
    higher = np.tanh((-rise[:, 1] / width - tables.RISE) / tables.RISE_RANGE)
    rise[:, 1] = -np.float32(width) * (tables.RISE + tables.RISE_RANGE * higher)
    rise[:, 0] = np.float32(width) * tables.SWAY * np.tanh(rise[:, 0] / (tables.SWAY * width))
    centre = neck + rise
    aside = np.clip((look * right).sum(1) / (tables.TEMPLE * width), -tables.TURN, tables.TURN)
    nod = (look * down).sum(1) / (0.31 * width)
    nod = np.clip(nod - np.median(nod), -0.8, 0.8)
    tracks = {
        "head": centre,
        "temple": centre + np.float32(tables.TEMPLE * width) * right,
        "chin": centre + np.float32(0.31 * width) * down,
        "crown": centre - np.float32(0.4 * width) * down,
    }
    return tracks, np.stack([aside, nod], axis=1)


def _hand_tracks(joints: dict[str, FloatArray], width: float, fps: float) -> dict[str, FloatArray]:
    """Find hands, grip and baton; where the body has none, they prolong the forearm."""
    tracks: dict[str, FloatArray] = {}
    for side in ("left", "right"):
        fore = joints[f"{side}_wrist"] - joints[f"{side}_elbow"]
        reach = np.linalg.norm(fore, axis=1, keepdims=True)
        share = np.minimum(tables.HAND_SHARE, tables.HAND_LENGTH * width / np.maximum(reach, 1e-6)).astype(np.float32)
        tracks[f"{side}_hand"] = joints.get(f"{side}_hand", joints[f"{side}_wrist"] + share * fore)
    hand = tracks["right_hand"]
    # Without a baton in the data, the conductor holds it a little up and inwards.
    forwards = smoothed(joints["right_wrist"] - joints["right_elbow"], 0.12 * fps)
    held = hand + np.float32(tables.BATON_ALONG) * forwards
    held = held + np.float32(width) * np.array([tables.BATON_UP[0], -tables.BATON_UP[1]], np.float32)
    tracks["baton"] = joints.get("baton", held)
    tracks["grip"] = hand - np.float32(tables.GRIP * width) * unit(tracks["baton"] - hand)
    return tracks


def _arms_by_depth(motion: Motion, width: float) -> tuple[NDArray[np.intp], dict[str, FloatArray]]:
    """Return the order of the arms (0 left, 1 right), (T, 2), the far one first, and how near each is, in [0, 1]."""
    away = depth(motion.positions) / np.float32(2 * width)
    near = {
        side: sum(away[:, motion.skeleton.index(f"{side}_{part}")] for part in ("elbow", "wrist"))
        - 2 * away[:, motion.skeleton.index(f"{side}_shoulder")]
        for side in ("left", "right")
    }
    return np.where((near["left"] > near["right"])[:, None], [1, 0], [0, 1]), near
