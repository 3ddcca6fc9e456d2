"""Prepared dances as they lie on disk: folders of arrays with one row a frame, memory-mapped.

    <root>/{train,val,test}/<name>/motion.npy  (T, 219) float, 60 fps: translation (3) | rotation matrices (24 x 9)
                                  /audio.npy   (T, 35) float, rhythm35

    <root>/{train,val,test}/<name>/motion.npy  (T, 63) or (T, 21, 3) float, 25 fps: melody-21, facing the front
                                  /audio.npy   (T, 16) float, melody16
                                  /beats.npy   (K,) float, the times of the beats, seconds

The first is AIST++ for FACT, the second Dance with Melody. Where motion and audio differ in length,
by less than a second, the shorter counts.
Nothing is read but the windows that are asked for, so memory does not depend on the size of the corpus.
"""

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ictus import corpora
from ictus.corpora import list_unusable, open_array
from ictus.errors import IctusError, MotionError, UsageError
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array


@dataclass(frozen=True)
class Layout:
    """What a frame holds: how many numbers of motion and of audio; whether the beats are there; frames a second."""

    motion: int
    audio: int
    beats: bool
    rate: int


AIST = Layout(motion=219, audio=35, beats=False, rate=60)
MELODY = Layout(motion=63, audio=16, beats=True, rate=25)
_BODY = get_skeleton("smpl-24")


def frames_of(motion: Motion) -> Float32Array:
    """Return smpl-24 with rotations as AIST's frames, (T, 219). Raises MotionError if the motion has no rotations."""
    if motion.rotations is None or motion.root is None:
        raise MotionError(f"this motion of {motion.skeleton.name} has no rotations; AIST++'s motions have them")
    return np.concatenate([motion.root, motion.rotations.reshape(len(motion), -1)], axis=1).astype(np.float32)


def motion_of(frames: Float32Array) -> Motion:
    """AIST's frames (T, 219) -> smpl-24 with rotations, at 60 fps."""
    root, rotations = frames[:, :3], frames[:, 3:].reshape(-1, len(_BODY), 3, 3)
    return Motion(forward_kinematics(_BODY, rotations, root), AIST.rate, _BODY, rotations, root)


