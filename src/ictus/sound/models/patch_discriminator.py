"""The discriminator of the codebook: is a patch of a mel spectrogram real, or was it decoded?

Source: Isola, Zhu, Zhou & Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017
(PatchGAN), with the sizes of SpecVQGAN (Iashin & Rahtu, BMVC 2021).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from ictus.errors import ModelError, UsageError
from ictus.nn.pretrained import Pretrained


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """Channels of the first convolution; how many halve both axes. Channels double with each layer, up to eightfold."""

    channels: int = 64
    layers: int = 3

    def __post_init__(self) -> None:
        if self.channels < 1 or self.layers < 1:
            raise ModelError(f"{self.layers} layers of {self.channels} channels; at least one of each is needed")


class PatchDiscriminator(Pretrained):
    """Convolutions, each output for a patch of 70 x 70 in the published size (2,763,585 parameters)."""

    model_type = "patch-discriminator"
    Config = PatchDiscriminatorConfig
    config: PatchDiscriminatorConfig
    sizes: ClassVar = {
        "paper": PatchDiscriminatorConfig(),
        "small": PatchDiscriminatorConfig(channels=32),
        "debug": PatchDiscriminatorConfig(channels=4, layers=2),
    }

    def __init__(self, config: PatchDiscriminatorConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80"}
        widths = [config.channels * min(2**layer, 8) for layer in range(config.layers + 1)]
        layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for layer, (before, after) in enumerate(pairwise(widths), 1):
            stride = 2 if layer < config.layers else 1
            layers += [
                nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))
        for module in self.layers:
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.02)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)
        self.shortest = 3 * 2**config.layers

    def forward(self, mel: Tensor) -> Tensor:
        """Score the patches of a mel.

        Parameters
        ----------
        mel : (B, 80, T) in [-1, 1].

        Returns
        -------
        (B, 80 / 8 - 2, T / 8 - 2) in the published size: larger for what looks real.

        Raises
        ------
        UsageError
            If the mel is too short for the convolutions.
        """
        if min(mel.shape[1:]) < self.shortest:
            raise UsageError(
                f"a mel of shape {tuple(mel.shape)}; the discriminator needs {self.shortest} bands and frames"
            )
        score: Tensor = self.layers(mel[:, None])  # (B, 1, H, W)
        return score[:, 0]
