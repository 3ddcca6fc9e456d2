"""Vector quantisation: each vector becomes the nearest of a few learnt ones, and is represented by that one's number.

Source: van den Oord, Vinyals & Kavukcuoglu, "Neural Discrete Representation Learning", NeurIPS 2017, equation 3 and
appendix A.1 (moving averages); restarts of codes that are not used: Dhariwal et al., "Jukebox", 2020, section 3.1.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError


@dataclass(frozen=True)
class VectorQuantizerConfig:
    """Sizes, and how the codes learn.

    Attributes
    ----------
    codes, width : how many vectors there are to choose from, and of how many numbers.
    beta : weight of one of the two terms of the loss.
    placement : which one. "usual", as in the paper: beta weighs what draws the encoder towards the codes. "published",
        as in the code of VQGAN and all that was built on it: beta weighs what draws the codes towards the encoder.
    decay : if given, codes are moving averages of the vectors that chose them, and learn by no gradient.
    restart : if given, a code that was not chosen in so many training steps is replaced by a vector of the batch; all
        codes begin as such.
    """

    codes: int = 128
    width: int = 256
    beta: float = 0.25
    placement: Literal["usual", "published"] = "usual"
    decay: float | None = None
    restart: int | None = None

    def __post_init__(self) -> None:
        if self.codes < 2 or self.width < 1:
            raise ModelError(f"{self.codes} codes of {self.width} numbers; at least 2 of 1 are needed")
        if self.decay is not None and not 0 < self.decay < 1:
            raise ModelError(f"decay is {self.decay:g}; it must lie between 0 and 1, for example 0.99")
        if self.restart is not None and self.restart < 1:
            raise ModelError(f"restart is {self.restart}; it must be 1 or more steps")


class Quantized(NamedTuple):
    """What comes out.

    Attributes
    ----------
    values : (B, width, ...) the chosen vectors; gradients pass to the input as if nothing had happened.
    codes : (B, ...) int64, their numbers.
    loss : (), both terms, a mean over all numbers.
    counts : (codes,) float, how often each was chosen, in all processes that train.
    """

    values: Tensor
    codes: Tensor
    loss: Tensor
    counts: Tensor

    @property
    def usage(self) -> Tensor:
        """() the share of the codes that were chosen at all."""
        return (self.counts > 0).float().mean()

    @property
    def perplexity(self) -> Tensor:
        """() how many codes are in use, as it were: see `perplexity`."""
        return perplexity(self.counts)


def perplexity(counts: Tensor) -> Tensor:
    """Return the exponential of the entropy of counts (N,): N if all are chosen alike, 1 if one always is."""
    share = counts.float() / counts.sum().clamp(min=1)
    return torch.exp(-torch.xlogy(share, share).sum())


class VectorQuantizer(nn.Module):
    """The vectors, and the choice among them.

    Attributes
    ----------
    vectors : (codes, width).
    idle : (codes,) training steps since each was chosen.
    """

    idle: Tensor
    chosen: Tensor  # moving averages: how often each code is chosen in a step, and the sum of what chooses it
    total: Tensor

    def __init__(self, config: VectorQuantizerConfig) -> None:
        super().__init__()
        self.config = config
        vectors = torch.empty(config.codes, config.width).uniform_(-1 / config.codes, 1 / config.codes)
        self.vectors = nn.Parameter(vectors, requires_grad=config.decay is None)
        self.register_buffer("idle", torch.full((config.codes,), config.restart or 0))
        if config.decay is not None:
            self.register_buffer("chosen", torch.ones(config.codes))
            self.register_buffer("total", vectors.clone())

    def forward(self, x: Tensor) -> Quantized:
        """Choose, and in training keep the vectors alive.

        Parameters
        ----------
        x : (B, width, ...).

        Raises
        ------
        ModelError
            If a number is not finite: such vectors have no nearest one, and all would silently become code 0.
        """
        if not bool(x.isfinite().all()):
            raise ModelError(
                "what is to be quantised holds NaN or infinity: the encoder has diverged. Go on from the last good "
                "checkpoint with a lower learning rate, training.clip, or training.precision 32-true"
            )
        with torch.autocast(x.device.type, enabled=False):
            inputs = x.float().movedim(1, -1)  # (B, ..., width)
            codes = self.choose(inputs)
            counts = torch.bincount(codes.flatten(), minlength=self.config.codes).float()
            if self.training:
                counts = self._learn(inputs.detach().flatten(0, -2), codes.flatten(), counts)
            chosen = F.embedding(codes, self.vectors)  # (B, ..., width)
            loss = self._loss(inputs, chosen)
            values = inputs + (chosen - inputs).detach()
        return Quantized(values.movedim(-1, 1), codes, loss, counts)

    @torch.no_grad()
    def choose(self, inputs: Tensor) -> Tensor:
        """(..., width) -> (...) int64, the numbers of the nearest vectors."""
        flat = inputs.reshape(-1, self.config.width).float()
        # |x - v|^2 without |x|^2, which is the same for all v
        distances = self.vectors.square().sum(1) - 2 * flat @ self.vectors.T  # (N, codes)
        return distances.argmin(1).view(inputs.shape[:-1])

    def look_up(self, codes: Tensor) -> Tensor:
        """(B, ...) int64 -> (B, width, ...), the vectors of those numbers.

        Raises
        ------
        ModelError
            If there is no code of such a number.
        """
        low, high = (int(edge) for edge in codes.aminmax()) if codes.numel() else (0, 0)
        if low < 0 or high >= self.config.codes:
            raise ModelError(f"codes from {low} to {high}; there are those from 0 to {self.config.codes - 1}")
        return F.embedding(codes, self.vectors).movedim(-1, 1)

    def _loss(self, inputs: Tensor, chosen: Tensor) -> Tensor:
        beta, usual = self.config.beta, self.config.placement == "usual"
        commitment = F.mse_loss(inputs, chosen.detach())
        if self.config.decay is not None:
            return beta * commitment if usual else commitment
        following = F.mse_loss(chosen, inputs.detach())
        return following + beta * commitment if usual else commitment + beta * following

    @torch.no_grad()
    def _learn(self, inputs: Tensor, codes: Tensor, counts: Tensor) -> Tensor:
        """Move and restart vectors, all processes alike; return the counts of all of them."""
        counts = _summed(counts)
        if self.config.decay is not None:
            sums = _summed(torch.zeros_like(self.vectors).index_add_(0, codes, inputs))
            self.chosen.lerp_(counts, 1 - self.config.decay)
            self.total.lerp_(sums, 1 - self.config.decay)
            known = self.chosen > 1e-3  # the others are hardly chosen any more, and stay where they are
            self.vectors[known] = self.total[known] / self.chosen[known, None]
        self.idle.add_(1).masked_fill_(counts > 0, 0)
        if self.config.restart is not None:
            self._restart(inputs, self.idle > self.config.restart)
        return counts

    def _restart(self, inputs: Tensor, dead: Tensor) -> None:
        """Replace vectors by vectors of the batch, drawn at random."""
        if not bool(dead.any()):
            return
        drawn = torch.randint(len(inputs), (int(dead.sum()),), device=inputs.device)
        fresh = inputs[drawn]
        if _several():
            dist.broadcast(fresh, 0)
        self.vectors[dead] = fresh
        self.idle[dead] = 0
        if self.config.decay is not None:
            self.chosen[dead], self.total[dead] = 1.0, fresh


def _several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _summed(tensor: Tensor) -> Tensor:
    """Return the sum over the processes that train."""
    if _several():
        dist.all_reduce(tensor)
    return tensor
