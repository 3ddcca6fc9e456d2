"""The spectral vocoder: exact windows, its receptive field, and that it can play what it has learnt."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.audio import Audio
from ictus.errors import ModelError, UsageError
from ictus.features import mel80
from ictus.sound.models import melgan
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.melgan import MelGAN
from ictus.sound.models.spectral_vocoder import SpectralVocoder, SpectralVocoderConfig
from ictus.sound.models.vocoder_loading import load_vocoder
from ictus.sound.tasks.vocoder import mel_levels
from task_steps import take_step


@pytest.fixture
def debug() -> SpectralVocoder:
    torch.manual_seed(0)
    return SpectralVocoder.from_config("debug").eval()


def mels(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (frames, 80)).astype(np.float32)


def test_sizes(debug: SpectralVocoder) -> None:
    small = SpectralVocoder.from_config("small")
    assert sum(parameter.numel() for parameter in small.parameters()) == 2_790_658
    assert debug(torch.rand(2, 80, 9)).shape == (2, 1, 9 * 256)


def test_a_frame_counts_as_far_as_it_says_and_no_farther(debug: SpectralVocoder) -> None:
    one = torch.rand(1, 80, 60)
    other = one.clone()
    other[..., 30] = torch.rand(80)
    with torch.no_grad():
        changed = (debug(one) - debug(other)).abs()[0, 0].nonzero()[:, 0] / 256
    assert 30 - debug.reach < changed.min() < 30
    assert 30 < changed.max() < 31 + debug.reach


def test_a_long_mel_is_played_as_at_one_pass(debug: SpectralVocoder, monkeypatch: pytest.MonkeyPatch) -> None:
    mel = mels(150)
    whole = debug.vocode(mel).samples
    monkeypatch.setattr(melgan, "_CHUNK", 40)
    np.testing.assert_allclose(debug.vocode(mel).samples, whole, atol=1e-5 * np.abs(whole).max())
    assert whole.shape == (1, 150 * 256)


@pytest.mark.parametrize("frames", [1, 3])
def test_short_mels_are_played(debug: SpectralVocoder, frames: int) -> None:
    assert debug.vocode(mels(frames)).samples.shape == (1, frames * 256)


def test_it_learns_to_play_a_chord() -> None:
    """What it plays after a hundred steps on one sound has its mel, and it had not before."""
    time = np.arange(16384) / mel80.rate
    chord = sum(0.2 * np.sin(2 * np.pi * pitch * time) for pitch in (220, 277.2, 329.6)).astype(np.float32)
    mel = torch.from_numpy(mel80(Audio(chord, mel80.rate))[:64].T.copy())[None]
    torch.manual_seed(0)
    network = SpectralVocoder(SpectralVocoderConfig(32, 64, 2))
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    errors = []
    for _ in range(100):
        errors.append(take_step(optimizer, (mel_levels(network(mel)[:, 0])[..., :64] - mel).abs().mean()))
    assert errors[-1] < 0.35 * errors[0]


def test_a_folder_and_back(debug: SpectralVocoder, tmp_path: Path) -> None:
    debug.save_pretrained(tmp_path / "spectral")
    MelGAN.from_config("debug").save_pretrained(tmp_path / "melgan")
    again = load_vocoder(tmp_path / "spectral")
    np.testing.assert_array_equal(again.vocode(mels(9)).samples, debug.vocode(mels(9)).samples)
    assert isinstance(load_vocoder(tmp_path / "melgan"), MelGAN)
    KeypointEncoder.from_config("debug").save_pretrained(tmp_path / "encoder")
    with pytest.raises(ModelError, match="makes no sound of mel spectrograms"):
        load_vocoder(tmp_path / "encoder")


@pytest.mark.parametrize("wrong", [{"kernel": 4}, {"width": 0}, {"layers": 0}])
def test_wrong_sizes(wrong: dict[str, int]) -> None:
    with pytest.raises(ModelError):
        SpectralVocoderConfig(**wrong)


def test_wrong_mels(debug: SpectralVocoder) -> None:
    with pytest.raises(UsageError, match="80"):
        debug(torch.rand(1, 81, 9))
    with pytest.raises(UsageError, match="not finite"):
        debug.vocode(np.full((9, 80), np.nan, np.float32))
