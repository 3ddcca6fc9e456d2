"""Pages: motions and their music in one HTML file that plays in any browser, with no network and no other file.

What a page promises: one motion of three minutes makes less than 400 kB beside the sound, which adds about 0.96 MB a
minute. Joints are where they belong to a millimetre or two, at up to 60 frames a second; where that would be too large,
every second frame is left out, down to 30 and no less, and then the steps between places become twice as wide. Longer
pieces, and several motions side by side, grow from there. The sound is in time to the sample, and the picture follows
the sound.
"""

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.motion import Motion
from ictus.render.figure_tables import exported
from ictus.render.figures import shown
from ictus.render.packing import COARSE, FINE, packed, size, thinned
from ictus.render.sound_embedding import embedded
from ictus.render.theme import DARK, LIGHT, get_theme
from ictus.types import Progress

Motions = Motion | Mapping[str, Motion] | Sequence[Motion]

_FORMS = ((60, FINE), (30, FINE), (30, COARSE))  # frames a second and metres: the first that fits is taken
_ROOM = 325_000  # letters that motions may take up
_SCRIPTS = (
    *("vectors", "unpacking", "track", "clock", "figure", "camera"),
    *("painting", "floor", "panel", "timeline", "downloads", "viewer"),
)


def page(
    motions: Motions,
    music: Audio | str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    theme: str = "dark",
    titles: Sequence[str] | None = None,
    together: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write a page that plays one motion, or several side by side or on one stage, with their music.

    Parameters
    ----------
    motions : one, several, or several by their titles.
    music : the sound, a sound file, or None for a silent page. It is cut, or followed by silence, to the length of the
        longest motion.
    out : an .html file. It is written whole or not at all.
    theme : "dark" or "light", what the page begins with.
    titles : a line above each motion.
    together : whether all motions are on one stage.
    progress : called now and then with the fraction that is done.

    Raises
    ------
    UsageError
        If the suffix is not .html, there is no motion, the theme is unknown, or the titles do not match.
    IctusError
        If the music cannot be read or the page not be written.
    """
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out}: pages are .html files; give a name that ends in .html")
    text = page_html(motions, music, theme=theme, titles=titles, together=together, progress=progress)
    with writing(out) as temporary:
        temporary.write_text(text, "utf-8", "replace")  # its title may come from the name of a file


def page_html(
    motions: Motions,
    music: Audio | str | os.PathLike[str] | None = None,
    *,
    theme: str = "dark",
    titles: Sequence[str] | None = None,
    together: bool = False,
    progress: Progress | None = None,
) -> str:
    """Return the page that `page` writes, to be shown within another, as in an iframe's srcdoc."""
    report = progress or (lambda fraction: None)
    get_theme(theme)
    listed, names = _listed(motions, titles)
    numbered = [f"-{number}" if together and len(listed) > 1 else "" for number in range(1, len(listed) + 1)]
    seconds = max(motion.duration for motion in listed)
    entries = [
        {**entry, "title": name or number[1:], "file": _file_name(motion, name) + number}
        for entry, motion, name, number in zip(_entries(listed, together), listed, names, numbered, strict=True)
    ]
    report(0.3)
    sound = None if music is None else embedded(music, seconds, progress=lambda share: report(0.3 + 0.7 * share))
    title = _title(listed, music)
    content = {
        "duration": seconds,
        "theme": theme,
        "themes": {one.name: one.codes() for one in (DARK, LIGHT)},
        "motions": entries,
        "together": together,
        "peaks": base64.b64encode(sound.peaks.tobytes()).decode() if sound else None,
    }
    tables = f"const TABLES = {_json(exported())};"
    report(1.0)
    return _filled(
        theme=theme,
        title=html.escape(title),
        about=html.escape(_about(listed)),
        duration=f"{seconds:.3f}",
        length=f"{int(seconds) // 60}:{int(seconds) % 60:02d}",
        style=_part("viewer.css"),
        script="\n".join(['"use strict";', tables, *(_bare(_part(f"{name}.js")) for name in _SCRIPTS)]),
        motions=_json(content),
        sound_type=sound.type if sound else "",
        sound=sound.data if sound else "",
    )


def framed(motions: Motions, *, height: int = 560) -> str:
    """Return a silent page inside a frame, for notebooks."""
    inside = html.escape(page_html(motions), quote=True)
    style = f"width:100%;height:{height}px;border:0;border-radius:8px"
    return f'<iframe title="motion" style="{style}" srcdoc="{inside}"></iframe>'


def _listed(motions: Motions, titles: Sequence[str] | None) -> tuple[list[Motion], list[str]]:
    if isinstance(motions, Motion):
        shown, names = [motions], [""]
    elif isinstance(motions, Mapping):
        shown, names = list(motions.values()), list(motions)
    else:
        shown, names = list(motions), [""] * len(motions)
    if not shown:
        raise UsageError("there is no motion to show; give at least one")
    if titles is not None and len(titles) != len(shown):
        raise UsageError(f"{len(titles)} titles for {len(shown)} motions; give one for each")
    return shown, names if titles is None else list(titles)


def _entries(motions: list[Motion], together: bool) -> list[dict[str, Any]]:
    """Return what the page knows of each motion, in the finest form in which all together are small enough."""
    if together and len({(len(motion), motion.fps) for motion in motions}) > 1:
        raise UsageError("motions on one stage must be equally long, at one frame rate")
    figures = [(figure, extent) for some, extent in shown(motions, together) for figure in some]
    # The figure's own points, which need the whole motion, and what the camera looks at.
    own = [figure.tracks | {"+target": figure.target} for figure, _ in figures]
    for rate, step in _FORMS:
        kept = [thinned(motion, rate) for motion in motions]
        every = [round(motion.fps / thin.fps) for motion, thin in zip(motions, kept, strict=True)]
        tracks = [
            packed(motion, step, np.concatenate([track[::skip] for track in more.values()], axis=1))
            for motion, skip, more in zip(kept, every, own, strict=True)
        ]
        if sum(map(size, tracks)) <= _ROOM:
            break
    return [
        {
            **_described(whole),
            "fps": motion.fps,
            "tracks": track,
            "figure": {**figure.exported(), "tracks": list(more)},
            "extent": {"low": extent.low.tolist(), "high": extent.high.tolist()},
        }
        for whole, motion, track, (figure, extent), more in zip(motions, kept, tracks, figures, own, strict=True)
    ]


def _described(motion: Motion) -> dict[str, Any]:
    body = motion.skeleton
    rest = None if body.rest is None else np.round(body.rest.astype(float), 6).tolist()
    return {
        "skeleton": {
            "name": body.name,
            "joints": body.joints,
            "bones": body.bones,
            "parents": body.parents,
            "mirror": body.mirror,
            "rest": rest,
        },
        "meta": motion.meta,
        "turning": _turning(motion),
    }


def _turning(motion: Motion) -> bool:
    """Whether the motion can be saved in a format that stores how joints turn."""
    body = motion.skeleton
    known = motion.rotations is not None and motion.root is not None
    return known and body.parents is not None and body.rest is not None


def _title(motions: Sequence[Motion], music: Audio | str | os.PathLike[str] | None) -> str:
    if music is not None and not isinstance(music, Audio):
        return Path(music).stem.replace("_", " ")
    named = next((str(motion.meta["music"]) for motion in motions if motion.meta.get("music")), None)
    return Path(named).stem.replace("_", " ") if named else motions[0].skeleton.name


def _about(motions: Sequence[Motion]) -> str:
    makers = dict.fromkeys(str(motion.meta.get("model") or motion.skeleton.name) for motion in motions)
    return " · ".join(makers)


def _file_name(motion: Motion, title: str) -> str:
    name = title or Path(str(motion.meta.get("music") or "motion")).stem
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name) or "motion"


def _json(content: Any) -> str:
    try:
        text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise IctusError(f"a motion's meta can hold JSON types only ({error})") from error
    return text.replace("<", "\\u003c")  # so that nothing in it ends the script element


def _filled(**parts: str) -> str:
    """Put parts into the template, each where its name stands in double braces."""
    pieces = _part("page.html").split("{{")
    text = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        text += [parts[name], rest]
    return "".join(text)


def _bare(script: str) -> str:
    """Return a script without its indentation and the lines that are remarks, a fifth of its size."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@cache
def _part(name: str) -> str:
    return (files("ictus.render") / "viewer" / name).read_text("utf-8")
