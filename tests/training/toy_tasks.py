"""Two small tasks, as an art would write them: they import nothing of ictus.training."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from ictus.errors import MotionError

Batches = Callable[..., Iterator[dict[str, Any]]]


class Points:
    """Rows of x.npy: five numbers each. A row may be disturbed by draws from all three global generators."""

    def __init__(self, file: Path, noise: float = 0.0) -> None:
        self.rows = np.load(file)
        self.noise = noise

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        row = torch.from_numpy(self.rows[index])
        if row[0] == 666:
            raise MotionError(f"row-{index}: holds 666; mend the file")
        drawn = torch.randn(()).item() + np.random.randn() + random.gauss(0, 1)  # noqa: NPY002
        return {"name": f"row-{index}", "x": row[:4] + self.noise * drawn, "y": row[4:]}


@dataclass(frozen=True)
class OptimizerConfig:
    lr: float = 1e-2
    kind: Literal["adam", "sgd"] = "adam"


@dataclass(frozen=True)
class RegressionConfig:
    width: int = 8
    noise: float = 0.1
    dropout: float = 0.1
    norm: bool = True
    curriculum: bool = False
    sizes: tuple[int, ...] = ()
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)


class Regression:
    """x -> y by one optimiser, with dropout and BatchNorm."""

    Config: ClassVar[type[RegressionConfig]] = RegressionConfig
    monitor: ClassVar[tuple[str, Literal["min", "max"]]] = ("error", "min")

    def __init__(self, config: RegressionConfig, data: Path) -> None:
        self.config = config
        self.points = Points(data / "train.npy", config.noise)
        self.validation = Points(data / "val.npy")
        hidden: list[nn.Module] = [nn.Linear(4, config.width)]
        hidden += [nn.BatchNorm1d(config.width)] if config.norm else []
        self.network = nn.Sequential(*hidden, nn.Tanh(), nn.Dropout(config.dropout), nn.Linear(config.width, 1))
        self.networks = {"network": self.network}
        self.seen: list[tuple[int, int, list[str], float]] = []

    def optimizers(self) -> dict[str, Optimizer]:
        kind = Adam if self.config.optimizer.kind == "adam" else SGD
        return {"network": kind(self.network.parameters(), lr=self.config.optimizer.lr)}

    def train_set(self, epoch: int) -> Points:
        if self.config.curriculum:
            return Points.__new__(Points) if epoch < 0 else self.points
        return self.points

    def losses(self, batch: dict[str, Any], epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        self.seen.append((epoch, step, batch["name"], float(batch["x"].sum())))
        loss = (self.network(batch["x"]) - batch["y"]).square().mean()
        yield "network", loss, {"loss": loss}

    def validate(self, batches: Batches) -> dict[str, float]:
        errors = [(self.network(batch["x"]) - batch["y"]).abs().sum() for batch in batches(self.validation)]
        return {"error": float(torch.stack(errors).sum()) / len(self.validation), "chance": float(torch.rand(()))}

    def pictures(self, epoch: int) -> dict[str, Figure]:
        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([0, epoch])
        return {"toy/line": figure}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.network.state_dict(), folder / "weights.pt")
        (folder / "facts.txt").write_text(f"{facts['epoch']} {facts['step']} {facts['validation']['error']}")


@dataclass(frozen=True)
class GanConfig:
    lr: float = 1e-2
    critic_steps: int = 2
    noise: float = 0.0


class Gan:
    """A generator and a critic, alternating, with a gradient penalty and a frozen judge."""

    Config: ClassVar[type[GanConfig]] = GanConfig
    monitor: ClassVar[tuple[str, Literal["min", "max"]]] = ("distance", "min")

    def __init__(self, config: GanConfig, data: Path) -> None:
        self.config = config
        self.points, self.validation = Points(data / "train.npy", config.noise), Points(data / "val.npy")
        self.generator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        self.critic = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))
        self.networks = {"generator": self.generator, "critic": self.critic}
        self.frozen = {"judge": nn.Sequential(nn.Linear(1, 3), nn.BatchNorm1d(3))}

    def optimizers(self) -> dict[str, Optimizer]:
        return {name: RMSprop(network.parameters(), lr=self.config.lr) for name, network in self.networks.items()}

    def train_set(self, epoch: int) -> Points:
        return self.points

    def losses(self, batch: dict[str, Any], epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        x, y = batch["x"], batch["y"]
        for _ in range(self.config.critic_steps):
            fake = self.generator(x).detach()
            between = torch.cat((x, (y + fake) / 2), 1).requires_grad_()
            (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
            loss = (self.critic(torch.cat((x, fake), 1)) - self.critic(torch.cat((x, y), 1))).mean()
            yield "critic", loss + slope.square().sum(1).mean(), {"critic/loss": loss}
        fake = self.generator(x)
        sync = (self.frozen["judge"](fake) - self.frozen["judge"](y)).abs().mean()
        loss = -self.critic(torch.cat((x, fake), 1)).mean() + sync
        yield "generator", loss, {"generator/loss": loss, "generator/sync": sync}

    def validate(self, batches: Batches) -> dict[str, float]:
        errors = [(self.generator(batch["x"]) - batch["y"]).abs().mean() for batch in batches(self.validation, size=1)]
        return {"distance": float(torch.stack(errors).mean())}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.generator.state_dict(), folder / "weights.pt")
