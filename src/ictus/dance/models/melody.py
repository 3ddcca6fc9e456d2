"""Dance with Melody: the sound of each beat, and where in song and beat a frame stands -> a pose per frame.

Source: Tang, Jia & Mao, "Dance with Melody: An LSTM-autoencoder Approach to Music-oriented Dance Synthesis", ACM
Multimedia 2018. The paper gives the parts but no widths; those here are of a public reproduction of it, as are
LeakyReLU and the orthogonal initialisation of the LSTMs.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ictus.dance.normalisation import Scale
from ictus.errors import AudioError, ModelError
from ictus.nn.pretrained import Pretrained

RATE = 25  # frames a second
AUDIO, INDEX, MOTION = 16, 3, 63  # numbers a frame: melody16, the temporal index, 21 joints
GROUPS = (slice(0, 3), slice(3, 6), slice(6, 10), slice(10, 15), slice(15, 16))  # the five features of melody16
BEAT, SINCE = 1, 2  # columns of the index: 1 on the first frame of each beat, and frames since it

Variant = Literal["lstm", "lstm-index", "lstm-mask", "autoencoder", "autoencoder-unmasked"]


@dataclass(frozen=True)
class MelodyConfig:
    """Variant, normalisation and sizes.

    Attributes
    ----------
    variant : "lstm", whose input is the features alone; "lstm-index", with the temporal index; "lstm-mask", with both
        the index and the mask, which lets a beat's first frame through and no other; "autoencoder", the paper's: as
        "lstm-mask", but what the mask lets through is encoded by an LSTM, from which all audio features are decoded;
        "autoencoder-unmasked", the same without mask.
    grouping : "group", one scale for each feature (and one for all of the motion), so that the dimensions of a feature
        keep their proportions; or "dimension", one for each number.
    scaling : of the audio features: "min-max", to [0, 1]; or "z-score", to mean 0 and deviation 1.
    dense, units, reduced : width of the dense layers, of the LSTMs, and of the encoded sound.
    layers, dropout : of the predictor's LSTM; the encoder's and the decoder's have one layer.
    longest : frames of the longest song that it was trained on, whose places it knows; 0 in folders that do not say.
    """

    variant: Variant = "autoencoder"
    grouping: Literal["group", "dimension"] = "group"
    scaling: Literal["min-max", "z-score"] = "min-max"
    dense: int = 24
    units: int = 32
    reduced: int = 10
    layers: int = 3
    dropout: float = 0.0
    longest: int = 0

    def __post_init__(self) -> None:
        if min(self.dense, self.units, self.reduced, self.layers) < 1:
            raise ModelError("dense, units, reduced and layers must each be 1 or more")
        if self.longest < 0:
            raise ModelError(f"longest is {self.longest} frames; it must be 0 or more")
        if not 0 <= self.dropout < 1:
            raise ModelError(f"dropout is {self.dropout:g}; it must lie between 0 and 1")


class Recurrent(nn.Module):
    """Dense layer, temporal index beside it, LSTM, dense layer: what encoder, decoder and predictor all are."""

    def __init__(
        self, inputs: int, outputs: int, config: MelodyConfig, layers: int = 1, *, indexed: bool = True
    ) -> None:
        super().__init__()
        self.indexed = indexed
        self.inner = nn.Sequential(nn.Linear(inputs, config.dense), nn.LeakyReLU())
        dropout = config.dropout if layers > 1 else 0.0  # it stands between layers
        width = config.dense + (INDEX if indexed else 0)
        self.lstm = nn.LSTM(width, config.units, layers, batch_first=True, dropout=dropout)
        for name, weight in self.lstm.named_parameters():
            if name.startswith("weight"):
                nn.init.orthogonal_(weight)
        self.outer = nn.Linear(config.units, outputs)

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        """(B, T, inputs) and (B, T, 3) -> (B, T, outputs)."""
        y = self.inner(x)
        y, _ = self.lstm(torch.cat((y, index), -1) if self.indexed else y)  # (B, T, units)
        z: Tensor = self.outer(y)
        return z


class MelodyAutoencoder(Pretrained):
    """The LSTM autoencoder of Dance with Melody, and the plainer networks that it is compared with."""

    model_type = "melody-autoencoder"
    Config = MelodyConfig
    config: MelodyConfig
    sizes: ClassVar = {"paper": MelodyConfig(), "debug": MelodyConfig(dense=8, units=8, reduced=4, layers=2)}

    def __init__(self, config: MelodyConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "melody16@25", "skeleton": "melody-21", "fps": RATE}
        self.audio_scale, self.index_scale, self.motion_scale = Scale(AUDIO), Scale(INDEX), Scale(MOTION)
        self.masked = config.variant in ("lstm-mask", "autoencoder")
        encodes = config.variant.startswith("autoencoder")
        self.encoder: nn.Module | None = None
        self.decoder: Recurrent | None = None
        inputs = config.reduced if self.masked or encodes else AUDIO
        if encodes:
            self.encoder = Recurrent(AUDIO, config.reduced, config)
            self.decoder = Recurrent(config.reduced, AUDIO, config)
        elif self.masked:
            self.encoder = nn.Sequential(nn.Linear(AUDIO, config.reduced), nn.LeakyReLU())
        self.predictor = Recurrent(inputs, MOTION, config, config.layers, indexed=config.variant != "lstm")

    @property
    def longest(self) -> float:
        """Frames of the longest song in training; earlier versions scaled the index by it, and so noted it there."""
        return self.config.longest or float(self.index_scale.scale[0])

    def fit_scales(self, audio: Tensor, index: Tensor, motion: Tensor, window: int) -> None:
        """Measure the normalisations on (T, 16), (T, 3) and (T, 63), all frames of the training set.

        Motion is the deviation from the mean pose. Places in the song are counted in windows (frames), and places in
        the beat in usual beats, so that both change as fast as the network has to.
        """
        by_group = self.config.grouping == "group"
        self.audio_scale.fit(audio, GROUPS if by_group else _each(AUDIO), self.config.scaling)
        self.motion_scale.fit(motion, [slice(0, MOTION)] if by_group else _each(MOTION), "mean-frame")
        ends = index[:-1, SINCE][index[1:, BEAT] > 0]  # the last frame of each beat
        usual = float(ends.median()) + 1 if len(ends) else window
        self.index_scale.shift.zero_()
        self.index_scale.scale.copy_(torch.tensor([window, 1.0, usual]))

    def forward(self, audio: Tensor, index: Tensor) -> Tensor:
        """Dance.

        Parameters
        ----------
        audio : (B, T, 16) melody16 at 25 fps.
        index : (B, T, 3) the temporal index: frame in the song, first frame of a beat, frames since the beat.

        Returns
        -------
        (B, T, 63), melody-21 at 25 fps, in the unit that the network was trained in.

        Raises
        ------
        AudioError
            If the shapes are others.
        """
        if audio.shape[2:] != (AUDIO,) or index.shape != (*audio.shape[:2], INDEX):
            shapes = f"{tuple(audio.shape)} and {tuple(index.shape)}"
            raise AudioError(
                f"features and temporal index of shapes {shapes}; (B, T, {AUDIO}) and (B, T, {INDEX}) needed"
            )
        return self.motion_scale.inverse(self.predict(self.audio_scale(audio), self.index_scale(index))[0])

    def predict(self, audio: Tensor, index: Tensor) -> tuple[Tensor, Tensor | None]:
        """Normalised (B, T, 16) and (B, T, 3) -> normalised motion (B, T, 63) and, if decoded, audio (B, T, 16)."""
        x = audio
        if self.decoder is not None and self.encoder is not None:
            x = self.encoder(audio, index)  # (B, T, reduced)
        elif self.encoder is not None:
            x = self.encoder(audio)
        if self.masked:
            x = x * (index[..., BEAT : BEAT + 1] > 0)
        return self.predictor(x, index), None if self.decoder is None else self.decoder(x, index)


def _each(numbers: int) -> list[slice]:
    return [slice(k, k + 1) for k in range(numbers)]
