"""The one door to FFmpeg for reading: sound and films of real containers, and never what a file only names.

Left to itself, FFmpeg takes a text that lists other files or addresses for music, whatever its suffix, and plays what
is listed. So it is given no path but an open file, may open nothing else, and knows containers alone.
"""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.codec.codec import UnknownCodecError
from av.container import InputContainer

from ictus import limits
from ictus.errors import IctusError
from ictus.files import readable

# None of these follows what a file names. Playlists and scripts (hls, dash, concat, sdp, lavfi ...) are not among them.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nut,ogg,"
    "oma,rm,shn,tak,truehd,tta,voc,w64,wav,wv"
)
DAMAGE = (av.FFmpegError, UnknownCodecError, OSError, ValueError)  # what FFmpeg raises for what a file holds
_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "", "max_pixels": str(limits.PIXELS)}


class Part(io.FileIO):
    """A file for decoders, or what it holds from byte `start` on.

    A decoder of a damaged file asks for places before its beginning. Their answer is a number below zero, as in C: an
    exception could not cross the decoder, and would be printed on the screen.
    """

    def __init__(self, path: str | os.PathLike[str], start: int = 0) -> None:
        super().__init__(path)
        self.start = start
        self.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it; see the class for places that are none."""
        place = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}[whence] + offset
        return super().seek(self.start + place) - self.start if 0 <= place < 2**62 else -errno.EINVAL

    def tell(self) -> int:
        """Return the place from `start` on."""
        return super().tell() - self.start

    @property
    def size(self) -> int:
        """Bytes from `start` on."""
        return os.fstat(self.fileno()).st_size - self.start


def check_sound(rate: int, channels: int, kind: type[IctusError] = IctusError) -> None:
    """Raise `kind` if there is no sound of so many samples a second, or channels, that is read (`ictus.limits`)."""
    if not rate or not channels:
        raise kind("the sound is damaged, or of an unknown kind (no sample rate); export it again")
    lowest, highest = limits.SAMPLE_RATES
    if not lowest <= rate <= highest:
        raise kind(f"has {rate} samples a second; sound has {lowest:,} to {highest:,}; export it again")
    if channels > limits.CHANNELS:
        raise kind(f"has {channels} channels of sound; at most {limits.CHANNELS} are read; export a stereo mix of it")


@contextmanager
def opened(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> Iterator[InputContainer]:
    """Open a sound file or a film by FFmpeg.

    Raises
    ------
    IctusError
        Of `kind` if the file is missing or empty, or is no container of sound or pictures.
    """
    file = readable(path, kind)
    with Part(file) as source:
        try:
            container = av.open(source, "r", metadata_errors="ignore", options=_OPTIONS)
        except av.ArgumentError as error:
            raise kind(f"{file}: names other files, or is of a kind that is not read; give the music itself") from error
        except DAMAGE as error:
            raise kind(f"{file}: no film or sound that can be read; is it really {file.suffix or 'music'}?") from error
        with container:
            for video in container.streams.video:
                if video.codec_context is None:
                    raise kind(f"{file}: holds pictures of an unknown kind; export it again")
                video.codec_context.options = {"max_pixels": str(limits.PIXELS)}
            yield container
