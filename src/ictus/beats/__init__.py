"""Beats of music: what they are, and who finds them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ictus.beats.beats import Beats
    from ictus.beats.online_tracker import OnlineBeatTracker
    from ictus.beats.tracker import BeatTracker

__all__ = ["BeatTracker", "Beats", "OnlineBeatTracker"]

_HOMES = {"BeatTracker": "tracker", "Beats": "beats", "OnlineBeatTracker": "online_tracker"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"ictus.beats.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ictus.beats' has no attribute {name!r}")
