"""The two-stream motion transformer: music and the poses so far -> how likely each place of each joint is next.

Source: Li, Yin, Chu, Zhou, Wang, Fidler & Li, "Learning to Generate Diverse Dance Motions with Transformer",
arXiv:2008.08171, 2020 ("Li et al." in the table of "AI Choreographer", ICCV 2021), with the sizes of the
authors' public scripts. docs/systems/baselines.md says what is our reading.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.dance.joints import POINTS, floor_of, frames_in_one
from ictus.dance.models.fact import AUDIO
from ictus.dance.normalisation import Scale
from ictus.dance.standing import StandingRange
from ictus.errors import ModelError, MotionError
from ictus.nn.gpt import GPT, Cache, draw
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.types import Progress

_MARGIN = 0.01  # of the range of a number, by which its bins go beyond what was measured


@dataclass(frozen=True)
class TwoStreamMotionTransformerConfig:
    """Sizes; the defaults are those of the authors' scripts.

    Attributes
    ----------
    rate : frames a second.
    bins : into which each number of a pose is sorted.
    embedded : channels by which each number is known, going in and coming out.
    width, heads, head, hidden, layers : of the blocks of both streams; `head` is the channels of one head.
    context : frames that a stream sees at most.
    dropout : of both streams.
    standing : what the dances that it was trained on keep to.
    """

    rate: int = 60
    bins: int = 300
    embedded: int = 10
    width: int = 128
    heads: int = 4
    head: int = 128
    hidden: int = 512
    layers: int = 4
    context: int = 420
    dropout: float = 0.1
    standing: StandingRange = field(default_factory=StandingRange)

    def __post_init__(self) -> None:
        frames_in_one(self.rate)
        sizes = (self.embedded, self.width, self.heads, self.head, self.hidden, self.layers)
        if min(sizes) < 1 or min(self.bins, self.context) < 2:
            raise ModelError("all sizes must be 1 or more, bins and context 2 or more")
        if not 0 <= self.dropout < 1:
            raise ModelError(f"dropout is {self.dropout:g}; it must lie between 0 and 1")


class TwoStreamMotionTransformer(Pretrained):
    """A causal transformer of poses and one of music, whose outputs say together where each joint is next.

    Attributes
    ----------
    low, high : buffers (72,), the ends of the bins of each number.
    """

    model_type = "two-stream-motion-transformer"
    Config = TwoStreamMotionTransformerConfig
    config: TwoStreamMotionTransformerConfig
    sizes: ClassVar = {
        "paper": TwoStreamMotionTransformerConfig(),
        "small": TwoStreamMotionTransformerConfig(
            rate=15, bins=128, width=96, head=24, hidden=192, layers=2, context=75
        ),
        "debug": TwoStreamMotionTransformerConfig(
            rate=15, bins=12, embedded=4, width=16, heads=2, head=8, hidden=32, layers=1, context=40, dropout=0.0
        ),
    }
    low: Tensor
    high: Tensor

    def __init__(self, config: TwoStreamMotionTransformerConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": f"rhythm35@{config.rate}", "skeleton": "smpl-24", "fps": config.rate}
        self.register_buffer("low", -torch.ones(POINTS))
        self.register_buffer("high", torch.ones(POINTS))
        self.audio_scale = Scale(AUDIO)
        self.places = nn.Embedding(POINTS * config.bins, config.embedded)
        self.pose_embedding = nn.Linear(POINTS * config.embedded, config.width)
        self.start = nn.Parameter(torch.zeros(config.width))
        self.audio_embedding = nn.Linear(AUDIO, config.width)
        self.pose_stream, self.audio_stream = (_stream(config) for _ in range(2))
        self.fusion = nn.Linear(2 * config.width, POINTS * config.embedded)
        self.head = nn.Linear(config.embedded, config.bins)
        for module in (self.pose_embedding, self.audio_embedding, self.fusion, self.head):
            draw(module)

    def fit_scales(self, motion: Tensor, audio: Tensor) -> None:
        """Measure the range of each number of (T, 72), and mean and deviation of each feature of (T, 35)."""
        low, high = motion.amin(0), motion.amax(0)
        spare = (_MARGIN * (high - low)).clamp(min=1e-3)
        self.low.copy_(low - spare)
        self.high.copy_(high + spare)
        self.audio_scale.fit(audio, [slice(k, k + 1) for k in range(AUDIO)], "z-score")

    def sort(self, motion: Tensor) -> Tensor:
        """(..., 72) -> (..., 72), the bin of each number; those outside go into the outermost.

        Raises
        ------
        MotionError
            If a number is not finite, and so in no bin.
        """
        if not motion.isfinite().all():
            raise MotionError("the dance is not finite; check its recording")
        share = (motion - self.low) / (self.high - self.low)
        return (share * self.config.bins).floor().long().clamp(0, self.config.bins - 1)

    def middle(self, bins: Tensor) -> Tensor:
        """(..., 72) bins -> (..., 72), the middle of each."""
        return self.low + (bins + 0.5) / self.config.bins * (self.high - self.low)

    def forward(self, motion: Tensor, audio: Tensor) -> Tensor:
        """Predict each frame from those before it, and from the music up to it.

        Parameters
        ----------
        motion : (B, T, 72) at `rate`; see `ictus.dance.joints`.
        audio : (B, T, 35) rhythm35 at `rate`.

        Returns
        -------
        (B, T, 72, bins), logits of the bins of the same frames.

        Raises
        ------
        UsageError
            If one of them has another shape.
        ModelError
            If there are more frames than `context`.
        MotionError
            If the motion is not finite.
        """
        check_shape("motion", motion, "B", "T", POINTS)
        check_shape("audio", audio, len(motion), motion.shape[1], AUDIO)
        return self._logits(self._begun(motion[:, :-1]), audio, None)

    def _begun(self, motion: Tensor) -> Tensor:
        """(B, T, 72) -> (B, T + 1, width), embedded, after the token that begins a dance."""
        start = self.start.expand(len(motion), 1, -1)
        return torch.cat((start, self._embed(motion)), 1)

    def _embed(self, motion: Tensor) -> Tensor:
        """(B, T, 72) -> (B, T, width)."""
        first = torch.arange(POINTS, device=motion.device) * self.config.bins  # each number has its own places
        y: Tensor = self.pose_embedding(self.places(first + self.sort(motion)).flatten(2))
        return y

    def _logits(self, poses: Tensor, audio: Tensor, caches: tuple[Cache, Cache] | None) -> Tensor:
        """(B, T, width) and (B, T, 35) -> (B, T, 72, bins)."""
        music = self.audio_embedding(self.audio_scale(audio))
        of_poses, of_music = caches if caches is not None else (None, None)
        both = (self.pose_stream(poses, of_poses)[0], self.audio_stream(music, of_music)[0])
        fused = self.fusion(torch.cat(both, -1)).view(*poses.shape[:2], POINTS, self.config.embedded)
        y: Tensor = self.head(F.gelu(fused))
        return y

    @torch.inference_mode()
    def generate(
        self, audio: Tensor, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Tensor:
        """(B, T, 35) rhythm35 at `rate` -> (B, T, 72): dance on, number by number as likely as the network predicts.

        Where the context is full, the dance goes on from its second half, put in the middle of the stage.

        Parameters
        ----------
        generator : draws the numbers; without it, each is the likeliest.
        progress : called with the fraction done.

        Raises
        ------
        UsageError
            If the music has another shape.
        """
        check_shape("audio", audio, "B", "T", AUDIO)
        frames, context = audio.shape[1], self.config.context
        window, origin = audio.new_zeros(len(audio), 0, POINTS), audio.new_zeros(len(audio), 1, POINTS)
        caches: tuple[Cache, Cache] | None = None
        made: list[Tensor] = []
        for at in range(frames):
            if window.shape[1] == context:
                place = floor_of(window[:, context // 2 : context // 2 + 1])
                window, origin, caches = window[:, context // 2 :] - place, origin + place, None
            if caches is None:
                caches = self.pose_stream.cache(len(audio)), self.audio_stream.cache(len(audio))
                poses, first = self._begun(window), at - window.shape[1]
            else:
                poses, first = self._embed(window[:, -1:]), at
            logits = self._logits(poses, audio[:, first : at + 1], caches)[:, -1]  # (B, 72, bins)
            frame = self.middle(_chosen(logits, generator))[:, None]
            window = torch.cat((window, frame), 1)
            made.append(frame + origin)
            if progress is not None:
                progress((at + 1) / frames)
        return torch.cat(made, 1)


def _stream(config: TwoStreamMotionTransformerConfig) -> GPT:
    inner = config.heads * config.head
    return GPT(config.layers, config.width, config.heads, config.hidden, config.context, config.dropout, inner)


def _chosen(logits: Tensor, generator: torch.Generator | None) -> Tensor:
    """(B, 72, bins) -> (B, 72)."""
    if generator is None:
        return logits.argmax(-1)
    likely = logits.float().softmax(-1).cpu().flatten(0, 1)  # (B * 72, bins)
    return torch.multinomial(likely, 1, generator=generator).view(logits.shape[:2]).to(logits.device)
