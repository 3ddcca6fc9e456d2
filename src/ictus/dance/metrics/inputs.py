"""What the metrics accept: smpl-24 motions, or arrays of its joints, at the frame rate of a published protocol."""

from typing import TypeAlias

import numpy as np

from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import AnyArray, Float64Array

MotionLike: TypeAlias = AnyArray | Motion

SKELETON = get_skeleton("smpl-24")
RATE = 60.0  # frames a second, of AIST++ and of arrays that do not say otherwise


def positions_at(motion: MotionLike, rate: float, fps: float | None = None, least: int = 2) -> Float64Array:
    """Return the joints' positions (T, 24, 3) in metres, y up, `rate` times a second: every frame, or every k-th.

    Parameters
    ----------
    motion : smpl-24 Motion, or (T, 24, 3) metres, y up, at `fps` (60 if not given).
    rate : that of the protocol. Nothing is interpolated, for that would smooth what is measured.
    least : the fewest frames that the metric can do with.

    Raises
    ------
    UsageError
        If the array has another shape, the frame rate is no multiple of `rate`, or there are too few frames.
    MotionError
        If the motion is of another skeleton, or not finite.
    """
    positions, own = _positions(motion, fps)
    step = round(own / rate)
    if step < 1 or abs(own - step * rate) > 1e-6 * own:
        raise UsageError(f"the motion has {own:g} fps; this metric is defined at {rate:g}: resample({rate:g}) first")
    positions = positions[::step]
    if len(positions) < least:
        raise UsageError(f"the motion has {len(positions)} frames at {rate:g} fps; this metric needs at least {least}")
    return positions


def _positions(motion: MotionLike, fps: float | None) -> tuple[Float64Array, float]:
    if isinstance(motion, Motion):
        if fps is not None and fps != motion.fps:
            raise UsageError(f"fps={fps:g} was given for a motion of {motion.fps:g} fps; leave it out")
        if motion.skeleton != SKELETON or motion.positions.shape[2] != 3:
            raise MotionError(f"the motion is of {motion.skeleton.name}; metrics of dance need {SKELETON.name} in 3-D")
        return motion.positions.astype(np.float64), motion.fps
    array = np.asarray(motion)
    if array.dtype.kind not in "fiu" or array.ndim != 3 or array.shape[1:] != (len(SKELETON), 3):
        raise UsageError(f"the motion has shape {array.shape}; it must be (frames, {len(SKELETON)}, 3)")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any((1, 2)).argmax())
        raise MotionError(f"the motion is not finite (first in frame {bad}); fill or cut the gap first")
    return array.astype(np.float64), RATE if fps is None else fps
