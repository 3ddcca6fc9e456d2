"""Distances between and within sets of features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from ictus.dance.metrics.inputs import Array
from ictus.errors import UsageError

Features = NDArray[np.floating]


def normalised(reference: Features, estimate: Features, eps: float = 1e-10) -> tuple[Array, Array]:
    """Return both sets less the reference's mean, in units of its standard deviation: what FID and Dist are taken of.

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each motion.
    eps : added to the deviation; 1e-10 in FACT, 1e-5 in Bailando. A feature that is constant in the reference and not
        in the estimate is blown up by its inverse.
    """
    real, made = _checked(reference, "reference"), _checked(estimate, "estimate")
    _check_columns(real, made)
    mean, deviation = real.mean(0), real.std(0) + eps
    return (real - mean) / deviation, (made - mean) / deviation


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
    def of(cls, features: Features, name: str = "features") -> "Normal":
        """Fit it to (N, F), N >= 2; raises UsageError, by this name, if they are something else."""
        rows = _checked(features, name, 2)
        mean = rows.mean(0)
        return cls(mean, np.asarray(np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1), mode="r")))


def frechet_distance(reference: Features | Normal, estimate: Features) -> float:
    """Frechet distance of the normal distributions that have the means and covariances of two sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); normalise the features first to compare with published FID.

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each motion; N, M >= 2. With fewer rows than columns the
        covariances have no full rank, which this way of taking the root does not mind.

    Source: Heusel et al., GANs Trained by a Two Time-Scale Update Rule (NeurIPS 2017).
    """
    real = reference if isinstance(reference, Normal) else Normal.of(reference, "reference")
    made = Normal.of(estimate, "estimate")
    _check_columns(real.mean, made.mean)
    # C = R'R, R being the triangle of the centred rows. The eigenvalues of C1 C2 are the squared singular values of
    # R1 R2': so no root is taken of rounding errors, as it would be of C1 C2.
    shared = np.linalg.svd(real.triangle @ made.triangle.T, compute_uv=False).sum()
    apart = ((real.mean - made.mean) ** 2).sum()
    spread = (real.triangle**2).sum() + (made.triangle**2).sum() - 2 * shared
    return float(apart + max(0.0, spread))  # of equal sets, rounding may leave less than nothing


def diversity(features: Features) -> float:
    """Dist: mean Euclidean distance between every two rows of (N, F), N >= 2.

    Normalise the features first, by those of real dances, to compare with published values.
    """
    return float(pdist(_checked(features, "features", 2)).mean())


def _checked(features: Features, name: str, least: int = 1) -> Array:
    array = np.asarray(features)
    if array.dtype.kind not in "fiu" or array.ndim != 2 or len(array) < least or not array.shape[1]:
        raise UsageError(
            f"the {name} has shape {array.shape}; it must be (motions, features) of {least} or more motions"
        )
    if not np.isfinite(array).all():
        raise UsageError(f"the {name} is not finite (first in row {int((~np.isfinite(array)).any(1).argmax())})")
    return array.astype(np.float64)


def _check_columns(real: Array, made: Array) -> None:
    if real.shape[-1] != made.shape[-1]:
        raise UsageError(f"the reference has {real.shape[-1]} features and the estimate {made.shape[-1]}")
