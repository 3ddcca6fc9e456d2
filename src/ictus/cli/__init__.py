"""The command line: one small file a command."""

import sys
from collections.abc import Sequence

_OLD_NAMES = {"rehearsal": "synthetic", "recital": "players"}  # of corpora


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ictus ...`; return the exit code: 0 done, 1 something failed, 2 wrong usage, 130 or 143 stopped."""
    import logging
    import os
    import signal

    import tyro

    from ictus.cli import beats, conduct, convert, dance, data, evaluate, models, sound, studio, train
    from ictus.cli.console import complain, with_flags
    from ictus.errors import IctusError, UsageError
    from ictus.processes import stoppable

    # On a busy machine, threads that spin while they wait for each other take the time of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    words = list(sys.argv[1:] if arguments is None else arguments)
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    commands = tyro.extras.SubcommandApp()
    for module in (conduct, dance, sound, studio, beats, train, evaluate, convert, models, data):
        commands.command(module.run, name=module.__name__.rpartition(".")[2])
    try:
        with stoppable():
            for tree, module in (("data", data), ("evaluate", evaluate)):  # which would make `ictus --help` slower
                if words[:1] == [tree]:
                    words[2:3] = [_OLD_NAMES.get(word, word) for word in words[2:3]] if tree == "data" else words[2:3]
                    return int(module.app().cli(prog=f"ictus {tree}", args=words[1:], config=config))
            about = "Music and human motion turn into each other."
            return int(commands.cli(prog="ictus", description=about, args=words, config=config))
    except IctusError as error:
        complain(with_flags(error))
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt as stopped:
        complain("stopped")
        return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)
