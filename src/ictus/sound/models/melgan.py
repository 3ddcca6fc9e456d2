"""MelGAN: a vocoder of convolutions, and the three-scale discriminator that it is trained against.

Source: Kumar et al., "MelGAN: Generative Adversarial Networks for Conditional Waveform Synthesis", NeurIPS 2019, with
the sizes of its published weights; of mel80, as Iashin & Rahtu (BMVC 2021) used it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ictus.audio import Audio
from ictus.errors import ModelError, UsageError
from ictus.features import mel80
from ictus.nn.folding import fold
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.sound.griffin_lim import check_mel
from ictus.types import Float32Array

_KERNEL = 7  # of the first and the last convolution
_CHUNK = 512  # frames, 5.9 s; bounds memory


@dataclass(frozen=True)
class MelGANConfig:
    """Sizes of the generator; the defaults are the published ones.

    Attributes
    ----------
    bands : of the mel spectrogram.
    channels : after the first convolution; each upsampling halves them.
    ratios : of the upsamplings; their product is the samples of a mel frame.
    stacks : residual blocks after each upsampling; the k-th is dilated by 3 to the power of k.
    """

    bands: int = 80
    channels: int = 512
    ratios: tuple[int, ...] = (8, 8, 2, 2)
    stacks: int = 3

    def __post_init__(self) -> None:
        if not self.ratios or min(self.bands, *self.ratios) < 1 or self.stacks < 0:
            raise ModelError(f"{self.bands} bands, ratios {self.ratios} and {self.stacks} stacks make no vocoder")
        if self.channels < 1 or self.channels % 2 ** len(self.ratios):
            raise ModelError(f"channels is {self.channels}; it must be a multiple of {2 ** len(self.ratios)}")


class DilatedResidualBlock(nn.Module):
    """A dilated convolution and one of kernel 1, beside a shortcut of kernel 1. (B, C, n) -> (B, C, n)."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.ReflectionPad1d(dilation),
            weight_norm(nn.Conv1d(channels, channels, 3, dilation=dilation)),
            nn.LeakyReLU(0.2),
            weight_norm(nn.Conv1d(channels, channels, 1)),
        )
        self.shortcut = weight_norm(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, n) -> (B, C, n)."""
        y: Tensor = self.shortcut(x) + self.layers(x)
        return y


class MelGAN(Pretrained):
    """A mel spectrogram -> sound: 256 samples of each frame. 4,266,050 parameters in the published size.

    Sample 256 k lies in the middle of the window of frame k.

    Attributes
    ----------
    hop : samples of a mel frame.
    reach : frames before and after a frame on which its samples depend.
    shortest : frames that the reflections need at least.
    """

    model_type = "melgan"
    Config = MelGANConfig
    config: MelGANConfig
    sizes: ClassVar = {
        "paper": MelGANConfig(),
        "small": MelGANConfig(channels=256, stacks=4),
        "debug": MelGANConfig(channels=32, stacks=1),
    }

    def __init__(self, config: MelGANConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80", "rate": mel80.rate}
        self.hop = math.prod(config.ratios)
        self.reach, self.shortest = _reach(config), _shortest(config)
        channels = config.channels
        layers: list[nn.Module] = [
            nn.ReflectionPad1d(_KERNEL // 2),
            weight_norm(nn.Conv1d(config.bands, channels, _KERNEL)),
        ]
        for ratio in config.ratios:
            layers += [nn.LeakyReLU(0.2), weight_norm(_upsampling(channels, ratio))]
            channels //= 2
            layers += [DilatedResidualBlock(channels, 3**k) for k in range(config.stacks)]
        layers += [
            nn.LeakyReLU(0.2),
            nn.ReflectionPad1d(_KERNEL // 2),
            weight_norm(nn.Conv1d(channels, 1, _KERNEL)),
            nn.Tanh(),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, mel: Tensor) -> Tensor:
        """Vocode.

        Parameters
        ----------
        mel : (B, 80, T) mel80, levels in [0, 1], of at least `shortest` frames.

        Returns
        -------
        (B, 1, 256 T) samples in [-1, 1] at 22,050 Hz.

        Raises
        ------
        UsageError
            If the mel is too short, or has another shape.
        """
        check_shape("mel", mel, "B", self.config.bands, "T")
        if mel.shape[-1] < self.shortest:
            raise UsageError(f"a mel spectrogram of {mel.shape[-1]} frames; the vocoder needs {self.shortest}")
        sound: Tensor = self.layers(mel)
        return sound

    def vocode(self, mel: Float32Array) -> Audio:
        """Vocode a mel spectrogram of any length, in bounded memory: the same as at one pass.

        Parameters
        ----------
        mel : (T, 80) mel80.

        Returns
        -------
        Mono, 22,050 Hz, 256 T samples.

        Raises
        ------
        UsageError
            If the mel is not (T, 80), empty or not finite.
        """
        return self.folded().vocode(mel)

    def folded(self) -> "FoldedMelGAN":
        """Return this vocoder as it is now, for inference only."""
        return FoldedMelGAN(self)


class FoldedMelGAN(nn.Module):
    """A vocoder for inference: the same sound, without computing the norms of the weights each time.

    It can be neither trained nor saved.
    """

    def __init__(self, vocoder: MelGAN) -> None:
        super().__init__()
        self.vocoder = fold(vocoder)
        self.hop, self.reach, self.shortest = vocoder.hop, vocoder.reach, vocoder.shortest
        self.eval()

    @torch.inference_mode()
    def forward(self, mel: Tensor) -> Tensor:
        """(B, 80, T) -> (B, 1, 256 T), as `MelGAN` does."""
        sound: Tensor = self.vocoder(mel)
        return sound

    def vocode(self, mel: Float32Array) -> Audio:
        """(T, 80) -> 256 T samples; as `MelGAN.vocode`."""
        return vocode_in_chunks(self, mel)

    def folded(self) -> "FoldedMelGAN":
        """Return itself."""
        return self


class VocoderNetwork(Protocol):
    """A network that makes sound of mel spectrograms."""

    hop: int
    reach: int
    shortest: int

    def __call__(self, mel: Tensor) -> Tensor:
        """(B, 80, T) -> (B, 1, 256 T)."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return its weights."""
        ...


