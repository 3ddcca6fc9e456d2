"""Motion clips: recordings of real dances, cleaned, with the beats that the dancer marks."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from ictus.dance.kinematic_beats import marked_beats
from ictus.dance.quaternions import RATE, from_matrices, inertialise, joint_positions, mirrored, normalise
from ictus.errors import MotionError
from ictus.formats import count_frames
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array, FloatArray

_BODY = get_skeleton("smpl-24")
_FEET = [_BODY.index("ltoes"), _BODY.index("rtoes")]
_JOIN = 9  # frames of 60 in which a step between two pieces of a recording fades out
_JITTER = 1.5  # frames of 60, the deviation of the filter over a recording
_FLOOR = 0.02  # metres from floor to toes of a body that stands
_SLOWEST = 12.0  # frames a second that still show how a dancer moves
_LEAPS = 10.0  # m/s, mean of the joints, that no body reaches: there a recording is cut
SHORTEST = 1.5  # seconds of a piece that is kept


@dataclass(frozen=True)
class MotionClip:
    """A real dance, ready to be cut into phrases.

    Attributes
    ----------
    name : of the recording.
    genre : as in `ictus.dance.data.aist.GENRES`, or another.
    quaternions : (T, 24, 4) of the joints' rotations, continuous, at 60 fps.
    root : (T, 3) metres.
    times : (N,) seconds of the beats that the dancer marks, two or more.
    clear : see `ictus.dance.kinematic_beats.MarkedBeats`.
    """

    name: str
    genre: str
    quaternions: Float64Array
    root: Float64Array
    times: Float64Array
    clear: float = 1.0

    @property
    def beats(self) -> int:
        """Beats from the first to the last, each as long as the time to the next."""
        return len(self.times) - 1

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.root) / RATE

    @cached_property
    def tempo(self) -> float:
        """Median beats a minute."""
        return 60 / float(np.median(np.diff(self.times)))

    @cached_property
    def _second(self) -> PchipInterpolator:
        """From beats to seconds, smoothly, and evenly before the first and after the last."""
        step = 60 / self.tempo
        ends = (self.times[:1] - step, self.times, self.times[-1:] + step)
        return PchipInterpolator(np.arange(-1, len(self.times) + 1), np.concatenate(ends))

    def at(self, beat: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return quaternions (n, 24, 4) and root (n, 3) at (n,) beats from the first, which need not be whole."""
        place = np.clip(self._second(np.clip(beat, -1, len(self.times))) * RATE, 0, len(self.root) - 1.001)
        before = place.astype(int)
        part = (place - before)[:, None]
        root = self.root[before] * (1 - part) + self.root[before + 1] * part
        part = part[..., None]
        return normalise(self.quaternions[before] * (1 - part) + self.quaternions[before + 1] * part), root

    def mirrored(self) -> "MotionClip":
        """Return the dance with left and right exchanged."""
        quaternions, root = mirrored(self.quaternions, self.root)
        return replace(self, name=f"{self.name} mirrored", quaternions=quaternions, root=root)


def make_clips(
    name: str,
    genre: str,
    rotations: FloatArray,
    root: FloatArray,
    fps: float,
    tempo: float | None = None,
    joins: Sequence[float] = (),
) -> list[MotionClip]:
    """Clean a recording: jitter is filtered, steps at its joins are smoothed out, the floor is moved under the feet.

    Where the body leaps farther than a body can, the recording is cut.

    Parameters
    ----------
    rotations, root : (T, 24, 3, 3) and (T, 3) metres, y up.
    tempo : beats a minute of its music, which begins with it; None where there is no music.
    joins : frames at which pieces were joined.

    Returns
    -------
    A clip of each piece that lasts long enough.

    Raises
    ------
    MotionError
        If it has too few frames a second, or no piece is long enough.
    """
    if fps < _SLOWEST:
        raise MotionError(f"has {fps:g} frames a second, too few to see a dance; give {_SLOWEST:g} or more")
    quaternions, path = from_matrices(rotations.astype(np.float64)), root.astype(np.float64)
    speed = np.linalg.norm(np.diff(joint_positions(quaternions, path), axis=0), axis=-1).mean(1) * fps
    speed[[round(join) - 1 for join in joins if 0 < join < len(root)]] = 0
    edges = [0, *(1 + np.flatnonzero(speed > _LEAPS)).tolist(), len(root)]
    pieces = [(start, stop) for start, stop in itertools.pairwise(edges) if stop - start >= SHORTEST * fps]
    if not pieces:
        raise MotionError(f"lasts {len(root) / fps:.1f} s, or leaps about; {SHORTEST:g} s without a leap are needed")
    clips = []
    for number, (start, stop) in enumerate(pieces, start=1):
        inside = [round((join - start) * RATE / fps) for join in joins if start < join < stop]
        turns, places = _cleaned(*_at_rate(quaternions[start:stop], path[start:stop], fps), inside)
        marked = marked_beats(joint_positions(turns, places), tempo if start == 0 else None)
        called = name if len(pieces) == 1 else f"{name} {number}"
        times = marked.times if len(marked.times) > 1 else np.array([0.0, len(places) / RATE])
        clips.append(MotionClip(called, genre, turns, places, times, marked.clear))
    return clips


def _cleaned(quaternions: Float64Array, root: Float64Array, joins: Sequence[int]) -> tuple[Float64Array, Float64Array]:
    for join in joins:
        quaternions, root = inertialise(quaternions, root, join, _JOIN)
    quaternions = normalise(gaussian_filter1d(quaternions, _JITTER, axis=0, mode="nearest"))
    root = gaussian_filter1d(root, _JITTER, axis=0, mode="nearest")
    root[:, 1] += _FLOOR - np.percentile(joint_positions(quaternions, root)[:, _FEET, 1].min(1), 5)
    return quaternions, root


def _at_rate(quaternions: Float64Array, root: Float64Array, fps: float) -> tuple[Float64Array, Float64Array]:
    """Quaternions (T, 24, 4) and root (T, 3) at `fps` -> at 60 a second, by cubic splines."""
    times = np.arange(len(root)) / fps
    wanted = np.minimum(np.arange(count_frames(len(root) / fps, RATE, 4 * len(_BODY))) / RATE, times[-1])
    return normalise(CubicSpline(times, quaternions)(wanted)), np.asarray(CubicSpline(times, root)(wanted))
