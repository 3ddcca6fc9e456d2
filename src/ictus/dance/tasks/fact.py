"""Train FACT: the mean squared error of the predicted frames.

Source: Li et al., ICCV 2021, section 4, and the authors' code: windows of 120 frames of motion and 240 of audio from a
random frame of each dance, Adam 1e-4 (epsilon 1e-7), the rate falling to a tenth twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from ictus.dance.data.aist import GENRES
from ictus.dance.data.dataset import AIST, Layout, PreparedDance, RandomWindows, Windows
from ictus.dance.frames import FRAME, floor_place, orthonormalised, padded, rest, unpadded
from ictus.dance.models.fact import (
    AUDIO,
    AUDIO_WINDOW,
    BEATS,
    FACT,
    MOTION_WINDOW,
    Ablation,
    FACTConfig,
    Stream,
    extend_audio,
)
from ictus.dance.standing import StandingRange
from ictus.errors import UsageError
from ictus.task import Batch, Batches, Loss, NetworkTask
from ictus.types import Float32Array

ROLLOUT = 60  # frames that validation lets the network dance on by itself
_QUARTER = 8  # frames: a quarter of a beat at 112 a minute
_OFFSET = 0.5  # beats by which a dancer is off the music at most: farther off, it would be nearer to another one
_PERIOD = 36.0  # frames from beat to beat where the music has none
_CATCH_UP = 0.5  # frames by which it finds back in a frame: it hurries, or waits
_SURE = 1000  # steps of training before it goes on from its own frames, which are no dance at first
_STRIDE, _STRIDES = 10, 3  # frames of its own that the network goes on by, and how often
_SLOWEST_WAVE = 1000.0  # frames over 2 pi of the slowest of the sinusoids in place of positions
_LEAST_DEVIATION = 0.03  # of a component of the motion that hardly changes
_EVERY = 5  # frames of a dance, of which one is enough to know how poses vary
_PLACES = 0.3  # metres, about which places on the floor differ within two seconds


@dataclass(frozen=True)
class FACTTaskConfig:
    """How FACT learns.

    Attributes
    ----------
    size, pose : of the network; 225 numbers a frame as in the authors' code, 219 as in the paper.
    ablation : a row of the paper's tables of ablations, or none.
    lr : Adam's learning rate.
    draws : windows of each dance in an epoch.
    rest : share of the windows that begin up to two seconds before the dance and its music, with the dancer standing
        in its first pose: how a dance begins without a seed.
    relative : whether places on the floor are predicted relative to the last frame of the input.
    starts : how many first poses of each genre the network keeps, to begin a dance without a seed from; 0: it begins in
        the body's rest pose. The names of the dances state the genre, as AIST++'s do: gBR_...
    scaled : whether training begins from features of the music of mean 0 and deviation 1, from whitened motion, from
        sinusoidal positions as large as these, and from standing still. As published, the motion's constant part
        is much larger than what changes, and positions are so small that no token finds the last frame for long.
    velocity : weight of the squared error of what changes from frame to frame, beside that of the frames.
    noise : standard deviation of what is added to the network's input motion, so that it learns to go on from
        frames that are slightly wrong, as its own are.
    aligned, phase, recent : of the network; see `FACTConfig`.
    misaligned : share of the windows whose seen motion is ahead of the music or behind it, and whose target waits or
        catches up (see `MisalignedWindows`). Where motion and music always agree, two seconds of motion are enough to
        predict the next frames, and the network learns to ignore the music.
    rollouts : share of the batches in which the network first goes on from its own frames, for up to half a second,
        and then has to predict the true ones: it learns to mend what it does wrong, and to be back on the beat.
        Published: none of the last eleven.
    """

    size: Literal["paper", "small", "debug"] = "paper"
    pose: Literal[219, 225] = 225
    ablation: Ablation | None = None
    lr: float = 1e-4
    draws: int = 1
    rest: float = 0.0
    relative: bool = False
    starts: int = 0
    scaled: bool = False
    velocity: float = 0.0
    noise: float = 0.0
    aligned: bool = False
    phase: bool = False
    recent: bool = False
    misaligned: float = 0.0
    rollouts: float = 0.0
    train: str = "train"
    val: str = "val"

    def __post_init__(self) -> None:
        shares = {"rest": self.rest, "misaligned": self.misaligned, "rollouts": self.rollouts}
        for name, share in shares.items():
            if not 0 <= share <= 1 or self.rest == 1:
                raise UsageError(f"{name} is {share:g}; it is a share, from 0 to 1, and not all may rest")
        if self.noise < 0:
            raise UsageError(f"noise is {self.noise:g}; it must be 0 or more")


class MisalignedWindows(RandomWindows):
    """As `RandomWindows`, but some begin before the dance, and in some the dancer is off the beat and finds back.

    Of all, a share `rest` begins up to two seconds early: the dancer stands still until the music begins. In a share
    `misaligned` of the others the dancer is up to half a beat ahead of the music or behind it, notices that in the last
    third of a second before the predicted frames, and finds back by `_CATCH_UP` of a frame each frame. So what has to
    be predicted follows from motion and music, and not from one of them.
    """

    def __init__(
        self, root: Path, split: str, layout: Layout, *, frames: int, draws: int, rest: float, misaligned: float
    ) -> None:
        super().__init__(root, split, layout, frames=frames, draws=draws)
        self.rest, self.misaligned = rest, misaligned

    def cut(self, dance: PreparedDance, at: int) -> dict[str, Float32Array | str]:
        """Read the window of a dance that begins at a frame, or, by chance, another one."""
        if np.random.random() < self.rest:  # noqa: NPY002  # the loop seeds it, per sample
            return self._cut_before(dance, int(np.random.randint(1, MOTION_WINDOW + 1)))  # noqa: NPY002
        window = super().cut(dance, at)
        if np.random.random() < self.misaligned:  # noqa: NPY002
            assert not isinstance(window["audio"], str)
            offset = np.random.uniform(-_OFFSET, _OFFSET) * _beat_period(window["audio"])  # noqa: NPY002
            noticed = int(np.random.randint(21))  # noqa: NPY002
            window["motion"] = self._read_misaligned(dance, at, offset, MOTION_WINDOW - noticed)
        return window

    def _cut_before(self, dance: PreparedDance, early: int) -> dict[str, Float32Array | str]:
        motion, audio = (dance.read(kind, 0, self.frames - early) for kind in ("motion", "audio"))
        return {
            "motion": np.concatenate([np.repeat(motion[:1], early, 0), motion]),
            "audio": extend_audio(torch.from_numpy(audio)[None], early, 0)[0].numpy(),
            "name": f"{dance.name}@{-early}",
        }

    def _read_misaligned(self, dance: PreparedDance, at: int, offset: float, noticed: int) -> Float32Array:
        """Return the motion (frames, 219) that is off by `offset` frames until the frame in which that is noticed."""
        since = np.maximum(np.arange(self.frames) - noticed + 1, 0)
        left = np.maximum(abs(offset) - _CATCH_UP * since, 0.0) * np.sign(offset)
        time = at + np.arange(self.frames) + left
        first, last = max(0, int(time.min())), min(dance.frames - 1, int(time.max()) + 1)
        motion = dance.read("motion", first, last - first + 1)
        inside = np.clip(time - first, 0, last - first)
        before = np.minimum(inside.astype(np.int64), last - first - 1)
        share = (inside - before)[:, None].astype(np.float32)
        # Frames are so close at 60 fps that matrices halfway between two are rotations to within a thousandth.
        mixed: Float32Array = motion[before] * (1 - share) + motion[before + 1] * share
        return mixed


def _beat_period(audio: Float32Array) -> float:
    """(T, 35) -> frames from beat to beat, the mean."""
    beats = np.flatnonzero(audio[:, BEATS])
    return float(np.diff(beats).mean()) if len(beats) > 1 else _PERIOD


class FACTTask(NetworkTask[FACTTaskConfig, FACT, MisalignedWindows]):
    """FACT in training."""

    Config = FACTTaskConfig
    metadata: ClassVar = {"art": "dance"}
    monitor: tuple[str, Literal["min", "max"]] = ("l2", "min")

    def __init__(self, config: FACTTaskConfig, data: Path) -> None:
        self.config = config
        self.samples = MisalignedWindows(
            data, config.train, AIST,
            frames=AUDIO_WINDOW + (_STRIDE * _STRIDES if config.rollouts else 0),
            draws=config.draws, rest=config.rest, misaligned=config.misaligned,
        )  # fmt: skip
        frames = AUDIO_WINDOW + ROLLOUT
        self.validation = Windows(data, config.val, AIST, frames=frames, hop=frames)
        starts = _starts(self.samples, config.starts)
        self.network = FACT(
            replace(
                _sizes(config),
                relative=config.relative,
                aligned=config.aligned,
                phase=config.phase,
                recent=config.recent,
                starts=tuple(genre for genre, _ in starts),
                standing=StandingRange.of(dance.read("motion") for dance in self.samples.dances),
            )
        )
        if starts:
            self.network.start.copy_(torch.stack([frame for _, frame in starts]))
        else:
            self.network.start.copy_(rest(_height(self.samples)))
        if config.scaled:
            shift, scale = _audio_scale(self.samples)
            self.network.audio_shift.copy_(shift)
            self.network.audio_scale.copy_(scale)
            _begin_scaled(self.network, self.samples)

    def optimizers(self) -> dict[str, Optimizer]:
        """Adam, with Keras's epsilon."""
        return {"network": Adam(self.network.parameters(), self.config.lr, eps=1e-7)}

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[Loss]:
        """Mean squared error of the predicted frames."""
        motion, audio = batch["motion"], batch["audio"]
        inputs = motion[:, :MOTION_WINDOW]
        if self.config.noise:
            inputs = inputs + self.config.noise * torch.randn_like(inputs)
        start = 0
        if step >= _SURE and torch.rand(()) < self.config.rollouts:
            start = _STRIDE * int(torch.randint(1, _STRIDES + 1, ()))
            inputs = self._go_on(inputs, audio, start)
        predicted, target = self._predict(inputs, motion[:, start:], audio[:, start : start + AUDIO_WINDOW])
        l2 = loss = F.mse_loss(predicted, target)
        if self.config.velocity:
            loss = l2 + self.config.velocity * F.mse_loss(predicted.diff(dim=1), target.diff(dim=1))
        yield "network", loss, {"l2": l2.detach()}

    @torch.no_grad()
    def _go_on(self, inputs: Tensor, audio: Tensor, frames: int) -> Tensor:
        """Return the (B, 120, 219) frames that the network sees after it has gone on by so many of its own."""
        for at in range(0, frames, _STRIDE):
            predicted = self.network(padded(inputs, self.config.pose), audio[:, at : at + AUDIO_WINDOW])
            with torch.autocast(inputs.device.type, enabled=False):  # rotations, or what goes astray grows and grows
                danced = orthonormalised(unpadded(predicted[:, :_STRIDE]).float())
            inputs = torch.cat((inputs[:, _STRIDE:], danced.to(inputs)), 1)
        return inputs

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return L2 of the prediction; of a second that is generated; and, to compare, of controls.

        `l2/other_music` is with the music of another window, `l2/quarter_off` with its own a quarter of a beat later:
        no larger than `l2` if the network does not hear. `l2/still` is of standing still in place of the second.
        """
        sums: dict[str, float] = {}
        for batch in batches(self.validation):
            motion, audio = batch["motion"], batch["audio"]
            seed, target = motion[:, :MOTION_WINDOW], motion[:, MOTION_WINDOW : MOTION_WINDOW + ROLLOUT]
            made = self.network.generate(padded(seed, self.config.pose), audio, ROLLOUT, self.network.config.future)
            still = seed[:, -1:].expand_as(target)
            music = {"": audio, "/other_music": audio.roll(1, 0), "/quarter_off": audio[:, _QUARTER:]}
            errors = {
                f"l2{name}": F.mse_loss(*self._predict(seed, motion, given[:, :AUDIO_WINDOW]))
                for name, given in music.items()
            }
            errors["l2/rollout"] = F.mse_loss(made, padded(target, self.config.pose))
            errors["l2/still"] = F.mse_loss(padded(still, self.config.pose), padded(target, self.config.pose))
            for name, error in errors.items():
                sums[name] = sums.get(name, 0.0) + len(motion) * error.item()
        return {name: total / len(self.validation) for name, total in sums.items()}

    def _predict(self, inputs: Tensor, motion: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return the predicted frames and their targets."""
        predicted = self.network(padded(inputs, self.config.pose), audio)
        first = 1 if self.network.config.attention == "causal" else MOTION_WINDOW  # shift by 1, or future N
        return predicted, padded(motion[:, first : first + predicted.shape[1]], self.config.pose)


