"""Does a dance stand on the floor, and does it go on: feet, freezing, drifting."""

from dataclasses import dataclass

import numpy as np

from ictus.dance.metrics.inputs import SKELETON, MotionLike, positions_at
from ictus.types import Float64Array

_RATE = 30.0  # frames a second, of the published metrics of feet
_FLOOR = [0, 2]  # the axes along the floor
_FEET = tuple(tuple(SKELETON.index(f"{side}{joint}") for joint in ("ankle", "toes")) for side in "lr")
_ANKLE, _TOES = 0.08, 0.05  # metres above the floor, at most, of a foot that stands
_EVEN = 0.02  # metres by which the toes may differ in height if both are taken to stand
_SKATES = 0.01  # metres a frame
_SOLE = np.array([0.07, 0.02])  # metres from the sole to ankle and toes of smpl-24, of a foot that is flat on the floor
_LOW = 0.05  # metres above the floor, at most, of a foot that may carry the body
_SLIDES = 0.1  # m/s
_RESTS = 0.05  # m/s


def physical_foot_contact(motion: MotionLike, fps: float | None = None) -> float:
    """PFC: 0 where the body is pushed only while a foot stands still; published values are about 1 to 3.

    10,000 times the mean over the frames of (root's acceleration, falling not counted, in parts of the largest) times
    (how far the left foot moves along the floor in a frame, metres) times (the right one); a foot moves as far as the
    slower of ankle and toes. Being relative to one largest acceleration, it falls with the length of the motion.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given); measured at 30 fps, T >= 3.

    Source: Tseng, Castellon & Liu, EDGE: Editable Dance Generation from Music (CVPR 2023).
    """
    positions = positions_at(motion, _RATE, fps, least=3)
    acceleration = np.diff(positions[:, 0], 2, axis=0)  # (T - 2, 3), in units that cancel
    acceleration[:, 1] = np.maximum(acceleration[:, 1], 0)
    push = np.linalg.norm(acceleration, axis=-1)
    if not push.any():
        return 0.0
    left, right = (np.linalg.norm(_along_floor(positions, foot), axis=-1).min(1)[1:] for foot in _FEET)
    return float(1e4 * (left * right * push / push.max()).mean())


def foot_skating_ratio(motion: MotionLike, fps: float | None = None) -> float:
    """FSR: the share of a foot's frames on the floor in which it skates, mean of both feet; NaN if none ever stands.

    The floor is as high as the toes in the first frame: the mean of both, or the lower ones if they differ by 2 cm. A
    foot stands where its ankle is at most 8 cm and its toes at most 5 cm above it. It skates where ankle or toes move
    more than 1 cm in a frame; of this movement the published code takes the mean of both directions along the floor, so
    that x and z can cancel.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given); measured at 30 fps, T >= 2.

    Source: Li et al., Lodge: A Coarse to Fine Diffusion Network for Long Dance Generation (CVPR 2024).
    """
    positions = positions_at(motion, _RATE, fps)
    toes = positions[0, [foot[1] for foot in _FEET], 1]
    floor = toes.mean() if np.ptp(toes) < _EVEN else toes.min()
    shares = []
    for foot in _FEET:
        ankle, tips = positions[:, foot, 1].T - floor
        stands = (ankle <= _ANKLE) & (tips <= _TOES)
        skates = (np.abs(_along_floor(positions, foot).mean(-1)) > _SKATES).any(1)
        if stands.any():
            shares.append((skates & stands[:-1]).sum() / stands.sum())
    return float(np.mean(shares)) if shares else float("nan")


@dataclass(frozen=True)
class FootSkating:
    """How much the body slides over the floor; see `foot_skating`.

    Attributes
    ----------
    speed : m/s, mean over the frames in which it stands; 0 if it never does.
    share : of these frames, in which it is faster than 0.1 m/s; 0 to 1.
    standing : share of all frames in which it stands; 0 to 1.
    """

    speed: float
    share: float
    standing: float


def foot_skating(motion: MotionLike, fps: float | None = None) -> FootSkating:
    """Measure how fast the foot slides that carries the body: our own measure, defined for every dance.

    The floor is the 5th percentile over time of the lower sole's height, so that neither one low frame nor the first
    pose decides. The body stands in a frame if, in it and in the next, a sole is at most 5 cm above the floor; a sole
    is 7 cm below the ankle or 2 cm below the toes. A foot slides as fast along the floor as the slower of its ankle and
    toes, for it may turn about the other; and of two feet that are low, the slower one carries the body.

    Real dances have some 0.15 m/s: bodies are fitted to films, and posed on another body than their own. A drift of the
    whole body shows where that is less.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given); measured at 30 fps, T >= 2.
    """
    positions = positions_at(motion, _RATE, fps)
    soles = np.stack([(positions[:, foot, 1] - _SOLE).min(1) for foot in _FEET], axis=1)  # (T, 2)
    low = soles <= np.percentile(soles.min(1), 5) + _LOW
    speeds = np.stack([np.linalg.norm(_along_floor(positions, foot), axis=-1).min(1) for foot in _FEET], axis=1)
    carrying = np.where(low[1:] & low[:-1], speeds * _RATE, np.inf).min(1)  # (T - 1,)
    stands = np.isfinite(carrying)
    if not stands.any():
        return FootSkating(0.0, 0.0, 0.0)
    sliding = carrying[stands]
    return FootSkating(float(sliding.mean()), float((sliding > _SLIDES).mean()), float(stands.mean()))


