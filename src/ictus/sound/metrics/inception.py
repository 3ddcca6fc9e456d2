"""Inception score and KL: by the classes that a network predicts of sounds."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, softmax

from ictus.errors import UsageError
from ictus.metrics.frechet import check_columns, feature_rows
from ictus.sound.metrics.distances import SEED
from ictus.types import Float64Array

EPS = 1e-6


def inception_score(logits: ArrayLike, *, splits: int = 10, seed: int = SEED) -> tuple[float, float]:
    """ISc: how sure the network is of each sound, and how many kinds of sound there are; higher is better.

    exp of the mean of KL(p(class | sound) || p(class)), p(class) being the mean of the set; at least 1, and at most the
    number of classes.

    Parameters
    ----------
    logits : (N, C), a row for each sound.
    splits : parts of the set, each with a score of its own.
    seed : by which the sounds are shuffled beforehand.

    Returns
    -------
    Mean and standard deviation over the splits.

    Raises
    ------
    UsageError
        If there are fewer sounds than splits, or they are not finite.

    Source: Salimans et al., Improved Techniques for Training GANs (NeurIPS 2016).
    """
    rows = feature_rows(logits, "logits")
    if not 1 <= splits <= len(rows):
        raise UsageError(f"{len(rows)} sounds in {splits} splits; each must hold one sound at least")
    order = np.random.RandomState(seed).permutation(len(rows))  # the published order
    scores = [_score(rows[part]) for part in np.split(order, [k * len(rows) // splits for k in range(1, splits)])]
    return float(np.mean(scores)), float(np.std(scores))


def kl_divergence(reference: ArrayLike, estimate: ArrayLike) -> Float64Array:
    """KL (MKL): how far the classes predicted of a sound are from those predicted of its reference; less is better.

    The sum over classes of p (log p - log(q + 1e-6)), p of the reference and q of the estimate. The published value is
    its mean; it depends on how sure of itself the network is.

    Parameters
    ----------
    reference, estimate : (N, C) logits; row k of both belongs together.

    Returns
    -------
    (N,), not below -1e-6 C.

    Raises
    ------
    UsageError
        If they differ in shape, or are not finite.

    Source: Iashin & Rahtu, Taming Visually Guided Sound Generation (BMVC 2021), section 4.2.
    """
    real, made = feature_rows(reference, "reference"), feature_rows(estimate, "estimate")
    check_columns(real, made)
    if len(real) != len(made):
        raise UsageError(f"{len(real)} sounds of reference and {len(made)} others; they must come in pairs")
    known, q = log_softmax(real, 1), softmax(made, 1)
    return np.asarray((np.exp(known) * (known - np.log(q + EPS))).sum(1))


def _score(logits: Float64Array) -> float:
    known = log_softmax(logits, 1)
    p = np.exp(known)
    with np.errstate(divide="ignore"):  # a class that is 0 in all has no part in the sum
        common = np.log(p.mean(0))
    parts = np.where(p > 0, p * (known - np.where(np.isfinite(common), common, 0)), 0)
    return float(np.exp(parts.sum(1).mean()))
