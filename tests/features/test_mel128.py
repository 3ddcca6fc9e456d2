"""mel128@90 against the published fixture and against librosa and OpenCV."""

import cv2
import librosa
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features import mel128
from ictus.features.spectrum import mel_filters, mel_power
from tolerance import close


def noise(seconds: float, rate: int = 22050) -> Audio:
    rng = np.random.default_rng(0)
    return Audio(rng.normal(0, 0.1, (1, int(seconds * rate))).astype(np.float32), rate)


def test_equals_the_published_fixture(shared_data) -> None:
    audio = Audio.load(shared_data / "audio/brahms_hungarian_dance_5.ogg", rate=22050, mono=True)
    published = np.load(shared_data / "virtualconductor/parity.npz")["mel"][0]
    mel = mel128(audio)
    assert mel.shape == (4126, 128)
    assert np.abs(mel[: len(published)] - published).max() < 1e-5


@pytest.mark.parametrize(("rate", "window", "bands"), [(22050, 2048, 128), (22050, 1024, 80), (16000, 512, 40)])
def test_filters_equal_librosas(rate: int, window: int, bands: int) -> None:
    expected = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands)
    close(mel_filters(rate, window, bands), expected)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 3.7])
def test_power_equals_librosas(seconds: float) -> None:
    samples = noise(seconds).samples[0]
    expected = librosa.feature.melspectrogram(y=samples, sr=22050, n_fft=2048, hop_length=256, n_mels=128).T
    np.testing.assert_allclose(mel_power(samples, 22050, 2048, 256, 128), expected, rtol=2e-5, atol=1e-6)


def test_the_whole_feature_equals_librosa_and_opencv() -> None:
    audio = noise(2.345)
    power = librosa.feature.melspectrogram(y=audio.samples[0], sr=22050, n_mels=128, hop_length=256)
    scaled = np.abs(librosa.power_to_db(power, ref=np.max) + 80) / 80
    expected = cv2.resize(np.flip(scaled, 0), (int(audio.duration * 90), 128)).T
    np.testing.assert_allclose(mel128(audio), expected, atol=1e-5)


def test_column_0_is_the_highest_band() -> None:
    time = np.arange(22050) / 22050
    low = mel128(Audio(np.sin(2 * np.pi * 100 * time).astype(np.float32), 22050))
    assert low.mean(0).argmax() > 110
    assert low.dtype == np.float32
    assert mel128.frame_rate == 90


def test_any_rate_and_channels_are_heard() -> None:
    assert mel128(Audio(np.zeros((6, 96000), np.float32), 96000)).shape == (90, 128)
    assert mel128(Audio(np.zeros((1, 8000), np.float32), 8000)).shape == (90, 128)


def test_too_short_for_a_frame() -> None:
    with pytest.raises(AudioError, match="too short"):
        mel128(noise(0.005))
