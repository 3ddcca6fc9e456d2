"""What is done to a good file to make a bad one: bytes, numbers, words, and the insides of the containers that it uses.

A mutator is given the content of a file, a generator of random numbers, and other files of the same kind, and returns
other content. Which mutators fit is seen from the content, so that what lies within a container is changed as it
would be outside: an array in a zip file, the document of a glTF file.
"""

import io
import json
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

Mutator = Callable[[bytes, Random, Sequence[bytes]], bytes]

LARGEST = 1 << 21  # bytes of a mutated file
_NPY, _GLB, _ZIP = b"\x93NUMPY", b"glTF", b"PK\x03\x04"
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_]\w+")
_NUMBERS = (
    *(b"0", b"-1", b"1", b"2", b"255", b"65536", b"2147483648", b"1000000007", b"99999999999999999999", b"9" * 5000),
    *(b"1e999", b"-1e308", b"1e-300", b"1e-9", b"nan", b"NaN", b"inf", b"-Infinity", b"0.5", b"1,5", b"0x10", b"1/0"),
    *(b"true", b"null", b"[]", b"{}", b'""', "\uff11".encode(), b"", b"- 1", b"1 2", b"1_000", b"\x00"),
)
_WORDS = (b"", b"A" * 5000, b"\x1b]0;x\x07\x1b[31m", b"%s%n%x", b"\x00", "é漢\u202e".encode(), b"\xff\xfe", b"../../x")
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        2**64,
        10**30,
        -(10**400),
        0.5,
        1e308,
        1e-300,
        1e-9,
        "nan",
        float("nan"),
    ),
    *(float("inf"), "", "x" * 5000, "\x1b[31m\x07", "\ud800", [], {}, [[]], [1, [2, 3]], {"a": {"a": {}}}, [0] * 5000),
)
_WHOLE = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1)
_DEEP = (b"[", b"{", b'{"a":', b"<a>", b"(", b"- ", b"JOINT x {", b"&x [")
_BOMBS = (
    b"a: &a [x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (k + 1, k + 1, b", ".join([b"*%c" % k] * 9)) for k in range(97, 120)),
    b'<!DOCTYPE x [<!ENTITY a "xxxxxxxxxx">'
    + b"".join(b'<!ENTITY %c "%s">' % (k + 1, b"&%c;" % k * 10) for k in range(97, 110))
    + b"]><x>&n;</x>",
)


