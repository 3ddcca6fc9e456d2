"""Biovision hierarchy: joint rotations as text, which nearly every animation program opens.

The format has no units. This package writes centimetres, and reads them unless given another scale.

Written: root with Xposition Yposition Zposition and, as every joint, Zrotation Xrotation Yrotation (R = Rz Rx Ry,
degrees). The root's OFFSET is zero, so that programs which add it to the position and programs which do not agree.
Joints without children (hands, nose, the baton) stay joints, each with a short End Site behind it. Meta has no place in
this format, nor has a motion whose joints have positions only.

Read: any order and number of channels on any joint. Where a joint has position channels they replace its OFFSET, as in
Blender and MotionBuilder. End Sites are no joints. Names are UTF-8 or, failing that, Shift-JIS, GB 18030 or Latin-1.
Where there are more or fewer frames than promised, or the last is cut short, the whole ones are read, with a warning.
"""

import contextlib
import io
import itertools
import logging
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ictus import limits
from ictus.errors import MotionError
from ictus.files import quoted, short
from ictus.formats import MotionData, hierarchy
from ictus.skeleton import Skeleton
from ictus.types import Float64Array, FloatArray

BODIES = ("conductor-23", "smpl-24")  # with a hierarchy, for motions of bodies that have none
METRES = 0.01  # metres in a unit: centimetres
_POSITIONS = ("XPOSITION", "YPOSITION", "ZPOSITION")
_ROTATIONS = ("XROTATION", "YROTATION", "ZROTATION")
_MOTION = re.compile(r"^[ \t]*MOTION\s+Frames\s*:\s*(\d+)\s+Frame\s+Time\s*:\s*(\S+)", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_PAIR = re.compile(rb"[\x80-\xff]{2}")
_NARROW = re.compile("[\uff61-\uff9f]")  # katakana of half width: what other encodings look like in Shift-JIS

_log = logging.getLogger(__name__)


@dataclass
class _Joint:
    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: list[str] = field(default_factory=list)
    column: int = 0  # of its first channel in a frame


def read(path: Path, scale: float = METRES) -> MotionData:
    """Read a motion.

    Parameters
    ----------
    scale : metres in one unit of the file: 0.01 for centimetres, 0.0254 for inches, 0.0564 for the CMU corpus.

    Returns
    -------
    A motion with rotations and root, or with positions only if joints slide away from their parents.

    Raises
    ------
    MotionError
        If the file is no BVH or is damaged or cut short.
    """
    if path.stat().st_size > limits.MEMORY:
        raise MotionError(f"is larger than {limits.MEMORY / 1e6:.0f} MB; cut it into shorter files")
    text = _text(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    motion = _MOTION.search(text)
    if motion is None:
        raise MotionError('is no BVH file: it has no "MOTION" part with "Frames" and "Frame Time"')
    joints = _joints(text[: motion.start()])
    values = _values(text[motion.end() :], joints)
    whole, promised = str(len(values)), motion[1].lstrip("0")
    if len(values) and whole != promised:
        _log.warning("%s: promises %s frames; %s whole ones are read", path, short(promised or 0), whole)
    hierarchy.check_size(len(values), len(joints), values.size)
    translations = np.stack([_translations(joint, values) for joint in joints], axis=1)  # (T, J, 3)
    rotations = np.stack([_rotations(joint, values) for joint in joints], axis=1)  # (T, J, 3, 3)
    names, parents = tuple(joint.name for joint in joints), tuple(joint.parent for joint in joints)
    return hierarchy.from_transforms(path.stem, names, parents, translations * scale, rotations, _fps(motion[2]))


def write(path: Path, data: MotionData) -> None:
    """Write rotations and root.

    Raises
    ------
    MotionError
        If the motion has no rotations, or a joint has a name that cannot stand in this format.
    """
    body, rotations, root = hierarchy.turning(data, "BVH")
    for name in body.joints:
        if not name.isprintable() or " ".join(name.split()) != name or not name or set(name) & set("{}"):
            raise MotionError(f"a joint cannot be called {name!r} in BVH; rename it")
    frames, order = len(root), _depth_first(body)
    values = np.empty((frames, 3 + 3 * len(order)))
    values[:, :3] = root / METRES
    for place, joint in enumerate(order, 1):  # joint by joint: an hour of all at once takes a gigabyte
        values[:, 3 * place : 3 * place + 3] = _angles(rotations[:, joint])
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in ("HIERARCHY", *_tree(body, order)))
        file.write(f"MOTION\nFrames: {frames}\nFrame Time: {1 / float(data.fps)!r}\n")
        form = " ".join(["%.6f"] * values.shape[1]) + "\n"
        file.writelines(form % tuple(row) for row in values)


def _angles(rotations: FloatArray) -> Float64Array:
    """(T, 3, 3) -> degrees about z, x, y: (T, 3), without leaps of a whole turn."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gimbal lock")  # one of many equal triples of angles is as good as another
        angles = Rotation.from_matrix(rotations).as_euler("ZXY", degrees=True)
    return np.unwrap(angles, period=360, axis=0)


def _joints(text: str) -> list[_Joint]:
    """Parse the HIERARCHY part."""
    words = iter(text.replace("{", " { ").replace("}", " } ").split())
    if next(words, "").upper() != "HIERARCHY":
        raise MotionError('is no BVH file: it does not begin with "HIERARCHY"')
    joints: list[_Joint] = []
    opened: list[int] = []  # the joints whose braces are open; -1 for an End Site
    try:
        for word in words:
            keyword = word.upper()
            if keyword in ("ROOT", "JOINT"):
                parent = opened[-1] if opened else -1
                if (keyword == "ROOT") == bool(joints) or (joints and parent < 0):
                    raise MotionError("has a joint outside the skeleton, or several skeletons; export one by itself")
                opened.append(len(joints))
                joints.append(_Joint(_name(words), parent))
            elif keyword == "END":
                _name(words)
                opened.append(-1)
            elif keyword == "OFFSET":
                offset = _offset(words)
                if opened[-1] >= 0:
                    joints[opened[-1]].offset = offset
            elif keyword == "CHANNELS" and opened[-1] >= 0:
                joints[opened[-1]].channels = _channels(words)
            elif keyword == "}":
                opened.pop()
            else:
                raise MotionError(f"has an unknown word in its hierarchy: {quoted(word)}")
    except (ValueError, IndexError, StopIteration) as error:
        raise MotionError("has a damaged hierarchy") from error
    if not joints or opened:
        raise MotionError("has a hierarchy that is cut short")
    for before, joint in itertools.pairwise(joints):
        joint.column = before.column + len(before.channels)
    return joints


def _name(words: Iterator[str]) -> str:
    return " ".join(iter(words.__next__, "{"))


def _offset(words: Iterator[str]) -> tuple[float, ...]:
    x, y, z = map(float, itertools.islice(words, 3))
    return x, y, z


def _channels(words: Iterator[str]) -> list[str]:
    count = int(next(words))
    channels = [word.upper() for word in itertools.islice(words, count)]
    if len(channels) != count or len(set(channels)) != count or not set(channels) <= {*_POSITIONS, *_ROTATIONS}:
        raise MotionError(f"has channels that are none: {short(' '.join(channels))}")
    return channels


def _text(content: bytes) -> str:
    """Decode a file; other than UTF-8 it is what Japanese, Chinese or Western programs write."""
    pairs = _PAIR.search(content)  # letters of two bytes each
    for encoding in ("utf-8-sig", *(("shift_jis", "gb18030") if pairs else ())):
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            if encoding != "shift_jis" or not _NARROW.search(text):
                return text
    return content.decode("latin-1")


def _values(text: str, joints: list[_Joint]) -> Float64Array:
    """Parse the frames: (T, channels)."""
    width = joints[-1].column + len(joints[-1].channels)
    if not width:
        raise MotionError("has no channels; export it with the animation")
    if not text.strip():
        return np.empty((0, width))
    try:
        values: Float64Array = np.loadtxt(io.StringIO(text), np.float64, comments=None, ndmin=2)
    except ValueError:  # something else than numbers, or rows of several lengths
        return _rows(text, joints, width)
    return values if values.shape[1] == width and np.isfinite(values).all() else _rows(text, joints, width)


def _rows(text: str, joints: list[_Joint], width: int) -> Float64Array:
    """Parse the frames row by row, so that what is wrong can be named; a last row that is cut short is left out."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines[0].split()) != width and len(words := text.split()) % width == 0:  # a frame takes several lines
        lines = [" ".join(words[k : k + width]) for k in range(0, len(words), width)]
    rows: list[Float64Array] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) < width and number == len(lines):
            break
        if len(words) != width:
            raise MotionError(f"row {number} has {len(words)} numbers, and the joints have {width} channels")
        try:
            row = np.array(words, np.float64)
        except ValueError:
            row = np.array([np.nan])
        if not np.isfinite(row).all():
            raise MotionError(f"row {number}, {_complaint(words, joints)}")
        rows.append(row)
    return np.array(rows).reshape(-1, width)


