"""DanceNet: the moves so far and the whole music -> how likely each next move is, by dilated convolutions.

Source: Zhuang, Wang, Chai, Wang, Shao & Xia, "Music2Dance: DanceNet for Music-driven Dance Generation", ACM TOMM 18(2),
2022 (arXiv:2002.03761); the blocks are those of van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.
The sizes are ours; docs/systems/baselines.md says what is our reading.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.dance.joints import frames_in_one
from ictus.dance.models.fact import AUDIO
from ictus.dance.moves import MOVES
from ictus.dance.normalisation import Scale
from ictus.dance.standing import StandingRange
from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.types import Progress

_KERNEL = 2  # frames that a convolution joins
_NARROWEST = -4.0  # logarithm of the least deviation of a number, whose own is 1
_STILL = 1e-4  # deviation of a number that never changes: hands that are not turned, of which nothing is predicted


@dataclass(frozen=True)
class DanceNetConfig:
    """Sizes.

    Attributes
    ----------
    rate : frames a second.
    width : channels of the blocks, of the encoders and of the decoder.
    stacks, levels : blocks: in each stack one a dilation, of 1, 2, 4 ... 2 ** (levels - 1) frames.
    mixtures : Gaussians of which a frame's numbers are drawn.
    dropout : of the moves that go in, each number by itself.
    standing : what the dances that it was trained on keep to.
    """

    rate: int = 60
    width: int = 256
    stacks: int = 2
    levels: int = 8
    mixtures: int = 1
    dropout: float = 0.0
    standing: StandingRange = field(default_factory=StandingRange)

    def __post_init__(self) -> None:
        frames_in_one(self.rate)
        if min(self.width, self.stacks, self.levels, self.mixtures) < 1 or self.width % 2:
            raise ModelError("all sizes must be 1 or more, and width even")
        if not 0 <= self.dropout < 1:
            raise ModelError(f"dropout is {self.dropout:g}; it must lie between 0 and 1")

    @property
    def reach(self) -> int:
        """Frames before a frame that it follows from."""
        return self.stacks * ((1 << self.levels) - 1) * (_KERNEL - 1) + 1


@dataclass(frozen=True)
class Mixture:
    """What a frame may be, normalised: of K Gaussians whose numbers do not hang together.

    Attributes
    ----------
    weights : (B, T, K) logits.
    mean, deviation : (B, T, K, 148); the deviation by its logarithm.
    """

    weights: Tensor
    mean: Tensor
    deviation: Tensor

    def likelihood(self, motion: Tensor, counted: Tensor) -> Tensor:
        """(B, T, 148), normalised -> (B, T), the logarithm of how likely it is, on average of those counted, (148,)."""
        apart = (motion[:, :, None] - self.mean) * (-self.deviation).exp()
        each = (-0.5 * apart.square() - self.deviation - 0.5 * math.log(2 * math.pi)) * counted
        together = (self.weights.log_softmax(-1) + each.sum(-1)).logsumexp(-1)
        return together / counted.sum()

    def expected(self) -> Tensor:
        """(B, T, 148), the mean of all."""
        return (self.weights.softmax(-1)[..., None] * self.mean).sum(2)

    def draw(self, generator: torch.Generator) -> Tensor:
        """(B, T, 148), drawn."""
        weights = self.weights.softmax(-1).cpu()
        chosen = torch.multinomial(weights.flatten(0, 1), 1, generator=generator).view(*weights.shape[:2], 1, 1)
        noise = torch.randn(self.mean[:, :, 0].shape, generator=generator).to(self.mean)
        chosen = chosen.expand(-1, -1, 1, MOVES).to(self.mean.device)
        mean, deviation = (part.gather(2, chosen)[:, :, 0] for part in (self.mean, self.deviation))
        return mean + deviation.exp() * noise


class ControlledBlock(nn.Module):
    """A gated dilated convolution that sees the past, and music beside it; residual and skip."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.before = (_KERNEL - 1) * dilation
        self.each = nn.Conv1d(width, width, _KERNEL, dilation=dilation, groups=width)  # separable: channel by channel,
        self.together = nn.Conv1d(width, 2 * width, 1)  # then frame by frame
        self.control = nn.Conv1d(width, 2 * width, 1, bias=False)
        self.out = nn.Conv1d(width, 2 * width, 1)

    def forward(self, x: Tensor, music: Tensor) -> tuple[Tensor, Tensor]:
        """(B, width, T) twice -> the residual's sum and the skip, (B, width, T) each."""
        seen = self.together(self.each(F.pad(x, (self.before, 0)))) + self.control(music)
        signal, gate = seen.chunk(2, 1)
        residual, skip = self.out(signal.tanh() * gate.sigmoid()).chunk(2, 1)
        return x + residual, skip


