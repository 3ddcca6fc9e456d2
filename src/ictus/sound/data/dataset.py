"""Performances as they lie on disk: folders of arrays, memory-mapped.

    <root>/{train,val,test}/<name>/mel.npy        (T, 80) mel80, 86.13 frames a second: floats in [0, 1], or uint8
                                                  (value / 255)
                                  /keypoints.npy  (K, 47, 3) float, 25 fps: x and y in pixels, confidence; optional
                                  /takes.npy      (N, K, 47, 3), other players who play the same; optional
                                  /rgb.npy        (N, 1024) float, features of the film's pictures; optional
                                  /flow.npy       (N, F) float, of the movement in them; optional: 1024 of a
                                                  network, or 166 of `ictus.sound.data.optical_flow`
                                  /about.json     {"instrument": "cello", "feature_rate": 21.5, ...}

All arrays begin at the same instant, and where they differ in length, by less than a second, the shortest counts. An
instrument may be null, or one that is not among `ictus.sound.INSTRUMENTS`. Nothing is read but the windows that are
asked for, so memory does not depend on the size of the corpus.
"""

import math
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ictus import corpora
from ictus.corpora import list_unusable, open_array
from ictus.documents import read_json
from ictus.errors import IctusError, UsageError
from ictus.sound import INSTRUMENTS, KEYPOINT_RATE, MEL_RATE
from ictus.types import AnyArray, Float32Array

WINDOW = 848  # mel frames of a window: 53 columns of codes, 9.845 s
UNKNOWN = len(INSTRUMENTS)  # the number of an instrument that is not given, or not known
BANDS = 80
# of a frame; None is any number, the same in all performances
FEATURE_SHAPES: Mapping[str, tuple[int | None, ...]] = {"keypoints": (47, 3), "rgb": (1024,), "flow": (None,)}
_SLACK = 0.01  # by which a mel may leave [0, 1]: float16, or another library's rounding


@dataclass(frozen=True)
class PreparedPerformance:
    """One folder of the corpus.

    Attributes
    ----------
    folder : where it lies.
    frames : mel frames that can be used.
    instrument : its number in `INSTRUMENTS`, or `UNKNOWN`.
    rates : frames a second of each kind of feature that was asked for beside the mel.
    widths : the first size of a frame of each: the numbers of a row of rgb or flow.
    about : what about.json says.
    """

    folder: Path
    frames: int
    instrument: int
    rates: Mapping[str, float]
    widths: Mapping[str, int]
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Split and name, e.g. "train/00012-cello"."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def mel(self, start: int = 0, frames: int | None = None) -> Float32Array:
        """(80, frames) in [-1, 1]: twice mel80, less 1, as networks take it.

        Raises
        ------
        IctusError
            If it is not finite, or not in [0, 1] on disk; the message names the file.
        """
        end = self.frames if frames is None else start + frames
        file = self.folder / "mel.npy"
        stored = np.array(open_array(file)[start:end])
        level = stored.astype(np.float32) / (255 if stored.dtype == np.uint8 else 1)
        if not np.isfinite(level).all():
            raise IctusError(f"{file}: not finite between frames {start} and {end}")
        if level.size and not -_SLACK <= level.min() <= level.max() <= 1 + _SLACK:
            raise IctusError(
                f"{file}: from {level.min():.3g} to {level.max():.3g} between frames {start} and {end}, "
                "but mel80 lies in [0, 1]; prepare it again"
            )
        return np.ascontiguousarray(2 * np.clip(level, 0, 1).T - 1)

    def takes(self) -> int:
        """Return how many other players play the same; raises as `features` does."""
        file = self.folder / "takes.npy"
        return len(open_array(file)) if file.exists() else 0

    def features(self, kind: str, start: int = 0, frames: int | None = None, take: int | None = None) -> Float32Array:
        """(n, ...) of "keypoints", "rgb" or "flow" that belong to `frames` mel frames, from `start` on.

        n depends on `frames` alone: the time rounded to frames of that kind. The last is repeated beyond the end.
        `take` is the number of another player, of whom only keypoints are known.

        Raises
        ------
        IctusError
            If they are not finite; the message names the file.
        """
        frames = self.frames - start if frames is None else frames
        rate = self.rates[kind]
        first, count = round(start / MEL_RATE * rate), feature_frames(frames, rate)
        file = self.folder / f"{kind if take is None else 'takes'}.npy"
        array = open_array(file) if take is None else open_array(file)[take]
        features = np.array(array[first : first + count], np.float32)
        if not np.isfinite(features).all():
            raise IctusError(f"{file}: not finite between rows {first} and {first + count}")
        short = count - len(features)
        return np.concatenate([features, np.repeat(features[-1:], short, 0)]) if short else features


