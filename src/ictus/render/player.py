"""A player of whom a camera saw arms and hands (solos-47), before the shadow of a body: the eye finds its way by it."""

from dataclasses import replace

import numpy as np

from ictus.motion import Motion
from ictus.render.camera import Box, Extent
from ictus.render.figure import Layer, Pose, shape
from ictus.render.figure_tables import PLAYER_LIMB
from ictus.render.generic_figure import GenericFigure, generic_extent
from ictus.render.shapes import Frame, capsule, grown, rounded, unit
from ictus.render.theme import Theme, mix
from ictus.types import FloatArray

PLAYER = "solos-47"
_TALL, _LONG, _WIDE = 0.85, 1.65, 0.28  # of the head over the neck, the trunk below it and half the waist, in shoulders


class Player(GenericFigure):
    """The figure of a motion of solos-47. Sizes count in `unit`, the median width of the shoulders."""

    thickness = PLAYER_LIMB

    def __init__(self, motion: Motion, extent: Extent, box: Box, theme: Theme) -> None:
        super().__init__(motion, extent, box, theme)
        self._neck_joint, self._right, self._left = (
            self.joints.index(name) for name in ("neck", "right_shoulder", "left_shoulder")
        )
        self.unit = _shoulders(self.at, self._right, self._left)
        self.bones = [bone for bone in self.bones if self._neck_joint not in bone]  # the shadow has shoulders
        self.hem = float(np.median(self.at[:, self._neck_joint, 1]) + 1.3 * self.unit)
        self._shadow = mix(theme.middle, theme.edge, 0.55)

    def pose(self, start: int, stop: int) -> Pose:
        """See `Figure.pose`."""
        return replace(super().pose(start, stop), body=self._body_of(self.at[start:stop]))

    def _body_of(self, at: FloatArray) -> Layer:
        """(T, 47, 2) -> trunk, neck and head."""
        neck, right, left, u = at[:, self._neck_joint], at[:, self._right], at[:, self._left], self.unit
        across = unit(left - right)
        upright = np.array([0, 1], np.float32)
        down = unit(np.stack([-across[:, 1], across[:, 0]], -1) * np.sign(across[:, :1]) + upright)  # half as oblique
        low = neck + _LONG * u * down
        sideways = np.where(across[:, :1] < 0, -across, across) * np.float32(_WIDE * u)
        ends = (right, left) if np.median(left[:, 0] - right[:, 0]) > 0 else (left, right)
        trunk = np.stack([*ends, low + sideways, low - sideways], 1)  # (T, 4, 2)
        head = neck - 0.52 * u * down
        axis = np.broadcast_to(np.array([0.21 * u, 0], np.float32), head.shape)
        parts = (
            rounded(grown(trunk, 0.13 * u)),
            capsule(neck, head, 0.12 * u, 0.1 * u),
            Frame(head, axis, axis[:, ::-1]).ellipse(0, 0, 1, 1.3),
        )
        return [shape(part, self._shadow) for part in parts]


def player_extent(motion: Motion) -> Extent:
    """Return all that the player ever reaches, with room for head and trunk."""
    joints = motion.skeleton.joints
    width = _shoulders(motion.positions, joints.index("right_shoulder"), joints.index("left_shoulder"))
    neck = motion.positions[:, joints.index("neck"), :2]
    over = np.stack([neck - np.array([0, _TALL * width], np.float32), neck + np.array([0, 1.2 * width], np.float32)])
    return generic_extent(motion) | Extent.of(over)


def _shoulders(positions: FloatArray, right: int, left: int) -> float:
    """(T, 47, 2) -> the median width of the shoulders."""
    return float(np.median(np.linalg.norm(positions[:, left] - positions[:, right], axis=-1))) or 1.0