def _complaint(words: list[str], joints: list[_Joint]) -> str:
    """Return channel, joint and cause of the first word of a row that is no number."""
    wrong = (k for k, word in enumerate(words) if not (_NUMBER.fullmatch(word) and math.isfinite(float(word))))
    word = words[column := next(wrong)]
    joint = next(j for j in reversed(joints) if j.column <= column and j.channels)
    cause = "is no finite number; fill or cut the gap first"
    if "," in word:
        cause = "has a decimal comma; export it with decimal points"
    return f"{joint.channels[column - joint.column].capitalize()} of {short(joint.name)}: {quoted(word)} {cause}"


def _fps(text: str) -> float:
    """Frames per second; a frame time such as .0083333 stands for the whole number that it was rounded from."""
    longest, shortest = (1 / rate for rate in limits.FRAME_RATES)
    try:
        time = float(text)
        if not shortest <= time <= longest:
            raise ValueError(text)
    except ValueError as error:
        raise MotionError(
            f"has a frame time of {quoted(text)}; it must be a number of seconds from {shortest:g} to {longest:g}"
        ) from error
    digits = len(text.partition(".")[2])
    return hierarchy.whole_fps(1 / time, min(10.0**-digits, 5e-5) / time**2)


def _translations(joint: _Joint, values: Float64Array) -> Float64Array:
    """(T, 3) units of the file."""
    moved = np.tile(joint.offset, (len(values), 1))
    for axis, channel in enumerate(_POSITIONS):
        if channel in joint.channels:
            moved[:, axis] = values[:, joint.column + joint.channels.index(channel)]
    return moved


