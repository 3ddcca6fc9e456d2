"""`ictus data`: corpora to train on."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.extras import SubcommandApp

from ictus.cli.console import complain, progress_bar, say, say_json
from ictus.cli.options import Count, Seed, Split, Workers, command
from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.synthesis.music_corpus import MusicCorpusSplit

_MOST_RECORDINGS = 16  # of one minute


@command
def run() -> int:
    """Make, inspect and draw corpora to train on."""
    return int(app().cli(prog="ictus data", args=[]))  # stands for the tree below in the list of commands


def app() -> SubcommandApp:
    """Return `ictus data` with its subcommands."""
    from ictus.cli import conducting_data, dance_data, sound_data

    prepare = SubcommandApp()
    prepare.command(name="synthetic")(prepare_synthetic)
    prepare.command(name="beats")(prepare_beats)
    prepare.command(name="conductor-motion")(conducting_data.prepare_conductor_motion)
    prepare.command(name="aist")(dance_data.prepare_aist)
    prepare.command(name="melody")(dance_data.prepare_melody)
    prepare.command(name="choreography")(dance_data.prepare_choreography)
    prepare.command(name="solos")(sound_data.prepare_solos)
    prepare.command(name="players")(sound_data.prepare_players)
    data = SubcommandApp()
    data.command(prepare, name="prepare", help="Make or convert a corpus.")
    inspect, plot = SubcommandApp(), SubcommandApp()
    inspect.command(name="conductor-motion")(inspect_conductor_motion)
    inspect.command(name="aist")(dance_data.inspect_aist)
    inspect.command(name="melody")(dance_data.inspect_melody)
    inspect.command(name="repertoire")(dance_data.inspect_repertoire)
    inspect.command(name="solos")(sound_data.inspect_solos)
    inspect.command(name="players")(sound_data.inspect_players)
    plot.command(name="conductor-motion")(plot_conductor_motion)
    data.command(inspect, name="inspect", help="Count what is there, and name what is broken.")
    data.command(plot, name="plot", help="Draw the samples of a corpus.")
    return data


@command
def prepare_synthetic(
    data: Annotated[Path, tyro.conf.arg(metavar="SCORES")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    hours: float = 1.0,
    split: Split = "all",
    workers: Workers = 1,
    seed: Seed = 0,
    soundfont: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE"), tyro.conf.UseAppendAction] = (),
    piano: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.0,
    songs: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.0,
    music: bool = False,
    cluster: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None,
) -> int:
    """Make conducting examples in the format of ConductorMotion100 from scores.

    Scores are played with the tempo of real performances where these are known, with a musician's freedom where not,
    and conducted from their true beats. What is there already is kept: the same command resumes, a larger --hours goes
    on.

    Args:
        data: Folder of scores (.mxl .musicxml .xml .mid). A splits.csv in it (movement_id, split) says what is
            held out; without it one score in ten goes to val and one to test, by its name (or composer, where
            a scores.csv names it) and the seed.
        out: Folder to make or go on with; it gets SPLIT/NUMBER/mel.npy, motion.npy and beats.npz.
        hours: Hours of music there shall be: in all splits together, nine tenths of them for training, or in one.
        split: Which split to make.
        workers: Processes.
        seed: Another seed is another corpus.
        soundfont: General MIDI SoundFont (.sf2 .sf3) to play some of the scores with; may be given several times.
        piano: Share of the scores, 0 to 1, that a pianist plays alone, with a pianist's freedom.
        songs: Share of the minutes, 0 to 1, that are not from scores: popular songs, which a band invents.
        music: Write music.flac too: 22,050 Hz, mono, 16 bit.
        cluster: Ray cluster (HOST:PORT) that does the work instead of --workers; it must see the same files.
    """
    from ictus.conducting.data.synthetic import conductor_motion
    from ictus.synthesis.music_corpus import make_music_corpus, plan_music_corpus
    from ictus.synthesis.rendering import SynthesisOptions

    if cluster:  # other machines work in other folders
        data, out, soundfont = data.resolve(), out.resolve(), tuple(path.resolve() for path in soundfont)
    options = SynthesisOptions(soundfont, piano, songs, music)
    wanted = plan_music_corpus(data, out, hours=hours, split=split, seed=seed, options=options)
    finish = partial(conductor_motion, music=music)
    with progress_bar("synthetic") as progress:
        made = make_music_corpus(wanted, finish, workers=workers, progress=progress, report=complain, cluster=cluster)
    return _told(out, wanted, made)


@command
def prepare_beats(
    data: Annotated[Path, tyro.conf.arg(metavar="SCORES")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    hours: float = 1.0,
    split: Split = "all",
    workers: Workers = 1,
    seed: Seed = 0,
    soundfont: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE"), tyro.conf.UseAppendAction] = (),
    piano: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.0,
    songs: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.0,
    reorchestrated: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.0,
    grooves: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    recordings: Annotated[int, tyro.conf.arg(metavar="N")] = 2,
) -> int:
    """Make music whose beats are known from scores, for beat trackers to learn.

    Tempo, rubato, metre and attacks are as various as in real recordings, and each minute is kept as several recordings
    of it might sound: in other rooms, on tape, through codecs. What is there already is kept: the same command resumes,
    a larger --hours goes on.

    Args:
        data: Folder of scores (.mxl .musicxml .xml .mid); which of them are held out is as of `prepare synthetic`.
        out: Folder to make or go on with; it gets SPLIT/NUMBER/music.flac, beats.npz and recordings.npy.
        hours: Hours of music there shall be: in all splits together, nine tenths of them for training, or in one.
        split: Which split to make.
        workers: Processes.
        seed: Another seed is another corpus.
        soundfont: General MIDI SoundFont (.sf2 .sf3) to play some of the scores with; may be given several times.
        piano: Share of the scores, 0 to 1, that a pianist plays alone, with a pianist's freedom.
        songs: Share of the minutes, 0 to 1, that are not from scores: popular songs, which a band invents.
        reorchestrated: Share of the scores, 0 to 1, that others play than they were written for: an organist, brass.
        grooves: Folder of real drummers' takes, who play in most of the songs: the Groove MIDI Dataset, unpacked.
        recordings: Other recordings of each minute, 0 to 16.
    """
    from ictus.synthesis.beat_corpus import annotated_music
    from ictus.synthesis.music_corpus import make_music_corpus, plan_music_corpus
    from ictus.synthesis.rendering import SynthesisOptions

    if not 0 <= recordings <= _MOST_RECORDINGS:
        raise UsageError(f"{recordings} recordings of each minute; choose 0 to {_MOST_RECORDINGS}", option="recordings")
    options = SynthesisOptions(soundfont, piano, songs, True, True, reorchestrated, grooves)
    wanted = plan_music_corpus(data, out, hours=hours, split=split, seed=seed, options=options)
    finish = partial(annotated_music, recordings=recordings)
    with progress_bar("beats") as progress:
        made = make_music_corpus(wanted, finish, workers=workers, progress=progress, report=complain)
    return _told(out, wanted, made)


def _told(out: Path, wanted: "list[MusicCorpusSplit]", made: int) -> int:
    """Say what was made and what is there; return the exit code."""
    there = {order.split: sum(1 for k in range(order.count) if order.folder(k).is_dir()) for order in wanted}
    say(f"{out}: {_minutes(made)} made; " + ", ".join(f"{name} has {_minutes(n)}" for name, n in there.items()))
    return int(any(there[order.split] < order.count for order in wanted))


def _minutes(count: int) -> str:
    return f"{count} minute{'' if count == 1 else 's'}"


@command
def inspect_conductor_motion(data: Annotated[Path, tyro.conf.arg(metavar="DIR")], json: bool = False) -> int:
    """Count takes and hours of a corpus in the format of ConductorMotion100, and name each folder that is broken.

    Args:
        data: Folder with train/, val/, test/.
        json: Report on stdout as JSON.
    """
    from ictus.conducting.data.conductor_motion import SPLITS, inspect_split

    there = [split for split in SPLITS if (data / split).is_dir()]
    if not there:
        raise UsageError(
            f"{data}: has none of {', '.join(f'{split}/' for split in SPLITS)}; give the folder above them"
        )
    found = {split: inspect_split(data, split, thorough=True) for split in there}
    if json:
        facts = {
            name: {"takes": len(s.recordings), "hours": s.hours, "broken": list(s.broken)} for name, s in found.items()
        }
        say_json(facts)
    for name, split in found.items():
        if not json:
            say(f"{name}: {len(split.recordings)} takes, {split.hours:.2f} hours, {len(split.broken)} broken")
        for line in split.broken:
            complain(line)
    return int(any(split.broken for split in found.values()))


@command
def plot_conductor_motion(
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    split: str = "val",
    limit: Count = 10,
) -> int:
    """Draw each take as its mel above its motion matrix, and as the curves of its joints.

    Args:
        data: Folder with train/, val/, test/.
        out: Folder for NUMBER-matrix.png and NUMBER-curves.png.
        split: Which split to draw.
        limit: How many takes.
    """
    from ictus.conducting.data.conductor_motion import MOTION_RATE, inspect_split
    from ictus.files import writing
    from ictus.motion import Motion
    from ictus.render import plots
    from ictus.skeleton import get_skeleton

    takes = inspect_split(data, split).recordings[:limit]
    with progress_bar("plot") as progress:
        for k, take in enumerate(takes):
            motion = Motion(take.motion(), MOTION_RATE, get_skeleton("conductor-13"))
            figures = {"matrix": plots.mel_and_motion(take.mel(), motion), "curves": plots.joint_curves(motion)}
            for name, figure in figures.items():
                with writing(out / f"{take.folder.name}-{name}.png") as temporary:
                    figure.savefig(temporary, dpi=100)
            progress((k + 1) / len(takes))
    say(f"{out}: {2 * len(takes)} pictures of {len(takes)} takes")
    return 0
