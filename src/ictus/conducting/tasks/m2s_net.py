"""Train M2S-Net: classify music and motion that belong together, or do not.

Source: Liu et al., JCST 2022. Adam 1e-3, batches of 10 samples of 30 s, clips of 10 s, 400 epochs; binary cross-entropy
of each clip's mean probability; negatives are easy (another recording), hard (the same piece, at least a clip apart) or
super-hard (the same piece, half a second to five seconds apart). The first epoch is always easy: hard negatives alone
do not train from scratch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ictus.conducting.data.conductor_motion import MEL_RATE, MOTION_RATE, ConductorMotion
from ictus.conducting.models.m2s_net import M2SNet
from ictus.conducting.tasks.corpus import CorpusConfig
from ictus.errors import UsageError
from ictus.task import Batch, Batches, NetworkTask

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Negatives = Literal["easy", "hard", "super_hard"]
MODES: tuple[Negatives, ...] = ("easy", "hard", "super_hard")


@dataclass(frozen=True)
class M2SNetTaskConfig:
    """How M2S-Net learns.

    Attributes
    ----------
    negatives : kind of negatives after the first epoch.
    clip : seconds that are compared.
    lr : Adam's learning rate.
    corpus : `train: test, val: train, val_limit_hours: 5` there trains the independent evaluator of the sync error, as
        the authors' `hard_test` does.
    """

    size: Literal["paper", "debug"] = "paper"
    negatives: Negatives = "hard"
    clip: int = 10
    lr: float = 1e-3
    corpus: CorpusConfig = field(default_factory=CorpusConfig)

    def __post_init__(self) -> None:
        if self.corpus.seconds < 2 * self.clip:
            raise UsageError(
                f"samples of {self.corpus.seconds} s hold no two clips of {self.clip} s; "
                f"set corpus.seconds to {2 * self.clip} or more"
            )


class M2SNetTask(NetworkTask[M2SNetTaskConfig, M2SNet, ConductorMotion]):
    """M2S-Net in training; its accuracies count decisions per frame, at a probability of 0.5."""

    Config = M2SNetTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("accuracy/hard", "max")

    def __init__(self, config: M2SNetTaskConfig, data: Path) -> None:
        self.config = config
        self.samples, self.validation = config.corpus.open(data)
        self.network = M2SNet.from_config(config.size)
        self._shown: tuple[Tensor, Tensor] | None = None

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Binary cross-entropy over the two true pairs and the two false ones."""
        mode = "easy" if epoch == 0 else self.config.negatives
        loss, accuracy = self._compared(batch, mode)
        yield "network", loss, {f"loss/{mode}": loss.detach(), f"accuracy/{mode}": accuracy}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Accuracy and loss for each kind of negatives."""
        values: dict[str, list[float]] = {}
        for batch in batches(self.validation):
            self._shown = self._shown or (batch["mel"][:1].cpu(), batch["motion"][:1].cpu())
            for mode in MODES:
                loss, accuracy = self._compared(batch, mode)
                values.setdefault(f"loss/{mode}", []).append(float(loss))
                values.setdefault(f"accuracy/{mode}", []).append(float(accuracy))
        return {name: sum(found) / len(found) for name, found in values.items()}

    def pictures(self, epoch: int) -> dict[str, "Figure"]:
        """Every layer of both encoders, for the first sample that is held out."""
        if self._shown is None:
            return {}
        device = next(self.network.parameters()).device
        mel, motion = (x.to(device) for x in self._shown)
        with torch.no_grad():
            music, moving = self.network.features(mel, motion)
        return {"music": draw_layers(music, "music"), "motion": draw_layers(moving, "motion")}

    def _compared(self, batch: Batch, mode: Negatives | str) -> tuple[Tensor, Tensor]:
        """Return loss and accuracy of a batch's true and false pairs."""
        recordings = [name.partition("@")[0] for name in batch["name"]]
        mels, motions = draw_pairs(batch["mel"], batch["motion"], recordings, mode, self.config.clip)
        music = [self.network.music(mel) for mel in mels]
        moving = [self.network.motion(motion) for motion in motions]
        losses, hits = [], []
        for i, j in ((0, 0), (0, 1), (1, 1), (1, 0)):
            sync = self.network.compare(music[i], moving[j])  # (B, T30, 1)
            target = torch.full_like(sync[:, 0, 0], float(i == j))
            losses.append(F.binary_cross_entropy(sync.mean((1, 2)), target))
            hits.append(((sync > 0.5) == (i == j)).float().mean())
        return torch.stack(losses).mean(), torch.stack(hits).mean().detach()


