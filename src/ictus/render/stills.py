"""Stills: single moments of a motion as pictures."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.motion import Motion
from ictus.render.scene import Scene
from ictus.render.theme import Image

_SUFFIXES = (".png", ".jpg", ".webp")


def still(
    motion: Motion | Sequence[Motion],
    seconds: float,
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int] = (600, 600),
    theme: str = "dark",
    captions: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Save one moment of a motion, or of several side by side, as a picture (.png .jpg .webp).

    Raises
    ------
    UsageError
        As `ictus.render.film.film`, or if the suffix is unknown.
    IctusError
        If the picture cannot be written.
    """
    motions = [motion] if isinstance(motion, Motion) else list(motion)
    _save(Scene(motions, size=size, theme=theme, captions=captions, title=title).still(seconds), path)


def strip(
    motion: Motion,
    times: Sequence[float],
    path: str | os.PathLike[str],
    *,
    columns: int | None = None,
    size: tuple[int, int] = (360, 360),
    theme: str = "dark",
) -> None:
    """Save several moments of a motion as one picture, a contact sheet.

    Parameters
    ----------
    times : seconds of the moments, in reading order.
    columns : how many stand in a row; all of them if None.
    size : width and height of each moment's picture in pixels.

    Raises
    ------
    UsageError
        If there are no times, or as `still`.
    IctusError
        If the picture cannot be written.
    """
    if not times or (columns is not None and columns < 1):
        raise UsageError("a contact sheet needs at least one time and one column")
    scene = Scene([motion], size=size, theme=theme)
    pictures = [scene.still(seconds) for seconds in times]
    wide = min(columns or len(pictures), len(pictures))
    pictures += [scene.backdrop] * (-len(pictures) % wide)
    rows = [np.concatenate(pictures[k : k + wide], axis=1) for k in range(0, len(pictures), wide)]
    _save(np.concatenate(rows), path)


def _save(picture: Image, path: str | os.PathLike[str]) -> None:
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"{path}: cannot save a picture as {suffix!r}; known are {' '.join(_SUFFIXES)}")
    done, data = cv2.imencode(suffix, picture)
    if not done:
        raise IctusError(f"{path}: the picture could not be encoded")
    with writing(path) as temporary:
        temporary.write_bytes(data.tobytes())
