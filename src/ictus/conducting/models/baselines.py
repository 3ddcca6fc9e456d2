"""The competition's two baselines: a constant pose, and CNN-LSTM.

Source: the Prospective Cup (CENet 2022), which says no more than: four convolution layers on the mel, a two-layer LSTM,
mean squared error. Kernels, channels and units are ours.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from ictus.conducting.models.m2s_net import MOTION_RATE, STEP
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.skeleton import get_skeleton


@dataclass(frozen=True)
class PlainConfig:
    """Skeleton, and the mel bands that are not listened to."""

    skeleton: str = "conductor-13"
    bands: int = 128


@dataclass(frozen=True)
class CNNLSTMConfig:
    """Skeleton, mel bands, channels of the four convolutions, units and layers of the LSTM."""

    skeleton: str = "conductor-13"
    bands: int = 128
    channels: tuple[int, int, int, int] = (16, 32, 32, 32)
    units: int = 128
    layers: int = 2


class Deterministic(Pretrained):
    """A network that makes motion from a mel alone; it is called as the M2S-GAN generator is, and ignores the noise."""

    noise_size = 0
    context_seconds = 0
    shortest_seconds = 1

    def folded(self) -> Self:
        """Return itself, for inference."""
        return self.eval()


class Plain(Deterministic):
    """A conductor who stands still: one learned pose. What any other model must beat."""

    model_type = "plain"
    Config = PlainConfig
    sizes: ClassVar = {"paper": PlainConfig(), "debug": PlainConfig()}

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel128@90", "skeleton": config.skeleton, "fps": MOTION_RATE}
        self.joints, self.bands = len(get_skeleton(config.skeleton)), config.bands
        self.pose = nn.Parameter(torch.full((self.joints, 2), 0.5))

    def forward(self, mel: Tensor, noise: Tensor | None = None) -> Tensor:
        """(B, T90, 128) -> (B, T30, 13, 2); raises UsageError if the mel has another shape."""
        check_shape("mel", mel, "B", "T90", self.bands)
        frames = -(-mel.shape[1] // STEP)
        return self.pose.expand(len(mel), frames, -1, -1)


class CNNLSTM(Deterministic):
    """Four convolutions bring the mel to 30 Hz and 8 bands; an LSTM, forward in time, predicts the motion."""

    model_type = "cnn-lstm"
    Config = CNNLSTMConfig
    sizes: ClassVar = {"paper": CNNLSTMConfig(), "debug": CNNLSTMConfig(channels=(2, 4, 4, 4), units=8)}
    context_seconds = 12  # an LSTM forgets gradually; windows give it so much to warm up

    def __init__(self, config: CNNLSTMConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel128@90", "skeleton": config.skeleton, "fps": MOTION_RATE}
        self.joints, self.bands = len(get_skeleton(config.skeleton)), config.bands
        steps = (1, STEP, 1, 1)  # along time: 90 Hz -> 30 Hz in the second
        inputs = (1, *config.channels[:-1])
        self.convolutions = nn.Sequential(
            *(
                layer
                for i, o, step in zip(inputs, config.channels, steps, strict=True)
                for layer in (nn.Conv2d(i, o, 3, stride=(step, 2), padding=1), nn.BatchNorm2d(o), nn.ReLU())
            )
        )
        self.convolutions.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on a CPU
        bands = config.bands
        for _ in steps:
            bands = -(-bands // 2)
        self.lstm = nn.LSTM(config.channels[-1] * bands, config.units, config.layers, batch_first=True)
        self.head = nn.Linear(config.units, 2 * self.joints)

    def forward(self, mel: Tensor, noise: Tensor | None = None) -> Tensor:
        """(B, T90, 128) -> (B, T30, 13, 2); raises UsageError if the mel has another shape."""
        check_shape("mel", mel, "B", "T90", self.bands)
        x = self.convolutions(mel[:, None])  # (B, C, T30, bands)
        x = x.transpose(1, 2).flatten(2)  # (B, T30, C * bands)
        x, _ = self.lstm(x)  # (B, T30, units)
        motion: Tensor = torch.sigmoid(self.head(x))  # (B, T30, 26)
        return motion.view(*motion.shape[:2], self.joints, 2)
