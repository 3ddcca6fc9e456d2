"""MelGAN: published sizes, exact windows, and its receptive field."""

import numpy as np
import pytest
import torch
from torch import nn

from ictus.errors import ModelError, UsageError
from ictus.sound.models import melgan as module
from ictus.sound.models.melgan import MelGAN, MelGANConfig, WaveDiscriminator, WaveDiscriminatorConfig
from tolerance import close


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def random_mel(frames: int) -> np.ndarray:
    return np.random.default_rng(0).random((frames, 80), dtype=np.float32)


@pytest.fixture
def debug() -> MelGAN:
    torch.manual_seed(0)
    return MelGAN.from_config("debug").eval()


def test_published_sizes() -> None:
    assert parameters(MelGAN.from_config("paper")) == 4_266_050
    assert parameters(WaveDiscriminator.from_config("paper")) == 16_924_086
    assert MelGAN.from_config("paper").hop == 256


def test_the_small_one_is_small() -> None:
    assert parameters(MelGAN.from_config("small")) <= 2_400_000


def test_shapes(debug: MelGAN) -> None:
    sound = debug(torch.rand(2, 80, 9))
    assert sound.shape == (2, 1, 9 * 256)
    assert float(sound.detach().abs().max()) <= 1


@pytest.mark.parametrize(
    "config",
    [
        MelGANConfig(channels=32),
        MelGANConfig(channels=32, stacks=4),
        MelGANConfig(channels=32, stacks=1),
        MelGANConfig(channels=8, ratios=(3, 5), stacks=2),
    ],
)
def test_reach(config: MelGANConfig) -> None:
    """Samples depend on so many frames and no more, and the bound is less than a frame above what is measured."""
    torch.manual_seed(0)
    network = MelGAN(config).eval()
    middle = 40
    mel = torch.rand(1, 80, 2 * middle + 1, requires_grad=True)
    sound = network(mel)[0, 0, middle * network.hop : (middle + 1) * network.hop]
    (gradient,) = torch.autograd.grad(sound.sum(), mel)
    reached = gradient[0].abs().sum(0).nonzero()[:, 0]
    furthest = max(middle - int(reached.min()), int(reached.max()) - middle)
    assert network.reach - 1 <= furthest <= network.reach


@pytest.mark.parametrize("stacks", [1, 4])
@pytest.mark.parametrize("frames", [100, 61])
def test_windows_equal_one_pass(stacks: int, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = MelGAN(MelGANConfig(channels=32, stacks=stacks)).eval()
    monkeypatch.setattr(module, "_CHUNK", 30)
    mel = random_mel(frames)
    with torch.no_grad():
        expected = network(torch.from_numpy(mel.T.copy())[None])[0, 0].numpy()
    played = network.vocode(mel)
    assert played.rate == 22050
    assert played.samples.shape == (1, 256 * frames)
    np.testing.assert_allclose(played.samples[0], expected, atol=2e-6)
    assert np.abs(expected).std() > 1e-4


def test_memory_is_bounded(debug: MelGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    folded = debug.folded()
    folded.vocoder.register_forward_pre_hook(lambda _, given: lengths.append(given[0].shape[-1]))
    folded.vocode(random_mel(1500))
    assert max(lengths) <= 512 + 2 * debug.reach
    assert len(lengths) == 3


def test_the_folded_one_plays_the_same(debug: MelGAN) -> None:
    mel = torch.rand(2, 80, 20)
    folded = debug.folded()
    with torch.no_grad():
        close(folded(mel), debug(mel), layers=40)
    assert parameters(folded) < parameters(debug)
    assert folded.folded() is folded
    assert debug.training is False
    debug(mel).sum().backward()  # the network itself can still learn
    assert all(p.grad is not None for p in debug.parameters())


def test_weights_are_normed(debug: MelGAN) -> None:
    plain = [m for m in debug.modules() if isinstance(m, nn.Conv1d | nn.ConvTranspose1d)]
    assert plain
    assert all(hasattr(m, "parametrizations") for m in plain)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_mels_are_played(debug: MelGAN, frames: int) -> None:
    assert debug.vocode(random_mel(frames)).samples.shape == (1, 256 * frames)
    with pytest.raises(UsageError, match="needs 4"):
        debug(torch.rand(1, 80, frames))


def test_shortest_is_enough_and_needed() -> None:
    network = MelGAN(MelGANConfig(channels=32, stacks=5)).eval()  # dilations up to 81, at 8 samples a frame
    assert network(torch.rand(1, 80, network.shortest)).shape[-1] == 256 * network.shortest
    with pytest.raises(RuntimeError, match="adding"):
        network.layers(torch.rand(1, 80, network.shortest - 1))


def test_wrong_mels(debug: MelGAN) -> None:
    for wrong in (np.zeros((80, 20)), np.zeros((0, 80)), np.full((20, 80), np.inf)):
        with pytest.raises(UsageError):
            debug.vocode(wrong)


def test_its_mels_are_named(debug: MelGAN) -> None:
    assert debug.metadata == {"features": "mel80", "rate": 22050}


@pytest.mark.parametrize(
    "wrong", [{"channels": 40}, {"channels": 0}, {"ratios": ()}, {"ratios": (8, 0)}, {"stacks": -1}, {"bands": 0}]
)
def test_sizes_that_make_no_vocoder(wrong: dict) -> None:
    with pytest.raises(ModelError):
        MelGANConfig(**wrong)


def test_the_discriminator_has_three_scales() -> None:
    torch.manual_seed(0)
    discriminator = WaveDiscriminator(WaveDiscriminatorConfig(channels=4, widest=64))
    seen = discriminator(torch.randn(2, 1, 8192))
    assert [len(layers) for layers in seen] == [7, 7, 7]
    assert [layers[-1].shape for layers in seen] == [(2, 1, 32), (2, 1, 16), (2, 1, 8)]
    assert [layers[0].shape[-1] for layers in seen] == [8192, 4096, 2048]


@pytest.mark.parametrize("samples", [32, 33, 100])
def test_short_sounds_for_the_discriminator(samples: int) -> None:
    discriminator = WaveDiscriminator(WaveDiscriminatorConfig(channels=4, widest=16))
    assert discriminator.shortest == 32
    assert torch.isfinite(discriminator(torch.randn(1, 1, samples))[2][-1]).all()
    with pytest.raises(UsageError):
        discriminator(torch.randn(1, 1, 31))


@pytest.mark.parametrize("wrong", [{"scales": 0}, {"channels": 6}, {"widest": 2}, {"layers": 0}])
def test_sizes_that_make_no_discriminator(wrong: dict) -> None:
    with pytest.raises(ModelError):
        WaveDiscriminatorConfig(**wrong)
