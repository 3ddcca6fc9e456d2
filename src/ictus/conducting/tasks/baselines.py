"""Train the competition's baselines: mean squared error between the motion that is made and the real one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import Tensor
from torch.nn import functional as F

from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.conducting.models.baselines import CNNLSTM, Plain
from ictus.conducting.tasks.corpus import CorpusConfig, Validation, published_metrics
from ictus.task import Batch, Batches, NetworkTask

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class BaselineConfig:
    """Which baseline, its size, and Adam's learning rate."""

    model: Literal["plain", "cnn-lstm"] = "cnn-lstm"
    size: Literal["paper", "debug"] = "paper"
    lr: float = 1e-3
    corpus: CorpusConfig = field(default_factory=CorpusConfig)


class Baseline(NetworkTask[BaselineConfig, Plain | CNNLSTM, ConductorMotion]):
    """Plain or CNN-LSTM (Prospective Cup: Adam 1e-3, batch 64, 100 epochs)."""

    Config = BaselineConfig

    def __init__(self, config: BaselineConfig, data: Path) -> None:
        self.config = config
        # One pose has the rhythm of none whatever it learns; CNN-LSTM is chosen by rhythm, as M2S-GAN is.
        self.monitor: tuple[str, Literal["min", "max"]] = ("mse" if config.model == "plain" else "rde", "min")
        self.samples, held_out = config.corpus.open(data)
        self.validation = Validation(held_out)
        self.network = (Plain if config.model == "plain" else CNNLSTM).from_config(config.size)

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Mean squared error."""
        loss = F.mse_loss(self.network(batch["mel"]), batch["motion"])
        yield "network", loss, {"mse": loss.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """The published metrics."""
        return published_metrics(*self.validation.motions(lambda batch: self.network(batch["mel"]), batches))

    def pictures(self, epoch: int) -> dict[str, "Figure"]:
        """Real and generated motion of the first window that is held out."""
        return self.validation.pictures()
