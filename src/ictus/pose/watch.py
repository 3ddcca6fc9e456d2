"""Watching whole films for those who want people's motion from them: at about the rate that they need."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ictus.pose.estimation import track
from ictus.pose.estimator import PoseEstimator
from ictus.pose.gaps import LONGEST, runs
from ictus.pose.person_track import Track
from ictus.types import Progress
from ictus.video_io import probe

Watch = Callable[[Path, float], Track]  # a film, and about how many frames a second are wanted -> who is seen in it


def watch(
    film: str | os.PathLike[str],
    fps: float = 30.0,
    *,
    engine: PoseEstimator | str = "blaze",
    person: str = "largest",
    networks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Track:
    """Find a person in a film, in each of its pictures, or in each second or third where that is often enough.

    No picture is looked at twice, as there would be if another rate were asked for: `Track.resampled` makes it of
    what was found.

    Parameters
    ----------
    fps : frames a second that are wanted; those of the track are the film's, divided by a whole number.
    engine, person, networks, progress : as of `ictus.pose.track`, whose errors it raises.
    """
    rate = probe(film, silent=True).rate
    often = rate / max(1, round(rate / fps))
    return track(film, engine=engine, person=person, networks=networks, fps=often, progress=progress)


def part(found: Track, first: int, last: int) -> Track:
    """Return frames `first` to before `last` of a track, with the cuts in them."""
    begin = first / found.fps
    cuts = tuple(cut - begin for cut in found.cuts if first < cut * found.fps < last)
    return replace(
        found,
        points=found.points[first:last],
        confidence=found.confidence[first:last],
        world=None if found.world is None else found.world[first:last],
        seen=found.seen[first:last],
        cuts=cuts,
        start=found.start + begin,
    )


def passages(found: Track) -> Iterator[Track]:
    """Yield the parts of a track in which somebody is seen, between its cuts and its long gaps."""
    there = np.ones(len(found), bool)
    for first, last in runs(~found.seen).tolist():
        there[first:last] = last - first <= LONGEST * found.fps and first > 0 and last < len(found)
    cuts = [round(cut * found.fps) for cut in found.cuts]
    for first, last in runs(there).tolist():
        for begin, end in itertools.pairwise([first, *(cut for cut in cuts if first < cut < last), last]):
            yield part(found, begin, end)
