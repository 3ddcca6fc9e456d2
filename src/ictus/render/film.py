"""Films: a drawn motion and its sound in one mp4."""

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, TypeVar

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ictus.audio import Audio
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.motion import Motion
from ictus.render.render_options import check_size
from ictus.render.scene import Scene
from ictus.render.shapes import Rectangle, around, inside
from ictus.render.soundtrack import soundtrack
from ictus.render.theme import Image
from ictus.types import Float32Array, Progress

Item = TypeVar("Item")
Packets: TypeAlias = "list[Packet[AudioStream]]"

_AHEAD = 6  # frames, or seconds of sound, that are ready before they are needed
_BIT_RATE = 160_000


def film(
    motion: Motion | Sequence[Motion],
    audio: Audio | str | os.PathLike[str] | None,
    path: str | os.PathLike[str],
    *,
    fps: float = 30,
    size: tuple[int, int] = (600, 600),
    theme: str = "dark",
    captions: Sequence[str] | None = None,
    title: str | None = None,
    together: bool = False,
    progress: Progress | None = None,
) -> None:
    """Film one motion, or several side by side or on one stage, with their sound.

    The film is as long as its longest motion; the sound is cut, or followed by silence, to that length. Neither frames
    nor sound are kept in memory: a film of an hour needs no more than one of a minute.

    Parameters
    ----------
    audio : the sound, a sound file, or None for a silent film.
    path : an .mp4 file (H.264 and, with sound, AAC). It is written whole or not at all.
    fps : frames per second; motions at another rate are resampled.
    size : width and height of each stage's picture in pixels, both even.
    theme : "dark" or "light".
    captions : a line below each stage.
    title : a line above all.
    together : whether all motions are on one stage.
    progress : called now and then with the fraction of the film that is done.

    Raises
    ------
    UsageError
        If the size is odd or too small, the suffix is not .mp4, the theme is unknown, or the captions do not match.
    IctusError
        If the film cannot be written or encoded, or the sound not read.
    """
    motions = [motion] if isinstance(motion, Motion) else list(motion)
    _check(motions, path, size, fps)
    motions = [one.resample(fps) for one in motions]
    scene = Scene(motions, size=size, theme=theme, captions=captions, title=title, together=together)
    with writing(path) as temporary:
        try:
            _encode(scene, audio, temporary, progress)
        except IctusError:
            raise
        except (av.FFmpegError, UnknownCodecError) as error:
            raise IctusError(f"{path}: the film could not be encoded ({_sentence(error)}); nothing was kept") from error


def _check(motions: Sequence[Motion], path: str | os.PathLike[str], size: tuple[int, int], fps: float) -> None:
    if Path(path).suffix.lower() != ".mp4":
        raise UsageError(f"{path}: films are .mp4 files; give a name that ends in .mp4")
    check_size(size)
    if not 1 <= fps <= 240:
        raise UsageError(f"a film cannot have {fps:g} frames per second; give 1 to 240")
    if not motions:
        raise UsageError("there is nothing to film; give at least one motion")


def _encode(scene: Scene, audio: Audio | str | os.PathLike[str] | None, path: Path, progress: Progress | None) -> None:
    # An absolute path, for FFmpeg takes what stands before a colon for a protocol.
    with av.open(str(path.absolute()), "w", options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, scene)
        sound: Iterator[Packets] = iter(())
        if audio is not None:
            rate, blocks = soundtrack(audio, scene.frames / scene.fps)
            sound = _sound_packets(_audio_stream(container, rate), blocks)
        container.start_encoding()
        # Three things go on at once: drawing, encoding the sound, and here the picture.
        with _small_pictures(), closing(_ahead(_pictures(scene))) as pictures, closing(_ahead(sound)) as sounds:
            packets = next(sounds, None)
            for number, picture in enumerate(pictures, 1):
                while packets and _seconds(packets[0]) * scene.fps < number:
                    container.mux(packets)
                    packets = next(sounds, None)
                container.mux(video.encode(picture))
                if progress and (number % 8 == 0 or number == scene.frames):
                    progress(number / scene.frames)
            container.mux(video.encode(None))
            while packets:
                container.mux(packets)
                packets = next(sounds, None)


