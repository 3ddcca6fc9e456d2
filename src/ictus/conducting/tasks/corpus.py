"""The corpus as tasks use it, and validation on it: the published metrics, and a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ictus.conducting import metrics
from ictus.conducting.data.conductor_motion import MOTION_RATE, ConductorMotion
from ictus.motion import Motion
from ictus.render.plots import joint_curves
from ictus.skeleton import get_skeleton
from ictus.task import Batch, Batches
from ictus.types import Float32Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class CorpusConfig:
    """Which part of the corpus is trained on, and which is held out.

    Attributes
    ----------
    train, val : splits.
    seconds : length of a sample.
    limit_hours, val_limit_hours : use only so much of the split that is trained on, and of the one that is held out.
    """

    train: str = "train"
    val: str = "val"
    seconds: int = 30
    limit_hours: float | None = None
    val_limit_hours: float | None = None

    def open(self, root: Path) -> tuple[ConductorMotion, ConductorMotion]:
        """Return the training and the validation windows."""
        train = ConductorMotion(root, self.train, seconds=self.seconds, limit_hours=self.limit_hours)
        return train, ConductorMotion(root, self.val, seconds=self.seconds, limit_hours=self.val_limit_hours)


class Validation:
    """What a generator makes of all windows of a set, and a picture of the first one.

    Parameters
    ----------
    samples : the set that is held out.
    """

    def __init__(self, samples: ConductorMotion) -> None:
        self.samples = samples
        self._first: list[Float32Array] = []

    def motions(self, conduct: Callable[[Batch], Tensor], batches: Batches) -> tuple[Float32Array, Float32Array]:
        """Return the real and the generated motions, (N, T, 13, 2) each: as arrays, which know of no autocast."""
        pairs = [(batch["motion"].cpu(), conduct(batch).detach().float().cpu()) for batch in batches(self.samples)]
        real, made = (torch.cat(parts).numpy() for parts in zip(*pairs, strict=True))
        self._first = [real[0], made[0]]
        return real, made

    def pictures(self) -> dict[str, "Figure"]:
        """The joints' curves in the first window, real and generated; nothing before there are any."""
        motions = [Motion(positions, MOTION_RATE, get_skeleton("conductor-13")) for positions in self._first]
        return {"real-and-generated": joint_curves(*motions)} if motions else {}


def published_metrics(real: Float32Array, made: Float32Array) -> dict[str, float]:
    """Return RDE, SCE, SDP and MSE of generated motions, (N, T, 13, 2)."""
    return {
        "rde": metrics.rhythm_density_error(real, made),
        "sce": metrics.strength_contour_error(real, made),
        "sdp": metrics.standard_deviation_percentage(real, made),
        "mse": metrics.mean_squared_error(real, made),
    }
