"""The conductor's body: from what the hands, trunk and head are asked to do to the rotations of all joints."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ictus.kinematics import forward_kinematics, frame_from, global_pose, two_bone_elbow
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array, FloatArray

BODY = get_skeleton("conductor-23")
_PIECE = 4096  # frames that are posed at a time
_BATON_FLICK = 0.05  # seconds by which the baton's tip lags behind the hand


@dataclass(frozen=True)
class Gestures:
    """What the body is asked to do, at each of T frames; angles in radians.

    Attributes
    ----------
    right, left : (T, 3) metres, the wrists.
    left_palm : (T,) turn of the left palm: 0 down, pi up.
    lean, turn, sway : (T,) of the trunk: forwards, to its left, sideways to its left.
    nod, look : (T,) of the head: downwards, to its left.
    breath : (T,) 0 to 1, lift of chest and shoulders.
    shift : (T,) metres, weight moved to the left.
    """

    right: Float64Array
    left: Float64Array
    left_palm: Float64Array
    lean: Float64Array
    turn: Float64Array
    sway: Float64Array
    nod: Float64Array
    look: Float64Array
    breath: Float64Array
    shift: Float64Array


def embody(gestures: Gestures, fps: float) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Pose the body: trunk and head as asked, arms by inverse kinematics; bone lengths stay what they are.

    Returns
    -------
    positions (T, 23, 3), rotations (T, 23, 3, 3) and root (T, 3) of "conductor-23", at `fps` frames a second.
    """
    frames = len(gestures.right)
    speeds = _speed(gestures.left[:, 1], fps), _speed(gestures.right[:, 1], fps)
    positions = np.empty((frames, len(BODY), 3), np.float32)
    rotations = np.empty((frames, len(BODY), 3, 3), np.float32)
    root = np.empty((frames, 3), np.float32)
    for start in range(0, frames, _PIECE):  # in float64 an hour at once would take gigabytes
        part = slice(start, start + _PIECE)
        posed = _posed(_part(gestures, part), speeds[0][part], speeds[1][part])
        positions[part], rotations[part], root[part] = posed
    return positions, rotations, root


def _part(gestures: Gestures, part: slice) -> Gestures:
    return Gestures(*(getattr(gestures, field.name)[part] for field in fields(gestures)))


