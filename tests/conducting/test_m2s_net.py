import copy

import pytest
import torch

from ictus.conducting.models.m2s_net import FoldedMusicEncoder, M2SNet, MusicEncoder, MusicEncoderConfig
from ictus.errors import UsageError
from tolerance import close


@pytest.fixture(scope="module")
def trained():
    """A small network whose batch norms have seen something."""
    torch.manual_seed(0)
    network = M2SNet.from_config("debug").train()
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        network(torch.rand(4, 90, 128), torch.rand(4, 30, 13, 2))
    return network.eval()


@pytest.fixture
def network(trained):
    return copy.deepcopy(trained)


@pytest.fixture(scope="module")
def encoder():
    """A music encoder of the published size whose batch norms have seen something."""
    torch.manual_seed(0)
    encoder = MusicEncoder(MusicEncoderConfig()).train()
    encoder(torch.rand(1, 300, 128))
    return encoder.eval()


def test_published_size():
    """The authors' file also carries an unused layer, 256 -> 32, to make 162,287."""
    network = M2SNet.from_config("paper")
    assert sum(p.numel() for p in network.parameters()) == 154_063
    assert 154_063 + (256 * 32 + 32) == 162_287


def test_probability_per_frame(network):
    sync = network(torch.rand(2, 180, 128), torch.rand(2, 60, 13, 2))
    assert sync.shape == (2, 60, 1)
    assert sync.dtype == torch.float32
    assert sync.min() > 0
    assert sync.max() < 1


def test_double_precision(network):
    assert network.double()(torch.rand(1, 90, 128).double(), torch.rand(1, 30, 13, 2).double()).dtype == torch.float64


def test_features_of_every_layer(network):
    music, motion = network.features(torch.rand(2, 180, 128), torch.rand(2, 60, 13, 2))
    shapes = [tuple(layer.shape) for layer in music]
    assert shapes[:4] == [(2, 2, 180, 128)] * 3 + [(2, 2, 180, 64)]
    assert shapes[4:7] == [(2, 4, 180, 64)] * 2 + [(2, 4, 60, 32)]
    assert shapes[7:] == [(2, 4, 60, 32)] * 2 + [(2, 4, 60, 16), (2, 8, 60)]
    assert [tuple(layer.shape) for layer in motion] == [(2, 4, 60, 13)] * 2 + [(2, 8, 60)]


@pytest.mark.parametrize(("mel_frames", "frames"), [(90, 30), (91, 30), (91, 31), (92, 31)])
def test_lengths_that_fit(network, mel_frames, frames):
    assert network(torch.rand(1, mel_frames, 128), torch.rand(1, frames, 13, 2)).shape == (1, frames, 1)


@pytest.mark.parametrize("frames", [28, 31, 60])
def test_lengths_that_do_not_fit(network, frames):
    with pytest.raises(UsageError, match=f"the mel spans 30 frames at 30 Hz, the motion {frames}"):
        network(torch.rand(1, 90, 128), torch.rand(1, frames, 13, 2))


def test_every_weight_learns(network):
    network.train()
    sync = network(torch.rand(4, 90, 128), torch.rand(4, 30, 13, 2))
    torch.nn.functional.binary_cross_entropy(sync.mean(1), torch.tensor([[1.0], [0.0], [1.0], [0.0]])).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    silent = [name for name, p in network.named_parameters() if p.dim() > 1 and not p.grad.abs().sum() > 0]
    assert silent == []


def test_it_can_tell_a_match(network):
    """A few steps on one batch: what belongs together is separated from what does not."""
    network.train()
    generator = torch.Generator().manual_seed(0)
    mel = torch.rand(2, 90, 128, generator=generator)
    motion = torch.rand(2, 30, 13, 2, generator=generator)
    mels, motions = mel[[0, 0, 1, 1]], motion[[0, 1, 1, 0]]
    target = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(50):
        loss = torch.nn.functional.binary_cross_entropy(network(mels, motions).mean(1), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.4  # from 0.69


def test_kaiming_init():
    torch.manual_seed(0)
    conv = M2SNet.from_config("paper").music.stages[8].conv[0]
    assert conv.weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


def test_steady_music_has_steady_features(encoder):
    """Reflection adds no border: the first and last frames are like all others."""
    features = encoder(torch.full((1, 90, 128), 0.7))  # (1, 64, 30)
    torch.testing.assert_close(features, features[..., 15:16].expand_as(features), rtol=0, atol=1e-4)


@pytest.mark.parametrize("frames", [7, 1080, 1081, 1500])
def test_folded_music_encoder_is_equal(encoder, frames):
    """Also where a piece of music ends inside, at or just after a border of its cache-sized pieces."""
    torch.manual_seed(1)
    mel = torch.rand(1, frames, 128)
    with torch.inference_mode():
        close(FoldedMusicEncoder(encoder)(mel), encoder(mel), layers=20)


def test_pieces_of_the_folded_encoder_agree_exactly(network):
    torch.manual_seed(1)
    mel = torch.rand(2, 900, 128, dtype=torch.float64)
    folded = FoldedMusicEncoder(network.music).double()
    whole = folded(mel)
    folded.PIECE = 90
    torch.testing.assert_close(folded(mel), whole, rtol=0, atol=1e-12)
    folded.HALO = 15  # one step less is too little
    assert (folded(mel) - whole).abs().max() > 1e-6


@pytest.mark.parametrize("seconds", [1, 12, 13, 25])
def test_the_folded_encoder_hears_a_batch_in_pieces_as_the_whole_one_does(seconds: int) -> None:
    torch.manual_seed(0)
    encoder = M2SNet.from_config("debug").music
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    mel = torch.rand(3, seconds * 90, 128)
    with torch.no_grad():
        close(FoldedMusicEncoder(encoder)(mel), encoder.eval()(mel), layers=20)
