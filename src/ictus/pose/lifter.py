"""The lifter: a person's points in the plane, with the engine's rough metres, to the joints of the dancer in space.

    blaze-75 points, confidence, world (T, 33, ...) -> inputs (T, 33, 6) -> Lifter -> smpl-24 joints (T, 24, 3)

It sees half a second to each side of a frame. Dilated convolutions over time as in Pavllo et al., "3D human pose
estimation in video with temporal convolutions and semi-supervised training" (VideoPose3D), CVPR 2019; inputs, sizes and
what is beside the convolutions are our own.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.pose.person_track import Track
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray, Float32Array, Float64Array, FloatArray

RATE = 15.0  # frames a second of the network
POINTS = 33  # of blaze-75: the body
BODY, DANCER = get_skeleton("blaze-75"), get_skeleton("smpl-24")
POINT_MIRROR, JOINT_MIRROR = list(BODY.mirror[:POINTS]), list(DANCER.mirror)
_HIPS = [BODY.index("left_hip"), BODY.index("right_hip")]
_TRUNK = [*_HIPS, BODY.index("left_shoulder"), BODY.index("right_shoulder")]
_SAME = {  # a joint of the dancer, and the point that is nearest to it
    **{name: name for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")},
    **{"hand": "index", "toes": "foot_index", "inshoulder": "shoulder"},
}
_CALM = 0.25  # seconds, by which the scale of the picture is smoothed
_FEATURES = 6  # of a point: place in the plane, metres by the picture's scale; confidence; place in space


@dataclass(frozen=True)
class LifterConfig:
    """Sizes of the lifter.

    Attributes
    ----------
    channels : of each frame.
    levels : residual blocks; the dilation doubles with each.
    dropout : share of channels that are zeroed in training.
    """

    channels: int = 224
    levels: int = 3
    dropout: float = 0.05


class _Block(nn.Module):
    """A dilated convolution over three frames and one over the channels, with a residual."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.reach = dilation
        self.norm = nn.LayerNorm(channels)
        self.over_time = nn.Conv1d(channels, channels, 3, dilation=dilation)
        self.out = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C); beyond its ends a film stands still."""
        padded = F.pad(self.norm(x).transpose(1, 2), (self.reach, self.reach), mode="replicate")
        y = F.gelu(self.over_time(padded)).transpose(1, 2)
        return x + self.out(self.dropout(y))  # type: ignore[no-any-return]


class Lifter(Pretrained):
    """A person's points to the joints of the dancer in space, frame by frame."""

    model_type = "pose-lifter"
    Config = LifterConfig
    sizes: ClassVar = {"small": LifterConfig(), "debug": LifterConfig(16, 2)}

    def __init__(self, config: LifterConfig) -> None:
        super().__init__(config)
        self.config: LifterConfig = config
        channels = config.channels
        self.rough = nn.Linear(POINTS * 3, len(DANCER) * 3)  # the engine's metres as they are, to the dancer's joints
        self.first = nn.Linear(POINTS * _FEATURES, channels)
        self.blocks = nn.Sequential(*(_Block(channels, 2**k, config.dropout) for k in range(config.levels)))
        self.norm = nn.LayerNorm(channels)
        self.last = nn.Linear(channels, len(DANCER) * 3)
        self._begin()

    def _begin(self) -> None:
        """Begin with joints where the engine has the points of the same name."""
        for layer in (self.rough, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            weight = self.rough.weight.view(len(DANCER), 3, POINTS, 3)
            for side, of in (("l", "left"), ("r", "right")):
                for joint, point in _SAME.items():
                    weight[DANCER.index(side + joint), :, BODY.index(f"{of}_{point}")] = torch.eye(3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Lift.

        Parameters
        ----------
        inputs : (B, T, 33, 6) at 15 frames a second, as `lifter_inputs` makes them; any T.

        Returns
        -------
        (B, T, 24, 3) metres about the pelvis, along the camera's axes: x to the picture's right, y up in it.

        Raises
        ------
        UsageError
            If the inputs have another shape.
        """
        check_shape("inputs", inputs, "B", "T", POINTS, _FEATURES)
        rough = self.rough(inputs[..., 3:].flatten(2))
        fine = self.last(self.norm(self.blocks(self.first(inputs.flatten(2)))))
        joints: Tensor = (rough + fine).unflatten(2, (len(DANCER), 3))
        return joints - joints[:, :, :1]


def lifter_inputs(points: FloatArray, confidence: FloatArray, world: FloatArray, fps: float) -> Float32Array:
    """Return the network's inputs, (T, 33, 6), about the hips' middle and y up.

    Parameters
    ----------
    points, confidence, world : (T, 33 or more, 2) pixels, (T, ...) and (T, ..., 3) metres, of blaze-75.
    """
    points, world = points[:, :POINTS].astype(np.float64), world[:, :POINTS].astype(np.float64)
    scale = pixels_per_metre(points, world, fps)[:, None, None]
    plane = (points - points[:, _HIPS].mean(1, keepdims=True)) / scale * (1, -1)
    space = world - world[:, _HIPS].mean(1, keepdims=True)
    return np.concatenate((plane, confidence[:, :POINTS, None], space), -1).astype(np.float32)


def pixels_per_metre(points: FloatArray, world: FloatArray, fps: float) -> Float64Array:
    """Return how large a metre at the person is in the picture, (T,), by the trunk and smoothed over time.

    Parameters
    ----------
    points, world : (T, J, 2) pixels and (T, J, 3) metres, of blaze-75.
    """

    def spread(places: FloatArray) -> Float64Array:
        about = places[:, _TRUNK, :2] - places[:, _TRUNK, :2].mean(1, keepdims=True)
        return np.asarray(np.sqrt((about.astype(np.float64) ** 2).sum((1, 2))))

    scale = np.maximum(spread(points) / np.maximum(spread(world), 1e-3), 1e-3)
    return np.asarray(np.exp(gaussian_filter1d(np.log(scale), _CALM * fps, mode="nearest")))


def mirrored_inputs(inputs: AnyArray) -> AnyArray:
    """Exchange left and right of inputs (..., 33, 6)."""
    return np.asarray(inputs[..., POINT_MIRROR, :] * np.array([-1, 1, 1, -1, 1, 1], np.float32))


def mirrored_joints(joints: AnyArray) -> AnyArray:
    """Exchange left and right of joints (..., 24, 3)."""
    return np.asarray(joints[..., JOINT_MIRROR, :] * np.array([-1, 1, 1], np.float32))


def can_lift(track: Track) -> bool:
    """Return whether a track has what the lifter takes: the points of blaze-75, in metres as well."""
    return track.world is not None and track.skeleton == BODY


def lift(track: Track, network: Lifter | None = None) -> Float32Array:
    """Return where the joints of the dancer, smpl-24, are: (T, 24, 3) metres about the pelvis, at the track's rate.

    A film and its mirror image give mirror images.

    Parameters
    ----------
    network : by default the one that the package ships.

    Raises
    ------
    ModelError
        If the track is of another body, or has no metres.
    """
    if track.world is None or not can_lift(track):
        raise ModelError(
            f"only tracks of {BODY.name} with points in space can be lifted, and not {track.skeleton.name}"
        )
    network = network or _shipped()
    bounds = [0, *(round(cut * track.fps) for cut in track.cuts), len(track)]
    return np.concatenate([_lifted(track, slice(a, b), network) for a, b in pairwise(bounds) if b > a])


def _lifted(track: Track, scene: slice, network: Lifter) -> Float32Array:
    """Lift a scene: of a film at k times the network's rate, each k-th frame, k times."""
    assert track.world is not None
    whole = lifter_inputs(track.points[scene], track.confidence[scene], track.world[scene], track.fps)
    every = max(1, round(track.fps / RATE))
    joints = np.empty((len(whole), len(DANCER), 3), np.float32)
    for phase in range(min(every, len(whole))):
        inputs = whole[phase::every]
        both = torch.from_numpy(np.stack((inputs, mirrored_inputs(inputs))))
        with torch.inference_mode():
            straight, mirrored = network(both).numpy()
        joints[phase::every] = (straight + mirrored_joints(mirrored)) / 2
    return joints


@cache
def _shipped() -> Lifter:
    return Lifter.from_pretrained("lifter")