def feature_frames(frames: int, rate: float) -> int:
    """Return how many frames, at `rate` a second, are as long as mel frames: 246 of keypoints to 848."""
    return max(1, round(frames / MEL_RATE * rate))


@dataclass(frozen=True)
class SplitPerformances:
    """What was found of one split: usable performances, and one line for each folder that is not."""

    performances: tuple[PreparedPerformance, ...]
    broken: tuple[str, ...]


def find_performances(root: str | os.PathLike[str], split: str, kinds: Collection[str] = ()) -> SplitPerformances:
    """Find the performances of a split; of the arrays, only headers are read.

    Parameters
    ----------
    root, split : folder of the corpus, and "train", "val" or "test".
    kinds : what each performance must have beside the mel: "keypoints", "rgb", "flow".

    Raises
    ------
    UsageError
        If there is no such split, or no such kind.
    """
    if wrong := [kind for kind in kinds if kind not in FEATURE_SHAPES]:
        raise UsageError(f"{wrong[0]!r} is no part of a performance; there are {', '.join(FEATURE_SHAPES)}")
    read = partial(_read_headers, kinds=kinds)
    return SplitPerformances(*corpora.scan_split(root, split, read, "train/, val/ and test/, each with performances"))


class MelWindows:
    """Windows of a split, one after the other.

    Each is {"mel": (80, frames) in [-1, 1], "instrument": number, "name": "train/NAME@FRAME"}, and of each kind that is
    asked for its features of the same time: 246 frames of keypoints to 848 of the mel.

    Parameters
    ----------
    root, split : folder of the corpus, and "train", "val" or "test".
    frames : mel frames of a window.
    hop : frames from one window to the next; `frames` if not given.
    kinds : "keypoints", "rgb", "flow"; performances that lack one are left out.
    takes : whether the keypoints are those of any player who plays the same, each time another one, drawn from NumPy's
        global generator, which the training loop seeds.

    Attributes
    ----------
    performances : those that hold a window.
    broken : a line for each folder that cannot be used.

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
        frames: int = WINDOW,
        hop: int | None = None,
        kinds: Collection[str] = (),
        takes: bool = False,
    ) -> None:
        hop = frames if hop is None else hop
        if frames < 1 or hop < 1:
            raise UsageError(f"windows of {frames} frames every {hop}; both must be at least one frame")
        found = find_performances(root, split, kinds)
        self.frames, self.kinds, self.broken = frames, tuple(kinds), found.broken
        self.takes = takes and "keypoints" in kinds
        self.performances = tuple(each for each in found.performances if each.frames >= frames)
        if not self.performances:
            lasts = f"{frames / MEL_RATE:.1f} s"
            raise UsageError(f"{Path(root) / split}: holds no performance of {lasts}{list_unusable(found.broken)}")
        if len({tuple(each.rates.items()) for each in self.performances}) > 1:
            raise UsageError(f"{Path(root) / split}: feature_rate differs between performances; make it the same")
        if len({tuple(each.widths.items()) for each in self.performances}) > 1:
            found_widths = sorted({each.widths["flow"] for each in self.performances})
            raise UsageError(
                f"{Path(root) / split}: rows of flow have {' or '.join(map(str, found_widths))} numbers; "
                "prepare all films in the same way"
            )
        self.places = [(each, at) for each in self.performances for at in range(0, each.frames - frames + 1, hop)]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, Float32Array | np.int64 | str]:
        """Read one window.

        Raises
        ------
        IctusError
            If its numbers are not finite, or its mel is none; the message names the file.
        """
        return self.cut(*self.places[index])

    def cut(self, performance: PreparedPerformance, at: int) -> dict[str, Float32Array | np.int64 | str]:
        """Read the window of a performance that begins at a mel frame."""
        features = {kind: performance.features(kind, at, self.frames) for kind in self.kinds}
        if self.takes and (take := np.random.randint(1 + performance.takes())):  # noqa: NPY002  # seeded per sample
            features["keypoints"] = performance.features("keypoints", at, self.frames, int(take) - 1)
        return {
            "mel": performance.mel(at, self.frames),
            **features,
            "instrument": np.int64(performance.instrument),
            "name": f"{performance.name}@{at}",
        }


class RandomMelWindows(MelWindows):
    """As `MelWindows`, but anywhere, drawn from NumPy's global generator, which the training loop seeds.

    An epoch has as many windows of each performance as it holds side by side, `draws` times.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        frames: int = WINDOW,
        kinds: Collection[str] = (),
        draws: int = 1,
    ) -> None:
        super().__init__(root, split, frames=frames, kinds=kinds)
        if draws < 1:
            raise UsageError(f"{draws} draws of each window; at least one is needed")
        self.places *= draws

    def __getitem__(self, index: int) -> dict[str, Float32Array | np.int64 | str]:
        """Read a window of the performance whose turn it is; raises as `MelWindows` does."""
        performance, _ = self.places[index]
        at = np.random.randint(performance.frames - self.frames + 1)  # noqa: NPY002  # the loop seeds it, per sample
        return self.cut(performance, int(at))


