"""When a dance marks a beat, from the motion alone, and how near to the music's beats."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d
from scipy.signal import argrelextrema

from ictus.dance.metrics.inputs import RATE, MotionLike, positions_at
from ictus.errors import UsageError
from ictus.types import Float64Array, IntArray

BeatProtocol = Literal["fact", "bailando"]
_WIDTH = 3.0  # frames at 60 fps: 50 ms, the deviation of the kernel
_NEIGHBOURS = 10  # frames on either side that FACT's minima are the lowest of
_SMOOTHING = 5.0  # frames, the deviation of Bailando's filter


def motion_beats(motion: MotionLike, protocol: BeatProtocol = "fact", fps: float | None = None) -> Float64Array:
    """Return (N,) seconds at which the joints' mean speed has a minimum.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) at `fps` (60 if not given); measured at 60 fps.
    protocol : "fact": minima over 10 frames on either side, of the speed that leads to each frame. "bailando": all
        minima, of the speed that leads away from each frame, smoothed by a Gaussian of 5 frames.
    """
    return _beat_frames(positions_at(motion, RATE, fps), protocol) / RATE


def beat_alignment(
    motion: MotionLike, music_beats: ArrayLike, protocol: BeatProtocol = "fact", fps: float | None = None
) -> float:
    """BeatAlign: 1 where the beats of dance and music coincide, 0 where they are far apart or the dance has none.

    The mean of exp(-d^2 / (2 * 3^2)), d being frames at 60 fps (3 of them are 50 ms) to the nearest beat of the other.

    Parameters
    ----------
    motion : as in `motion_beats`. FACT leaves out the 120 frames of the seed, and so their part of the music.
    music_beats : (N,) seconds, in the motion's time.
    protocol : "fact": the mean over the beats of the motion. "bailando": over those of the music within the motion,
        so that a dance that marks but a few beats is worse.

    Raises
    ------
    UsageError, MotionError
        If there is no music beat, or the motion is none of smpl-24 at a multiple of 60 fps.

    Sources: FACT, equation 5 (ICCV 2021); Li Siyao et al., Bailando (CVPR 2022). Their values cannot be compared.
    """
    positions = positions_at(motion, RATE, fps)
    marked = _beat_frames(positions, protocol)
    music = np.round(_seconds(music_beats) * RATE)
    if protocol == "bailando":
        music = music[(music >= 0) & (music < len(positions) - 1)]
    if not len(music):
        raise UsageError("there are no beats of music within the motion; BeatAlign needs at least one")
    if not len(marked):
        return 0.0
    ours, theirs = (marked, music) if protocol == "fact" else (music, marked)
    distance = np.abs(ours[:, None] - theirs).min(1)
    return float(np.exp(-(distance**2) / (2 * _WIDTH**2)).mean())


def _beat_frames(positions: Float64Array, protocol: str) -> IntArray:
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean(1)  # (T - 1,)
    if protocol == "fact":
        speed, neighbours = np.insert(speed, 0, 0.0), _NEIGHBOURS
    elif protocol == "bailando":
        speed, neighbours = gaussian_filter1d(speed, _SMOOTHING), 1
    else:
        raise UsageError(f"BeatAlign has no protocol {protocol!r}; known are fact, bailando")
    return np.asarray(argrelextrema(speed, np.less, order=neighbours)[0])


def _seconds(beats: ArrayLike) -> Float64Array:
    seconds = np.asarray(beats, np.float64)
    if seconds.ndim != 1 or not np.isfinite(seconds).all():
        raise UsageError("the beats of the music must be a list of finite numbers of seconds")
    return seconds
