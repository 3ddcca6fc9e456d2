"""Where the samples of an uncompressed sound file really lie, whatever its header says of their length.

Programs that record write the length last. Where they were stopped, or wrote to a pipe, the header says 0, the most
there can be, or what was there at some moment before; and a download that broke off holds less than its header says.
"""

import struct
from dataclasses import dataclass

from ictus.media import Part

_CHUNKS = 10_000  # that may stand before the samples; real files have a dozen


@dataclass(frozen=True)
class _Layout:
    """How a format lays out its chunks: identifier, length, content."""

    length: str  # as of `struct`
    first: int = 12  # byte at which the first chunk stands
    name: int = 4  # bytes of an identifier
    data: bytes = b"data"  # identifier of the samples
    lead: int = 0  # bytes in that chunk before the samples
    even: int = 2  # chunks begin at multiples of this


_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_LAYOUTS = {
    b"RIFF": _Layout("<I"),
    b"RIFX": _Layout(">I"),
    b"RF64": _Layout("<I"),
    b"BW64": _Layout("<I"),
    b"FORM": _Layout(">I", data=b"SSND", lead=8),
    b"caff": _Layout(">q", first=8, lead=4, even=1),
    b"riff": _Layout("<Q", first=40, name=16, data=b"data" + _GUID, even=8),  # Sony's Wave64
}


@dataclass(frozen=True)
class SampleChunk:
    """The chunk that holds the samples.

    Attributes
    ----------
    start : byte at which they begin.
    stated : bytes of them by the header; None if it does not say.
    there : bytes from `start` to the end of the file.
    followed : whether other chunks stand where the header says the samples end.
    big_endian : whether they are.
    """

    start: int
    stated: int | None
    there: int
    followed: bool
    big_endian: bool


def sample_chunk(file: Part) -> SampleChunk | None:
    """Find the samples of a WAV, RF64, Wave64, AIFF, CAF or AU file; None if it is none of these or is damaged."""
    try:
        file.seek(0)
        magic = file.read(4)
        if magic == b".snd":
            start, stated = struct.unpack(">II", file.read(8))
            return SampleChunk(start, stated if stated < 2**32 - 1 else None, file.size - start, False, True)
        return _found(file, _LAYOUTS[magic]) if magic in _LAYOUTS else None
    except struct.error:  # the file ends before its samples
        return None
    finally:
        file.seek(0)


def _found(file: Part, layout: _Layout) -> SampleChunk | None:
    place, long, big = layout.first, None, layout.length[0] == ">"
    for _ in range(_CHUNKS):
        name, length = _chunk(file, place, layout)
        content = place + layout.name + struct.calcsize(layout.length)
        if name == layout.data:
            start, stated = content + layout.lead, max((length if long is None else long) - layout.lead, 0)
            if layout.length == ">q" and length < 0:  # the way of CAF to say that it goes on to the end
                return SampleChunk(start, None, file.size - start, False, big)
            return SampleChunk(start, stated, file.size - start, _followed(file, start + stated, layout), big)
        if name == b"ds64":  # RF64 has the lengths of 64 bits here
            _, long = struct.unpack("<QQ", file.read(16))
        elif name == b"COMM":
            big = file.read(22)[18:] != b"sowt"
        elif name == b"desc":
            big = not struct.unpack(">I", file.read(16)[12:])[0] & 2
        place = content + max(length, 0)
        place += -place % layout.even
    return None


def _chunk(file: Part, place: int, layout: _Layout) -> tuple[bytes, int]:
    """Read identifier and length of the content of the chunk at a place. Raises struct.error at the file's end."""
    file.seek(place)
    name = file.read(layout.name)
    (length,) = struct.unpack(layout.length, file.read(struct.calcsize(layout.length)))
    return name, length - 24 if layout.name == 16 else length


def _followed(file: Part, end: int, layout: _Layout) -> bool:
    """Whether a chunk begins at the end of the samples; not every program pads to an even place."""
    for place in (end + -end % layout.even, end):
        try:
            name, length = _chunk(file, place, layout)
        except struct.error:
            continue
        if name[:4].isascii() and name[:4].decode().isprintable() and 0 <= length <= file.size - place:
            return True
    return False
