"""Normalisations that are measured on a corpus once, and saved with the network."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """A normalisation, x -> (x - shift) / scale, that is measured once and saved with the network."""

    shift: Tensor
    scale: Tensor

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(numbers))
        self.register_buffer("scale", torch.ones(numbers))

    def fit(
        self, frames: Tensor, groups: Sequence[slice], scaling: Literal["min-max", "z-score", "mean-frame"]
    ) -> None:
        """Measure (T, numbers), all columns of a group together; what never changes is only shifted.

        "mean-frame" is the deviation from the mean of each column, over one deviation for the group: a constant that
        differs from column to column, as the places of joints are, does not drown how they move.
        """
        for group in groups:
            part = frames[:, group].double()
            if scaling == "min-max":
                low, high = part.aminmax()
                shift, scale = low, high - low
            else:
                shift = part.mean(0) if scaling == "mean-frame" else part.mean()
                scale = (part - shift).square().mean().sqrt()
            self.shift[group], self.scale[group] = shift.float(), scale.float() if scale > 0 else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """(..., numbers) -> the same, normalised."""
        return (x - self.shift) / self.scale

    def inverse(self, x: Tensor) -> Tensor:
        """(..., numbers), normalised -> as they were."""
        return x * self.scale + self.shift
