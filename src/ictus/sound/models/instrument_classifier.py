"""The instrument classifier: a small network that recognises an instrument by its mel, for metrics by features.

The published values (FID, KID, inception score, KL) are taken by Melception, an Inception v3 of 309 classes of sound
which was trained on VGGSound. Its weights cannot be shipped, so this one classifies the six instruments instead, and
values by one network cannot be compared with those by another.

Source: our own; there is no paper.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ictus.errors import AudioError, ModelError
from ictus.nn.pretrained import Pretrained
from ictus.sound import INSTRUMENTS


@dataclass(frozen=True)
class InstrumentClassifierConfig:
    """Sizes.

    Attributes
    ----------
    bands : of the mel.
    channels : of each level, which halves bands and frames.
    features : numbers that describe a sound.
    classes : of instruments.
    dropout : of the features, in training.
    """

    bands: int = 80
    channels: tuple[int, ...] = (16, 32, 64, 128)
    features: int = 64
    classes: int = len(INSTRUMENTS)
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if not self.channels or self.bands % 2 ** len(self.channels):
            raise ModelError(f"{self.bands} bands cannot be halved {len(self.channels)} times; change channels")


class InstrumentClassifier(Pretrained):
    """Float32Array spectrograms in [-1, 1] -> which instrument plays. 214,182 parameters in the size "small".

    Attributes
    ----------
    shortest : frames that it needs at least.
    """

    model_type = "instrument-classifier"
    Config = InstrumentClassifierConfig
    config: InstrumentClassifierConfig
    sizes: ClassVar = {
        "paper": InstrumentClassifierConfig(),  # ours: there is no paper
        "small": InstrumentClassifierConfig(),
        "debug": InstrumentClassifierConfig(channels=(4, 4, 8, 8), features=8),
    }

    def __init__(self, config: InstrumentClassifierConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80", "instruments": list(INSTRUMENTS)}
        self.shortest = 2 ** len(config.channels)
        layers: list[nn.Module] = []
        before = 1
        for after in config.channels:
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
        # all bands at once: instruments differ in where in the spectrum something sounds
        layers += [nn.Conv2d(before, config.features, (config.bands // self.shortest, 1)), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.features, config.classes)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 80, T) in [-1, 1] -> (B, 6), logits of the instruments.

        Raises
        ------
        AudioError
            As by `features`.
        """
        return self.classify(self.features(mel))

    def features(self, mel: Tensor) -> Tensor:
        """Describe sounds.

        Parameters
        ----------
        mel : (B, 80, T) in [-1, 1] (twice mel80, less 1), of 16 frames or more.

        Returns
        -------
        (B, 64), none negative: means over the time.

        Raises
        ------
        AudioError
            If the shape is another.
        """
        if mel.dim() != 3 or mel.shape[1] != self.config.bands or mel.shape[2] < self.shortest:
            raise AudioError(
                f"a mel of shape {tuple(mel.shape)}; (B, {self.config.bands}, T) needed, T {self.shortest} or more"
            )
        frames: Tensor = self.layers(mel[:, None])[:, :, 0]  # (B, features, T / 16)
        return frames.mean(-1)

    def classify(self, features: Tensor) -> Tensor:
        """(B, 64) features -> (B, 6), logits of the instruments."""
        logits: Tensor = self.head(self.dropout(features))
        return logits

    @torch.inference_mode()
    def extract(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 80, T) in [-1, 1] -> features (B, 64) and logits (B, 6), as metrics take them."""
        features = self.features(mel)
        return features, self.classify(features)
