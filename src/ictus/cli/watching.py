"""Films that commands look at themselves: who is meant, and what finds them, checked before work starts."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ictus.pose.watch import Watch


def watcher(person: str = "largest", networks: Path | None = None, workers: int = 1) -> "Watch":
    """Return what finds a person in films.

    Parameters
    ----------
    workers : processes that will use it; each of several loads the networks itself.

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
    return partial(watch, person=person, engine=engine)
