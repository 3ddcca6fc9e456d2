"""The keypoint encoder: 64 numbers for every moment of a player's movement, learnt by classifying the instrument.

An ST-GCN looks at windows of 15 frames around each moment; what it finds is averaged over time and joints. Source: the
keypoint features of harukana1435/Senior-Project, after Yan, Xiong & Lin, AAAI 2018, with distance partitioning.

Ours has residual units, a window of 15 different frames, and normalises each window, so that it depends neither on the
camera nor on its resolution. The published one has the project's sizes, its window, in which the middle frame stands
three times, and pixels for input; but the true skeleton, for of the 45 bones in the project's own graph 16 are none,
and no weights of it exist.
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ictus.errors import ModelError, UsageError
from ictus.nn.pretrained import Pretrained
from ictus.nn.st_gcn import PartitionedBlock, hop_partitions
from ictus.sound.pose_normalization import ARMS, BODY, LEFT_SHOULDER, RATE, RIGHT_SHOULDER, SIDEWAYS

_BATCH = 512  # windows that are computed together outside training: about 0.3 GB
_MIDDLE = 3  # times that the middle frame stands in a published window


@dataclass(frozen=True)
class KeypointEncoderConfig:
    """Sizes.

    Attributes
    ----------
    variant : "ours" or "published", which see above.
    channels : of each ST-GCN unit; the last one's are the features. Where they grow, time is halved.
    kernel : frames that of a temporal convolution; odd.
    hops : joints within so many bones are neighbours.
    dropout : within each unit.
    window : frames around each moment; odd.
    hop : frames from one moment to the next.
    classes : instruments to tell apart.
    """

    variant: Literal["ours", "published"] = "ours"
    channels: tuple[int, ...] = (32, 32, 32, 64, 64, 64)
    kernel: int = 9
    hops: int = 2
    dropout: float = 0.5
    window: int = 15
    hop: int = 2
    classes: int = 6

    def __post_init__(self) -> None:
        for name in ("kernel", "window"):
            if getattr(self, name) % 2 == 0:
                raise ModelError(f"{name} is {getattr(self, name)}; it must be odd, to have a middle")
        if self.variant == "published" and self.window < _MIDDLE:
            raise ModelError(f"window is {self.window}; a published one holds its middle frame {_MIDDLE} times")
        if self.hop < 1 or not self.channels:
            raise ModelError("hop must be 1 or more, and there must be a unit with channels")


class KeypointEncoder(Pretrained):
    """Features of a player's movement, and the instrument that it looks like (218,130 parameters as published)."""

    model_type = "keypoint-encoder"
    Config = KeypointEncoderConfig
    config: KeypointEncoderConfig
    sizes: ClassVar = {
        "paper": KeypointEncoderConfig("published", hop=1),
        "small": KeypointEncoderConfig(),
        "debug": KeypointEncoderConfig(channels=(4, 4, 8), dropout=0.1),
    }

    graphs: Tensor
    offsets: Tensor

    def __init__(self, config: KeypointEncoderConfig) -> None:
        super().__init__(config)
        self.metadata = {"skeleton": BODY.name, "fps": RATE, "frame_rate": RATE / config.hop, "features": self.features}
        graphs = hop_partitions(BODY.bones, len(BODY), config.hops)
        self.register_buffer("graphs", graphs, persistent=False)
        self.register_buffer("offsets", _offsets(config), persistent=False)
        self.norm = nn.BatchNorm1d(3 * len(BODY))
        inputs = (3, *config.channels[:-1])
        self.units = nn.ModuleList(
            PartitionedBlock(
                *(before, after, len(BODY), config.kernel, len(graphs)),
                stride=2 if i and after > before else 1,
                dropout=config.dropout,
                residual=config.variant == "ours" and i > 0,
            )
            for i, (before, after) in enumerate(zip(inputs, config.channels, strict=True))
        )
        self.head = nn.Conv1d(self.features, config.classes, 1)

    @property
    def features(self) -> int:
        """Numbers of a moment."""
        return self.config.channels[-1]

    @property
    def frame_rate(self) -> float:
        """Features a second; number k belongs to the moment k / frame_rate."""
        return RATE / self.config.hop

    @property
    def reach(self) -> int:
        """Frames before and after a moment that belong to its window."""
        return int(self.offsets.max())

    def forward(self, keypoints: Tensor, padded: bool = True) -> Tensor:
        """Compute the features of keypoints.

        Parameters
        ----------
        keypoints : (B, T, 47, 3) x, y (any unit; published: pixels) and confidence, at 25 frames a second, without
            gaps (`ictus.sound.pose_normalization.fill_gaps`).
        padded : whether there are features for every moment from frame 0 on, n = T / hop rounded up; the windows at the
            edges then repeat a frame. Otherwise only those whose windows lie whole within the film: from frame `reach`
            on, n = (T - 2 reach) / hop rounded up.

        Returns
        -------
        (B, n, features).

        Raises
        ------
        UsageError
            If the shape is another, or the film is shorter than a window and not padded.
        """
        if keypoints.dim() != 4 or keypoints.shape[2:] != (len(BODY), 3) or not keypoints.shape[1]:
            raise UsageError(f"keypoints have shape {tuple(keypoints.shape)}; they must be (B, T, {len(BODY)}, 3)")
        frames = keypoints.shape[1]
        if not padded and frames <= 2 * self.reach:
            raise UsageError(f"{frames} frames; a window has {2 * self.reach + 1}")
        windows = keypoints[:, self._frames(frames, padded)].flatten(0, 1)  # (B * n, window, 47, 3)
        parts = [windows] if self.training else torch.split(windows, _BATCH)
        found = torch.cat([self._encode(part) for part in parts])  # (B * n, features)
        return found.view(len(keypoints), -1, self.features)

    def classify(self, keypoints: Tensor, padded: bool = True) -> Tensor:
        """(B, T, 47, 3) -> logits (B, n, classes); as `forward`."""
        features = self(keypoints, padded)
        logits: Tensor = self.head(features.transpose(1, 2))
        return logits.transpose(1, 2)

    def _encode(self, windows: Tensor) -> Tensor:
        """(N, window, 47, 3) -> (N, features)."""
        count, frames, joints, _ = windows.shape
        if self.config.variant == "ours":  # window by window: features then depend on nothing but their window
            windows = normalised_points(windows)
        x: Tensor = self.norm(windows.flatten(2).transpose(1, 2))  # (N, 47 * 3, window)
        x = x.view(count, joints, 3, frames).permute(0, 2, 3, 1)  # (N, 3, window, 47)
        for unit in self.units:
            x = unit(x, self.graphs)  # (N, C, T, 47)
        return x.mean((2, 3))

    def _frames(self, frames: int, padded: bool) -> Tensor:
        """Return the frames of each window, (n, window)."""
        first, last = (0, frames) if padded else (self.reach, frames - self.reach)
        middle = torch.arange(first, last, self.config.hop, device=self.offsets.device)[:, None]
        numbers = middle + self.offsets
        if self.config.variant == "published":  # what is outside shows the middle frame
            return torch.where((numbers < 0) | (numbers >= frames), middle, numbers)
        return numbers.clamp(0, frames - 1)


