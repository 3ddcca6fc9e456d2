"""The films of conductors of `ictus data`."""

from pathlib import Path
from typing import Annotated

import tyro

from ictus.cli.console import complain, progress_bar, say
from ictus.cli.options import Networks, Person, Range, Seed, Workers, command


@command
def prepare_conductor_motion(
    data: Annotated[Path, tyro.conf.arg(metavar="FILMS")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    seconds: Annotated[int, Range(1, 3600)] = 60,
    table: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    person: Person = "largest",
    networks: Networks = None,
    workers: Workers = 1,
    seed: Seed = 0,
) -> int:
    """Make examples in the format of ConductorMotion100 from films of conductors: SPLIT/NUMBER/mel.npy, motion.npy.

    Scenes are cut into parts of equal length; those in which the conductor or the hands are not seen are left out, and
    listed here and in films.json. All parts of a film are in one split. What is there already is kept: the same command
    resumes.

    Args:
        data: Folder of films with their sound (.mp4 .mkv .webm .mov .m4v), or of folders of them.
        out: Folder to make or go on with.
        seconds: Length of a part; 60 as ConductorMotion100 has it.
        table: A .csv with columns video and split. Without a split, one film in ten goes to val and one to test. By
            default videos.csv among the films.
        person: Who conducts, where several people are seen: largest, left, right, or a number from the left.
        networks: Networks of your own that find the conductor: a folder of .tflite files, or a .task file of MediaPipe.
        workers: Processes; a film is the work of one.
        seed: Another seed splits the films otherwise.
    """
    from ictus.cli.watching import FilmProgress, watcher
    from ictus.conducting.data import films

    with progress_bar("films") as bar:
        progress = FilmProgress(bar)
        watch = watcher(person, networks, workers, progress)
        jobs, lacking = films.plan_films(data, out, watch, seconds=seconds, table=table, seed=seed)
        progress.films = len(jobs)
        for line in lacking:
            complain(line)
        done = films.prepare_films(jobs, out, workers, progress, complain)
    for line in films.list_left_out(data, out, {job.name for job in jobs}):
        complain(line)
    there = films.finish_corpus(out)
    has = ", ".join(f"{name} has {facts['takes']} ({facts['hours']:.2f} hours)" for name, facts in there.items())
    say(f"{out}: {done.made} take{'' if done.made == 1 else 's'} made; {has or 'nothing is there'}")
    return int(bool(lacking or done.failures or not there))
