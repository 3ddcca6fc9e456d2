"""Learn real dances by heart: the squared error of poses, of where the root is, and of how fast both change."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from ictus.dance.models.motion_memory import MotionMemory, MotionMemoryConfig, told_of
from ictus.dance.motion_matching import RATE, Dance, matrices, phrases
from ictus.dance.motion_matching import read as read_dance
from ictus.errors import UsageError

Batch = dict[str, Any]
Batches = Callable[..., Iterator[Batch]]

_TOGETHER = 64  # frames in a sample
_MOVING = 4  # beats of the phrases by which it is seen whether a dance moves at all


@dataclass(frozen=True)
class MotionMemoryTaskConfig:
    """How dances are learnt by heart.

    Attributes
    ----------
    size : of the network.
    lr : Adam's learning rate.
    root, change : weight of the root's place, and of the change from frame to frame, beside that of the rotations.
    draws : samples of 64 frames in an epoch.
    """

    size: Literal["small", "debug"] = "small"
    lr: float = 2e-3
    root: float = 10.0
    change: float = 30.0
    draws: int = 1024

    def __post_init__(self) -> None:
        if min(self.lr, self.root, self.change) < 0 or self.draws < 1:
            raise UsageError("lr, root and change must be 0 or more, and draws 1 or more")


class Poses:
    """Frames of all dances: {"number": (64,), "time": (64,), "root": (64, 3), "rotations": (64, 24, 3, 3)}."""

    def __init__(self, dances: list[Dance], draws: int | None) -> None:
        self.numbers = np.concatenate([np.full(len(dance.root), k) for k, dance in enumerate(dances)])
        self.times = np.concatenate([np.arange(len(dance.root)) / RATE for dance in dances]).astype(np.float32)
        self.root = np.concatenate([dance.root for dance in dances]).astype(np.float32)
        self.rotations = np.concatenate([matrices(dance.turns) for dance in dances]).astype(np.float32)
        self.draws = draws

    def __len__(self) -> int:
        return self.draws or len(self.times) // _TOGETHER

    def __getitem__(self, index: int) -> Mapping[str, NDArray[Any]]:
        """Return 64 frames from anywhere, one after the other; of validation, the `index`-th ones."""
        last = len(self.times) - _TOGETHER
        first = np.random.randint(last + 1) if self.draws else index * _TOGETHER  # noqa: NPY002  # seeded by the loop
        rows = slice(int(first), int(first) + _TOGETHER)
        return {
            "number": self.numbers[rows],
            "time": self.times[rows],
            "root": self.root[rows],
            "rotations": self.rotations[rows],
        }


class MotionMemoryTask:
    """A repertoire in training. What is validated is what is learnt: by heart is meant."""

    Config = MotionMemoryTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("degrees", "min")

    def __init__(self, config: MotionMemoryTaskConfig, data: Path) -> None:
        found = [read_dance(path) for path in sorted(data.glob("*.npz"))]
        dances = [dance for dance in found if phrases([dance], _MOVING)]
        if not dances:
            raise UsageError(f"{data}: holds no recorded dances that move (.npz)")
        self.config = config
        self.samples, self.all = Poses(dances, config.draws), Poses(dances, None)
        sizes: MotionMemoryConfig = replace(MotionMemory.sizes[config.size], **told_of(dances))
        self.network = MotionMemory(sizes)
        self.networks = {"network": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam."""
        return {"network": Adam(self.network.parameters(), self.config.lr)}

    def train_set(self, epoch: int) -> Poses:
        """Frames from anywhere."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Squared errors of rotations, root and their change."""
        root, rotations = self._told(batch)
        turned = F.mse_loss(rotations, batch["rotations"])
        placed = F.mse_loss(root, batch["root"])
        same = (batch["number"][:, 1:] == batch["number"][:, :-1]).float()  # not across two dances
        change = (rotations - batch["rotations"]).diff(dim=1).square().mean((2, 3, 4)) * same
        moved = (root - batch["root"]).diff(dim=1).square().mean(2) * same
        loss = turned + self.config.root * placed
        loss = loss + self.config.change * (change.mean() + self.config.root * moved.mean())
        yield "network", loss, {"rotations": turned.detach(), "root": placed.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Mean angle by which joints are turned wrong, degrees, and distance by which the root is misplaced, metres."""
        angles: list[Tensor] = []
        misses: list[Tensor] = []
        for batch in batches(self.all):
            root, rotations = self._told(batch)
            trace = (rotations * batch["rotations"]).sum((-1, -2))
            angles.append(torch.rad2deg(((trace - 1) / 2).clamp(-1, 1).acos()).flatten())
            misses.append((root - batch["root"]).norm(dim=-1).flatten())
        return {"degrees": torch.cat(angles).mean().item(), "metres": torch.cat(misses).mean().item()}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder."""
        self.network.save_pretrained(folder, {"art": "dance", **facts})

    def _told(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return root (B, 64, 3) and rotations (B, 64, 24, 3, 3)."""
        shape = batch["number"].shape
        root, rotations = self.network(batch["number"].flatten(), batch["time"].flatten())
        return root.unflatten(0, shape), rotations.unflatten(0, shape)
