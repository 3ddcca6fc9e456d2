import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.render.soundtrack import soundtrack


def whole(audio, seconds: float) -> tuple[int, np.ndarray]:
    rate, blocks = soundtrack(audio, seconds)
    return rate, np.concatenate(list(blocks), axis=1)


@pytest.mark.parametrize(
    ("source", "rate"), [(44100, 44100), (48000, 48000), (22050, 44100), (88200, 44100), (96000, 48000), (16000, 48000)]
)
def test_rates_become_ones_that_players_know(source, rate):
    tone = Audio(np.sin(2 * np.pi * 440 * np.arange(source) / source), source)
    got, samples = whole(tone, 1.0)
    assert got == rate
    assert samples.shape == (2, rate)
    expected = np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    middle = slice(rate // 10, -rate // 10)
    np.testing.assert_allclose(samples[0][middle], expected[middle], atol=2e-3)  # and nothing is shifted


@pytest.mark.parametrize("seconds", [0.4, 1.0, 3.7])
def test_sound_is_cut_or_followed_by_silence(seconds):
    rate, samples = whole(Audio(np.ones((2, 48000)), 48000), seconds)
    assert samples.shape == (2, round(seconds * rate))
    assert samples[:, : min(48000, samples.shape[1])].min() == 1
    assert not samples[:, 48000:].any()


@pytest.mark.parametrize(
    ("sources", "left", "right"),
    [
        ([0.5], 0.5, 0.5),
        ([0.1, 0.2], 0.1, 0.2),
        ([0.1, 0.2, 0.6], 0.3, 0.3),
        ([1, 0, 0, 0, 0, 0], 0.4142, 0.0),
        ([0, 0, 1, 0, 0, 0], 0.2929, 0.2929),
        ([0, 0, 0, 1, 0, 0], 0.0, 0.0),
        ([1, 1, 1, 1, 1, 1], 1.0, 1.0),
    ],
)
def test_any_number_of_channels_becomes_two(sources, left, right):
    _, samples = whole(Audio(np.repeat(np.array(sources, float)[:, None], 480, 1), 48000), 0.01)
    np.testing.assert_allclose(samples.mean(1), [left, right], atol=1e-4)


def test_a_file_is_decoded_piece_by_piece(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 700_000)).astype(np.float32)
    Audio(noise, 44100).save(tmp_path / "long.wav")
    rate, blocks = soundtrack(tmp_path / "long.wav", 15.0)
    sizes = [block.shape[1] for block in blocks]
    assert rate == 44100
    assert len(sizes) > 2
    assert sum(sizes) == 15 * 44100


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioError, match="nothing\\.wav: no such file"):
        soundtrack(tmp_path / "nothing.wav", 1.0)
