"""Train DanceRevolution: the mean absolute error of the joints, on more and more frames of its own.

Source: Huang et al., ICLR 2021: L1, Adam 1e-4, batches of 32; of each `given` + p frames, p are predicted from the
network's own last frame and the others from the true one, and p grows with the epochs. `given` of 10 and a growth of
.01 an epoch are of the authors' code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch.nn import functional as F

from ictus.dance.data.slower_windows import SlowerWindows
from ictus.dance.joints import points_on_stage
from ictus.dance.models.dance_revolution import DanceRevolution, DanceRevolutionConfig
from ictus.dance.standing import StandingRange
from ictus.dance.tasks.joints import Sums, joint_distance
from ictus.errors import UsageError
from ictus.task import Batch, Batches, Loss, NetworkTask


@dataclass(frozen=True)
class DanceRevolutionTaskConfig:
    """How DanceRevolution learns.

    Attributes
    ----------
    size : of the network.
    lr : Adam's learning rate.
    frames, hop : of a window, and from one to the next, at the network's frame rate.
    given : frames in a row that are predicted from true ones, between those that are predicted from the network's own.
    growth : by how many frames an epoch these grow; epoch e has `growth` * e of them, rounded down.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    lr: float = 1e-4
    frames: int = 420
    hop: int = 60
    given: int = 10
    growth: float = 0.01
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        if self.given < 1 or self.growth < 0:
            raise UsageError(f"given is {self.given}, growth {self.growth:g}; at least 1, and 0 or more, are needed")


class DanceRevolutionTask(NetworkTask[DanceRevolutionTaskConfig, DanceRevolution, SlowerWindows]):
    """DanceRevolution in training."""

    Config = DanceRevolutionTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("rollout", "min")

    def __init__(self, config: DanceRevolutionTaskConfig, data: Path) -> None:
        self.config = config
        sizes: DanceRevolutionConfig = DanceRevolution.sizes[config.size]
        frames, rate = config.frames, sizes.rate
        self.samples = SlowerWindows(data, config.train, points_on_stage, rate=rate, frames=frames, hop=config.hop)
        self.validation = SlowerWindows(data, config.val, points_on_stage, rate=rate, frames=frames, hop=frames)
        standing = StandingRange.of(dance.read("motion") for dance in self.samples.dances)
        self.network = DanceRevolution(replace(sizes, standing=standing))
        motion, audio = self.samples.all_frames()
        self.network.fit_scales(motion, audio)
        self.mean_pose = motion.mean(0)  # (72,)

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Mean absolute error of the normalised joints."""
        motion = self.network.motion_scale(batch["motion"])
        own = curriculum(motion.shape[1], int(self.config.growth * epoch), self.config.given)
        state = self.network.draw_state(len(motion))
        predicted, _ = self.network.unroll(self.network.encode(batch["audio"]), motion, own, state)
        loss = F.l1_loss(predicted, motion)
        yield "network", loss, {"l1": loss.detach(), "own": sum(own) / len(own)}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return mean distances of the joints, metres: of whole dances, of frames after true ones, and of controls.

        `rollout` is of dances that go on from the network's own frames; `rollout/other_music` of those to the music of
        another window, `rollout/mean_pose` of the mean pose. `error` is of frames each of which follows the true one,
        and `error/still` of that true one again.
        """

        def draw() -> torch.Generator:
            return torch.Generator().manual_seed(0)

        mean_pose, sums = self.mean_pose, Sums()
        for batch in batches(self.validation):
            motion, audio = batch["motion"], batch["audio"]
            sums.add(
                len(motion),
                {
                    "rollout": joint_distance(self.network.generate(audio, draw()), motion),
                    "rollout/other_music": joint_distance(self.network.generate(audio.roll(1, 0), draw()), motion),
                    "rollout/mean_pose": joint_distance(mean_pose.to(motion).expand_as(motion), motion),
                    "error": joint_distance(self.network(motion, audio)[:, 1:], motion[:, 1:]),
                    "error/still": joint_distance(motion[:, :-1], motion[:, 1:]),
                },
            )
        return sums.means()


def curriculum(frames: int, alone: int, given: int) -> list[bool]:
    """Return for each frame whether it follows the network's own: `alone` of them do, the next `given` do not, ..."""
    return [k % (alone + given) < alone for k in range(frames)]
