"""A vocoder that two cores can train: it predicts the spectrum of each mel frame, magnitudes and phases, at once.

Convolutions at the rate of the mel alone, and an inverse Fourier transform for what MelGAN upsamples step by step: so
it learns in minutes what MelGAN does not in hours.

Sources: Siuzdak, "Vocos", ICLR 2024; the blocks: Liu et al., "A ConvNet for the 2020s", CVPR 2022.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.audio import Audio
from ictus.errors import ModelError
from ictus.features import mel80
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.sound.models.melgan import vocode_in_chunks
from ictus.types import Float32Array

_QUIET = 1e-5  # magnitude added to every bin: what the mel takes for silence
_STEEPEST = 8.0  # by which the logarithm of a magnitude may leave that of its band
_BEGIN = 0.2  # of what a block adds, at first


@dataclass(frozen=True)
class SpectralVocoderConfig:
    """Sizes.

    Attributes
    ----------
    width, hidden : channels between the blocks, and within them.
    layers : blocks.
    kernel : frames of a block's convolution; odd.
    """

    width: int = 256
    hidden: int = 768
    layers: int = 6
    kernel: int = 7

    def __post_init__(self) -> None:
        if min(self.width, self.hidden, self.layers) < 1:
            raise ModelError(f"width {self.width}, hidden {self.hidden}, layers {self.layers}; all must be 1 or more")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ModelError(f"kernel is {self.kernel}; it must be odd, to have a middle")


class ConvNeXtBlock(nn.Module):
    """A convolution of each channel over time, then two layers over the channels. (B, T, C) -> (B, T, C)."""

    def __init__(self, config: SpectralVocoderConfig) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            config.width, config.width, config.kernel, padding=config.kernel // 2, groups=config.width
        )
        self.norm = nn.LayerNorm(config.width)
        self.wider, self.narrower = nn.Linear(config.width, config.hidden), nn.Linear(config.hidden, config.width)
        self.share = nn.Parameter(torch.full((config.width,), _BEGIN))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        z: Tensor = x + self.share * self.narrower(F.gelu(self.wider(self.norm(y))))
        return z


class SpectralVocoder(Pretrained):
    """A mel spectrogram -> sound: 256 samples of each frame. 2,790,658 parameters in the small size.

    The size "paper" is as wide as Vocos, which takes other mels.

    Sample 256 k lies in the middle of the window of frame k.

    Attributes
    ----------
    hop : samples of a mel frame.
    reach : frames before and after a frame on which its samples depend.
    shortest : frames that are needed at least.
    """

    model_type = "spectral-vocoder"
    Config = SpectralVocoderConfig
    config: SpectralVocoderConfig
    sizes: ClassVar = {
        "paper": SpectralVocoderConfig(512, 1536, 8),
        "small": SpectralVocoderConfig(),
        "debug": SpectralVocoderConfig(16, 32, 2),
    }
    window: Tensor
    spread: Tensor

    def __init__(self, config: SpectralVocoderConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80", "rate": mel80.rate}
        self.hop, self.shortest = mel80.hop, mel80.window // mel80.hop
        overlap = mel80.window // 2 // mel80.hop  # frames whose windows reach into the next ones
        self.reach = (config.layers + 1) * (config.kernel // 2) + overlap + 1
        self.embedding = nn.Conv1d(mel80.bands, config.width, config.kernel, padding=config.kernel // 2)
        self.first = nn.LayerNorm(config.width)
        self.blocks = nn.Sequential(*(ConvNeXtBlock(config) for _ in range(config.layers)))
        self.last = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, mel80.window + 2)
        bands = torch.from_numpy(mel80.filters)  # (80, 513)
        self.register_buffer("spread", (bands / bands.sum(1, keepdim=True)).T.contiguous(), persistent=False)
        self.register_buffer("window", torch.hann_window(mel80.window), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Vocode.

        Parameters
        ----------
        mel : (B, 80, T) mel80, levels in [0, 1], of at least `shortest` frames.

        Returns
        -------
        (B, 1, 256 T) samples at 22,050 Hz.

        Raises
        ------
        UsageError
            If the mel has another shape.
        """
        check_shape("mel", mel, "B", mel80.bands, "T")
        x = self.first(self.embedding(mel).transpose(1, 2))  # (B, T, width)
        predicted = self.head(self.last(self.blocks(x))).transpose(1, 2).float()  # (B, 1026, T)
        gain, phase = predicted.chunk(2, 1)
        bands = 10 ** (5 * (mel.clamp(0, 1).float() - 0.8))
        magnitude = (self.spread @ bands + _QUIET) * gain.clamp(-_STEEPEST, _STEEPEST).exp()
        samples = mel.shape[-1] * self.hop
        spectrum = torch.polar(magnitude, phase)  # (B, 513, T)
        sound = torch.istft(spectrum, mel80.window, self.hop, window=self.window, length=samples)
        return sound[:, None]

    @torch.inference_mode()
    def vocode(self, mel: Float32Array) -> Audio:
        """(T, 80) -> 256 T samples; as `MelGAN.vocode`."""
        return vocode_in_chunks(self, mel)

    def folded(self) -> "SpectralVocoder":
        """Return itself: there is nothing to fold."""
        return self
