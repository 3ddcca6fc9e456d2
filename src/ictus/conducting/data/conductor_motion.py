"""ConductorMotion100 as it lies on disk: folders of mel.npy and motion.npy, memory-mapped.

    <root>/{train,val,test}/<integer>/mel.npy     (seconds * 90, 128) float, 90 Hz, values in [0, 1]
                                     /motion.npy  (seconds * 30, 13, 2) float, 30 Hz, image coordinates

Nothing is read but the windows that are asked for, so memory does not depend on the size of the corpus.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ictus import corpora
from ictus.corpora import list_unusable, open_array
from ictus.errors import IctusError, UsageError
from ictus.types import Float32Array

MEL_RATE, MOTION_RATE, BANDS, JOINTS = 90, 30, 128, 13
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class ConductorRecording:
    """One folder of the corpus: paths, and whole seconds of it that can be used."""

    folder: Path
    seconds: int

    @property
    def name(self) -> str:
        """Split and number, e.g. "train/17"."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def mel(self, start: int = 0, seconds: int | None = None) -> Float32Array:
        """(seconds * 90, 128) from second `start`."""
        return _read(self.folder / "mel.npy", start * MEL_RATE, (seconds or self.seconds - start) * MEL_RATE)

    def motion(self, start: int = 0, seconds: int | None = None) -> Float32Array:
        """(seconds * 30, 13, 2) from second `start`."""
        return _read(self.folder / "motion.npy", start * MOTION_RATE, (seconds or self.seconds - start) * MOTION_RATE)


@dataclass(frozen=True)
class SplitInspection:
    """What was found of one split: usable recordings, and one line for each folder that is not."""

    recordings: tuple[ConductorRecording, ...]
    broken: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Usable hours."""
        return sum(recording.seconds for recording in self.recordings) / 3600


def inspect_split(root: str | os.PathLike[str], split: str, *, thorough: bool = False) -> SplitInspection:
    """Check a split: headers, and whether all numbers of the motions are finite.

    Parameters
    ----------
    thorough : read the mels, too, which are fifteen times as large.

    Raises
    ------
    UsageError
        If there is no such folder.
    """

    def check(folder: Path) -> ConductorRecording:
        recording = ConductorRecording(folder, _usable_seconds(folder))
        for name in ("motion", "mel") if thorough else ("motion",):
            _check_finite(folder / f"{name}.npy")
        return recording

    return SplitInspection(
        *corpora.scan_split(root, split, check, "train/, val/ and test/ of numbered folders", _by_number)
    )


class ConductorMotion:
    """Windows of a split, each {"mel": (S * 90, 128), "motion": (S * 30, 13, 2), "name": "train/17@30"}.

    Parameters
    ----------
    root : folder of the corpus.
    split : "train", "val" or "test".
    seconds : length S of a window, whole seconds.
    hop : seconds from one window to the next; S if not given, less for windows that overlap.
    limit_hours : use only the first recordings, until they hold so much.

    Raises
    ------
    UsageError
        If the split is missing, or no window can be cut from it.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        seconds: int = 30,
        hop: int | None = None,
        limit_hours: float | None = None,
    ) -> None:
        if seconds < 1 or (hop is not None and hop < 1):
            raise UsageError(f"windows of {seconds} s every {hop} s; both must be at least one second")
        found = inspect_split(root, split)
        self.seconds, self.broken = seconds, found.broken
        self.recordings = tuple(_first(found.recordings, limit_hours))
        self.windows = [
            (recording, start)
            for recording in self.recordings
            for start in range(0, recording.seconds - seconds + 1, hop or seconds)
        ]
        if not self.windows:
            raise UsageError(f"{Path(root) / split}: holds no recording of {seconds} s{list_unusable(found.broken)}")

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, Float32Array | str]:
        """Read one window.

        Raises
        ------
        IctusError
            If its numbers are not finite; the message names the file.
        """
        recording, start = self.windows[index]
        window = {"mel": recording.mel(start, self.seconds), "motion": recording.motion(start, self.seconds)}
        for kind, values in window.items():
            if not np.isfinite(values).all():
                raise IctusError(
                    f"{recording.folder / kind}.npy: not finite between {start} and {start + self.seconds} s"
                )
        return {**window, "name": f"{recording.name}@{start}"}


def _first(recordings: tuple[ConductorRecording, ...], limit_hours: float | None) -> Iterator[ConductorRecording]:
    seconds = 0
    for recording in recordings:
        if limit_hours is not None and seconds >= limit_hours * 3600:
            return
        seconds += recording.seconds
        yield recording


def _usable_seconds(folder: Path) -> int:
    """Check the two headers against each other; raise IctusError with a line that names the file."""
    mel, motion = _header(folder / "mel.npy"), _header(folder / "motion.npy")
    if len(mel) != 2 or mel[1] != BANDS:
        raise IctusError(f"{folder / 'mel.npy'}: shape {mel}, expected (seconds * {MEL_RATE}, {BANDS})")
    if len(motion) != 3 or motion[1:] != (JOINTS, 2):
        raise IctusError(f"{folder / 'motion.npy'}: shape {motion}, expected (seconds * {MOTION_RATE}, {JOINTS}, 2)")
    mel_seconds, motion_seconds = mel[0] / MEL_RATE, motion[0] / MOTION_RATE
    if abs(mel_seconds - motion_seconds) >= 1:
        guess = f"; is it {motion[0] / mel_seconds:.0f} frames a second?" if mel_seconds else ""
        raise IctusError(
            f"{folder / 'motion.npy'}: lasts {motion_seconds:.1f} s at {MOTION_RATE} Hz, "
            f"its mel {mel_seconds:.1f} s{guess}"
        )
    if min(mel_seconds, motion_seconds) < 1:
        raise IctusError(f"{folder}: shorter than a second")
    return int(min(mel_seconds, motion_seconds))


def _check_finite(file: Path) -> None:
    rows = open_array(file)
    finite = np.isfinite(rows).reshape(len(rows), -1).all(1)
    if not finite.all():
        raise IctusError(f"{file}: {int((~finite).sum())} frames are not finite, the first is {int(finite.argmin())}")


def _header(file: Path) -> tuple[int, ...]:
    array = open_array(file)
    if array.dtype.kind != "f":
        raise IctusError(f"{file}: holds {array.dtype}, expected floating-point numbers")
    return array.shape


def _read(file: Path, start: int, count: int) -> Float32Array:
    return np.array(open_array(file)[start : start + count], np.float32)


def _by_number(path: Path) -> tuple[int, str]:
    return (int(path.name) if path.name.isdecimal() else 1 << 62, path.name)
