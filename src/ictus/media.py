"""The one door to FFmpeg for reading: sound and films of real containers, and never what a file only names.

Left to itself, FFmpeg takes a text that lists other files or addresses for music, whatever its suffix, and plays what
is listed. So it is given no path but an open file, may open nothing else, and knows containers alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import av
from av.codec.codec import UnknownCodecError
from av.container import InputContainer

from ictus.errors import IctusError
from ictus.files import readable

# None of these follows what a file names. Playlists and scripts (hls, dash, concat, sdp, lavfi ...) are not among them.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nut,ogg,"
    "oma,rm,shn,tak,truehd,tta,voc,w64,wav,wv"
)
DAMAGE = (av.FFmpegError, UnknownCodecError, OSError, ValueError)  # what FFmpeg raises for what a file holds
_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": ""}


@contextmanager
def opened(path: str | os.PathLike[str], kind: type[IctusError] = IctusError) -> Iterator[InputContainer]:
    """Open a sound file or a film by FFmpeg.

    Raises
    ------
    IctusError
        Of `kind` if the file is missing or empty, or is no container of sound or pictures.
    """
    file = readable(path, kind)
    with file.open("rb") as source:
        try:
            container = av.open(source, "r", metadata_errors="ignore", options=_OPTIONS)
        except av.ArgumentError as error:
            raise kind(f"{file}: names other files, or is of a kind that is not read; give the music itself") from error
        except DAMAGE as error:
            raise kind(f"{file}: no film or sound that can be read; is it really {file.suffix or 'music'}?") from error
        with container:
            yield container