def vocode_in_chunks(vocoder: VocoderNetwork, mel: Float32Array) -> Audio:
    """Vocode a mel spectrogram (T, 80) of any length, in chunks, each with all that it depends on around it."""
    given = check_mel(mel)
    levels = np.pad(given, ((0, max(0, vocoder.shortest - len(given))), (0, 0)), mode="edge")
    device = next(vocoder.parameters()).device
    sound = np.empty(len(levels) * vocoder.hop, np.float32)
    for start in range(0, len(levels), _CHUNK):
        end = min(start + _CHUNK, len(levels))
        first, last = max(0, start - vocoder.reach), min(end + vocoder.reach, len(levels))
        chunk = torch.from_numpy(levels[first:last].T.copy())[None].to(device)  # (1, 80, T)
        made = vocoder(chunk)[0, 0].float().cpu().numpy()
        sound[start * vocoder.hop : end * vocoder.hop] = made[
            (start - first) * vocoder.hop : (end - first) * vocoder.hop
        ]
    return Audio(sound[: len(given) * vocoder.hop], mel80.rate)


def _upsampling(channels: int, ratio: int) -> nn.ConvTranspose1d:
    padding, odd = ratio // 2 + ratio % 2, ratio % 2
    return nn.ConvTranspose1d(channels, channels // 2, 2 * ratio, stride=ratio, padding=padding, output_padding=odd)


def _reach(config: MelGANConfig) -> int:
    """Return how many frames to either side a sample depends on, rounded up."""
    factor, reach = 1, float(_KERNEL // 2)
    for ratio in config.ratios:
        reach += 1 / factor  # a transposed convolution of two strides' length
        factor *= ratio
        reach += sum(3**k for k in range(config.stacks)) / factor
    return math.ceil(reach + (_KERNEL // 2) / factor)


def _shortest(config: MelGANConfig) -> int:
    """Return the frames that reflections need: one more than they reflect."""
    widest = 3 ** (config.stacks - 1) if config.stacks else 0
    return max(_KERNEL // 2 + 1, widest // config.ratios[0] + 1)


# --- The discriminator -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WaveDiscriminatorConfig:
    """Sizes of the discriminator; the defaults are the published ones.

    Attributes
    ----------
    scales : discriminators; each takes sound at half the rate of the one before.
    channels, widest : of the first convolution, and at most; each strided convolution multiplies by the stride.
    layers, stride : of the strided convolutions, whose kernels are ten strides long, in groups of four channels.
    """

    scales: int = 3
    channels: int = 16
    widest: int = 1024
    layers: int = 4
    stride: int = 4

    def __post_init__(self) -> None:
        if min(self.scales, self.layers, self.stride) < 1 or min(self.channels, self.widest) < 4:
            raise ModelError(
                f"{self.scales} scales of {self.layers} layers and {self.channels} channels make no discriminator"
            )
        if self.channels % 4 or self.widest % 4:
            raise ModelError(f"channels {self.channels} and widest {self.widest} must be multiples of 4")


class ScaleDiscriminator(nn.Module):
    """The discriminator of one scale: grouped, strided convolutions over sound."""

    def __init__(self, config: WaveDiscriminatorConfig) -> None:
        super().__init__()
        width, kernel = config.channels, 10 * config.stride + 1
        layers: list[nn.Module] = [
            nn.Sequential(nn.ReflectionPad1d(7), weight_norm(nn.Conv1d(1, width, 15)), nn.LeakyReLU(0.2))
        ]
        for _ in range(config.layers):
            before, width = width, min(width * config.stride, config.widest)
            strided = nn.Conv1d(before, width, kernel, stride=config.stride, padding=kernel // 2, groups=before // 4)
            layers.append(nn.Sequential(weight_norm(strided), nn.LeakyReLU(0.2)))
        before, width = width, min(2 * width, config.widest)
        layers.append(nn.Sequential(weight_norm(nn.Conv1d(before, width, 5, padding=2)), nn.LeakyReLU(0.2)))
        layers.append(weight_norm(nn.Conv1d(width, 1, 3, padding=1)))
        self.layers = nn.ModuleList(layers)

    def forward(self, sound: Tensor) -> list[Tensor]:
        """(B, 1, n) -> the features of each layer; last the scores, (B, 1, n / 256)."""
        features: list[Tensor] = []
        for layer in self.layers:
            sound = layer(sound)
            features.append(sound)
        return features


class WaveDiscriminator(Pretrained):
    """Discriminators of a sound as it is, at half and at a quarter of its rate: 16,924,086 parameters as published."""

    model_type = "melgan-discriminator"
    Config = WaveDiscriminatorConfig
    config: WaveDiscriminatorConfig
    sizes: ClassVar = {
        "paper": WaveDiscriminatorConfig(),
        "small": WaveDiscriminatorConfig(channels=8, widest=256),
        "debug": WaveDiscriminatorConfig(scales=2, channels=4, widest=16, layers=2),
    }

    def __init__(self, config: WaveDiscriminatorConfig) -> None:
        super().__init__(config)
        self.metadata = {"rate": mel80.rate}
        self.critics = nn.ModuleList(ScaleDiscriminator(config) for _ in range(config.scales))
        self.downsample = nn.AvgPool1d(4, stride=2, padding=1, count_include_pad=False)
        self.shortest = 8 * 2 ** (config.scales - 1)

    def forward(self, sound: Tensor) -> list[list[Tensor]]:
        """Score a sound.

        Parameters
        ----------
        sound : (B, 1, n) samples in [-1, 1].

        Returns
        -------
        For each scale, the features of each layer, (B, C, n'); last the scores, (B, 1, n'), larger for real sound.

        Raises
        ------
        UsageError
            If the sound is too short for the reflections, or has another shape.
        """
        check_shape("sound", sound, "B", 1, "n")
        if sound.shape[-1] < self.shortest:
            raise UsageError(f"a sound of {sound.shape[-1]} samples; the discriminator needs {self.shortest}")
        features: list[list[Tensor]] = []
        for discriminator in self.critics:
            features.append(discriminator(sound))
            sound = self.downsample(sound)
        return features
