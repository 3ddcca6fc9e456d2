"""The command line: one small file a command."""

import sys
from collections.abc import Sequence

_OLD_NAMES = {"rehearsal": "synthetic", "recital": "players"}  # of corpora


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ictus ...`; return the exit code: 0 done, 1 something failed, 2 wrong usage, more if it was stopped.

    That is 130 by Ctrl+C, 143 by SIGTERM, and 141 where nobody reads what is said any more (`ictus beats x | head`).
    """
    import signal

    from ictus.cli.console import complain, harmless, reason, silence
    from ictus.errors import UsageError
    from ictus.processes import stoppable

    words = list(sys.argv[1:] if arguments is None else arguments)
    # A word that is taken for an option is shown as it is, were it the name of a hostile file.
    words = [harmless(word) if word.startswith("--") and "=" not in word else word for word in words]
    try:
        try:
            with stoppable():
                return _run(words)
        except KeyboardInterrupt as stopped:
            complain("stopped")
            return 128 + (stopped.args[0] if stopped.args else signal.SIGINT)
        except BrokenPipeError:
            raise
        except Exception as error:
            complain(reason(error))
            return 2 if isinstance(error, UsageError) else 1
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
    if words == ["--version"]:
        from ictus import __version__

        sys.stdout.write(f"ictus {__version__}\n")
        return 0
    import os

    import tyro

    from ictus.cli import beats, conduct, convert, dance, data, evaluate, models, pose, sound, studio, train
    from ictus.cli.console import show_warnings
    from ictus.errors import UsageError

    if "" in words:  # which Python would take for the folder here
        raise UsageError("an argument is empty; is it a variable of the shell that is not set?")
    # On a busy machine, threads that spin while they wait for each other take the time of those that work.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    show_warnings()
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
    commands = tyro.extras.SubcommandApp()
    for module in (conduct, dance, sound, pose, studio, beats, train, evaluate, convert, models, data):
        commands.command(module.run, name=module.__name__.rpartition(".")[2])
    for tree, module in (("data", data), ("evaluate", evaluate)):  # which would make `ictus --help` slower
        if words[:1] == [tree]:
            words[2:3] = [_OLD_NAMES.get(word, word) for word in words[2:3]] if tree == "data" else words[2:3]
            return int(module.app().cli(prog=f"ictus {tree}", args=words[1:], config=config))
    about = "Music and human motion turn into each other."
    return int(commands.cli(prog="ictus", description=about, args=words, config=config))
