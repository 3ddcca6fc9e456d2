"""The corpus as tasks use it, and the published metrics on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ictus.conducting import metrics
from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.task import Batch, Batches


@dataclass(frozen=True)
class CorpusConfig:
    """Which part of the corpus is trained on, and which is held out.

    Attributes
    ----------
    train, val : splits.
    seconds : length of a sample.
    limit_hours : use only so much of the training split.
    """

    train: str = "train"
    val: str = "val"
    seconds: int = 30
    limit_hours: float | None = None

    def open(self, root: Path) -> tuple[ConductorMotion, ConductorMotion]:
        """Return the training and the validation windows."""
        train = ConductorMotion(root, self.train, seconds=self.seconds, limit_hours=self.limit_hours)
        return train, ConductorMotion(root, self.val, seconds=self.seconds)


def published_metrics(
    conduct: Callable[[Batch], Tensor], batches: Batches, samples: ConductorMotion
) -> dict[str, float]:
    """Return RDE, SCE, SDP and MSE of a generator over all windows of a set."""
    real, made = [], []
    for batch in batches(samples):
        real.append(batch["motion"].cpu())
        made.append(conduct(batch).detach().float().cpu())
    reference, estimate = torch.cat(real).numpy(), torch.cat(made).numpy()  # arrays know of no autocast
    return {
        "rde": float(metrics.rhythm_density_error(reference, estimate)),
        "sce": float(metrics.strength_contour_error(reference, estimate)),
        "sdp": float(metrics.standard_deviation_percentage(reference, estimate)),
        "mse": float(metrics.mean_squared_error(reference, estimate)),
    }
