"""XML as a stream: only the elements that are wanted are ever held, one after another, and only within bounds.

No entities and no attributes may be declared in the file, so that none can grow; external ones are never fetched.
"""

from collections.abc import Collection, Iterator
from xml.etree.ElementTree import Element
from xml.parsers import expat

from ictus.errors import IctusError
from ictus.files import short

TEXT = 1000  # letters of one element; what is beyond is dropped
_ELEMENTS = 3_000_000  # four times those of the longest symphony
_DEPTH = 64
_HELD = 1 << 22  # bytes of one wanted element, such as a bar
_NAMES = 10_000  # of elements and attributes
_BLOCK = 1 << 16  # bytes


def stream(text: bytes, root: str, wanted: Collection[str]) -> Iterator[tuple[Element, ...]]:
    """Give the elements called `wanted`, each as it closes, with those it stands in: the root first, itself last.

    Those it stands in have their attributes only. Names come without namespaces.

    Raises
    ------
    IctusError
        If this is no XML, another root than `root` opens it, or it passes a bound.
    """
    collector = _Collector(root, wanted)
    for start in range(0, len(text) + 1, _BLOCK):
        yield from collector.feed(text[start : start + _BLOCK], start + _BLOCK > len(text))


class _Collector:
    def __init__(self, root: str, wanted: Collection[str]) -> None:
        self._root, self._wanted = root, wanted
        self._names: dict[str, str] = {}
        self._open: list[Element] = []
        self._found: list[tuple[Element, ...]] = []
        self._count, self._fed, self._inside, self._begun = 0, 0, 0, 0
        self._parser = parser = expat.ParserCreate(intern=self._names)
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = parser.AttlistDeclHandler = self._declared

    def feed(self, block: bytes, last: bool) -> list[tuple[Element, ...]]:
        try:
            self._parser.Parse(block, last)
        except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that nobody knows
            raise IctusError(f"no MusicXML, or a damaged one ({short(error)}); export it again") from error
        self._fed += len(block)
        if len(self._names) > _NAMES or self._fed - self._parser.CurrentByteIndex > _HELD:
            raise IctusError("is XML, but of no score: it has too many names, or too long ones")
        found, self._found = self._found, []
        return found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        tag = tag.rpartition(":")[2]
        if not self._open and tag != self._root:
            raise IctusError(f"is {short(tag)!r}, not {self._root!r}; export it again as MusicXML by parts")
        if self._count > _ELEMENTS or len(self._open) > _DEPTH:
            raise IctusError(f"holds more than {_ELEMENTS} elements, or {_DEPTH} in each other; no piece does")
        element, place = Element(tag, attributes), self._parser.CurrentByteIndex
        if self._inside or tag in self._wanted:
            if self._inside:
                self._open[-1].append(element)
            else:
                self._begun = place
            if place - self._begun > _HELD:
                raise IctusError(f"has a {self._open[-self._inside].tag} of more than {_HELD >> 20} MiB; no piece has")
            self._inside += 1
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._inside -= self._inside > 0
        if self._open[-1].tag in self._wanted and not self._inside:
            self._found.append(tuple(self._open))
        self._open.pop()

    def _text(self, text: str) -> None:
        if self._inside and not len(self._open[-1]):
            self._open[-1].text = ((self._open[-1].text or "") + text)[:TEXT]

    def _declared(self, *declaration: object) -> None:
        raise IctusError("declares entities or attributes of its own; export it again as plain MusicXML")
