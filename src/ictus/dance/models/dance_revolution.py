"""DanceRevolution: music -> a dance of joints, pose by pose, each from the one before and the music around it.

Source: Huang, Hu, Wu, Sawada, Zhang & Jiang, "Dance Revolution: Long-Term Dance Generation with Music via Curriculum
Learning", ICLR 2021, with the sizes of the authors' public code; adapted to joints in space for the table of Li, Yang,
Ross & Kanazawa, "AI Choreographer", ICCV 2021. docs/systems/baselines.md says what is our reading.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor, nn

from ictus.dance.joints import BODY, POINTS, ROOT, frames_in_one
from ictus.dance.models.fact import AUDIO
from ictus.dance.normalisation import Scale
from ictus.dance.standing import StandingRange
from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.nn.transformer import Transformer
from ictus.types import Progress

_CHUNK = 1000  # frames of music that are encoded at a time, beside those around them that they see

State = tuple[Tensor, Tensor]  # of the LSTM, (layers, B, units) each


@dataclass(frozen=True)
class DanceRevolutionConfig:
    """Sizes; the defaults are those of the authors' code, at the frame rate of AI Choreographer's comparison.

    Attributes
    ----------
    rate : frames a second; the authors' own dances have 15.
    width, heads, head, hidden, layers : of the encoder's blocks; `head` is the channels of one head.
    window : frames of music before and after a frame that it sees in each block.
    units, depth : of the decoder's LSTM, which has `depth` layers.
    dropout : of the embedded pose that the decoder is given.
    standing : what the dances that it was trained on keep to.
    """

    rate: int = 60
    width: int = 200
    heads: int = 8
    head: int = 64
    hidden: int = 1024
    layers: int = 2
    window: int = 100
    units: int = 1024
    depth: int = 3
    dropout: float = 0.1
    standing: StandingRange = field(default_factory=StandingRange)

    def __post_init__(self) -> None:
        frames_in_one(self.rate)
        sizes = (self.width, self.heads, self.head, self.hidden, self.layers, self.window, self.units, self.depth)
        if min(sizes) < 1 or self.width % 2:
            raise ModelError("all sizes must be 1 or more, and width even")
        if not 0 <= self.dropout < 1:
            raise ModelError(f"dropout is {self.dropout:g}; it must lie between 0 and 1")


class DanceRevolution(Pretrained):
    """Local self-attention over the music, and three layers of LSTM that dance to it."""

    model_type = "dance-revolution"
    Config = DanceRevolutionConfig
    config: DanceRevolutionConfig
    sizes: ClassVar = {
        "paper": DanceRevolutionConfig(),
        "small": DanceRevolutionConfig(rate=15, width=64, heads=4, head=16, hidden=128, window=25, units=128),
        "debug": DanceRevolutionConfig(
            rate=15, width=16, heads=2, head=8, hidden=32, layers=1, window=5, units=32, depth=2, dropout=0.0
        ),
    }

    def __init__(self, config: DanceRevolutionConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": f"rhythm35@{config.rate}", "skeleton": "smpl-24", "fps": config.rate}
        self.audio_scale, self.motion_scale = Scale(AUDIO), Scale(POINTS)
        self.audio_embedding = nn.Linear(AUDIO, config.width)
        inner = config.heads * config.head
        self.encoder = Transformer(config.layers, config.width, config.heads, config.hidden, config.head**-0.5, inner)
        self.pose_embedding = nn.Sequential(nn.Linear(POINTS, POINTS), nn.Dropout(config.dropout))
        self.lstm = nn.LSTM(POINTS, config.units, config.depth, batch_first=True)
        self.head = nn.Linear(config.units + config.width, POINTS)

    def fit_scales(self, motion: Tensor, audio: Tensor) -> None:
        """Measure the normalisations on (T, 72) and (T, 35): the pelvis, the body about its mean pose, each feature."""
        self.motion_scale.fit(motion, (ROOT, BODY), "mean-frame")
        self.audio_scale.fit(audio, [slice(k, k + 1) for k in range(AUDIO)], "z-score")

    def forward(self, motion: Tensor, audio: Tensor) -> Tensor:
        """Predict each frame from the true ones before it, and from the music before and after it.

        Parameters
        ----------
        motion : (B, T, 72) at `rate`; see `ictus.dance.joints`.
        audio : (B, T, 35) rhythm35 at `rate`.

        Returns
        -------
        (B, T, 72), the same frames as predicted; the first one from the mean pose.

        Raises
        ------
        UsageError
            If one of them has another shape.
        """
        check_shape("motion", motion, "B", "T", POINTS)
        check_shape("audio", audio, len(motion), motion.shape[1], AUDIO)
        predicted, _ = self.unroll(self.encode(audio), self.motion_scale(motion), [False] * motion.shape[1])
        return self.motion_scale.inverse(predicted)

    def encode(self, audio: Tensor) -> Tensor:
        """(B, T, 35) -> (B, T, width), in chunks, so that memory grows with T and not with its square."""
        frames, reach = audio.shape[1], self.config.layers * self.config.window
        encoded = []
        for at in range(0, frames, _CHUNK):
            first, last = max(0, at - reach), min(frames, at + _CHUNK + reach)
            x = self.audio_embedding(self.audio_scale(audio[:, first:last]))
            time = torch.arange(first, last, device=audio.device)
            local = (time[:, None] - time).abs() <= self.config.window  # (t, t)
            y = self.encoder(x + sinusoids(time, self.config.width), local)
            encoded.append(y[:, at - first : at - first + _CHUNK])
        return torch.cat(encoded, 1)

    def unroll(
        self,
        encoded: Tensor,
        motion: Tensor | None,
        own: Sequence[bool],
        state: State | None = None,
        progress: Progress | None = None,
    ) -> tuple[Tensor, State | None]:
        """Dance, given the true frame before or the network's own.

        Parameters
        ----------
        encoded : (B, T, width), the music.
        motion : (B, T, 72), the true dance, normalised; None where nothing of it is given.
        own : for each of the T frames, whether the frame before is the network's own, without its gradient.
        state : of the LSTM before; without it, zeros.

        Returns
        -------
        (B, T, 72), normalised; and the state after.
        """
        before = encoded.new_zeros(len(encoded), 1, POINTS)  # the mean pose: the dance is yet to begin
        given = None if motion is None else torch.cat((before, motion[:, :-1]), 1)
        made: list[Tensor] = []
        for first, last, alone in _stretches(own):
            inputs = before if alone or given is None else given[:, first:last]
            y, state = self.lstm(self.pose_embedding(inputs), state)
            predicted = self.head(torch.cat((y, encoded[:, first:last]), -1))  # (B, last - first, 72)
            before = predicted[:, -1:].detach()
            made.append(predicted)
            if progress is not None:
                progress(last / len(own))
        return torch.cat(made, 1), state

    def draw_state(self, batch: int, generator: torch.Generator | None = None) -> State:
        """Return what the LSTM begins with, drawn from a normal distribution: another one is another dance."""
        shape, like = (self.config.depth, batch, self.config.units), self.head.weight
        first, second = (torch.randn(shape, generator=generator).to(like) for _ in range(2))
        return first, second

    @torch.inference_mode()
    def generate(
        self, audio: Tensor, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Tensor:
        """(B, T, 35) rhythm35 at `rate` -> (B, T, 72): dance from the mean pose on, each frame from its own before.

        Parameters
        ----------
        generator : draws what the LSTM begins with; without it, zeros.
        progress : called with the fraction done.

        Raises
        ------
        UsageError
            If the music has another shape.
        """
        check_shape("audio", audio, "B", "T", AUDIO)
        state = None if generator is None else self.draw_state(len(audio), generator)
        own = [True] * audio.shape[1]
        return self.motion_scale.inverse(self.unroll(self.encode(audio), None, own, state, progress)[0])


def sinusoids(time: Tensor, width: int) -> Tensor:
    """Return the positions (T, width) of frames (T,): sines and cosines, as Vaswani et al. have them."""
    rates = torch.exp(torch.arange(0, width, 2, device=time.device) * (-math.log(10000.0) / width))
    angles = time[:, None] * rates  # (T, width / 2)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


def _stretches(own: Sequence[bool]) -> list[tuple[int, int, bool]]:
    """Return first, last and kind of what the LSTM can do at once: given frames together, its own one by one."""
    found: list[tuple[int, int, bool]] = []
    at = 0
    for alone, group in groupby(own):
        count = len(list(group))
        steps = range(count) if alone else range(0, count, count)
        found += [(at + k, at + (k + 1 if alone else count), alone) for k in steps]
        at += count
    return found
