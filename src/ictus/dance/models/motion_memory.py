"""MotionMemory: an implicit representation of motion clips, the network of the choreographer.

Which clip, and how far in it -> a pose. `ictus.dance.motion_matching` places phrases of the clips on any music. Small
(a megabyte for two and a half minutes of dance), and trained in minutes.

Sources: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
NeurIPS 2020; rotations as two columns: Zhou et al., "On the Continuity of Rotation Representations in Neural
Networks", CVPR 2019.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.quaternions import RATE, from_matrices
from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape

JOINTS = 24
_BEYOND = 1.1  # times the longest clip, until the lowest frequency repeats itself


@dataclass(frozen=True)
class MotionMemoryConfig:
    """Sizes, and the clips.

    Attributes
    ----------
    names, genres, seconds, beats : of each clip, in their order: its name and genre, how long it lasts, and the seconds
        of its beats; see `ictus.dance.data.motion_clips.MotionClip`.
    firsts, tempi : in folders of earlier versions, instead of beats: the second of the first one, and beats a minute.
    width, layers : of the network.
    embedding : width of a clip's embedding.
    fastest : Hz, the highest frequency of time that the network is given.
    longest : seconds, the lowest frequency's period: longer than any clip, or its end would be its beginning.
    """

    names: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()
    beats: tuple[tuple[float, ...], ...] = ()
    firsts: tuple[float, ...] = ()
    tempi: tuple[float, ...] = ()
    width: int = 256
    layers: int = 3
    embedding: int = 64
    fastest: float = 6.0
    longest: float = 24.0

    def __post_init__(self) -> None:
        if self.firsts and not self.beats:
            steady = zip(self.seconds, self.firsts, self.tempi, strict=False)
            beats = tuple(tuple(np.arange(first, seconds, 60 / tempo).tolist()) for seconds, first, tempo in steady)
            object.__setattr__(self, "beats", beats)
        if len({len(part) for part in (self.names, self.genres, self.seconds, self.beats)}) != 1:
            raise ModelError("names, genres, seconds and beats must be as many as there are dances")
        if min(self.width, self.layers, self.embedding) < 1 or not 0 < 1 / self.longest < self.fastest:
            raise ModelError(
                "width, layers and embedding must be 1 or more, and longest a lower frequency than fastest"
            )

    def of_clips(self, clips: Sequence[MotionClip]) -> "MotionMemoryConfig":
        """Return the same sizes for these clips."""
        return replace(
            self,
            names=tuple(clip.name for clip in clips),
            genres=tuple(clip.genre for clip in clips),
            seconds=tuple(clip.seconds for clip in clips),
            longest=max(self.longest, *(_BEYOND * clip.seconds for clip in clips)),
            beats=tuple(tuple(np.round(clip.times, 3).tolist()) for clip in clips),
        )


class MotionMemory(Pretrained):
    """A network that holds motion clips."""

    model_type = "motion-memory"
    Config = MotionMemoryConfig
    config: MotionMemoryConfig
    sizes: ClassVar = {
        "small": MotionMemoryConfig(width=512),
        "debug": MotionMemoryConfig(width=32, embedding=8, fastest=2.0),
    }
    frequencies: Tensor

    def __init__(self, config: MotionMemoryConfig) -> None:
        super().__init__(config)
        self.metadata = {"skeleton": "smpl-24", "fps": RATE}
        count = round(config.fastest * config.longest)
        self.register_buffer("frequencies", torch.arange(1, count + 1) / config.longest, persistent=False)
        self.dance = nn.Embedding(max(1, len(config.names)), config.embedding)
        sizes = [2 * count + config.embedding, *[config.width] * config.layers]
        self.inner = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.outer = nn.Linear(config.width, 3 + 6 * JOINTS)

    def forward(self, number: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Predict poses.

        Parameters
        ----------
        number : (B,) of the clips.
        time : (B,) seconds in them.

        Returns
        -------
        root : (B, 3) metres.
        rotations : (B, 24, 3, 3).

        Raises
        ------
        UsageError
            If these are not as many times as numbers.
        """
        check_shape("number", number, "B")
        check_shape("time", time, len(number))
        phase = 2 * math.pi * time[:, None] * self.frequencies  # (B, frequencies)
        x = torch.cat((phase.sin(), phase.cos(), self.dance(number)), 1)
        for layer in self.inner:
            x = F.gelu(layer(x))
        pose = self.outer(x)  # (B, 3 + 6 * 24)
        return pose[:, :3], from_columns(pose[:, 3:].unflatten(1, (JOINTS, 2, 3)))

    @torch.inference_mode()
    def clips(self) -> list[MotionClip]:
        """Return all clips that it holds, each from beginning to end at 60 frames a second."""
        config, clips = self.config, []
        labels = zip(config.names, config.genres, config.seconds, config.beats, strict=True)
        for number, (name, genre, seconds, beats) in enumerate(labels):
            times = torch.arange(round(seconds * RATE)) / RATE
            root, rotations = self(torch.full((len(times),), number), times)
            quaternions = from_matrices(rotations.double().numpy())
            clips.append(MotionClip(name, genre, quaternions, root.double().numpy(), np.array(beats)))
        return clips


def from_columns(columns: Tensor) -> Tensor:
    """(..., 2, 3), two columns as predicted -> rotations (..., 3, 3), whose first two columns are near to them."""
    first = F.normalize(columns[..., 0, :], dim=-1)
    second = columns[..., 1, :]
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), -1)
