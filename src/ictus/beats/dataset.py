"""Music whose beats are known, as windows that a beat network learns from.

    <root>/{train,val,test}/<integer>/music.flac   any rate and channels
                                     /beats.npz    conducted_times (N,) seconds, conducted_positions (N,), 1 = downbeat,
                                                   conducted_meter; a `BeatAnnotation` where it is known;
                                                   about: JSON text, of which "group" is used where there is one
                                     /recordings.npy  (K, T, 81) float16, where it is there: mel81 of the same music
                                                   as K other recordings of it might sound

The features of a piece are computed at their first use and kept as `mel81.npy` beside the music, or in the
user's cache where the corpus cannot be written to.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ictus.arrays import archive, mapped
from ictus.audio import Audio
from ictus.beats.annotation import BeatAnnotation
from ictus.beats.augmentation import Augmentation
from ictus.beats.decoding import PLACES
from ictus.documents import parse_json
from ictus.errors import IctusError, UsageError
from ictus.features import mel81
from ictus.files import readable, writing
from ictus.types import Float32Array, Float64Array, IntArray

RATE = int(mel81.frame_rate)

Sample = dict[str, Float32Array | IntArray | str]
Level = Literal["counted", "conducted"]  # which beats are learned: those people tap, or those an arm shows

_ABOUT = 2  # frames to either side of a beat that predict its place, too
_NUMBERS = {place: number for number, place in enumerate(PLACES)}


@dataclass(frozen=True)
class AnnotatedRecording:
    """A piece of a corpus.

    Attributes
    ----------
    folder : that holds music.flac.
    times, positions : (N,) of the beats as they are conducted.
    meter : beats in most of the bars.
    group : kind of music, e.g. "orchestral".
    notated : all that is known of the beats as they are written, if anything is.
    """

    folder: Path
    times: Float64Array
    positions: IntArray
    meter: int
    group: str
    notated: BeatAnnotation | None = None

    @classmethod
    def open(cls, folder: Path) -> "AnnotatedRecording":
        """Read what is known of a piece; its sound is not touched.

        Raises
        ------
        IctusError
            If a file is missing or damaged.
        """
        readable(folder / "music.flac")
        file = readable(folder / "beats.npz")
        with archive(file) as held:
            times, positions = held.numbers("conducted_times", 1), held.indices("conducted_positions", 1)
            meter = int(held.number("conducted_meter"))
            about = parse_json(held.text("about")) if "about" in held else {}
            group = about["group"] if isinstance(about, dict) and isinstance(about.get("group"), str) else "music"
            notated = BeatAnnotation.of(held) if "divisions" in held else None
        if len(times) != len(positions) or not (np.diff(times) > 0).all():
            raise IctusError(f"{file}: the beats must have increasing times, and a place in the bar each")
        return cls(folder, times.astype(np.float64), positions.astype(np.int64), meter, group, notated)

    def beats_in(self, start: float, pace: float, level: Level) -> tuple[Float64Array, IntArray, IntArray]:
        """Return times, positions and metres, (N,) each, of the beats in a window of the piece.

        At another pace the same music may be taken in other beats: a fast three in one. Where it is not known how the
        beats are written, they are the conducted ones at every pace and level.

        Parameters
        ----------
        start : second of the piece at which the window begins.
        pace : seconds of the piece that pass in one of the window.
        """
        if self.notated is not None:
            played = replace(self.notated, times=self.notated.times / pace)
            try:
                beats = played.counted() if level == "counted" else played.conducted()
                return beats.times - start / pace, beats.positions, beats.meters
            except IctusError:
                pass  # there is no pattern for it at this pace: as at its own
        return (self.times - start) / pace, self.positions, np.full(len(self.times), self.meter)

    @property
    def music(self) -> Path:
        """The sound file."""
        return self.folder / "music.flac"

    @property
    def name(self) -> str:
        """Split and number, e.g. "train/17"."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    def mel(self) -> NDArray[np.float16]:
        """(T, 81) mel81, memory-mapped; computed if it is not kept yet, or older than the music."""
        music = self.music
        for file in (self.folder / "mel81.npy", self._cached()):
            if file.exists() and file.stat().st_mtime >= music.stat().st_mtime:
                return _mapped(file)
        frames = mel81(Audio.load(music, rate=mel81.rate, mono=True)).astype(np.float16)
        file = self.folder / "mel81.npy"
        if not os.access(self.folder, os.W_OK):
            file = self._cached()
        with writing(file) as temporary:
            np.save(temporary, frames, allow_pickle=False)
        return _mapped(file)

    def recordings(self) -> list[NDArray[np.float16]]:
        """Return the mel81, (T, 81), of the music and of all its other recordings."""
        others = self.folder / "recordings.npy"
        return [self.mel(), *(_mapped(others) if others.exists() else ())]

    def _cached(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        key = hashlib.blake2b(os.fsencode(self.folder.resolve()), digest_size=12).hexdigest()
        return cache / "ictus" / f"mel81-{key}.npy"


def _mapped(file: Path) -> NDArray[np.float16]:
    try:
        return mapped(file)
    except IctusError as error:
        raise IctusError(f"{error}; delete it, it will be made again") from error


class BeatDataset:
    """Windows of a split.

    mel : (S * 50, 81) float32.
    beats : (S * 50, 2) float32, 1 on the frame of a beat (column 0) and of a downbeat (column 1), else 0.
    places : (S * 50,) int64, on the frames about a beat its number in `PLACES`; -1 on all others.
    group, name : "piano", "train/17@3.2".

    Parameters
    ----------
    root : folder of the corpus.
    split : "train", "val" or "test".
    seconds : length S of a window; shorter pieces end in silence.
    augmentation : how the music is changed: each epoch then has other windows, one of each piece. None leaves the music
        as it is, and takes it from its beginning.

    Raises
    ------
    UsageError
        If the split is missing or holds nothing that can be used.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        seconds: float = 40.0,
        augmentation: Augmentation | None = None,
        level: Level = "counted",
    ) -> None:
        folder = Path(root) / split
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; a corpus has train/, val/ and test/ of numbered folders")
        self.frames, self.augmentation, self.level = round(seconds * RATE), augmentation, level
        self.recordings: list[AnnotatedRecording] = []
        self.broken: list[str] = []
        for path in sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: (len(p.name), p.name)):
            try:
                self.recordings.append(AnnotatedRecording.open(path))
            except IctusError as error:
                self.broken.append(str(error))
        if not self.recordings:
            why = f"; unusable: {self.broken[0]} (and {len(self.broken) - 1} more)" if self.broken else ""
            raise UsageError(f"{folder}: holds no music whose beats are known{why}")

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, index: int) -> Sample:
        """Return a window of one piece; its window and its changes are drawn from torch's generator."""
        recording = self.recordings[index]
        if self.augmentation is None:
            mel, start, pace = np.array(recording.mel()[: self.frames], np.float32), 0.0, 1.0
        else:
            rng = np.random.default_rng(int(torch.randint(2**31, ())))
            recordings = recording.recordings()
            mel, start, pace = self.augmentation(recordings[rng.integers(len(recordings))], self.frames, rng)
        mel = np.pad(mel, ((0, self.frames - len(mel)), (0, 0)))
        times, positions, meters = recording.beats_in(start, pace, self.level)
        return {
            "mel": mel,
            "beats": beat_targets(times, positions, self.frames),
            "places": place_targets(times, positions, meters, self.frames),
            "group": recording.group,
            "name": f"{recording.name}@{start:.1f}",
        }


def beat_targets(times: Float64Array, positions: IntArray, frames: int) -> Float32Array:
    """Return (frames, 2): 1 where there is a beat, and a downbeat; times (N,) in seconds of the window."""
    places = np.round(times * RATE).astype(int)
    inside = (places >= 0) & (places < frames)
    beats = np.zeros((frames, 2), np.float32)
    beats[places[inside], 0] = 1
    beats[places[inside & (positions == 1)], 1] = 1
    return beats


def place_targets(times: Float64Array, positions: IntArray, meters: IntArray, frames: int) -> IntArray:
    """Return (frames,): on the frames of beats, and two to either side, the numbers of their `PLACES`; else -1."""
    places = np.full(frames, -1, np.int64)
    rows = np.stack([np.round(times * RATE).astype(int), meters, positions], axis=1)
    for frame, meter, position in rows.tolist():
        places[max(0, frame - _ABOUT) : max(0, frame + _ABOUT + 1)] = _NUMBERS.get((meter, position), -1)
    return places
