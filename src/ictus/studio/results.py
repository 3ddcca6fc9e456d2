"""What happens after the button: something is made, then shown piece by piece, as soon as each is ready.

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
from ictus.studio.jobs import RunningJob
from ictus.studio.visitors import ResultFiles
from ictus.types import Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
class TabResult:
    """What a tab has made, before anything is drawn.

    Attributes
    ----------
    title : what it was made of, without a suffix.
    said : a line about it.
    makers : by suffix, functions that make the file, and report how far they are.
    plots : by caption, functions that draw; one that finds nothing to draw raises UsageError, and is left out.
    """

    title: str
    said: str
    makers: Mapping[str, Callable[[Path, Progress], None]]
    plots: "Mapping[str, Callable[[], Figure]]"


def show_results(made: TabResult, job: RunningJob) -> Iterator[Updates]:
    """Show a performance, half of whose work is done; yields what is new of a `ResultPanel`, in its order."""
    name, result = job.visitor.keep(made.title, job.tab, made.makers)
    same = gradio.skip()
    result.file(PAGE, job.reporter("Drawing", 0.5, 0.6))
    soon = (note("The film comes in a moment."), note("The plots come in a moment."))
    yield html.escape(made.said), _live(name, made), *soon, _downloads(name, result)
    job.reporter("Plotting", 0.6, 0.65)
    yield same, same, same, _plots(name, result, made), same
    result.file(FILM, job.reporter("Filming", 0.65, 1.0))
    yield same, same, _film(name), same, same


def _live(name: str, made: TabResult) -> str:
    title = html.escape(made.title, quote=True)
    return (
        f'<iframe class="live" title="{title}" src="/results/{name}/{PAGE}" sandbox="allow-scripts allow-downloads" '
        'allow="autoplay; fullscreen"></iframe>'
    )


def _film(name: str) -> str:
    return f'<video class="film" controls playsinline preload="metadata" src="/results/{name}/{FILM}"></video>'


def _plots(name: str, result: ResultFiles, made: TabResult) -> str:
    sheets = []
    for number, (caption, draw) in enumerate(made.plots.items()):
        try:
            save_on_paper(draw(), result.folder / f"result.{number}.png")
        except UsageError:  # such as a pattern without a whole bar
            continue
        words = html.escape(caption)
        sheets.append(
            f'<figure><img alt="{words}" src="/results/{name}/.{number}.png"><figcaption>{words}</figcaption></figure>'
        )
    return f'<div class="sheets">{"".join(sheets)}</div>' if sheets else note("There is nothing to plot.")


def _downloads(name: str, result: ResultFiles) -> str:
    links = [
        f'<a href="/results/{name}/{suffix}" download="{html.escape(result.title + suffix, quote=True)}">'
        f"<b>{suffix[1:]}</b><span>{_WORDS[suffix]}</span></a>"
        for suffix in result.makers
    ]
    return f'<nav class="downloads" aria-label="Downloads">{"".join(links)}</nav>'


def note(text: str) -> str:
    """Return a line for a place where there is nothing yet."""
    return f'<p class="note">{text}</p>'
