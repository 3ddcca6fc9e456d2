"""A frame of dance as moves: how far the dancer goes and turns from the frame before, and how the body is turned.

    148 numbers: to the dancer's left and ahead (2, metres a frame) | turn of the heading (radians a frame) |
        height of the pelvis (metres) | 24 joints' rotations by the first two columns of their matrices (24 x 6), of
        the pelvis without its heading

Source: a root that moves from frame to frame is how motion is given to networks since Holden, Saito & Komura, "A Deep
Learning Framework for Character Motion Synthesis and Editing", SIGGRAPH 2016; two columns of a matrix are Zhou et al.,
"On the Continuity of Rotation Representations in Neural Networks", CVPR 2019.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.dance.frames import FRAME, JOINTS
from ictus.kinematics import frame_from
from ictus.types import Float32Array, Float64Array

MOVES = 4 + 6 * JOINTS
PATH, TURN, HEIGHT, TURNS = slice(0, 2), 2, 3, slice(4, MOVES)


def moves_of(frames: Float32Array) -> Float32Array:
    """AIST's frames (T, 219) -> (T, 148) at the same rate; the first moves as the second does."""
    root = frames[:, :3].astype(np.float64)
    turns = frames[:, 3:].reshape(-1, JOINTS, 3, 3).astype(np.float64)
    heading = np.unwrap(np.arctan2(turns[:, 0, 0, 2], turns[:, 0, 2, 2]))  # radians from +z
    turns[:, 0] = _about_vertical(-heading) @ turns[:, 0]
    steps = np.zeros((len(root), 3))
    steps[1:, [0, 2]] = np.diff(root[:, [0, 2]], axis=0)
    steps[1:] = (_about_vertical(-heading[:-1]) @ steps[1:, :, None])[..., 0]
    moves = np.empty((len(root), MOVES), np.float32)
    moves[:, PATH], moves[1:, TURN], moves[:, HEIGHT] = steps[:, [0, 2]], np.diff(heading), root[:, 1]
    moves[:, TURNS] = np.swapaxes(turns[..., :2], -1, -2).reshape(len(root), -1)
    moves[0, :3] = moves[min(1, len(moves) - 1), :3] if len(moves) > 1 else 0
    return moves


def frames_of_moves(moves: Float32Array) -> Float32Array:
    """(T, 148) -> AIST's frames (T, 219) at the same rate; it begins in the middle of the stage, to the front."""
    given = moves.astype(np.float64)
    heading = np.cumsum(given[:, TURN]) - given[0, TURN]
    columns = given[:, TURNS].reshape(-1, JOINTS, 2, 3)
    turns = np.asarray(frame_from(columns[:, :, 0], columns[:, :, 1]))
    turns[:, 0] = _about_vertical(heading) @ turns[:, 0]
    steps = np.zeros((len(given), 3))
    steps[1:, [0, 2]] = given[1:, PATH]
    steps[1:] = (_about_vertical(heading[:-1]) @ steps[1:, :, None])[..., 0]
    root = np.cumsum(steps, axis=0)
    root[:, 1] = given[:, HEIGHT]
    frames = np.concatenate([root, turns.reshape(len(given), -1)], 1).astype(np.float32)
    return frames.reshape(-1, FRAME)


def _about_vertical(angles: Float64Array) -> Float64Array:
    """(T,) radians -> (T, 3, 3)."""
    return np.asarray(Rotation.from_euler("y", angles[:, None]).as_matrix())
