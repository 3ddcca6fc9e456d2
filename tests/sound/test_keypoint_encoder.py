"""The keypoint encoder: its published size, its windows, and what it must not know."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import ModelError, UsageError
from ictus.sound import pose_normalization
from ictus.sound.models.keypoint_encoder import KeypointEncoder, KeypointEncoderConfig


def playing(frames: int, batch: int = 1, seed: int = 0) -> torch.Tensor:
    """(B, T, 47, 3): pixels and confidences."""
    generator = torch.Generator().manual_seed(seed)
    places = 300 + 100 * torch.rand(batch, 1, 47, 2, generator=generator)
    moved = places + 5 * torch.randn(batch, frames, 47, 2, generator=generator).cumsum(1)
    return torch.cat((moved, 0.3 + 0.7 * torch.rand(batch, frames, 47, 1, generator=generator)), -1)


@pytest.fixture(scope="module")
def encoder() -> KeypointEncoder:
    """A small one whose statistics are those of what is played here, in eval mode."""
    torch.manual_seed(0)
    network = KeypointEncoder.from_config("debug")
    with torch.no_grad():
        for seed in range(3):
            network(playing(40, 2, seed))
    return network.eval()


def test_published_size() -> None:
    network = KeypointEncoder.from_config("paper").eval()
    assert sum(p.numel() for p in network.parameters()) == 218_130
    x = playing(4)
    with torch.no_grad():
        assert network(x).shape == (1, 4, 64)
        assert network.classify(x).shape == (1, 4, 6)
    assert (network.frame_rate, network.features) == (25, 64)
    assert [p.dropout for p in network.modules() if isinstance(p, torch.nn.Dropout) for p.dropout in [p.p]] == [0.5] * 6
    assert all(unit.skip is None for unit in network.units)


def test_our_size() -> None:
    network = KeypointEncoder.from_config("small")
    assert (network.frame_rate, network.features, network.reach) == (12.5, 64, 7)
    assert [unit.skip is None for unit in network.units] == [True] + [False] * 5


def test_published_windows_hold_their_middle_three_times() -> None:
    """The lists are those of the published preparation, for frames 100 and 2 of many."""
    network = KeypointEncoder.from_config("paper")
    frames = network._frames(215, padded=True)
    middle = [*range(94, 100), 100, 100, 100, *range(101, 107)]
    assert frames[100].tolist() == middle
    assert frames[2].tolist() == [2, 2, 2, 2, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8]
    assert frames.shape == (215, 15)
    assert network._frames(13, padded=False).tolist() == [[*range(6), 6, 6, 6, *range(7, 13)]]


def test_our_windows_hold_fifteen_frames() -> None:
    network = KeypointEncoder.from_config("small")
    frames = network._frames(40, padded=True)
    assert frames.shape == (20, 15)
    assert frames[8].tolist() == list(range(9, 24))
    assert frames[0].tolist() == [0] * 7 + list(range(8))
    assert frames[-1].tolist() == [*range(31, 40), *[39] * 6]
    assert network._frames(18, padded=False).tolist() == [list(range(15)), list(range(2, 17))]


def test_rows_are_where_their_moments_are(encoder: KeypointEncoder) -> None:
    x = playing(60)
    moved = x.clone()
    moved[:, 30, 20, :2] += 40
    with torch.no_grad():
        before, after = encoder(x), encoder(moved)
        inner = encoder(x, padded=False)
    assert before.shape == (1, 30, 8)
    changed = (before - after).abs().amax((0, 2)) > 1e-6
    seconds = np.flatnonzero(changed.numpy()) / encoder.frame_rate
    assert seconds.min() == pytest.approx((30 - 6) / 25)  # frames 24, 26 ... 36 see frame 30
    assert seconds.max() == pytest.approx((30 + 6) / 25)
    shifted = encoder(x[:, 2:])
    torch.testing.assert_close(shifted[:, 4:-4], before[:, 5:-4])
    assert inner.shape == (1, 23, 8)
    torch.testing.assert_close(inner[:, :1], encoder(x[:, :15], padded=False))


def test_neither_place_nor_size_counts(encoder: KeypointEncoder) -> None:
    x = playing(30)
    elsewhere = x.clone()
    elsewhere[..., :2] = 0.4 * x[..., :2] + torch.tensor([700.0, -90.0])
    with torch.no_grad():
        torch.testing.assert_close(encoder(elsewhere), encoder(x), atol=2e-4, rtol=1e-3)
        torch.manual_seed(0)
        published = KeypointEncoder(KeypointEncoderConfig("published", channels=(4, 4, 8), hop=2)).eval()
        assert (published(elsewhere) - published(x)).abs().max() > 0.01  # which is why


def test_every_joint_and_confidence_is_seen(encoder: KeypointEncoder) -> None:
    x = playing(15)
    for joint in range(47):
        for number in range(3):
            changed = x.clone()
            changed[:, :, joint, number] *= 0.5
            with torch.no_grad():
                assert (encoder(changed, padded=False) - encoder(x, padded=False)).abs().max() > 1e-7, (joint, number)


def test_long_films_are_looked_at_in_pieces(encoder: KeypointEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    x = playing(50, 2)
    with torch.no_grad():
        whole = encoder(x)
        monkeypatch.setattr("ictus.sound.models.keypoint_encoder._BATCH", 7)
        torch.testing.assert_close(encoder(x), whole)


def test_its_features_are_named(encoder: KeypointEncoder) -> None:
    assert encoder.metadata == {"skeleton": "solos-47", "fps": 25.0, "frame_rate": 12.5, "features": 8}


def test_what_is_wrong_is_said(encoder: KeypointEncoder) -> None:
    for shape in ((1, 20, 46, 3), (1, 20, 47, 2), (20, 47, 3), (1, 0, 47, 3)):
        with pytest.raises(UsageError, match="keypoints have shape"):
            encoder(torch.zeros(shape))
    with pytest.raises(UsageError, match="14 frames; a window has 15"):
        encoder(torch.zeros(1, 14, 47, 3), padded=False)
    with pytest.raises(ModelError, match="window is 14"):
        KeypointEncoderConfig(window=14)
    with pytest.raises(ModelError, match="3 times"):
        KeypointEncoderConfig("published", window=1)
    with pytest.raises(ModelError, match="hop must be"):
        KeypointEncoderConfig(hop=0)


def test_a_real_player(encoder: KeypointEncoder, shared_data: Path) -> None:
    track = pose_normalization.PoseTrack.load(shared_data / "solos" / "skeleton_npy_test.npy")
    points = torch.from_numpy(pose_normalization.fill_gaps(track).track.points)[None, :400]
    with torch.no_grad():
        features = encoder(points)
    assert features.shape == (1, 200, 8)
    assert features.isfinite().all()
    assert features[0, :40].std(0).max() < 1e-6  # nobody is there yet
    assert features[0, 60:].std(0).max() > 1e-3
