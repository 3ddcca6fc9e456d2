"""Train FACT: the mean squared error of the frames that it tells.

Source: Li et al., ICCV 2021, section 4, and the authors' code: windows of 120 frames of motion and 240 of audio from a
random frame of each dance, Adam 1e-4 (epsilon 1e-7), the rate falling to a tenth twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from ictus.dance.dataset import AIST, RandomWindows, Windows
from ictus.dance.fact import AUDIO_WINDOW, FACT, MOTION_WINDOW, Ablation, FACTConfig, sustained
from ictus.dance.frames import padded, rest
from ictus.errors import UsageError

Batch = dict[str, Any]
Batches = Callable[..., Iterator[Batch]]

ROLLOUT = 60  # frames that validation lets the network dance on by itself


@dataclass(frozen=True)
class FACTTaskConfig:
    """How FACT learns.

    Attributes
    ----------
    size, pose : of the network; 225 numbers a frame as in the authors' code, 219 as in the paper.
    ablation : a row of the paper's tables of ablations, or none.
    lr : Adam's learning rate.
    draws : windows of each dance in an epoch.
    rest : share of the windows whose first two seconds are rest, before the music: how a dance begins without a seed.
    noise : standard deviation of what is added to the motion that the network sees, so that it learns to go on from
        frames that are slightly wrong, as its own are. Published: neither rest nor noise.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    pose: Literal[219, 225] = 225
    ablation: Ablation | None = None
    lr: float = 1e-4
    draws: int = 1
    rest: float = 0.0
    noise: float = 0.0
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        if not 0 <= self.rest < 1:
            raise UsageError(f"rest is {self.rest:g}; it is a share, from 0 to less than 1")
        if self.noise < 0:
            raise UsageError(f"noise is {self.noise:g}; it must be 0 or more")


class FACTTask:
    """FACT in training."""

    Config = FACTTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("l2", "min")

    def __init__(self, config: FACTTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = RandomWindows(data, config.train, AIST, frames=AUDIO_WINDOW, draws=config.draws)
        heard = AUDIO_WINDOW + ROLLOUT
        self.unseen = Windows(data, config.val, AIST, frames=heard, hop=heard)
        self.network = FACT(_sizes(config))
        self.network.start.copy_(rest(_height(self.samples)))
        self.networks = {"network": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam, with Keras's epsilon."""
        return {"network": Adam(self.network.parameters(), self.config.lr, eps=1e-7)}

    def train_set(self, epoch: int) -> RandomWindows:
        """Windows of every dance, others in each epoch."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Mean squared error of the frames that are told."""
        motion, audio = batch["motion"], batch["audio"]
        if self.config.rest:
            resting = torch.rand(len(motion), 1, 1, device=motion.device) < self.config.rest
            motion = torch.where(resting, self._from_rest(motion), motion)
            audio = torch.where(resting, sustained(audio[:, MOTION_WINDOW:], MOTION_WINDOW, 0), audio)
        seen = motion[:, :MOTION_WINDOW]
        if self.config.noise:
            seen = seen + self.config.noise * torch.randn_like(seen)
        loss = self._l2(seen, motion, audio)
        yield "network", loss, {"l2": loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return L2 of what is told; of a second danced on its own; and, to compare, of standing still for it."""
        sums = np.zeros(3)
        for batch in batches(self.unseen):
            motion, audio = batch["motion"], batch["audio"]
            seed, truth = motion[:, :MOTION_WINDOW], motion[:, MOTION_WINDOW : MOTION_WINDOW + ROLLOUT]
            stride = self.network.config.future
            made = self.network.generate(padded(seed, self.config.pose), audio, ROLLOUT, stride)
            errors = (
                self._l2(seed, motion, audio[:, :AUDIO_WINDOW]),
                F.mse_loss(made, padded(truth, self.config.pose)),
                F.mse_loss(padded(seed[:, -1:].expand_as(truth), self.config.pose), padded(truth, self.config.pose)),
            )
            sums += len(motion) * np.array([error.item() for error in errors])
        l2, rollout, still = sums / len(self.unseen)
        return {"l2": l2, "l2/rollout": rollout, "l2/still": still}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder."""
        self.network.save_pretrained(folder, {"art": "dance", **facts})

    def _l2(self, seen: Tensor, motion: Tensor, audio: Tensor) -> Tensor:
        told = self.network(padded(seen, self.config.pose), audio)
        first = 1 if self.network.config.attention == "causal" else MOTION_WINDOW  # shift by 1, or future N
        return F.mse_loss(told, padded(motion[:, first : first + told.shape[1]], self.config.pose))

    def _from_rest(self, motion: Tensor) -> Tensor:
        """Return (B, T, 219): the dances, of which the first two seconds are rest at the place where they then are."""
        place = motion[:, MOTION_WINDOW, :3] * motion.new_tensor([1, 0, 1])  # on the floor: the height is that of rest
        resting = self.network.start + F.pad(place, (0, motion.shape[2] - 3))
        return torch.cat((resting[:, None].expand(-1, MOTION_WINDOW, -1), motion[:, MOTION_WINDOW:]), 1)


def _sizes(config: FACTTaskConfig) -> FACTConfig:
    sizes: FACTConfig = replace(FACT.sizes[config.size], pose=config.pose)
    return sizes.ablated(config.ablation) if config.ablation else sizes


def _height(samples: Windows) -> float:
    """Return the median height of the pelvis at the beginning of each dance, metres."""
    return float(np.median([dance.read("motion", 0, 1)[0, 1] for dance in samples.dances]))
