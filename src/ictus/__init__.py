"""Ictus: music and human motion turn into each other.

    audio  = ictus.Audio.load("symphony.mp3")
    motion = ictus.load("maestro")(audio, seed=0)
    motion.save("conductor.bvh")
    ictus.film(motion, audio, "conductor.mp4")

`import ictus` is light: each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.errors import IctusError
    from ictus.hub import load
    from ictus.motion import Motion
    from ictus.skeleton import Skeleton, get_skeleton
    from ictus.stage.film import film
    from ictus.stage.page import page

__version__ = "0.1.0"
__all__ = ["Audio", "IctusError", "Motion", "Skeleton", "film", "get_skeleton", "load", "page"]

_HOMES = {
    "Audio": "ictus.audio",
    "IctusError": "ictus.errors",
    "Motion": "ictus.motion",
    "Skeleton": "ictus.skeleton",
    "film": "ictus.stage.film",
    "get_skeleton": "ictus.skeleton",
    "load": "ictus.hub",
    "page": "ictus.stage.page",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ictus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
