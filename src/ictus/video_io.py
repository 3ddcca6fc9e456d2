"""Films by time: how long they last, their pictures at a steady rate, and their sound beside them.

Second 0 of a film is its first picture. Nothing is counted in frames of the file, whose rate may vary, and nothing but
a few pictures or seconds of sound is in memory at once.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import soxr
from av.container import InputContainer, OutputContainer
from av.video.frame import PictureType

from ictus.audio import Audio
from ictus.downmix import Downmix
from ictus.errors import IctusError
from ictus.files import readable, reading, writing
from ictus.media import DAMAGE, check_sound, opened
from ictus.types import Float32Array, Float64Array

SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".m4v")
_USUAL_RATE, _USUAL_SOUND = 25.0, 22_050  # pictures and samples a second, those of Solos
_JUMP = 0.05  # seconds by which timestamps of sound may be off before they are believed; containers round them
_MAX_LACK = 1.0  # seconds by which a file may be shorter than its header says
_NOTHING = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Film:
    """What the headers of a film state, in seconds after its first picture.

    Attributes
    ----------
    times : (N,) of each picture, as it is shown; they need not be evenly spaced.
    seconds : end of the last picture.
    sound_seconds : end of the sound; 0 where there is none.
    origin : the timestamp of the first picture, which need not be 0.
    size : width and height of the pictures in pixels.
    declared : the length in the header; 0 if it is not there.
    """

    file: Path
    times: Float64Array
    seconds: float
    sound_seconds: float
    origin: float
    size: tuple[int, int]
    declared: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether the file is as long as its header says; where a download broke off, it is not."""
        return self.declared - max(self.seconds, self.sound_seconds) < _MAX_LACK

    @property
    def rate(self) -> float:
        """Pictures a second, on average."""
        return len(self.times) / self.seconds


def probe(path: str | os.PathLike[str], *, silent: bool = False) -> Film:
    """Read the times of a film; only its first picture is decoded.

    Parameters
    ----------
    silent : whether it may have no sound.

    Raises
    ------
    IctusError
        If the file is missing, no film or damaged from its start, or has no pictures or no sound.
    """
    file = readable(path)
    with opened(file) as container:
        if not container.streams.video:
            raise IctusError(f"{file}: has no pictures; give a film")
        if not container.streams.audio and not silent:
            raise IctusError(f"{file}: has no sound; fetch it with its sound")
        for sound in container.streams.audio[:1]:
            with reading(file):
                check_sound(getattr(sound, "rate", 0), getattr(sound, "channels", 0))
        times_shown, lasts, sound_end = _timestamps(file, container)
        declared = (container.duration or 0) / av.time_base
    if not times_shown:
        raise IctusError(f"{file}: holds no pictures; fetch it again")
    if sound_end is None and not silent:
        raise IctusError(f"{file}: holds no sound; fetch it again")
    times = np.unique(times_shown)
    origin = float(times[0])
    if lasts <= 0:  # not all containers hold how long a picture is shown
        lasts = float(np.median(np.diff(times))) if len(times) > 1 else 1 / _USUAL_RATE
    first = next(_decoded(file, origin), None)
    if first is None:
        raise IctusError(f"{file}: none of its pictures can be decoded; fetch it again")
    size = (first[1].width, first[1].height)
    end = 0.0 if sound_end is None else sound_end - origin
    return Film(file, times - origin, float(times[-1]) - origin + lasts, end, origin, size, declared)


def video_frames(
    film: Film,
    fps: float = _USUAL_RATE,
    *,
    start: float = 0.0,
    end: float | None = None,
    damaged: Callable[[float], None] | None = None,
) -> Iterator[av.VideoFrame]:
    """Yield the pictures of a film at a steady rate: at each instant the one whose time is nearest.

    There are `seconds` times `fps` of them, rounded. One that stands for several instants is yielded several times.
    Pictures that the file says are to be shown turned, as those of telephones, are turned.

    Parameters
    ----------
    start, end : seconds; only the instants from one to before the other.
    damaged : called with the time, in seconds, behind which something cannot be decoded; the pictures go on, those
        beside the gap standing for it. Without it, damage raises.

    Raises
    ------
    IctusError
        If the film is damaged; the message says from where on.
    """
    count = round(min(film.seconds, film.seconds if end is None else end) * fps)
    given, before = round(start * fps), None
    for time, frame in _decoded(film.file, film.origin, given / fps, damaged):
        while before is not None and given < count and 2 * given / fps < before[0] + time:
            yield before[1]
            given += 1
        if given >= count:
            return
        before = time, frame
    while before is not None and given < count:
        yield before[1]
        given += 1


