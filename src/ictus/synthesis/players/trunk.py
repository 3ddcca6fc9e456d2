"""The trunk: it sways with the phrase, leans into loud notes, and rises with a breath."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ictus.kinematics import smootherstep
from ictus.synthesis.players.moves import smooth_noise
from ictus.synthesis.players.solo import Solo
from ictus.types import Float64Array

HIPS = np.array([0.0, -0.5, -0.02])  # metres from the neck at rest: about them the trunk turns
_INHALING = 0.55  # seconds before a phrase in which breath is taken


@dataclass(frozen=True)
class Trunk:
    """How the trunk is held at each of T frames.

    Attributes
    ----------
    lean, turn, sway : (T,) radians: forwards, to the player's left, sideways to the player's left.
    breath : (T,) metres by which the shoulders are raised.
    """

    lean: Float64Array
    turn: Float64Array
    sway: Float64Array
    breath: Float64Array

    def rotations(self, share: float = 1.0) -> Float64Array:
        """Return (T, 3, 3): the trunk's turn about the hips, or a share of it."""
        angles = share * np.stack([self.turn, self.lean, -self.sway], axis=1)
        return np.asarray(Rotation.from_euler("YXZ", angles).as_matrix())

    def carried(self, points: Float64Array, share: float = 1.0) -> Float64Array:
        """Return where points (..., 3) or (T, ..., 3), metres, are once the trunk has taken them along.

        Parameters
        ----------
        points : (T, 3), (T, P, 3) or (3,).
        share : of the trunk's turn that they follow; an instrument that stands on the floor follows little.
        """
        points = np.broadcast_to(points, (len(self.lean), *points.shape[-1:])) if points.ndim == 1 else points
        turn = self.rotations(share)
        turned = np.einsum("tij,t...j->t...i", turn, points - HIPS)
        return np.asarray(HIPS + turned)


def simulate_trunk(solo: Solo, times: Float64Array, *, temper: float, breath: float, rng: np.random.Generator) -> Trunk:
    """Return how a player's trunk moves.

    Parameters
    ----------
    times : (T,) seconds of the frames.
    temper : how much the player moves; 1 is usual.
    breath : metres by which a full breath raises the shoulders: much for winds, little for strings.
    """
    phrases = np.concatenate([[0.0], solo.phrases(), [solo.duration]])
    loudness = _loudness(solo, times)
    # To one side through a phrase, to the other through the next; never quite as regular.
    halves = np.interp(times, phrases, np.arange(len(phrases)) + rng.normal(0, 0.1, len(phrases)))
    beatwise = np.sin(np.pi * halves) * (0.4 + 0.8 * loudness)
    return Trunk(
        lean=np.radians(temper * (3.5 * loudness + smooth_noise(times, 1.2, 1.3, rng)) + rng.normal(2, 2)),
        turn=np.radians(temper * (2.0 * beatwise + smooth_noise(times, 1.5, 2.0, rng))),
        sway=np.radians(temper * (2.6 * beatwise + smooth_noise(times, 1.4, 1.2, rng))),
        breath=breath * _breath(solo, times) + 0.002 * np.sin(2 * np.pi * 0.25 * times + rng.uniform(0, 6)),
    )


def _loudness(solo: Solo, times: Float64Array) -> Float64Array:
    """Return (T,) how loud it is, as the body feels it: over a second, and nothing in silence."""
    if not len(solo.notes):
        return np.zeros(len(times))
    here = np.clip(np.searchsorted(solo.onsets, times, "right") - 1, 0, len(solo.notes) - 1)
    sounding = (times >= solo.onsets[here]) & (times < solo.ends[here] + 0.1)
    frames = 0.5 / float(times[1] - times[0]) if len(times) > 1 else 1.0
    return np.asarray(ndimage.gaussian_filter1d(np.where(sounding, solo.loudness[here], 0.0), frames, mode="nearest"))


def _breath(solo: Solo, times: Float64Array) -> Float64Array:
    """Return (T,) 0 to 1: up before each phrase, down while it is played."""
    starts = solo.phrases()
    full = np.zeros(len(times))
    for start, until in zip(starts, [*starts[1:], solo.duration + 1.0][: len(starts)], strict=True):
        rising = smootherstep(np.clip((times - start + _INHALING) / _INHALING, 0, 1))
        length = max(1.2, 0.8 * (until - _INHALING - start))
        full = np.maximum(full, rising * (1 - smootherstep(np.clip((times - start) / length, 0, 1))))
    return full
