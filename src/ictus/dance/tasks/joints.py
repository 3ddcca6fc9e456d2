"""What tasks share whose networks predict places of joints."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ictus.dance.frames import JOINTS


def joint_distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean distance of joints, metres, of (B, T, 72) twice."""
    apart = predicted - target
    places = torch.cat((apart[..., :3], apart[..., 3:] + apart[..., :3].repeat(1, 1, JOINTS - 1)), -1)
    distance: Tensor = torch.linalg.vector_norm(places.reshape(-1, 3), dim=-1).mean()
    return distance


class Sums:
    """Means over a validation set whose batches may differ in size."""

    def __init__(self) -> None:
        self._count, self._sums = 0, dict[str, float]()

    def add(self, count: int, means: Mapping[str, Tensor]) -> None:
        """Add the means of a batch of so many samples."""
        self._count += count
        for name, mean in means.items():
            self._sums[name] = self._sums.get(name, 0.0) + count * mean.item()

    def means(self) -> dict[str, float]:
        """Return those of all samples."""
        return {name: total / self._count for name, total in self._sums.items()}
