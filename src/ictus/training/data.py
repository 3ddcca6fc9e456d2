"""Samples to batches: seeded, in an order that depends on the seed and the epoch alone, resumable at any batch."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lightning.fabric import Fabric
from torch.utils.data import DataLoader, Dataset, Sampler

from ictus.errors import IctusError, UsageError
from ictus.task import Batch, Samples
from ictus.training.recipe import Training
from ictus.training.seeds import ORDER, SAMPLE, VALIDATION, mixed, seeded

_Place = tuple[int, ...]


class _Seeded(Dataset[Mapping[str, Any]]):
    """Samples that are seeded by their place, (epoch, index); those without a name are named by their number."""

    def __init__(self, samples: Samples, *key: int) -> None:
        self.samples, self.key = samples, key

    def __getitem__(self, place: _Place) -> Mapping[str, Any]:
        with seeded(*self.key, *place):
            return {"name": str(place[-1]), **self.samples[place[-1]]}


class _Order(Sampler[list[_Place]]):
    """The batches of this process: its part of each whole batch, and of that one batch per accumulated part.

    Attributes
    ----------
    epoch : which order.
    start : the step of the epoch with which to begin.
    """

    def __init__(self, count: int, training: Training, rank: int, world: int) -> None:
        self.count, self.training, self.rank, self.world = count, training, rank, world
        self.epoch = self.start = 0

    def __iter__(self) -> Iterator[list[_Place]]:
        generator = torch.Generator().manual_seed(mixed(self.training.seed, ORDER, self.epoch))
        order: list[int] = torch.randperm(self.count, generator=generator).tolist()
        batch, parts = self.training.batch, self.training.accumulate
        size = batch // (parts * self.world)
        for first in range(self.start * batch, self.count - batch + 1, batch):
            for part in range(parts):
                begin = first + (part * self.world + self.rank) * size
                yield [(self.epoch, index) for index in order[begin : begin + size]]


class TrainLoader:
    """Loads the train set, epoch by epoch; keeps its processes as long as the set is the same object."""

    def __init__(self, training: Training, fabric: Fabric) -> None:
        self.training, self.rank, self.world = training, fabric.global_rank, fabric.world_size
        self.pin = fabric.device.type == "cuda"
        self._samples: Samples | None = None
        self._loader: DataLoader[Mapping[str, Any]] | None = None

    def steps(self, samples: Samples) -> int:
        """Return the number of whole batches in a set; the samples that are left over wait for another epoch.

        Raises
        ------
        UsageError
            If there is none.
        """
        count, batch = len(samples), self.training.batch
        if count < batch:
            what = "is empty" if count == 0 else f"has {count} samples, fewer than a batch of {batch}"
            raise UsageError(f"the train set {what}; give other data, or lower training.batch", option="data")
        return count // batch

    def epoch(self, samples: Samples, epoch: int, start: int) -> Iterator[list[Batch]]:
        """Yield the batches of each step from `start` on, on the CPU: a list of as many as are accumulated."""
        if samples is not self._samples or self._loader is None:
            self._order = _Order(len(samples), self.training, self.rank, self.world)
            self._samples = samples
            self._loader = DataLoader(
                _Seeded(samples, self.training.seed, SAMPLE),
                batch_sampler=self._order,
                num_workers=self.training.workers,
                persistent_workers=self.training.workers > 0,
                pin_memory=self.pin,
            )
        self._order.epoch, self._order.start = epoch, start
        parts: list[Batch] = []
        for part in _with_plain_errors(self._loader):
            parts.append(part)
            if len(parts) == self.training.accumulate:
                yield parts
                parts = []


def in_order(samples: Samples, training: Training, size: int, pin: bool) -> Iterator[Batch]:
    """Yield all samples once, in their order, in batches of `size`, on the CPU.

    Raises
    ------
    UsageError
        If the set is empty.
    """
    if len(samples) == 0:
        raise UsageError("the validation set is empty; give other data", option="data")
    places: list[list[_Place]] = [
        [(index,) for index in range(first, min(first + size, len(samples)))] for first in range(0, len(samples), size)
    ]
    yield from _with_plain_errors(
        DataLoader(
            _Seeded(samples, training.seed, VALIDATION),
            batch_sampler=places,
            num_workers=min(training.workers, len(places)),
            pin_memory=pin,
        )
    )


def _with_plain_errors(loader: DataLoader[Mapping[str, Any]]) -> Iterator[Batch]:
    """Iterate; an error that the user can mend comes without the traceback of the process that met it."""
    try:
        yield from loader
        return
    except IctusError as error:
        kind, message = type(error), str(error)
        error.__traceback__ = None  # which would keep the loader alive, and its processes for seconds
    if "Original Traceback" in message:
        message = message.rstrip().rpartition("\n")[2].partition(": ")[2]
    raise kind(message)
