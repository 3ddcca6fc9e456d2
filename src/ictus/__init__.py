"""Ictus: music and human motion turn into each other.

    audio  = ictus.Audio.load("symphony.mp3")
    motion = ictus.load("maestro")(audio, seed=0)
    motion.save("conductor.bvh")
    ictus.film(motion, audio, "conductor.mp4")
    beats  = ictus.BeatTracker()(audio)

`import ictus` is light: each name below is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.beats import Beats, BeatTracker
    from ictus.errors import IctusError
    from ictus.motion import Motion
    from ictus.registry import load
    from ictus.render.film import film
    from ictus.render.page import page
    from ictus.render.show import show
    from ictus.skeleton import Skeleton, get_skeleton

__version__ = "0.1.0"
__all__ = [
    "Audio",
    "BeatTracker",
    "Beats",
    "IctusError",
    "Motion",
    "Skeleton",
    "film",
    "get_skeleton",
    "load",
    "page",
    "show",
]

_HOMES = {
    "Audio": "ictus.audio",
    "BeatTracker": "ictus.beats",
    "Beats": "ictus.beats",
    "IctusError": "ictus.errors",
    "Motion": "ictus.motion",
    "Skeleton": "ictus.skeleton",
    "film": "ictus.render.film",
    "get_skeleton": "ictus.skeleton",
    "load": "ictus.registry",
    "page": "ictus.render.page",
    "show": "ictus.render.show",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ictus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
