"""Decoding: any sound file, or the sound of a film, to its very end, piece by piece.

libsndfile reads what is uncompressed, and Ogg; FFmpeg the rest. MP3 goes to FFmpeg because libsndfile stops where the
header of a first file says, loses its place where that is wrong, and writes to the screen; FLAC because libsndfile
gives up at the first damaged frame. Of sound files both give the same samples, bit for bit or to a rounding of float32.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from ictus.errors import AudioError
from ictus.files import reading
from ictus.media import DAMAGE, Part, check_sound, opened
from ictus.sample_chunk import SampleChunk, sample_chunk
from ictus.types import Float32Array

_log = logging.getLogger(__name__)
_BREAKS_OFF = "%s: breaks off after %.1f s; only that part is used"
_BLOCK = 1 << 18  # samples a channel: 6 s at 44.1 kHz
_SLACK = 0.2  # seconds by which a file may differ from its header: encoders pad, and count in frames
_READ_AHEAD = 1 << 14  # bytes that libsndfile may have read beyond the end of a link
_LONGEST_LOSS = 10.0  # seconds of silence that stand for what cannot be decoded, at one place
_RAW = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1}
# Containers that state how long a track is; of others FFmpeg guesses it.
_STATED = ("flac", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "asf", "avi", "caf", "ape", "tta", "wv", "tak", "dsf")


def blocks(path: str | os.PathLike[str], *, warn: bool = True) -> tuple[int, int, Iterator[Float32Array]]:
    """Open a sound file, or a film, for decoding piece by piece.

    Parameters
    ----------
    warn : log a line where the file is cut, damaged, or not as long as its header says; False for whoever decodes it a
        second time.

    Returns
    -------
    rate : samples per second.
    channels : how many.
    blocks : iterator of float32 (channels, some seconds).

    Raises
    ------
    AudioError
        If the file is missing, empty, damaged from its start or has no sound, or has a rate or number of channels that
        is not read (`ictus.limits`).
    """
    with reading(path, AudioError) as file, ExitStack() as stack:
        with Part(file) as start:
            head = start.read(4)
        opener = _open_by_ffmpeg if _is_mpeg_or_flac(head) else _open_by_libsndfile
        rate, channels, decoded = opener(file, stack, warn)
        check_sound(rate, channels, AudioError)
        return rate, channels, _guarded(file, stack.pop_all(), _gathered(decoded))


def resampled(stream: Iterator[Float32Array], rate_in: int, rate_out: int, channels: int) -> Iterator[Float32Array]:
    """Turn blocks (channels, n) into blocks at another rate (soxr, high quality)."""
    resampler = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="HQ")
    for block in stream:
        yield resampler.resample_chunk(np.ascontiguousarray(block.T)).T
    yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True).T


def _guarded(file: Path, open_file: ExitStack, decoded: Iterator[Float32Array]) -> Iterator[Float32Array]:
    with reading(file, AudioError), open_file:
        yield from decoded


def _gathered(stream: Iterator[Float32Array]) -> Iterator[Float32Array]:
    """Join the small blocks of compressed formats, each of which costs whoever works on it as much as a large one."""
    held: list[Float32Array] = []
    count = 0
    for block in stream:
        held.append(block)
        count += block.shape[1]
        if count >= _BLOCK:
            yield np.concatenate(held, 1)
            held, count = [], 0
    if held:
        yield np.concatenate(held, 1)


def _is_mpeg_or_flac(head: bytes) -> bool:
    return head[:4] == b"fLaC" or head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def _open_by_libsndfile(file: Path, stack: ExitStack, warn: bool) -> tuple[int, int, Iterator[Float32Array]]:
    part = stack.enter_context(Part(file))
    chunk = sample_chunk(part)
    try:  # not by its name, for libsndfile then believes the suffix
        source = stack.enter_context(soundfile.SoundFile(part))
    except soundfile.SoundFileError:
        return _open_by_ffmpeg(file, stack, warn)
    if source.format == "OGG":
        return source.samplerate, source.channels, _ogg_links(file, part, source, warn)
    stated = source.frames
    if chunk and source.subtype in _RAW:
        size = _RAW[source.subtype] * source.channels
        stated = chunk.there // size if chunk.stated is None else chunk.stated // size
        if not chunk.followed and chunk.there // size - stated > source.samplerate // 20:
            source = stack.enter_context(_raw(file, chunk, source))
    return source.samplerate, source.channels, _uncompressed(file, source, stated, warn)


def _raw(file: Path, chunk: SampleChunk, like: soundfile.SoundFile) -> soundfile.SoundFile:
    endian = "BIG" if chunk.big_endian else "LITTLE"
    part = Part(file, chunk.start)
    return soundfile.SoundFile(part, "r", like.samplerate, like.channels, like.subtype, endian, "RAW")


def _uncompressed(file: Path, source: soundfile.SoundFile, stated: int, warn: bool) -> Iterator[Float32Array]:
    decoded = 0
    try:
        for block in _read(source):
            decoded += block.shape[1]
            yield block
    except soundfile.SoundFileError as error:
        if not decoded:
            raise AudioError(f"the sound is damaged ({error})") from error
    if warn:
        _compare(file, decoded / source.samplerate, stated / source.samplerate)


def _read(source: soundfile.SoundFile) -> Iterator[Float32Array]:
    while len(block := source.read(_BLOCK, dtype="float32", always_2d=True)):
        yield np.ascontiguousarray(block.T)


def _ogg_links(file: Path, part: Part, source: soundfile.SoundFile, warn: bool) -> Iterator[Float32Array]:
    """Decode each link of a chain; libsndfile sees one at a time."""
    rate, channels, total = source.samplerate, source.channels, 0.0
    while True:
        decoded = 0
        stream = _read(source)
        if source.samplerate != rate:
            stream = resampled(stream, source.samplerate, rate, source.channels)
        try:
            for block in stream:
                decoded += block.shape[1]
                yield _with_channels(block, channels)
        except soundfile.SoundFileError as error:
            if not total + decoded:
                raise AudioError(f"the sound is damaged ({error})") from error
        total += decoded / rate
        following = _next_link(part)
        if following is None:
            stated = total - decoded / rate + source.frames / source.samplerate  # by the last page
            if warn and not _compare(file, total, stated) and not _ended(part):
                _log.warning(_BREAKS_OFF, file, total)
            return
        part = Part(file, following)
        try:
            source = soundfile.SoundFile(part)
        except soundfile.SoundFileError:
            if warn:
                _log.warning(_BREAKS_OFF, file, total)
            return


def _next_link(part: Part) -> int | None:
    """Return the place in the file where a link of a chain begins, from what is decoded of the one before on."""
    place = max(part.tell() - _READ_AHEAD, 1)
    part.seek(place)
    held = b""
    while block := part.read(1 << 16):
        held += block
        found = re.search(rb"OggS\0[\2\3\6\7]", held)  # a page that begins a stream
        if found:
            return part.start + place + found.start()
        place, held = place + len(held) - 5, held[-5:]
    return None


def _ended(part: Part) -> bool:
    """Whether the last page of an Ogg says that it is the last; they have 64 KiB at most."""
    part.seek(max(part.size - (1 << 17), 0))
    content = part.read()
    return bool(content[content.rfind(b"OggS") :][5:6] >= b"\4")


def _with_channels(block: Float32Array, channels: int) -> Float32Array:
    return block if len(block) == channels else np.repeat(block.mean(0, keepdims=True), channels, axis=0)


def _open_by_ffmpeg(file: Path, stack: ExitStack, warn: bool) -> tuple[int, int, Iterator[Float32Array]]:
    container = stack.enter_context(opened(file, AudioError))
    if not container.streams.audio:
        raise AudioError("has no sound; give a file with an audio track")
    stream = container.streams.audio[0]
    rate, channels = getattr(stream, "rate", 0), getattr(stream, "channels", 0)  # which an unknown codec lacks
    return rate, channels, _by_ffmpeg(file, container, stream, warn)


def _by_ffmpeg(file: Path, container: InputContainer, stream: AudioStream, warn: bool) -> Iterator[Float32Array]:
    """Decode to the end; a damaged packet between others is silence, so that what follows keeps its time."""
    rate, channels = stream.rate, stream.channels
    decoded = silent = lost = 0
    for block in _decoded(container, stream):
        if isinstance(block, float):
            lost += round(block * rate)
            continue
        if lost and decoded:
            yield np.zeros((channels, lost), np.float32)
            decoded, silent = decoded + lost, silent + lost
        decoded, lost = decoded + block.shape[1], 0
        yield block
    if not decoded:
        raise AudioError(f"{'the sound is damaged from its start' if lost else 'holds no sound'}; export it again")
    if not warn:
        return
    stated = _stated(file, container, stream)
    if stated is None and lost:
        _log.warning(_BREAKS_OFF, file, decoded / rate)
    elif not _compare(file, decoded / rate, stated) and silent > _SLACK * rate:
        _log.warning("%s: is damaged; %.1f s of it cannot be decoded and are silent", file, silent / rate)


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[Float32Array | float]:
    """Yield blocks of sound, and in place of what cannot be decoded its seconds."""
    planar, reached = _Planar(stream), 0.0
    packets = container.demux(stream)
    while True:
        packet = None
        try:
            packet = next(packets, None)
            frames = [frame for frame in (packet.decode() if packet else []) if isinstance(frame, AudioFrame)]
            parts = [part for frame in frames for part in planar(frame)]
            if container.format.name == "flac" and frames:  # whose frames are numbered; damaged ones just lack
                start = frames[0].time or reached
                if start - reached > 1 / stream.rate:
                    yield min(start - reached, _LONGEST_LOSS)
                reached = start + sum(frame.samples for frame in frames) / stream.rate
        except DAMAGE:
            length = packet.duration * packet.time_base if packet and packet.duration and packet.time_base else 1
            yield min(float(length), _LONGEST_LOSS)
            parts = []
        if packet is None:  # the end, or damage behind which FFmpeg finds no packet
            return
        yield from parts


class _Planar:
    """Turns what FFmpeg decodes into blocks of the stream's channels and rate, even where a link of a chain differs."""

    def __init__(self, stream: AudioStream) -> None:
        self.rate, self.layout = stream.rate, stream.layout
        self.resampler = av.AudioResampler("fltp", self.layout, self.rate)
        self.takes: tuple[str, str, int] | None = None

    def __call__(self, frame: AudioFrame) -> Iterator[Float32Array]:
        takes = (frame.format.name, frame.layout.name, frame.sample_rate)
        if takes != self.takes is not None:
            self.resampler = av.AudioResampler("fltp", self.layout, self.rate)
        self.takes = takes
        # Encoders such as AAC begin with priming samples, which the container places before time 0.
        early = -round(frame.time * self.rate) if frame.time is not None and frame.time < 0 else 0
        for part in self.resampler.resample(frame):
            samples = part.to_ndarray().astype(np.float32, copy=False)[:, early:]
            if samples.shape[1]:
                yield samples


