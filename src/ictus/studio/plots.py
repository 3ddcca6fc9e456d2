"""Plots of what was made, on paper of the viewer's light palette, as pictures for the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ictus.errors import UsageError
from ictus.stage.backdrop import LIGHT
from ictus.stage.page import _colours
from ictus.stage.plots import _FAINT, _GENERATED, _INK, _REAL, _figure, _styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAPER = _colours(LIGHT)["centre"]


@_styled
def beats_and_tempo(beats: Mapping[str, Any]) -> Figure:
    """Show the tempo from beat to beat and from bar to bar, over lines on the beats, longer ones on the downbeats.

    Parameters
    ----------
    beats : {"times": seconds, "positions": place in the bar, from 1}; two beats or more.

    Raises
    ------
    UsageError
        If there are fewer than two beats.
    """
    times, places = np.asarray(beats["times"], float), np.asarray(beats["positions"], int)
    if len(times) < 2:
        raise UsageError(f"{len(times)} beats were heard; a curve of tempo needs at least two")
    figure, (tempo, bars) = _figure(2, 1, (8, 3.4), sharex=True, height_ratios=(5, 1))
    steps = np.diff(times)
    tempo.step(times, np.append(60 / steps, 60 / steps[-1]), where="post", color=_FAINT, linewidth=1, label="each beat")
    starts = times[places == 1]
    if len(starts) > 1:
        inside = np.diff(np.searchsorted(times, starts))
        middle = (starts[1:] + starts[:-1]) / 2
        tempo.plot(middle, 60 * inside / np.diff(starts), "o-", color=_REAL, markersize=3, linewidth=1.4, label="bar")
    tempo.set(ylabel="beats a minute")
    tempo.legend(loc="upper right", ncols=2)
    bars.vlines(times, 0, np.where(places == 1, 1.0, 0.5), color=_INK, linewidth=0.8)
    bars.vlines(starts, 0, 1, color=_GENERATED, linewidth=1.6)
    bars.set(xlabel="time (s)", ylabel="beats", yticks=[], ylim=(0, 1))
    tempo.margins(x=0.01)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a .png on paper."""
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    figure.savefig(path, format="png", facecolor=_PAPER)
