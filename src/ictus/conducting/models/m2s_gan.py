"""M2S-GAN: music and noise -> the motion of a conductor, and the discriminator that the generator is trained against.

Source: Liu, Chen, Zhou, Yang & Xu, "Self-Supervised Music-Motion Synchronization Learning for Music-Driven Conducting
Motion Generation", JCST 2022, section on M2S-GAN, with the sizes of its published weights.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from ictus.conducting.models.m2s_net import MOTION_RATE, FoldedMusicEncoder, MusicEncoder, MusicEncoderConfig
from ictus.errors import UsageError
from ictus.nn.folding import fold
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.nn.tcn import TCN
from ictus.skeleton import get_skeleton


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes of the generator; the defaults are those of the published weights.

    Attributes
    ----------
    music : the music encoder.
    skeleton : whose joints move.
    noise : numbers per second of noise.
    noise_channels : channels of the four transposed convolutions that bring the noise to 30 Hz.
    decoder : "tcn" (published weights) or "bilstm" (the paper's alternative).
    hidden, kernel, levels : channels, kernel and depth of the TCN; the output layers have `hidden` channels, too.
    lstm, dropout : units per direction of the two-layer BiLSTM, and the dropout between its layers.
    """

    music: MusicEncoderConfig = field(default_factory=MusicEncoderConfig)
    skeleton: str = "conductor-13"
    noise: int = 8
    noise_channels: tuple[int, int, int, int] = (16, 16, 32, 64)
    decoder: Literal["tcn", "bilstm"] = "tcn"
    hidden: int = 64
    kernel: int = 5
    levels: int = 6
    lstm: int = 128
    dropout: float = 0.5


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Skeleton, channels of the convolutions, and width of the layers after them."""

    skeleton: str = "conductor-13"
    channels: int = 64
    hidden: int = 32


class NoiseBranch(nn.Module):
    """One noise vector per second -> features at 30 Hz, by transposed convolutions of strides 1, 5, 3 and 2.

    Attributes
    ----------
    reach : seconds before and after a frame on whose noise it depends (a bound; from the kernels of the four layers).
    """

    reach = 2.7

    def __init__(self, inputs: int, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        one, two, three, four = channels
        self.up = nn.Sequential(
            *(nn.ConvTranspose1d(inputs, one, 3, stride=1, padding=1), nn.ReLU()),  # 1 Hz
            *(nn.ConvTranspose1d(one, two, 11, stride=5, padding=3), nn.ReLU()),  # 5 Hz
            *(nn.ConvTranspose1d(two, three, 5, stride=3, padding=1), nn.ReLU()),  # 15 Hz
            *(nn.ConvTranspose1d(three, four, 6, stride=2, padding=2), nn.ReLU()),  # 30 Hz
            nn.BatchNorm1d(four),
        )

    def forward(self, noise: Tensor) -> Tensor:
        """(B, seconds, noise) -> (B, channels, 30 * seconds)."""
        y: Tensor = self.up(noise.transpose(1, 2))
        return y


class BiLSTM(nn.Module):
    """The paper's alternative to the TCN: a two-layer bidirectional LSTM. (B, C, T) -> (B, T, 2 * units)."""

    def __init__(self, inputs: int, units: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, num_layers=2, batch_first=True, dropout=dropout, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, T) -> (B, T, 2 * units)."""
        y: Tensor = self.lstm(x.transpose(1, 2))[0]
        return y


class Generator(Pretrained):
    """The M2S-GAN generator: a mel and noise -> conducting motion. 381,146 parameters in the published size.

    Attributes
    ----------
    context_seconds : music and noise further than this from a frame do not change it.
    shortest_seconds : whole seconds of music that the network needs at least, for its reflections.
    """

    model_type = "m2s-gan"
    Config = GeneratorConfig
    sizes: ClassVar = {
        "paper": GeneratorConfig(),
        "bilstm": GeneratorConfig(decoder="bilstm"),
        "debug": GeneratorConfig(
            MusicEncoderConfig(channels=(2, 4, 4), features=8),
            noise_channels=(4, 4, 4, 8),
            hidden=8,
            levels=2,
            lstm=8,
        ),
    }

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel128@90", "skeleton": config.skeleton, "fps": MOTION_RATE}
        self.joints = len(get_skeleton(config.skeleton))
        self.bands, self.noise_size = config.music.bands, config.noise
        self.music: nn.Module = MusicEncoder(config.music)
        self.noise = NoiseBranch(config.noise, config.noise_channels)
        inputs, hidden = config.music.features + config.noise_channels[-1], config.hidden
        self.decoder: TCN | BiLSTM
        if config.decoder == "tcn":
            self.decoder, outputs = TCN(inputs, hidden, config.kernel, config.levels), hidden
        else:
            self.decoder, outputs = BiLSTM(inputs, config.lstm, config.dropout), 2 * config.lstm
        self.head = nn.Sequential(
            *(nn.Linear(outputs, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
            *(nn.Linear(hidden, 2 * self.joints), nn.Sigmoid()),
        )
        # The published TCN reaches 258 frames at 30 Hz to either side. Through it a frame depends on music up to 8.8 s
        # away (with the music encoder's 6 frames: a receptive field of 529 frames or 17.6 s) and on noise up to 11.3 s
        # away, so 12 s. A BiLSTM forgets gradually; it gets as much.
        reach, shortest = (self.decoder.reach, self.decoder.shortest) if isinstance(self.decoder, TCN) else (258, 2)
        self.context_seconds = math.ceil(reach / MOTION_RATE + NoiseBranch.reach)
        self.shortest_seconds = math.ceil(shortest / MOTION_RATE)

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Conduct.

        Parameters
        ----------
        mel : (B, T90, 128) mel128 at 90 Hz, of at least `shortest_seconds`.
        noise : (B, seconds, 8) normal, one vector per second; the last second of music may be a part of one.

        Returns
        -------
        (B, T30, 13, 2) conductor-13 at 30 Hz, T30 = T90 / 3 rounded up.

        Raises
        ------
        UsageError
            If the noise is shorter than the music, or one of them has another shape.
        """
        return self.decode(self.music(mel), noise)

    def decode(self, music: Tensor, noise: Tensor) -> Tensor:
        """Conduct to features (B, 64, T30) of the music encoder: what `forward` does once they are known."""
        check_shape("noise", noise, "B", "seconds", self.noise_size)
        frames = music.shape[-1]
        drawn = self.noise(noise)[..., :frames]  # (B, 64, T30)
        if drawn.shape[-1] < frames:
            raise UsageError(f"{noise.shape[1]} s of noise for {frames / MOTION_RATE:.2f} s of music; draw more")
        x = self.decoder(torch.cat((music, drawn), 1))  # (B, T30, hidden)
        motion: Tensor = self.head(x)  # (B, T30, 26)
        return motion.view(*motion.shape[:2], self.joints, 2)  # (B, T30, 13, 2)

    def folded(self) -> "FoldedGenerator":
        """Return this generator as it is now, for inference only."""
        return FoldedGenerator(self)


