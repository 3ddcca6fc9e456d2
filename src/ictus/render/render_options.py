"""How motions are shown to people: as a film or as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.motion import Motion
    from ictus.types import Progress

FILM, PAGE = ".mp4", ".html"
SHOWN = (FILM, PAGE)  # what people watch; all else is for programs
_LARGEST = 8192  # pixels of a side; the most that common H.264 players take


@dataclass(frozen=True)
class RenderOptions:
    """Frames a second and size in pixels of films; colours of films and pages ("dark", "light").

    Raises
    ------
    UsageError
        If a film cannot have so many frames a second, or pixels.
    """

    fps: int = 30
    size: tuple[int, int] = (720, 720)
    theme: str = "dark"

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 240:
            raise UsageError(f"fps {self.fps}: choose between 1 and 240 frames a second")
        check_size(self.size)

    def show(
        self, motion: "Motion | Sequence[Motion]", music: "Audio | Path | None", out: Path, progress: "Progress"
    ) -> None:
        """Make a film or a page of one motion, or several on one stage; the suffix, one of `SHOWN`, says which."""
        together = isinstance(motion, Sequence)
        if out.suffix.lower() == FILM:
            from ictus.render.film import film

            film(
                *(motion, music, out),
                fps=self.fps,
                size=self.size,
                theme=self.theme,
                together=together,
                progress=progress,
            )
        else:
            from ictus.render.page import page

            page(motion, music, out, theme=self.theme, together=together, progress=progress)


def check_size(size: tuple[int, int]) -> None:
    """Raise UsageError if a film cannot have such a picture."""
    if any(not 64 <= side <= _LARGEST or side % 2 for side in size):
        raise UsageError(
            f"a film cannot be {size[0]}x{size[1]} pixels; both sides must be even, at least 64 and at most {_LARGEST}",
            option="size",
        )
