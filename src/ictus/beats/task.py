"""Train the beat network: beats and downbeats, frame by frame, from music whose beats are known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from ictus.beats.augmentation import Augmentation
from ictus.beats.dataset import RATE, BeatDataset, Level
from ictus.beats.metrics import f_measure
from ictus.beats.network import BeatNetwork, shift_tolerant_loss
from ictus.task import Batch, Batches, NetworkTask
from ictus.types import Float32Array


@dataclass(frozen=True)
class BeatTrackerConfig:
    """How the beat network learns.

    Attributes
    ----------
    size : "small" takes the whole piece, "small-live" follows it, 60 ms behind.
    train, val : splits.
    seconds : of a window.
    level : which beats are learned: those that people count, or those that a conductor shows.
    tolerance : frames of 20 ms by which a beat may be marked off without a loss.
    beat_weight, downbeat_weight : of a frame with a beat against one without.
    place_weight : of the beats' places in their bars.
    lr, decay : AdamW's learning rate and weight decay.
    augmentation : how the music is changed in every epoch.
    """

    size: Literal["paper", "small", "small-live", "debug", "debug-live"] = "small"
    train: str = "train"
    val: str = "val"
    seconds: float = 40.0
    level: Level = "counted"
    tolerance: int = 2
    beat_weight: float = 5.0
    downbeat_weight: float = 10.0
    place_weight: float = 0.05
    lr: float = 3e-3
    decay: float = 1e-2
    augmentation: Augmentation = field(default_factory=Augmentation)

    renamed: ClassVar = {"retake": "augmentation"}


class BeatTrackerTask(NetworkTask[BeatTrackerConfig, BeatNetwork, BeatDataset]):
    """The beat network in training; what it predicts on held-out music is compared with the beats, within 70 ms."""

    Config = BeatTrackerConfig
    monitor: tuple[str, Literal["min", "max"]] = ("f_measure", "max")

    def __init__(self, config: BeatTrackerConfig, data: Path) -> None:
        self.config = config
        window: dict[str, Any] = {"seconds": config.seconds, "level": config.level}
        self.samples = BeatDataset(data, config.train, augmentation=config.augmentation, **window)
        self.validation = BeatDataset(data, config.val, **window)
        self.network = BeatNetwork.from_config(config.size)

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW."""
        return {"network": AdamW(self.network.parameters(), self.config.lr, weight_decay=self.config.decay)}

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Shift-tolerant binary cross-entropy of beats and downbeats, and cross-entropy of the beats' places."""
        loss = self._loss(batch, self.network(batch["mel"]))
        yield "network", loss, {"loss": loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """F-measures of the predicted frames: of beats, of downbeats, the mean of both, and beats by group of music."""
        scores: list[tuple[float, float]] = []
        groups: list[str] = []
        losses: list[float] = []
        right: list[float] = []
        for batch in batches(self.validation):
            logits = self.network(batch["mel"])
            losses.append(float(self._loss(batch, logits)))
            groups += batch["group"]
            right.append(float(_place_accuracy(logits, batch["places"])))
            for activation, target in zip(logits.float().cpu().numpy(), batch["beats"].cpu().numpy(), strict=True):
                known = [np.flatnonzero(target[:, k]) / RATE for k in range(2)]
                predicted = [pick_peaks(activation[:, k]) / RATE for k in range(2)]
                scores.append((f_measure(known[0], predicted[0]), f_measure(known[1], predicted[1])))
        table = np.array(scores)  # (N, 2)
        values = {"f_measure": table.mean(), "beat_f": table[:, 0].mean(), "downbeat_f": table[:, 1].mean()}
        for group in sorted(set(groups)):
            values[f"beat_f/{group}"] = table[np.array(groups) == group, 0].mean()
        return {
            **{name: float(value) for name, value in values.items()},
            "loss": float(np.mean(losses)),
            "place": float(np.mean(right)),
        }

    def _loss(self, batch: Batch, logits: Tensor) -> Tensor:
        weight = torch.tensor([self.config.beat_weight, self.config.downbeat_weight], device=logits.device)
        marks = shift_tolerant_loss(logits[..., :2], batch["beats"], self.config.tolerance, weight)
        known = batch["places"] >= 0
        wrong = F.cross_entropy(logits[..., 2:][known].float(), batch["places"][known], reduction="sum")
        loss: Tensor = marks + self.config.place_weight * wrong / known.sum().clamp(min=1)
        return loss


def _place_accuracy(logits: Tensor, places: Tensor) -> Tensor:
    """Return the share of the frames about beats whose place is the most likely one."""
    return (logits[..., 2:].argmax(-1) == places)[places >= 0].float().mean()


def pick_peaks(logits: Float32Array) -> NDArray[np.intp]:
    """Return the frames that a network alone predicts: positive logits, the highest within 60 ms (Beat This!, 2.4)."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(logits, 3, constant_values=-np.inf), 7).max(1)
    found = np.flatnonzero((logits > 0) & (logits == around))
    return found[np.diff(found, prepend=-9) > 1]  # of equals side by side, the first
