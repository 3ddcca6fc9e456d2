"""rhythm35@60 against the published recipe in librosa."""

import subprocess
import sys

import librosa
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError
from ictus.features import rhythm35

RATE = 30720


def groove(seconds: float = 6.0, tempo: float = 120.0, rate: int = RATE) -> np.ndarray:
    """A click on each beat over a chord that changes every two beats."""
    t = np.arange(int(seconds * rate)) / rate
    since = t % (60 / tempo)
    click = np.random.default_rng(0).normal(0, 1, len(t)) * np.exp(-since * 60)
    root = np.where(t // (120 / tempo) % 2, 220.0, 293.66)
    chord = sum(np.sin(2 * np.pi * ratio * root * t) for ratio in (1, 1.25, 1.5))
    return (0.3 * click + 0.05 * chord).astype(np.float32)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return groove()


@pytest.fixture(scope="module")
def computed(samples: np.ndarray) -> np.ndarray:
    return rhythm35(Audio(samples, RATE), tempo=120)


def test_equals_the_published_recipe(samples, computed):
    strength = librosa.onset.onset_strength(y=samples, sr=RATE)
    cepstrum = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=20)
    chroma = librosa.feature.chroma_cens(y=samples, sr=RATE, hop_length=512, n_chroma=12)
    peaks = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE, hop_length=512)
    _, beats = librosa.beat.beat_track(onset_envelope=strength, sr=RATE, hop_length=512, start_bpm=120, tightness=100)
    assert computed.dtype == np.float32
    assert computed.shape == (1 + len(samples) // 512, 35)
    np.testing.assert_allclose(computed[:, 0], strength, atol=1e-3)
    np.testing.assert_allclose(computed[:, 1:21], cepstrum.T, atol=2e-3)
    np.testing.assert_allclose(computed[:, 21:33], chroma.T, atol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(computed[:, 33]), peaks)
    np.testing.assert_array_equal(np.flatnonzero(computed[:, 34]), beats)
    assert set(np.unique(computed[:, 33:])) == {0, 1}


def test_the_beats_are_those_of_the_music(computed):
    beats = np.flatnonzero(computed[:, 34])
    assert len(beats) >= 9
    np.testing.assert_allclose(np.diff(beats), 30, atol=1)
    assert rhythm35.frame_rate == 60


def test_the_tempo_is_found_where_none_is_given(samples, computed):
    alone = rhythm35(Audio(samples, RATE))
    np.testing.assert_array_equal(alone[:, :34], computed[:, :34])
    np.testing.assert_allclose(np.diff(np.flatnonzero(alone[:, 34])), 30, atol=1)


def test_a_tempo_that_is_given_is_looked_for(samples):
    half = np.flatnonzero(rhythm35(Audio(samples, RATE), tempo=60)[:, 34])
    assert np.median(np.diff(half)) == 60


def test_other_rates_and_channels():
    stereo = np.stack([groove(3, rate=44100), groove(3, rate=44100)])
    computed = rhythm35(Audio(stereo, 44100), tempo=120)
    assert computed.shape == (1 + 3 * 60, 35)
    np.testing.assert_allclose(
        computed[:, 0], rhythm35(Audio(groove(3, rate=44100), 44100), tempo=120)[:, 0], atol=1e-4
    )


def test_silence_has_no_beats():
    computed = rhythm35(Audio(np.zeros(3 * RATE, np.float32), RATE))
    assert np.isfinite(computed).all()
    assert not computed[:, 33:].any()


def test_too_short():
    with pytest.raises(AudioError, match=r"lasts 1\.90 s; .* must last 2"):
        rhythm35(Audio(groove(1.9), RATE))


def test_librosa_waits_until_it_is_needed():
    code = "import sys, ictus.features; sys.exit('librosa' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
