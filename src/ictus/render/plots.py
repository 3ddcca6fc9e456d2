"""Plots for papers and reports: matplotlib figures that the caller shows or saves (`figure.savefig("x.pdf")`)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render.plot_style import FAINT, GENERATED, INK, REAL, new_figure, styled
from ictus.render.theme import bgr, mix
from ictus.types import Float64Array, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NAMES = 24  # of joints beside a plot


@styled
def mel_and_motion(mel: FloatArray, motion: Motion, *, rate: float = 90.0) -> Figure:
    """Show sound and motion as two matrices, one above the other on the same time axis.

    Parameters
    ----------
    mel : (T, bands) mel spectrogram, row 0 of the picture is its band 0; mel128 has its highest band first,
        of mel80 give `mel[:, ::-1]`.
    motion : its (T, J, D) positions become a picture of J * D rows, each centred on its own mean.
    rate : mel frames per second.
    """
    if mel.ndim != 2:
        raise UsageError(f"mel has shape {mel.shape}; expected (frames, bands)")
    figure, (above, below) = new_figure(2, 1, (8, 5), sharex=True, height_ratios=(1, 1))
    above.imshow(mel.T, aspect="auto", cmap="magma", extent=(0, len(mel) / rate, mel.shape[1], 0), interpolation="none")
    above.set(ylabel="mel band", title="Sound")
    axes = motion.positions.shape[2]
    rows = motion.positions.reshape(len(motion), -1).T
    rows = rows - rows.mean(1, keepdims=True)
    reach = float(np.abs(rows).max()) or 1.0
    shown = below.imshow(
        rows,
        aspect="auto",
        cmap="RdBu_r",
        vmin=-reach,
        vmax=reach,
        extent=(0, motion.duration, len(rows), 0),
        interpolation="none",
    )
    names = [joint.replace("_", " ") for joint in motion.skeleton.joints]
    every = -(-len(names) // _MOST_NAMES)  # or they would lie on each other
    below.set_yticks((np.arange(len(names)) * axes + axes / 2)[::every], names[::every], fontsize=6)
    below.tick_params(axis="y", length=0)
    below.set(xlabel="time (s)", title=f"Motion: {', '.join('xyz'[:axes])} of each joint")
    below.set_xlim(0, max(len(mel) / rate, motion.duration))
    figure.colorbar(shown, ax=[above, below], label=f"from the joint's mean ({_units(motion)})", fraction=0.03)
    return figure


@styled
def joint_curves(real: Motion, generated: Motion | None = None) -> Figure:
    """Show each joint's coordinates over time, a row for a joint and a column for an axis.

    Parameters
    ----------
    real : the motion, of any skeleton.
    generated : another of the same skeleton to compare with, drawn over the first.

    Raises
    ------
    UsageError
        If the two motions are of different skeletons.
    """
    shown = [(real, "real" if generated else None, REAL)]
    if generated is not None:
        if generated.skeleton != real.skeleton or generated.positions.shape[2] != real.positions.shape[2]:
            raise UsageError(
                f"cannot compare {real.skeleton.name} with {generated.skeleton.name}; give equal skeletons"
            )
        shown.append((generated, "generated", GENERATED))
    joints, axes = len(real.skeleton), real.positions.shape[2]
    figure, grid = new_figure(joints, axes, (4 * axes, 0.75 * joints + 0.8), sharex=True, squeeze=False)
    for j, name in enumerate(real.skeleton.joints):
        for axis in range(axes):
            cell = grid[j][axis]
            for motion, label, colour in shown:
                cell.plot(motion.times, motion.positions[:, j, axis], color=colour, linewidth=0.8, label=label)
            cell.tick_params(labelsize=6)
            cell.margins(x=0)
            if axis == 0:
                cell.set_ylabel(name.replace("_", "\n"), rotation=0, ha="right", va="center", fontsize=7)
    for axis in range(axes):
        grid[0][axis].set_title(f"{'xyz'[axis]} ({_units(real)})")
        grid[-1][axis].set_xlabel("time (s)")
    if generated is not None:
        figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


@styled
def conducting_pattern(
    motion: Motion, beats: Mapping[str, Any] | None = None, *, joint: str = "right_wrist", bars: int = 12
) -> Figure:
    """Trace a hand's path bar by bar, as the players see it, with the beats numbered where they fall.

    Parameters
    ----------
    beats : {"times": seconds, "positions": 1, 2, 3, ...}; None takes `motion.meta["beats"]`.
    joint : whose path.
    bars : at most so many of the first whole bars.

    Raises
    ------
    UsageError
        If there are no beats, or no whole bar among them.
    """
    beats = motion.meta.get("beats") if beats is None else beats
    if not beats or not len(beats["times"]):
        raise UsageError("there are no beats to trace the pattern by; give beats, or conduct with maestro")
    times, positions = np.asarray(beats["times"], float), np.asarray(beats["positions"], int)
    starts = np.flatnonzero(positions == 1)
    spans = list(pairwise(starts.tolist()))[:bars]
    if not spans:
        raise UsageError("the beats hold no whole bar; give more of the music")
    path = motion.positions[:, motion.skeleton.index(joint), :2].astype(float)
    columns = min(4, len(spans))
    rows = -(-len(spans) // columns)
    figure, grid = new_figure(rows, columns, (2.1 * columns, 2.2 * rows + 0.3), sharex=True, sharey=True, squeeze=False)
    cells = [cell for row in grid for cell in row]
    for bar, (cell, (start, stop)) in enumerate(zip(cells, spans, strict=False), 1):
        _trace(cell, path, motion, times[start : stop + 1], positions[start:stop])
        cell.set_title(f"bar {bar}")
    for cell in cells[len(spans) :]:
        cell.set_axis_off()
    if motion.positions.shape[2] == 2:  # the picture's y points down
        cells[0].invert_yaxis()
    figure.supxlabel(f"x ({_units(motion)})", fontsize=8)
    figure.supylabel(f"y ({_units(motion)})", fontsize=8)
    return figure


@styled
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
        raise UsageError(f"{len(times)} beats are there; a curve of tempo needs at least two")
    figure, (tempo, bars) = new_figure(2, 1, (8, 3.4), sharex=True, height_ratios=(5, 1))
    steps = np.diff(times)
    tempo.step(times, np.append(60 / steps, 60 / steps[-1]), where="post", color=FAINT, linewidth=1, label="each beat")
    starts = times[places == 1]
    if len(starts) > 1:
        inside = np.diff(np.searchsorted(times, starts))
        middle = (starts[1:] + starts[:-1]) / 2
        tempo.plot(middle, 60 * inside / np.diff(starts), "o-", color=REAL, markersize=3, linewidth=1.4, label="bar")
    tempo.set(ylabel="beats a minute")
    tempo.legend(loc="upper right", ncols=2)
    bars.vlines(times, 0, np.where(places == 1, 1.0, 0.5), color=INK, linewidth=0.8)
    bars.vlines(starts, 0, 1, color=GENERATED, linewidth=1.6)
    bars.set(xlabel="time (s)", ylabel="beats", yticks=[], ylim=(0, 1))
    tempo.margins(x=0.01)
    return figure


@styled
def beats_and_truth(predicted: Mapping[str, Any], annotated: Mapping[str, Any], *, window: float = 0.07) -> Figure:
    """Show tempo, bars and misses of the predicted beats, over the annotated ones.

    Parameters
    ----------
    predicted, annotated : {"times": seconds, "positions": place in the bar, from 1}; two beats or more each.
    window : seconds within which a beat counts as hit.

    Raises
    ------
    UsageError
        If there are fewer than two beats in either.
    """
    known, found = (np.asarray(beats["times"], float) for beats in (annotated, predicted))
    if min(len(known), len(found)) < 2:
        raise UsageError(f"{len(found)} beats predicted of {len(known)}; a curve needs at least two of each")
    figure, (tempo, bars, misses) = new_figure(3, 1, (8, 5.5), sharex=True, height_ratios=(2, 1.4, 1.2))
    for beats, times, label, colour, size in (
        (annotated, known, "annotated", REAL, 5),
        (predicted, found, "predicted", GENERATED, 2.5),
    ):
        steps = np.diff(times)
        tempo.step(times, np.append(60 / steps, 60 / steps[-1]), where="post", color=colour, linewidth=1.2, label=label)
        bars.plot(times, beats["positions"], "o", color=colour, markersize=size)
    nearest = known[np.abs(found[:, None] - known).argmin(1)]
    miss = 1000 * (found - nearest)
    hit = np.abs(miss) <= 1000 * window
    reach = 4000 * window
    misses.axhspan(-1000 * window, 1000 * window, color=FAINT, alpha=0.35, linewidth=0)
    misses.plot(found[hit], miss[hit], ".", color=REAL, markersize=4)
    misses.plot(found[~hit], np.clip(miss[~hit], -reach, reach), "x", color=GENERATED, markersize=4)
    tempo.set(ylabel="beats a minute")
    tempo.legend(loc="upper right", ncols=2)
    places = sorted(set(np.asarray(annotated["positions"]).tolist()))
    bars.set(ylabel="place in the bar", ylim=(0.4, None), yticks=places)
    misses.set(ylabel="off by (ms)", xlabel="time (s)", ylim=(-1.1 * reach, 1.1 * reach))
    tempo.margins(x=0)
    return figure


def _trace(cell: Axes, path: Float64Array, motion: Motion, times: Any, positions: Any) -> None:
    """Draw one bar: its path growing darker, and a numbered dot at each beat."""
    from matplotlib.collections import LineCollection

    fine = np.linspace(times[0], times[-1], 200)
    x, y = (np.interp(fine, motion.times, path[:, axis]) for axis in (0, 1))
    points = np.stack([x, y], axis=1)
    shades = [mix((255, 255, 255), bgr(GENERATED), share) for share in np.linspace(0.3, 1, len(points) - 1)]
    colours = np.array(shades)[:, ::-1] / 255
    lines = LineCollection(
        list(np.stack([points[:-1], points[1:]], axis=1)), colors=list(colours), linewidths=1.6, capstyle="round"
    )
    cell.add_collection(lines)
    for time, position in zip(times, positions, strict=False):
        at = (float(np.interp(time, motion.times, path[:, 0])), float(np.interp(time, motion.times, path[:, 1])))
        cell.plot(*at, "o", color=INK, markersize=9)
        cell.annotate(
            str(position), at, color="white", ha="center", va="center_baseline", fontsize=6.5, fontweight="bold"
        )
    cell.set_aspect("equal")
    cell.margins(0.12)
    cell.tick_params(labelsize=6)


def _units(motion: Motion) -> str:
    if motion.positions.shape[2] == 3:
        return "m"
    return "normalised" if motion.skeleton.name == "conductor-13" else "px"
