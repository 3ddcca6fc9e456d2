"""Any other body: its bones as tapered limbs, its trunk as a plane, its head as a disc."""

import numpy as np

from ictus.motion import Motion
from ictus.stage.backdrop import Colour, Theme, mix
from ictus.stage.camera import Camera, depth
from ictus.stage.figure import Box, Layer, Pose, Trail, shaded, shape
from ictus.stage.shapes import Frame, Points, capsule, grown, rounded

_TRUNK = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_FACE = ("head", "nose", "eye", "ear")
_LIGHTS = ("wrist", "ankle")


class Anybody:
    """The figure of a motion of any skeleton, flat or in space."""

    hem: float | None = None

    def __init__(self, motion: Motion, box: Box, theme: Theme) -> None:
        self._theme = theme
        self._skeleton = motion.skeleton
        positions = motion.positions
        low, high = positions[..., :2].min((0, 1)), positions[..., :2].max((0, 1))
        height = float(np.median(np.ptp(positions[..., 1], axis=1))) or 1.0
        margin = np.float32(0.08 * height)
        camera = Camera.fit(low - margin, high + margin, box, y_up=positions.shape[2] == 3)
        self.unit = 0.22 * height * camera.scale
        self._at = camera.project(positions)  # (T, J, 2)
        near = depth(positions)
        self._near = 0.5 + (near - near.mean(1, keepdims=True)) / np.float32(0.7 * height)  # (T, J), about [0, 1]
        self.trails = [
            Trail(self._at[:, j], _side(name, theme))
            for j, name in enumerate(motion.skeleton.joints)
            if name.lower().endswith(_LIGHTS)
        ]

    def pose(self, start: int, stop: int) -> Pose:
        """See `Figure.pose`."""
        at, near = self._at[start:stop], self._near[start:stop]
        face = [j for j, name in enumerate(self._skeleton.joints) if any(part in name.lower() for part in _FACE)]
        layers, depths = [], []
        for a, b in self._skeleton.bones:
            if a in face and b in face:
                continue
            layers.append(self._limb(at, near, a, b))
            depths.append((near[:, a] + near[:, b]) / 2)
        if face:
            layers.append(self._head(at[:, face].mean(1), near[:, face].mean(1)))
            depths.append(near[:, face].max(1))
        if all(name in self._skeleton.joints for name in _TRUNK):
            corners = [self._skeleton.index(name) for name in _TRUNK]
            layers.append(self._trunk(at[:, corners], near[:, corners].mean(1)))
            depths.append(near[:, corners].min(1))
        order = np.argsort(np.stack(depths, axis=1), axis=1, kind="stable")
        return Pose([], layers, order)

    def _limb(self, at: Points, near: Points, a: int, b: int) -> Layer:
        limb = capsule(at[:, a], at[:, b], 0.15 * self.unit, 0.11 * self.unit)
        colour = _side(self._skeleton.joints[b], self._theme)
        return self._solid(limb, colour, (near[:, a] + near[:, b]) / 2)

    def _head(self, centre: Points, near: Points) -> Layer:
        axis = np.broadcast_to(np.array([0.28 * self.unit, 0], np.float32), centre.shape)
        disc = Frame(centre, axis, axis[:, ::-1]).ellipse(0, 0, 1, 1.2)
        return self._solid(disc, self._theme.skin, near)

    def _trunk(self, corners: Points, near: Points) -> Layer:
        return self._solid(rounded(grown(corners, 0.2 * self.unit)), self._theme.middle, near)

    def _solid(self, polygon: Points, colour: Colour, near: Points) -> Layer:
        """A shape that is darker the farther away it is, with an edge that sets it off from what lies behind."""
        far = mix(colour, self._theme.edge, 0.5)
        return [shape(grown(polygon, 1.2), self._theme.edge), shape(polygon, shaded(far, colour, near))]


def _side(joint: str, theme: Theme) -> Colour:
    name = joint.lower()
    return theme.left if "left" in name else theme.right if "right" in name else theme.middle
