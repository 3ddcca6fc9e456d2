"""Motion as readable text: one JSON object, one line per frame.

    {
      "format": "ictus-motion",
      "version": 1,
      "fps": 30.0,
      "skeleton": {
        "name": "conductor-23",
        "joints": [J names],
        "bones": [pairs of joint numbers, to draw],
        "parents": [J numbers, -1 for the root] or null,
        "mirror": [J numbers: the joint on the other side],
        "rest": [J x [x, y, z] metres, y up: the pose without rotations] or null
      },
      "meta": {anything: beats, model, seed},
      "positions": [T frames of J x [x, y] or [x, y, z]],
      "root": [T x [x, y, z] metres] or null,
      "rotations": [T frames of J unit quaternions [x, y, z, w], relative to the parent joint] or null
    }

3-D is metres with y up; conductor-13 is in image coordinates, y down. Numbers are rounded to six decimals.
"""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ictus.documents import parse_json, read_text
from ictus.errors import MotionError
from ictus.files import quoted, short
from ictus.formats import MotionData, check_fps
from ictus.formats.hierarchy import matrices, quaternions
from ictus.skeleton import Skeleton
from ictus.types import AnyArray, Float32Array

FORMAT, VERSION = "ictus-motion", 1
_LONG = 10_000_000  # letters beyond which a text is read frame by frame
_BEGIN = re.compile(r'\s*"(positions|root|rotations)": \[\s*')  # of a list with a line for each frame


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no JSON, or not such a motion.
    """
    text = read_text(path, MotionError)
    content = _by_frames(text) if len(text) > _LONG else parse_json(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise MotionError(f'is JSON, but no motion: it does not begin with "format": "{FORMAT}"')
    if content.get("version") != VERSION:
        raise MotionError(f"is of version {quoted(content.get('version'))}; this program reads version {VERSION}")
    positions = _numbers(content, "positions", 3)
    if positions is None:
        raise MotionError('"positions" is missing')
    fps, meta = content.get("fps"), content.get("meta", {})
    if not isinstance(meta, dict):
        raise MotionError('"meta" is no JSON object')
    body, root = _skeleton(content.get("skeleton")), _numbers(content, "root", 2)
    return MotionData(body, check_fps(fps, '"fps"'), positions, _rotations(content), root, meta)


def write(path: Path, data: MotionData) -> None:
    """Write a motion. Raises MotionError if its meta is not made of JSON types."""
    body, rotations = data.skeleton, data.rotations
    skeleton = {
        "name": body.name,
        "joints": body.joints,
        "bones": body.bones,
        "parents": body.parents,
        "mirror": body.mirror,
        "rest": _rounded(body.rest),
    }
    fields = {
        "format": dumps(FORMAT),
        "version": dumps(VERSION),
        "fps": dumps(float(data.fps)),
        "skeleton": _object({key: dumps(value) for key, value in skeleton.items()}, "  "),
        "meta": dumps(data.meta),
        "positions": _frames(_rounded(data.positions)),
        "root": _frames(_rounded(data.root)),
        "rotations": _frames(_rounded(None if rotations is None else quaternions(rotations))),
    }
    path.write_text(_object(fields, "") + "\n", encoding="utf-8")


def dumps(value: Any) -> str:
    """Return a value as JSON on one line; raises MotionError for what JSON cannot hold (arrays, NaN, loops)."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise MotionError(f"meta can hold JSON types only ({short(error)})") from error


def _by_frames(text: str) -> Any:
    """Return what `parse_json` does, for a motion as this package writes it; its numbers are never all objects."""
    frames: dict[str, list[AnyArray]] = {}
    rows, rest = None, []
    for line in io.StringIO(text):
        if begin := _BEGIN.fullmatch(line):
            rows = frames.setdefault(begin[1], [])
            line = f'"{begin[1]}": ['
        elif rows is not None and line.startswith("["):
            rows.append(np.array(parse_json(line.rstrip().removesuffix(",")), np.float32))
            continue
        else:
            rows = None
        rest.append(line)
    content = parse_json("".join(rest))
    if isinstance(content, dict):
        content |= {key: np.stack(rows) for key, rows in frames.items() if rows and content.get(key) == []}
    return content


def _rounded(array: AnyArray | None) -> Any:
    return None if array is None else np.round(array.astype(np.float64), 6).tolist()


def _object(fields: dict[str, str], indent: str) -> str:
    return "{\n" + ",\n".join(f'{indent}  "{key}": {value}' for key, value in fields.items()) + f"\n{indent}}}"


def _frames(frames: list[Any] | None) -> str:
    return "null" if frames is None else "[\n" + ",\n".join(map(dumps, frames)) + "\n]"


def _skeleton(content: Any) -> Skeleton:
    try:
        parents, rest = content["parents"], content["rest"]
        return Skeleton(
            name=_text(content["name"]),
            joints=tuple(map(_text, content["joints"])),
            bones=tuple((_index(a), _index(b)) for a, b in content["bones"]),
            parents=None if parents is None else tuple(map(_index, parents)),
            mirror=tuple(map(_index, content["mirror"])),
            rest=None if rest is None else np.array(rest, np.float32),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MotionError('"skeleton" is incomplete or malformed') from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _index(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("no joint number")
    return value


def _numbers(content: dict[str, Any], key: str, dimensions: int) -> Float32Array | None:
    if content.get(key) is None:
        return None
    try:
        array = np.array(content[key], np.float64).astype(np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise MotionError(f'"{key}" is no regular list of numbers') from error
    if array.ndim != dimensions:
        raise MotionError(f'"{key}" is a list of {array.ndim} levels, expected {dimensions}')
    return array


def _rotations(content: dict[str, Any]) -> Float32Array | None:
    turns = _numbers(content, "rotations", 3)
    if turns is None:
        return None
    if turns.shape[-1] != 4 or not np.allclose(np.linalg.norm(turns, axis=-1), 1, rtol=0, atol=1e-3):
        raise MotionError('"rotations" are no unit quaternions [x, y, z, w]')
    return matrices(turns).astype(np.float32)