def mutated(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Return the content after one to four changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        content = rng.choice(_fitting(content))(content, rng, others)[:LARGEST]
    return content


def _fitting(content: bytes) -> Sequence[Mutator]:
    """Return the mutators for content; those that know its kind several times, as they reach farther."""
    known: list[Mutator] = []
    if content.startswith(_ZIP):
        known = [_zip_members, _zip_members, _zip_members, _zip_directory]
    elif content.startswith(_NPY):
        known = [_npy_header, _npy_header]
    elif content.startswith(_GLB):
        known = [_glb_document, _glb_document]
    elif content.startswith(b"\x80"):
        known = [_pickle_parts, _pickle_parts, _pickle_bomb]
    elif content[8:9] == b"{" and content[2:8] == bytes(6):
        known = [_safetensors_header, _safetensors_header]
    elif content[:1] in (b"{", b"["):
        known = [_json, _json, *_TEXT]
    elif b"\x00" not in content[:200]:
        known = [*_TEXT, *_TEXT]
    return [*known, *_BYTES]


# --- Bytes -----------------------------------------------------------------------------------------------------------


def _flip(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8)) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncate(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    return content[: rng.randint(0, len(content))]


def _insert(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + rng.randbytes(rng.choice((1, 2, 7, 64))) + content[at:]


def _remove(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    start, end = _slice(content, rng)
    return content[:start] + content[end:]


def _repeat(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    start, end = _slice(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 1, 2, 1000)) + content[end:]


def _splice(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return content[: rng.randint(0, len(content))] + other[rng.randint(0, len(other)) :]


def _extreme(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Put an extreme whole number into some bytes, which may be a length; more often near the beginning."""
    width, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    number = rng.choice(_WHOLE) & ((1 << 8 * width) - 1)
    at = rng.randint(0, min(len(content), rng.choice((64, 1024, 1 << 30))))
    return content[:at] + number.to_bytes(width, order) + content[at + width :]


def _slice(content: bytes, rng: Random) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(len(content), start + rng.choice((1, 4, 30, 300, 3000)))


_BYTES: tuple[Mutator, ...] = (_flip, _truncate, _insert, _remove, _repeat, _splice, _extreme, _extreme)


# --- Text ------------------------------------------------------------------------------------------------------------


def _inflate(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Put something else in the place of a number, or of all numbers that are the same."""
    return _replace(content, rng, _NUMBER, rng.choice(_NUMBERS))


def _reword(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    words = _WORD.findall(content[:20_000])
    return _replace(content, rng, _WORD, rng.choice((*_WORDS, rng.choice(words or [b"x"]))))


def _replace(content: bytes, rng: Random, pattern: re.Pattern[bytes], new: bytes) -> bytes:
    found = list(pattern.finditer(content[: rng.choice((1000, 100_000))]))
    if not found:
        return content
    match = rng.choice(found)
    if rng.random() < 0.2:
        return content.replace(match[0], new)
    return content[: match.start()] + new + content[match.end() :]


def _nest(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    at, opened = rng.randint(0, len(content)), rng.choice(_DEEP) * rng.choice((30, 300, 3000, 30_000))
    return content[:at] + opened + content[at:]


def _lines(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Leave out, double or exchange lines; what has none is cut at what stands between its parts."""
    between = next((mark for mark in (b"\n", b">", b",") if mark in content), b" ")
    lines = content.split(between)
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[at : at + 1] = rng.choice(((), (lines[at],) * 2, (lines[other],)))
    return between.join(lines)


def _encode(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    text = content.decode("utf-8", "replace")
    code = rng.choice(("utf-16", "utf-8-sig", "utf-32", "latin-1", "shift_jis", "utf-16-be"))
    return text.encode(code, "replace")


def _bomb(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Put in front, or at a line's end, what unfolds into billions of nodes."""
    at = rng.choice((0, content.find(b"\n") + 1))
    return content[:at] + rng.choice(_BOMBS) + content[at:]


_TEXT: tuple[Mutator, ...] = (_inflate, _inflate, _inflate, _reword, _reword, _nest, _lines, _lines, _encode, _bomb)


# --- Containers ------------------------------------------------------------------------------------------------------


def _json(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Change, double, wrap or leave out a value anywhere in the tree."""
    try:
        tree: Any = json.loads(content)
    except (ValueError, RecursionError):
        return rng.choice(_TEXT)(content, rng, others)
    whole = {"": tree}
    places: list[tuple[Any, Any]] = [(whole, "")]
    node = tree
    while isinstance(node, dict | list) and node and rng.random() < 0.9:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        places.append((node, key))
        node = node[key]
    holder, key = rng.choice(places[1:] or places)
    way = rng.randrange(6)
    if way == 0 and holder is not whole:
        del holder[key]
    elif way == 1:
        holder[key] = [holder[key]] * rng.choice((1, 2, 300))
    elif way == 2 and isinstance(holder, dict):
        holder[rng.choice(("", "x" * 5000, "\x1b[31m", "fps", "extra"))] = holder[key]
    elif way == 3 and isinstance(holder, list):
        holder[:] = holder * rng.choice((0, 2, 50))
    else:
        holder[key] = rng.choice(_VALUES)
    return json.dumps(whole[""]).encode()


def _npy_header(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Change the text of an array's header and let its length agree."""
    length = int.from_bytes(content[8:10], "little")
    head = _inner(
        content[10 : 10 + length], rng, (b"'descr': '|O'", b"'descr': '<U1'", b"'shape': (1000000000, 13, 2)")
    )
    return content[:8] + struct.pack("<H", min(len(head), 65535)) + head[:65535] + content[10 + length :]


def _inner(head: bytes, rng: Random, entries: Sequence[bytes]) -> bytes:
    if rng.random() < 0.3:
        key = rng.choice(entries)
        return re.sub(key.partition(b":")[0] + rb": (?:\([^)]*\)|'[^']*')", lambda _: key, head)
    return rng.choice((_inflate, _reword))(head, rng, (head,))


def _glb_document(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Change the document and let all lengths agree."""
    length = int.from_bytes(content[12:16], "little")
    text, rest = _json(content[20 : 20 + length], rng, others), content[20 + length :]
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", _GLB, 2, 20 + len(text) + len(rest))
    return head + struct.pack("<I", len(text)) + content[16:20] + text + rest


def _safetensors_header(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    length = int.from_bytes(content[:8], "little")
    text = _json(content[8 : 8 + length], rng, others)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _pickle_parts(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Leave out, double or exchange whole operations."""
    try:
        starts = [place for _, _, place in pickletools.genops(content) if place is not None]
    except Exception:
        return _flip(content, rng, others)
    parts = [content[a:b] for a, b in zip(starts, [*starts[1:], len(content)], strict=True)]
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[at : at + 1] = rng.choice(((), (parts[at],) * 2, (parts[other],), (parts[at], rng.choice(_OPERATIONS))))
    return b"".join(parts)


_OPERATIONS = (  # big numbers, marks, the memo far away, strings that promise too much, globals, empty containers
    *(
        b"\x8a\xff" + b"\x7f" * 255,
        b"(",
        b"0",
        b"1",
        b"2",
        b"r\xff\xff\xff\x7f",
        b"j\xff\xff\xff\x7f",
        b"]",
        b"}",
        b")",
    ),
    *(
        b"C\xffx",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"cos\nsystem\n",
        b"R",
        b"b",
        b"\x8f",
        b"a",
        b"s",
        b"u",
        b"e",
    ),
    *(b"\x85", b"\x86", b"K\x00", b"J\xff\xff\xff\xff", b"G\x7f\xf0\x00\x00\x00\x00\x00\x00", b"N", b"\x88", b"\x96"),
    *(
        b"\x97",
        b"h\x00",
        b"Q",
        b"V\\ud800\n",
        b"L9999999999999999999999999L\n",
        b"Fnan\n",
        b"\x82\x01",
        b"\x81",
        b"\x92",
    ),
)


def _pickle_bomb(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Put a nest in which each level holds the one below it several times in the place of the content, or in it."""
    ways = (b"]\x94(h%ch%ch%ce", b"h%ch%c\x86\x94", b"h%ch%ch%c\x87\x94", b"}\x94(K\x01h%cK\x02h%cu")
    way, levels = rng.choice(ways), rng.choice((10, 25, 60))
    bomb = b"]\x94" + b"".join(way.replace(b"%c", bytes([k])) for k in range(levels))
    if rng.random() < 0.5:  # as a key, or as a value
        key = rng.choice((b"\x8c\x0asmpl_poses", b"\x8c\x01x"))
        return b"\x80\x04" + rng.choice((bomb + b".", b"}" + bomb + b"K\x00s.", b"}" + key + bomb + b"s."))
    at = content.rfind(b".")
    return content[:at] + bomb + content[at:]


def _zip_members(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Change, leave out, rename, double or swap members; all sums are right again, so that readers get that far."""
    members = _unzipped(content)
    if not members:
        return _flip(content, rng, others)
    name = rng.choice(list(members))
    way = rng.randrange(8)
    if way == 0:
        del members[name]
    elif way == 1:
        members[rng.choice(("x" * 300, "\x1b[31m", "../x.npy", "", name.upper(), "fps.npy"))] = members.pop(name)
    elif way == 2:
        members[name] = members[rng.choice(list(members))]
    elif way == 3 and rng.random() < 0.2:
        return _zipped({**members, name: b""}, bomb=name)
    else:
        members[name] = mutated(members[name], rng, list(members.values()))
    return _zipped(members)


def _zip_directory(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Change some bytes of the directory at the end."""
    start = max(content.rfind(b"PK\x01\x02"), 0)
    return content[:start] + rng.choice((_flip, _extreme, _extreme))(content[start:], rng, others)


def _unzipped(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist() if info.file_size < LARGEST}
    except Exception:  # damaged by a change before this one
        return {}


def _zipped(members: dict[str, bytes], bomb: str = "") -> bytes:
    """Return a zip file; the member of that name is 700 MB of zeros behind the header of an array of them."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            if name != bomb:
                archive.writestr(name.encode("utf-8", "replace").decode(), content)
    return target.getvalue() if not bomb else _with_zeros(target.getvalue(), bomb.encode("utf-8", "replace"))


def _with_zeros(archive: bytes, name: bytes) -> bytes:
    """Add a member of zeros to a zip file by hand, which costs no time."""
    packed, size, check = zeros()
    end = archive.rfind(b"PK\x05\x06")
    count, length, start = struct.unpack_from("<HII", archive, end + 10)
    facts = struct.pack("<HHHHIIIHH", 20, 0, 8, 0, check, len(packed), size, len(name), 0)
    facts = facts[:8] + b"\0\0" + facts[8:]  # the time, which is of no account
    entry = b"PK\x03\x04" + facts + name + packed
    line = b"PK\x01\x02\x14\0" + facts + struct.pack("<HHHII", 0, 0, 0, 0, start) + name
    directory = archive[start : start + length] + line
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory), start + len(entry), 0)
    return archive[:start] + entry + directory + tail


@cache
def zeros(megabytes: int = 700) -> tuple[bytes, int, int]:
    """Return an array of zeros as it lies in an .npy file, deflated; its size; and its check sum."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({megabytes << 18},), }}".ljust(117) + "\n"
    start = _NPY + b"\1\0" + struct.pack("<H", len(head)) + head.encode()
    packer, block, check = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(1 << 20), zlib.crc32(start)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        check = zlib.crc32(block, check)
    return first + again * megabytes + packer.flush(), len(start) + megabytes * len(block), check