def sound_blocks(film: Film, rate: int = _USUAL_SOUND, stretch: float = 1.0) -> Iterator[Float32Array]:
    """Yield the sound of a film as blocks (n,) of one channel, from its first picture on.

    Where the sound begins later there is silence, and so there is where its timestamps leave a gap.

    Parameters
    ----------
    rate : samples a second.
    stretch : how fast it is played, its pitch kept; at 0.86, second 8.6 of the film is second 10 of the sound.

    Raises
    ------
    IctusError
        If the sound is damaged; the message says from where on.
    """
    blocks = _resampled_sound(film, rate)
    return blocks if stretch == 1 else time_stretched(blocks, rate, stretch)


def time_stretched(blocks: Iterable[Float32Array], rate: int, stretch: float) -> Iterator[Float32Array]:
    """Yield blocks (n,) of sound that is played `stretch` times as fast, from 0.5 to 2, its pitch kept.

    By overlapping similar pieces of the waveform (FFmpeg's atempo, with which Solos was stretched), so that onsets stay
    sharp, other than in a phase vocoder.
    """
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
    tempo, sink = graph.add("atempo", f"{stretch:.6f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()

    def ready() -> Iterator[Float32Array]:
        while True:
            try:
                frame = sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            if isinstance(frame, av.AudioFrame):
                yield frame.to_ndarray()[0].astype(np.float32)

    done = 0
    for block in blocks:
        if not len(block):
            continue
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[None]), format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, done, Fraction(1, rate)
        done += len(block)
        source.push(frame)
        yield from ready()
    source.push(None)
    yield from ready()


def fixed_blocks(blocks: Iterable[Float32Array], length: int) -> Iterator[Float32Array]:
    """Cut a stream of blocks (n,) into pieces (length,); the last may be shorter."""
    held: list[Float32Array] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        while count >= length:
            joined = np.concatenate(held)
            yield joined[:length]
            held, count = [joined[length:]], count - length
    if count:
        yield np.concatenate(held)


def write_film(path: str | os.PathLike[str], frames: Iterable[av.VideoFrame], fps: float, audio: Audio | None) -> None:
    """Write pictures, and sound if there is any, as an .mp4 (H.264 and AAC), all or nothing.

    A side of odd length loses a pixel.

    Raises
    ------
    IctusError
        If there is no picture, or it cannot be written.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise IctusError(f"{path}: there are no pictures to write")
    rate = Fraction(fps).limit_denominator(1001)
    # An absolute path, for FFmpeg takes what stands before a colon for a protocol.
    with (
        writing(path) as temporary,
        _damage(Path(path), "the film could not be encoded"),
        av.open(str(temporary.absolute()), "w", options={"movflags": "+faststart"}) as container,
    ):
        _encode(container, (first.width, first.height), chain((first,), frames), rate, audio)


def _encode(
    container: OutputContainer,
    size: tuple[int, int],
    frames: Iterable[av.VideoFrame],
    rate: Fraction,
    audio: Audio | None,
) -> None:
    video = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "20"})
    video.width, video.height, video.pix_fmt = size[0] - size[0] % 2, size[1] - size[1] % 2, "yuv420p"
    if audio is not None:
        _encode_sound(container, audio)
    for number, frame in enumerate(frames):
        picture = frame.reformat(video.width, video.height, "yuv420p")
        picture.pts, picture.time_base, picture.pict_type = number, 1 / rate, PictureType.NONE
        container.mux(video.encode(picture))
    container.mux(video.encode(None))


def _encode_sound(container: OutputContainer, audio: Audio) -> None:
    track = container.add_stream("aac", rate=audio.rate, layout="mono")
    samples = np.ascontiguousarray(audio.mono().samples)
    for start in range(0, samples.shape[1], audio.rate):
        part = np.ascontiguousarray(samples[:, start : start + audio.rate])
        block = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        # With its time given, the encoder's priming samples fall before 0, where players leave them out.
        block.sample_rate, block.pts = audio.rate, start
        container.mux(track.encode(block))
    container.mux(track.encode(None))


def _timestamps(file: Path, container: InputContainer) -> tuple[list[float], float, float | None]:
    """Return when the pictures are shown, for how long the last of them is, and when the sound ends, if there is any.

    Where the file breaks off, that is its end.
    """
    picture, sounds = container.streams.video[0], container.streams.audio[:1]
    shown: list[float] = []
    last, lasts, sound_end = -np.inf, 0.0, None
    packets = container.demux(picture, *sounds)
    while True:
        try:
            packet = next(packets, None)
        except DAMAGE as error:
            if shown and (sound_end is not None or not sounds):
                break
            raise IctusError(f"{file}: is damaged from its start; fetch it again") from error
        if packet is None:
            break
        if packet.pts is None or packet.is_discard or not packet.time_base:
            continue
        begin, length = float(packet.pts * packet.time_base), float((packet.duration or 0) * packet.time_base)
        if packet.stream_index != picture.index:
            sound_end = max(sound_end or 0.0, begin + length)
            continue
        shown.append(begin)
        if begin > last:
            last, lasts = begin, length
    return shown, lasts, sound_end


def _decoded(
    file: Path, origin: float, start: float = 0.0, damaged: Callable[[float], None] | None = None
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield each picture, upright, and its time after the first, from the last before `start` on or earlier."""
    last = 0.0
    with opened(file) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if start > 0 and stream.time_base:
            with suppress(*DAMAGE):  # where there is no index, the film runs from its beginning
                container.seek(int((origin + start) / stream.time_base), stream=stream)
        packets = container.demux(stream)
        while True:
            try:
                with _damage(file, f"its pictures are damaged after {last:.1f} s"):
                    packet = next(packets, None)
            except IctusError:
                if damaged is None:
                    raise
                packet = None
                damaged(last)
            if packet is None:
                return
            try:
                with _damage(file, f"its pictures are damaged after {last:.1f} s"):
                    frames = packet.decode()
            except IctusError:
                if damaged is None:
                    raise
                damaged(last)
                continue
            for frame in frames:
                if isinstance(frame, av.VideoFrame) and frame.time is not None:
                    last = frame.time - origin
                    yield last, _upright(frame)


