"""Audio: sound of any container, as samples."""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from av.audio.stream import AudioStream
from av.container import InputContainer

from ictus.errors import AudioError, UsageError
from ictus.files import readable, writing
from ictus.media import DAMAGE, opened
from ictus.types import Float32Array

Samples = Float32Array

_log = logging.getLogger(__name__)
_BLOCK = 1 << 18  # samples a channel: 6 s at 44.1 kHz
_MOST_CHANNELS = 64
SAVE_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True)
class Audio:
    """Sound as samples.

    Attributes
    ----------
    samples : (channels, n) float32, full scale is [-1, 1].
    rate : samples per second.

    Raises
    ------
    AudioError
        If the samples are not (channels, n), not finite, or the rate is not positive.
    """

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples, np.float32)
        samples = samples[None] if samples.ndim == 1 else samples
        if samples.ndim != 2 or not 1 <= samples.shape[0] <= _MOST_CHANNELS:
            raise AudioError(f"samples have shape {samples.shape}; expected (channels, n) with 1 to 64 channels")
        if self.rate <= 0:
            raise AudioError(f"the sample rate is {self.rate}; it must be positive")
        if not np.isfinite(samples).all():
            raise AudioError("the sound holds samples that are not numbers (NaN or infinite); export it again")
        object.__setattr__(self, "samples", samples)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1] / self.rate)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, rate: int | None = None, mono: bool = False) -> "Audio":
        """Decode a sound file, or the sound of a film.

        wav, flac, ogg, mp3 and what else libsndfile knows; m4a/aac, opus, mp4, mkv, webm ... through FFmpeg.

        Parameters
        ----------
        rate : resample to this rate while decoding (soxr HQ); None keeps the file's own.
        mono : average the channels while decoding. With `rate`, an hour of stereo needs 0.3 GB instead of 1.3.

        Raises
        ------
        AudioError
            If the file is missing, empty, damaged from its start, or has no sound.
        """
        source_rate, channels, source = blocks(path)
        stream = (block.mean(0, keepdims=True) for block in source) if mono else source
        if rate is not None and rate != source_rate:
            stream = _resampled(stream, source_rate, rate, 1 if mono else channels)
        try:
            samples = _joined(list(stream))
            if samples.shape[1] == 0:
                raise AudioError("holds no sound; export it again")
            return cls(samples, rate or source_rate)
        except AudioError as error:
            raise error if str(error).startswith(f"{path}:") else AudioError(f"{path}: {error}") from error

    def mono(self) -> "Audio":
        """Return the mean of the channels as one channel."""
        return self if len(self.samples) == 1 else Audio(self.samples.mean(0, keepdims=True), self.rate)

    def resample(self, rate: int) -> "Audio":
        """Return the same sound at another rate (soxr, high quality)."""
        if rate <= 0:
            raise UsageError(f"cannot resample to {rate} Hz; the rate must be positive")
        if rate == self.rate:
            return self
        return Audio(soxr.resample(self.samples.T, self.rate, rate, "HQ").T, rate)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the sound; the suffix names the format: .wav (32-bit float), .flac (24 bit), .ogg, .mp3."""
        suffix = Path(path).suffix.lower()
        if suffix not in SAVE_SUFFIXES:
            raise UsageError(f"{path}: cannot save sound as {suffix!r}; known are {' '.join(SAVE_SUFFIXES)}")
        subtype = {".wav": "FLOAT", ".flac": "PCM_24"}.get(suffix)
        try:
            with (
                writing(path) as temporary,
                soundfile.SoundFile(temporary, "w", self.rate, len(self.samples), subtype) as sink,
            ):
                # In blocks: libsndfile crashes when a long OGG is written at one go.
                for start in range(0, self.samples.shape[1], self.rate):
                    sink.write(self.samples[:, start : start + self.rate].T)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{path}: could not be written ({error.error_string.strip()})") from error


def blocks(path: str | os.PathLike[str]) -> tuple[int, int, Iterator[Samples]]:
    """Open a sound file for decoding piece by piece.

    Returns
    -------
    rate : samples per second.
    channels : how many.
    blocks : iterator of float32 (channels, some seconds); a file that breaks off in the middle ends early, with a
        warning in the log.

    Raises
    ------
    AudioError
        As `Audio.load`.
    """
    file = readable(path, AudioError)
    try:
        source = soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        return _blocks_by_ffmpeg(file)
    return source.samplerate, source.channels, _blocks_by_libsndfile(file, source)


def _blocks_by_libsndfile(file: Path, source: soundfile.SoundFile) -> Iterator[Samples]:
    decoded = 0
    with source:
        try:
            while len(block := source.read(_BLOCK, dtype="float32", always_2d=True)):
                decoded += len(block)
                yield np.ascontiguousarray(block.T)
        except soundfile.LibsndfileError as error:
            if not decoded:
                raise AudioError(f"{file}: the sound is damaged ({error.error_string.strip()})") from error
        # Encoders pad the last frame, so a fraction of a second less than promised is no damage.
        if source.frames - decoded > source.samplerate // 5:
            _warn_truncated(file, decoded / source.samplerate, source.frames / source.samplerate)


def _blocks_by_ffmpeg(file: Path) -> tuple[int, int, Iterator[Samples]]:
    with ExitStack() as stack:
        container = stack.enter_context(opened(file, AudioError))
        if not container.streams.audio:
            raise AudioError(f"{file}: has no sound; give a file with an audio track")
        stream = container.streams.audio[0]
        if not stream.rate or not stream.channels:
            raise AudioError(f"{file}: the audio track is damaged (no sample rate); export it again")
        return stream.rate, stream.channels, _decoded(file, stack.pop_all(), container, stream)


def _decoded(file: Path, open_file: ExitStack, container: InputContainer, stream: AudioStream) -> Iterator[Samples]:
    decoded = 0
    with open_file:
        try:
            planar = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            for frame in container.decode(stream):
                # Encoders such as AAC begin with priming samples, which the container places before time 0.
                early = -round(frame.time * stream.rate) if frame.time is not None and frame.time < 0 else 0
                for part in planar.resample(frame):
                    samples = part.to_ndarray().astype(np.float32, copy=False)[:, early:]
                    decoded += samples.shape[1]
                    if samples.shape[1]:
                        yield samples
        except DAMAGE as error:
            if not decoded:
                raise AudioError(f"{file}: the sound is damaged from its start; export it again") from error
            _warn_truncated(file, decoded / stream.rate, None)
    if not decoded:
        raise AudioError(f"{file}: holds no sound; export it again")


def _joined(parts: list[Samples]) -> Samples:
    """Concatenate along time, giving each part back as soon as it is copied: an hour must not be held twice."""
    channels = parts[0].shape[0] if parts else 1
    samples = np.empty((channels, sum(part.shape[1] for part in parts)), np.float32)
    end = samples.shape[1]
    while parts:
        part = parts.pop()
        samples[:, end - part.shape[1] : end] = part
        end -= part.shape[1]
    return samples


def _resampled(stream: Iterator[Samples], rate_in: int, rate_out: int, channels: int) -> Iterator[Samples]:
    resampler = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="HQ")
    for block in stream:
        yield resampler.resample_chunk(np.ascontiguousarray(block.T)).T
    yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T


def _warn_truncated(file: Path, got: float, expected: float | None) -> None:
    of = f" of {expected:.1f} s" if expected else ""
    _log.warning("%s: breaks off after %.1f s%s; only that part is used", file, got, of)
