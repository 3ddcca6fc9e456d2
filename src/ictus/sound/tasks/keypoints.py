"""Train the keypoint encoder: tell the instrument from how the player moves, never from the sound.

As published: windows of all frames, SGD 0.01 with a momentum of 0.9, batches of 64, 30 epochs. Ours takes
stretches of a second, of which every window counts, and AdamW.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim import SGD, AdamW, Optimizer

from ictus.errors import IctusError, UsageError
from ictus.formats.npz import DAMAGE
from ictus.sound import INSTRUMENTS
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.pose_normalization import BODY, WRISTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Batch = dict[str, Any]
Batches = Callable[..., Iterator[Batch]]


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


class KeypointWindows:
    """Stretches of a split's films: {"keypoints": (frames, 47, 3), "instrument": number, "name": "train/NAME@FRAME"}.

    Folders without keypoints, or without an instrument that is known, are left out; `broken` has a line for each that
    is damaged.

    Parameters
    ----------
    root, split : folder of the prepared corpus, and "train", "val" or "test".
    frames, every : length of a stretch, and from one to the next.

    Raises
    ------
    UsageError
        If there is no such split, or no stretch in it.
    """

    def __init__(self, root: Path, split: str, frames: int, every: int) -> None:
        folder = root / split
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; a prepared corpus has train/, val/ and test/")
        self.frames = frames
        self.broken: list[str] = []
        self.places: list[tuple[Path, int, int]] = []  # folder, instrument, first frame
        for take in sorted(path for path in folder.iterdir() if (path / "keypoints.npy").exists()):
            try:
                instrument, length = _instrument(take), len(_keypoints(take))
            except IctusError as error:
                self.broken.append(str(error))
                continue
            if instrument is not None:
                self.places += [(take, instrument, first) for first in range(0, length - frames + 1, every)]
        if not self.places:
            why = f"; unusable: {self.broken[0]} (and {len(self.broken) - 1} more)" if self.broken else ""
            raise UsageError(f"{folder}: holds no {frames} frames of keypoints whose instrument is known{why}")

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, NDArray[np.float32] | np.int64 | str]:
        """Read one stretch.

        Raises
        ------
        IctusError
            If its numbers are not finite; the message names the file.
        """
        take, instrument, first = self.places[index]
        points = np.array(_keypoints(take)[first : first + self.frames], np.float32)
        if not np.isfinite(points).all():
            raise IctusError(f"{take / 'keypoints.npy'}: not finite between frames {first} and {first + self.frames}")
        name = f"{take.parent.name}/{take.name}@{first}"
        return {"keypoints": points, "instrument": np.int64(instrument), "name": name}


class KeypointsTask:
    """The keypoint encoder in training.

    Stretches in which neither wrist is seen teach nothing, and do not count.
    """

    Config = KeypointsTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("balanced_accuracy", "max")

    def __init__(self, config: KeypointsTaskConfig, data: Path) -> None:
        self.config = config
        self.network = KeypointEncoder.from_config(config.size)
        if config.frames <= 2 * self.network.reach:
            shortest = 2 * self.network.reach + 1
            raise UsageError(f"frames is {config.frames}; a window has {shortest}: set frames to that or more")
        self.samples = KeypointWindows(data, config.train, config.frames, config.every)
        self.unseen = KeypointWindows(data, config.val, config.frames, config.frames)
        self.networks = {"network": self.network}
        self.confusion = np.zeros((len(INSTRUMENTS), len(INSTRUMENTS)), np.int64)  # of the last validation

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW or SGD."""
        parameters, lr, decay = self.network.parameters(), self.config.lr, self.config.decay
        if self.config.optimizer == "sgd":
            return {"network": SGD(parameters, lr, momentum=0.9, weight_decay=decay)}
        return {"network": AdamW(parameters, lr, weight_decay=decay)}

    def train_set(self, epoch: int) -> KeypointWindows:
        """All stretches of the training split."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Cross-entropy of every window."""
        loss, told, truth = self._told(batch)
        right = (told == truth).float().mean() if len(truth) else loss.new_zeros(())
        yield "network", loss, {"loss": loss.detach(), "accuracy": right}

    def validate(self, batches: Batches) -> dict[str, float]:
        """How many windows are told right: of all, and as a mean over instruments; and of the commonest, to compare.

        The confusion (row: played, column: told) is kept for `pictures`; its diagonal is "recall/INSTRUMENT".
        """
        count = len(INSTRUMENTS)
        self.confusion = np.zeros((count, count), np.int64)
        losses: list[float] = []
        for batch in batches(self.unseen):
            loss, told, truth = self._told(batch)
            losses.append(float(loss))
            pairs = (truth * count + told).cpu().numpy()
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

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder."""
        self.network.save_pretrained(folder, {"art": "sound", "instruments": list(INSTRUMENTS), **facts})

    def _told(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, and for every window that counts what was told and what was played."""
        logits = self.network.classify(batch["keypoints"], padded=False).float()  # (B, n, classes)
        truth = batch["instrument"][:, None].expand(logits.shape[:2])
        counts = (batch["keypoints"][:, :, list(WRISTS), 2] > 0).any(2).any(1)  # (B,)
        loss = F.cross_entropy(logits.transpose(1, 2), truth, reduction="none")  # (B, n)
        weight = counts.float()[:, None]
        return (weight * loss).mean(), logits[counts].argmax(-1).flatten(), truth[counts].flatten()


def draw_confusion(confusion: NDArray[np.int64]) -> "Figure":
    """Draw a table of counts, (played, told), shaded by the share of what was played."""
    from matplotlib.figure import Figure

    share = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (played, told), value in np.ndenumerate(confusion):
        colour = "white" if share[played, told] > 0.5 else "black"
        axes.text(told, played, str(value), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(INSTRUMENTS)), INSTRUMENTS, rotation=45, ha="right")
    axes.set_yticks(range(len(INSTRUMENTS)), INSTRUMENTS)
    axes.set_xlabel("told")
    axes.set_ylabel("played")
    return figure


def _instrument(take: Path) -> int | None:
    """Return the number of the instrument that about.json names, or None if it names no known one."""
    file = take / "about.json"
    try:
        about = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise IctusError(f"{file}: missing or no JSON") from error
    name = about.get("instrument") if isinstance(about, dict) else None
    return INSTRUMENTS.index(name) if name in INSTRUMENTS else None


def _keypoints(take: Path) -> NDArray[np.floating]:
    """Map the keypoints of a take, (K, 47, 3)."""
    file = take / "keypoints.npy"
    try:
        array = np.lib.format.open_memmap(file, mode="r")
    except DAMAGE as error:
        raise IctusError(f"{file}: damaged or no array") from error
    if array.dtype.kind != "f" or array.ndim != 3 or array.shape[1:] != (len(BODY), 3):
        raise IctusError(f"{file}: {array.dtype} of shape {array.shape}, expected floats (frames, {len(BODY)}, 3)")
    return array
