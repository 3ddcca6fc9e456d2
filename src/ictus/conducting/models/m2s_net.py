"""M2S-Net: do this music and this motion belong together? A music encoder, a motion encoder, and their comparison.

Source: Liu, Chen, Zhou, Yang & Xu, "Self-Supervised Music-Motion Synchronization Learning for Music-Driven Conducting
Motion Generation", JCST 2022, section on M2S-Net, with the sizes of its published weights.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from ictus.errors import UsageError
from ictus.nn.folding import fold
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.nn.st_gcn import STGCN
from ictus.skeleton import get_skeleton

MEL_RATE, MOTION_RATE = 90, 30  # frames per second
STEP = MEL_RATE // MOTION_RATE


@dataclass(frozen=True)
class MusicEncoderConfig:
    """Mel bands, channels of the three convolution stages, size of the feature vector."""

    bands: int = 128
    channels: tuple[int, int, int] = (16, 32, 32)
    features: int = 64


@dataclass(frozen=True)
class MotionEncoderConfig:
    """Skeleton, width and depth of the ST-GCN, frames per temporal convolution, size of the feature vector."""

    skeleton: str = "conductor-13"
    channels: int = 32
    blocks: int = 10
    kernel: int = 3
    features: int = 64


@dataclass(frozen=True)
class M2SNetConfig:
    """Both encoders, and the width of the layers that compare their features."""

    music: MusicEncoderConfig = field(default_factory=MusicEncoderConfig)
    motion: MotionEncoderConfig = field(default_factory=MotionEncoderConfig)
    hidden: int = 64


class ResidualBlock(nn.Module):
    """Conv2d 3x3 with reflection, BatchNorm, ReLU; then the input is added, and nothing follows the sum."""

    def __init__(self, inputs: int, outputs: int, residual: bool = True) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(outputs), nn.ReLU()
        )
        self.skip: nn.Module | None = nn.Identity() if residual else None
        if residual and inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T, bands) -> (B, outputs, T, bands)."""
        y: Tensor = self.conv(x)
        return y if self.skip is None else y + self.skip(x)