def _read_headers(folder: Path, kinds: Collection[str]) -> PreparedPerformance:
    """Check headers and about.json; raise IctusError with a line that names the file."""
    about = read_about(folder)
    file = folder / "mel.npy"
    mel = open_array(file)
    if mel.ndim != 2 or mel.shape[1] != BANDS:
        turned = "; it seems to be transposed" if mel.ndim == 2 and mel.shape[0] == BANDS else ""
        raise IctusError(f"{file}: shape {mel.shape}, expected (frames, {BANDS}){turned}")
    if mel.dtype.kind != "f" and mel.dtype != np.uint8:
        raise IctusError(f"{file}: holds {mel.dtype}, expected floating-point numbers or uint8")
    seconds, rates, widths = {"mel": len(mel) / MEL_RATE}, {}, {}
    for kind in kinds:
        rates[kind] = float(KEYPOINT_RATE) if kind == "keypoints" else _feature_rate(folder, about)
        array = open_features(folder / f"{kind}.npy", FEATURE_SHAPES[kind])
        seconds[kind], widths[kind] = len(array) / rates[kind], array.shape[1]
    for kind, length in seconds.items():
        if abs(length - seconds["mel"]) >= 1:
            raise IctusError(f"{folder / kind}.npy: lasts {length:.1f} s, but the mel {seconds['mel']:.1f} s")
    frames = min(len(mel), math.ceil(min(seconds.values()) * MEL_RATE))
    if frames < 1:
        raise IctusError(f"{folder}: is empty")
    name = about.get("instrument")
    return PreparedPerformance(
        folder, frames, INSTRUMENTS.index(name) if name in INSTRUMENTS else UNKNOWN, rates, widths, about
    )


def has_shape(array: AnyArray, shape: tuple[int | None, ...]) -> bool:
    """Return whether an array is floats (n, *shape), of which None is any number but 0."""
    sizes = array.shape[1:]
    fits = len(sizes) == len(shape) and all(
        size and wanted in (None, size) for size, wanted in zip(sizes, shape, strict=True)
    )
    return fits and array.dtype.kind == "f"


def open_features(file: Path, shape: tuple[int | None, ...]) -> AnyArray:
    """Map the features of a file, floats (n, *shape); raise IctusError with a line that names the file."""
    array = open_array(file)
    if not has_shape(array, shape):
        expected = ", ".join("numbers" if size is None else str(size) for size in shape)
        expected = f"rows, {expected}"
        raise IctusError(f"{file}: {array.dtype} of shape {array.shape}, expected floats ({expected})")
    return array


def _feature_rate(folder: Path, about: Mapping[str, Any]) -> float:
    rate = about.get("feature_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise IctusError(f"{folder / 'about.json'}: feature_rate is {rate!r}; give the rows a second of rgb and flow")
    return float(rate)


def read_about(folder: Path) -> dict[str, Any]:
    """Return what a folder's about.json holds; raise IctusError with a line that names the file."""
    file = folder / "about.json"
    if not file.exists():
        raise IctusError(f"{file}: missing")
    content = read_json(file)
    if not isinstance(content, dict):
        raise IctusError(f"{file}: must be a JSON object")
    return content