def draw_pairs(
    mel: Tensor, motion: Tensor, recordings: Sequence[str], mode: str, clip: int
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Cut two clips, 1 and 2, from each sample, such that music 1 and motion 2 do not belong together.

    Parameters
    ----------
    mel, motion : (B, S * 90, 128) and (B, S * 30, 13, 2).
    recordings : that of each sample.
    mode : "easy": 2 is the same stretch of a sample of another recording; "hard": 2 begins at least a clip after 1 in
        the same sample; "super_hard": it begins half a second to five seconds away. In a batch of a single recording
        easy is hard.
    clip : seconds.

    Returns
    -------
    (mel 1, mel 2), each (B, clip * 90, 128), and (motion 1, motion 2), each (B, clip * 30, 13, 2).
    """
    frames = motion.shape[1]
    room, length = frames - clip * MOTION_RATE, clip * MOTION_RATE  # in motion frames: both rates then stay aligned
    if mode == "easy" and len(set(recordings)) > 1:
        start = _uniform(0, room)
        firsts, others = _cut(mel, motion, start, length), _of_others(recordings)
        return (firsts[0], firsts[0][others]), (firsts[1], firsts[1][others])
    if mode == "super_hard":
        shift = _uniform(MOTION_RATE // 2, min(5 * MOTION_RATE, room))
        first = _uniform(0, room - shift)
        one, two = (first, first + shift) if _uniform(0, 1) else (first + shift, first)
    else:
        one = _uniform(0, room - length)
        two = _uniform(one + length, room)
    firsts, seconds = _cut(mel, motion, one, length), _cut(mel, motion, two, length)
    return (firsts[0], seconds[0]), (firsts[1], seconds[1])


def draw_layers(layers: list[Tensor], title: str) -> "Figure":
    """Draw each layer of an encoder, (1, C, T, W) or (1, C, T), as an image of channels x width over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.3 * len(layers) + 0.6), layout="constrained")
    figure.suptitle(f"{title} encoder, layer by layer")
    for axes, layer in zip(figure.subplots(len(layers), 1, squeeze=False)[:, 0], layers, strict=True):
        image = layer[0].detach().float().cpu()
        image = image.movedim(1, -1).flatten(0, -2) if image.ndim == 3 else image  # (C * W, T)
        low, high = np.percentile(image.numpy(), [1, 99])  # one loud instant would leave the rest dark
        axes.imshow(image.numpy(), aspect="auto", interpolation="nearest", cmap="magma", vmin=low, vmax=high)
        axes.set_ylabel(" x ".join(map(str, layer.shape[1:])), fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _of_others(recordings: Sequence[str]) -> list[int]:
    """Return for each sample of a batch the next one before it, round the batch, of another recording."""
    count = len(recordings)
    before = [[(k - back) % count for back in range(1, count)] for k in range(count)]
    return [next(other for other in before[k] if recordings[other] != recordings[k]) for k in range(count)]


def _cut(mel: Tensor, motion: Tensor, start: int, length: int) -> tuple[Tensor, Tensor]:
    step = MEL_RATE // MOTION_RATE
    return mel[:, start * step : (start + length) * step], motion[:, start : start + length]


def _uniform(low: int, high: int) -> int:
    """A whole number from low to high, both included, from torch's generator."""
    return int(torch.randint(low, max(high, low) + 1, ()))
