"""The stage itself: palettes, the light on the background, and lettering. Painted once for a whole film."""

import unicodedata
from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ictus.errors import UsageError

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]


def bgr(code: str) -> Colour:
    """Return the colour "#rrggbb" in OpenCV's order."""
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def code(colour: Colour) -> str:
    """Return a colour as "#rrggbb"."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class Theme:
    """A palette. Light that moves is added to a dark stage and taken away from a light one."""

    name: str
    centre: Colour
    edge: Colour
    text: Colour
    faint: Colour
    coat: Colour
    rim: Colour
    lapel: Colour
    linen: Colour
    shirt: Colour
    linen_shade: Colour
    skin: Colour
    skin_shade: Colour
    hair: Colour
    baton: Colour
    cork: Colour
    right: Colour
    left: Colour
    middle: Colour
    pool: Colour

    def codes(self) -> dict[str, str]:
        """Return the colours as "#rrggbb", by the names of the parts."""
        return {part.name: code(getattr(self, part.name)) for part in fields(self) if part.name != "name"}


DARK = Theme(
    name="dark",
    centre=bgr("#4a4550"),
    edge=bgr("#0e0f15"),
    text=bgr("#e9e4da"),
    faint=bgr("#8d8a92"),
    coat=bgr("#15161c"),
    rim=bgr("#4b4c59"),
    lapel=bgr("#2a2c37"),
    linen=bgr("#fbf8f2"),
    shirt=bgr("#dedad4"),
    linen_shade=bgr("#a9a5a2"),
    skin=bgr("#dca987"),
    skin_shade=bgr("#b37f62"),
    hair=bgr("#a9a6a6"),
    baton=bgr("#fdf8ec"),
    cork=bgr("#b98a5a"),
    right=bgr("#f0b35a"),
    left=bgr("#5fb4c6"),
    middle=bgr("#c9c5cf"),
    pool=bgr("#77707e"),
)
LIGHT = Theme(
    name="light",
    centre=bgr("#fbf8f2"),
    edge=bgr("#d9d3c8"),
    text=bgr("#2b2a2e"),
    faint=bgr("#8b857c"),
    coat=bgr("#23242c"),
    rim=bgr("#5c5d69"),
    lapel=bgr("#3b3d49"),
    linen=bgr("#ffffff"),
    shirt=bgr("#e9e6e0"),
    linen_shade=bgr("#b3afaa"),
    skin=bgr("#e2b08d"),
    skin_shade=bgr("#bd8868"),
    hair=bgr("#77757a"),
    baton=bgr("#fffaf0"),
    cork=bgr("#5e4428"),
    right=bgr("#c9761a"),
    left=bgr("#1f7f96"),
    middle=bgr("#55535c"),
    pool=bgr("#fffdf9"),
)
_THEMES = {theme.name: theme for theme in (DARK, LIGHT)}


def get_theme(name: str) -> Theme:
    """Return the palette of that name ("dark", "light"); UsageError if there is none."""
    if name not in _THEMES:
        raise UsageError(f"no theme is called {name!r}; known are {', '.join(_THEMES)}")
    return _THEMES[name]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Return colour `a` with `share` of `b` in it."""
    blue, green, red = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return blue, green, red


def lit(width: int, height: int, theme: Theme) -> Image:
    """A pool of light on an empty stage, (height, width, 3); the faint grain keeps its slopes free of bands."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    aspect = min(width / height, 1.6)
    distance = np.sqrt((x * aspect) ** 2 + ((y + 0.12) * 1.05) ** 2) / 1.25
    share = np.clip(distance, 0, 1) ** 1.35
    share = (share * share * (3 - 2 * share))[..., None]  # smooth at both ends
    colour = np.array(theme.centre, np.float32) * (1 - share) + np.array(theme.edge, np.float32) * share
    grain = np.random.default_rng(7).normal(0, 0.6, (height, width, 1))
    return np.clip(np.rint(colour + grain), 0, 255).astype(np.uint8)


def write(image: Image, text: str, centre: tuple[float, float], height: float, room: float, colour: Colour) -> None:
    """Write one line of text around `centre`, with letters about `height` pixels tall, or less to fit into `room`."""
    if hasattr(cv2, "FontFace"):  # OpenCV 5 brings an outline font that knows every alphabet of Europe
        font: Any = cv2.FontFace("sans")
        width = cv2.getTextSize((0, 0), text, (0, 0), font, round(1.35 * height), 400)[2]
        share = min(1, room / max(width, 1))
        corner = (round(centre[0] - share * width / 2), round(centre[1] + share * height / 2))
        cv2.putText(image, text, corner, colour, font, max(int(share * 1.35 * height), 1), 400)
        return
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    face, scale = cv2.FONT_HERSHEY_DUPLEX, height / 22
    width = cv2.getTextSize(text, face, scale, 1)[0][0]
    share = min(1, room / max(width, 1))
    corner = (round(centre[0] - share * width / 2), round(centre[1] + share * height / 2))
    cv2.putText(image, text, corner, face, share * scale, colour, 1, cv2.LINE_AA)
