"""Metrics of sound: those that were published for sound generated from films, and whether it is in time and in tune.

All take mel80: (T, 80) levels in [0, 1], 86.13 frames a second.

Of sets of sounds, by the features and classes that a network predicts of them:

- FID: `frechet_distance`; KID: `kernel_distance`; less is nearer to the reference.
- ISc: `inception_score`; how sure the network is, and of how many kinds; that of the ground truth is ideal.
- KL (MKL): `kl_divergence` of each sound from the reference that belongs to it.

Of one sound and its reference:

- `mel_error`: mean absolute difference of the mels, from 0 to 1.
- `onset_f_measure` of `onset_times`: notes that begin when they should, within 50 ms; as mir_eval.onset.
- `chroma_accuracy` of `pitch_classes`: frames in tune, whatever the octave.

Papers
------
- Iashin & Rahtu: Taming Visually Guided Sound Generation, BMVC 2021 (FID, KID, ISc, KL of mels; seed 2020).
- Heusel et al., NeurIPS 2017 (FID). Binkowski et al., ICLR 2018 (KID). Salimans et al., NeurIPS 2016 (inception score).

Known deviations
----------------
- The published network is Melception, of which only its users have the weights. Ours is `InstrumentClassifier`; values
  by different networks cannot be compared. Any other is given as a function, see `ExtractFeatures`.
- The root of a product of covariances comes from singular values: equal to that of scipy.linalg.sqrtm where the latter
  converges, and exact where the covariances have no full rank.
- Onsets and pitches are detected in the mel. Neither is perfect on recorded sound, so the ground truth's own value
  against the notes is the best that can be expected.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ictus.errors import UsageError
from ictus.metrics.frechet import frechet_distance
from ictus.sound.metrics.distances import kernel_distance
from ictus.sound.metrics.inception import inception_score, kl_divergence
from ictus.sound.metrics.inputs import as_mel
from ictus.sound.metrics.onsets import onset_f_measure, onset_times
from ictus.sound.metrics.pitch import chroma_accuracy, note_classes, pitch_classes, pitches
from ictus.types import Float32Array, Float64Array

__all__ = [
    "ExtractFeatures",
    "chroma_accuracy",
    "evaluate",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "kl_divergence",
    "mel_error",
    "note_classes",
    "onset_f_measure",
    "onset_times",
    "pitch_classes",
    "pitches",
]

ExtractFeatures: TypeAlias = Callable[
    [Float32Array], tuple[ArrayLike, ArrayLike]
]  # mel (T, 80) -> features (F,), logits (C,)

MIN_SPLIT_SOUNDS = 100  # sounds, below which the inception score is that of the whole set


def mel_error(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Mean absolute difference of two mels (T, 80) in [0, 1]: 0 to 1, of which 0.01 is 1 dB.

    Raises
    ------
    AudioError, UsageError
        If either is none, or they differ in length.
    """
    target, made = as_mel(reference, "reference"), as_mel(estimate, "estimate")
    if target.shape != made.shape:
        raise UsageError(f"the reference has {len(target)} frames and the estimate {len(made)}; they must be as long")
    return float(np.abs(target - made).mean())


def evaluate(
    reference: Sequence[Float32Array], estimate: Sequence[Float32Array], *, extract: ExtractFeatures | None = None
) -> dict[str, float]:
    """Compute all metrics that the arguments allow.

    Parameters
    ----------
    reference, estimate : mels (T, 80) in [0, 1]; those with the same number belong together and are as long.
    extract : returns what a network makes of a mel: features, and logits of its classes.

    Returns
    -------
    l1, onset_f, chroma: means over the sounds in which they are defined (chroma: in which there is sound); with
    `extract` also fid, kid, isc and kl.

    Raises
    ------
    UsageError, AudioError
        If the sets differ in number, hold fewer than two sounds, or one cannot be measured.
    """
    if len(reference) != len(estimate) or len(reference) < 2:
        raise UsageError(f"{len(reference)} sounds of reference and {len(estimate)} others; give two pairs or more")
    pairs = list(zip(reference, estimate, strict=True))
    onsets = [(onset_times(target), onset_times(made)) for target, made in pairs]
    in_time = [onset_f_measure(target, made)[0] for target, made in onsets if len(target)]
    in_tune = [chroma_accuracy(pitch_classes(target), pitch_classes(made)) for target, made in pairs]
    scores = {
        "l1": float(np.mean([mel_error(target, made) for target, made in pairs])),
        "onset_f": float(np.mean(in_time)) if in_time else float("nan"),
        "chroma": float(np.nanmean(in_tune)) if np.isfinite(in_tune).any() else float("nan"),
    }
    if extract is not None:
        (real, target), (made, predicted) = (extract_features(mels, extract) for mels in (reference, estimate))
        scores["fid"] = frechet_distance(real, made)
        scores["kid"] = kernel_distance(real, made)[0]
        scores["isc"] = inception_score(predicted, splits=10 if len(predicted) >= MIN_SPLIT_SOUNDS else 1)[0]
        scores["kl"] = float(kl_divergence(target, predicted).mean())
    return scores


def extract_features(mels: Sequence[Float32Array], extract: ExtractFeatures) -> tuple[Float64Array, Float64Array]:
    """Return features (N, F) and logits (N, C) of mels."""
    found = [extract(mel) for mel in mels]
    features, logits = (np.array([pair[k] for pair in found], np.float64) for k in range(2))
    return features, logits
