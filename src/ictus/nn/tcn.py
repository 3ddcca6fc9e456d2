"""TCN: dilated convolutions over time with residuals, here centred: each frame sees as far ahead as back.

Source: Bai, Kolter & Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
Modeling", 2018, section 3, in the non-causal form of VirtualConductor (Liu et al., JCST 2022).
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class TemporalBlock(nn.Module):
    """Two weight-normalised dilated convolutions with BatchNorm and ReLU, a short average, and the residual.

    Padding by (kernel - 1) * dilation at each end and cutting half of it off again, as the authors do, leaves
    exactly what padding by half of it gives; so reflection needs (kernel - 1) * dilation / 2 + 1 frames at least.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()

        def convolution(channels: int) -> nn.Module:
            padding = (kernel - 1) * dilation // 2
            conv = nn.Conv1d(channels, outputs, kernel, dilation=dilation, padding=padding, padding_mode="reflect")
            nn.init.normal_(conv.weight, std=0.01)
            weight_norm(conv)
            return conv

        self.net = nn.Sequential(
            *(convolution(inputs), nn.BatchNorm1d(outputs), nn.ReLU()),
            *(convolution(outputs), nn.BatchNorm1d(outputs), nn.ReLU()),
            nn.AvgPool1d(3, stride=1, padding=1),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 1)
        if isinstance(self.skip, nn.Conv1d):
            nn.init.normal_(self.skip.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T) -> (B, outputs, T)."""
        return torch.relu(self.net(x) + self.skip(x))


class TCN(nn.Module):
    """A stack of temporal blocks, dilation 1, 2, 4 ..., and a linear layer per frame.

    Attributes
    ----------
    reach : frames before and after a frame on which its output depends.
    shortest : frames that the input must have at least.
    """

    def __init__(self, inputs: int, channels: int = 64, kernel: int = 5, levels: int = 6) -> None:
        super().__init__()
        dilations = [2**level for level in range(levels)]
        self.reach = sum((kernel - 1) * dilation + 1 for dilation in dilations)  # two convolutions and the average
        self.shortest = (kernel - 1) * dilations[-1] // 2 + 1
        self.blocks = nn.Sequential(
            *(TemporalBlock(channels if i else inputs, channels, kernel, d) for i, d in enumerate(dilations))
        )
        self.linear = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T) -> (B, T, channels)."""
        y: Tensor = self.linear(self.blocks(x).transpose(1, 2))
        return y
