"""Train the keypoint encoder: recognise the instrument by how the player moves, never by the sound.

As published: windows of all frames, SGD 0.01 with a momentum of 0.9, batches of 64, 30 epochs. Ours takes
stretches of a second, of which every window of the encoder counts, and AdamW.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from torch import Tensor
from torch.nn import functional as F
from torch.optim import SGD, AdamW, Optimizer

from ictus.errors import UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.data.keypoint_windows import KeypointWindows
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.pose_normalization import WRISTS
from ictus.task import Batch, Batches, NetworkTask
from ictus.types import IntArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class KeypointsTaskConfig:
    """How the keypoint encoder learns.

    Attributes
    ----------
    size : of the network; "paper" is the published one.
    optimizer, lr, decay : "sgd" has a momentum of 0.9.
    frames, every : length of a stretch, and from one to the next; every window that lies whole within it counts.
    train, val : splits.
    """

    size: Literal["paper", "small", "debug"] = "small"
    optimizer: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-3
    decay: float = 1e-2
    frames: int = 32
    every: int = 16
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        if self.frames < 1 or self.every < 1:
            raise UsageError(f"stretches of {self.frames} frames every {self.every}; both must be 1 or more")


class KeypointsTask(NetworkTask[KeypointsTaskConfig, KeypointEncoder, KeypointWindows]):
    """The keypoint encoder in training.

    Stretches in which neither wrist is seen do not count.
    """

    Config = KeypointsTaskConfig
    metadata: ClassVar = {"art": "sound", "instruments": list(INSTRUMENTS)}
    monitor: tuple[str, Literal["min", "max"]] = ("balanced_accuracy", "max")

    def __init__(self, config: KeypointsTaskConfig, data: Path) -> None:
        self.config = config
        self.network = KeypointEncoder.from_config(config.size)
        if config.frames <= 2 * self.network.reach:
            shortest = 2 * self.network.reach + 1
            raise UsageError(f"frames is {config.frames}; a window has {shortest}: set frames to that or more")
        self.samples = KeypointWindows(data, config.train, config.frames, config.every)
        self.validation_set = KeypointWindows(data, config.val, config.frames, config.frames)
        self.confusion = np.zeros((len(INSTRUMENTS), len(INSTRUMENTS)), np.int64)  # of the last validation

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW or SGD."""
        parameters, lr, decay = self.network.parameters(), self.config.lr, self.config.decay
        if self.config.optimizer == "sgd":
            return {"network": SGD(parameters, lr, momentum=0.9, weight_decay=decay)}
        return {"network": AdamW(parameters, lr, weight_decay=decay)}

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Cross-entropy of every window."""
        loss, predicted, target = self._classify(batch)
        accuracy = (predicted == target).float().mean() if len(target) else loss.new_zeros(())
        yield "network", loss, {"loss": loss.detach(), "accuracy": accuracy}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return accuracy over all windows, its mean over instruments, and the share of the commonest, to compare.

        The confusion (row: played, column: predicted) is kept for `pictures`; its diagonal is "recall/INSTRUMENT".
        """
        count = len(INSTRUMENTS)
        self.confusion = np.zeros((count, count), np.int64)
        losses: list[float] = []
        for batch in batches(self.validation_set):
            loss, predicted, target = self._classify(batch)
            losses.append(float(loss))
            pairs = (target * count + predicted).cpu().numpy()
            self.confusion += np.bincount(pairs, minlength=count**2).reshape(count, count)
        played = self.confusion.sum(1)
        there = np.flatnonzero(played)
        recall = np.diag(self.confusion)[there] / played[there]
        total = max(1, int(played.sum()))
        return {
            "accuracy": float(np.trace(self.confusion) / total),
            "balanced_accuracy": float(recall.mean()) if len(there) else 0.0,
            "accuracy/commonest": float(played.max() / total),
            "loss": float(np.mean(losses)),
            **{f"recall/{INSTRUMENTS[k]}": float(share) for k, share in zip(there, recall, strict=True)},
        }

    def pictures(self, epoch: int) -> dict[str, "Figure"]:
        """The confusion of the last validation."""
        return {"confusion": draw_confusion(self.confusion)}

    def _classify(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, and for every window that counts what was predicted and what was played."""
        logits = self.network.classify(batch["keypoints"], padded=False).float()  # (B, n, classes)
        target = batch["instrument"][:, None].expand(logits.shape[:2])
        counts = (batch["keypoints"][:, :, list(WRISTS), 2] > 0).any(2).any(1)  # (B,)
        loss = F.cross_entropy(logits.transpose(1, 2), target, reduction="none")  # (B, n)
        weight = counts.float()[:, None]
        return (weight * loss).mean(), logits[counts].argmax(-1).flatten(), target[counts].flatten()


def draw_confusion(confusion: IntArray) -> "Figure":
    """Draw a table of counts, (played, predicted), shaded by the share of what was played."""
    from matplotlib.figure import Figure

    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (played, predicted), value in np.ndenumerate(confusion):
        colour = "white" if share[played, predicted] > 0.5 else "black"
        axes.text(predicted, played, str(value), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(INSTRUMENTS)), INSTRUMENTS, rotation=45, ha="right")
    axes.set_yticks(range(len(INSTRUMENTS)), INSTRUMENTS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("played")
    return figure
