"""Auxiliary targets are what sounds, at the right moment; a network can learn to predict them."""

import numpy as np
import torch

from ictus.audio import Audio
from ictus.features import mel80
from ictus.sound.metrics.pitch import LOWEST
from ictus.sound.models.auxiliary_heads import CLASSES, MOMENTS, AuxiliaryHeads, auxiliary_targets
from task_steps import take_step


def scale() -> tuple[torch.Tensor, list[int]]:
    """Four tones of half a second, each with six partials and a clear beginning: a mel (80, T) in [-1, 1]."""
    pitches, rate = [60, 64, 67, 72], mel80.rate
    time = np.arange(rate // 2) / rate
    tones = []
    for pitch in pitches:
        frequency = 440 * 2 ** ((pitch - 69) / 12)
        tone = sum(0.8**k * np.sin(2 * np.pi * k * frequency * time) / k for k in range(1, 7))
        tones.append(tone * np.exp(-3 * time) * np.minimum(1, time / 0.01))
    samples = 0.3 * np.concatenate(tones).astype(np.float32)
    return torch.from_numpy(2 * mel80(Audio(samples, rate)).T - 1), pitches


def test_pitches_and_onsets_are_where_they_sound() -> None:
    mel, pitches = scale()
    found = auxiliary_targets(mel[:, :160])
    assert found.shape == (40, 2)
    assert found.dtype == torch.int16
    moments = (np.arange(40) + 0.5) * 4 / 86.1328  # seconds
    for number, pitch in enumerate(pitches):
        inside = (moments > 0.5 * number + 0.1) & (moments < 0.5 * number + 0.45)
        assert (found[inside, 0] == pitch - LOWEST + 1).all()
    begun = moments[found[:, 1].numpy() == 1]
    for start in (0.5, 1.0, 1.5):
        assert np.abs(begun - start).min() < 0.06
    assert len(begun) <= 5


def test_silence_has_no_pitch() -> None:
    found = auxiliary_targets(torch.full((80, 64), -1.0))
    assert not found.any()


def test_they_can_be_learnt() -> None:
    torch.manual_seed(0)
    heads = AuxiliaryHeads(16)
    condition = torch.randn(2, 3, 16)
    targets = torch.stack((torch.randint(1, CLASSES, (2, 3 * MOMENTS)), torch.randint(0, 2, (2, 3 * MOMENTS))), -1)
    optimizer = torch.optim.Adam(heads.parameters(), 0.05)
    first, _ = heads.loss(condition, targets)
    for _ in range(60):
        loss, accuracy = heads.loss(condition, targets)
        take_step(optimizer, loss)
    assert loss < 0.2 * first
    assert accuracy > 0.9
