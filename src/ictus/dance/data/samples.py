"""What dancers are evaluated on: the beginning of each dance of a split, with its music and its beats."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ictus.dance.data.dataset import AIST, PreparedDance, scan_dances
from ictus.errors import IctusError, UsageError
from ictus.kinematics import forward_kinematics
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array

RATE = AIST.rate
SEED = 2 * RATE  # frames of true motion that FACT dances on from
SHORTEST = 3 * RATE  # frames: a second after the seed
_BODY = get_skeleton("smpl-24")


def positions_of_frames(frames: Float32Array) -> Float32Array:
    """Pose frames of 219 numbers (see `ictus.dance.frames`): (T, 219) -> (T, 24, 3) metres, y up."""
    rotations = frames[:, 3:].reshape(len(frames), len(_BODY), 3, 3)
    return np.asarray(forward_kinematics(_BODY, rotations, frames[:, :3]), np.float32)


@dataclass(frozen=True)
class DanceSample:
    """The beginning of a dance, and its music.

    Attributes
    ----------
    name : split and name.
    folder : of the corpus, which may hold music.flac.
    motion, audio : (T, 219) and (T, 35) at 60 fps.
    beats : (K,) seconds: beats.npy if it is there, otherwise those that the audio's last column marks.
    """

    name: str
    folder: Path
    motion: Float32Array
    audio: Float32Array
    beats: Float64Array

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.motion) / RATE

    @cached_property
    def positions(self) -> Float32Array:
        """(T, 24, 3) metres: the true dance."""
        return positions_of_frames(self.motion)


# Sample, seed -> (T, 24, 3) metres, 60 fps, from the sample's first frame on.
DanceGenerator = Callable[[DanceSample, int], Float32Array]


class DanceSamples:
    """The dances of a split in AIST's layout, each from its first frame on, read when asked for.

    Parameters
    ----------
    root, split : see `ictus.dance.data.dataset`.
    seconds : how much of a dance is evaluated, after the seed of two seconds; shorter dances to their end.
    limit_hours : use only so many hours.

    Attributes
    ----------
    names : split and name of each dance.
    beats : seconds, of each dance.
    broken : a line for each folder that cannot be used.

    Raises
    ------
    UsageError
        If the split is missing, or holds fewer than two dances that can be used.
    """

    def __init__(
        self, root: str | os.PathLike[str], split: str, *, seconds: int = 20, limit_hours: float | None = None
    ) -> None:
        if seconds < 1:
            raise UsageError(f"{seconds} seconds of each dance; at least one is needed")
        self.seconds = seconds
        found = scan_dances(root, split, AIST)
        dances: list[PreparedDance] = []
        beats: list[Float64Array] = []
        broken = list(found.broken)
        left = np.inf if limit_hours is None else limit_hours * 3600 * RATE
        for dance in found.dances:
            if left <= 0:
                break
            try:
                beats.append(self._read(dance).beats)
            except IctusError as error:
                broken.append(str(error))
                continue
            dances.append(dance)
            left -= self._frames(dance)
        if len(dances) < 2:
            why = f"; unusable: {broken[0]} (and {len(broken) - 1} more)" if broken else ""
            raise UsageError(f"{Path(root) / split}: sets of dances are compared, so two are needed{why}")
        self._dances, self.beats, self.broken = tuple(dances), tuple(beats), tuple(broken)
        self.names = tuple(dance.name for dance in dances)

    def __len__(self) -> int:
        return len(self._dances)

    def __getitem__(self, number: int) -> DanceSample:
        """Read a dance."""
        return self._read(self._dances[number])

    def phrase(self, number: int, frames: int, rng: np.random.Generator) -> Float32Array:
        """(frames, 24, 3) metres of a dance, from a random frame on."""
        dance = self._dances[number]
        return positions_of_frames(dance.read("motion", int(rng.integers(dance.frames - frames + 1)), frames))

    def _frames(self, dance: PreparedDance) -> int:
        return min(dance.frames, SEED + self.seconds * RATE)

    def _read(self, dance: PreparedDance) -> DanceSample:
        frames = self._frames(dance)
        if frames < SHORTEST:
            raise IctusError(f"{dance.folder}: lasts {frames / RATE:.1f} s; at least {SHORTEST / RATE:g} are needed")
        motion, audio = dance.read("motion", 0, frames), dance.read("audio", 0, frames)
        return DanceSample(dance.name, dance.folder, motion, audio, _beats(dance, audio))


def _beats(dance: PreparedDance, audio: Float32Array) -> Float64Array:
    """Return the times of the beats within the audio, seconds; two or more."""
    file = dance.folder / "beats.npy"
    times = dance.beats if file.exists() else np.flatnonzero(audio[:, -1] > 0.5) / RATE
    if times.ndim != 1 or not (np.diff(times) > 0).all():
        raise IctusError(f"{file}: holds something else than the times of beats, in rising order")
    inside = times[(times >= 0) & (times < len(audio) / RATE)]
    if len(inside) < 2:
        raise IctusError(f"{dance.folder}: its music has {len(inside)} beats; at least two are needed")
    return inside
