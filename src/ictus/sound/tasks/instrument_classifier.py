"""Train the instrument classifier: recognise the instrument by its sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from ictus.errors import UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.data.dataset import UNKNOWN, WINDOW, MelWindows, RandomMelWindows
from ictus.sound.models.instrument_classifier import InstrumentClassifier
from ictus.task import Batch, Batches, NetworkTask

W = TypeVar("W", bound=MelWindows)

_DECIBELS = 50  # of 1 on the scale from -1 to 1


@dataclass(frozen=True)
class MelAugmentation:
    """Augmentation: how a mel is changed so that the classifier does not go by the recording.

    Attributes
    ----------
    gain : decibels by which it is made louder or softer, at most.
    tilt : decibels by which the lowest and the highest band are raised and lowered, or the other way round, at most.
    floor : decibels over silence up to which noise may fill all that is softer, at most.
    bands, frames : of a stretch that is silenced, at most.
    """

    gain: float = 10.0
    tilt: float = 6.0
    floor: float = 25.0
    bands: int = 8
    frames: int = 24

    def __post_init__(self) -> None:
        if min(self.gain, self.tilt, self.floor, self.bands, self.frames) < 0:
            raise UsageError("gain, tilt, floor, bands and frames of the augmentation must be 0 or more")

    def __call__(self, mel: Tensor) -> Tensor:
        """(B, 80, T) in [-1, 1] -> the same, each mel changed in its own way."""
        count, bands, frames = mel.shape

        def drawn(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(count, 1, 1, device=mel.device)

        slope = torch.linspace(-1, 1, bands, device=mel.device)[:, None]
        change = drawn(-self.gain, self.gain) + slope * drawn(-self.tilt, self.tilt)
        mel = torch.maximum(mel + change / _DECIBELS, drawn(0, self.floor) / _DECIBELS - 1)
        for longest, size, shape in ((self.bands, bands, (1, bands, 1)), (self.frames, frames, (1, 1, frames))):
            place = torch.arange(size, device=mel.device).reshape(shape)
            begin = drawn(0, size)
            mel = torch.where((place >= begin) & (place < begin + drawn(0, longest)), -1, mel)
        return mel.clamp(-1, 1)


@dataclass(frozen=True)
class InstrumentClassifierTaskConfig:
    """How the instrument classifier learns.

    Attributes
    ----------
    size : of the network.
    frames : mel frames of a window that is learnt from; validation takes 848.
    draws : windows of each stretch of so many frames in an epoch.
    smoothing : share of the target that is spread over all instruments, so that the classifier is never sure beyond
        reason: KL grows without bounds with how sure it is.
    augmentation : how sounds are changed, anew each time.
    lr, decay : AdamW's learning rate and weight decay.
    train, val : splits.
    """

    size: Literal["small", "debug"] = "small"
    frames: int = 256
    draws: int = 1
    smoothing: float = 0.05
    augmentation: MelAugmentation = MelAugmentation()
    lr: float = 2e-3
    decay: float = 1e-2
    train: str = "train"
    val: str = "val"

    renamed: ClassVar = {"disguise": "augmentation"}


class InstrumentClassifierTask(NetworkTask[InstrumentClassifierTaskConfig, InstrumentClassifier, RandomMelWindows]):
    """The instrument classifier in training; performances whose instrument is not known are left out."""

    Config = InstrumentClassifierTaskConfig
    metadata: ClassVar = {"art": "sound"}
    monitor: tuple[str, Literal["min", "max"]] = ("ce", "min")

    def __init__(self, config: InstrumentClassifierTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = _known(RandomMelWindows(data, config.train, frames=config.frames, draws=config.draws))
        self.validation_set = _known(MelWindows(data, config.val, frames=WINDOW, hop=WINDOW // 2))
        self.network = InstrumentClassifier.from_config(config.size)
        if config.frames < self.network.shortest:
            raise UsageError(f"frames is {config.frames}; the classifier needs {self.network.shortest} at least")

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW."""
        return {"network": AdamW(self.network.parameters(), self.config.lr, weight_decay=self.config.decay)}

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Cross-entropy."""
        logits = self.network(self.config.augmentation(batch["mel"]))
        ce = F.cross_entropy(logits, batch["instrument"], label_smoothing=self.config.smoothing)
        accuracy = (logits.argmax(1) == batch["instrument"]).float().mean()
        yield "network", ce, {"ce": ce.detach(), "accuracy": accuracy}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return cross-entropy, and accuracy, over all windows and over those of each instrument.

        To compare, the share of the commonest instrument ("accuracy/commonest").
        """
        predictions: list[Tensor] = []
        targets: list[Tensor] = []
        for batch in batches(self.validation_set):
            predictions.append(self.network(batch["mel"]).float().cpu())
            targets.append(batch["instrument"].cpu())
        logits, target = torch.cat(predictions), torch.cat(targets)
        correct = (logits.argmax(1) == target).float()
        values = {
            "ce": F.cross_entropy(logits, target).item(),
            "accuracy": correct.mean().item(),
            "accuracy/commonest": torch.bincount(target).max().item() / len(target),
        }
        for number, name in enumerate(INSTRUMENTS):
            if (of := target == number).any():
                values[f"accuracy/{name}"] = correct[of].mean().item()
        return values


def _known(windows: W) -> W:
    """Leave out windows whose instrument is not known."""
    windows.places = [(each, at) for each, at in windows.places if each.instrument != UNKNOWN]
    if not windows.places:
        where = windows.performances[0].folder.parent
        raise UsageError(f"{where}: no performance is of {', '.join(INSTRUMENTS)}; name the instrument in about.json")
    return windows