def _video_stream(container: OutputContainer, scene: Scene) -> VideoStream:
    rate = Fraction(scene.fps).limit_denominator(1001)
    # Flat drawings need no slow search. Fine key frames (ipratio) keep the slopes of the backdrop smooth at no cost.
    options = {"preset": "ultrafast", "crf": "28", "x264-params": "ipratio=4"}
    if scene.travels:  # where all of the picture moves, that would smear it; this is no larger
        options = {"preset": "superfast", "crf": "24", "x264-params": "ipratio=2"}
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = scene.width, scene.height, "yuv420p"
    context = stream.codec_context
    context.gop_size = round(4 * rate)  # a player can jump to any 4 seconds
    context.thread_count = min(max((os.cpu_count() or 1) - 1, 1), 4)  # one core draws
    # What OpenCV's conversion yields: BT.601 with limited range, from sRGB primaries.
    context.colorspace, context.color_range, context.color_primaries, context.color_trc = 6, 1, 1, 1
    return stream


def _audio_stream(container: OutputContainer, rate: int) -> AudioStream:
    # Twice as fast as the defaults; without their tricks for low bit rates also closer to the original at this one.
    options = {"aac_coder": "fast", "aac_tns": "0", "aac_is": "0", "aac_pns": "0"}
    stream = container.add_stream("aac", rate=rate, layout="stereo", options=options)
    stream.bit_rate = _BIT_RATE
    return stream


@contextmanager
def _small_pictures() -> Iterator[None]:
    """Keep OpenCV from spreading single frames over threads, which then wait for each other more than they work."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _pictures(scene: Scene) -> Iterator[av.VideoFrame]:
    """Yield the scene's frames as the encoder wants them. Each is used again after `_AHEAD` + 2 others.

    Only what a frame touches, or its memory held before, is converted: the empty stage is there already.
    """
    ring = [av.VideoFrame(scene.width, scene.height, "yuv420p") for _ in range(_AHEAD + 2)]
    planes = [_planes(frame) for frame in ring]
    held: list[list[Rectangle]] = []
    for number, (picture, touched) in enumerate(scene.render()):
        slot = number % len(ring)
        if number < len(ring):
            held.append([(0, 0, scene.width, scene.height)] * len(touched))
        for before, now in zip(held[slot], touched, strict=True):
            _convert(picture, planes[slot], around(before, now))
        held[slot] = touched
        ring[slot].pts = number
        yield ring[slot]


def _convert(picture: Image, planes: list[Image], rectangle: Rectangle) -> None:
    """Convert a part of a BGR picture, widened to whole 2 x 2 blocks, into planes of luma and colour."""
    left, top, right, bottom = rectangle
    left, top, right, bottom = left - left % 2, top - top % 2, right + right % 2, bottom + bottom % 2
    part = picture[inside((left, top, right, bottom))]
    height, width = part.shape[:2]
    if not part.size:
        return
    flat = cv2.cvtColor(part, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    area = height * width
    half = inside((left // 2, top // 2, right // 2, bottom // 2))
    planes[0][inside((left, top, right, bottom))] = flat[:area].reshape(height, width)
    planes[1][half] = flat[area : area * 5 // 4].reshape(height // 2, width // 2)
    planes[2][half] = flat[area * 5 // 4 :].reshape(height // 2, width // 2)


def _planes(frame: av.VideoFrame) -> list[Image]:
    """The frame's own memory, one array (rows, columns) for each plane."""
    return [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    ]


def _sound_packets(stream: AudioStream, blocks: Iterator[Float32Array]) -> Iterator[Packets]:
    done = 0
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
        # With its time given, the encoder's priming samples fall before 0, where players leave them out.
        frame.sample_rate, frame.pts = stream.rate, done
        done += block.shape[1]
        if packets := stream.encode(frame):
            yield packets
    if packets := stream.encode(None):
        yield packets


def _seconds(packet: "Packet[AudioStream]") -> float:
    return float((packet.pts or 0) * packet.time_base)


def _ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the items of an iterator that runs in a thread of its own, a little ahead."""
    end = object()
    with ThreadPoolExecutor(1) as worker:
        try:
            waiting = deque(worker.submit(next, items, end) for _ in range(_AHEAD))
            while (item := waiting.popleft().result()) is not end:
                waiting.append(worker.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            worker.shutdown(wait=True, cancel_futures=True)


def _sentence(error: Exception) -> str:
    """Say in a line what an encoder or the disk complained of, without the temporary file's name."""
    return getattr(error, "strerror", None) or next(iter(str(error).splitlines()), type(error).__name__)