@dataclass(frozen=True)
class PreparedDance:
    """One folder of the corpus: its path, and the frames of it that can be used."""

    folder: Path
    layout: Layout
    frames: int

    @property
    def name(self) -> str:
        """Split and name, e.g. "train/gBR_sBM_cAll_d04_mBR0_ch03"."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @cached_property
    def beats(self) -> Float64Array:
        """(K,) times of the beats, seconds."""
        return np.array(open_array(self.folder / "beats.npy"), np.float64)

    def read(self, kind: str, start: int = 0, frames: int | None = None) -> Float32Array:
        """(frames, numbers) of "motion" or "audio".

        Raises
        ------
        IctusError
            If they are not finite; the message names the file.
        """
        end = self.frames if frames is None else start + frames
        frames_read = np.array(open_array(self.folder / f"{kind}.npy")[start:end], np.float32)
        if not np.isfinite(frames_read).all():
            raise IctusError(f"{self.folder / kind}.npy: not finite between frames {start} and {end}")
        return frames_read.reshape(len(frames_read), -1)


@dataclass(frozen=True)
class DanceScan:
    """What was found of one split: usable dances, and one line for each folder that is not."""

    dances: tuple[PreparedDance, ...]
    broken: tuple[str, ...]


def scan_dances(root: str | os.PathLike[str], split: str, layout: Layout) -> DanceScan:
    """List the dances of a split; only headers are read.

    Raises
    ------
    UsageError
        If there is no such folder.
    """

    def read_headers(folder: Path) -> PreparedDance:
        return PreparedDance(folder, layout, _usable_frames(folder, layout))

    return DanceScan(
        *corpora.scan_split(root, split, read_headers, "train/, val/ and test/, each with a folder per dance")
    )


class Windows:
    """Windows of a split, each {"motion": (L, D), "audio": (L, F), "name": "train/NAME@START"}.

    Parameters
    ----------
    root, split : folder of the corpus, and "train", "val" or "test".
    layout : of its dances.
    frames : length L of a window.
    hop : frames from one window to the next; less than L for windows that overlap.

    Attributes
    ----------
    dances : those that hold a window.
    broken : a line for each folder that cannot be used.

    Raises
    ------
    UsageError
        If the split is missing, or no window can be cut from it.
    """

    def __init__(self, root: str | os.PathLike[str], split: str, layout: Layout, *, frames: int, hop: int) -> None:
        if frames < 1 or hop < 1:
            raise UsageError(f"windows of {frames} frames every {hop}; both must be at least one frame")
        found = scan_dances(root, split, layout)
        self.frames, self.broken = frames, found.broken
        self.dances = tuple(dance for dance in found.dances if dance.frames >= frames)
        self.windows = [(dance, at) for dance in self.dances for at in range(0, dance.frames - frames + 1, hop)]
        if not self.windows:
            lasts = f"{frames / layout.rate:.1f} s"
            raise UsageError(f"{Path(root) / split}: holds no dance of {lasts}{list_unusable(found.broken)}")

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, Float32Array | str]:
        """Read one window.

        Raises
        ------
        IctusError
            If its numbers are not finite; the message names the file.
        """
        return self.cut(*self.windows[index])

    def cut(self, dance: PreparedDance, at: int) -> dict[str, Float32Array | str]:
        """Read the window of a dance that begins at a frame."""
        motion, audio = (dance.read(kind, at, self.frames) for kind in ("motion", "audio"))
        return {"motion": motion, "audio": audio, "name": f"{dance.name}@{at}"}


class RandomWindows(Windows):
    """As `Windows`, but anywhere: `draws` of each dance, from NumPy's global generator, seeded by the loop."""

    def __init__(
        self, root: str | os.PathLike[str], split: str, layout: Layout, *, frames: int, draws: int = 1
    ) -> None:
        super().__init__(root, split, layout, frames=frames, hop=frames)
        if draws < 1:
            raise UsageError(f"{draws} draws of each dance; at least one is needed")
        self.draws = draws

    def __len__(self) -> int:
        return self.draws * len(self.dances)

    def __getitem__(self, index: int) -> dict[str, Float32Array | str]:
        """Read a window of dance `index % len(dances)`; raises as `Windows` does."""
        dance = self.dances[index % len(self.dances)]
        at = np.random.randint(dance.frames - self.frames + 1)  # noqa: NPY002  # the loop seeds it, per sample
        return self.cut(dance, int(at))


def _usable_frames(folder: Path, layout: Layout) -> int:
    """Check the headers; raise IctusError with a line that names the file."""
    lengths = []
    for kind, numbers in (("motion", layout.motion), ("audio", layout.audio)):
        file = folder / f"{kind}.npy"
        array = open_array(file)
        if array.dtype.kind != "f":
            raise IctusError(f"{file}: holds {array.dtype}, expected floating-point numbers")
        if array.ndim < 2 or math.prod(array.shape[1:]) != numbers:
            raise IctusError(f"{file}: shape {array.shape}, expected (frames, {numbers})")
        lengths.append(len(array))
    if max(lengths) - min(lengths) >= layout.rate:
        motion, audio = (length / layout.rate for length in lengths)
        raise IctusError(f"{folder / 'motion.npy'}: lasts {motion:.1f} s at {layout.rate} fps, its audio {audio:.1f} s")
    if layout.beats:
        _check_beats(folder / "beats.npy")
    return min(lengths)


def _check_beats(file: Path) -> None:
    beats = open_array(file)
    if beats.ndim != 1 or beats.dtype.kind not in "fiu" or not np.isfinite(beats).all():
        raise IctusError(f"{file}: holds {beats.dtype} of shape {beats.shape}, expected the times of beats, seconds")
