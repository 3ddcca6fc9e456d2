"""Train MotionMemory: the squared error of rotations, of the root's place, and of how fast both change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.data.repertoire import read_clips
from ictus.dance.models.motion_memory import MotionMemory
from ictus.dance.phrases import cut_phrases
from ictus.dance.quaternions import RATE, to_matrices
from ictus.errors import UsageError
from ictus.task import Batch, Batches, Loss, NetworkTask
from ictus.types import AnyArray

_WINDOW = 64  # frames in a sample
_PHRASE = 4  # beats of the phrases by which it is decided whether a clip moves at all


@dataclass(frozen=True)
class MotionMemoryTaskConfig:
    """How MotionMemory is trained.

    Attributes
    ----------
    size : of the network.
    lr : Adam's learning rate.
    root, change : weights of the root's place, and of the change from frame to frame, beside that of the rotations.
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
    """Frames of all clips: {"number": (64,), "time": (64,), "root": (64, 3), "rotations": (64, 24, 3, 3)}."""

    def __init__(self, clips: list[MotionClip], draws: int | None) -> None:
        self.numbers = np.concatenate([np.full(len(clip.root), k) for k, clip in enumerate(clips)])
        self.times = np.concatenate([np.arange(len(clip.root)) / RATE for clip in clips]).astype(np.float32)
        self.root = np.concatenate([clip.root for clip in clips]).astype(np.float32)
        self.rotations = np.concatenate([to_matrices(clip.quaternions) for clip in clips]).astype(np.float32)
        self.draws = draws

    def __len__(self) -> int:
        return self.draws or len(self.times) // _WINDOW

    def __getitem__(self, index: int) -> Mapping[str, AnyArray]:
        """Return 64 frames from anywhere, one after the other; of validation, the `index`-th ones."""
        last = len(self.times) - _WINDOW
        first = np.random.randint(last + 1) if self.draws else index * _WINDOW  # noqa: NPY002  # seeded by the loop
        rows = slice(int(first), int(first) + _WINDOW)
        return {
            "number": self.numbers[rows],
            "time": self.times[rows],
            "root": self.root[rows],
            "rotations": self.rotations[rows],
        }


class MotionMemoryTask(NetworkTask[MotionMemoryTaskConfig, MotionMemory, Poses]):
    """MotionMemory in training. It is validated on the clips that it is trained on, for it shall reproduce them."""

    Config = MotionMemoryTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("degrees", "min")

    def __init__(self, config: MotionMemoryTaskConfig, data: Path) -> None:
        clips = [clip for clip in read_clips(data) if cut_phrases([clip], _PHRASE)]
        if not clips:
            raise UsageError(f"{data}: none of its recorded dances moves")
        self.config = config
        self.samples, self.validation = Poses(clips, config.draws), Poses(clips, None)
        self.network = MotionMemory(MotionMemory.sizes[config.size].of_clips(clips))

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Squared errors of rotations, root and their change."""
        root, rotations = self._predict(batch)
        rotation_loss = F.mse_loss(rotations, batch["rotations"])
        root_loss = F.mse_loss(root, batch["root"])
        same = (batch["number"][:, 1:] == batch["number"][:, :-1]).float()  # not across two dances
        change = (rotations - batch["rotations"]).diff(dim=1).square().mean((2, 3, 4)) * same
        moved = (root - batch["root"]).diff(dim=1).square().mean(2) * same
        loss = rotation_loss + self.config.root * root_loss
        loss = loss + self.config.change * (change.mean() + self.config.root * moved.mean())
        yield "network", loss, {"rotations": rotation_loss.detach(), "root": root_loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return the mean error of the joints' rotations, degrees, and of the root's place, metres."""
        angles: list[Tensor] = []
        distances: list[Tensor] = []
        for batch in batches(self.validation):
            root, rotations = self._predict(batch)
            trace = (rotations * batch["rotations"]).sum((-1, -2))
            angles.append(torch.rad2deg(((trace - 1) / 2).clamp(-1, 1).acos()).flatten())
            distances.append((root - batch["root"]).norm(dim=-1).flatten())
        return {"degrees": torch.cat(angles).mean().item(), "metres": torch.cat(distances).mean().item()}

    def _predict(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the predicted root (B, 64, 3) and rotations (B, 64, 24, 3, 3)."""
        shape = batch["number"].shape
        root, rotations = self.network(batch["number"].flatten(), batch["time"].flatten())
        return root.unflatten(0, shape), rotations.unflatten(0, shape)
