"""The command line: one small file a command."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ictus ...`; return the exit code: 0 done, 1 something failed, 2 wrong usage."""
    import logging
    import os

    import tyro

    from ictus.cli import beats, conduct, convert, data, evaluate, models, train
    from ictus.cli.console import complain
    from ictus.errors import IctusError, UsageError

    # On a busy machine, threads that spin while they wait for each other take the time of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    commands = tyro.extras.SubcommandApp()
    for module in (conduct, beats, train, evaluate, convert, models):
        commands.command(module.run, name=module.__name__.rpartition(".")[2])
    commands.command(data.app(), name="data", help="Make and look at corpora to train on.")
    try:
        return int(
            commands.cli(
                prog="ictus",
                description="Music and human motion turn into each other.",
                args=list(sys.argv[1:] if arguments is None else arguments),
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
            )
        )
    except IctusError as error:
        complain(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        complain("stopped")
        return 130