def _upright(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the picture as it is to be shown: telephones film sideways, and say so in the file."""
    turns = round(frame.rotation / 90) % 4  # quarters, against the clock
    if not turns:
        return frame
    turned = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns), np.uint8)
    upright = av.VideoFrame.from_ndarray(turned, format="rgb24")
    upright.pts, upright.time_base = frame.pts, frame.time_base
    return upright


def _resampled_sound(film: Film, rate: int) -> Iterator[Float32Array]:
    """Yield the sound as blocks (n,) at a rate, by its timestamps."""
    resampler: soxr.ResampleStream | None = None
    for source_rate, block in _placed(film):
        if source_rate == rate:
            yield block
            continue
        resampler = resampler or soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality="HQ")
        yield resampler.resample_chunk(block)
    if resampler:
        yield resampler.resample_chunk(_NOTHING, last=True)


def _placed(film: Film) -> Iterator[tuple[int, Float32Array]]:
    """Yield the file's sample rate and its sound as one channel, from the first picture on, without gaps."""
    done, channel = 0, _instead_of_mean(film)
    for rate, time, block in _decoded_sound(film):
        samples = block.mean(0) if channel is None else block[channel]
        place = done if time is None else round((min(time - film.origin, film.sound_seconds)) * rate)
        if done and abs(place - done) <= _JUMP * rate:
            place = done
        while done < place:
            silence = np.zeros(min(place - done, rate), np.float32)
            yield rate, silence
            done += len(silence)
        if len(samples := samples[done - place :]):
            yield rate, samples
            done += len(samples)


def _instead_of_mean(film: Film) -> int | None:
    """Return the channel to take where the mean of all cancels them out; only who knows all the sound can say."""
    downmix = Downmix()
    try:
        for _, _, block in _decoded_sound(film):
            if len(block) == 1:
                return None
            downmix(block)
    except IctusError:  # which is raised again where the sound is used, if it is used so far
        pass
    return downmix.channel


def _decoded_sound(film: Film) -> Iterator[tuple[int, float | None, Float32Array]]:
    """Yield the file's sample rate, and time and samples (channels, n) of each piece of its sound."""
    done = 0
    with opened(film.file) as container:
        stream = container.streams.audio[0]
        rate = stream.rate
        with _damage(film.file, "its sound is damaged from its start"):
            planar = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
        frames = container.decode(stream)
        while True:
            with _damage(film.file, f"its sound is damaged after {done / max(rate, 1):.1f} s"):
                frame = next(frames, None)
                parts = planar.resample(frame) if frame is not None else []
            if frame is None:
                return
            nothing = np.zeros((stream.channels, 0), np.float32)
            block = np.concatenate([nothing, *(part.to_ndarray() for part in parts)], 1)
            done += block.shape[1]
            yield rate, frame.time, block


@contextmanager
def _damage(file: Path, what: str) -> Iterator[None]:
    """Turn errors of FFmpeg in the block into a line."""
    try:
        yield
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise IctusError(f"{file}: {what} ({reason})") from error
