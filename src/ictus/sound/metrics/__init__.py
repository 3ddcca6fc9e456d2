"""Metrics of sound: those that were published for what is played to films, and whether it is in time and in tune.

All take mel80: (T, 80) levels in [0, 1], 86.13 frames a second.

Of sets of sounds, by the features and classes that a network hears in them:

- FID: `frechet_distance`; KID: `kernel_distance`; less is nearer to the true set.
- ISc: `inception_score`; how sure the network is, and of how many kinds; that of true sounds is ideal.
- KL (MKL): `kl_divergence` of each sound from the true one that belongs to it.

Of one sound and the true one:

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
- Onsets and pitches are heard in the mel. Neither is perfect on true sound, so the ground truth's own figure against
  the notes is the best that can be expected.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ictus.errors import UsageError
from ictus.metrics.frechet import frechet_distance
from ictus.sound.metrics.distances import kernel_distance
from ictus.sound.metrics.inception import inception_score, kl_divergence
from ictus.sound.metrics.inputs import Array, as_mel
from ictus.sound.metrics.onsets import onset_f_measure, onset_times
from ictus.sound.metrics.pitch import chroma_accuracy, note_classes, pitch_classes, pitches

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

Mel: TypeAlias = NDArray[np.float32]
ExtractFeatures: TypeAlias = Callable[[Mel], tuple[ArrayLike, ArrayLike]]  # mel (T, 80) -> features (F,), logits (C,)

MIN_SPLIT_SOUNDS = 100  # sounds, below which the inception score is that of the whole set


def mel_error(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Mean absolute difference of two mels (T, 80) in [0, 1]: 0 to 1, of which 0.01 is 1 dB.

    Raises
    ------
    AudioError, UsageError
        If either is none, or they differ in length.
    """
    true, made = as_mel(reference, "reference"), as_mel(estimate, "estimate")
    if true.shape != made.shape:
        raise UsageError(f"the reference has {len(true)} frames and the estimate {len(made)}; they must be as long")
    return float(np.abs(true - made).mean())


def evaluate(
    reference: Sequence[Mel], estimate: Sequence[Mel], *, hear: ExtractFeatures | None = None
) -> dict[str, float]:
    """Compute all metrics that the arguments allow.

    Parameters
    ----------
    reference, estimate : mels (T, 80) in [0, 1]; those with the same number belong together and are as long.
    hear : what a network hears in a mel: features, and logits of its classes.

    Returns
    -------
    l1, onset_f, chroma: means over the sounds in which they are defined (chroma: in which there is sound); with `hear`
    also fid, kid, isc and kl.

    Raises
    ------
    UsageError, AudioError
        If the sets differ in number, hold fewer than two sounds, or one cannot be measured.
    """
    if len(reference) != len(estimate) or len(reference) < 2:
        raise UsageError(f"{len(reference)} true sounds and {len(estimate)} others; give two pairs or more")
    pairs = list(zip(reference, estimate, strict=True))
    onsets = [(onset_times(true), onset_times(made)) for true, made in pairs]
    in_time = [onset_f_measure(true, made)[0] for true, made in onsets if len(true)]
    in_tune = [chroma_accuracy(pitch_classes(true), pitch_classes(made)) for true, made in pairs]
    scores = {
        "l1": float(np.mean([mel_error(true, made) for true, made in pairs])),
        "onset_f": float(np.mean(in_time)) if in_time else float("nan"),
        "chroma": float(np.nanmean(in_tune)) if np.isfinite(in_tune).any() else float("nan"),
    }
    if hear is not None:
        (real, known), (made, told) = (extract_features(mels, hear) for mels in (reference, estimate))
        scores["fid"] = frechet_distance(real, made)
        scores["kid"] = kernel_distance(real, made)[0]
        scores["isc"] = inception_score(told, splits=10 if len(told) >= MIN_SPLIT_SOUNDS else 1)[0]
        scores["kl"] = float(kl_divergence(known, told).mean())
    return scores


def extract_features(mels: Sequence[Mel], hear: ExtractFeatures) -> tuple[Array, Array]:
    """Return features (N, F) and logits (N, C) of mels."""
    found = [hear(mel) for mel in mels]
    features, logits = (np.array([pair[k] for pair in found], np.float64) for k in range(2))
    return features, logits
