"""Controls of an evaluation: the truth, what reaches the ear of it, and sound that does not belong to it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ictus.audio import Audio
from ictus.features import mel80
from ictus.sound.data.samples import Mel, Play, Sample, Samples

if TYPE_CHECKING:
    from ictus.sound.models.codebook import SpectrogramCodebook

Voice = Callable[[Mel], Audio]  # (T, 80) in [0, 1] -> sound, frame k being centred on sample 256 k

TRUTH = "ground truth"
SAME, OTHER, MEAN = "other of the instrument", "other of any instrument", "mean mel"


def the_truth(sample: Sample, seed: int) -> Mel:
    """Play what was played."""
    return sample.mel


def controls(samples: Samples) -> Mapping[str, Play]:
    """Return those who play without knowing the performance; `SAME` only where there is an other one for each."""
    found = {OTHER: another(samples, alike=False), MEAN: mean_of(samples)}
    if all(len(samples.others(number, alike=True)) for number in range(len(samples))):
        return {SAME: another(samples, alike=True), **found}
    return found


def another(samples: Samples, *, alike: bool) -> Play:
    """Return one who plays what was played in any other performance; `alike`: with the same instrument."""

    def play(sample: Sample, seed: int) -> Mel:
        return samples.mel(chosen(samples, sample, seed, alike=alike))

    return play


def chosen(samples: Samples, sample: Sample, seed: int, *, alike: bool) -> int:
    """Return the number of a window of another performance; of another instrument if there is none of the same."""
    others = samples.others(sample.number, alike=alike)
    others = others if len(others) else samples.others(sample.number, alike=False)
    return int(np.random.default_rng([seed, sample.number]).choice(others))


def mean_of(samples: Samples) -> Play:
    """Return one who plays the mean level of each band, of all true sounds, all the time."""
    level = np.mean([samples.mel(number).mean(0) for number in range(len(samples))], 0, np.float32)

    def play(sample: Sample, seed: int) -> Mel:
        return np.broadcast_to(level, sample.mel.shape).copy()

    return play


def through_codebook(codebook: "SpectrogramCodebook", play: Play = the_truth) -> Play:
    """Return one who plays as another does, but told by codes: the best that a soloist of these codes can do."""
    import torch

    def played(sample: Sample, seed: int) -> Mel:
        mel = torch.from_numpy(2 * play(sample, seed).T - 1)[None]  # (1, 80, T)
        return as_level(codebook.reconstruct(mel)[0].numpy())

    return played


def through_sound(voice: Voice, play: Play = the_truth) -> Play:
    """Return one who plays as another does, made into sound and heard again."""

    def played(sample: Sample, seed: int) -> Mel:
        mel = play(sample, seed)
        return mel80(voice(mel))[: len(mel)]

    return played


def as_level(mel: Mel) -> Mel:
    """(80, T) in [-1, 1], of networks -> (T, 80) in [0, 1]."""
    return np.ascontiguousarray(np.clip((mel.T + 1) / 2, 0, 1), np.float32)
