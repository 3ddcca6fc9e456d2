"""Retakes: what they change, by how much, and that the beats go along."""

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.augmentation import Augmentation
from ictus.errors import UsageError
from ictus.features import mel81

STILL = Augmentation(pace=0, bands=0, gain=0, colour=0, noise=0, masks=0)


def clicked(seconds: float = 30, step: float = 0.5) -> np.ndarray:
    """Clicks, each with a noise of another strength; (T, 81) float16."""
    samples = np.random.default_rng(0).normal(0, 1e-3, int(seconds * 22050)).astype(np.float32)
    for time in np.arange(0.5, seconds - 0.1, step):
        samples[int(time * 22050) :][:60] += 0.5
    return mel81(Audio(samples, 22050)).astype(np.float16)


def test_nothing_changed_is_a_window() -> None:
    whole = clicked()
    mel, start, pace = STILL(whole, 500, np.random.default_rng(1))
    first = round(start * 50)
    assert (pace, first > 0) == (1.0, True)
    np.testing.assert_allclose(mel, whole[first : first + 500], atol=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_clicks_keep_their_time_in_the_music(seed: int) -> None:
    whole = clicked()
    mel, start, pace = Augmentation(pace=0.15)(whole, 600, np.random.default_rng(seed))
    assert 1 / 1.151 < pace < 1.151
    assert abs(pace - 1) > 0.001
    strength = np.maximum(np.diff(mel, axis=0), 0).sum(1)
    times = (np.arange(0.5, 29.9, 0.5) - start) / pace
    frames = np.round(times[(times > 0.2) & (times < 11.8)] * 50).astype(int)
    near = np.stack([strength[frames + k] for k in (-2, -1, 0)]).max(0)
    assert np.median(near) > 5 * np.median(strength)


def test_a_gain_is_a_gain() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 220500).astype(np.float32)
    whole = mel81(Audio(samples, 22050)).astype(np.float16)
    rng = np.random.default_rng(3)
    louder = Augmentation(pace=0, bands=0, gain=20, colour=0, noise=0, masks=0)
    gains = []
    for _ in range(40):
        mel, start, _ = louder(whole, 100, rng)
        first = round(start * 50)
        shift = 10 * (mel - whole[first : first + 100])
        assert shift.std() < 0.6
        gains.append(shift.mean())
    assert -20.5 < min(gains) < -15
    assert 6 < max(gains) < 10.5


def test_a_shift_moves_bands() -> None:
    whole = np.zeros((100, 81), np.float16)
    whole[:, 40] = 3
    moved = Augmentation(pace=0, bands=4, gain=0, colour=0, noise=0, masks=0)
    found = {int(moved(whole, 50, np.random.default_rng(seed))[0][0].argmax()) for seed in range(60)}
    assert found == set(range(36, 45))


def test_a_short_piece_is_not_stretched_to_the_window() -> None:
    mel, start, pace = Augmentation()(clicked(5), 1000, np.random.default_rng(0))
    assert start == 0
    assert len(mel) == pytest.approx(250 / pace, abs=2)


def test_the_seed_decides() -> None:
    whole = clicked(10)
    one, two, other = (Augmentation()(whole, 300, np.random.default_rng(seed))[0] for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, two)
    assert one.shape != other.shape or not np.allclose(one, other)
    assert np.isfinite(one).all()


def test_impossible_augmentations_are_refused() -> None:
    with pytest.raises(UsageError, match="pace"):
        Augmentation(pace=1)
    with pytest.raises(UsageError, match="0 or more"):
        Augmentation(noise=-1)
