"""Films: a drawn motion and its sound in one mp4."""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np
import soxr
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ictus.audio import Audio, blocks
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.motion import Motion
from ictus.stage.backdrop import Image
from ictus.stage.draw import Scene

Item = TypeVar("Item")
Samples = NDArray[np.float32]
Progress = Callable[[int, int], None]

_QUALITY = {"preset": "ultrafast", "crf": "19"}
_SOUND = {"aac_coder": "fast"}  # three times as fast as the default, and as good at this bit rate
_BIT_RATE = 192_000
_BT601, _LIMITED = 6, 1  # the colours that OpenCV's conversion yields, as FFmpeg numbers them
# Left and right from front left, front right, centre, low frequencies, back left, back right (ITU-R BS.775).
_FROM_SIX = np.array([[1, 0, 0.7071, 0, 0.7071, 0], [0, 1, 0.7071, 0, 0, 0.7071]], np.float32) / 2.4142


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
    progress: Progress | None = None,
) -> None:
    """Film one motion, or several side by side, with their sound.

    The film is as long as its longest motion; the sound is cut or followed by silence to that length. Neither frames
    nor sound are kept in memory: a film of an hour needs no more than one of a minute.

    Parameters
    ----------
    audio : the sound, a sound file, or None for a silent film.
    path : an .mp4 file (H.264 and, with sound, AAC). It is written whole or not at all.
    fps : frames per second; motions at another rate are resampled.
    size : width and height of each motion's picture in pixels, both even.
    theme : "dark" or "light".
    captions : a line below each motion.
    title : a line above all.
    progress : called now and then with the number of frames done and of all frames.

    Raises
    ------
    UsageError
        If the size is odd or not positive, the suffix is not .mp4, the theme unknown, or captions do not match.
    IctusError
        If the film cannot be written or encoded, or the sound not read.
    """
    motions = [motion] if isinstance(motion, Motion) else list(motion)
    _check(path, size, fps, motions)
    scene = Scene([one.resample(fps) for one in motions], size=size, theme=theme, captions=captions, title=title)
    with writing(path) as temporary:
        try:
            _encode(scene, audio, temporary, progress)
        except (av.FFmpegError, cv2.error, ValueError) as error:
            raise IctusError(f"{path}: the film could not be encoded ({error}); nothing was kept") from error


def _check(path: str | os.PathLike[str], size: tuple[int, int], fps: float, motions: Sequence[Motion]) -> None:
    if Path(path).suffix.lower() != ".mp4":
        raise UsageError(f"{path}: films are .mp4 files; give a name that ends in .mp4")
    if any(side < 16 or side % 2 for side in size):
        raise UsageError(f"a film cannot be {size[0]} x {size[1]} pixels; both sides must be even and at least 16")
    if not 1 <= fps <= 240:
        raise UsageError(f"a film cannot have {fps} frames per second; give 1 to 240")
    if not motions or not all(len(one) for one in motions):
        raise UsageError("there is no motion to film; give at least one frame of one motion")


def _encode(scene: Scene, audio: Audio | str | os.PathLike[str] | None, path: Path, progress: Progress | None) -> None:
    sound = None if audio is None else _Sound(audio, scene.frames / scene.fps)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        picture = _picture_stream(container, scene)
        sound_stream = None if sound is None else _sound_stream(container, sound.rate)
        container.start_encoding()
        packets = iter(()) if sound is None else _ahead(_sound_packets(sound, sound_stream), 8)
        with closing(_ahead(_pictures(scene), 4)) as pictures, closing(packets):
            waiting = next(packets, None)
            for number, frame in enumerate(pictures):
                container.mux(picture.encode(frame))
                while waiting is not None and waiting.time