def _stated(file: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """Return the seconds that the header states, if it does."""
    if container.format.name == "mp3":
        return _stated_by_mp3(file, stream.rate)
    if container.format.name not in _STATED:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # That of the whole file may be that of its pictures.
    return container.duration / av.time_base if container.duration and not container.streams.video else None


def _stated_by_mp3(file: Path, rate: int) -> float | None:
    """Read the number of frames that encoders of MP3 write into the first frame (Xing, Info)."""
    with Part(file) as part:
        head = part.read(10)
        if head[:3] == b"ID3":  # a tag, whose length is written in four times seven bits
            part.seek(10 + sum(byte << 7 * place for place, byte in enumerate(reversed(head[6:10]))))
        else:
            part.seek(0)
        found = re.search(rb"(?:Xing|Info)\0{3}[\1\3\5\7\x09\x0b\x0d\x0f](....)", part.read(1 << 12), re.DOTALL)
    return int.from_bytes(found[1], "big") * (1152 if rate >= 32_000 else 576) / rate if found else None


def _compare(file: Path, there: float, stated: float | None) -> bool:
    """Log a line if there are not as many seconds of sound as are stated; return whether there was cause."""
    if stated is None or abs(there - stated) <= _SLACK:
        return False
    if there < stated:
        _log.warning(
            "%s: breaks off after %.1f s of the %.1f s that its header states; only that part is used",
            file,
            there,
            stated,
        )
    else:
        _log.warning(
            "%s: header and file disagree: %.1f s are stated, %.1f s are there; all of it is used", file, stated, there
        )
    return True
