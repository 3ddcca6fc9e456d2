"""FID and KID: distances between sets of sounds, by the features that a network computes of them."""

import numpy as np
from numpy.typing import ArrayLike

from ictus.errors import UsageError
from ictus.metrics.frechet import check_columns, feature_rows
from ictus.types import Float64Array

SEED = 2020  # of the published subsets and splits


def kernel(first: Float64Array, second: Float64Array) -> Float64Array:
    """Return ((x, y) / F + 1)^3 of each row of (N, F) with each of (M, F): (N, M)."""
    return np.asarray((first @ second.T / first.shape[1] + 1) ** 3)


def kernel_distance(
    reference: ArrayLike, estimate: ArrayLike, *, subsets: int = 100, size: int = 1000, seed: int = SEED
) -> tuple[float, float]:
    """KID: squared maximum mean discrepancy with a cubic kernel, unbiased; less is nearer, and chance may be below 0.

    The kernel being of scalar products, its unit is the sixth power of that of the features.

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each sound; N, M >= 2.
    subsets, size : how many subsets of each set are compared, and of how many rows; of fewer where a set has fewer.
    seed : by which subsets are drawn, without repetition.

    Returns
    -------
    Mean and standard deviation over the subsets.

    Raises
    ------
    UsageError
        If a set is too small, not finite, or of other columns.

    Source: Binkowski et al., Demystifying MMD GANs (ICLR 2018), with the settings of Iashin & Rahtu (BMVC 2021).
    """
    real, made = feature_rows(reference, "reference", 2), feature_rows(estimate, "estimate", 2)
    check_columns(real, made)
    size = min(size, len(real), len(made))
    if subsets < 1 or size < 2:
        raise UsageError(f"{subsets} subsets of {size}; one subset of two sounds is the least")
    rng = np.random.RandomState(seed)  # as published, so that the same subsets are drawn
    of_real, of_made, between = kernel(real, real), kernel(made, made), kernel(real, made)
    found = []
    for _ in range(subsets):
        first = rng.choice(len(real), size, replace=False)
        second = rng.choice(len(made), size, replace=False)
        within = [_off_diagonal(of[np.ix_(own, own)]) for of, own in ((of_real, first), (of_made, second))]
        found.append(sum(within) - 2 * between[np.ix_(first, second)].mean())
    return float(np.mean(found)), float(np.std(found))


def _off_diagonal(square: Float64Array) -> float:
    """Return the mean of what is not on the diagonal."""
    count = len(square)
    return float((square.sum() - np.trace(square)) / (count * (count - 1)))
