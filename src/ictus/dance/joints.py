"""A frame of dance as places of joints, which networks predict that know no rotations; and slower frame rates.

    72 numbers: where the pelvis is (3) | the other 23 joints of smpl-24, from the pelvis (23 x 3); metres, y up

Source: the order is our own; AI Choreographer (Li et al., ICCV 2021) has the places of 24 joints predicted by the
networks that it compares FACT with.
"""

import numpy as np
import torch
from torch import Tensor

from ictus.dance.data.dataset import motion_of
from ictus.dance.frames import JOINTS, RATE
from ictus.dance.models.fact import HITS
from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array

POINTS = 3 * JOINTS
ROOT, BODY = slice(0, 3), slice(3, POINTS)  # what is normalised together


def points_of(frames: Float32Array) -> Float32Array:
    """AIST's frames (T, 219) -> (T, 72)."""
    places = motion_of(frames).positions.copy()  # (T, 24, 3)
    places[:, 1:] -= places[:, :1]
    return places.reshape(len(places), -1)


def points_on_stage(frames: Float32Array) -> Float32Array:
    """As `points_of`, moved along the floor so that the dance begins in the middle of the stage."""
    points = points_of(frames)
    points[:, [0, 2]] -= points[0, [0, 2]]
    return points


def motion_of_points(points: Float32Array, fps: float) -> Motion:
    """(T, 72) -> places of smpl-24's joints, without rotations, at the same frame rate."""
    places = points.reshape(len(points), JOINTS, 3).copy()
    places[:, 1:] += places[:, :1]
    return Motion(places, fps, get_skeleton("smpl-24"))


def frames_in_one(rate: int) -> int:
    """Return how many frames at 60 a second one at `rate` stands for; UsageError if that is no whole number."""
    if rate < 1 or RATE % rate:
        raise UsageError(f"rate is {rate}; it must divide {RATE} frames a second")
    return RATE // rate


def slower(audio: Float32Array, frames: int) -> Float32Array:
    """Join every so many frames of rhythm35, (T, 35) -> (T / frames, 35), rounded up: means; onsets and beats stay."""
    padded = np.concatenate([audio, np.repeat(audio[-1:], -len(audio) % frames, 0)])
    joined = padded.reshape(-1, frames, padded.shape[1])  # (T / frames, frames, 35)
    mean: Float32Array = joined.mean(1)
    mean[:, HITS] = joined[..., HITS].max(1)
    return mean


def floor_of(points: Tensor) -> Tensor:
    """(..., 72) -> the same with zeros but for x and z of the pelvis: where on the floor the dancer is."""
    place = torch.zeros_like(points)
    place[..., [0, 2]] = points[..., [0, 2]]
    return place
