"""Train the spectrogram codebook: to decode a mel as near to the original as it can, and if wished for, as real.

Source: Iashin & Rahtu, BMVC 2021, section 3.1: mean absolute error, the quantiser's loss, and after some steps a patch
discriminator (hinge loss, weight 0.8), Adam with betas 0.5 and 0.9. Published, too, is a perceptual loss by another
network; it is left out here, as its authors advise: the weights that they trained with were never loaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from ictus.errors import IctusError, UsageError
from ictus.nn.vector_quantizer import perplexity
from ictus.sound.data.dataset import WINDOW, MelWindows, RandomMelWindows
from ictus.sound.models.codebook import FACTOR, SpectrogramCodebook
from ictus.sound.models.patch_discriminator import PatchDiscriminator
from ictus.task import Batch, Batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 3  # spectrograms in a picture


@dataclass(frozen=True)
class CodebookTaskConfig:
    """How the codebook learns.

    Attributes
    ----------
    size : of the network.
    codes : how many, if not as many as the size has.
    frames : mel frames of a window that is learnt from, a multiple of 16; validation takes 848.
    draws : windows of each stretch of so many frames in an epoch.
    gain : decibels by which a window may be made louder or softer, at most.
    lr, betas, decay : AdamW's, also for the discriminator; without decay it is Adam.
    adversarial : weight of the adversarial loss; 0: there is no discriminator.
    discriminator_start : step at which it begins.
    adaptive : whether that weight is multiplied by how much larger the gradient of the error is than its own, in
        the last layer (Esser et al., equation 7). Published: yes, but limited to 1 from both sides, which is no.
    codebook : weight of the quantiser's loss.
    collapse, patience : a training whose batches use fewer codes than `collapse` (their perplexity), for `patience`
        steps on end, is stopped.
    train, val : splits.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    codes: int | None = None
    frames: int = WINDOW
    draws: int = 1
    gain: float = 0.0
    lr: float = 3e-6
    betas: tuple[float, float] = (0.5, 0.9)
    decay: float = 0.0
    adversarial: float = 0.8
    discriminator_start: int = 2001
    adaptive: bool = False
    codebook: float = 1.0
    collapse: float = 2.0
    patience: int = 2000
    train: str = "train"
    val: str = "val"

    renamed: ClassVar = {"critic_start": "discriminator_start"}

    def __post_init__(self) -> None:
        if self.frames < FACTOR or self.frames % FACTOR:
            raise UsageError(f"frames is {self.frames}; it must be a multiple of {FACTOR}")
        if self.gain < 0 or self.adversarial < 0:
            raise UsageError(f"gain is {self.gain:g} and adversarial {self.adversarial:g}; both must be 0 or more")
        if self.patience < 1:
            raise UsageError(f"patience is {self.patience}; it must be 1 or more steps")


