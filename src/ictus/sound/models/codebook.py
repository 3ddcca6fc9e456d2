"""SpecVQGAN's codebook: a mel spectrogram <-> a grid of codes, one for each 16 bands x 16 frames.

Source: Iashin & Rahtu, "Taming Visually Guided Sound Generation", BMVC 2021, section 3.1, after Esser, Rombach & Ommer,
CVPR 2021 (VQGAN), with the sizes that were published for VAS and used for Solos: 128 codes, 188 bits a second.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import AudioError, ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.vector_quantizer import Quantized, VectorQuantizer, VectorQuantizerConfig
from ictus.sound import MEL_RATE

FACTOR = 16  # bands and frames of a code
COLUMNS = 53  # columns of codes that the network learns on, 9.845 s; longer pieces go through it in such windows
MARGIN = 8  # columns at the edge of a window that the next window encodes better


@dataclass(frozen=True)
class SpectrogramCodebookConfig:
    """Sizes; the defaults are the published ones.

    Attributes
    ----------
    bands : of the mel.
    patch : bands and frames that are put into channels at first; small networks save time by it.
    channels, multipliers : channels of each level, as multiples; from level to level both axes are halved.
    blocks : residual blocks of each level of the encoder; the decoder has one more.
    groups : of the normalisations.
    dropout : in residual blocks.
    codes, width : how many codes there are, and of how many numbers their vectors.
    beta, placement, decay, restart : how they learn; see `ictus.nn.vector_quantizer`.
    """

    bands: int = 80
    patch: int = 1
    channels: int = 128
    multipliers: tuple[int, ...] = (1, 1, 2, 2, 4)
    blocks: int = 2
    groups: int = 32
    dropout: float = 0.0
    codes: int = 128
    width: int = 256
    beta: float = 0.25
    placement: Literal["usual", "published"] = "published"
    decay: float | None = None
    restart: int | None = None

    def __post_init__(self) -> None:
        if not self.multipliers or self.patch * 2 ** (len(self.multipliers) - 1) != FACTOR:
            raise ModelError(f"patch {self.patch} and {len(self.multipliers)} levels; together they must make {FACTOR}")
        if self.bands < FACTOR or self.bands % FACTOR:
            raise ModelError(f"{self.bands} bands; they must be a multiple of {FACTOR}")
        if any(self.channels * multiplier % self.groups for multiplier in self.multipliers):
            raise ModelError(f"channels of all levels must be multiples of the {self.groups} groups")

    @property
    def quantizer(self) -> VectorQuantizerConfig:
        """The config of the quantiser."""
        return VectorQuantizerConfig(
            self.codes, self.width, self.beta, self.placement, decay=self.decay, restart=self.restart
        )


class SpectrogramResidualBlock(nn.Module):
    """(B, before, H, W) -> (B, after, H, W): twice normalisation, swish and convolution, beside the input."""

    def __init__(self, before: int, after: int, config: SpectrogramCodebookConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(_norm(before, config), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)),
            *(_norm(after, config), nn.SiLU(), nn.Dropout(config.dropout), nn.Conv2d(after, after, 3, padding=1)),
        )
        self.shortcut = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        y: Tensor = self.shortcut(x) + self.layers(x)
        return y


class SpatialAttention(nn.Module):
    """(B, C, H, W) -> the same: every place attends to every other, with one head."""

    def __init__(self, channels: int, config: SpectrogramCodebookConfig) -> None:
        super().__init__()
        self.norm = _norm(channels, config)
        self.query, self.key, self.value, self.out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        y = self.norm(x)
        places = [part(y).flatten(2).transpose(1, 2) for part in (self.query, self.key, self.value)]  # (B, H W, C)
        attended = F.scaled_dot_product_attention(*places).transpose(1, 2).reshape(x.shape)
        z: Tensor = x + self.out(attended)
        return z


class Downsample(nn.Module):
    """(B, C, H, W) -> (B, C, H / 2, W / 2), by a convolution with one zero of padding to the right and below."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        y: Tensor = self.convolution(F.pad(x, (0, 1, 0, 1)))
        return y


