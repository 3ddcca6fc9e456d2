"""The figure: shoulders, arms and two hands of five fingers that reach for what the player holds.

Places are metres from the neck at rest: x to the player's left, y up, z forwards.
"""

from dataclasses import dataclass

import numpy as np

from ictus.kinematics import frame_from, two_bone_elbow
from ictus.synthesis.players.trunk import Trunk
from ictus.types import Float64Array

POINTS = 47  # neck; right shoulder, elbow, wrist; left; then 20 points of the right hand and 20 of the left
# From the wrist along the hand, and sideways from the thumb's side to the little finger's, metres.
_KNUCKLES = np.array([[0.022, -0.030], [0.092, -0.026], [0.094, -0.004], [0.088, 0.016], [0.078, 0.034]])
_PHALANGES = np.array(
    [
        [0.045, 0.033, 0.027],
        [0.044, 0.026, 0.022],
        [0.049, 0.030, 0.023],
        [0.045, 0.028, 0.023],
        [0.036, 0.021, 0.020],
    ]
)
_LAST_BEND = np.radians(22.0)  # between a finger's last two bones


@dataclass(frozen=True)
class Proportions:
    """A player's proportions.

    Attributes
    ----------
    size : of the trunk and head beside the usual.
    arm : of the arms.
    hand : of the hands.
    breadth : metres from the neck to a shoulder.
    """

    size: float = 1.0
    arm: float = 1.0
    hand: float = 1.0
    breadth: float = 0.185

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Proportions":
        """Draw a player."""
        size = float(np.clip(rng.normal(1.0, 0.04), 0.9, 1.1))
        return cls(
            size=size,
            arm=size * float(np.clip(rng.normal(1.02, 0.025), 0.96, 1.1)),
            hand=size * float(np.clip(rng.normal(1.0, 0.04), 0.9, 1.1)),
            breadth=size * float(np.clip(rng.normal(0.185, 0.01), 0.16, 0.21)),
        )

    @property
    def mouth(self) -> Float64Array:
        """(3,) metres, where wind players blow."""
        return self.size * np.array([0.0, 0.165, 0.10])


@dataclass(frozen=True)
class Grip:
    """Where a hand is and what its fingers touch, at each of T frames.

    Attributes
    ----------
    tips : (T, 5, 3) metres: where the tips of thumb, index, middle, ring and little finger shall be.
    along : (T, 3) the direction from the wrist to the knuckles.
    back : (T, 3) the direction into which the back of the hand faces.
    wrist : (T, 3) metres.
    elbow : (3,) the direction into which the elbow points.
    """

    tips: Float64Array
    along: Float64Array
    back: Float64Array
    wrist: Float64Array
    elbow: Float64Array

    def carried(self, trunk: Trunk, share: float) -> "Grip":
        """Return the grip once the trunk has taken along what is held; see `Trunk.carried`."""
        turn = trunk.rotations(share)
        along, back = (np.einsum("tij,tj->ti", turn, axis) for axis in (self.along, self.back))
        tips, wrist = trunk.carried(self.tips, share), trunk.carried(self.wrist, share)
        return Grip(tips, along, back, wrist, self.elbow)


def reaching_grip(
    tips: Float64Array,
    along: Float64Array,
    back: Float64Array,
    elbow: tuple[float, float, float],
    *,
    high: float = 0.045,
    far: float = 0.035,
) -> Grip:
    """Return the grip of a hand whose fingers come down on something, its wrist where the fingers are at ease.

    Parameters
    ----------
    tips : (T, 5, 3) metres.
    along, back : (3,) or (T, 3), made square to each other.
    high, far : metres from the mean of the four fingers' tips to the knuckles: towards the back, and against `along`.
    """
    along = np.broadcast_to(along, (len(tips), 3)) / np.linalg.norm(along, axis=-1, keepdims=True)
    back = back - (back * along).sum(-1, keepdims=True) * along
    back = back / np.linalg.norm(back, axis=-1, keepdims=True)
    wrist = tips[:, 1:].mean(1) + high * back - (far + 0.09) * along
    return Grip(tips, along, back, wrist, np.array(elbow))