class FoldedGenerator(nn.Module):
    """A generator for inference: the same motion within 1e-5, several times as fast on a CPU.

    It has no normalisations of its own left (see `ictus.nn.folding`), so it can be neither trained nor saved.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = fold(generator)
        self.generator.music = FoldedMusicEncoder(cast(MusicEncoder, generator.music))
        self.joints, self.bands, self.noise_size = generator.joints, generator.bands, generator.noise_size
        self.context_seconds, self.shortest_seconds = generator.context_seconds, generator.shortest_seconds
        self.eval()

    @torch.inference_mode()
    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """(B, T90, 128) and (B, seconds, 8) -> (B, T30, 13, 2), as `Generator` does."""
        motion: Tensor = self.generator(mel, noise)
        return motion

    def folded(self) -> "FoldedGenerator":
        """Return itself."""
        return self


class Discriminator(Pretrained):
    """The discriminator: a motion -> one number, larger for what looks real (Wasserstein: no sigmoid)."""

    model_type = "m2s-gan-discriminator"
    Config = DiscriminatorConfig
    sizes: ClassVar = {"paper": DiscriminatorConfig(), "debug": DiscriminatorConfig(channels=8, hidden=4)}
    shortest = 41  # frames that the three poolings need

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__(config)
        self.metadata = {"skeleton": config.skeleton, "fps": MOTION_RATE}
        self.joints = len(get_skeleton(config.skeleton))
        inputs, channels, hidden = 2 * self.joints, config.channels, config.hidden
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(inputs, channels, 5, padding=2), nn.ReLU(), nn.MaxPool1d(5, stride=3)),
            *(nn.Conv1d(channels, channels, 5, padding=2), nn.ReLU(), nn.MaxPool1d(5, stride=2)),
            *(nn.Conv1d(channels, channels, 5, padding=2), nn.ReLU(), nn.MaxPool1d(5, stride=2)),
        )
        self.head = nn.Sequential(
            *(nn.Linear(channels, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
            nn.Linear(hidden, 1),
        )

    def forward(self, motion: Tensor) -> Tensor:
        """(B, T30, 13, 2), at least 41 frames -> (B, 1).

        Raises
        ------
        UsageError
            If the motion is shorter, or has another shape.
        """
        score: Tensor = self.head(self.features(motion).transpose(1, 2))  # (B, T30 / 12, 1)
        return score.mean(1)

    def features(self, motion: Tensor) -> Tensor:
        """(B, T30, 13, 2) -> (B, C, T30 / 12): what the convolutions see."""
        check_shape("motion", motion, "B", "T30", self.joints, 2)
        if motion.shape[1] < self.shortest:
            raise UsageError(f"the motion has {motion.shape[1]} frames; the discriminator needs {self.shortest}")
        x = motion.flatten(2).transpose(1, 2)  # (B, 26, T30)
        seen: Tensor = self.convolutions(x)
        return seen
