"""`ictus models`: what can be loaded by name, and what can be fetched."""

from dataclasses import asdict
from typing import Annotated

import tyro

from ictus.cli.console import say, say_json, show_table
from ictus.cli.options import command
from ictus.errors import UsageError

_FETCHED = "blaze"


@command
def run(
    action: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[get NAME]")] = (),
    /,
    json: bool = False,
) -> int:
    """List the models that are shipped, with size, licence and scores; or fetch those that are not.

    Args:
        action: get blaze: fetch the networks that find people in films (MediaPipe's, Apache-2.0, 17 MB) with pip, and
            keep them in the cache.
        json: Write JSON instead of a table.
    """
    if action:
        return _get(action)
    from ictus.registry import shipped

    rows = [asdict(model) for model in shipped()]
    if json:
        say_json(rows)
    else:
        show_table("Models", list(rows[0]), [list(row.values()) for row in rows])
        say(f"Not shipped: {_FETCHED}, which finds people in films; `ictus models get {_FETCHED}` fetches it")
    return 0


def _get(action: tuple[str, ...]) -> int:
    if action[0] != "get" or len(action) != 2:
        raise UsageError(f"ictus models {' '.join(action)}: type `ictus models`, or `ictus models get {_FETCHED}`")
    if action[1] != _FETCHED:
        raise UsageError(f"{action[1]}: cannot be fetched; what can is {_FETCHED}")
    from ictus.pose import networks

    files = networks.fetch()
    size = sum(file.stat().st_size for file in files) / 1e6
    say(f"{len(files)} networks of {networks.WHEEL} ({networks.LICENCE}, {size:.0f} MB) are in {files[0].parent}")
    return 0
