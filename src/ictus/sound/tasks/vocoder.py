"""Train the vocoder: sound that discriminators take for real, made of nothing but its mel spectrogram.

Source: Kumar et al., NeurIPS 2019: three discriminators, hinge loss; the L1 distance of their features of real and of
made sound, weight 10; Adam 1e-4 with betas 0.5 and 0.9, windows of 8192 samples. That takes a million steps and more.
With little time, losses that compare spectra directly bring most of it (Yamamoto et al., "Parallel WaveGAN", ICASSP
2020; Kong et al., "HiFi-GAN", NeurIPS 2020); they have weights here, 0 as published.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from ictus.errors import UsageError
from ictus.features import mel80
from ictus.sound.data.sound_dataset import RandomSoundWindows, SoundWindows
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.melgan import MelGAN, WaveDiscriminator
from ictus.sound.models.spectral_vocoder import SpectralVocoder
from ictus.task import Batch, Batches

_RESOLUTIONS = (512, 1024, 2048)  # windows of the spectra that are compared, in samples; hops are a quarter


@dataclass(frozen=True)
class VocoderTaskConfig:
    """How the vocoder learns.

    Attributes
    ----------
    network : "melgan", or "spectral", our own: see `ictus.sound.models.spectral_vocoder`.
    size : of the generator, and of the discriminator.
    samples : of a window that is learnt from, a multiple of 256.
    draws : windows of each stretch of so many samples in an epoch.
    peak : what the loudest sample of a recording is brought to; 0 leaves recordings as loud as they are.
    gain : least and largest random factor of a window.
    lr, betas : Adam's, for both.
    adversarial, matching : weights of the adversarial loss, and of the distance of the discriminators' features;
        without either there is no discriminator.
    discriminator_start : step at which the discriminators begin.
    mel : weight of the mean absolute error of mel80, in units of 0.1, which is 10 dB.
    stft : weight of the distance of spectra of three resolutions.
    held_out, held_out_frames : recordings of the validation at most, and mel frames of each, from its beginning.
    train, val : splits.
    """

    network: Literal["melgan", "spectral"] = "melgan"
    size: Literal["paper", "small", "debug"] = "paper"
    samples: int = 8192
    draws: int = 1
    peak: float = 0.95
    gain: tuple[float, float] = (0.3, 1.0)
    lr: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.9)
    adversarial: float = 1.0
    matching: float = 10.0
    discriminator_start: int = 0
    mel: float = 0.0
    stft: float = 0.0
    held_out: int = 16
    held_out_frames: int = 848
    train: str = "train"
    val: str = "val"

    renamed: ClassVar = {"critic_start": "discriminator_start"}

    def __post_init__(self) -> None:
        shortest = _RESOLUTIONS[-1]
        if self.samples < shortest or self.samples % mel80.hop:
            raise UsageError(f"samples is {self.samples}; it must be a multiple of {mel80.hop}, and {shortest} or more")
        if not 0 < self.gain[0] <= self.gain[1] or self.peak < 0:
            raise UsageError(f"gain is {self.gain} and peak {self.peak:g}; gains are above 0, the smaller one first")
        weights = (self.adversarial, self.matching, self.mel, self.stft)
        if min(weights) < 0 or not any(weights):
            raise UsageError("adversarial, matching, mel and stft are weights: none is below 0, and one is above")
        if self.discriminator_start > 0 and not self.mel and not self.stft:
            raise UsageError(
                f"discriminator_start is {self.discriminator_start}, but until then there is nothing to learn; set stft"
            )
        if self.held_out < 1 or self.held_out_frames < shortest // mel80.hop:
            raise UsageError(
                f"held_out is {self.held_out} and held_out_frames {self.held_out_frames}; "
                f"at least 1 and {shortest // mel80.hop}"
            )


class VocoderTask:
    """The vocoder in training."""

    Config = VocoderTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("mel", "min")

    def __init__(self, config: VocoderTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = RandomSoundWindows(
            data, config.train, samples=config.samples, draws=config.draws, peak=config.peak, gain=config.gain
        )
        self.validation_set = SoundWindows(
            data, config.val, samples=config.held_out_frames * mel80.hop, peak=config.peak, most=config.held_out
        )
        kind = MelGAN if config.network == "melgan" else SpectralVocoder
        self.generator: MelGAN | SpectralVocoder = kind.from_config(config.size)
        self.networks: dict[str, torch.nn.Module] = {"generator": self.generator}
        self.discriminator: WaveDiscriminator | None = None
        if config.adversarial or config.matching:
            self.discriminator = WaveDiscriminator.from_config(config.size)
            self.networks["critic"] = self.discriminator  # the name that states of earlier trainings have
        self._control: dict[str, tuple[float, float]] = {}  # Griffin-Lim's values, by the names of the samples

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam for both."""
        config = self.config
        return {name: Adam(network.parameters(), config.lr, config.betas) for name, network in self.networks.items()}

    def train_set(self, epoch: int) -> RandomSoundWindows:
        """Windows of every recording, others in each epoch."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """The discriminators', then the generator's."""
        real = batch["sound"][:, None]  # (B, 1, n)
        made = self.generator(batch["mel"])
        terms = self._spectral_terms(real, made)
        if self.discriminator is not None and step >= self.config.discriminator_start:
            hinge = hinge_loss(self.discriminator(real), self.discriminator(made.detach()))
            yield "critic", hinge, {"discriminator": hinge.detach()}
            terms |= self._adversarial_terms(self.discriminator, real, made)
        loss = torch.stack([getattr(self.config, name) * value for name, value in terms.items()]).sum()
        yield "generator", loss, {f"generator/{name}": value.detach() for name, value in terms.items()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Distances of vocoded sound from the held-out original, and Griffin-Lim's to compare.

        "mel" is the mean absolute error of mel80, where 0.01 is a decibel; "stft" the distance of spectra of three
        resolutions, which also shows what the mel does not hold.
        """
        values: list[tuple[float, float]] = []
        control: list[tuple[float, float]] = []
        for batch in batches(self.validation_set):
            real, mel = batch["sound"].cpu(), batch["mel"].cpu()
            made = self.generator(batch["mel"])[:, 0].float().cpu()
            for k, name in enumerate(batch["name"]):
                values.append(distances(real[k], made[k]))
                if name not in self._control:
                    played = griffin_lim(mel[k].T.numpy()).samples[0]
                    self._control[name] = distances(real[k], torch.from_numpy(played))
                control.append(self._control[name])
        error, spectral = np.mean(values, 0)
        control_error, control_spectral = np.mean(control, 0)
        return {
            "mel": float(error),
            "stft": float(spectral),
            "mel/griffin_lim": float(control_error),
            "stft/griffin_lim": float(control_spectral),
        }

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the generator's checkpoint folder, and the discriminator's in critic/."""
        self.generator.save_pretrained(folder, {"art": "sound", **facts})
        if self.discriminator is not None:
            self.discriminator.save_pretrained(folder / "critic", {"art": "sound", **facts})

    def _spectral_terms(self, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        with torch.autocast(real.device.type, enabled=False):  # spectra are not for half precision
            target, estimate = real[:, 0].float(), made[:, 0].float()
            if self.config.mel:
                terms["mel"] = 10 * F.l1_loss(mel_levels(estimate), mel_levels(target))
            if self.config.stft:
                terms["stft"] = spectral_distance(target, estimate)
        return terms

    def _adversarial_terms(self, discriminator: WaveDiscriminator, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            target = discriminator(real)
        features = discriminator(made)
        terms: dict[str, Tensor] = {}
        if self.config.adversarial:
            terms["adversarial"] = -torch.stack([layers[-1].float().mean() for layers in features]).sum()
        if self.config.matching:
            terms["matching"] = feature_distance(target, features)
        return terms


def hinge_loss(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """Return the discriminators' loss, a sum over scales: 2 for each that sees no difference, 0 where it is sure."""
    losses = [
        F.relu(1 - r[-1].float()).mean() + F.relu(1 + f[-1].float()).mean() for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(losses).sum()


def feature_distance(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """Return the L1 distance of the features of all layers but the last: a mean over scales, and a sum over layers.

    Each layer counts 4 / (strided layers + 1), as published.
    """
    terms = [
        4 / (len(r) - 2) * F.l1_loss(features.float(), target.float())
        for r, f in zip(real, fake, strict=True)
        for target, features in zip(r[:-1], f[:-1], strict=True)
    ]
    return torch.stack(terms).sum() / len(real)


def spectral_distance(real: Tensor, made: Tensor) -> Tensor:
    """(B, n) and (B, n) -> spectral convergence plus the L1 distance of log magnitudes, a mean over resolutions.

    Source: Yamamoto, Song & Kim, ICASSP 2020.
    """
    total = real.new_zeros(())
    for window in _RESOLUTIONS:
        target, estimate = _magnitudes(real, window, window // 4), _magnitudes(made, window, window // 4)
        norm, error = (torch.linalg.vector_norm(x, dim=(1, 2)) for x in (target, target - estimate))
        convergence = error / norm.clamp(min=1)  # 1 is about -80 dB, so that near silence does not outweigh all else
        total = total + convergence.mean() + F.l1_loss(estimate.log(), target.log())
    return total / len(_RESOLUTIONS)


def mel_levels(sound: Tensor) -> Tensor:
    """(B, n) samples at 22,050 Hz -> (B, 80, 1 + n // 256): mel80, through which gradients pass."""
    filters = torch.from_numpy(mel80.filters).to(sound.device)
    bands = filters @ _magnitudes(sound, mel80.window, mel80.hop)
    return (0.2 * bands.clamp(min=1e-5).log10() + 0.8).clamp(0, 1)


def distances(real: Tensor, made: Tensor) -> tuple[float, float]:
    """(n,) and (n,) samples -> mean absolute error of mel80, and the distance of spectra of three resolutions."""
    error = F.l1_loss(mel_levels(made[None]), mel_levels(real[None]))
    return float(error), float(spectral_distance(real[None], made[None]))


def _magnitudes(sound: Tensor, window: int, hop: int) -> Tensor:
    """(B, n) -> (B, window / 2 + 1, frames); a floor keeps the gradient of silence finite."""
    shape = torch.hann_window(window, device=sound.device)
    spectrum = torch.stft(sound, window, hop, window=shape, return_complex=True)
    return torch.view_as_real(spectrum).square().sum(-1).clamp(min=1e-10).sqrt()