class MusicEncoder(nn.Module):
    """A mel at 90 Hz -> one feature vector per frame of motion at 30 Hz."""

    def __init__(self, config: MusicEncoderConfig) -> None:
        super().__init__()
        self.bands = config.bands
        one, two, three = config.channels
        self.stages = nn.Sequential(
            *(ResidualBlock(1, one, residual=False), ResidualBlock(one, one), ResidualBlock(one, one)),
            nn.MaxPool2d(5, stride=(1, 2), padding=2),
            *(ResidualBlock(one, two), ResidualBlock(two, two)),
            nn.MaxPool2d(5, stride=(STEP, 2), padding=2),  # 90 -> 30 Hz
            *(ResidualBlock(two, three), ResidualBlock(three, three)),
            nn.MaxPool2d(3, stride=(1, 2), padding=1),
        )
        bands = -(-config.bands // 8)  # halved three times, rounding up
        self.project = nn.Sequential(nn.Conv1d(three * bands, config.features, 1), nn.BatchNorm1d(config.features))
        self.stages.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # trains 1.6x as fast on a CPU

    def layers(self, mel: Tensor) -> Iterator[Tensor]:
        """(B, T90, bands) -> the output of each layer in turn, (B, C, T, bands'), lastly (B, features, T30)."""
        check_shape("mel", mel, "B", "T90", self.bands)  # 127 bands would be taken as 128 are
        x = mel.unsqueeze(1)  # (B, 1, T90, bands)
        for stage in self.stages:
            x = stage(x)  # (B, C, T, bands')
            yield x
        x = x.transpose(2, 3).flatten(1, 2)  # (B, C * bands', T30)
        yield self.project(x)  # (B, features, T30)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, T90, bands) -> (B, features, T30), T30 = T90 / 3 rounded up."""
        return deque(self.layers(mel), maxlen=1)[0]


class MotionEncoder(nn.Module):
    """Joint positions at 30 Hz -> one feature vector per frame."""

    def __init__(self, config: MotionEncoderConfig) -> None:
        super().__init__()
        body = get_skeleton(config.skeleton)
        self.joints = len(body)
        self.st_gcn = STGCN(body.bones, len(body), channels=config.channels, blocks=config.blocks, kernel=config.kernel)
        self.project = nn.Sequential(
            nn.Conv1d(config.channels * len(body), config.features, 1), nn.BatchNorm1d(config.features)
        )

    def layers(self, motion: Tensor) -> Iterator[Tensor]:
        """(B, T, J, 2) -> the output of each block in turn, (B, C, T, J), lastly (B, features, T)."""
        check_shape("motion", motion, "B", "T30", self.joints, 2)
        for x in self.st_gcn.layers(motion):
            yield x  # (B, C, T, J)
        x = x.transpose(2, 3).flatten(1, 2)  # (B, C * J, T)
        yield self.project(x)  # (B, features, T)

    def forward(self, motion: Tensor) -> Tensor:
        """(B, T, J, 2) -> (B, features, T)."""
        return deque(self.layers(motion), maxlen=1)[0]


class M2SNet(Pretrained):
    """Music-Motion Synchronization Network: the probability, per frame, that a motion belongs to a music.

    154,063 parameters in the published size. The authors' file counts 162,287: it carries a 256 -> 32 layer (8,224)
    that no output depends on, which is left out here (distributed training rejects parameters without a gradient).
    """

    model_type = "m2s-net"
    Config = M2SNetConfig
    sizes: ClassVar = {
        "paper": M2SNetConfig(),
        "debug": M2SNetConfig(
            MusicEncoderConfig(channels=(2, 4, 4), features=8),
            MotionEncoderConfig(channels=4, blocks=2, features=8),
            hidden=8,
        ),
    }

    def __init__(self, config: M2SNetConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel128@90", "skeleton": config.motion.skeleton, "fps": MOTION_RATE}
        self.music = MusicEncoder(config.music)
        self.motion = MotionEncoder(config.motion)
        self.fuse = nn.Sequential(
            *(nn.Conv1d(config.music.features + config.motion.features, config.hidden, 1), nn.ReLU()),
            *(nn.Conv1d(config.hidden, config.hidden, 1), nn.ReLU()),
            *(nn.Conv1d(config.hidden, 1, 1), nn.Sigmoid()),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, mel: Tensor, motion: Tensor) -> Tensor:
        """Classify each frame.

        Parameters
        ----------
        mel : (B, T90, 128) mel128 at 90 Hz.
        motion : (B, T30, 13, 2) conductor-13 at 30 Hz, T30 = T90 / 3 rounded up or down.

        Returns
        -------
        (B, T30, 1) sync probability.

        Raises
        ------
        UsageError
            If music and motion are not equally long, or one of them has another shape.
        """
        return self.compare(self.music(mel), self.motion(motion))

    def compare(self, music: Tensor, moving: Tensor) -> Tensor:
        """Compare features (B, 64, T30) of the two encoders: what `forward` does once they are known."""
        frames = moving.shape[-1]
        if not 0 <= music.shape[-1] - frames <= 1:
            raise UsageError(f"the mel spans {music.shape[-1]} frames at 30 Hz, the motion {frames}; cut both alike")
        fused: Tensor = self.fuse(torch.cat((music[..., :frames], moving), 1))  # (B, 1, T30)
        return fused.transpose(1, 2)

    def features(self, mel: Tensor, motion: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the output of every layer of the music encoder and of the motion encoder.

        Music: (B, C, T, bands) after each residual block and pooling; motion: (B, C, T30, J) after each ST-GCN block.
        The last entry of both is (B, 64, T30): the features that are compared. The distance (L1) between the last
        motion features of a real and a generated motion is the paper's sync loss.
        """
        return list(self.music.layers(mel)), list(self.motion.layers(motion))


class FoldedMusicEncoder(nn.Module):
    """A music encoder for inference: the same function up to rounding, several times as fast on a CPU.

    BatchNorm is folded into the convolutions, a k x k maximum is taken as one along bands and one along time, and on a
    CPU the music passes in pieces, sample by sample, whose activations stay in the processor's cache.
    """

    # A feature at 30 Hz depends on 18 mel frames before and after its own: through stage 1 and its pool 3 + 2, through
    # stage 2 and its pool 2 + 2, through stage 3 and its pool, at 30 Hz, (2 + 1) * 3. Both numbers are multiples of 3.
    HALO = 18
    PIECE = 1080

    def __init__(self, encoder: MusicEncoder) -> None:
        super().__init__()
        folded = fold(encoder)
        for i, stage in enumerate(folded.stages):
            if isinstance(stage, nn.MaxPool2d):
                folded.stages[i] = _separable(stage)
        self.encoder = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, mel: Tensor) -> Tensor:
        """(B, T90, bands) -> (B, features, T30)."""
        if mel.device.type != "cpu":
            encoded: Tensor = self.encoder(mel)
            return encoded
        return torch.cat([self._in_pieces(sample) for sample in torch.split(mel, 1)])

    def _in_pieces(self, mel: Tensor) -> Tensor:
        frames = mel.shape[1]
        pieces = []
        for start in range(0, frames, self.PIECE):
            left, stop = min(self.HALO, start), min(start + self.PIECE, frames)
            piece = self.encoder(mel[:, start - left : stop + self.HALO])  # (1, features, T30 of the piece)
            pieces.append(piece[..., left // STEP : -(-(left + stop - start) // STEP)])
        return torch.cat(pieces, -1)


def _separable(pool: nn.MaxPool2d) -> nn.Sequential:
    size, (step, halve) = int(pool.kernel_size), pool.stride  # type: ignore[arg-type, misc]
    return nn.Sequential(
        nn.MaxPool2d((1, size), (1, halve), (0, size // 2)),
        nn.MaxPool2d((size, 1), (step, 1), (size // 2, 0)),
    )
