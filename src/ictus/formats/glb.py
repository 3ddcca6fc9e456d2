"""The container of binary glTF 2.0: a JSON document and, behind it, one block of arrays that it describes."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from ictus.documents import parse_json
from ictus.errors import MotionError
from ictus.formats.json import dumps
from ictus.types import AnyArray, Float64Array

_MAGIC, _VERSION = b"glTF", 2
_JSON, _BINARY = 0x4E4F534A, 0x004E4942
_VERTICES = 34962  # the buffer view's target: attributes of vertices
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_KINDS = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


class Packer:
    """Collects arrays and writes them with the document that refers to them by number."""

    def __init__(self) -> None:
        self._block = bytearray()
        self._views: list[dict[str, Any]] = []
        self._accessors: list[dict[str, Any]] = []

    def add(self, array: AnyArray, *, vertices: bool = False, bounds: bool = False) -> int:
        """Append an array, float32 or uint16, one element per row; return the number of its accessor.

        A matrix goes in row by row, so give it transposed: glTF counts columns first. `bounds` adds the smallest and
        largest element, which the standard asks for vertex positions and for the times of an animation.
        """
        dtype = np.dtype(array.dtype).newbyteorder("<")
        view = {"buffer": 0, "byteOffset": len(self._block), "byteLength": array.nbytes}
        accessor = {
            "bufferView": len(self._views),
            "componentType": next(number for number, code in _COMPONENTS.items() if np.dtype(code) == dtype),
            "count": len(array),
            "type": next(kind for kind, shape in _KINDS.items() if shape == array.shape[1:]),
        }
        if bounds:
            accessor |= {
                name: np.atleast_1d(edge(axis=0)).tolist() for name, edge in (("min", array.min), ("max", array.max))
            }
        self._views.append(view | ({"target": _VERTICES} if vertices else {}))
        self._accessors.append(accessor)
        self._block += array.astype(dtype).tobytes()
        self._block += bytes(-len(self._block) % 4)
        return len(self._accessors) - 1

    def save(self, path: Path, document: dict[str, Any]) -> None:
        """Write the file; the document needs no buffers, bufferViews and accessors of its own."""
        arrays = {
            "buffers": [{"byteLength": len(self._block)}],
            "bufferViews": self._views,
            "accessors": self._accessors,
        }
        text = dumps(document | arrays).encode()
        text += b" " * (-len(text) % 4)
        chunks = b"".join(
            struct.pack("<II", len(chunk), kind) + chunk for chunk, kind in ((text, _JSON), (self._block, _BINARY))
        )
        path.write_bytes(struct.pack("<4sII", _MAGIC, _VERSION, 12 + len(chunks)) + chunks)


class Unpacker:
    """A GLB file's document, and the arrays in it.

    Raises
    ------
    MotionError
        If the file is no GLB, is of another version or cut short.
    """

    def __init__(self, data: bytes) -> None:
        if data[:4] != _MAGIC:
            raise MotionError("is no binary glTF file")
        try:
            _, version, length = struct.unpack_from("<4sII", data)
            if version != _VERSION:
                raise MotionError(f"is glTF version {version}; this program reads version {_VERSION}")
            chunks = _chunks(data, length)
        except struct.error as error:
            raise MotionError("is a binary glTF file that is cut short") from error
        try:
            self.document = parse_json(chunks[_JSON].decode())
        except (KeyError, UnicodeDecodeError) as error:
            raise MotionError("is a binary glTF file without a readable document") from error
        if not isinstance(self.document, dict):
            raise MotionError("is a binary glTF file without a readable document")
        self.block = chunks.get(_BINARY, b"")

    def array(self, number: int) -> Float64Array:
        """Return the array of an accessor, integers scaled to [-1, 1] or [0, 1] if it says so.

        Raises
        ------
        MotionError
            If the array is stored in a way that is not supported.
        KeyError, IndexError, TypeError, ValueError
            If the document is malformed.
        """
        accessor = item(self.document["accessors"], number)
        if "sparse" in accessor or "bufferView" not in accessor:
            raise MotionError("holds sparse arrays, which are not supported; export it without them")
        view = item(self.document["bufferViews"], accessor["bufferView"])
        if "uri" in item(self.document["buffers"], view["buffer"]) or view["buffer"] != 0:
            raise MotionError("keeps its numbers in another file; export it as one .glb")
        if view.get("extensions"):
            raise MotionError("holds compressed arrays, which are not supported; export it without compression")
        dtype, shape = np.dtype(_COMPONENTS[accessor["componentType"]]), _KINDS[accessor["type"]]
        count, width = accessor["count"], int(np.prod(shape))
        if view.get("byteStride", width * dtype.itemsize) != width * dtype.itemsize:
            raise MotionError("holds interleaved animation data, which the standard does not allow")
        start = accessor.get("byteOffset", 0)
        if not 0 <= start <= start + count * width * dtype.itemsize <= view["byteLength"]:
            raise ValueError("the accessor is larger than its view")
        array = np.frombuffer(self.block, dtype, count * width, view.get("byteOffset", 0) + start)
        scale = np.iinfo(dtype).max if accessor.get("normalized") and dtype.kind != "f" else 1
        return np.maximum(array.astype(np.float64).reshape(count, *shape) / scale, -1 if scale != 1 else -np.inf)


def item(items: list[Any], number: int) -> Any:
    """Return one of the document's items; unlike plain indexing, a negative number is an IndexError."""
    if number < 0:
        raise IndexError(number)
    return items[number]


def _chunks(data: bytes, length: int) -> dict[int, bytes]:
    """The chunks by kind, the first of each."""
    chunks: dict[int, bytes] = {}
    position = 12
    while position < length:
        size, kind = struct.unpack_from("<II", data, position)
        position += 8
        if position + size > len(data):
            raise struct.error("chunk beyond the end")
        chunks.setdefault(kind, data[position : position + size])
        position += size
    return chunks
