"""The command line: one small file a command."""

import sys
from collections.abc import Sequence

_OLD_NAMES = {"rehearsal": "synthetic", "recital": "players"}  # of corpora


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ictus ...`; return the exit code: 0 done, 1 something failed, 2 wrong usage, more if it was stopped.

    That is 130 by Ctrl+C, 143 by SIGTERM, and 141 where nobody reads what is said any more (`ictus beats x | head`).
    """
    from ictus.cli.console import complain, harmless, silence

    words = list(sys.argv[1:] if arguments is None else arguments)
    # Options that there are not are shown as they are given: by a file of such a name, perhaps.
    words = [harmless(word) if word.startswith("--") and "=" not in word else word for word in words]
    try:
        try:
            return _run(words)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        silence()
        if isinstance(error, BrokenPipeError):
            return 141
        complain(f"stdout: {error.strerror}")
        return 1


def _run(words: list[str]) -> int:
    import os
    import signal

    import tyro

    from ictus.cli import beats, conduct, convert, dance, data, evaluate, models, sound, studio, train
    from ictus.cli.console import complain, reason, show_warnings
    from ictus.errors import UsageError
    from ictus.processes import stoppable

    # On a busy machine, threads that spin while they wait for each other take the time of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    show_warnings()
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
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
    except BrokenPipeError:
        raise
    except Exception as error:
        complain(reason(error))
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt as stopped:
        complain("stopped")
        return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)
