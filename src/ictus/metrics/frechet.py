"""Frechet distance between two sets of features, which evaluations of dance and of sound share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ictus.errors import UsageError
from ictus.types import Float64Array


@dataclass(frozen=True)
class Normal:
    """The normal distribution of a set of features: fit it once where many sets are compared with the same one.

    Attributes
    ----------
    mean : (F,).
    triangle : R (min(N, F), F), so that R'R is the covariance.
    """

    mean: Float64Array
    triangle: Float64Array

    @classmethod
    def of(cls, features: ArrayLike, name: str = "features") -> "Normal":
        """Fit it to (N, F), N >= 2; raises UsageError, by this name, if they are something else."""
        rows = feature_rows(features, name, 2)
        mean = rows.mean(0)
        return cls(mean, np.asarray(np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1), mode="r")))


def frechet_distance(reference: ArrayLike | Normal, estimate: ArrayLike) -> float:
    """Frechet distance of the normal distributions that have the means and covariances of two sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), in the squared unit of the features; 0 where both sets are alike.

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each sample; N, M >= 2. With fewer rows than columns the
        covariances have no full rank, which this way of taking the root does not mind.

    Raises
    ------
    UsageError
        If a set is too small, not finite, or of other columns.

    Source: Heusel et al., GANs Trained by a Two Time-Scale Update Rule (NeurIPS 2017).
    """
    real = reference if isinstance(reference, Normal) else Normal.of(reference, "reference")
    made = Normal.of(estimate, "estimate")
    check_columns(real.mean, made.mean)
    # C = R'R, R being the triangle of the centred rows. The eigenvalues of C1 C2 are the squared singular values of
    # R1 R2': so no root is taken of rounding errors, as it would be of C1 C2.
    shared = np.linalg.svd(real.triangle @ made.triangle.T, compute_uv=False).sum()
    apart = ((real.mean - made.mean) ** 2).sum()
    spread = (real.triangle**2).sum() + (made.triangle**2).sum() - 2 * shared
    return float(apart + max(0.0, spread))  # of equal sets, rounding may leave less than nothing


def feature_rows(features: ArrayLike, name: str, least: int = 1) -> Float64Array:
    """Return (N, F) as float64, N >= `least`; raises UsageError, by this name, if they are something else."""
    array = np.asarray(features)
    if array.dtype.kind not in "fiu" or array.ndim != 2 or len(array) < least or not array.shape[1]:
        raise UsageError(f"the {name} has shape {array.shape}; it must be (N, features), N being {least} or more")
    if not np.isfinite(array).all():
        raise UsageError(f"the {name} is not finite (first in row {int((~np.isfinite(array)).any(1).argmax())})")
    return array.astype(np.float64)


def check_columns(reference: Float64Array, estimate: Float64Array) -> None:
    """Raise UsageError if two sets differ in columns."""
    if reference.shape[-1] != estimate.shape[-1]:
        raise UsageError(f"the reference has {reference.shape[-1]} features and the estimate {estimate.shape[-1]}")
