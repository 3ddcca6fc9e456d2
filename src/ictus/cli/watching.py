"""Films that commands look at themselves: who is meant, and what finds them, checked before work starts."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ictus.cli.pose import with_speed

if TYPE_CHECKING:
    from ictus.cli.console import LabelledBar
    from ictus.pose.watch import Watch
    from ictus.types import Progress


class FilmProgress:
    """The progress of several films: of those that are done, and within the one that is looked at.

    Attributes
    ----------
    films : how many there are.
    """

    def __init__(self, bar: "LabelledBar", films: int = 1) -> None:
        self.films, self._bar, self._done = films, bar, 0.0
        self.within: Progress = with_speed(self._within, bar)

    def __call__(self, fraction: float) -> None:
        """Show the fraction of the films that are done."""
        self._done = fraction
        self._bar(fraction)

    def _within(self, fraction: float) -> None:
        self._bar(self._done + fraction / max(1, self.films))


def watcher(
    person: str = "largest", networks: Path | None = None, workers: int = 1, progress: FilmProgress | None = None
) -> "Watch":
    """Return what finds a person in films.

    Parameters
    ----------
    workers : processes that will use it; each of several loads the networks itself, and shows no progress.

    Raises
    ------
    UsageError
        If nobody can be meant by `person`.
    IctusError
        If the networks are not there.
    """
    from ictus.pose.engines import get_engine
    from ictus.pose.following import Follower
    from ictus.pose.watch import watch

    Follower(person)  # which knows who can be meant
    engine = get_engine("blaze", networks)
    if workers > 1:
        return partial(watch, person=person, networks=networks)
    return partial(watch, person=person, engine=engine, progress=progress and progress.within)
