"""What the training loop does with a task, without the loop."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.data import default_collate

from ictus.task import Batch, Task


def batches(samples: Any, size: int | None = 4, order: Iterable[int] | None = None) -> Iterator[Batch]:
    """Yield the samples in batches, in their own order or another."""
    numbers = list(range(len(samples)) if order is None else order)
    for start in range(0, len(numbers), size or 4):
        yield default_collate([dict(samples[k]) for k in numbers[start : start + (size or 4)]])


def take_step(optimizer: Optimizer, loss: Tensor) -> float:
    """Let an optimiser step once; return the loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def learn(
    optimizers: Mapping[str, Optimizer], losses: Iterable[tuple[str, Tensor, Mapping[str, Any]]], only: str = ""
) -> list[dict[str, float]]:
    """Reduce each loss of a batch, or only those of one optimiser; return the values that are logged."""
    log = []
    for name, loss, values in losses:
        if only in ("", name):
            take_step(optimizers[name], loss)
            log.append({key: float(value) for key, value in values.items()})
    return log


def validated(task: Task, gather: Callable[..., Iterator[Batch]] = batches) -> Mapping[str, float]:
    """Validate in eval mode, without gradients."""
    for network in task.networks.values():
        network.eval()
    with torch.no_grad():
        return task.validate(gather)
