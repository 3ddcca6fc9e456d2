"""A frame of dance as FACT takes it: where the pelvis is, and how each of SMPL's 24 joints is rotated.

    219 numbers: translation in metres (3) | rotation matrices, row by row (24 x 9)
    225 numbers: six zeros | the same, as the authors' code has it

Source: Li, Yang, Ross & Kanazawa, "AI Choreographer: Music Conditioned 3D Dance Generation with AIST++", ICCV 2021.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

RATE = 60  # frames a second
JOINTS = 24
FRAME = 3 + 9 * JOINTS
PADDED = 6 + FRAME


def padded(frames: Tensor, pose: int) -> Tensor:
    """(..., 219) -> (..., pose), with zeros in front if it is 225."""
    return F.pad(frames, (pose - FRAME, 0))


def unpadded(frames: Tensor) -> Tensor:
    """(..., 219 or 225) -> (..., 219)."""
    return frames[..., -FRAME:]


def rest(height: float = 0.92) -> Tensor:
    """Return (219,): standing in the body's rest pose with the pelvis at this height, metres."""
    return torch.cat((torch.tensor([0.0, height, 0.0]), torch.eye(3).flatten().repeat(JOINTS)))


def floor_place(frames: Tensor) -> Tensor:
    """(..., 219 or 225) -> the same with zeros but for x and z of the translation: where on the floor the dancer is."""
    place = torch.zeros_like(frames)
    for axis in (-FRAME, 2 - FRAME):
        place[..., axis] = frames[..., axis]
    return place


def orthonormalised(frames: Tensor) -> Tensor:
    """(..., 219 or 225) -> the same with each matrix replaced by the rotation that is nearest to it."""
    rotations = frames[..., -9 * JOINTS :].reshape(*frames.shape[:-1], JOINTS, 3, 3)
    left, _, right = torch.linalg.svd(rotations.float())
    handedness = torch.linalg.det(left @ right)  # -1 where the nearest orthogonal matrix is a reflection
    left = torch.cat((left[..., :2], left[..., 2:] * handedness[..., None, None]), -1)
    return torch.cat((frames[..., : -9 * JOINTS], (left @ right).flatten(-3).to(frames.dtype)), -1)
