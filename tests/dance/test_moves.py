"""Dances as moves: there and back, wherever they are danced and into whatever direction."""

import numpy as np
import pytest
from prepared_dances import write_aist
from scipy.spatial.transform import Rotation

from ictus.dance.data.dataset import motion_of
from ictus.dance.moves import MOVES, frames_of_moves, moves_of


@pytest.fixture
def frames(tmp_path) -> np.ndarray:
    """A dancer who walks on a circle, and turns more than once around."""
    frames = np.load(write_aist(tmp_path) / "train" / "dance0" / "motion.npy")[:200]
    angle = np.linspace(0, 15, 200)
    frames[:, [0, 2]] = np.column_stack([np.sin(angle), np.cos(angle) - 1])
    frames[:, 3:12] = Rotation.from_euler("y", angle[:, None]).as_matrix().reshape(200, 9)
    return frames


def test_there_and_back(frames: np.ndarray) -> None:
    moves = moves_of(frames)
    assert moves.shape == (200, MOVES)
    assert frames_of_moves(moves) == pytest.approx(frames, abs=1e-4)


def test_moves_are_those_of_the_dancer(frames: np.ndarray) -> None:
    moves = moves_of(frames)
    assert moves[:, 2] == pytest.approx(15 / 199, abs=1e-5)
    assert moves[:, :2] == pytest.approx(np.tile(moves[5, :2], (200, 1)), abs=1e-5)
    assert np.linalg.norm(moves[5, :2]) == pytest.approx(15 / 199, rel=1e-3)
    assert moves[5, 0] > 0.99 * 15 / 199  # to the left of where it looks, not ahead
    turned = frames.copy()
    turn = Rotation.from_euler("y", 2.0).as_matrix()
    turned[:, :3] = frames[:, :3] @ turn.T + (3, 0, -1)
    turned[:, 3:12] = (turn @ frames[:, 3:12].reshape(-1, 3, 3)).reshape(-1, 9)
    assert moves_of(turned) == pytest.approx(moves, abs=1e-5)


def test_what_is_no_rotation_becomes_one(frames: np.ndarray) -> None:
    noisy = moves_of(frames) + np.random.default_rng(0).normal(0, 0.1, (200, MOVES)).astype(np.float32)
    made = motion_of(frames_of_moves(noisy)).rotations.reshape(-1, 3, 3)
    assert made @ np.swapaxes(made, -1, -2) == pytest.approx(np.broadcast_to(np.eye(3), made.shape), abs=1e-5)
    assert np.linalg.det(made) == pytest.approx(np.ones(len(made)), abs=1e-5)


def test_a_single_frame_stands(frames: np.ndarray) -> None:
    moves = moves_of(frames[:1])
    assert (moves[0, :3] == 0).all()
    assert frames_of_moves(moves).shape == (1, 219)
