"""melody16@25 against librosa, and the temporal index."""

import librosa
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError, UsageError
from ictus.features.melody16 import melody16, temporal_index

RATE = 12800


def tune(seconds: float = 5.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * RATE)) / RATE
    note = 220 * 2 ** (rng.integers(0, 12, int(2 * seconds) + 1)[(2 * t).astype(int)] / 12)
    return (0.2 * np.sin(2 * np.pi * np.cumsum(note) / RATE) * np.exp(-4 * (t % 0.5))).astype(np.float32)


def test_equals_librosa():
    samples = tune()
    computed = melody16(Audio(samples, RATE))
    cepstrum = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=3)
    strength = librosa.onset.onset_strength(y=samples, sr=RATE, hop_length=512)
    assert computed.dtype == np.float32
    assert computed.shape == (1 + len(samples) // 512, 16) == (126, 16)
    groups = melody16.groups
    np.testing.assert_allclose(computed[:, groups["cepstrum"]], cepstrum.T, atol=2e-3)
    np.testing.assert_allclose(computed[:, groups["delta"]], librosa.feature.delta(cepstrum).T, atol=1e-3)
    chroma = librosa.feature.chroma_cqt(y=samples, sr=RATE, hop_length=512, n_chroma=4)
    np.testing.assert_allclose(computed[:, groups["chroma"]], chroma.T, atol=1e-6)
    lags = librosa.feature.tempogram(onset_envelope=strength, sr=RATE, hop_length=512, win_length=5)
    np.testing.assert_allclose(computed[:, groups["tempogram"]], lags.T, atol=1e-3)
    np.testing.assert_allclose(computed[:, 15], strength, atol=1e-3)
    assert melody16.frame_rate == 25


def test_the_groups_are_all_columns_once():
    columns = np.concatenate([np.arange(16)[group] for group in melody16.groups.values()])
    np.testing.assert_array_equal(columns, np.arange(16))
    assert [len(np.arange(16)[group]) for group in melody16.groups.values()] == [3, 3, 4, 5, 1]


def test_too_short():
    with pytest.raises(AudioError, match="must last 2"):
        melody16(Audio(tune(1.5), RATE))


def test_temporal_index():
    index = temporal_index([0.08, 0.2, 0.319], 10)
    np.testing.assert_array_equal(index[:, 0], range(10))
    np.testing.assert_array_equal(index[:, 1], [0, 0, 1, 0, 0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(index[:, 2], [0, 1, 0, 1, 2, 0, 1, 2, 0, 1])
    assert index.dtype == np.float32


def test_beats_beyond_the_song_and_none():
    np.testing.assert_array_equal(temporal_index([-1.0, 99.0], 4)[:, 1:], [[0, 0], [0, 1], [0, 2], [0, 3]])
    np.testing.assert_array_equal(temporal_index([], 3)[:, 2], [0, 1, 2])
    np.testing.assert_array_equal(temporal_index([0.5], 60, frame_rate=60)[30], [30, 1, 0])
    for beats in ([np.nan], [[0.1]], 3.0):
        with pytest.raises(UsageError, match="finite numbers of seconds"):
            temporal_index(beats, 4)
