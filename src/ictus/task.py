"""What a model learns: the protocol between the training loop and the arts.

A task holds networks, and says how they learn. The loop does the rest: devices, precision, the order of the samples,
back-propagation, optimiser steps, checkpoints, logs. A task needs nothing of this package to fit; it is matched by its
shape. It is built by `Class(config, data)`, where `config` is of the frozen dataclass `Class.Config` and `data` is a
folder::

    @dataclass(frozen=True)
    class GanConfig:
        lr: float = 5e-4
        critic_steps: int = 5

    class GanTask:
        Config = GanConfig
        monitor = ("distance", "min")  # the value of `validate` that chooses the best checkpoint

        def __init__(self, config: GanConfig, data: Path) -> None:
            self.config, self.songs, self.validation = config, Songs(data, "train"), Songs(data, "val")
            self.generator, self.discriminator = Generator(...), Discriminator(...)
            self.networks = {"generator": self.generator, "discriminator": self.discriminator}

        def optimizers(self) -> dict[str, Optimizer]:
            lr = self.config.lr
            return {name: RMSprop(network.parameters(), lr) for name, network in self.networks.items()}

        def train_set(self, epoch: int) -> Songs:
            return self.songs

        def losses(self, batch: dict[str, Any], epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict]]:
            for _ in range(self.config.critic_steps):
                fake = self.generator(batch["mel"]).detach()
                loss = self.discriminator(fake).mean() - self.discriminator(batch["motion"]).mean()
                yield "discriminator", loss, {"discriminator/loss": loss}  # the loop back-propagates and steps it
            loss = -self.discriminator(self.generator(batch["mel"])).mean()
            yield "generator", loss, {"generator/loss": loss}

        def validate(self, batches: Callable[..., Iterator[dict[str, Any]]]) -> dict[str, float]:
            errors = [(self.generator(b["mel"]) - b["motion"]).abs().mean() for b in batches(self.validation)]
            return {"distance": float(torch.stack(errors).mean())}

        def export(self, folder: Path, facts: dict[str, Any]) -> None:
            self.generator.save_pretrained(folder, facts)
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

Batch = dict[str, Any]  # tensors, stacked along a new first axis; what is text in a sample is a list of it in a batch
Loss = tuple[str, Tensor, Mapping[str, Tensor | float]]  # optimiser that steps, scalar to reduce, values to log


class Samples(Protocol):
    """Samples by number, each a dict of tensors, arrays, numbers and strings that collate; "name" says which it is.

    What `__getitem__` draws from the global generators of torch, numpy and python depends on the seed, the epoch and
    the number of the sample alone: not on the workers, the device or what was drawn before.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Mapping[str, Any]: ...


class Batches(Protocol):
    """Gives a set in its order, in batches on the training device; the last one may be smaller."""

    def __call__(self, samples: Samples, size: int | None = None) -> Iterator[Batch]:
        """`size` is the batch of one device in training if not given. An empty set is an error that the user sees."""
        ...


class Task(Protocol):
    """What the loop asks of a task.

    A task may have two more members. `frozen`, a mapping of networks, is moved to the training device, put in eval
    mode, and neither trained nor saved. `pictures(epoch) -> Mapping[str, Figure]` is called after each `validate`, and
    may draw what that kept; these go to TensorBoard and to pictures/epoch-NNNN/NAME.png.
    """

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks that are trained. They and nothing else of the task are saved, with their buffers."""

    @property
    def monitor(self) -> tuple[str, Literal["min", "max"]]:
        """The value of `validate` that chooses the best checkpoint, and what is best."""

    def optimizers(self) -> Mapping[str, Optimizer]:
        """Make the optimisers; called once, when the networks are where they will be trained.

        Their learning rates are those of the recipe's schedule where its factor is 1.
        """
        ...

    def train_set(self, epoch: int) -> Samples:
        """Return what to train on. Return the same object again to keep its loading processes alive."""
        ...

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Yield the losses of a batch, one after another.

        The loop back-propagates each and steps its optimiser before the generator goes on, so alternating training
        reads from top to bottom. All gradients are cleared after each step; each loss needs a graph of its own.
        A loss must be a mean over the batch, so that the gradients of its parts average to that of the whole: where
        gradients are accumulated or several devices train, `batch` is a part, and every part must yield the same
        sequence of optimisers. Networks come in train mode; put a part that stays in eval mode there first.

        Parameters
        ----------
        batch : on the training device; batch["name"] lists the samples.
        epoch, step : both from 0; a step is one batch, over all devices.
        """
        ...

    def validate(self, batches: Batches) -> Mapping[str, float]:
        """Return values, without gradients, in eval mode, with averaged weights where the recipe averages.

        Every process does all of it, with the same random numbers at every call; the first process's values count.
        """
        ...

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write what users load, from the weights at hand; called by the first process at every new best.

        Parameters
        ----------
        folder : for example for `save_pretrained`; each call writes the same files anew.
        facts : for the metadata: "recipe", "epoch", "step" and "validation" (the values), all JSON.
        """
        ...


class TaskClass(Protocol):
    """A class of tasks, as recipes name it."""

    @property
    def Config(self) -> type[Any]:
        """The dataclass of its settings: what a recipe holds beside `task`, `data` and `training`."""

    def __call__(self, config: Any, data: Path, /) -> Task:
        """Make a task: fresh networks, and the samples in a folder. What is wrong with those is an IctusError."""
        ...


class _WithLearningRate(Protocol):
    @property
    def lr(self) -> float: ...


C = TypeVar("C", bound=_WithLearningRate)
N = TypeVar("N", bound=nn.Module)
S = TypeVar("S", bound=Samples)


class NetworkTask(Generic[C, N, S]):
    """What tasks of one network share; a task need not be one of these.

    `__init__` sets `config`, `network`, which has `save_pretrained`, and `samples`, those to train on in every epoch.
    """

    config: C
    network: N
    samples: S
    metadata: ClassVar[Mapping[str, Any]] = {}  # of the exported network, before the facts of the training

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The network, as "network"."""
        return {"network": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam."""
        return {"network": Adam(self.network.parameters(), self.config.lr)}

    def train_set(self, epoch: int) -> S:
        """Return the same set in every epoch; random windows of it are others each time."""
        return self.samples

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder."""
        network: Any = self.network
        network.save_pretrained(folder, {**self.metadata, **facts})