class DanceNet(Pretrained):
    """A WaveNet of moves, controlled by music that convolutions and an LSTM in both directions encode.

    Attributes
    ----------
    changing : buffer (148,), 1 for the numbers of a frame that are predicted, 0 for those that never change.
    """

    model_type = "dance-net"
    Config = DanceNetConfig
    config: DanceNetConfig
    changing: Tensor
    sizes: ClassVar = {
        "paper": DanceNetConfig(),
        "small": DanceNetConfig(rate=15, width=96, levels=5, dropout=0.2),
        "debug": DanceNetConfig(rate=15, width=16, stacks=1, levels=3, mixtures=2),
    }

    def __init__(self, config: DanceNetConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": f"rhythm35@{config.rate}", "skeleton": "smpl-24", "fps": config.rate}
        width = config.width
        self.audio_scale, self.motion_scale = Scale(AUDIO), Scale(MOVES)
        self.music = nn.Sequential(
            *(nn.Conv1d(AUDIO, width, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(width, width, 3, padding=1), nn.ReLU()),
        )
        self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.moves = nn.Sequential(nn.Conv1d(MOVES, width, 1), nn.ReLU(), nn.Conv1d(width, width, 1))
        dilations = [2**level for level in range(config.levels)] * config.stacks
        self.blocks = nn.ModuleList(ControlledBlock(width, dilation) for dilation in dilations)
        self.register_buffer("changing", torch.ones(MOVES))
        numbers = config.mixtures * (2 * MOVES + 1)
        self.decoder = nn.Sequential(nn.ReLU(), nn.Conv1d(width, width, 1), nn.ReLU(), nn.Conv1d(width, numbers, 1))

    def fit_scales(self, motion: Tensor, audio: Tensor) -> None:
        """Measure mean and deviation of each number of (T, 148) and (T, 35)."""
        self.motion_scale.fit(motion, [slice(k, k + 1) for k in range(MOVES)], "z-score")
        still = motion.std(0, correction=0) < _STILL
        self.motion_scale.scale[still] = 1.0
        self.changing.copy_(~still)
        self.audio_scale.fit(audio, [slice(k, k + 1) for k in range(AUDIO)], "z-score")

    def forward(self, motion: Tensor, audio: Tensor) -> Mixture:
        """Predict each frame from those before it, and from all of the music.

        Parameters
        ----------
        motion : (B, T, 148) at `rate`; see `ictus.dance.moves`.
        audio : (B, T, 35) rhythm35 at `rate`.

        Returns
        -------
        What each of the frames may be, normalised: K Gaussians of (B, T, K, 148).

        Raises
        ------
        UsageError
            If one of them has another shape.
        """
        check_shape("motion", motion, "B", "T", MOVES)
        check_shape("audio", audio, len(motion), motion.shape[1], AUDIO)
        before = F.pad(self.motion_scale(motion)[:, :-1], (0, 0, 1, 0))  # the mean move: the dance is yet to begin
        return self.predict(before, self.encode(audio))

    def encode(self, audio: Tensor) -> Tensor:
        """(B, T, 35) -> (B, width, T)."""
        x = self.music(self.audio_scale(audio).transpose(1, 2))
        y: Tensor = self.lstm(x.transpose(1, 2))[0].transpose(1, 2)
        return y

    def predict(self, before: Tensor, music: Tensor) -> Mixture:
        """The frames before each, (B, T, 148), normalised, and (B, width, T) -> what each may be."""
        x = self.moves(self.dropout(before).transpose(1, 2))
        skips = torch.zeros_like(x)
        for block in self.blocks:
            x, skip = block(x, music)
            skips = skips + skip
        made = self.decoder(skips).transpose(1, 2).unflatten(-1, (self.config.mixtures, -1))  # (B, T, K, 297)
        weights, mean, deviation = made.split((1, MOVES, MOVES), -1)
        # No narrower than the least, or a number that hardly changes would count for more than all others.
        return Mixture(weights[..., 0], mean, _NARROWEST + F.softplus(deviation - _NARROWEST))

    @torch.inference_mode()
    def generate(
        self, audio: Tensor, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Tensor:
        """(B, T, 35) rhythm35 at `rate` -> (B, T, 148): dance on, each frame drawn after the network's own before.

        Parameters
        ----------
        generator : draws the frames; without it, each is what is expected.
        progress : called with the fraction done.

        Raises
        ------
        UsageError
            If the music has another shape.
        """
        check_shape("audio", audio, "B", "T", AUDIO)
        music, frames = self.encode(audio), audio.shape[1]
        made = audio.new_zeros(len(audio), 1, MOVES)  # the mean move, and what follows
        for at in range(frames):
            first = max(0, at + 1 - self.config.reach)
            # What lies further back than that cannot be seen in the last frame, so only as much is computed.
            seen = self.predict(made[:, first:], music[:, :, first : at + 1])
            last = Mixture(seen.weights[:, -1:], seen.mean[:, -1:], seen.deviation[:, -1:])
            frame = self.changing * (last.expected() if generator is None else last.draw(generator))
            made = torch.cat((made, frame), 1)
            if progress is not None:
                progress((at + 1) / frames)
        return self.motion_scale.inverse(made[:, 1:])
