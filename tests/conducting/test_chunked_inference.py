import numpy as np
import pytest
import torch
from lively_generator import lively

from ictus.conducting.chunked_inference import FADE, draw_noise, generate
from ictus.conducting.models.m2s_gan import Generator, GeneratorConfig
from ictus.conducting.models.m2s_net import MusicEncoderConfig
from ictus.errors import AudioError, UsageError
from tolerance import close

MUSIC = MusicEncoderConfig(channels=(2, 4, 4), features=8)


def config(decoder):
    return GeneratorConfig(MUSIC, noise_channels=(4, 4, 4, 8), decoder=decoder, hidden=8, levels=5, lstm=8)


@pytest.fixture(scope="module")
def generator():
    return lively(config("tcn"), seconds=10)


@pytest.fixture(scope="module")
def bilstm():
    return lively(config("bilstm"), seconds=10)


@pytest.fixture(scope="module")
def mel():
    return np.random.default_rng(0).random((40 * 90 + 31, 128), np.float32)


@pytest.fixture(scope="module")
def whole(generator, mel):
    """The motion of the whole piece by one plain pass of the network."""
    noise = torch.from_numpy(draw_noise(41, 8, seed=3))
    with torch.inference_mode():
        return generator(torch.from_numpy(mel)[None], noise[None])[0].numpy()


@pytest.mark.parametrize("window", [1, 7, 39, 40])
def test_windows_of_any_size_agree(generator, mel, whole, window):
    motion = generate(generator, mel, seed=3, window_seconds=window)
    assert motion.shape == (round(len(mel) / 3), 13, 2)
    assert motion.dtype == np.float32
    assert motion.std(0).mean() > 0.02  # it moves: agreeing on stillness would be nothing
    close(motion, whole[: len(motion)], layers=20)


def test_without_context_they_would_not_agree(generator, mel, whole):
    folded = generator.folded()
    folded.context_seconds = 0
    motion = generate(folded, mel, seed=3, window_seconds=7)
    assert np.abs(motion - whole[: len(motion)]).max() > 1e-3


def test_no_jump_where_windows_meet(bilstm, mel):
    """Even with a network that remembers without end."""
    motion = generate(bilstm, mel, seed=3, window_seconds=9)
    assert motion.shape == (round(len(mel) / 3), 13, 2)
    step = np.abs(np.diff(motion, axis=0)).max((1, 2))
    borders = [30 * start + offset for start in (9, 18, 27, 36) for offset in range(-1, 31)]
    assert step[borders].max() < 1.5 * np.delete(step, borders).max()
    whole = generate(bilstm, mel, seed=3)
    np.testing.assert_allclose(motion, whole, atol=0.05)


class Counting:
    """Stands in for a network: its n-th window has the value n everywhere."""

    joints, bands, noise_size, context_seconds, shortest_seconds = 13, 128, 8, 2, 1

    def __init__(self):
        self.frames = []

    def folded(self):
        return self

    def parameters(self):
        return iter([torch.zeros(1)])

    def __call__(self, mel, noise):
        assert noise.shape[1] == -(-mel.shape[1] // 90)
        self.frames.append(mel.shape[1])
        return torch.full((1, -(-mel.shape[1] // 3), 13, 2), float(len(self.frames)))


def test_windows_cross_fade():
    motion = generate(Counting(), np.zeros((25 * 90, 128), np.float32), window_seconds=10)
    assert motion.shape == (750, 13, 2)
    value = motion[:, 0, 0]
    fades = [30 * 10, 30 * 20]
    np.testing.assert_array_equal(value[: fades[0]], 1)
    np.testing.assert_array_equal(value[fades[0] + 30 * FADE : fades[1]], 2)
    np.testing.assert_array_equal(value[fades[1] + 30 * FADE :], 3)
    assert np.diff(value).max() < 1.01 / (30 * FADE)
    assert np.diff(value).min() >= 0


def test_memory_is_bounded():
    """No pass is longer than the window, its fade and its context."""
    network = Counting()
    generate(network, np.zeros((300 * 90, 128), np.float32), window_seconds=10)
    assert max(network.frames) <= (10 + FADE + 2 * network.context_seconds) * 90
    assert len(network.frames) == 30


@pytest.mark.parametrize("frames", [2, 3, 91, 200, 451])
@pytest.mark.parametrize("kind", ["generator", "bilstm"])
def test_no_lost_tail_and_no_music_too_short(request, mel, kind, frames):
    motion = generate(request.getfixturevalue(kind), mel[:frames], window_seconds=2)
    assert motion.shape == (round(frames / 3), 13, 2)
    assert np.isfinite(motion).all()


def test_short_music_is_heard(generator):
    rng = np.random.default_rng(1)
    one, other = (generate(generator, rng.random((60, 128), np.float32)) for _ in range(2))
    assert np.abs(one - other).max() > 1e-3


def test_the_published_size_takes_a_second_of_music():
    assert generate(Generator.from_config("paper"), np.zeros((90, 128), np.float32)).shape == (30, 13, 2)


def test_seed(generator, mel):
    one, again, other = (generate(generator, mel[:900], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3
    np.testing.assert_array_equal(one, generate(generator, mel[:900], draw_noise(10, 8, seed=1)))


def test_the_random_state_and_the_generator_are_left_alone(mel):
    generator = lively(config("tcn"), seconds=10).train()
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    generate(generator, mel[:900])
    assert torch.equal(torch.rand(3), expected)
    assert generator.training
    assert all(torch.equal(before[name], tensor) for name, tensor in generator.state_dict().items())


def test_progress(generator, mel):
    reported = []
    generate(generator, mel, window_seconds=9, progress=reported.append)
    assert reported == sorted(reported)
    assert len(reported) == 5
    assert reported[-1] == 1.0


def test_memory_mapped_music(generator, mel, tmp_path):
    np.save(tmp_path / "mel.npy", mel[:900])
    mapped = np.load(tmp_path / "mel.npy", mmap_mode="r")
    np.testing.assert_array_equal(generate(generator, mapped), generate(generator, mel[:900]))


def test_bad_input(generator, mel):
    for frames in (0, 1):
        with pytest.raises(AudioError, match=f"{frames} frames at 90 Hz"):
            generate(generator, mel[:frames])
    with pytest.raises(UsageError, match=r"shape \(900, 80\)"):
        generate(generator, mel[:900, :80])
    with pytest.raises(UsageError, match=r"noise has shape \(9, 8\); 10 s of music need \(10, 8\)"):
        generate(generator, mel[:900], draw_noise(9, 8, seed=0))
    with pytest.raises(UsageError, match="at least one second"):
        generate(generator, mel[:900], window_seconds=0)
    broken = mel[:900].copy()
    broken[500] = np.nan
    with pytest.raises(AudioError, match="NaN"):
        generate(generator, broken)
