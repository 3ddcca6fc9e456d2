"""The published metrics, one short function of tensors each; the package's docstring defines them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ictus.conducting.metrics.inputs import metric, sample_metric
from ictus.conducting.models.m2s_gan import Discriminator
from ictus.conducting.models.m2s_net import MOTION_RATE, M2SNet
from ictus.errors import UsageError

SEGMENT = 256  # frames of a segment of Welch's method; segments overlap by half
BINS = range(6, 26)  # of its spectrum: 0.70 to 2.93 Hz
STRENGTH_WINDOW, STRENGTH_STEP = 60, 30  # frames over which strength is averaged, and to the next average
SCALE = 1e7  # errors are reported as log(SCALE * x + 1)
_BATCH = 32  # samples that pass through a network at once


@sample_metric
def rhythm_density_errors(reference: Tensor, estimate: Tensor) -> Tensor:
    """Return (B,): the RDE of each sample of (B, T, 13, 2) at 30 fps, T >= 256; see `rhythm_density_error`."""
    return _log_scale(_rhythm_density(reference) - _rhythm_density(estimate))


@sample_metric
def strength_contour_errors(reference: Tensor, estimate: Tensor) -> Tensor:
    """Return (B,): the SCE of each sample of (B, T, 13, 2) at 30 fps, T >= 60; see `strength_contour_error`."""
    return _log_scale(_strength_contour(reference) - _strength_contour(estimate))


@metric
def rhythm_density_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """RDE: how far apart the power spectra between 0.70 and 2.93 Hz are (a pulse of 42 to 176 a minute).

    (B, T, 13, 2) at 30 fps, T >= 256 -> mean over samples of log(1e7 * mean squared difference + 1), 0 for equal
    spectra. A density is in units^2 / Hz, a unit being the picture's side.
    """
    return rhythm_density_errors(reference, estimate).mean()


@metric
def strength_contour_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """SCE: how far apart the speeds of the whole body are, averaged over 2 s every second.

    (B, T, 13, 2) at 30 fps, T >= 60 -> mean over samples of log(1e7 * mean squared difference + 1), 0 for equal
    contours. A speed is in units / frame, a unit being the picture's side.
    """
    return strength_contour_errors(reference, estimate).mean()


@metric
def standard_deviation_percentage(reference: Tensor, estimate: Tensor) -> Tensor:
    """SDP: how much the estimates move, in per cent of how much the references do.

    (B, T, 13, 2) -> 0 for what is frozen, 100 is ideal, above 100 moves too much.
    """
    moved = _deviation(reference)
    if not moved:
        raise UsageError("the reference does not move at all, so nothing can be a percentage of its movement")
    return 100 * _deviation(estimate) / moved


@metric
def mean_squared_error(reference: Tensor, estimate: Tensor) -> Tensor:
    """MSE: (B, T, 13, 2) -> mean of the squared differences of all coordinates; their unit is the picture's side."""
    return functional.mse_loss(estimate, reference)


@metric
def sync_error(reference: Tensor, estimate: Tensor, evaluator: M2SNet) -> Tensor:
    """Sync error, or MPE (motion perceptual error): mean L1 distance of the evaluator's last motion features.

    Parameters
    ----------
    reference, estimate : (B, T, 13, 2) at 30 fps; taken to the evaluator's device and precision.
    evaluator : in eval mode. As a loss: the network of stage 1; as a metric: one trained on the test split.
    """
    return _by_network(reference, estimate, evaluator, lambda r, e: (evaluator.motion(r) - evaluator.motion(e)).abs())


@metric
def wasserstein_estimate(reference: Tensor, estimate: Tensor, discriminator: Discriminator) -> Tensor:
    """Wasserstein estimate: mean score that the discriminator gives the references, less that of the estimates.

    Parameters
    ----------
    reference, estimate : (B, T, 13, 2) at 30 fps, T >= 41; taken to the discriminator's device and precision.
    discriminator : in eval mode; the estimate means as much as its training brought it near 1-Lipschitz.
    """
    return _by_network(reference, estimate, discriminator, lambda r, e: discriminator(r) - discriminator(e))


def _log_scale(differences: Tensor) -> Tensor:
    """(B, n) -> (B,): the scale on which RDE and SCE are published, of each sample: log(1e7 * mean square + 1)."""
    return torch.log1p(SCALE * differences.square().mean(1))


def _rhythm_density(motion: Tensor) -> Tensor:
    """(B, T, J, 2) -> (B, bins): power spectral density by Welch's method, mean over the channels.

    A bin of a segment is the product of its frames and a windowed sinusoid. A Hann window leaves a segment's mean in
    bins 0 and 1 alone, so it need not be taken off first. Each half of a segment is the other half of its neighbour,
    and is transformed as both.
    """
    _check_frames(motion, SEGMENT)
    half = SEGMENT // 2
    angle = torch.outer(torch.arange(SEGMENT), torch.tensor(BINS)).double() * (2 * torch.pi / SEGMENT)
    window = torch.hann_window(SEGMENT, dtype=torch.float64)
    window *= (2 / MOTION_RATE / window.square().sum()).sqrt()
    waves = torch.cat((angle.cos(), angle.sin()), 1).T * window  # (2 * bins, 256)
    whole = motion.shape[1] // half
    halves = motion[:, : whole * half].reshape(-1, whole, half, motion[0, 0].numel())  # (B, halves, 128, 26)
    both = torch.cat(torch.split(waves, half, 1)).to(motion) @ halves  # (B, halves, 4 * bins, 26)
    first, second = both.chunk(2, 2)
    power: Tensor = (first[:, :-1] + second[:, 1:]).square().mean((1, 3))  # (B, 2 * bins)
    return power[:, : len(BINS)] + power[:, len(BINS) :]


def _strength_contour(motion: Tensor) -> Tensor:
    """(B, T, J, 2) -> (B, windows): absolute mean velocity of the channels, averaged over windows."""
    _check_frames(motion, STRENGTH_WINDOW)
    channels = motion.flatten(2)  # (B, T, 26)
    velocity = channels.diff(dim=1) @ channels.new_full((channels.shape[2],), 1 / channels.shape[2])  # (B, T - 1)
    strength = functional.pad(velocity, (1, 0)).abs()  # (B, T): the first frame stands still
    return functional.avg_pool1d(strength[:, None], STRENGTH_WINDOW, STRENGTH_STEP)[:, 0]


def _deviation(motion: Tensor) -> Tensor:
    """(B, T, J, 2) -> mean standard deviation over time, but for a factor of T alone, which a ratio does not show."""
    deviation: Tensor = torch.linalg.vector_norm(motion - motion.mean(1, keepdim=True), dim=1)  # (B, J, 2)
    return deviation.mean()


def _by_network(
    reference: Tensor, estimate: Tensor, network: nn.Module, compare: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Return the mean of what a network finds between the two, a few samples at a time."""
    if network.training:
        raise UsageError(f"the {type(network).__name__} that judges is being trained; call its .eval() first")
    own = next(network.parameters())
    pairs = zip(torch.split(reference, _BATCH), torch.split(estimate, _BATCH), strict=True)
    return torch.cat([compare(r.to(own), e.to(own)).flatten(1).mean(1) for r, e in pairs]).mean()


def _check_frames(motion: Tensor, least: int) -> None:
    if motion.shape[1] < least:
        raise UsageError(f"the motions have {motion.shape[1]} frames; this metric needs at least {least}")
