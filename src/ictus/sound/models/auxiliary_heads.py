"""Auxiliary heads: they predict, beside the codes, the pitch of each moment and whether a note begins.

Their targets are taken from the mel itself, so that any corpus has them. Predicting them from the movement of a moment
alone teaches a soloist what movements mean, which the codes of the sound teach only slowly.
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
    """(80, T) in [-1, 1] -> (T / 4, 2) int16: the class of the pitch, 0 where there is none, and 1 at an onset."""
    level = ((mel.T + 1) / 2).clamp(0, 1).float().cpu().numpy()
    pitch = pitches(level)[_FRAMES // 2 :: _FRAMES]
    onsets = np.zeros(len(pitch), np.int16)
    onsets[np.minimum((onset_times(level) * MEL_RATE / _FRAMES).astype(int), len(pitch) - 1)] = 1
    classes = np.where(pitch == NONE, 0, pitch - LOWEST + 1)
    return torch.from_numpy(np.stack((classes, onsets), 1).astype(np.int16))


class AuxiliaryHeads(nn.Module):
    """The projected condition of a column -> pitches and onsets of its moments."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, MOMENTS * (CLASSES + 1))

    def forward(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """(B, columns, width) -> logits of pitches (B, moments, classes), and of onsets (B, moments)."""
        logits = self.layer(condition).float().view(len(condition), -1, CLASSES + 1)
        return logits[..., :CLASSES], logits[..., CLASSES]

    def loss(self, condition: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return cross-entropy of pitch and onset together, nats a moment, and the accuracy of the pitches.

        targets : (B, moments, 2), from `auxiliary_targets`.
        """
        pitch, onset = self(condition)
        target = targets[..., 0].long()
        loss = F.cross_entropy(pitch.flatten(0, 1), target.flatten())
        loss = loss + F.binary_cross_entropy_with_logits(onset, targets[..., 1].float())
        voiced = target > 0
        accuracy = ((pitch.argmax(-1) == target) & voiced).sum() / voiced.sum().clamp(min=1)
        return loss, accuracy