@dataclass(frozen=True)
class Freezing:
    """Whether a dance goes on; see `freezing`.

    Attributes
    ----------
    ratio : energy of the last seconds over that of the first, as in `freeze_ratio`; 0 where it has frozen.
    longest : seconds, the longest stretch in which nothing moves.
    """

    ratio: float
    longest: float


def freezing(motion: MotionLike, seconds: float = 20.0, fps: float | None = None) -> Freezing:
    """Measure whether a dance goes on as it began, and for how long it holds still.

    Nothing moves where the joints' speed (root of the mean square, as seen from the root) is below 0.05 m/s.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) at `fps` (60 if not given), at a multiple of 30 fps; T >= 3.
    seconds : of either end; half the motion if it is shorter than twice as long.
    """
    still = np.sqrt(_energy(positions_at(motion, _RATE, fps, least=3))) * _RATE < _RESTS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(np.int8)))
    longest = (edges[1::2] - edges[::2]).max(initial=0) / _RATE
    return Freezing(freeze_ratio(motion, seconds, fps), float(longest))


def freeze_ratio(motion: MotionLike, seconds: float = 20.0, fps: float | None = None) -> float:
    """Energy of the last seconds over that of the first: 0 where the dance has frozen, 1 where it goes on as it began.

    0 also where it never moves, infinite where it only begins to.

    Energy is the mean squared speed of the joints as seen from the root, so that drifting does not count as dancing.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) at `fps` (60 if not given), at a multiple of 30 fps; T >= 3.
    seconds : of either end; half the motion if it is shorter than twice as long.
    """
    energy = _energy(positions_at(motion, _RATE, fps, least=3))
    count = max(1, min(round(seconds * _RATE), len(energy) // 2))
    first, last = float(energy[:count].mean()), float(energy[-count:].mean())
    if not first:
        return float("inf") if last else 0.0
    return last / first


def movement(motion: MotionLike, fps: float | None = None) -> float:
    """Return the mean squared speed of the joints as seen from the root, (m/s)^2: how large a dance is.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres at `fps` (60 if not given); measured at 30 fps, T >= 3.
    """
    return float(_energy(positions_at(motion, _RATE, fps, least=3)).mean() * _RATE**2)


@dataclass(frozen=True)
class Drift:
    """Whether a dance stays where it is; see `drift`.

    Attributes
    ----------
    farthest : metres along the floor, as in `root_drift`.
    per_minute : metres a minute along the floor, of the straight line that fits the path best.
    """

    farthest: float
    per_minute: float


def drift(motion: MotionLike, fps: float | None = None) -> Drift:
    """Measure how far the root gets from where it begins, and how fast it steadily goes away.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres at `fps` (60 if not given), at a multiple of 30 fps; T >= 2.
    """
    path = positions_at(motion, _RATE, fps)[:, 0][:, _FLOOR]
    time = np.arange(len(path)) / _RATE / 60  # minutes
    time -= time.mean()
    slope = time @ path / (time @ time)
    return Drift(root_drift(motion, fps), float(np.linalg.norm(slope)))


def root_drift(motion: MotionLike, fps: float | None = None) -> float:
    """How far along the floor the root ever gets from the centre of the stage, metres.

    The centre is where the root is at first: a dance is placed on the stage by its beginning.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres at `fps` (60 if not given), at a multiple of 30 fps; T >= 2.
    """
    path = positions_at(motion, _RATE, fps)[:, 0][:, _FLOOR]
    return float(np.linalg.norm(path - path[0], axis=-1).max())


def _energy(positions: Float64Array) -> Float64Array:
    """(T, 24, 3) -> (T - 1,): the joints' mean squared step, as seen from the root, in square metres a frame."""
    return np.asarray((np.diff(positions - positions[:, :1], axis=0) ** 2).sum(-1).mean(1))


def _along_floor(positions: Float64Array, joints: tuple[int, ...]) -> Float64Array:
    """(T, 24, 3) -> (T - 1, joints, 2): the steps of joints along the floor."""
    return np.diff(positions[:, joints][..., _FLOOR], axis=0)
