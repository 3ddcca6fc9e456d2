"""The beat network: a spectrogram in, for every frame how likely it is a beat, and a downbeat, out.

Source: Boeck & Davies, "Deconstruct, Analyse, Reconstruct: How to Improve Tempo, Beat, and Downbeat Estimation", ISMIR
2020: three small convolutions with pooling over the bands, then a TCN whose levels have two dilations each, and whose
skips are summed. Ours adds batch normalisation to the front end, and a causal form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.beats.decoding import PLACES
from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape

_POOL = 3  # bands into one, after each convolution of the front end
_BLOCK = 1024  # frames of a long piece that the front end takes at a time outside training: 21 MB
_WINDOW = 4  # such blocks that the levels take at a time, which see 2044 frames to either side; shorter pieces go whole


@dataclass(frozen=True)
class BeatNetworkConfig:
    """Sizes.

    Attributes
    ----------
    bands : of the spectrogram; divided by 27 they must leave a whole number.
    front : channels of the front end's three convolutions.
    channels, kernel, levels : of the TCN; its dilations are 1 and 2, 2 and 4, ... 2 ** (levels - 1) and 2 ** levels.
    dropout : of whole channels.
    causal : whether a frame's output depends on nothing later than `lookahead` frames after it.
    lookahead : frames; 0 unless causal.
    """

    bands: int = 81
    front: tuple[int, int, int] = (20, 20, 20)
    channels: int = 20
    kernel: int = 5
    levels: int = 11
    dropout: float = 0.1
    causal: bool = False
    lookahead: int = 0

    def __post_init__(self) -> None:
        if self.bands % _POOL**3 or self.bands < 1:
            raise ModelError(f"{self.bands} bands; their number must be a multiple of {_POOL**3}")
        if self.kernel % 2 == 0:
            raise ModelError(f"a kernel of {self.kernel}; it must be odd, to have a middle")
        if self.lookahead and not self.causal:
            raise ModelError(f"a lookahead of {self.lookahead} frames; only a causal network has one")


Past = tuple[Tensor, ...]  # what each layer of a causal network has yet to remember: its last inputs


class _Padding(nn.Module):
    """Put zeros around (B, C, T, ...), half of them before, or the past before it and nothing after."""

    def __init__(self, frames: int, causal: bool) -> None:
        super().__init__()
        self.frames, self.causal = frames, causal

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the padded input, and its last `frames` frames, which are the next past."""
        rest = x.dim() - 3
        if not self.causal:
            padded = F.pad(x, (0, 0) * rest + (self.frames // 2, self.frames // 2))
        elif past is None:
            padded = F.pad(x, (0, 0) * rest + (self.frames, 0))
        else:
            padded = torch.cat((past, x), 2)
        return padded, padded[:, :, padded.shape[2] - self.frames :]


class FrontEnd(nn.Module):
    """Three convolutions of 3 frames by 3 bands, each pooled over 3 bands, and a last one over the bands left."""

    def __init__(self, config: BeatNetworkConfig) -> None:
        super().__init__()
        sizes = (1, *config.front)
        self.padding = _Padding(2, config.causal)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(sizes[i], sizes[i + 1], 3, padding=(0, 1), bias=False),
                nn.BatchNorm2d(sizes[i + 1]),
                nn.ELU(),
                nn.MaxPool2d((1, _POOL)),
                nn.Dropout2d(config.dropout),
            )
            for i in range(3)
        )
        self.gather = nn.Sequential(
            nn.Conv2d(sizes[-1], config.channels, (1, config.bands // _POOL**3), bias=False),
            nn.BatchNorm2d(config.channels),
            nn.ELU(),
        )

    def forward(self, mel: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """(B, T, bands) -> (B, channels, T)."""
        x, kept = mel[:, None], []
        for i, layer in enumerate(self.layers):
            padded, last = self.padding(x, past[i] if past else None)
            x = layer(padded)  # (B, C, T, bands / 3 ** (i + 1))
            kept.append(last)
        return self.gather(x)[..., 0], tuple(kept)


class Level(nn.Module):
    """One level of the TCN: two dilated convolutions side by side, a residual and a skip."""

    def __init__(self, config: BeatNetworkConfig, dilation: int) -> None:
        super().__init__()
        channels, kernel = config.channels, config.kernel
        self.surplus = (kernel - 1) * dilation  # frames that the shorter of both needs less
        self.padding = _Padding(2 * self.surplus, config.causal)
        self.near = nn.Conv1d(channels, channels, kernel, dilation=dilation)
        self.far = nn.Conv1d(channels, channels, kernel, dilation=2 * dilation)
        self.dropout = nn.Dropout1d(config.dropout)
        self.join = nn.Conv1d(2 * channels, channels, 1)
        self.residual = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, channels, T) -> the same for the next level, the skip, and the past."""
        padded, last = self.padding(x, past)
        before = self.surplus if self.padding.causal else self.surplus // 2
        near = self.near(padded[:, :, before : padded.shape[2] - (self.surplus - before)])
        both = self.dropout(F.elu(torch.cat((near, self.far(padded)), 1)))
        skip = self.join(both)
        return self.residual(x) + skip, skip, last


class BeatNetwork(Pretrained):
    """Beat and downbeat activations of music (Boeck & Davies, ISMIR 2020)."""

    model_type = "beat-tracker"
    Config = BeatNetworkConfig
    config: BeatNetworkConfig
    sizes: ClassVar = {
        "paper": BeatNetworkConfig(),
        "small": BeatNetworkConfig(front=(16, 24, 32), channels=80, levels=9),
        "small-live": BeatNetworkConfig(front=(16, 24, 32), channels=80, levels=9, causal=True, lookahead=3),
        "debug": BeatNetworkConfig(front=(4, 4, 4), channels=8, levels=5),
        "debug-live": BeatNetworkConfig(front=(4, 4, 4), channels=8, levels=5, causal=True, lookahead=3),
    }

    def __init__(self, config: BeatNetworkConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel81@50", "frame_rate": 50.0}
        self.front = FrontEnd(config)
        self.levels = nn.ModuleList(Level(config, 2**level) for level in range(config.levels))
        self.heads = nn.Conv1d(config.channels, 2 + len(PLACES), 1)
        # A frame in thirty is a beat, one in a hundred a downbeat: to begin with that saves the first hundred steps.
        with torch.no_grad():
            self.heads.bias[:2].copy_(torch.tensor([-3.4, -4.6]))  # type: ignore[index]

    def forward(self, mel: Tensor) -> Tensor:
        """(B, T, bands) at 50 frames a second -> logits (B, T, 2 + 21): beat, downbeat; each of `PLACES`, for beats.

        A causal network is given silence after the end.

        Raises
        ------
        UsageError
            If the mel has another shape.
        """
        lookahead = self.config.lookahead
        logits, _ = self._forward(F.pad(mel, (0, 0, 0, lookahead)), None)
        return logits[:, lookahead:]

    def stream(self, mel: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """Process the next frames of a stream.

        Parameters
        ----------
        mel : (B, n, bands), one frame or more.
        past : what the call before returned; None at the beginning.

        Returns
        -------
        logits : (B, n, 2 + 21); the k-th frame's are of the time `config.lookahead` frames before it.
        past : for the next call.

        Raises
        ------
        ModelError
            If the network is not causal.
        """
        if not self.config.causal:
            raise ModelError("this beat network needs the whole piece; only a causal one can follow a stream")
        return self._forward(mel, past)

    def _forward(self, mel: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        check_shape("mel", mel, "B", "T", self.config.bands)  # 82 bands would be taken as 81 are
        x, kept = self._fronted(mel, past)
        if self.training or self.config.causal or x.shape[2] <= _WINDOW * _BLOCK:
            logits, lasts = self._leveled(x, past)
            return logits, kept + lasts
        reach = (self.config.kernel - 1) * (2**self.config.levels - 1)  # of all levels
        return _in_parts(lambda part: self._leveled(part, None)[0], x, 2, _WINDOW * _BLOCK, reach), ()

    def _leveled(self, x: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """(B, channels, T) -> logits (B, T, 2 + 21)."""
        total, kept = torch.zeros_like(x), []
        for i, level in enumerate(self.levels):
            x, skip, last = level(x, past[3 + i] if past else None)
            total = total + skip
            kept.append(last)
        return self.heads(F.elu(total)).transpose(1, 2), tuple(kept)

    def _fronted(self, mel: Tensor, past: Past | None) -> tuple[Tensor, Past]:
        """Let the front end process long pieces block by block, for its layers are large."""
        if self.training or mel.shape[1] <= _WINDOW * _BLOCK:
            x: tuple[Tensor, Past] = self.front(mel, past)
            return x
        if self.config.causal:
            parts = []
            for block in torch.split(mel, _BLOCK, 1):
                part, past = self.front(block, past)
                parts.append(part)
            return torch.cat(parts, 2), past or ()
        return _in_parts(lambda part: self.front(part)[0], mel, 1, _BLOCK, len(self.front.layers)), ()


def _in_parts(layers: Callable[[Tensor], Tensor], x: Tensor, axis: int, length: int, reach: int) -> Tensor:
    """Apply layers that see `reach` frames to either side to `length` frames at a time.

    The frames of x lie on the axis 1 or 2, those of the result on the other.
    """
    count, whole = x.shape[axis], None
    for start in range(0, count, length):
        first, stop = max(0, start - reach), min(start + length, count)
        part = layers(x.narrow(axis, first, min(stop + reach, count) - first)).narrow(
            3 - axis, start - first, stop - start
        )
        if whole is None:
            whole = part.new_empty([count if dim == 3 - axis else size for dim, size in enumerate(part.shape)])
        whole.narrow(3 - axis, start, stop - start).copy_(part)
    return x if whole is None else whole


def shift_tolerant_loss(logits: Tensor, targets: Tensor, tolerance: int, weight: Tensor) -> Tensor:
    """Binary cross-entropy that forgives a beat that is predicted a few frames off.

    A beat counts by the highest logit within `tolerance` frames; frames up to twice as far from one count neither way.
    Source: Foscarin, Schlueter & Widmer, "Beat This! Accurate Beat Tracking Without DBN Postprocessing", ISMIR 2024.

    Parameters
    ----------
    logits, targets : (B, T, K); targets are 1 on the frame of a beat and 0 elsewhere.
    weight : (K,) of beats against other frames.
    """
    logits, targets = logits.float().transpose(1, 2), targets.transpose(1, 2)  # (B, K, T)
    highest = F.max_pool1d(logits, 2 * tolerance + 1, 1, tolerance)
    near = F.max_pool1d(targets, 4 * tolerance + 1, 1, 2 * tolerance)
    beats = F.softplus(-highest) * targets * weight[:, None]
    others = F.softplus(logits) * (1 - near)
    return (beats + others).mean()
