"""Train the lifter on dances of known truth as the engine has seen them: mean distance of joints, and of their speeds.

The corpus is what scripts/lifter_views.py makes. Bodies of other proportions and errors beyond the engine's are added
here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from ictus.arrays import archive
from ictus.errors import UsageError
from ictus.pose.lifter import (
    BODY,
    DANCER,
    Lifter,
    lifter_inputs,
    mirrored_inputs,
    mirrored_joints,
)
from ictus.task import Batch, Batches, Loss, NetworkTask
from ictus.types import AnyArray, Float32Array

_WINDOW = 32  # frames
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
MEASURED = [DANCER.index(f"{side}{part}") for part in PARTS for side in "lr"]  # joints by which a body is measured
FOUND = [BODY.index(f"{side}_{part}") for part in PARTS for side in ("left", "right")]  # the engine's of that name
_HIPS = [MEASURED.index(DANCER.index(f"{side}hip")) for side in "lr"]
_LIMBS = [  # what hangs on which point
    *(
        (f"{side}_shoulder", [f"{side}_{one}" for one in ("elbow", "wrist", "pinky", "index", "thumb")])
        for side in ("left", "right")
    ),
    *(
        (f"{side}_hip", [f"{side}_{one}" for one in ("knee", "ankle", "heel", "foot_index")])
        for side in ("left", "right")
    ),
]


@dataclass(frozen=True)
class LifterTaskConfig:
    """How the lifter is trained.

    Attributes
    ----------
    size : of the network.
    lr : AdamW's learning rate.
    speed : weight of the joints' change from frame to frame, beside that of their places.
    draws : windows of 32 frames in an epoch.
    noise : metres, of the errors that are added to those of the engine.
    roll : radians, by which a picture is turned at most.
    proportions : share by which limbs, and the whole body, are made longer or shorter at most.
    """

    size: Literal["small", "debug"] = "small"
    lr: float = 1e-3
    speed: float = 0.5
    draws: int = 2048
    noise: float = 0.01
    roll: float = 0.15
    proportions: float = 0.1

    def __post_init__(self) -> None:
        if min(self.lr, self.speed, self.noise, self.roll, self.proportions) < 0 or self.draws < 1:
            raise UsageError("lr, speed, noise, roll and proportions must be 0 or more, and draws 1 or more")


class Views:
    """Windows of views: {"inputs": (32, 33, 6), "joints": (32, 24, 3)}; of validation, one after another."""

    def __init__(self, folder: Path, config: LifterTaskConfig | None) -> None:
        self.config = config
        self.views = [view for file in sorted(folder.glob("*.npz")) if len((view := _read(file))[0]) >= _WINDOW]
        if not self.views:
            raise UsageError(f"{folder}: holds no views; scripts/lifter_views.py makes them")
        self.windows = [
            (k, t) for k, (one, _) in enumerate(self.views) for t in range(0, len(one) - _WINDOW + 1, _WINDOW)
        ]
        lengths = np.array([len(one) for one, _ in self.views], np.float64)
        self.shares = lengths / lengths.sum()

    def __len__(self) -> int:
        return self.config.draws if self.config else len(self.windows)

    def __getitem__(self, index: int) -> Mapping[str, AnyArray]:
        """Return a window: by chance, and changed; or of validation the `index`-th."""
        if self.config is None:
            number, first = self.windows[index]
            inputs, joints = (part[first : first + _WINDOW] for part in self.views[number])
            return {"inputs": inputs, "joints": joints}
        random = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002  # seeded by the loop
        inputs, joints = self.views[random.choice(len(self.views), p=self.shares)]
        first = int(random.integers(len(inputs) - _WINDOW + 1))
        rows = slice(first, first + _WINDOW)
        return changed(inputs[rows].copy(), joints[rows], self.config, random)


def changed(
    inputs: Float32Array, joints: Float32Array, config: LifterTaskConfig, random: np.random.Generator
) -> Mapping[str, AnyArray]:
    """Return a window as it might have been: mirrored, rolled, of another body, and seen less well."""
    if random.random() < 0.5:
        inputs, joints = mirrored_inputs(inputs), mirrored_joints(joints)
    angle = random.uniform(-config.roll, config.roll)
    cosine, sine = np.cos(angle), np.sin(angle)
    roll = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], np.float32)
    plane, confidence, space = inputs[..., :2] @ roll[:2, :2], inputs[..., 2:3], inputs[..., 3:] @ roll
    both = np.concatenate((plane, space), -1)
    for root, limb in _LIMBS:
        start, ends = BODY.index(root), [BODY.index(name) for name in limb]
        factor = 1 + random.uniform(-config.proportions, config.proportions)
        both[:, ends] = both[:, start, None] + factor * (both[:, ends] - both[:, start, None])
        if random.random() < 0.05:  # the limb is hidden, for all of the window or a part
            hidden = slice(int(random.integers(_WINDOW)), _WINDOW) if random.random() < 0.5 else slice(None)
            lost = np.zeros_like(both[hidden, ends]) + 0.1 * random.standard_normal((1, len(ends), 5))
            both[hidden, ends] += lost.astype(np.float32)
            confidence[hidden, ends] *= random.uniform(0, 0.3)
    both = both * (1 + random.uniform(-config.proportions, config.proportions))
    apart = np.subtract.outer(np.arange(len(both)), np.arange(len(both))) / random.uniform(0.5, 4)  # errors last
    errors = np.tensordot(np.exp(-(apart**2) / 2), random.standard_normal(both.shape), 1)
    both = both + config.noise * errors / max(float(errors.std()), 1e-6)
    changed_inputs = np.concatenate((both[..., :2], confidence, both[..., 2:]), -1)
    return {"inputs": changed_inputs.astype(np.float32), "joints": (joints @ roll).astype(np.float32)}


class LifterTask(NetworkTask[LifterTaskConfig, Lifter, Views]):
    """The lifter in training, validated on dances, dancers and music that it does not train on."""

    Config = LifterTaskConfig
    metadata: ClassVar = {"art": "pose", "skeleton": "smpl-24", "fps": 15}
    monitor: tuple[str, Literal["min", "max"]] = ("cm", "min")

    def __init__(self, config: LifterTaskConfig, data: Path) -> None:
        self.config = config
        self.samples, self.validation = Views(data / "train", config), Views(data / "val", None)
        self.network = Lifter.from_config(config.size)
        self.mean = torch.from_numpy(np.concatenate([joints for _, joints in self.samples.views]).mean(0))

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW."""
        return {"network": AdamW(self.network.parameters(), self.config.lr, weight_decay=0.01)}

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Mean distances of joints, and of their change from frame to frame; metres."""
        away = self.network(batch["inputs"]) - batch["joints"]
        place, speed = away.norm(dim=-1).mean(), away.diff(dim=1).norm(dim=-1).mean()
        yield "network", place + self.config.speed * speed, {"place": place.detach(), "speed": speed.detach()}

    def validate(self, batches: Batches) -> dict[str, float]:
        """Mean distance of the measured joints, centimetres: the lifter's, the engine's, and the mean pose's."""
        rows: list[tuple[float, float, float]] = []
        for batch in batches(self.validation):
            target = measured(batch["joints"])
            lifted, rough = measured(self.network(batch["inputs"])), centred(batch["inputs"][..., FOUND, 3:])
            mean = measured(self.mean.to(target)).expand_as(target)
            distances = [100 * (one - target).norm(dim=-1).mean((1, 2)) for one in (lifted, rough, mean)]
            rows += zip(*(one.tolist() for one in distances), strict=True)
        return dict(zip(("cm", "world_cm", "mean_pose_cm"), np.mean(rows, 0).tolist(), strict=True))


def measured(joints: Tensor) -> Tensor:
    """(..., 24, 3) -> (..., 12, 3): the joints by which a body is measured, about the hips' middle."""
    return centred(joints[..., MEASURED, :])


def centred(joints: Tensor) -> Tensor:
    """(..., 12, 3) -> the same about the hips' middle."""
    return joints - joints[..., _HIPS, :].mean(-2, keepdim=True)


def _read(file: Path) -> tuple[Float32Array, Float32Array]:
    with archive(file, UsageError) as held:
        points, confidence, world, joints = (held.numbers(key) for key in ("points", "confidence", "world", "joints"))
        inputs = lifter_inputs(points, confidence, world, float(held.numbers("fps")))
    return inputs, joints.astype(np.float32)
