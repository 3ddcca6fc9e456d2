"""FID and KID: distances between sets of sounds, by the features that a network hears in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ictus.errors import UsageError
from ictus.sound.metrics.inputs import Array, as_rows, check_alike

SEED = 2020  # of the published subsets and splits


@dataclass(frozen=True)
class Normal:
    """The normal distribution of a set of features: fit it once where many sets are compared with the same one.

    Attributes
    ----------
    mean : (F,).
    triangle : R (min(N, F), F), so that R'R is the covariance.
    """

    mean: Array
    triangle: Array

    @classmethod
    def of(cls, features: ArrayLike, name: str = "features") -> "Normal":
        """Fit it to (N, F), N >= 2; raises UsageError, by this name, if they are something else."""
        rows = as_rows(features, name, 2)
        mean = rows.mean(0)
        return cls(mean, np.asarray(np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1), mode="r")))


def frechet_distance(reference: ArrayLike | Normal, estimate: ArrayLike) -> float:
    """FID: Frechet distance of the normal distributions that have the means and covariances of two sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each sound; N, M >= 2. With fewer rows than columns the
        covariances have no full rank, which this way of taking the root does not mind (published: 1e-6 is added to
        their diagonals where scipy.linalg.sqrtm fails).

    Raises
    ------
    UsageError
        If a set is too small, not finite, or of other columns.

    Source: Heusel et al., GANs Trained by a Two Time-Scale Update Rule (NeurIPS 2017).
    """
    real = reference if isinstance(reference, Normal) else Normal.of(reference, "reference")
    made = Normal.of(estimate, "estimate")
    check_alike(real.mean, made.mean)
    # C = R'R; the eigenvalues of C1 C2 are the squared singular values of R1 R2'
    shared = np.linalg.svd(real.triangle @ made.triangle.T, compute_uv=False).sum()
    spread = (real.triangle**2).sum() + (made.triangle**2).sum() - 2 * shared
    return float(((real.mean - made.mean) ** 2).sum() + max(0.0, spread))


def kernel(first: Array, second: Array) -> Array:
    """Return ((x, y) / F + 1)^3 of each row of (N, F) with each of (M, F): (N, M)."""
    return np.asarray((first @ second.T / first.shape[1] + 1) ** 3)


def kernel_distance(
    reference: ArrayLike, estimate: ArrayLike, *, subsets: int = 100, size: int = 1000, seed: int = SEED
) -> tuple[float, float]:
    """KID: squared maximum mean discrepancy with a cubic kernel, unbiased; less is nearer, and chance may be below 0.

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
    real, made = as_rows(reference, "reference", 2), as_rows(estimate, "estimate", 2)
    check_alike(real, made)
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


def _off_diagonal(square: Array) -> float:
    """Return the mean of what is not on the diagonal."""
    count = len(square)
    return float((square.sum() - np.trace(square)) / (count * (count - 1)))
