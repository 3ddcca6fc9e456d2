"""Griffin-Lim: what it plays has the spectrogram that it was given, however long that is."""

from typing import Any

import numpy as np
import pytest
import torch

from ictus.audio import Audio
from ictus.errors import UsageError
from ictus.features import mel80
from ictus.sound import griffin_lim as module
from ictus.sound.griffin_lim import griffin_lim

CLIPS = (
    "bongo_D1NO38P8vqI_284000_294000",
    "cello_3HgbEKrbA9s_54000_64000",
    "drum_video_02480",
    "drumkit_-Qowmc0P9ic_34000_44000",
    "harp_6zlMP_kQ_-w_30000_40000",
)


def melody(seconds: float = 3.0) -> Audio:
    """Notes of a few harmonics, half a second each."""
    time = np.arange(int(seconds * 22050)) / 22050
    rng = np.random.default_rng(0)
    pitch = 220 * 2 ** (rng.integers(0, 24, int(2 * seconds) + 1) / 12)
    phase = 2 * np.pi * np.cumsum(pitch[(2 * time).astype(int)]) / 22050
    loud = 0.2 * np.exp(-3 * (time % 0.5))
    tone = sum(np.sin(k * phase) / k for k in range(1, 6))
    return Audio((loud * tone + rng.normal(0, 1e-3, len(time))).astype(np.float32), 22050)


def error(mel: np.ndarray, played: Audio) -> float:
    return float(np.abs(mel80(played)[: len(mel)] - mel).mean())


@pytest.mark.parametrize("clip", CLIPS)
def test_real_recordings_come_back(shared_data: Any, clip: str) -> None:
    mel = mel80(Audio.load(shared_data / f"specvqgan_clips/{clip}.mp4"))[:430]
    played = griffin_lim(mel)
    assert played.rate == 22050
    assert played.samples.shape == (1, 256 * 430)
    assert error(mel, played) < 0.01


def test_a_melody_comes_back_at_its_instants() -> None:
    sound = melody()
    mel = mel80(sound)[:258]
    played = griffin_lim(mel)
    assert error(mel, played) < 0.016
    for shift in (-1, 1):  # a frame early or late
        assert error(mel, Audio(np.roll(played.samples, 256 * shift), 22050)) > 2 * error(mel, played)


def test_iterations_and_momentum_help() -> None:
    mel = mel80(melody())
    few, many, plain = (
        error(mel[:258], griffin_lim(mel, **choice)) for choice in ({"iterations": 2}, {}, {"momentum": 0.0})
    )
    assert many < 0.8 * few
    assert many < plain


def test_long_sound_is_played_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten stretches are no worse than one, nor are the places where they meet."""
    sound = melody(6.0)
    mel = mel80(sound)
    whole = griffin_lim(mel)
    lengths: list[int] = []
    search = module._search

    def watched(magnitude: torch.Tensor, *rest: Any) -> torch.Tensor:
        lengths.append(magnitude.shape[1])
        return search(magnitude, *rest)

    monkeypatch.setattr(module, "_CHUNK", 52)
    monkeypatch.setattr(module, "_search", watched)
    parts = griffin_lim(mel)
    assert len(lengths) == 10
    assert max(lengths) <= 52 + 16
    assert parts.samples.shape == whole.samples.shape
    errors = np.abs(mel80(parts)[: len(mel)] - mel).mean(1)
    meetings = np.concatenate([errors[at - 2 : at + 2] for at in range(52, len(mel), 52)])
    assert errors.mean() < 1.15 * error(mel, whole)
    assert meetings.mean() < 2.5 * errors.mean()  # 1.8 times; without the sound before, 5 times


def test_the_seed_decides() -> None:
    mel = mel80(melody(1.0))
    first, again, other = (griffin_lim(mel, iterations=4, seed=seed).samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_silence_is_silent() -> None:
    assert not np.abs(griffin_lim(np.zeros((20, 80), np.float32)).samples).max() > 1e-6


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 9])
def test_short_ones(frames: int) -> None:
    played = griffin_lim(mel80(melody(1.0))[10 : 10 + frames])
    assert played.samples.shape == (1, 256 * frames)
    assert np.isfinite(played.samples).all()
    assert np.abs(played.samples).max() > 0.01


def test_magnitudes_have_the_bands_and_are_not_negative() -> None:
    mel = mel80(melody(1.0))
    magnitude = module._magnitudes(mel)
    assert magnitude.min() >= 0
    assert np.abs(mel80.level(magnitude @ mel80.filters.T) - mel).mean() < 1e-3


@pytest.mark.parametrize(
    ("mel", "choices"),
    [
        (np.zeros((80, 20)), {}),
        (np.zeros((0, 80)), {}),
        (np.full((20, 80), np.nan), {}),
        (np.zeros((20, 80)), {"iterations": 0}),
        (np.zeros((20, 80)), {"momentum": 1.0}),
    ],
)
def test_what_cannot_be_played(mel: np.ndarray, choices: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        griffin_lim(mel, **choices)
