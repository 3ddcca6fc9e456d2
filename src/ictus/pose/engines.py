"""Engines by their names; another is one file with a class, and a line here."""

import os
from pathlib import Path

from ictus.errors import UsageError
from ictus.pose.estimator import PoseEstimator

ENGINES = ("blaze", "rtm")


def get_engine(name: str, networks: str | os.PathLike[str] | None = None) -> PoseEstimator:
    """Return an engine, ready to work.

    Parameters
    ----------
    networks : folder, or for blaze a .task file; by default those that were fetched.

    Raises
    ------
    UsageError
        If there is none of that name.
    IctusError
        If what it needs is not there.
    """
    if name == "blaze":
        from ictus.pose.blaze import Blaze
        from ictus.pose.networks import load

        return Blaze(load(None if networks is None else Path(networks)))
    if name == "rtm":
        from ictus.pose.rtm import RTM

        return RTM(None if networks is None else Path(networks))
    raise UsageError(f"no engine is called {name!r}; known are {', '.join(ENGINES)}")
