"""What happens after the button: something is performed, then shown piece by piece, as soon as each is ready.

The page comes first, which plays at once; then the plots; then the film, which takes longest. All other formats are
made when somebody asks for them.
"""

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio

from ictus.errors import UsageError
from ictus.render.plot_style import save_on_paper
from ictus.render.render_options import FILM, PAGE
from ictus.studio.visitors import Take, Visitor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[float], None]
Updates = tuple[Any, Any, Any, Any, Any]

_WORDS = {
    PAGE: "page that plays",
    FILM: "film",
    ".bvh": "Blender, Unity, Unreal",
    ".glb": "3-D, everywhere",
    ".npz": "ictus, NumPy",
    ".json": "any program",
    ".npy": "ConductorMotion100",
    ".pkl": "AIST++",
    ".wav": "sound, 32 bit",
    ".flac": "sound, lossless",
    ".mp3": "sound, small",
    ".ogg": "sound, small",
}


@dataclass(frozen=True)
class Performed:
    """What a tab has made, before anything is drawn.

    Attributes
    ----------
    title : what it was made of, without a suffix.
    said : a line about it.
    makers : by suffix, functions that make the file, and tell how far they are.
    plots : by caption, functions that draw; one that finds nothing to draw raises UsageError, and is left out.
    """

    title: str
    said: str
    makers: Mapping[str, Callable[[Path, Progress], None]]
    plots: "Mapping[str, Callable[[], Figure]]"


def told(progress: gradio.Progress, what: str, start: float, end: float) -> Progress:
    """Give the progress of a part of the work, with a word of what is being done."""
    progress(start, desc=what)
    return lambda fraction: progress(start + (end - start) * fraction, desc=what)


def staged(performed: Performed, visitor: Visitor, tab: str, progress: gradio.Progress) -> Iterator[Updates]:
    """Show a performance, half of whose work is done; yields what is new of a `Stage`, in its order."""
    name, take = visitor.keep(performed.title, tab, performed.makers)
    same = gradio.skip()
    take.file(PAGE, told(progress, "Drawing", 0.5, 0.6))
    soon = (note("The film comes in a moment."), note("The plots come in a moment."))
    yield html.escape(performed.said), _live(name, performed), *soon, _downloads(name, take)
    progress(0.6, desc="Plotting")
    yield same, same, same, _plots(name, take, performed), same
    take.file(FILM, told(progress, "Filming", 0.65, 1.0))
    yield same, same, _film(name), same, same


def _live(name: str, performed: Performed) -> str:
    title = html.escape(performed.title, quote=True)
    return (
        f'<iframe class="live" title="{title}" src="/takes/{name}/{PAGE}" sandbox="allow-scripts allow-downloads" '
        'allow="autoplay; fullscreen"></iframe>'
    )


def _film(name: str) -> str:
    return f'<video class="film" controls playsinline preload="metadata" src="/takes/{name}/{FILM}"></video>'


def _plots(name: str, take: Take, performed: Performed) -> str:
    sheets = []
    for number, (caption, draw) in enumerate(performed.plots.items()):
        try:
            save_on_paper(draw(), take.folder / f"take.{number}.png")
        except UsageError:  # such as a pattern without a whole bar
            continue
        words = html.escape(caption)
        sheets.append(
            f'<figure><img alt="{words}" src="/takes/{name}/.{number}.png"><figcaption>{words}</figcaption></figure>'
        )
    return f'<div class="sheets">{"".join(sheets)}</div>' if sheets else note("There is nothing to plot.")


def _downloads(name: str, take: Take) -> str:
    links = [
        f'<a href="/takes/{name}/{suffix}" download="{html.escape(take.title + suffix, quote=True)}">'
        f"<b>{suffix[1:]}</b><span>{_WORDS[suffix]}</span></a>"
        for suffix in take.makers
    ]
    return f'<nav class="downloads" aria-label="Downloads">{"".join(links)}</nav>'


def note(text: str) -> str:
    """Return a line for a place where there is nothing yet."""
    return f'<p class="note">{text}</p>'
