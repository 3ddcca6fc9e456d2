"""mel80@86 against the published spectrograms of five real recordings, and against librosa."""

import librosa
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features import mel80
from tolerance import close


def noise(samples: int, rate: int = 22050) -> Audio:
    rng = np.random.default_rng(0)
    return Audio(rng.normal(0, 0.1, (1, samples)).astype(np.float32), rate)


def by_librosa(samples: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(
        y=samples, sr=22050, n_fft=1024, hop_length=256, power=1, n_mels=80, fmin=125, fmax=7600, pad_mode="reflect"
    )
    return np.clip((20 * np.log10(np.maximum(mel, 1e-5)) + 80) / 100, 0, 1).T


@pytest.mark.parametrize(
    ("clip", "tolerance"),
    [  # the published ones of stereo recordings were made of another down-mix
        ("drum_video_02480", 0.003),
        ("cello_3HgbEKrbA9s_54000_64000", 0.02),
        ("harp_6zlMP_kQ_-w_30000_40000", 0.025),
    ],
)
def test_equals_what_was_published(shared_data, clip: str, tolerance: float) -> None:
    mel = mel80(Audio.load(shared_data / f"specvqgan_clips/{clip}.mp4"))[:860]
    published = np.load(shared_data / f"specvqgan_clips/{clip}_mel.npy").T
    assert np.abs(mel - published).mean() < tolerance
    assert (
        np.corrcoef(mel[:-1].ravel(), published[1:].ravel())[0, 1] < np.corrcoef(mel.ravel(), published.ravel())[0, 1]
    )


@pytest.mark.parametrize("samples", [1500, 22050, 600_000])
def test_equals_librosas(samples: int) -> None:
    audio = noise(samples)
    close(mel80(audio), by_librosa(audio.samples[0]), layers=16)


def test_real_music_equals_librosas(shared_data) -> None:
    audio = Audio.load(shared_data / "specvqgan_clips/cello_3HgbEKrbA9s_54000_64000.mp4", rate=22050, mono=True)
    close(mel80(audio), by_librosa(audio.samples[0]), layers=16)


def test_its_face() -> None:
    mel = mel80(noise(22050))
    assert mel.shape == (1 + 22050 // 256, 80)
    assert mel.dtype == np.float32
    assert mel.flags.c_contiguous
    assert mel80.frame_rate == 22050 / 256
    assert mel80.filters.shape == (80, 513)


def test_a_frame_is_centred_on_its_instant() -> None:
    click = np.zeros(22050, np.float32)
    click[10 * 256] = 1
    assert mel80(Audio(click, 22050)).mean(1).argmax() == 10


def test_column_0_is_the_lowest_band() -> None:
    time = np.arange(22050) / 22050
    for hertz, band in ((160.0, 0), (7300.0, 79)):
        tone = Audio(np.sin(2 * np.pi * hertz * time).astype(np.float32), 22050)
        assert abs(int(mel80(tone)[20:-20].mean(0).argmax()) - band) <= 1


def test_a_decibel_is_a_hundredth() -> None:
    audio = noise(22050)
    mel, louder = mel80(audio), mel80(Audio(audio.samples * np.float32(10 ** (6 / 20)), 22050))
    assert 0.1 < mel.min() < louder.max() < 0.99
    np.testing.assert_allclose(louder - mel, 0.06, atol=1e-5)


def test_silence_and_what_is_too_loud() -> None:
    assert (mel80(Audio(np.zeros(1000, np.float32), 22050)) == 0).all()
    assert mel80(Audio(100 * noise(5000).samples, 22050)).max() == 1


def test_levels_and_magnitudes() -> None:
    level = np.linspace(0, 1, 11, dtype=np.float32)
    magnitude = mel80.inverse(level)
    np.testing.assert_allclose(magnitude, 10 ** (5 * level.astype(float) - 4), rtol=1e-5)
    np.testing.assert_allclose(mel80.level(magnitude), level, atol=1e-6)
    np.testing.assert_array_equal(mel80.level(np.float32([0, 1e-9, 50])), np.float32([0, 0, 1]))
    assert magnitude.dtype == np.float32


def test_any_rate_and_channels_are_heard() -> None:
    assert mel80(Audio(np.zeros((6, 96000), np.float32), 96000)).shape == (87, 80)
    stereo = np.stack([noise(22050).samples[0], np.zeros(22050, np.float32)])
    np.testing.assert_allclose(mel80(Audio(stereo, 22050)), mel80(Audio(stereo[:1] / 2, 22050)), atol=1e-6)


@pytest.mark.parametrize("samples", [1, 2, 100, 513])
def test_short_sounds_are_reflected_to_and_fro(samples: int) -> None:
    audio = noise(samples)
    whole = np.pad(audio.samples[0], 512, mode="reflect")
    frames = np.stack([whole[at : at + 1024] for at in range(0, samples + 1, 256)])
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    expected = mel80.level(np.abs(np.fft.rfft(frames * shape)) @ mel80.filters.T)
    close(mel80(audio), expected, layers=16)


def test_no_sound() -> None:
    with pytest.raises(AudioError, match="empty"):
        mel80(Audio(np.zeros((1, 0), np.float32), 22050))