def _sizes(config: FACTTaskConfig) -> FACTConfig:
    sizes: FACTConfig = replace(FACT.sizes[config.size], pose=config.pose)
    return sizes.ablated(config.ablation) if config.ablation else sizes


def _height(samples: Windows) -> float:
    """Return the median height of the pelvis at the beginning of each dance, metres."""
    return float(np.median([dance.read("motion", 0, 1)[0, 1] for dance in samples.dances]))


def _starts(samples: Windows, count: int) -> list[tuple[str, Tensor]]:
    """Return the first poses of the first dances of each genre, with their genre, in the middle of the stage."""
    found: dict[str, list[Tensor]] = {}
    for dance in samples.dances if count else ():
        poses = found.setdefault(genre_of(dance), [])
        if len(poses) < count:
            frame = torch.from_numpy(dance.read("motion", 0, 1))[0]
            poses.append(frame - floor_place(frame))
    return [(genre, pose) for genre in sorted(found) for pose in found[genre]]


def genre_of(dance: PreparedDance) -> str:
    """Return the genre that a dance's name states: "BR" of gBR_17. Raises UsageError if it states none."""
    genre = dance.folder.name[1:3]
    if not dance.folder.name.startswith("g") or genre not in GENRES:
        raise UsageError(f"{dance.folder}: the name states no genre; name it like gBR_17, or train with starts: 0")
    return genre


