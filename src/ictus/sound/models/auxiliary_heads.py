"""Hints: what is heard in a sound moment by moment, a pitch and whether a note begins, for a network to learn from.

They are taken from the mel itself, so that any corpus has them. Told from the movement of a moment alone, they teach a
soloist what movements mean, which the codes of the sound teach only slowly.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.sound import MEL_RATE
from ictus.sound.metrics import onset_times, pitches
from ictus.sound.metrics.pitch import HIGHEST, LOWEST, NONE
from ictus.sound.models.codebook import FACTOR

MOMENTS = 4  # of a column, 46 ms each
CLASSES = HIGHEST - LOWEST + 2  # pitches, and none
_FRAMES = FACTOR // MOMENTS


def auxiliary_targets(mel: Tensor) -> Tensor:
    """(80, T) in [-1, 1] -> (T / 4, 2) int16: the number of the pitch, 0 where there is none, and 1 for a beginning."""
    level = ((mel.T + 1) / 2).clamp(0, 1).float().cpu().numpy()
    heard = pitches(level)[_FRAMES // 2 :: _FRAMES]
    begins = np.zeros(len(heard), np.int16)
    begins[np.minimum((onset_times(level) * MEL_RATE / _FRAMES).astype(int), len(heard) - 1)] = 1
    numbers = np.where(heard == NONE, 0, heard - LOWEST + 1)
    return torch.from_numpy(np.stack((numbers, begins), 1).astype(np.int16))


class AuxiliaryHeads(nn.Module):
    """What is known of a column -> the hints of its moments."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, MOMENTS * (CLASSES + 1))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(B, columns, width) -> logits of pitches (B, moments, classes), and of beginnings (B, moments)."""
        told = self.layer(rows).float().view(len(rows), -1, CLASSES + 1)
        return told[..., :CLASSES], told[..., CLASSES]

    def loss(self, rows: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
        """Return cross-entropy of pitch and beginning together, nats a moment, and the share of pitches told right.

        heard : (B, moments, 2), from `auxiliary_targets`.
        """
        pitch, begins = self(rows)
        truth = heard[..., 0].long()
        loss = F.cross_entropy(pitch.flatten(0, 1), truth.flatten())
        loss = loss + F.binary_cross_entropy_with_logits(begins, heard[..., 1].float())
        voiced = truth > 0
        right = ((pitch.argmax(-1) == truth) & voiced).sum() / voiced.sum().clamp(min=1)
        return loss, right
