"""From a film to a person's points over time.

    film -> pictures -> an engine, which follows one person -> gaps filled -> smoothed both ways -> Track

Nothing but a few pictures is in memory at once.
"""

import logging
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from ictus.errors import MotionError
from ictus.files import counted
from ictus.motion import Motion
from ictus.pose.bodies import motion_of
from ictus.pose.completion import complete
from ictus.pose.engines import get_engine
from ictus.pose.estimator import Person, Picture, PoseEstimator
from ictus.pose.following import Follower
from ictus.pose.gaps import FILLED
from ictus.pose.person_track import Track
from ictus.pose.scenes import SceneCuts
from ictus.skeleton import Skeleton
from ictus.types import Float32Array, Progress
from ictus.video_io import Film, probe, video_frames

_BLOCK = 1024  # frames
_log = logging.getLogger(__name__)


def estimate(
    film: str | os.PathLike[str],
    skeleton: str = "solos-47",
    *,
    engine: PoseEstimator | str = "blaze",
    person: str = "largest",
    start: float = 0.0,
    end: float | None = None,
    fps: float | None = None,
    networks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Motion:
    """Return how a person in a film moves; see `track` for the parameters and errors.

    Parameters
    ----------
    skeleton : "solos-47", "coco-17" or "blaze-75", in pixels; "conductor-13", as ConductorMotion100 has it.
    """
    found = track(
        film, engine=engine, person=person, start=start, end=end, fps=fps, networks=networks, progress=progress
    )
    return motion_of(found, skeleton)


def track(
    film: str | os.PathLike[str],
    *,
    engine: PoseEstimator | str = "blaze",
    person: str = "largest",
    start: float = 0.0,
    end: float | None = None,
    fps: float | None = None,
    networks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Track:
    """Find a person in each picture of a film.

    Parameters
    ----------
    film : the file, of any container; pictures that are to be shown turned are turned.
    engine : "blaze", or any `PoseEstimator`.
    person : who, where several people are seen: "largest", "left", "right" or a number from the left.
    start, end : seconds.
    fps : frames a second; by default those of the film, on average.
    networks : folder or .task file of the engine's networks; by default those that were fetched.
    progress : called once for each picture, with the fraction done.

    Raises
    ------
    MotionError
        If nobody is seen in the film.
    UsageError
        If there is no such engine or person.
    IctusError
        If the film cannot be read, or the engine or its networks are not there.
    """
    follow = Follower(person)
    found = probe(film, silent=True)
    rate = fps or found.rate
    if not 0 <= start < found.seconds or (end is not None and end <= start):
        raise MotionError(f"{film}: lasts {found.seconds:.2f} s; there is nothing in it from {start:g} s on")
    estimator = get_engine(engine, networks) if isinstance(engine, str) else engine
    pictures = _Pictures(found, rate, start, end, progress)
    collected = _Collected(estimator.skeleton)
    for one in estimator(pictures, follow):
        collected.add(one)
    if pictures.damaged is not None:
        _log.warning("%s: its pictures are damaged after %.1f s; those around stand for them", film, pictures.damaged)
    return collected.track(pictures, rate, start)


class _Pictures:
    """The pictures of a film, each once, and what is to be known of them afterwards."""

    def __init__(self, film: Film, fps: float, start: float, end: float | None, progress: Progress | None) -> None:
        self.film, self.fps, self.start, self.end, self.progress = film, fps, start, end, progress
        self.count = 0
        self.cuts: list[int] = []
        self.damaged: float | None = None

    def __iter__(self) -> Iterator[Picture]:
        cut, film = SceneCuts(), self.film
        expected = max(1, (min(film.seconds, self.end or film.seconds) - self.start) * self.fps)
        frames = video_frames(film, self.fps, start=self.start, end=self.end, damaged=self._note)
        shown = (np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames)
        after = next(shown, None)
        for number in count():
            pixels, after = after, next(shown, None)
            if pixels is None:
                return
            new = cut(pixels, after)
            if new:
                self.cuts.append(number)
            self.count = number + 1
            yield Picture(pixels, number / self.fps, new)
            if self.progress:
                self.progress(min(1.0, self.count / expected))

    def _note(self, time: float) -> None:
        self.damaged = time if self.damaged is None else self.damaged


class _Collected:
    """What an engine finds, frame by frame, in little memory: 2 kB each.

    They are kept in large blocks. Small ones, each allocated beside a picture, would keep its memory from being used
    again.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self.blocks: list[Float32Array] = []  # (_BLOCK, J, 6): x, y, confidence, world
        self.seen: list[bool] = []
        self.in_space = False

    def add(self, person: Person | None) -> None:
        place = len(self.seen) % _BLOCK
        if not place:
            self.blocks.append(np.zeros((_BLOCK, len(self.skeleton), 6), np.float32))
        row = self.blocks[-1][place]
        if person is not None:
            row[:, :2], row[:, 2] = person.points, person.confidence
            if person.world is not None:
                row[:, 3:], self.in_space = person.world, True
        self.seen.append(person is not None)

    def track(self, pictures: _Pictures, fps: float, start: float) -> Track:
        film = pictures.film
        if not any(self.seen):
            where = "" if pictures.end is None and not start else " of this part"
            raise MotionError(f"{film.file}: nobody is seen in its {counted(len(self.seen), 'pictures')}{where}")
        rows, seen = np.concatenate(self.blocks)[: len(self.seen)], np.array(self.seen)
        self.blocks.clear()
        points, confidence, world = complete(self.skeleton, rows, seen, fps, pictures.cuts)
        inside = ((points >= 0) & (points < film.size)).all(-1)
        confidence = np.where(inside, confidence, np.minimum(confidence, FILLED))  # beside the picture all is a guess
        cuts = tuple(frame / fps for frame in pictures.cuts)
        space = world if self.in_space else None
        return Track(self.skeleton, points, confidence, space, seen, fps, film.size, cuts, Path(film.file), start)
