"""The performances of `ictus data`: films of players, and synthetic players."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from ictus.cli.console import complain, progress_bar, say, say_json, with_flags
from ictus.cli.options import FrameRate, Networks, Person, Range, Seed, Split, Workers, command
from ictus.errors import IctusError, UsageError
from ictus.limits import FRAME_RATES


@command
def prepare_solos(
    data: Annotated[Path, tyro.conf.arg(metavar="FILMS")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    stretch: float = 1.0,
    seconds: float = 10.0,
    films: bool = False,
    table: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    skeletons: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    ids: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    instrument: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME"), tyro.conf.UseAppendAction] = (),
    keypoint_rate: FrameRate = None,
    feature_rate: Annotated[float, Range(*FRAME_RATES), tyro.conf.arg(metavar="FPS")] = 21.5,
    estimate: bool = True,
    person: Person = "largest",
    networks: Networks = None,
    features: tuple[Literal["flow", "rgb"], ...] = (),
    inception: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    workers: Workers = 1,
    seed: Seed = 0,
) -> int:
    """Cut films of players into clips that sound is learnt from: SPLIT/CLIP/mel.npy, keypoints.npy, sound.flac.

    All clips of a video are in one split. What is there already is kept: the same command resumes. Films are not
    fetched; ids.txt names those that are wanted and not there.

    Args:
        data: Folder of films, INSTRUMENT/VIDEO.mp4 (or .mkv .webm .mov .m4v), with the player's keypoints beside each:
            VIDEO.npy .npz .json, or a folder VIDEO/ of OpenPose; perhaps VIDEO_rgb.npy and VIDEO_flow.npy. Where there
            are none, the player is looked for in the film.
        out: Folder to make or go on with.
        stretch: How fast films are played, the pitch kept; 1 is honest, 0.86 as Solos was published.
        seconds: Length of a clip.
        films: Write film.mp4 too, the pictures and sound of each clip.
        table: A .csv with columns video, instrument and split, any but the first of which may be missing; without a
            split, one video in ten goes to val and one to test. By default video_index.csv among the films.
        skeletons: Solos' skeleton.npy, with skeleton_dict.json beside it. By default those among the films.
        ids: The ids that are wanted: Solos' solos_ids.json, {INSTRUMENT: [ids]}, or a line for each.
        instrument: Only this one; may be given several times.
        keypoint_rate: Keypoints a second of the film, where their file does not say so, or wrongly.
        feature_rate: Rows of rgb and flow a second of the film, where their file does not say so.
        estimate: Look for the player in films without keypoints; --no-estimate leaves their clips without.
        person: Who plays, where several people are seen in a film without keypoints: largest, left, right, or a
            number from the left.
        networks: Networks of your own that find the player: a folder of .tflite files, or a .task file of MediaPipe.
        features: What to compute of the pictures where no file of it lies beside a film: flow, the movement in them,
            about hands, bow and mouth and all over; rgb, what BN-Inception sees.
        inception: Weights of BN-Inception (bn_inception-52deb4733.pth), which rgb needs.
        workers: Processes; a film is the work of one.
        seed: Another seed splits the videos otherwise.
    """
    from ictus.cli.watching import FilmProgress, watcher
    from ictus.corpora import run_jobs, shorten_list
    from ictus.sound.data import video_index
    from ictus.sound.data.preparation import ClipSettings, finish_corpus, plan_clips, prepare_video, write_ids
    from ictus.sound.models.bn_inception import load_published

    cutting = ClipSettings(seconds, stretch, films, keypoint_rate, feature_rate, features, inception)
    if inception is not None:
        load_published(inception)  # what is wrong with them is said once, not of each film
    wanted = video_index.read_ids(ids, instrument) if ids else {}
    found, lacking = video_index.find_videos(
        data, table=table, skeletons=skeletons, instruments=instrument, seed=seed, watched=estimate
    )
    with progress_bar("films") as bar:
        progress, watch = FilmProgress(bar), None
        if estimate and (without := [video.name for video in found if "keypoints" not in video.parts]):
            try:
                watch = watcher(person, networks, workers, progress)
            except UsageError:
                raise
            except IctusError as error:
                lacking.append(f"{data}: there are no keypoints of {shorten_list(without)}, and {with_flags(error)}")
        jobs = plan_clips(found, cutting, out, seed, watch)
        progress.films = len(jobs)
        for line in lacking:
            complain(line)
        done = run_jobs(prepare_video, jobs, workers=workers, progress=progress, report=complain)
    there = finish_corpus(out)
    has = ", ".join(
        f"{name} has {facts['clips']} of {_videos(facts['videos'])} ({facts['hours']:.2f} hours)"
        for name, facts in there.items()
    )
    say(f"{out}: {_clips(done.made)} made; {has or 'nothing is there'}")
    if ids:
        missing = write_ids(out, wanted, found)
        say(f"{out / 'ids.txt'}: names {_videos(len(missing))} of {len(wanted)} that are not among the films")
    return int(bool(lacking or done.failures))


@command
def prepare_players(
    data: Annotated[Path, tyro.conf.arg(metavar="SCORES")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    hours: float = 1.0,
    split: Split = "all",
    workers: Workers = 1,
    seed: Seed = 0,
    takes: Annotated[int, Range(0, 100)] = 0,
    soundfont: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE"), tyro.conf.UseAppendAction] = (),
) -> int:
    """Make soloists who play from scores, body and sound: SPLIT/NUMBER-INSTRUMENT/mel.npy, keypoints.npy, sound.flac.

    What is there already is kept: the same command resumes, a larger --hours goes on.

    Args:
        data: Folder of scores (.mxl .musicxml .xml .mid). A splits.csv in it (movement_id, split) says what is held
            out; without it one score in ten goes to val and one to test, by its name and the seed.
        out: Folder to make or go on with.
        hours: Hours of playing there shall be: in all splits together, eight tenths of them for training, or in one.
        split: Which split to make.
        workers: Processes.
        seed: Another seed is another corpus.
        takes: Other players, before other cameras, who also play each excerpt for training; their sound is not kept.
        soundfont: General MIDI SoundFont that plays some of the excerpts; may be given several times.
    """
    from ictus.synthesis.player_corpus import make_player_corpus, plan_player_corpus

    wanted = plan_player_corpus(data, out, hours=hours, split=split, seed=seed, soundfonts=soundfont, takes=takes)
    with progress_bar("players") as progress:
        made = make_player_corpus(wanted, workers=workers, progress=progress, report=complain)
    there = {order.split: sum(order.folder(k).is_dir() for k in range(order.count)) for order in wanted}
    has = ", ".join(f"{name} has {count}" for name, count in there.items())
    say(f"{out}: {made} excerpt{'' if made == 1 else 's'} made; {has}")
    return int(any(there[order.split] < order.count for order in wanted))


@command
def inspect_solos(data: Annotated[Path, tyro.conf.arg(metavar="DIR")], json: bool = False) -> int:
    """Count clips, videos and hours of a prepared corpus of players by instrument, and name what is broken.

    Args:
        data: Folder with train/, val/, test/, made by `ictus data prepare solos`.
        json: Report on stdout as JSON.
    """
    return _inspect(data, json)


@command
def inspect_players(data: Annotated[Path, tyro.conf.arg(metavar="DIR")], json: bool = False) -> int:
    """Count excerpts and hours of a corpus of synthetic players by instrument, and name what is broken.

    Args:
        data: Folder with train/, val/, test/, made by `ictus data prepare players`.
        json: Report on stdout as JSON.
    """
    return _inspect(data, json)


def _inspect(data: Path, json: bool) -> int:
    from ictus.sound.data.inspection import inspect_performances

    with progress_bar("inspect") as progress:
        found = inspect_performances(data, progress)
    if json:
        say_json({"shares": [share.facts() for share in found.shares], "broken": list(found.broken)})
    for share in [] if json else found.shares:
        say(share.line())
    for line in found.broken:
        complain(line)
    return int(bool(found.broken))


def _clips(count: int) -> str:
    return f"{count} clip{'' if count == 1 else 's'}"


def _videos(count: int) -> str:
    return f"{count} video{'' if count == 1 else 's'}"