class CodebookTask:
    """The codebook in training; errors are those of mel80, on its scale from 0 to 1."""

    Config = CodebookTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("l1", "min")

    def __init__(self, config: CodebookTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = RandomMelWindows(data, config.train, frames=config.frames, draws=config.draws)
        self.validation_set = MelWindows(data, config.val)
        sizes = SpectrogramCodebook.sizes[config.size]
        self.network = SpectrogramCodebook(sizes if config.codes is None else replace(sizes, codes=config.codes))
        self.networks: dict[str, torch.nn.Module] = {"network": self.network}
        self.discriminator: PatchDiscriminator | None = None
        if config.adversarial:
            self.discriminator = PatchDiscriminator.from_config(config.size)
            self.networks["critic"] = self.discriminator  # the name that states of earlier trainings have
        self._poor = 0  # steps on end with hardly a code in use
        self._seen: list[tuple[Tensor, Tensor]] = []  # of the last validation: (80, T) original and reconstruction

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW, or Adam, for both."""
        config = self.config
        return {
            name: AdamW(network.parameters(), config.lr, config.betas, weight_decay=config.decay)
            for name, network in self.networks.items()
        }

    def train_set(self, epoch: int) -> RandomMelWindows:
        """MelWindows of every performance, others in each epoch."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """The codebook's, then the discriminator's."""
        mel = louder(batch["mel"], self.config.gain)
        made, quantized = self.network(mel)
        self._watch(step, float(quantized.perplexity))
        error = (made - mel).abs().mean()
        loss = error + self.config.codebook * quantized.loss
        values = {
            "l1": error.detach() / 2,
            "codebook": quantized.loss.detach(),
            "usage": quantized.usage,
            "perplexity": quantized.perplexity,
        }
        discriminator = self.discriminator
        if discriminator is None or step < self.config.discriminator_start:
            yield "network", loss, values
            return
        adversarial = -discriminator(made).mean()
        weight = self._balance(error, adversarial) if self.config.adaptive else error.new_ones(())
        loss = loss + self.config.adversarial * weight * adversarial
        yield "network", loss, {**values, "adversarial": adversarial.detach(), "weight": weight}
        real, fake = discriminator(mel), discriminator(made.detach())
        hinge = (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2
        yield "critic", hinge, {"discriminator": hinge.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Mean absolute error, and how many codes are in use.

        To compare: the error of the mean of each 16 x 16 block, for which a code stands, and of each band's mean over
        the window.
        """
        sums: dict[str, float] = {}
        counts = torch.zeros(self.network.config.codes)
        self._seen = []
        for batch in batches(self.validation_set):
            mel = batch["mel"]
            made, quantized = self.network(mel)
            made = made.float().clamp(-1, 1)
            counts += quantized.counts.cpu()
            estimates = {"l1": made, "l1/blocks": block_means(mel), "l1/bands": mel.mean(2, keepdim=True)}
            for name, estimate in estimates.items():
                error = (estimate - mel).abs().mean().item() / 2
                sums[name] = sums.get(name, 0.0) + len(mel) * error
            if len(self._seen) < _SHOWN:
                self._seen += list(zip(mel.cpu(), made.cpu(), strict=True))[: _SHOWN - len(self._seen)]
        values = {name: total / len(self.validation_set) for name, total in sums.items()}
        return {**values, "usage": float((counts > 0).float().mean()), "perplexity": float(perplexity(counts))}

    def pictures(self, epoch: int) -> dict[str, "Figure"]:
        """Spectrograms of the last validation, each above its reconstruction."""
        return {"reconstructions": draw_spectrograms(self._seen)}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder, and the discriminator's in critic/."""
        self.network.save_pretrained(folder, {"art": "sound", **facts})
        if self.discriminator is not None:
            self.discriminator.save_pretrained(folder / "critic", {"art": "sound", **facts})

    def _watch(self, step: int, used: float) -> None:
        """Stop a training that uses hardly a code, which only other settings can help."""
        self._poor = self._poor + 1 if used < self.config.collapse else 0
        if self._poor >= self.config.patience:
            raise IctusError(
                f"step {step}: for {self._poor} steps the batches have used {used:.1f} of "
                f"{self.network.config.codes} codes (perplexity): the codebook has collapsed. Lower lr or the weight "
                "`codebook`, or take a size with restarts (size: small); if the sound is meant to be so uniform, lower "
                "collapse"
            )

    def _balance(self, error: Tensor, adversarial: Tensor) -> Tensor:
        """Return how much larger the gradient of the error is than the other's, at the decoder's last layer."""
        last = self.network.decoder.last.weight
        sizes = [
            torch.linalg.vector_norm(torch.autograd.grad(loss, last, retain_graph=True)[0])
            for loss in (error, adversarial)
        ]
        weight: Tensor = sizes[0] / (sizes[1] + 1e-4)
        return weight.clamp(0, 1e4).detach()


def louder(mel: Tensor, decibels: float) -> Tensor:
    """Return (B, 80, T) in [-1, 1] with each window louder or softer by a random gain of at most so many decibels."""
    if not decibels:
        return mel
    gain = torch.empty(len(mel), 1, 1, device=mel.device).uniform_(-decibels, decibels)
    return (mel + gain / 50).clamp(-1, 1)  # the scale of 2 holds 100 dB


def block_means(mel: Tensor) -> Tensor:
    """Return (B, 80, T) with each 16 x 16 block replaced by its mean."""
    mean = F.avg_pool2d(mel[:, None], FACTOR, ceil_mode=True, count_include_pad=False)
    spread: Tensor = F.interpolate(mean, scale_factor=FACTOR, mode="nearest")
    return spread[:, 0, :, : mel.shape[2]]


def draw_spectrograms(pairs: list[tuple[Tensor, Tensor]]) -> "Figure":
    """Draw (80, T) spectrograms in pairs, one above the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3 * max(1, len(pairs))), layout="constrained")
    axes = figure.subplots(2 * max(1, len(pairs)), 1, squeeze=False)[:, 0]
    for row, mel in enumerate(part for pair in pairs for part in pair):
        axes[row].imshow(mel.numpy(), origin="lower", aspect="auto", cmap="magma", vmin=-1, vmax=1)
        axes[row].set_ylabel("decoded" if row % 2 else "original")
        axes[row].set_xticks([])
    return figure
