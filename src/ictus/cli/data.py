"""`ictus data`: corpora to train on."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.extras import SubcommandApp

from ictus.cli.console import complain, progress_bar, say
from ictus.errors import UsageError


def app() -> SubcommandApp:
    """Return `ictus data` with its subcommands."""
    prepare = SubcommandApp()
    prepare.command(name="rehearsal")(prepare_rehearsal)
    data = SubcommandApp()
    data.command(prepare, name="prepare", help="Make or convert a corpus.")
    return data


def prepare_rehearsal(
    data: Annotated[Path, tyro.conf.arg(metavar="SCORES")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    hours: float = 1.0,
    split: Literal["all", "train", "val", "test"] = "all",
    workers: int = 1,
    seed: int = 0,
) -> int:
    """Make conducting examples in the format of ConductorMotion100 from scores.

    Scores are played with the tempo of real performances where these are known, with a musician's freedom where not,
    and conducted from their true beats. What is there already is kept: the same command resumes, a larger --hours goes
    on.

    Args:
        data: Folder of scores (.mxl .musicxml .xml .mid). A splits.csv in it (movement_id, split) says what is
            held out; without it one score in ten goes to val and one to test, by its name and the seed.
        out: Folder to make or go on with; it gets SPLIT/NUMBER/mel.npy, motion.npy and beats.npz.
        hours: Hours of music there shall be: in all splits together, nine tenths of them for training, or in one.
        split: Which split to make.
        workers: Processes.
        seed: Another seed is another corpus.
    """
    from ictus.conducting.rehearsed import conductor_motion
    from ictus.rehearsal.corpus import orders, prepare

    if workers < 1:
        raise UsageError(f"--workers {workers}: at least one must work")
    wanted = orders(data, out, hours=hours, split=split, seed=seed)
    with progress_bar("rehearsal") as progress:
        made = prepare(wanted, conductor_motion, workers=workers, progress=progress, report=complain)
    there = {order.split: sum(1 for k in range(order.count) if order.folder(k).is_dir()) for order in wanted}
    say(f"{out}: {_minutes(made)} made; " + ", ".join(f"{name} has {_minutes(n)}" for name, n in there.items()))
    return int(any(there[order.split] < order.count for order in wanted))


def _minutes(count: int) -> str:
    return f"{count} minute{'' if count == 1 else 's'}"