def _audio_scale(samples: Windows) -> tuple[Tensor, Tensor]:
    """Return mean and deviation (35,) of the music's features, of one dance after the other."""
    count, total, squares = 0, np.zeros(AUDIO), np.zeros(AUDIO)
    for dance in samples.dances:
        features = dance.read("audio").astype(np.float64)
        count, total, squares = count + len(features), total + features.sum(0), squares + (features**2).sum(0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    return torch.from_numpy(mean).float(), torch.from_numpy(scale).float()


def _begin_scaled(network: FACT, samples: Windows) -> None:
    """Let the first layer take whitened motion, and positions that are as large, and the last one predict zeros.

    Source of the whitening: LeCun et al., "Efficient BackProp" (1998), section 4.3.
    """
    frames = torch.from_numpy(np.concatenate([dance.read("motion")[::_EVERY] for dance in samples.dances]))
    mean = frames.mean(0)
    if network.config.relative:  # places on the floor are relative to the last one
        mean[[0, 2]], frames[:, [0, 2]] = 0.0, _PLACES * torch.randn(len(frames), 2)
    variance, components = (part.float() for part in torch.linalg.eigh(torch.cov(frames.double().T)))  # rising
    embedding, kept = network.motion.embedding, min(network.config.width, FRAME)
    whitened = components[:, -kept:] / (variance[-kept:].clamp(min=0) + _LEAST_DEVIATION**2).sqrt()  # (219, kept)
    mixed = torch.linalg.qr(torch.randn(network.config.width, kept))[0] @ whitened.T
    with torch.no_grad():
        embedding.weight[:, -FRAME:], embedding.bias[:] = mixed, -mixed @ mean
        network.head.weight.zero_()
        for stream in (network.motion, network.audio):
            if isinstance(stream, Stream):
                stream.positions.copy_(_sinusoids(*stream.positions.shape))


def _sinusoids(frames: int, width: int) -> Tensor:
    """Return (frames, width), the positions of Vaswani et al., "Attention Is All You Need" (2017), slower ones last."""
    rates = _SLOWEST_WAVE ** -torch.linspace(0, 1, width // 2 + 1)[:-1]
    angles = torch.arange(frames)[:, None] * rates
    return torch.cat((angles.sin(), angles.cos()), 1)
