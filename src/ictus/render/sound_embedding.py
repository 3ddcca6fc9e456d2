"""Sound inside a page: a small file that every browser plays, and the picture of its loudness."""

import base64
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
import soxr
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from numpy.typing import NDArray

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.render.soundtrack import soundtrack
from ictus.types import Float32Array, Progress

_RATE = 48000  # Opus has no other
_BIT_RATE = 96_000
_SHOWN = 60.0  # seconds: what a notebook holds of a sound, 1 MB at most


@dataclass(frozen=True)
class EmbeddedSound:
    """A sound as text.

    Attributes
    ----------
    type : its MIME type.
    data : WebM with Opus in base 64. Chromium and Firefox decode Opus themselves, wherever they run, and WebM says
        them how many samples the encoder has put before the sound, and where each packet belongs: they start and seek
        to the sample. (Chromium seeks in MP3 by guessing, and Firefox on Linux borrows its AAC from the system.)
    peaks : (N,) uint8, the loudest sample of each stretch, 255 for the loudest of all.
    """

    type: str
    data: str
    peaks: NDArray[np.uint8]


def embedded(
    audio: Audio | str | os.PathLike[str],
    seconds: float,
    *,
    stretches: int = 1200,
    progress: Progress | None = None,
) -> EmbeddedSound:
    """Encode the first `seconds` of a sound; what is missing there is silence.

    Raises
    ------
    AudioError
        If a file cannot be read.
    IctusError
        If the sound cannot be encoded.
    """
    rate, blocks = soundtrack(audio, seconds)
    file = io.BytesIO()
    loudest = np.zeros(stretches, np.float32)
    done, count = 0, max(round(seconds * _RATE), 1)
    try:
        with av.open(file, "w", format="webm") as container:
            stream = container.add_stream("libopus", rate=_RATE, layout="stereo")
            stream.bit_rate = _BIT_RATE
            for block in _at_48_khz(blocks, rate):
                stretch = np.minimum((done + np.arange(block.shape[1])) * stretches // count, stretches - 1)
                np.maximum.at(loudest, stretch, np.abs(block).max(0))
                _encode(container, stream, block, done)
                done += block.shape[1]
                if progress:
                    progress(min(done / count, 1.0))
            container.mux(stream.encode(None))
    except (av.FFmpegError, UnknownCodecError) as error:
        raise IctusError("the sound could not be encoded for the page; is PyAV built without Opus?") from error
    peaks = np.rint(255 * loudest / max(float(loudest.max()), 1e-6)).astype(np.uint8)
    return EmbeddedSound("audio/webm", base64.b64encode(file.getvalue()).decode(), peaks)


def player(audio: Audio) -> str:
    """Return HTML with a player and a small waveform, for notebooks: of a long sound the first minute, and so said."""
    seconds = min(audio.duration, _SHOWN)
    sound = embedded(audio, seconds, stretches=240)
    bars = "".join(
        f"M{k + 0.5:g} {20 - loud:.1f}v{2 * loud:.1f}" for k, loud in enumerate(0.5 + sound.peaks / 255 * 18)
    )
    about = f"{audio.duration:.1f} s, {len(audio.samples)} channel{'s' * (len(audio.samples) > 1)}, {audio.rate} Hz"
    about += f"; here the first {seconds:.0f} s" if seconds < audio.duration else ""
    return (
        '<figure style="max-width:480px;margin:0;font:13px system-ui,sans-serif">'
        f'<svg viewBox="0 0 {len(sound.peaks)} 40" preserveAspectRatio="none" role="img" aria-label="waveform" '
        f'style="width:100%;height:40px"><path d="{bars}" stroke="#c9761a" stroke-width="0.7"/></svg>'
        f'<audio controls style="width:100%" src="data:{sound.type};base64,{sound.data}"></audio>'
        f"<figcaption>{about}</figcaption></figure>"
    )


def _encode(container: av.container.OutputContainer, stream: AudioStream, block: Float32Array, done: int) -> None:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout="stereo")
    # With its time given, the encoder's priming samples fall before 0, where players leave them out.
    frame.sample_rate, frame.pts = _RATE, done
    container.mux(stream.encode(frame))


def _at_48_khz(blocks: Iterator[Float32Array], rate: int) -> Iterator[Float32Array]:
    if rate == _RATE:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, _RATE, 2, dtype="float32", quality="HQ")
    for block in blocks:
        if (part := resampler.resample_chunk(np.ascontiguousarray(block.T))).size:
            yield part.T
    if (part := resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True)).size:
        yield part.T
