"""Train the networks of Dance with Melody: the error of the motion, and for the autoencoder that of the audio features.

Source: Tang, Jia & Mao, ACM Multimedia 2018: loss = max(E_th, extraction) + prediction, both mean squared errors of
normalised numbers; Adam. Windows of 120 frames that overlap are of a public reproduction of it; its learning rate of
1e-3 and dropout of .2 learn ten times more slowly than those here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ictus.dance.data.dataset import MELODY, PreparedDance, Windows
from ictus.dance.models.melody import MelodyAutoencoder, MelodyConfig, Variant
from ictus.errors import UsageError
from ictus.features.melody16 import temporal_index
from ictus.task import Batch, Batches, Loss, NetworkTask
from ictus.types import Float32Array


@dataclass(frozen=True)
class MelodyTaskConfig:
    """How the networks of Dance with Melody are trained.

    Attributes
    ----------
    size, variant, grouping, scaling, dropout : of the network; see `ictus.dance.models.melody.MelodyConfig`.
    threshold : E_th: below it, the extraction is good enough and no longer pushed. The reproduction's 0.045 is never
        reached with groups scaled by min-max: predicting each number's mean already errs by 0.025 only.
    lr : Adam's learning rate.
    frames, hop : length of a window, and from one to the next; a hop of `frames` leaves no overlap.
    """

    size: Literal["paper", "debug"] = "paper"
    variant: Variant = "autoencoder"
    grouping: Literal["group", "dimension"] = "group"
    scaling: Literal["min-max", "z-score"] = "min-max"
    dropout: float = 0.0
    threshold: float = 0.01
    lr: float = 1e-2
    frames: int = 120
    hop: int = 10
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise UsageError(f"threshold is {self.threshold:g}; it must be 0 or more")


class IndexedWindows(Windows):
    """Windows with the temporal index of their frames in the whole dance, "index": (L, 3)."""

    def cut(self, dance: PreparedDance, at: int) -> dict[str, Float32Array | str]:
        """Read the window of a dance that begins at a frame."""
        return {**super().cut(dance, at), "index": index_of(dance)[at : at + self.frames]}


class MelodyTask(NetworkTask[MelodyTaskConfig, MelodyAutoencoder, IndexedWindows]):
    """A network of Dance with Melody in training; errors are distances of joints, in the unit of the corpus."""

    Config = MelodyTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("error", "min")

    def __init__(self, config: MelodyTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = IndexedWindows(data, config.train, MELODY, frames=config.frames, hop=config.hop)
        self.validation = IndexedWindows(data, config.val, MELODY, frames=config.frames, hop=config.frames)
        chosen = {name: getattr(config, name) for name in ("variant", "grouping", "scaling", "dropout")}
        longest = max(dance.frames for dance in self.samples.dances)
        sizes: MelodyConfig = replace(MelodyAutoencoder.sizes[config.size], longest=longest, **chosen)
        self.network = MelodyAutoencoder(sizes)
        audio, index, motion = _all_frames(self.samples.dances)
        self.network.fit_scales(audio, index, motion, config.frames)
        self.mean_pose = motion.mean(0)  # (63,): what a network without audio would predict

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """The extraction, down to the threshold, and the prediction."""
        terms, _ = self._predict(batch)
        loss = terms["prediction"]
        if "extraction" in terms:
            loss = loss + terms["extraction"].clamp(min=self.config.threshold)
        yield "network", loss, {name: term.detach() for name, term in terms.items()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Mean distance of the joints; that of the mean pose, to compare; and the terms of the loss."""
        sums: dict[str, float] = {}
        for batch in batches(self.validation):
            terms, predicted = self._predict(batch)
            target = batch["motion"]
            mean = self.mean_pose.to(target.device).expand_as(target)
            values = {"error": _distance(predicted, target), "error/mean_pose": _distance(mean, target), **terms}
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + len(target) * value.item()
        return {name: total / len(self.validation) for name, total in sums.items()}

    def _predict(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """Return the terms of the loss, and the predicted motion (B, T, 63)."""
        audio = self.network.audio_scale(batch["audio"])
        motion, decoded = self.network.predict(audio, self.network.index_scale(batch["index"]))
        terms = {"prediction": F.mse_loss(motion, self.network.motion_scale(batch["motion"]))}
        if decoded is not None:
            terms["extraction"] = F.mse_loss(decoded, audio)
        return terms, self.network.motion_scale.inverse(motion)


def index_of(dance: PreparedDance) -> Float32Array:
    """Return the temporal index of a whole dance, (T, 3)."""
    return temporal_index(dance.beats, dance.frames, MELODY.rate)


def _all_frames(dances: tuple[PreparedDance, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return audio (T, 16), index (T, 3) and motion (T, 63) of all frames of all dances."""
    frames = [(dance.read("audio"), index_of(dance), dance.read("motion")) for dance in dances]
    audio, index, motion = (torch.from_numpy(np.concatenate(part)) for part in zip(*frames, strict=True))
    return audio, index, motion


def _distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean distance of joints, of (B, T, 63) twice."""
    apart: Tensor = torch.linalg.vector_norm((predicted - target).reshape(-1, 3), dim=-1)
    return apart.mean()
