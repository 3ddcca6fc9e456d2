"""Motion as a NumPy archive: everything, without loss.

| array | shape | meaning |
|---|---|---|
| `positions` | (T, J, 2 or 3) float32 | metres, y up; conductor-13: image coordinates, y down |
| `fps` | () float64 | frames per second |
| `skeleton` | () text | name of the body |
| `joints` | (J,) text | names of the joints |
| `bones` | (B, 2) int | pairs of joints to draw |
| `mirror` | (J,) int | the joint on the other side |
| `parents` | (J,) int | -1 for the root; left out where there is no hierarchy |
| `rest` | (J, 3) float32 | metres, y up: the pose without rotations; left out where there is none |
| `rotations` | (T, J, 3, 3) float32 | relative to the parent joint; left out where there are none |
| `root` | (T, 3) float32 | metres; left out where there is none |
| `meta` | () text | a JSON object |

To read, `positions`, `fps` and `skeleton` are enough where the body is one that the package knows. Poses of SMPL
bodies, as AMASS keeps them, are read as well (`formats.smpl`).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ictus import limits
from ictus.arrays import Archive, archive
from ictus.documents import parse_json
from ictus.errors import MotionError
from ictus.formats import MotionData, smpl
from ictus.formats.json import dumps
from ictus.skeleton import Skeleton, get_skeleton
from ictus.types import AnyArray


def read(path: Path) -> MotionData:
    """Read a motion.

    Raises
    ------
    MotionError
        If the file is no NumPy archive, or one of something else.
    """
    with archive(path, MotionError, limits.MEMORY) as held:
        if smpl.fits(held):
            return smpl.motion_data(held)
        missing = [key for key in ("positions", "fps", "skeleton") if key not in held]
        if missing:
            raise MotionError(f"is no motion: it holds {held.named()}, but no {', '.join(missing)}")
        meta = parse_json(held.text("meta")) if "meta" in held else {}
        if not isinstance(meta, dict):
            raise MotionError("meta is no JSON object")
        fps = held.number("fps")
        rotations, root = (held.numbers(key, n) if key in held else None for key, n in (("rotations", 4), ("root", 2)))
        return MotionData(_skeleton(held), fps, held.numbers("positions", 3), rotations, root, meta)


def write(path: Path, data: MotionData, beside: Mapping[str, AnyArray] = MappingProxyType({})) -> None:
    """Write a motion, and other arrays `beside` it. Raises MotionError if its meta is not made of JSON types."""
    body = data.skeleton
    arrays: dict[str, Any] = {
        "positions": data.positions,
        "fps": np.float64(data.fps),
        "skeleton": np.array(body.name),
        "joints": np.array(body.joints),
        "bones": np.array(body.bones, np.int64).reshape(-1, 2),
        "mirror": np.array(body.mirror, np.int64),
        "parents": None if body.parents is None else np.array(body.parents, np.int64),
        "rest": body.rest,
        "rotations": data.rotations,
        "root": data.root,
        "meta": np.array(dumps(data.meta)),
        **beside,
    }
    with path.open("wb") as file:
        np.savez_compressed(file, **{key: a for key, a in arrays.items() if a is not None})


def _skeleton(held: Archive) -> Skeleton:
    name = str(held.text("skeleton"))
    if "joints" not in held:
        return get_skeleton(name)
    missing = [key for key in ("bones", "mirror") if key not in held]
    if missing:
        raise MotionError(f"the skeleton is incomplete: no {', '.join(missing)}")
    bones = held.indices("bones", 2)
    if bones.shape[1] != 2:
        raise MotionError(f"bones have shape {bones.shape}, expected (bones, 2)")
    return Skeleton(
        name,
        tuple(held.text("joints", 1)),
        tuple((a, b) for a, b in bones.tolist()),
        tuple(held.indices("parents", 1).tolist()) if "parents" in held else None,
        tuple(held.indices("mirror", 1).tolist()),
        held.numbers("rest", 2) if "rest" in held else None,
    )
