"""Light, colours and measures that films and pages share; a page holds them as JSON."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ictus.render import camera
from ictus.render.theme import DARK, LIGHT, WHITE, Colour, Theme, bgr, code, mix

# ---- Light. Each tone lies on the one before, shrunk and moved towards the light by shares of a radius.
TONES = ((0.0, 0.0), (0.14, 0.14), (0.29, 0.27), (0.46, 0.38), (0.64, 0.46), (0.83, 0.5))
LIGHT_FROM = (-0.5, -0.866)  # in the picture: from the left, above
STEP = 3.5  # pixels of the largest radius that another tone needs to be seen
CORNERS = (4, 4.0)  # of a hull: so many, and so many times the root of its largest radius in pixels
EDGE = 1.2  # pixels that the edge of a part is wider than the part
FARTHEST = 0.3  # share of the stage's edge colour in what is farthest away
DEPTH = 0.9  # body sizes from the nearest to the farthest
HAIR_ANGLE, HAIR_RADIUS = 1.5, 1.03  # radians from the middle of the hair to its edge; of the head's
HAIR_GLEAM = (0.86, 0.12)  # size of its lit part, and how far that is moved towards the light

# ---- Trails: their length, and how they grow fainter and thinner; width in body sizes and at least in pixels.
TRAIL_SECONDS, TRAIL_BANDS, TRAIL_STEPS, TRAIL_OPACITY = 1.0, 10, 4, 0.75
TRAIL_FADE, TRAIL_TAPER, TRAIL_WIDTH, TRAIL_LEAST = 1.8, 0.7, 0.017, 2.0

# ---- The floor, in body sizes.
TILE, REACH = 0.5, 4.5  # between two lines, and from the target to where they have faded
CAST = (0.22, -0.3)  # where the top of a thing of height 1 throws its shadow: to the right, and away from the camera
SHADOW_GROWTH, SHADOW_HEIGHT, SHADOW_LEAST = 0.15, 2.2, 0.25  # of radius by height; where it is palest; and how pale
SHADOW_SMALLEST = 0.035  # radius of what throws a shadow

Paint = tuple[Colour, ...]  # the edge of a part, and its tones from shade to gleam; of what is flat, one
_CHESTNUT, _LIPS = bgr("#7a5240"), bgr("#a85f50")


def paints(theme: Theme) -> dict[str, Paint]:
    """Return the paint of each part by its name."""
    dark = theme.edge if theme.name == "dark" else theme.text
    ramps = {"chest": theme.middle, "limb": theme.middle, "hips": mix(theme.middle, theme.edge, 0.25)}
    ramps |= {"skin": theme.skin, "hand": theme.skin, "ear": theme.skin_shade, "skin_shade": theme.skin_shade}
    ramps |= {"hair": theme.hair, "chestnut": _CHESTNUT, "cork": theme.cork}
    for side, colour in (("left", theme.left), ("right", theme.right)):
        ramps |= {f"arm{side}": colour, f"leg{side}": colour, f"foot{side}": mix(colour, dark, 0.4)}
    cloths = {part: (mix(theme.coat, theme.lapel, 0.25), theme.lapel) for part in ("coat", "trousers")}
    cloths["shoe"] = theme.coat, theme.rim
    cloths["sleeve"] = mix(theme.coat, theme.lapel, 0.35), mix(theme.lapel, theme.rim, 0.35)
    plain = {"shirt": theme.shirt, "lapel": theme.lapel, "eye": bgr("#2b2320")}
    plain |= {"brow": mix(theme.hair, bgr("#2b2320"), 0.55), "nose": mix(theme.skin, theme.skin_shade, 0.45)}
    plain["mouth"] = mix(_LIPS, theme.skin_shade, 0.3)
    return {
        **{part: tuple(_ramp(colour, dark)) for part, colour in ramps.items()},
        **{part: (theme.rim, *colours) for part, colours in cloths.items()},
        **{part: (colour, colour) for part, colour in plain.items()},
        "linen": (theme.linen_shade, theme.shirt, theme.linen),
        "baton": (mix(theme.coat, theme.rim, 0.5), theme.baton),
        "ghost": tuple(mix(theme.centre, theme.middle, share) for share in (0.05, 0.14, 0.17, 0.2)),
    }


def _ramp(colour: Colour, dark: Colour) -> Iterator[Colour]:
    yield mix(colour, dark, 0.8)
    for light in np.linspace(-0.45, 0.3, len(TONES)):
        yield mix(colour, dark, -light) if light < 0 else mix(colour, WHITE, light)


def tones(paint: Paint, radius: float) -> Iterator[tuple[tuple[float, float], Colour]]:
    """Yield as many tones as can be told apart on a part of so many pixels: how each is moved, and its colour."""
    known = len(paint) - 1
    count = min(known, 1 + int(radius / STEP))
    for k in range(count):
        yield TONES[len(TONES) * k // count], paint[1 + (2 * k + 1) * known // (2 * count)]


def exported() -> dict[str, Any]:
    """Return all that the page's scripts need of this module and the camera's, as JSON holds it, by the names in it."""
    known = {**vars(camera), **globals()}
    shared = {name: value for name, value in known.items() if name.isupper() and not name.startswith("_")}
    for other in ("DARK", "LIGHT", "WHITE"):
        shared.pop(other)
    shared["PAINTS"] = {
        theme.name: {part: [code(colour) for colour in paint] for part, paint in paints(theme).items()}
        for theme in (DARK, LIGHT)
    }
    return shared
