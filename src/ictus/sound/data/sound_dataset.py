"""Recordings as they lie on disk, and stretches of them with their mel spectrograms: what a vocoder learns from.

    <root>/{train,val,test}/<name>/sound.flac   or sound.wav, music.flac, music.wav; of any rate and channels

Nothing is read but the stretches that are asked for, and once the whole of a recording for its loudest sample.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ictus.audio import Audio
from ictus.corpora import list_unusable, scan_split
from ictus.errors import AudioError, UsageError
from ictus.features import mel80
from ictus.sound import RATE
from ictus.types import Float32Array

FILES = ("sound.flac", "sound.wav", "music.flac", "music.wav")
_CONTEXT = mel80.window // 2 // mel80.hop  # frames beyond a stretch that its mel depends on


@dataclass(frozen=True)
class SoundRecording:
    """One sound file; `samples` is its length at 22,050 Hz, mono."""

    file: Path
    rate: int
    samples: int

    @property
    def name(self) -> str:
        """Split and name, e.g. "train/00012-cello"."""
        return f"{self.file.parents[1].name}/{self.file.parent.name}"

    def read(self, start: int, end: int) -> Float32Array:
        """Read samples, mono and at 22,050 Hz, (end - start,).

        Raises
        ------
        AudioError
            If they cannot be read, or are not finite; the message names the file.
        """
        first, last = (-(-at * self.rate // RATE) for at in (start, end))
        try:
            with soundfile.SoundFile(self.file) as source:
                source.seek(first)
                samples = source.read(last - first, dtype="float32", always_2d=True)
            sound = Audio(samples.T, self.rate).mono().resample(RATE).samples[0, : end - start]
        except (soundfile.LibsndfileError, AudioError, OSError) as error:
            raise AudioError(f"{self.file}: damaged near {start / RATE:.1f} s ({error}); export it again") from error
        if len(sound) < end - start - 2:  # what rounding may cost where the rate is another
            raise AudioError(f"{self.file}: breaks off near {start / RATE:.1f} s; export it again")
        return np.pad(sound, (0, end - start - len(sound)))

    def loudest(self) -> float:
        """Return the largest magnitude of a sample; raises as `read` does."""
        block = 60 * RATE
        starts = range(0, self.samples, block)
        return max(float(np.abs(self.read(at, min(at + block, self.samples))).max()) for at in starts)


class SoundWindows:
    """The beginning of each recording of a split.

    Each is {"sound": (samples,), "mel": (80, samples / 256) mel80, "name": "train/NAME@FRAME"}; sample 256 k lies in
    the middle of frame k.

    Parameters
    ----------
    root, split : folder of the corpus, and "train", "val" or "test".
    samples : of a window, a multiple of 256.
    peak : what the loudest sample of a recording is brought to; 0 leaves it as it is.
    most : recordings to take, evenly chosen; None takes all.

    Attributes
    ----------
    recordings : those that are long enough.
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
        samples: int,
        peak: float = 0.0,
        most: int | None = None,
    ) -> None:
        if samples < 1 or samples % mel80.hop:
            raise UsageError(f"windows of {samples} samples; the number must be a multiple of {mel80.hop}")
        found, self.broken = scan_split(root, split, _read_header, "train/ and val/, with a folder for each recording")
        long = [each for each in found if each.samples >= samples]
        if not long:
            none = f"none of {len(found)} recordings lasts {samples / RATE:.1f} s"
            raise UsageError(f"{Path(root) / split}: {none}{list_unusable(self.broken)}")
        if most is not None and most < len(long):
            long = [long[k * len(long) // most] for k in range(most)]
        self.recordings, self.samples, self.peak = tuple(long), samples, peak
        self._loudest: dict[Path, float] = {}

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, index: int) -> dict[str, Float32Array | str]:
        """Read a window; raises as `SoundRecording.read` does."""
        return self.cut(self.recordings[index], 0)

    def cut(self, recording: SoundRecording, frame: int, gain: float = 1.0) -> dict[str, Float32Array | str]:
        """Read the window that begins at a mel frame; its mel is the same as that of the whole recording, there."""
        first = max(0, frame - _CONTEXT)
        start, frames = frame * mel80.hop, self.samples // mel80.hop
        end = min(recording.samples, start + self.samples + _CONTEXT * mel80.hop)
        around = np.float32(gain * self._factor(recording)) * recording.read(first * mel80.hop, end)
        mel = mel80(Audio(around, RATE))[frame - first :][:frames]
        return {
            "sound": around[start - first * mel80.hop :][: self.samples],
            "mel": np.ascontiguousarray(mel.T),
            "name": f"{recording.name}@{frame}",
        }

    def _factor(self, recording: SoundRecording) -> float:
        if not self.peak:
            return 1.0
        if recording.file not in self._loudest:
            self._loudest[recording.file] = recording.loudest()
        return self.peak / (self._loudest[recording.file] or 1.0)


class RandomSoundWindows(SoundWindows):
    """Windows cut anywhere, as loud as may be, drawn from NumPy's global generator, which the training loop seeds.

    An epoch has as many windows of each recording as it holds side by side, `draws` times.

    Parameters
    ----------
    gain : least and largest random factor.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        samples: int,
        peak: float = 0.0,
        gain: tuple[float, float] = (1.0, 1.0),
        draws: int = 1,
    ) -> None:
        super().__init__(root, split, samples=samples, peak=peak)
        if draws < 1:
            raise UsageError(f"{draws} draws of each window; at least one is needed")
        self.gain = gain
        self.turns = [each for each in self.recordings for _ in range(each.samples // samples)] * draws

    def __len__(self) -> int:
        return len(self.turns)

    def __getitem__(self, index: int) -> dict[str, Float32Array | str]:
        """Read a window of the recording whose turn it is; raises as `SoundRecording.read` does."""
        recording = self.turns[index]
        last = (recording.samples - self.samples) // mel80.hop
        frame = int(np.random.randint(last + 1))  # noqa: NPY002  # the loop seeds it, per sample
        return self.cut(recording, frame, float(np.random.uniform(*self.gain)))  # noqa: NPY002


def _read_header(folder: Path) -> SoundRecording:
    """Find the sound of a folder and read its header; raise AudioError with a line that names the file."""
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        raise AudioError(f"{folder}: holds no sound; expected {', '.join(FILES)}")
    try:
        header = soundfile.info(file)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{file}: no sound that can be read ({error}); export it again") from error
    return SoundRecording(file, header.samplerate, header.frames * RATE // header.samplerate)