def _posed(
    g: Gestures, left_speed: Float64Array, right_speed: Float64Array
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pose some frames; the speeds (T,) are those of the wrists' heights."""
    frames = len(g.right)
    rotations = np.tile(np.eye(3), (frames, len(BODY), 1, 1))
    root = BODY.offsets[0] + np.zeros((frames, 3))
    root[:, 0] += g.shift
    _pose_trunk(rotations, g)
    _pose_arm(rotations, root, "left", g.left, g.left_palm, left_speed)
    _pose_arm(rotations, root, "right", g.right, np.zeros(frames), right_speed)
    return forward_kinematics(BODY, rotations, root), rotations, root


def _pose_trunk(rotations: Float64Array, g: Gestures) -> None:
    def turned(pitch: Float64Array, yaw: Float64Array, roll: Float64Array) -> Float64Array:
        """Forwards about x, to the left about y, sideways to the left about -z."""
        return Rotation.from_euler("YXZ", np.stack([yaw, pitch, -roll], axis=1)).as_matrix()

    zero = np.zeros_like(g.lean)
    lift = 0.035 * g.breath
    rotations[:, BODY.index("pelvis")] = turned(0.15 * g.lean, 0.2 * g.turn, 0.2 * g.sway)
    rotations[:, BODY.index("spine")] = turned(0.5 * g.lean, 0.3 * g.turn, 0.4 * g.sway)
    rotations[:, BODY.index("chest")] = turned(0.35 * g.lean - lift, 0.5 * g.turn, 0.4 * g.sway)
    # The head stays upright while the trunk sways, and looks where it wants.
    rotations[:, BODY.index("neck")] = turned(0.4 * g.nod - 0.5 * g.lean + lift, 0.4 * g.look, -0.5 * g.sway)
    rotations[:, BODY.index("head")] = turned(0.6 * g.nod - 0.3 * g.lean, 0.6 * g.look, -0.3 * g.sway)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        high = np.clip((getattr(g, side)[:, 1] - 1.25) / 0.4, 0, 1.2)
        rotations[:, BODY.index(f"{side}_collar")] = turned(zero, zero, -sign * (0.05 * g.breath + 0.22 * high**2))


def _pose_arm(
    rotations: Float64Array, root: Float64Array, side: str, wrist: Float64Array, palm: Float64Array, speed: Float64Array
) -> None:
    """Solve one arm in place: shoulder and elbow by the wrist's place, hand (and baton) by the forearm's direction."""
    out = np.array([1.0 if side == "left" else -1.0, 0.0, 0.0])
    collar, shoulder, elbow, hand = (BODY.index(f"{side}_{j}") for j in ("collar", "shoulder", "elbow", "wrist"))
    positions, turned = global_pose(BODY, rotations, root)
    start = positions[:, shoulder]
    upper, fore = (float(np.linalg.norm(BODY.offsets[j])) for j in (elbow, hand))
    high = np.clip((wrist[:, 1:2] - 1.1) / 0.5, 0, 1)
    pole = out * (0.55 + 0.5 * high) + np.array([0.0, -0.8, -0.30])
    bend, end = two_bone_elbow(start, wrist, upper, fore, pole)

    upper_arm, forearm = bend - start, end - bend
    # The elbow is a hinge: both bones turn about the normal of the arm's plane, which is vertical in the T-pose.
    hinge = np.cross(upper_arm, forearm)
    at_rest = frame_from(out, np.cross(out, [0.0, 0.0, 1.0])).T
    upper_turn = frame_from(upper_arm, hinge) @ at_rest
    fore_turn = frame_from(forearm, hinge) @ at_rest

    direction, back = _hand_direction(forearm, out, palm, speed)
    hand_turn = frame_from(direction, back) @ frame_from(out, np.array([0.0, 1.0, 0.0])).T
    rotations[:, shoulder] = _relative(turned[:, collar], upper_turn)
    rotations[:, elbow] = _relative(upper_turn, fore_turn)
    rotations[:, hand] = _relative(fore_turn, hand_turn)
    if side == "right":
        towards = 0.45 * direction + np.array([0.16, 0.20, 0.75])
        towards[:, 1] -= _BATON_FLICK * 2.2 * speed
        stick = frame_from(towards, np.array([0.0, 1.0, 0.0])) @ frame_from(out, np.array([0.0, 1.0, 0.0])).T
        rotations[:, BODY.index("right_hand")] = _relative(hand_turn, stick)


def _hand_direction(
    forearm: Float64Array, out: Float64Array, palm: Float64Array, speed: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return where the hand points, and where its back faces: mostly along the forearm, trailing its movement."""
    along = forearm / np.linalg.norm(forearm, axis=1, keepdims=True)
    direction = along + np.array([0.0, 0.08, 0.45]) + 0.05 * out
    direction[:, 1] -= _BATON_FLICK * speed
    up, inwards = np.array([0.0, 1.0, 0.0]), -out
    back = np.cos(palm)[:, None] * up + np.sin(palm)[:, None] * -inwards
    return direction, back


def _speed(height: Float64Array, fps: float) -> Float64Array:
    """Metres a second, rounded off over 40 ms so that a wrist does not jerk at the ictus."""
    speed = np.gradient(height) * fps if len(height) > 1 else np.zeros_like(height)
    return np.asarray(gaussian_filter1d(speed, 0.04 * fps, mode="nearest"))


def _relative(parent: FloatArray, turned: FloatArray) -> FloatArray:
    return np.asarray(np.swapaxes(parent, -1, -2) @ turned)
