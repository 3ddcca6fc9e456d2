"""What a notebook displays: sounds with a player, motions as a page that plays."""

from collections.abc import Mapping, Sequence

from ictus.audio import Audio
from ictus.motion import Motion
from ictus.render.page import framed
from ictus.render.sound_embedding import player


class Shown:
    """HTML that a notebook displays where the object stands last in a cell."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def show(thing: Audio | Motion | Sequence[Motion] | Mapping[str, Motion]) -> Shown:
    """Return what a notebook displays of a sound or of motions: `ictus.show(motion)`.

    Of a sound, a player with a small waveform; of motions, side by side if there are several, a page that plays.
    """
    return Shown(player(thing) if isinstance(thing, Audio) else framed(thing))
