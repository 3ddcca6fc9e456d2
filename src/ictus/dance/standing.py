"""Dancers who stay on their feet: what the frames of a dance keep to, and a guard while one is generated.

A network that goes on from its own frames drifts, and nothing in it knows of gravity: the body floats, curls up or
turns over, and from there it knows no way back. So frames that rise are put down on the floor, and where the body no
longer stands the dance begins anew, from the nearest pose of those that it may begin from.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import minimum_filter1d
from scipy.spatial.transform import Rotation
from torch import Tensor

from ictus.dance.data.dataset import frames_of
from ictus.dance.frames import FRAME, JOINTS, RATE, floor_place, orthonormalised, padded, rest, unpadded
from ictus.dance.quaternions import continuous, from_matrices, normalise, to_motion
from ictus.kinematics import forward_kinematics, smootherstep
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array, FloatArray

_BODY = get_skeleton("smpl-24")
_FEET = np.array([[_BODY.index(f"{side}{joint}") for joint in ("ankle", "toes")] for side in "lr"])
_HEIGHT = 1 - FRAME  # column of the pelvis' height, from the end of a frame
_SPARE_METRES, _SPARE_DEGREES = 0.05, 5.0  # by which a generated dance may leave what is usual
_SINKING = 0.01  # metres a frame at which a body that hovers is put down
_JOIN = 30  # frames in which the pose that was left passes over into the dance that began anew


@dataclass(frozen=True)
class StandingRange:
    """What a dance on the feet keeps to. Floor work has wider limits: they are those of the dances trained on.

    The defaults are those of seventeen dances of AIST++ (146 s of its test split, ten genres, no floor work), which the
    shipped dancers were trained on. Between the 0.1st and the 99.9th percentile of their frames the pelvis is 0.69 to
    0.93 m above the lower foot, tilts by up to 27 degrees, and is up to 0.26 m away from being above the feet; the
    lower foot is up to 0.17 m above the floor, and within a second comes down to 0.05 m. To spare: 5 cm, 5 degrees.

    Attributes
    ----------
    lowest, highest : of the pelvis above the lowest point of the feet, metres.
    tilt : of the pelvis' own upward axis from the vertical, degrees.
    balance : of the pelvis from the line between the feet, along the floor, metres.
    lift : of the lowest point of the feet above the floor, metres: a hop.
    hover : the same, of the lowest within a second.
    """

    lowest: float = 0.64
    highest: float = 0.98
    tilt: float = 32.0
    balance: float = 0.31
    lift: float = 0.22
    hover: float = 0.10

    @classmethod
    def of(cls, dances: Iterable[FloatArray]) -> "StandingRange":
        """Return that of dances on the floor y = 0, (T, 219) frames each, with something to spare."""
        rows = []
        for frames in dances:
            stature, tilt, balance, foot = _measures(torch.from_numpy(frames))
            rows.append(np.stack([stature, tilt, balance, foot, minimum_filter1d(foot, RATE)]))
        low, high = np.quantile(np.concatenate(rows, 1), (0.001, 0.999), axis=1)
        spare = np.array([_SPARE_METRES, _SPARE_DEGREES, *[_SPARE_METRES] * 3])
        return cls(*np.round([low[0] - _SPARE_METRES, *(high + spare)], 3).tolist())

    def holds(self, frames: Tensor) -> Tensor:
        """(..., 219 or 225) -> (...) whether the body stands, wherever the floor is."""
        stature, tilt, balance, _ = _measures(frames)
        stands = (stature >= self.lowest) & (stature <= self.highest)
        stands &= (tilt <= self.tilt) & (balance <= self.balance)
        return torch.from_numpy(np.asarray(stands)).to(frames.device)


class StandingGuard:
    """Keeps dances on their feet while a network goes on from its own frames; see `FACT.generate`.

    Parameters
    ----------
    limits : what they keep to.
    poses : (P, 219 or 225), from which they may begin anew, where these stand; the rest pose, if none does.

    Attributes
    ----------
    joins : frames, counted from the first one that is generated, with which a dance began anew.
    """

    def __init__(self, limits: StandingRange, poses: Tensor) -> None:
        stand = poses[limits.holds(poses)]
        self.poses = stand if len(stand) else padded(rest(), poses.shape[1])[None]
        self.limits, self.joins = limits, list[int]()
        self._floor = float(np.quantile(_measures(self.poses)[-1], 0.1))  # one of the poses may be in the air
        self._taken = torch.zeros(len(self.poses))  # how often a dance began anew from each
        self._frames = 0

    def watch(
        self, window: Tensor, predicted: Tensor, kept: int, predict: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Check what a network predicts, and let it predict again from rest where the body would not stand.

        Parameters
        ----------
        window : (B, T, pose), the frames before.
        predicted : (B, n, pose), of which the first `kept` will be danced.
        predict : window -> (B, n, pose).

        Returns
        -------
        The window that the dance goes on from, and the frames, on the floor and of rotations.
        """
        predicted = self._put_down(window, predicted)
        fallen = ~self.limits.holds(predicted[:, :kept]).all(1)  # (B,)
        if fallen.any():
            self.joins.append(self._frames)
            window = torch.where(fallen[:, None, None], self._standing(window[:, -1:]), window)
            again = self._put_down(window, predict(window).to(predicted))
            again = torch.where(self.limits.holds(again)[..., None], again, window[:, -1:])
            predicted = torch.where(fallen[:, None, None], again, predicted)
        self._frames += kept
        return window, predicted

    def _put_down(self, window: Tensor, predicted: Tensor) -> Tensor:
        """Return the predicted frames as rotations, on the floor, or no higher above it than a hop.

        Where no foot has come down for a second, they sink.
        """
        frames = orthonormalised(predicted)
        foot, before = _measures(frames)[-1], _measures(window[:, -RATE:])[-1] - self._floor  # (B, n), (B, 60) metres
        sunk = before[:, -1:] - _SINKING * np.arange(1, frames.shape[1] + 1)
        highest = np.where(before.min(1, keepdims=True) > self.limits.hover, sunk, self.limits.lift)
        height = (foot - self._floor).clip(0, highest.clip(0, self.limits.lift))
        frames[..., _HEIGHT] += torch.from_numpy(self._floor + height - foot).to(frames)
        return frames

    def _standing(self, last: Tensor) -> Tensor:
        """(B, 1, pose) -> (B, 1, pose): the nearest of the poses taken least, at the same place on the floor."""
        poses, turns = self.poses.to(last), slice(-9 * JOINTS, None)
        apart = torch.cdist(last[:, 0, turns], poses[:, turns])  # (B, P), less than 24 * 3
        chosen = (apart + 100 * self._taken.to(apart)).argmin(1)
        self._taken[chosen.cpu()] += 1
        nearest = poses[chosen][:, None]
        return nearest - floor_place(nearest) + floor_place(last)

    def joined(self, motion: Motion, before: int = 0) -> Motion:
        """Return the dance, which has `before` frames more, without steps where it began anew."""
        if motion.rotations is None or motion.root is None or not self.joins:
            return motion
        turns, root = motion.rotations.astype(np.float64), motion.root.astype(np.float64)
        for join in self.joins:
            if before + join > 0:
                _join(turns, root, before + join)
        return to_motion(from_matrices(turns), root)


