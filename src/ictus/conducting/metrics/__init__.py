"""Metrics of conducting motion: the published ones, and what a watcher would ask of a conductor.

Published. All compare (B, T, 13, 2) references with as many estimates, conductor-13 at 30 fps, seen as 26 channels:

- `rhythm_density_error` (RDE): power spectral density S of each channel by Welch's method (Hann segments of 256 frames,
  half overlapping, each less its mean; density per Hz), mean over channels; bins 6 to 25 (0.70 to 2.93 Hz, a pulse of
  42 to 176 a minute): log(1e7 mean (S_est - S_ref)^2 + 1), the mean over bins; then the mean over samples.
- `strength_contour_error` (SCE): first difference per frame (the first is 0), mean over channels, then its absolute
  value (so that movements in opposite directions cancel), then averages A over 60 frames every 30:
  log(1e7 mean (A_est - A_ref)^2 + 1), the mean over windows; then the mean over samples.
- `standard_deviation_percentage` (SDP): 100 mean s(est) / mean s(ref), s = standard deviation of a channel
  over time. 0 is frozen, 100 is ideal.
- `mean_squared_error` (MSE) of the coordinates.
- `sync_error`, also MPE: mean L1 distance of the last motion features of a evaluator, an M2S-Net.
- `wasserstein_estimate`: mean score of the references less that of the estimates, by the discriminator of M2S-GAN.

A set has the mean of its samples' RDE and SCE, as in the authors' evaluation, which takes batches of one; their loss
function by itself takes the logarithm of a batch's mean, which is larger. `rhythm_density_errors` and
`strength_contour_errors` give each sample's own, for intervals by resampling.

Beyond. From a motion alone, or with the true beats of its music:

- `ictus_times`: the instants that the hands mark. A low point of a wrist: a minimum of its height, smoothed by a
  Savitzky-Golay filter (19 frames at 30 fps, order 5), of a prominence of at least a tenth of the wrist's range, at
  least 0.2 s from another. The filter moves the low point between a long stroke and a short rebound by up to 40 ms, so
  its time is that of the lowest point within 70 ms in the wrist's own course, refined by a parabola. The hand that
  travels further leads. The other one is at rest if it travels less than a quarter of that way; otherwise it adds its
  low points where the leading hand leaves out a beat: further than three quarters of the median interval (and than
  0.15 s) from its marks.
- `beat_scores`, `best_lag`: F-measure, CMLt and AMLt of those instants against true beats, beside the control of the
  same icti shifted in time; `f_measure` and `continuity` compare any two sequences of times.
- `jerk`, `bone_length_constancy`, `left_right_correlation` of a motion, and the `diversity` of several.

Papers
------
- F. Liu, D. Chen, R. Zhou, S. Yang, F. Xu: Self-Supervised Music-Motion Synchronization Learning for Music-Driven
  Conducting Motion Generation, JCST 2022 (RDE, SCE, MPE; the Prospective Cup competition added SDP).
- M. Davies, N. Degara, M. Plumbley: Evaluation Methods for Musical Audio Beat Tracking Algorithms, C4DM-TR-09-06, Queen
  Mary University of London, 2009 (F-measure, CMLt, AMLt).

Conventions
-----------
The reference comes first. NumPy arrays and motions give floats; tensors give tensors on their device, which can be
differentiated (losses). float32 and float64 are computed as such, half precision in float32, whole numbers in float64.
Arrays carry no frame rate and are taken to be at 30 fps; a `Motion` of another one is refused.

Known deviations
----------------
- A motion shorter than 256 frames has no RDE here. scipy.signal.welch, and so the authors' code, would shorten the
  segment, and bins 6 to 25 would be other frequencies.
- The authors compute log(x + 1), here log1p(x): the same up to 1e-16.
- No first seconds are cut from beats before they are compared, as mir_eval's `evaluate` does (5 s).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ictus.beats.metrics import continuity, f_measure
from ictus.conducting.metrics.body import bone_length_constancy, diversity, jerk, left_right_correlation
from ictus.conducting.metrics.ictus import beat_scores, best_lag, ictus_times
from ictus.conducting.metrics.inputs import SKELETON, Given, as_tensors, validate
from ictus.conducting.metrics.published import (
    mean_squared_error,
    rhythm_density_error,
    rhythm_density_errors,
    standard_deviation_percentage,
    strength_contour_error,
    strength_contour_errors,
    sync_error,
    wasserstein_estimate,
)
from ictus.conducting.models.m2s_gan import Discriminator
from ictus.conducting.models.m2s_net import MOTION_RATE, M2SNet
from ictus.errors import UsageError
from ictus.motion import Motion

__all__ = [
    "beat_scores",
    "best_lag",
    "bone_length_constancy",
    "continuity",
    "diversity",
    "evaluate",
    "f_measure",
    "ictus_times",
    "jerk",
    "left_right_correlation",
    "mean_squared_error",
    "rhythm_density_error",
    "rhythm_density_errors",
    "standard_deviation_percentage",
    "strength_contour_error",
    "strength_contour_errors",
    "sync_error",
    "validate",
    "wasserstein_estimate",
]


def evaluate(
    reference: Tensor | Given,
    estimate: Tensor | Given,
    *,
    evaluator: M2SNet | None = None,
    discriminator: Discriminator | None = None,
    beats: Sequence[ArrayLike] | None = None,
) -> dict[str, float]:
    """Compute all metrics that the arguments allow; each under its function's name.

    Parameters
    ----------
    reference, estimate : (B, T, 13, 2) at 30 fps, T >= 256, or a conductor-13 `Motion` each.
    evaluator, discriminator : in eval mode, for `sync_error` and `wasserstein_estimate`.
    beats : of each sample the true beats in seconds, for f_measure, cmlt, amlt and control (see `beat_scores`).

    Returns
    -------
    The published metrics of the batch; then means over the estimates, each by itself.
    """
    with torch.no_grad():
        real, made = as_tensors(reference, estimate)
        scores = {
            "rhythm_density_error": rhythm_density_error(real, made),
            "strength_contour_error": strength_contour_error(real, made),
            "standard_deviation_percentage": standard_deviation_percentage(real, made),
            "mean_squared_error": mean_squared_error(real, made),
        }
        if evaluator is not None:
            scores["sync_error"] = sync_error(real, made, evaluator)
        if discriminator is not None:
            scores["wasserstein_estimate"] = wasserstein_estimate(real, made, discriminator)
    motions = [Motion(positions, MOTION_RATE, SKELETON) for positions in made.detach().cpu().numpy()]
    alone: list[dict[str, float]] = [
        {
            "jerk": jerk(motion),
            "bone_length_constancy": bone_length_constancy(motion),
            "left_right_correlation": left_right_correlation(motion),
        }
        for motion in motions
    ]
    if beats is not None:
        if len(beats) != len(motions):
            raise UsageError(f"beats of {len(beats)} samples were given for {len(motions)} motions")
        for values, motion, true_beats in zip(alone, motions, beats, strict=True):
            agreement = beat_scores(motion, true_beats)
            values |= {name: agreement[name] for name in ("f_measure", "cmlt", "amlt", "control")}
    means = {name: float(np.mean([values[name] for values in alone])) for name in alone[0]}
    return {name: float(value) for name, value in scores.items()} | means
