"""Frames of dance: their layout, and the nearest rotation against SciPy's and against its definition."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from ictus.dance.frames import orthonormalised, padded, rest, unpadded
from tolerance import close


def test_layout() -> None:
    frame = rest(1.1)
    assert frame.shape == (219,)
    close(frame[:3], [0, 1.1, 0])
    assert torch.equal(frame[3:].reshape(24, 3, 3), torch.eye(3).expand(24, 3, 3))
    wide = padded(frame, 225)
    assert wide.shape == (225,)
    assert not wide[:6].any()
    assert torch.equal(unpadded(wide), frame)
    assert torch.equal(padded(frame, 219), frame)


@pytest.mark.parametrize("pose", [219, 225])
def test_nearest_rotations(pose: int) -> None:
    rng = np.random.default_rng(0)
    true = Rotation.random(5 * 24, rng=rng).as_matrix()
    noisy = true + rng.normal(0, 0.05, true.shape)
    frames = torch.zeros(5, pose)
    frames[:, -219:-216] = torch.tensor(rng.normal(size=(5, 3)))
    frames[:, -216:] = torch.tensor(noisy.reshape(5, 216))
    made = orthonormalised(frames)
    assert torch.equal(made[:, : pose - 216], frames[:, : pose - 216])  # all but the matrices stays
    matrices = made[:, -216:].reshape(-1, 3, 3).double().numpy()
    np.testing.assert_allclose(matrices, Rotation.from_matrix(noisy).as_matrix(), atol=0.02)
    close(matrices @ matrices.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (120, 3, 3)), layers=8)
    near = np.linalg.norm(matrices - noisy, axis=(1, 2))
    assert (near <= np.linalg.norm(true - noisy, axis=(1, 2)) + 1e-6).all()
    close(orthonormalised(made), made, layers=8)


def test_reflections_become_rotations() -> None:
    frames = torch.zeros(1, 219)
    frames[:, 3:] = torch.diag(torch.tensor([1.0, 0.9, -0.2])).flatten().repeat(24)
    matrices = orthonormalised(frames)[:, 3:].reshape(-1, 3, 3)
    torch.testing.assert_close(matrices, torch.eye(3).expand(24, 3, 3))
