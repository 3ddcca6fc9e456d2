import pytest
import torch
from lively_generator import lively

from ictus.conducting.models.m2s_gan import Discriminator, Generator, GeneratorConfig, NoiseBranch
from ictus.conducting.models.m2s_net import MusicEncoderConfig
from ictus.errors import UsageError
from tolerance import close

DEBUG = Generator.sizes["debug"]
BILSTM = GeneratorConfig(
    MusicEncoderConfig(channels=(2, 4, 4), features=8), noise_channels=(4, 4, 4, 8), hidden=8, decoder="bilstm", lstm=8
)


@pytest.mark.parametrize("config", [DEBUG, BILSTM], ids=["tcn", "bilstm"])
def test_shapes(config):
    generator = lively(config)
    motion = generator(torch.rand(2, 360, 128), torch.randn(2, 4, 8))
    assert motion.shape == (2, 120, 13, 2)
    assert motion.dtype == torch.float32
    assert motion.min() >= 0
    assert motion.max() <= 1
    assert generator.double()(torch.rand(1, 90, 128).double(), torch.randn(1, 1, 8).double()).dtype == torch.float64


@pytest.mark.parametrize(("mel_frames", "frames"), [(268, 90), (269, 90), (270, 90), (271, 91), (360, 120)])
def test_a_last_second_may_be_a_part(mel_frames, frames):
    assert lively(DEBUG)(torch.rand(1, mel_frames, 128), torch.randn(1, 4, 8)).shape == (1, frames, 13, 2)


def test_too_little_noise():
    with pytest.raises(UsageError, match=r"2 s of noise for 4\.00 s of music"):
        lively(DEBUG)(torch.rand(1, 360, 128), torch.randn(1, 2, 8))


def test_published_sizes():
    assert sum(p.numel() for p in Generator.from_config("paper").parameters()) == 381_146
    bilstm = Generator.from_config("bilstm")
    assert (bilstm.decoder.lstm.num_layers, bilstm.decoder.lstm.dropout) == (2, 0.5)
    assert [layer.weight.shape for layer in bilstm.head[::2]] == [(64, 256), (64, 64), (26, 64)]


@pytest.mark.parametrize("config", [DEBUG, BILSTM], ids=["tcn", "bilstm"])
def test_music_and_noise_both_move_it(config):
    generator = lively(config)
    torch.manual_seed(1)
    mel, noise = torch.rand(1, 360, 128), torch.randn(1, 4, 8)
    motion = generator(mel, noise)
    assert (generator(mel.flip(1), noise) - motion).abs().max() > 1e-3
    assert (generator(mel, -noise) - motion).abs().max() > 1e-3


@pytest.mark.parametrize("config", [DEBUG, BILSTM], ids=["tcn", "bilstm"])
def test_every_weight_learns(config):
    generator = lively(config).train()
    before = generator.music.stages[0].conv[1].running_mean.clone()
    generator(torch.rand(2, 270, 128), torch.randn(2, 3, 8)).square().sum().backward()
    assert [name for name, p in generator.named_parameters() if p.grad is None] == []
    silent = [name for name, p in generator.named_parameters() if p.dim() > 1 and not p.grad.abs().sum() > 0]
    assert silent == []
    assert not torch.equal(before, generator.music.stages[0].conv[1].running_mean)


