"""Controls of an evaluation: the ground truth, what codes and vocoders leave of it, and other performances."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ictus.audio import Audio
from ictus.features import mel80
from ictus.sound.data.samples import MelPredictor, PerformanceSample, PerformanceSamples
from ictus.types import Float32Array

if TYPE_CHECKING:
    from ictus.sound.models.codebook import SpectrogramCodebook

MelToAudio = Callable[[Float32Array], Audio]  # (T, 80) in [0, 1] -> sound, frame k being centred on sample 256 k

GROUND_TRUTH = "ground truth"
SAME, OTHER, MEAN = "other of the instrument", "other of any instrument", "mean mel"


def play_ground_truth(sample: PerformanceSample, seed: int) -> Float32Array:
    """MelPredictor what was played."""
    return sample.mel


def controls(samples: PerformanceSamples) -> Mapping[str, MelPredictor]:
    """Return models that do not depend on the performance; `SAME` only where there is an other one for each."""
    found = {OTHER: play_other(samples, same_instrument=False), MEAN: play_mean(samples)}
    if all(len(samples.others(number, same_instrument=True)) for number in range(len(samples))):
        return {SAME: play_other(samples, same_instrument=True), **found}
    return found


def play_other(samples: PerformanceSamples, *, same_instrument: bool) -> MelPredictor:
    """Return a model that plays any other performance; `same_instrument`: with the same instrument."""

    def play(sample: PerformanceSample, seed: int) -> Float32Array:
        return samples.mel(choose_other(samples, sample, seed, same_instrument=same_instrument))

    return play


def choose_other(samples: PerformanceSamples, sample: PerformanceSample, seed: int, *, same_instrument: bool) -> int:
    """Return the number of a window of another performance; of another instrument if there is none of the same."""
    others = samples.others(sample.number, same_instrument=same_instrument)
    others = others if len(others) else samples.others(sample.number, same_instrument=False)
    return int(np.random.default_rng([seed, sample.number]).choice(others))


def play_mean(samples: PerformanceSamples) -> MelPredictor:
    """Return a model that plays the mean level of each band, over the whole corpus, all the time."""
    level = np.mean([samples.mel(number).mean(0) for number in range(len(samples))], 0, np.float32)

    def play(sample: PerformanceSample, seed: int) -> Float32Array:
        return np.broadcast_to(level, sample.mel.shape).copy()

    return play


def through_codebook(codebook: "SpectrogramCodebook", play: MelPredictor = play_ground_truth) -> MelPredictor:
    """Return a model whose mels are encoded and decoded: the best that a soloist of these codes can do."""
    import torch

    def played(sample: PerformanceSample, seed: int) -> Float32Array:
        mel = torch.from_numpy(2 * play(sample, seed).T - 1)[None]  # (1, 80, T)
        return to_levels(codebook.reconstruct(mel)[0].numpy())

    return played


def through_vocoder(vocode: MelToAudio, play: MelPredictor = play_ground_truth) -> MelPredictor:
    """Return a model whose mels are vocoded, and computed anew of the sound."""

    def played(sample: PerformanceSample, seed: int) -> Float32Array:
        mel = play(sample, seed)
        return mel80(vocode(mel))[: len(mel)]

    return played


def to_levels(mel: Float32Array) -> Float32Array:
    """(80, T) in [-1, 1], of networks -> (T, 80) in [0, 1]."""
    return np.ascontiguousarray(np.clip((mel.T + 1) / 2, 0, 1), np.float32)