def _join(turns: Float64Array, root: Float64Array, at: int) -> None:
    """Let the pose before frame `at` pass over into what follows, in place of (T, 24, 3, 3) and (T, 3).

    The heading changes by itself, and not with the lean, or a body that turns round would tip over on the way.
    """
    end = min(at + _JOIN, len(turns))
    share = smootherstep(np.arange(1, end - at + 1) / _JOIN)
    last, new = np.repeat(turns[at - 1 : at], end - at, 0), turns[at:end].copy()
    step = (_heading(new[0, 0]) - _heading(last[0, 0]) + np.pi) % (2 * np.pi) - np.pi
    last[:, 0] = _about_vertical(step * share) @ last[:, 0]
    new[:, 0] = _about_vertical(step * (share - 1)) @ new[:, 0]
    first, second = (Rotation.from_matrix(turned.reshape(-1, 3, 3)) for turned in (last, new))
    part = (first.inv() * second).as_rotvec() * np.repeat(share, JOINTS)[:, None]
    turns[at:end] = (first * Rotation.from_rotvec(part)).as_matrix().reshape(new.shape)
    root[at:end, 1] += (1 - share) * (root[at - 1, 1] - root[at:end, 1])


def _heading(pelvis: Float64Array) -> float:
    """(3, 3) -> radians about the vertical, from +z, into which a body faces."""
    return float(np.arctan2(pelvis[0, 2], pelvis[2, 2]))


def _about_vertical(angles: Float64Array) -> Float64Array:
    return np.asarray(Rotation.from_euler("y", angles[:, None]).as_matrix())


def kept_standing(motion: Motion, limits: StandingRange) -> tuple[Motion, int]:
    """Return a dance in which the body always stands, and the number of frames in which it did not.

    These are replaced by turning every joint from the last frame before to the first one after; the whole dance by the
    rest pose, if it never stands.

    Parameters
    ----------
    motion : smpl-24 with rotations; its floor may be anywhere.
    """
    stands = limits.holds(torch.from_numpy(frames_of(motion))).numpy()
    if stands.all() or motion.rotations is None or motion.root is None:
        return motion, 0
    frames, known = np.arange(len(motion)), np.flatnonzero(stands)
    quaternions, root = from_matrices(motion.rotations.astype(np.float64)), motion.root.astype(np.float64)
    if not len(known):
        quaternions[:] = (0, 0, 0, 1)
        return to_motion(quaternions, root), len(frames)
    turns = continuous(quaternions[known]).reshape(len(known), -1).T
    quaternions = np.stack([np.interp(frames, known, column) for column in turns], 1).reshape(quaternions.shape)
    root[:, 1] = np.interp(frames, known, root[known, 1])
    return to_motion(normalise(quaternions), root), int((~stands).sum())


def _measures(frames: Tensor) -> tuple[Float64Array, ...]:
    """(..., 219 or 225) -> four of (...): see `StandingRange`.

    The pelvis above the lower foot (m), its tilt (degrees), its distance from being above the feet, and that foot's
    height (m).
    """
    flat = unpadded(frames).reshape(-1, FRAME).detach().cpu().double().numpy()
    root, turned = flat[:, :3], flat[:, 3:].reshape(-1, JOINTS, 3, 3)
    points = forward_kinematics(_BODY, turned, root)[:, _FEET]  # (T, 2 feet, 2 points, 3)
    lowest = points[..., 1].min((1, 2))
    tilt = np.degrees(np.arccos(turned[:, 0, 1, 1].clip(-1, 1)))
    left, right = np.moveaxis(points[..., [0, 2]].mean(2), 1, 0)  # (T, 2)
    apart, from_left = right - left, root[:, [0, 2]] - left
    share = ((from_left * apart).sum(1) / np.maximum((apart**2).sum(1), 1e-9)).clip(0, 1)
    balance = np.linalg.norm(from_left - share[:, None] * apart, axis=1)
    return tuple(values.reshape(frames.shape[:-1]) for values in (root[:, 1] - lowest, tilt, balance, lowest))
