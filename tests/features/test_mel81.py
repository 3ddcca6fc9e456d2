"""mel81@50 against librosa, and as a stream."""

import librosa
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features import mel81
from ictus.features.mel81 import Mel81Stream


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * 22050)).astype(np.float32)


def test_equals_librosa() -> None:
    samples = noise(2.345)
    power = librosa.feature.melspectrogram(y=samples, sr=22050, n_fft=1024, hop_length=441, n_mels=81).T
    computed = mel81(Audio(samples, 22050))
    assert computed.dtype == np.float32
    np.testing.assert_allclose(computed, np.log10(1 + 1e4 * power), atol=1e-4)
    assert mel81.frame_rate == 50
    assert len(computed) == 1 + len(samples) // 441


def test_a_click_shows_on_its_frame() -> None:
    samples = np.zeros(22050, np.float32)
    samples[441 * 20] = 0.5
    assert mel81(Audio(samples, 22050)).sum(1).argmax() == 20


def test_a_gain_adds_the_same_everywhere_that_is_not_faint() -> None:
    soft, loud = mel81(Audio(noise(1), 22050)), mel81(Audio(10 * noise(1), 22050))
    np.testing.assert_allclose((loud - soft)[soft > 2], 2, atol=0.01)


def test_power_and_back() -> None:
    computed = mel81(Audio(noise(1), 22050))
    np.testing.assert_allclose(mel81.compressed(mel81.power(computed)), computed, atol=1e-4)


@pytest.mark.parametrize("sizes", [(441,), (100,), (1, 2000, 17, 512)])
def test_a_stream_gives_the_same_frames(sizes: tuple[int, ...]) -> None:
    samples, stream, frames, start = noise(1.5), Mel81Stream(), [], 0
    while start < len(samples):
        size = sizes[len(frames) % len(sizes)]
        frames.append(stream(samples[start : start + size]))
        start += size
        done = sum(map(len, frames))
        assert done == max(0, (min(start, len(samples)) - 512) // 441 + 1)  # each as soon as it can, and no sooner
    streamed = np.concatenate(frames)
    np.testing.assert_allclose(streamed, mel81(Audio(samples, 22050))[: len(streamed)], atol=1e-5)


def test_no_sound() -> None:
    with pytest.raises(AudioError, match="empty"):
        mel81(Audio(np.zeros((1, 0), np.float32), 22050))
