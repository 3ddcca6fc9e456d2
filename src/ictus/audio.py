"""Audio: sound of any container, as samples."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ictus import limits
from ictus.decoding import blocks, resampled
from ictus.downmix import Downmix
from ictus.errors import AudioError, UsageError
from ictus.files import reading, writing
from ictus.types import Float32Array

Samples = Float32Array

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
        if samples.ndim != 2 or not 1 <= samples.shape[0] <= limits.CHANNELS:
            raise AudioError(f"samples have shape {samples.shape}; expected (channels, n) with 1 to 64 channels")
        if self.rate <= 0:
            raise AudioError(f"the sample rate is {self.rate}; it must be positive")
        # Of the extremes alone, for an array of truth values would be a quarter as large as the sound.
        if samples.size and not np.isfinite([samples.min(), samples.max()]).all():
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
        mono : average the channels while decoding, or take the loudest where they cancel each other out
            (`ictus.downmix`). With `rate`, an hour of stereo needs 0.3 GB instead of 1.3.

        Raises
        ------
        AudioError
            If the file is missing, empty, damaged from its start, has no sound, or more than `limits.SOUND` of it.
        """
        with reading(path, AudioError):
            source_rate, channels, stream = blocks(path)
            if not mono:
                return cls(_collected(stream, source_rate, rate, channels), rate or source_rate)
            downmix = Downmix()
            samples = _collected(map(downmix, stream), source_rate, rate, 1)
            if (channel := downmix.channel) is not None:  # known at the end only, and rare: the file is decoded again
                _, _, stream = blocks(path, warn=False)
                samples = _collected((block[channel : channel + 1] for block in stream), source_rate, rate, 1)
            return cls(samples, rate or source_rate)

    def mono(self) -> "Audio":
        """Return the mean of the channels as one channel; where they cancel each other out, the loudest."""
        if len(self.samples) == 1:
            return self
        downmix = Downmix()
        mean = downmix(self.samples)
        return Audio(mean if downmix.channel is None else self.samples[downmix.channel], self.rate)

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


def _collected(stream: Iterator[Samples], source_rate: int, rate: int | None, channels: int) -> Samples:
    """Return blocks (channels, n) as one, resampled if a rate is given; AudioError if they are none or too many."""
    if rate is not None and rate != source_rate:
        stream = resampled(stream, source_rate, rate, channels)
    hours = limits.SOUND / (4 * 3600 * channels * (rate or source_rate))
    samples = _joined(_bounded(stream, hours), channels)
    if samples.shape[1] == 0:
        raise AudioError("holds no sound; export it again")
    return samples


def _bounded(stream: Iterator[Samples], hours: float) -> Iterator[Samples]:
    held = 0
    for block in stream:
        held += block.nbytes
        if held > limits.SOUND:
            raise AudioError(f"is longer than the {hours:.1f} hours that are read at once; cut it into shorter files")
        yield block


def _joined(stream: Iterator[Samples], channels: int) -> Samples:
    """Join blocks (channels, n); in memory that grows where it is, for an hour must not be held twice."""
    waves = [bytearray() for _ in range(channels)]
    for block in stream:
        for wave, channel in zip(waves, block, strict=True):
            wave += np.ascontiguousarray(channel).data
    if channels == 1:
        return np.frombuffer(waves[0], np.float32)[None]
    samples = np.empty((channels, len(waves[0]) // 4), np.float32)
    for k in range(channels):
        samples[k], waves[k] = np.frombuffer(waves[k], np.float32), bytearray()
    return samples
