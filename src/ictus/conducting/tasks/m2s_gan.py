"""Train M2S-GAN: a generator that deceives a discriminator, and whose motion M2S-Net takes for the real one.

Source: Liu et al., JCST 2022. RMSprop 5e-4 for both, batches of 20 samples of 30 s, 200 epochs, five steps of the
discriminator for each of the generator; Wasserstein loss with gradient penalty; sync loss, weight 0.05: L1 distance of
M2S-Net's last motion features. The music encoder is M2S-Net's, and frozen: it runs once a batch, for all steps on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer, RMSprop

from ictus.conducting import metrics
from ictus.conducting.data.conductor_motion import MOTION_RATE, ConductorMotion
from ictus.conducting.models.m2s_gan import Discriminator, Generator
from ictus.conducting.models.m2s_net import FoldedMusicEncoder, M2SNet
from ictus.conducting.tasks.corpus import CorpusConfig, Validation, published_metrics
from ictus.errors import UsageError
from ictus.task import Batch, Batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class M2SGANTaskConfig:
    """How M2S-GAN learns.

    Attributes
    ----------
    m2s_net : folder of a trained M2S-Net, for the music encoder and the sync loss.
    size : of the generator: "paper" (TCN), "bilstm" or "debug".
    penalty : "published": 10 times the squared norm of the discriminator's gradient, one norm over the whole batch,
        centred on 0; "standard": 10 times the mean squared distance of each sample's norm from 1 (Gulrajani, 2017).
    adversarial, sync, mse, matching : weights of the generator's losses; matching is the L1 distance of the
        discriminator's convolution features of real and generated motion.
    remember : hours of music whose features are kept after the first epoch, 28 MB each; others are computed anew.
    evaluator : folder of an M2S-Net that was trained on other data, for the sync error of validations.
    """

    m2s_net: str = ""
    size: Literal["paper", "bilstm", "debug"] = "paper"
    lr: float = 5e-4
    discriminator_steps: int = 5
    penalty: Literal["published", "standard"] = "published"
    penalty_weight: float = 10.0
    adversarial: float = 1.0
    sync: float = 0.05
    mse: float = 0.0
    matching: float = 0.0
    remember: float = 10.0
    evaluator: str | None = None
    corpus: CorpusConfig = field(default_factory=CorpusConfig)

    renamed: ClassVar = {"critic_steps": "discriminator_steps"}

    def __post_init__(self) -> None:
        if not self.m2s_net:
            raise UsageError(
                "m2s_net: give the folder of a trained M2S-Net, as `ictus train recipes/m2s-net.yaml` makes"
            )
        if self.discriminator_steps < 1:
            raise UsageError(f"discriminator_steps: {self.discriminator_steps}; at least one is needed")


class M2SGANTask:
    """M2S-GAN in training."""

    Config = M2SGANTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("rde", "min")

    def __init__(self, config: M2SGANTaskConfig, data: Path) -> None:
        self.config = config
        self.samples, held_out = config.corpus.open(data)
        self.validation = Validation(held_out)
        self.m2s_net = M2SNet.from_pretrained(config.m2s_net).requires_grad_(False)
        self.generator = Generator.from_config(config.size)
        if self.generator.config.music != self.m2s_net.config.music:
            raise UsageError(
                f"m2s_net: {config.m2s_net} has a music encoder of another size than the {config.size} generator"
            )
        self.generator.music.load_state_dict(self.m2s_net.music.state_dict())
        self.generator.music.requires_grad_(False)
        self.music_encoder = FoldedMusicEncoder(self.m2s_net.music)  # frozen for good: its fastest form will do
        self.discriminator = Discriminator.from_config("debug" if config.size == "debug" else "paper")
        self.networks = {"generator": self.generator, "critic": self.discriminator}
        self.frozen: dict[str, nn.Module] = {"m2s_net": self.m2s_net, "music_encoder": self.music_encoder}
        self.evaluator = None
        if config.evaluator is not None:
            self.evaluator = self.frozen["evaluator"] = M2SNet.from_pretrained(config.evaluator)
        self._room = int(config.remember * 3600 / config.corpus.seconds)
        self._cached: dict[str, Tensor] = {}  # features (64, T30) by the samples' names

    def optimizers(self) -> dict[str, Optimizer]:
        """RMSprop for both."""
        trained = [p for p in self.generator.parameters() if p.requires_grad]
        return {
            "critic": RMSprop(self.discriminator.parameters(), self.config.lr),
            "generator": RMSprop(trained, self.config.lr),
        }

    def train_set(self, epoch: int) -> ConductorMotion:
        """All windows of the training split."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Discriminator steps, then one of the generator."""
        real = batch["motion"]
        with torch.no_grad():
            music = self._features(batch)  # (B, 64, T30), the same for all steps
        for _ in range(self.config.discriminator_steps):
            with torch.no_grad():
                fake = self.generator.decode(music, self._noise(real))
            distance = self.discriminator(real).mean() - self.discriminator(fake).mean()
            penalty = self._penalty(real, fake)
            yield "critic", penalty - distance, {"wasserstein": distance.detach(), "penalty": penalty.detach()}

        made = self.generator.decode(music, self._noise(real))
        terms = self._generator_terms(real, made)
        loss = torch.stack([getattr(self.config, name) * value for name, value in terms.items()]).sum()
        yield "generator", loss, {f"generator/{name}": value.detach() for name, value in terms.items()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """The published metrics on the held-out split, with those that networks give.

        `wasserstein` is by the discriminator, `sync_loss` by the M2S-Net of the training, `sync_error` by the
        independent evaluator.
        """
        real, made = self.validation.motions(
            lambda batch: self.generator.decode(self.music_encoder(batch["mel"]), self._noise(batch["motion"])), batches
        )
        values = published_metrics(real, made)
        values["wasserstein"] = metrics.wasserstein_estimate(real, made, self.discriminator)
        values["sync_loss"] = metrics.sync_error(real, made, self.m2s_net)
        if self.evaluator is not None:
            values["sync_error"] = metrics.sync_error(real, made, self.evaluator)
        return values

    def pictures(self, epoch: int) -> dict[str, "Figure"]:
        """Real and generated motion of the first window that is held out."""
        return self.validation.pictures()

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the generator's checkpoint folder, and the discriminator's in critic/."""
        self.generator.save_pretrained(folder, facts)
        self.discriminator.save_pretrained(folder / "critic", facts)

    def _features(self, batch: Batch) -> Tensor:
        """Return the frozen encoder's features, (B, 64, T30): computed once a sample, as far as there is room."""
        mel, names = batch["mel"], batch["name"]
        new = [k for k, name in enumerate(names) if name not in self._cached]
        fresh = dict(zip([names[k] for k in new], self.music_encoder(mel[new]), strict=True)) if new else {}
        music = [fresh[name] if name in fresh else self._cached[name].to(mel.device) for name in names]
        for name, features in islice(fresh.items(), self._room - len(self._cached)):
            self._cached[name] = features.cpu()
        return torch.stack(music)

    def _generator_terms(self, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        terms = {"adversarial": -self.discriminator(made).mean()}
        if self.config.sync:
            with torch.no_grad():
                wanted = self.m2s_net.motion(real)
            terms["sync"] = F.l1_loss(self.m2s_net.motion(made), wanted)
        if self.config.mse:
            terms["mse"] = F.mse_loss(made, real)
        if self.config.matching:
            terms["matching"] = F.l1_loss(self.discriminator.features(made), self.discriminator.features(real).detach())
        return terms

    def _noise(self, motion: Tensor) -> Tensor:
        seconds = -(-motion.shape[1] // MOTION_RATE)
        return torch.randn(len(motion), seconds, self.generator.config.noise, device=motion.device)

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        share = torch.rand(len(real), 1, 1, 1, device=real.device)
        between = (share * real + (1 - share) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(self.discriminator(between).sum(), between, create_graph=True)
        if self.config.penalty == "published":
            return self.config.penalty_weight * gradient.square().sum()
        norms = gradient.flatten(1).norm(dim=1)
        penalty: Tensor = self.config.penalty_weight * (norms - 1).square().mean()
        return penalty
