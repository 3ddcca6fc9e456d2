"""Weights averaged over the steps of training."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """An exponential moving average of all parameters and floating-point buffers of some networks.

    It forgets faster in the first steps, so that it does not remember the initial weights: the decay of step n is at
    most (1 + n) / (10 + n).
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        live = {
            f"{name}/{key}": tensor
            for name, network in networks.items()
            for key, tensor in network.state_dict().items()  # these share their memory with the network
            if tensor.is_floating_point()
        }
        self.tensors: dict[str, Tensor] = {key: tensor.clone() for key, tensor in live.items()}
        self._live, self._means = ([_local(tensor) for tensor in t.values()] for t in (live, self.tensors))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Add the weights after a step, counted from 0."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._means, self._live, weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages into the networks for a block, then the weights back."""
        kept = [tensor.clone() for tensor in self._live]
        with torch.no_grad():
            torch._foreach_copy_(self._live, self._means)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self._live, kept)


def _local(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor that is sharded (FSDP), sharing its memory."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local.detach()
