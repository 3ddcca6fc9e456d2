"""MotionMemory: dances that a network knows by heart.

An implicit representation: which dance, and how far in it -> a pose. What it has learnt it can dance at any tempo, and
`ictus.dance.motion_matching` sets its phrases on any music. Small (a megabyte for two and a half minutes of dance), and
trained in minutes.

Sources: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
NeurIPS 2020; rotations as two columns: Zhou et al., "On the Continuity of Rotation Representations in Neural
Networks", CVPR 2019.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.dance.motion_matching import RATE, Dance, steady_turns
from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape

JOINTS = 24


@dataclass(frozen=True)
class Known:
    """What is said of a dance beside its poses; see `ictus.dance.motion_matching.Dance`."""

    name: str
    genre: str
    seconds: float
    first: float
    tempo: float


@dataclass(frozen=True)
class MotionMemoryConfig:
    """Sizes, and the dances.

    Attributes
    ----------
    names, genres, seconds, firsts, tempi : of each dance, in their order: its name and genre, how long it lasts, second
        of its first beat, beats a minute.
    width, layers : of the network.
    embedding : numbers that tell a dance.
    fastest : Hz, the highest frequency of time that the network is given.
    longest : seconds, the lowest frequency's period.
    """

    names: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()
    firsts: tuple[float, ...] = ()
    tempi: tuple[float, ...] = ()
    width: int = 256
    layers: int = 3
    embedding: int = 64
    fastest: float = 6.0
    longest: float = 24.0

    def __post_init__(self) -> None:
        told = {len(part) for part in (self.names, self.genres, self.seconds, self.firsts, self.tempi)}
        if len(told) != 1:
            raise ModelError("names, genres, seconds, firsts and tempi must be as many as there are dances")
        if min(self.width, self.layers, self.embedding) < 1 or not 0 < 1 / self.longest < self.fastest:
            raise ModelError(
                "width, layers and embedding must be 1 or more, and longest a lower frequency than fastest"
            )

    @property
    def known(self) -> tuple[Known, ...]:
        """The dances."""
        told = zip(self.names, self.genres, self.seconds, self.firsts, self.tempi, strict=True)
        return tuple(Known(*facts) for facts in told)


class MotionMemory(Pretrained):
    """A network that knows dances by heart."""

    model_type = "motion-memory"
    Config = MotionMemoryConfig
    config: MotionMemoryConfig
    sizes: ClassVar = {"small": MotionMemoryConfig(), "debug": MotionMemoryConfig(width=32, embedding=8, fastest=2.0)}
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
        """Tell poses.

        Parameters
        ----------
        number : (B,) of the dances.
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
        told = self.outer(x)
        return told[:, :3], from_columns(told[:, 3:].unflatten(1, (JOINTS, 2, 3)))

    @torch.inference_mode()
    def dances(self) -> list[Dance]:
        """Return all that it knows, each from beginning to end at 60 frames a second."""
        from scipy.spatial.transform import Rotation

        found = []
        for number, known in enumerate(self.config.known):
            times = torch.arange(round(known.seconds * RATE)) / RATE
            root, rotations = self(torch.full((len(times),), number), times)
            turns = Rotation.from_matrix(rotations.double().numpy().reshape(-1, 3, 3)).as_quat()
            steady = steady_turns(turns.reshape(len(times), JOINTS, 4))
            found.append(Dance(known.name, known.genre, steady, root.double().numpy(), known.first, known.tempo))
        return found


def told_of(dances: Sequence[Dance]) -> dict[str, tuple[str, ...] | tuple[float, ...]]:
    """Return what a `MotionMemoryConfig` says of dances."""
    return {
        "names": tuple(dance.name for dance in dances),
        "genres": tuple(dance.genre for dance in dances),
        "seconds": tuple(len(dance.root) / RATE for dance in dances),
        "firsts": tuple(round(dance.first, 4) for dance in dances),
        "tempi": tuple(float(np.round(dance.tempo, 3)) for dance in dances),
    }


def from_columns(columns: Tensor) -> Tensor:
    """(..., 2, 3), two columns as they were told -> rotations (..., 3, 3), whose first two columns are near to them."""
    first = F.normalize(columns[..., 0, :], dim=-1)
    second = columns[..., 1, :]
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack((first, second, torch.linalg.cross(first, second)), -1)
