"""What all plots share: inks, one look, and figures that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from ictus.render.theme import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

INK, FAINT, REAL, GENERATED = "#2b2a2e", "#b9b4ab", "#1f7f96", "#c9761a"
PAPER = LIGHT.codes()["centre"]
_STYLE: Any = {
    "font.size": 8,
    "figure.labelsize": 8,
    "legend.fontsize": 8,
    "legend.handlelength": 1.4,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def styled(plot: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function plot in our looks, and leave matplotlib's own settings as they were."""

    @wraps(plot)
    def in_our_looks(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib as mpl

        with mpl.rc_context(_STYLE):
            return plot(*args, **kwargs)

    return in_our_looks


def new_figure(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, Any]:
    """Make a figure and its axes without pyplot: nothing is shown, registered or left behind.

    Parameters
    ----------
    size : width and height in inches.
    options : as `matplotlib.figure.Figure.subplots` takes them.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", dpi=150)
    return figure, figure.subplots(rows, columns, **options)


def save_on_paper(figure: Figure, path: Path) -> None:
    """Write a figure as a .png, on paper of the viewer's light palette."""
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    figure.savefig(path, format="png", facecolor=PAPER)
