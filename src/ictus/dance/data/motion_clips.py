"""Motion clips: recordings of real dances, cleaned, with the beats that the dancer marks."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from ictus.arrays import archive
from ictus.dance.data.aist import SequenceName
from ictus.dance.metrics.beats import beat_alignment
from ictus.dance.quaternions import RATE, from_matrices, inertialise, joint_positions, normalise
from ictus.errors import MotionError, UsageError
from ictus.formats import check_fps, count_frames
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array

_BODY = get_skeleton("smpl-24")
_JOIN = 9  # frames of 60 in which a step between two pieces of a recording fades out
_JITTER = 1.5  # frames of 60, the deviation of the filter over a recording
_FLOOR = 0.02  # metres from floor to toes of a body that stands


@dataclass(frozen=True)
class MotionClip:
    """A real dance, ready to be cut into phrases.

    Attributes
    ----------
    name : of the recording.
    genre : as in `ictus.dance.data.aist.GENRES`.
    quaternions : (T, 24, 4) of the joints' rotations, continuous, at 60 fps.
    root : (T, 3) metres.
    first : second of the first beat that the dancer marks; it may come after the music's, which is at 0 s.
    tempo : beats a minute.
    """

    name: str
    genre: str
    quaternions: Float64Array
    root: Float64Array
    first: float
    tempo: float

    @property
    def beats(self) -> int:
        """Whole beats that it lasts."""
        return int(((len(self.root) - 1) / RATE - self.first) * self.tempo / 60)

    def at(self, beat: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return quaternions (n, 24, 4) and root (n, 3) at (n,) beats from the first, which need not be whole."""
        place = np.clip((self.first + beat * 60 / self.tempo) * RATE, 0, len(self.root) - 1.001)
        before = place.astype(int)
        part = (place - before)[:, None]
        root = self.root[before] * (1 - part) + self.root[before + 1] * part
        part = part[..., None]
        return normalise(self.quaternions[before] * (1 - part) + self.quaternions[before + 1] * part), root

    def mirrored(self) -> "MotionClip":
        """Return the dance with left and right exchanged."""
        quaternions = self.quaternions[:, list(_BODY.mirror)] * (1, -1, -1, 1)
        return replace(self, name=f"{self.name} mirrored", quaternions=quaternions, root=self.root * (-1, 1, 1))


def read_clips(folder: Path) -> list[MotionClip]:
    """Read all recordings of a folder (*.npz), in the order of their names.

    Raises
    ------
    UsageError
        If there are none.
    MotionError
        If one is damaged.
    """
    clips = [read_clip(path) for path in sorted(folder.glob("*.npz"))]
    if not clips:
        raise UsageError(f"{folder}: holds no recorded dances (.npz)")
    return clips


def read_clip(path: Path) -> MotionClip:
    """Read a recording: .npz with rotations (T, 22 or 24, 3, 3), root (T, 3), fps, bpm and joins; music begins at 0 s.

    The steps at its joins are smoothed out, the floor is moved under the feet, and the first beat is where the dancer
    marks it.

    Raises
    ------
    MotionError
        If it is none, or its name is none of AIST++'s.
    """
    with archive(path, MotionError) as held:
        rotations, root = held.numbers("rotations", 4).astype(np.float64), held.numbers("root", 2).astype(np.float64)
        fps, tempo, joins = check_fps(held.number("fps")), held.number("bpm"), held.numbers("joins", 1)
        if not 1 <= tempo <= 1000 or not all(np.isfinite(array).all() for array in (rotations, root, joins)):
            raise MotionError(f"holds numbers that are not finite, or {tempo:g} beats a minute; record it again")
        return _clip(path.stem, rotations, root, fps, tempo, joins)


def _clip(
    name: str, rotations: Float64Array, root: Float64Array, fps: float, tempo: float, joins: Float64Array
) -> MotionClip:
    hands = np.tile(np.eye(3), (len(root), len(_BODY) - rotations.shape[1], 1, 1))  # recordings of 22 joints lack them
    quaternions, root = _at_rate(from_matrices(np.concatenate([rotations, hands], 1)), root, fps)
    for join in np.round(joins * RATE / fps).astype(int):
        quaternions, root = inertialise(quaternions, root, int(join), _JOIN)
    quaternions = normalise(gaussian_filter1d(quaternions, _JITTER, axis=0, mode="nearest"))
    root = gaussian_filter1d(root, _JITTER, axis=0, mode="nearest")
    toes = joint_positions(quaternions, root)[:, [_BODY.index("ltoes"), _BODY.index("rtoes")], 1]
    root[:, 1] += _FLOOR - np.percentile(toes.min(1), 5)
    clip = MotionClip(name, SequenceName.parse(name).genre, quaternions, root, 0.0, tempo)
    return replace(clip, first=_first_beat(clip))


def _at_rate(quaternions: Float64Array, root: Float64Array, fps: float) -> tuple[Float64Array, Float64Array]:
    """Quaternions (T, 24, 4) and root (T, 3) at `fps` -> at 60 a second, by cubic splines."""
    times = np.arange(len(root)) / fps
    wanted = np.minimum(np.arange(count_frames(len(root) / fps, RATE, 4 * len(_BODY))) / RATE, times[-1])
    return normalise(CubicSpline(times, quaternions)(wanted)), np.asarray(CubicSpline(times, root)(wanted))


def _first_beat(clip: MotionClip) -> float:
    """Return the second of the first beat that the dancer marks: up to a third of a beat from one of the music."""
    beat = 60 / clip.tempo
    positions = joint_positions(clip.quaternions, clip.root)
    beats = np.arange(0, len(clip.root) / RATE, beat)
    lags = np.linspace(-1 / 3, 1 / 3, 41) * beat
    alignment = [beat_alignment(positions, lag + beats, "bailando") for lag in lags]
    smooth = gaussian_filter1d(np.array(alignment), 2.0, mode="nearest")
    return float(lags[smooth.argmax()] % beat)
