"""Train DanceNet: how unlikely the true moves are.

Source: Zhuang et al., ACM TOMM 2022: the negative logarithm of the likelihood under a mixture of Gaussians, Adam.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from torch import Tensor

from ictus.dance.data.slower_windows import SlowerWindows
from ictus.dance.models.dance_net import DanceNet, DanceNetConfig, Mixture
from ictus.dance.moves import moves_of
from ictus.dance.standing import StandingRange
from ictus.dance.tasks.joints import Sums
from ictus.errors import UsageError
from ictus.task import Batch, Batches, Loss, NetworkTask


@dataclass(frozen=True)
class DanceNetTaskConfig:
    """How DanceNet learns.

    Attributes
    ----------
    size : of the network.
    lr : Adam's learning rate.
    frames, hop : of a window, and from one to the next, at the network's frame rate.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    lr: float = 1e-4
    frames: int = 420
    hop: int = 420
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise UsageError(f"frames is {self.frames}; a move needs two")


class DanceNetTask(NetworkTask[DanceNetTaskConfig, DanceNet, SlowerWindows]):
    """DanceNet in training."""

    Config = DanceNetTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("surprise", "min")

    def __init__(self, config: DanceNetTaskConfig, data: Path) -> None:
        self.config = config
        sizes: DanceNetConfig = DanceNet.sizes[config.size]
        frames, rate = config.frames, sizes.rate
        self.samples = SlowerWindows(data, config.train, moves_of, rate=rate, frames=frames, hop=config.hop)
        self.validation = SlowerWindows(data, config.val, moves_of, rate=rate, frames=frames, hop=frames)
        standing = StandingRange.of(dance.read("motion") for dance in self.samples.dances)
        self.network = DanceNet(replace(sizes, standing=standing))
        self.network.fit_scales(*self.samples.all_frames())

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """The negative logarithm of the likelihood, nats a number."""
        motion = self.network.motion_scale(batch["motion"])
        seen = self.network(batch["motion"], batch["audio"])
        loss = -seen.likelihood(motion, self.network.changing).mean()
        yield "network", loss, {"surprise": loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return the negative log-likelihood, nats a number, and the squared error of what is expected.

        `/other_music` is with the music of another window; `surprise/gaussian` of one Gaussian for each number,
        whatever was danced; the errors, of numbers over their deviation, `/mean_pose` and `/still` are of the mean and
        of the frame before.
        """
        sums = Sums()
        for batch in batches(self.validation):
            motion, audio = batch["motion"], batch["audio"]
            scaled, changing = self.network.motion_scale(motion), self.network.changing
            seen, other = (self.network(motion, music) for music in (audio, audio.roll(1, 0)))
            sums.add(
                len(motion),
                {
                    "surprise": -seen.likelihood(scaled, changing).mean(),
                    "surprise/other_music": -other.likelihood(scaled, changing).mean(),
                    "surprise/gaussian": -_standard(scaled).likelihood(scaled, changing).mean(),
                    "error": _squared(seen.expected(), scaled, changing),
                    "error/other_music": _squared(other.expected(), scaled, changing),
                    "error/mean_pose": _squared(scaled.new_zeros(1), scaled, changing),
                    "error/still": _squared(scaled[:, :-1], scaled[:, 1:], changing),
                },
            )
        return sums.means()


def _squared(expected: Tensor, motion: Tensor, counted: Tensor) -> Tensor:
    """Return the mean squared error of the numbers that are counted, (148,)."""
    return ((expected - motion).square() * counted).mean() * counted.numel() / counted.sum()


def _standard(like: Tensor) -> Mixture:
    """Return one Gaussian of mean 0 and deviation 1 for each number of (B, T, 148)."""
    nothing = like.new_zeros(*like.shape[:2], 1, like.shape[2])
    return Mixture(nothing[..., 0], nothing, nothing)