def _offsets(config: KeypointEncoderConfig) -> Tensor:
    """Return the frames of a window relative to its moment, (window,)."""
    if config.variant == "ours":
        return torch.arange(config.window) - config.window // 2
    around = (config.window - _MIDDLE) // 2
    before = torch.arange(-around, 0)
    return torch.cat((before, torch.zeros(_MIDDLE, dtype=torch.long), -before.flip(0)))


def normalised_points(keypoints: Tensor) -> Tensor:
    """Put each player in the middle, a shoulder width being 1; what is normalised already stays as it is.

    The middle is that of the shoulders, the median over all frames in which both are seen, so that swaying is kept and
    the place in the picture is not. So is the width; but seen from the side it counts as half an arm at least.
    Points with a confidence of 0 lie in the middle. Where the shoulders are never seen together, all do.

    Parameters
    ----------
    keypoints : (B, T, 47, 3) x, y, confidence; in any unit.

    Returns
    -------
    (B, T, 47, 3) x, y in shoulder widths, and the confidence as it was.
    """
    keypoints = keypoints.float()
    places, sure = keypoints[..., :2], keypoints[..., 2:]
    seen = sure > 0
    shoulders = [keypoints[:, :, joint] for joint in (RIGHT_SHOULDER, LEFT_SHOULDER)]
    both = (shoulders[0][..., 2:] > 0) & (shoulders[1][..., 2:] > 0)  # (B, T, 1)
    middle = _median(torch.where(both, (shoulders[0] + shoulders[1])[..., :2] / 2, torch.nan))  # (B, 2)
    scale = shoulder_widths(keypoints)[:, None, None, None]
    there = seen & both.any(1)[:, None, None]  # (B, T, 47, 1)
    return torch.cat((torch.where(there, (places - middle[:, None, None]) / scale, 0), sure), -1)


def shoulder_widths(keypoints: Tensor) -> Tensor:
    """(B, T, 47, 3) x, y, confidence -> (B,): shoulder widths, or half an arm if that is more; 1 if unseen."""
    arms = [torch.stack([_length(keypoints, a, b) for a, b in itertools.pairwise(arm)]).sum(0) for arm in ARMS]
    lengths = torch.stack([_length(keypoints, RIGHT_SHOULDER, LEFT_SHOULDER), *(SIDEWAYS * arm for arm in arms)])
    widths = lengths.amax(0)
    return torch.where(widths > 0, widths, 1)


def _length(keypoints: Tensor, one: int, other: int) -> Tensor:
    """Return the median distance of two joints over the frames in which both are seen, (B,); 0 if there are none."""
    a, b = keypoints[:, :, one], keypoints[:, :, other]
    apart = torch.linalg.vector_norm((a - b)[..., :2], dim=-1)  # (B, T)
    both = (a[..., 2] > 0) & (b[..., 2] > 0)
    return _median(torch.where(both, apart, torch.nan))


def _median(values: Tensor) -> Tensor:
    """Return the median along the second axis, without NaN; 0 where there is nothing else."""
    return values.nanquantile(0.5, 1).nan_to_num(0)