def test_context_covers_all_that_a_frame_depends_on():
    generator = lively(DEBUG).double()
    assert generator.context_seconds == 4
    mel = torch.rand(1, 14 * 90, 128, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(1, 14, 8, dtype=torch.float64, requires_grad=True)
    generator(mel, noise)[0, 7 * 30 : 8 * 30].sum().backward()  # the eighth second
    used = mel.grad.abs().sum((0, 2)).nonzero()
    drawn = noise.grad.abs().sum((0, 2)).nonzero()
    reach = (generator.decoder.reach + 6) * 3  # six frames of the music encoder, at 90 Hz
    last = 8 * 90 - 3  # a frame of motion stands at the first of its three mel frames
    assert (7 * 90 - used.min().item(), used.max().item() - last) == (reach, reach)
    assert 7 - drawn.min().item() <= 4
    assert drawn.max().item() - 7 <= 4


def test_context_of_the_published_size():
    assert Generator.from_config("paper").context_seconds == 12
    assert Generator.from_config("bilstm").context_seconds == 12
    assert Generator.from_config("paper").shortest_seconds == 3


def test_reach_of_the_noise():
    torch.manual_seed(0)
    branch = NoiseBranch(2, (4, 4, 4, 4)).double().eval()
    for module in branch.up[::2]:
        if isinstance(module, torch.nn.ConvTranspose1d):
            module.weight.data.abs_()  # no ReLU closes, so that every path shows
            module.bias.data.abs_()
    noise = torch.rand(1, 11, 2, dtype=torch.float64, requires_grad=True)
    distances = []
    for frame in range(150, 180):
        touched = torch.autograd.grad(branch(noise)[0, :, frame].sum(), noise)[0].abs().sum((0, 2)).nonzero()
        distances += [abs(frame / 30 - second.item()) for second in touched]
    assert 2.4 < max(distances) <= NoiseBranch.reach


@pytest.mark.parametrize("config", [DEBUG, BILSTM], ids=["tcn", "bilstm"])
def test_folded_generator_is_equal(config):
    generator = lively(config)
    folded = generator.folded()
    torch.manual_seed(1)
    mel, noise = torch.rand(2, 1000, 128), torch.randn(2, 12, 8)
    with torch.inference_mode():
        motion = generator(mel, noise)
        assert motion.std() > 0.02
        close(folded(mel, noise), motion, layers=20)
    assert folded.folded() is folded


def test_folding_leaves_the_generator_to_be_trained():
    generator = lively(DEBUG).train()
    assert not generator.folded().training
    generator(torch.rand(1, 270, 128), torch.randn(1, 3, 8)).sum().backward()
    assert generator.training
    assert generator.decoder.blocks[0].net[0].parametrizations.weight.original1.grad is not None


def test_save_and_load(tmp_path):
    generator = lively(DEBUG)
    generator.save_pretrained(tmp_path)
    loaded = Generator.from_pretrained(tmp_path)
    assert loaded.metadata == {"features": "mel128@90", "skeleton": "conductor-13", "fps": 30}
    mel, noise = torch.rand(1, 270, 128), torch.randn(1, 3, 8)
    assert torch.equal(loaded(mel, noise), generator(mel, noise))


def test_discriminator():
    torch.manual_seed(0)
    discriminator = Discriminator.from_config("debug")
    motion = torch.rand(3, 60, 13, 2, requires_grad=True)
    score = discriminator(motion)
    assert score.shape == (3, 1)
    (gradient,) = torch.autograd.grad(score.sum(), motion, create_graph=True)  # as the gradient penalty needs it
    gradient.square().sum().backward()
    assert discriminator.convolutions[0].weight.grad.abs().sum() > 0
    assert discriminator(torch.rand(1, 41, 13, 2)).shape == (1, 1)
    with pytest.raises(UsageError, match="40 frames; the discriminator needs 41"):
        discriminator(torch.rand(1, 40, 13, 2))


def test_published_discriminator():
    discriminator = Discriminator.from_config("paper")
    convolutions = [(26 * 5 + 1) * 64, (64 * 5 + 1) * 64, (64 * 5 + 1) * 64]
    layers = [64 * 32 + 32, 32 * 32 + 32, 32 + 1]
    assert sum(p.numel() for p in discriminator.parameters()) == sum(convolutions + layers)
    torch.nn.init.zeros_(discriminator.head[-1].weight)
    torch.nn.init.ones_(discriminator.head[-1].bias)
    assert discriminator(torch.rand(1, 900, 13, 2)).tolist() == [[1.0]]  # the mean over time of what each frame scores