class Upsample(nn.Module):
    """(B, C, H, W) -> (B, C, 2 H, 2 W), by repeating each place and a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        y: Tensor = self.convolution(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return y


class Encoder(nn.Module):
    """(B, 80, T) -> (B, width, 5, T / 16). Only the last level has attention."""

    def __init__(self, config: SpectrogramCodebookConfig) -> None:
        super().__init__()
        self.patch = config.patch
        widths = [config.channels * multiplier for multiplier in config.multipliers]
        layers: list[nn.Module] = [nn.Conv2d(config.patch**2, config.channels, 3, padding=1)]
        before = config.channels
        for level, after in enumerate(widths):
            last = level == len(widths) - 1
            for _ in range(config.blocks):
                layers.append(SpectrogramResidualBlock(before, after, config))
                layers += [SpatialAttention(after, config)] if last else []
                before = after
            layers += [] if last else [Downsample(after)]
        layers += _middle(before, config)
        self.layers = nn.Sequential(
            *layers, _norm(before, config), nn.SiLU(), nn.Conv2d(before, config.width, 3, padding=1)
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Apply."""
        x: Tensor = self.layers(F.pixel_unshuffle(mel[:, None], self.patch))
        return x


class Decoder(nn.Module):
    """(B, width, 5, T / 16) -> (B, 80, T), the encoder's mirror image with one more block in each level."""

    def __init__(self, config: SpectrogramCodebookConfig) -> None:
        super().__init__()
        self.patch = config.patch
        widths = [config.channels * multiplier for multiplier in config.multipliers][::-1]
        before = widths[0]
        layers: list[nn.Module] = [nn.Conv2d(config.width, before, 3, padding=1), *_middle(before, config)]
        for level, after in enumerate(widths):
            for _ in range(config.blocks + 1):
                layers.append(SpectrogramResidualBlock(before, after, config))
                layers += [SpatialAttention(after, config)] if level == 0 else []
                before = after
            layers += [] if level == len(widths) - 1 else [Upsample(after)]
        self.layers = nn.Sequential(*layers, _norm(before, config), nn.SiLU())
        self.last = nn.Conv2d(before, config.patch**2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply."""
        mel: Tensor = F.pixel_shuffle(self.last(self.layers(x)), self.patch)
        return mel[:, 0]


class SpectrogramCodebook(Pretrained):
    """Mel spectrograms in [-1, 1] (twice mel80, less 1) as codes, and back.

    Raises
    ------
    AudioError
        By all methods that take a mel: if it is not (B, 80, T), or empty.
    """

    model_type = "spectrogram-codebook"
    Config = SpectrogramCodebookConfig
    config: SpectrogramCodebookConfig
    sizes: ClassVar = {
        "paper": SpectrogramCodebookConfig(),
        "small": SpectrogramCodebookConfig(
            patch=2,
            channels=32,
            multipliers=(1, 2, 3, 3),
            blocks=1,
            groups=16,
            width=32,
            placement="usual",
            decay=0.98,
            restart=50,
        ),
        "debug": SpectrogramCodebookConfig(
            patch=4, channels=8, multipliers=(1, 1, 2), blocks=1, groups=4, codes=16, width=8, placement="usual"
        ),
    }

    def __init__(self, config: SpectrogramCodebookConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80", "frame_rate": MEL_RATE, "codes_per_second": self.codes_per_second}
        self.encoder = Encoder(config)
        self.to_codes = nn.Conv2d(config.width, config.width, 1)
        self.quantizer = VectorQuantizer(config.quantizer)
        self.from_codes = nn.Conv2d(config.width, config.width, 1)
        self.decoder = Decoder(config)

    @property
    def rows(self) -> int:
        """Codes of a column, low bands first."""
        return self.config.bands // FACTOR

    @property
    def codes_per_second(self) -> float:
        """Codes of a second of sound."""
        return self.rows * MEL_RATE / FACTOR

    def forward(self, mel: Tensor) -> tuple[Tensor, Quantized]:
        """Encode and decode, for training.

        Parameters
        ----------
        mel : (B, 80, T) in [-1, 1], of any length.

        Returns
        -------
        (B, 80, T), not limited to [-1, 1], and the result of the quantiser.
        """
        quantized: Quantized = self.quantizer(self.to_codes(self.encoder(self._whole(mel))))
        made = self.decoder(self.from_codes(quantized.values))  # (B, 80, T, rounded up)
        return made[..., : mel.shape[-1]], quantized

    @torch.no_grad()
    def encode(self, mel: Tensor) -> Tensor:
        """Encode a mel as codes.

        Parameters
        ----------
        mel : (B, 80, T) in [-1, 1], of any length; the last frame is repeated up to a multiple of 16. What is longer
            than 9.845 s is encoded in windows of that length, which overlap.

        Returns
        -------
        (B, 5, T / 16 rounded up) int64; row 0 holds the lowest bands.
        """

        def codes(part: Tensor) -> Tensor:
            found: Tensor = self.quantizer(self.to_codes(self.encoder(part))).codes
            return found

        return _in_windows(codes, self._whole(mel), FACTOR, 1)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Decode codes to a mel.

        Parameters
        ----------
        codes : (B, 5, W) int64, of any length; as `encode` gives them.

        Returns
        -------
        (B, 80, 16 W) in [-1, 1].

        Raises
        ------
        ModelError
            If the shape is another, or there is no such code.
        """
        if codes.dim() != 3 or codes.shape[1] != self.rows or not codes.shape[2]:
            raise ModelError(f"codes of shape {tuple(codes.shape)}; (B, {self.rows}, W) needed")

        def mel(part: Tensor) -> Tensor:
            made: Tensor = self.decoder(self.from_codes(self.quantizer.look_up(part)))
            return made.clamp(-1, 1)

        return _in_windows(mel, codes, 1, FACTOR)

    def reconstruct(self, mel: Tensor) -> Tensor:
        """(B, 80, T) in [-1, 1] -> the same, encoded and decoded."""
        return self.decode(self.encode(mel))[..., : mel.shape[-1]]

    def _whole(self, mel: Tensor) -> Tensor:
        """Pad a mel to a multiple of 16 frames."""
        if mel.dim() != 3 or mel.shape[1] != self.config.bands or not mel.shape[2]:
            raise AudioError(f"a mel of shape {tuple(mel.shape)}; (B, {self.config.bands}, T) needed")
        return F.pad(mel, (0, -mel.shape[2] % FACTOR), mode="replicate")


def column_major(codes: Tensor) -> Tensor:
    """(B, H, W) -> (B, W H): column by column, each from the lowest bands to the highest."""
    return codes.transpose(1, 2).flatten(1)


def from_column_major(tokens: Tensor, rows: int) -> Tensor:
    """(B, W H) -> (B, H, W), what `column_major` came from; `rows` is H.

    Raises
    ------
    ModelError
        If the last column is not whole.
    """
    if tokens.shape[1] % rows:
        raise ModelError(f"{tokens.shape[1]} tokens; they must be whole columns of {rows}")
    return tokens.reshape(len(tokens), -1, rows).transpose(1, 2)


def _in_windows(work: Callable[[Tensor], Tensor], x: Tensor, before: int, after: int) -> Tensor:
    """Apply `work` to windows of (B, ..., W) that overlap, and join the middles of what comes out.

    A column is `before` places of `x` and `after` of what comes out.
    """
    columns = x.shape[-1] // before
    hop = COLUMNS - 2 * MARGIN
    count = 1 + max(0, math.ceil((columns - COLUMNS) / hop))
    parts = []
    for number in range(count):
        start = min(number * hop, max(0, columns - COLUMNS))  # the last window ends with the piece
        made = work(x[..., start * before : (start + COLUMNS) * before])
        first = 0 if number == 0 else number * hop + MARGIN - start
        last = columns - start if number == count - 1 else hop + MARGIN
        parts.append(made[..., first * after : last * after])
    return torch.cat(parts, -1)


def _middle(channels: int, config: SpectrogramCodebookConfig) -> list[nn.Module]:
    return [
        SpectrogramResidualBlock(channels, channels, config),
        SpatialAttention(channels, config),
        SpectrogramResidualBlock(channels, channels, config),
    ]


def _norm(channels: int, config: SpectrogramCodebookConfig) -> nn.GroupNorm:
    return nn.GroupNorm(config.groups, channels, eps=1e-6)
