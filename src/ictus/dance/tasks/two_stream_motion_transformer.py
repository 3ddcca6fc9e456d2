"""Train the two-stream motion transformer: the cross-entropy of the bins of all joints.

Source: Li, Yin et al., arXiv:2008.08171, 2020, and the authors' scripts: Adam 1e-4, batches of 32, a rate that falls
twice in 2,000 epochs, after 800 and 1,600.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ictus.dance.data.slower_windows import SlowerWindows
from ictus.dance.joints import POINTS, points_on_stage
from ictus.dance.models.two_stream_motion_transformer import (
    TwoStreamMotionTransformer,
    TwoStreamMotionTransformerConfig,
)
from ictus.dance.standing import StandingRange
from ictus.dance.tasks.joints import Sums
from ictus.task import Batch, Batches, Loss, NetworkTask


@dataclass(frozen=True)
class TwoStreamMotionTransformerTaskConfig:
    """How the two-stream motion transformer learns.

    Attributes
    ----------
    size : of the network; windows are as long as its context.
    lr : Adam's learning rate.
    hop : frames from one window to the next, at the network's frame rate.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    lr: float = 1e-4
    hop: int = 60
    train: str = "train"
    val: str = "val"


class TwoStreamMotionTransformerTask(
    NetworkTask[TwoStreamMotionTransformerTaskConfig, TwoStreamMotionTransformer, SlowerWindows]
):
    """The two-stream motion transformer in training."""

    Config = TwoStreamMotionTransformerTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("entropy", "min")

    def __init__(self, config: TwoStreamMotionTransformerTaskConfig, data: Path) -> None:
        self.config = config
        sizes: TwoStreamMotionTransformerConfig = TwoStreamMotionTransformer.sizes[config.size]
        frames, rate = sizes.context, sizes.rate
        self.samples = SlowerWindows(data, config.train, points_on_stage, rate=rate, frames=frames, hop=config.hop)
        self.validation = SlowerWindows(data, config.val, points_on_stage, rate=rate, frames=frames, hop=frames)
        standing = StandingRange.of(dance.read("motion") for dance in self.samples.dances)
        self.network = TwoStreamMotionTransformer(replace(sizes, standing=standing))
        motion, audio = self.samples.all_frames()
        self.network.fit_scales(motion, audio)
        self.frequencies = _frequencies(self.network.sort(motion), sizes.bins)  # (72, bins)

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Cross-entropy, nats a number."""
        loss = self._entropy(batch["motion"], batch["audio"])
        yield "network", loss, {"entropy": loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return the cross-entropy, nats a number; with the music of another window; and of how often each bin is met.

        `entropy/frequencies`, the last, is what a network reaches that sees neither music nor dance.
        """
        sums = Sums()
        for batch in batches(self.validation):
            motion, audio = batch["motion"], batch["audio"]
            sums.add(
                len(motion),
                {
                    "entropy": self._entropy(motion, audio),
                    "entropy/other_music": self._entropy(motion, audio.roll(1, 0)),
                    "entropy/frequencies": self._of_frequencies(self.network.sort(motion)),
                },
            )
        return sums.means()

    def _entropy(self, motion: Tensor, audio: Tensor) -> Tensor:
        logits = self.network(motion, audio)  # (B, T, 72, bins)
        return F.cross_entropy(logits.flatten(0, 2), self.network.sort(motion).flatten())

    def _of_frequencies(self, bins: Tensor) -> Tensor:
        """(B, T, 72) -> the mean of minus the logarithm of the frequencies."""
        frequent = self.frequencies.to(bins.device)[torch.arange(POINTS, device=bins.device), bins]
        return -frequent.log().mean()


def _frequencies(bins: Tensor, count: int) -> Tensor:
    """(T, 72) -> (72, count): how often each bin is met, none of them never."""
    counted = torch.stack([torch.bincount(column, minlength=count) for column in bins.T])
    return (counted + 1.0) / (counted + 1.0).sum(1, keepdim=True)
