"""Plots of dances and the beats of their music."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render.plot_style import FAINT, GENERATED, INK, REAL, new_figure, styled
from ictus.types import Float64Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def speed_and_beats(dances: Mapping[str, Motion], marks: Mapping[str, Float64Array], beats: Float64Array) -> Figure:
    """Show how fast the joints of each dance move, one dance below the other, over lines on the beats of the music.

    Parameters
    ----------
    dances : the first is drawn as the real one; what is over twice as fast as it ever is lies outside the picture.
    marks : by the same names, (N,) seconds at which each dance marks a beat: dots on its curve.
    beats : (K,) seconds, of the music.

    Raises
    ------
    UsageError
        If there is no dance, or one of a single frame.
    """
    if not dances or min(map(len, dances.values())) < 2:
        raise UsageError("a curve of speed needs dances of two frames or more")
    figure, grid = new_figure(len(dances), 1, (9, 1.3 * len(dances) + 0.5), sharex=True, sharey=True, squeeze=False)
    colours = [REAL] + [GENERATED] * (len(dances) - 1)
    speeds = {name: _speed(dance) for name, dance in dances.items()}
    for (cell,), (name, dance), colour in zip(grid, dances.items(), colours, strict=True):
        speed = speeds[name]
        cell.vlines(beats, 0, 1, transform=cell.get_xaxis_transform(), color=FAINT, linewidth=0.8)
        cell.plot(dance.times, speed, color=colour, linewidth=1)
        cell.plot(marks[name], np.interp(marks[name], dance.times, speed), ".", color=INK, markersize=5)
        cell.set_title(name, loc="left")
    grid[0][0].set_xlim(0, max(dance.duration for dance in dances.values()))
    grid[0][0].set_ylim(0, 2 * next(iter(speeds.values())).max() or None)
    grid[-1][0].set_xlabel("time (s); lines: beats of the music, dots: those of the dance")
    figure.supylabel("mean speed of the joints (m/s)")
    return figure


def _speed(dance: Motion) -> Float64Array:
    """(T,) m/s: mean over the joints, of the step that leads to each frame."""
    steps = np.linalg.norm(np.diff(dance.positions.astype(np.float64), axis=0), axis=-1)  # (T - 1, J)
    return np.append(0.0, steps.mean(1) * dance.fps)
