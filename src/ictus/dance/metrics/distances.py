"""Distances between and within sets of features."""

from scipy.spatial.distance import pdist

from ictus.metrics.frechet import check_columns, feature_rows
from ictus.types import Float64Array, FloatArray


def normalised(reference: FloatArray, estimate: FloatArray, eps: float = 1e-10) -> tuple[Float64Array, Float64Array]:
    """Return both sets less the reference's mean, in units of its standard deviation: what FID and Dist are taken of.

    Parameters
    ----------
    reference, estimate : (N, F) and (M, F), a row for each motion.
    eps : added to the deviation; 1e-10 in FACT, 1e-5 in Bailando. A feature that is constant in the reference and not
        in the estimate is blown up by its inverse.
    """
    real, made = feature_rows(reference, "reference"), feature_rows(estimate, "estimate")
    check_columns(real, made)
    mean, deviation = real.mean(0), real.std(0) + eps
    return (real - mean) / deviation, (made - mean) / deviation


def diversity(features: FloatArray) -> float:
    """Dist: mean Euclidean distance between every two rows of (N, F), N >= 2, in their unit.

    Normalise the features first, by those of real dances, to compare with published values.
    """
    return float(pdist(feature_rows(features, "features", 2)).mean())