def closed_grip(
    grip: Float64Array,
    along: Float64Array,
    back: Float64Array,
    elbow: tuple[float, float, float],
    side: str,
    *,
    open_by: float = 0.0,
) -> Grip:
    """Return the grip of a hand that closes around a handle.

    Parameters
    ----------
    grip : (T, 3) metres, the middle of the hand.
    open_by : 0 for closed fingers to 1 for stretched ones.
    """
    along = np.broadcast_to(along / np.linalg.norm(along, axis=-1, keepdims=True), grip.shape)
    back = back - (back * along).sum(-1, keepdims=True) * along
    back = back / np.linalg.norm(back, axis=-1, keepdims=True)
    across = np.cross(along, back) * (1 if side == "right" else -1)  # to the little finger
    sideways = np.array([-0.020, -0.026, -0.004, 0.016, 0.032])
    ahead = np.array([0.045, *([0.035 + 0.05 * open_by] * 4)])
    below = np.array([0.035, *([0.045 - 0.03 * open_by] * 4)])
    wrist = grip - 0.09 * along + 0.02 * back
    tips = grip[:, None] + ahead[:, None] * along[:, None] - below[:, None] * back[:, None]
    tips = tips + sideways[:, None] * across[:, None]
    return Grip(tips, along, back, wrist, np.array(elbow))


def body_keypoints(figure: Proportions, trunk: Trunk, right: Grip, left: Grip) -> Float64Array:
    """Return (T, 47, 3) metres: the keypoints of a player with such a trunk and such hands."""
    frames = len(trunk.lean)
    points = np.zeros((frames, POINTS, 3))
    up = np.array([0.0, 1.0, 0.0])
    points[:, 0] = trunk.carried(np.zeros(3)) + 0.3 * trunk.breath[:, None] * up
    for side, grip, shoulder, hand in (("right", right, 1, 7), ("left", left, 4, 27)):
        out = -1.0 if side == "right" else 1.0
        place = trunk.carried(np.array([out * figure.breadth, -0.01, 0.0])) + trunk.breath[:, None] * up
        upper, fore = 0.30 * figure.arm, 0.262 * figure.arm
        place = place + _girdle(grip.wrist - place, upper + fore)
        points[:, shoulder] = place
        elbow, wrist = two_bone_elbow(place, grip.wrist, upper, fore, grip.elbow)
        points[:, shoulder + 1], points[:, shoulder + 2] = elbow, wrist
        points[:, hand : hand + 20] = _fingers(figure.hand, grip, np.asarray(wrist, float), side)
    return points


def _girdle(reach: Float64Array, length: float) -> Float64Array:
    """Return (T, 3) metres by which a shoulder goes along with its hand where that is far away."""
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    wish = np.logaddexp(0.0, (distance / length - 0.88) / 0.05) * 0.05 * length
    return np.asarray(0.07 * np.tanh(wish / 0.07) * reach / np.maximum(distance, 1e-6))


def _fingers(size: float, grip: Grip, wrist: Float64Array, side: str) -> Float64Array:
    """Return (T, 20, 3) metres: four points of each finger, from its root to its tip."""
    across = np.cross(grip.along, grip.back) * (1 if side == "right" else -1)
    points = np.zeros((len(wrist), 20, 3))
    for finger, ((ahead, sideways), bones) in enumerate(zip(size * _KNUCKLES, size * _PHALANGES, strict=True)):
        root = wrist + ahead * grip.along + sideways * across
        first, second, third = bones.tolist()
        chord = float(np.sqrt(second**2 + third**2 + 2 * second * third * np.cos(_LAST_BEND)))
        pole = grip.back + 0.5 * grip.along if finger else grip.along - 0.8 * across
        middle, tip = two_bone_elbow(root, grip.tips[:, finger], first, chord, pole)
        points[:, 4 * finger] = root
        points[:, 4 * finger + 1] = middle
        frame = frame_from(tip - middle, pole)
        angle = np.arcsin(third * np.sin(_LAST_BEND) / chord)
        points[:, 4 * finger + 2] = middle + second * (np.cos(angle) * frame[..., 0] + np.sin(angle) * frame[..., 1])
        points[:, 4 * finger + 3] = tip
    return points