def _rotations(joint: _Joint, values: Float64Array) -> Float64Array:
    """(T, 3, 3): the product of the joint's axis rotations, in the order of its channels."""
    turning = [(k, channel[0]) for k, channel in enumerate(joint.channels) if channel in _ROTATIONS]
    if not turning:
        return np.tile(np.eye(3), (len(values), 1, 1))
    columns = [joint.column + k for k, _ in turning]
    order = "".join(axis for _, axis in turning)
    return Rotation.from_euler(order, values[:, columns], degrees=True).as_matrix()


def _depth_first(body: Skeleton) -> list[int]:
    """Return the joints in the order of the file: each is followed by all that hang on it."""
    children: list[list[int]] = [[] for _ in body.joints]
    for joint, parent in enumerate(body.parents or ()):
        if parent >= 0:
            children[parent].append(joint)
    order, waiting = [], [0]
    while waiting:
        order.append(waiting.pop())
        waiting.extend(reversed(children[order[-1]]))
    return order


def _tree(body: Skeleton, order: list[int]) -> Iterator[str]:
    """Write the hierarchy, line by line."""
    parents = body.parents or ()
    depths = [0] * len(body)
    for joint in order[1:]:
        depths[joint] = depths[parents[joint]] + 1
    for joint, following in zip(order, [*order[1:], None], strict=True):
        depth, after = depths[joint], -1 if following is None else depths[following] - 1
        tabs, inner = "\t" * depth, "\t" * (depth + 1)
        offset = body.offsets[joint] / METRES if joint else np.zeros(3)
        yield f"{tabs}{'JOINT' if joint else 'ROOT'} {body.joints[joint]}"
        yield f"{tabs}{{"
        yield f"{inner}OFFSET {_triple(offset)}"
        yield f"{inner}CHANNELS {'3' if joint else '6 Xposition Yposition Zposition'} Zrotation Xrotation Yrotation"
        if after < depth:  # nothing hangs on it
            end = offset / 10 if offset.any() else np.array([0.0, 1.0, 0.0])
            yield from (f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {_triple(end)}", f"{inner}}}")
        yield from ("\t" * closed + "}" for closed in range(depth, after, -1))


def _triple(vector: FloatArray) -> str:
    return " ".join(f"{value:.6f}" for value in vector.tolist())
