"""Any other body: a jointed figure of tapered limbs, with a trunk and a head where the skeleton has joints for them."""

import numpy as np

from ictus.motion import Motion
from ictus.render.body import sides
from ictus.render.camera import Box, Camera, Extent, depth
from ictus.render.figure import Layer, Pose, Trail, shaded, shape
from ictus.render.figure_tables import FACE_JOINTS, LIMB, LIMB_SHARES, NECK, TAPER, TRUNK
from ictus.render.shapes import Frame, capsule, grown, rounded
from ictus.render.theme import Colour, Theme, mix
from ictus.types import FloatArray

_LIGHTS = ("wrist", "ankle")


class GenericFigure:
    """The figure of a motion of any skeleton, flat or in space. Sizes count in `unit`, about a shoulder width.

    Attributes
    ----------
    at : (T, J, 2) pixels, where the joints are.
    joints : their names.
    bones : the pairs of them that are drawn as limbs.
    """

    hem: float | None = None
    thickness = LIMB  # of limbs

    def __init__(self, motion: Motion, extent: Extent, box: Box, theme: Theme) -> None:
        self._theme = theme
        positions, self.joints, self._sides = motion.positions, motion.skeleton.joints, sides(motion.skeleton)
        height = _height(motion)
        camera = Camera.fit(extent, box, y_up=positions.shape[2] == 3)
        self.unit = 0.22 * height * camera.scale
        self.at = camera.project(positions)  # (T, J, 2)
        near = depth(positions)
        self._near = 0.5 + (near - near.mean(1, keepdims=True)) / np.float32(0.7 * height)  # (T, J), about [0, 1]
        self._face = [j for j, name in enumerate(self.joints) if any(part in name.lower() for part in FACE_JOINTS)]
        known = set(TRUNK) <= set(self.joints)
        self._trunk = [self.joints.index(name) for name in TRUNK] if known else []
        flesh = {*self._face, *self._trunk}
        self.bones = [(a, b) for a, b in motion.skeleton.bones if not {a, b} <= flesh]
        self.trails = [
            Trail(self.at[:, j], self._colour(j)) for j, name in enumerate(self.joints) if name.endswith(_LIGHTS)
        ]

    def pose(self, start: int, stop: int) -> Pose:
        """See `Figure.pose`."""
        at, near = self.at[start:stop], self._near[start:stop]
        parts = []  # of a flat body, the first lie behind
        if self._trunk and self._face:
            parts.append(self._neck(at, near[:, self._trunk].min(1)))
        if self._trunk:
            parts.append(self._body(at[:, self._trunk], near[:, self._trunk].min(1)))
        parts += [self._limb(at, near, a, b) for a, b in self.bones]
        if self._face:
            parts.append(self._head(at[:, self._face].mean(1), near[:, self._face].mean(1)))
        order = np.argsort(np.stack([nearness for _, nearness in parts], axis=1), axis=1, kind="stable")
        return Pose([], [layer for layer, _ in parts], order)

    def _limb(self, at: FloatArray, near: FloatArray, a: int, b: int) -> tuple[Layer, FloatArray]:
        length = float(np.median(np.linalg.norm(at[:, a] - at[:, b], axis=1)))
        thick = self.thickness * self.unit
        thick, thin = min(thick, LIMB_SHARES[0] * length), min(TAPER * thick, LIMB_SHARES[1] * length)
        return self._part(capsule(at[:, a], at[:, b], thick, thin), self._colour(b), (near[:, a] + near[:, b]) / 2)

    def _body(self, corners: FloatArray, near: FloatArray) -> tuple[Layer, FloatArray]:
        return self._part(rounded(grown(corners, 0.22 * self.unit)), self._theme.middle, near)

    def _neck(self, at: FloatArray, near: FloatArray) -> tuple[Layer, FloatArray]:
        shoulders, head = at[:, self._trunk[:2]].mean(1), at[:, self._face].mean(1)
        return self._part(capsule(shoulders, head, NECK[0] * self.unit, NECK[1] * self.unit), self._theme.middle, near)

    def _head(self, centre: FloatArray, near: FloatArray) -> tuple[Layer, FloatArray]:
        axis = np.broadcast_to(np.array([0.28 * self.unit, 0], np.float32), centre.shape)
        disc = Frame(centre, axis, axis[:, ::-1]).ellipse(0, 0, 1, 1.2)
        return self._part(disc, self._theme.skin, near)

    def _part(self, polygon: FloatArray, colour: Colour, near: FloatArray) -> tuple[Layer, FloatArray]:
        """A part that is darker the farther away it is, with an edge that sets it off from what lies behind."""
        edge, far = (mix(colour, self._theme.edge, share) for share in (0.75, 0.45))
        return [shape(grown(polygon, 1.2), edge), shape(polygon, shaded(far, colour, near))], near

    def _colour(self, joint: int) -> Colour:
        return {"left": self._theme.left, "right": self._theme.right}.get(self._sides[joint], self._theme.middle)


def generic_extent(motion: Motion) -> Extent:
    """Return all that the body ever reaches, with room for its flesh."""
    bones, room = Extent.of(motion.positions), np.float32(0.08 * _height(motion))
    return Extent(bones.low - room, bones.high + room)


def _height(motion: Motion) -> float:
    return float(np.median(np.ptp(motion.positions[..., 1], axis=1))) or 1.0
