"""The dances of `ictus data`: AIST++, Dance with Melody, and one's own."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import tyro

from ictus.cli.console import complain, progress_bar, say, say_json, show_table
from ictus.cli.options import Hours, Networks, Person, Range, Seed, Split, Workers, command
from ictus.errors import UsageError

if TYPE_CHECKING:
    from ictus.corpora import PreparationResult
    from ictus.dance.data.dataset import Layout

Job = TypeVar("Job")


@command
def inspect_aist(
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    music: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    json: bool = False,
) -> int:
    """Count the motions, hours, genres and splits of AIST++, and name each file that is broken.

    Args:
        data: Folder of AIST++, with motions/ and splits/.
        music: Folder of the songs, to see which are there.
        json: Report on stdout as JSON.
    """
    from ictus.dance.data.aist_inspection import inspect

    with progress_bar("aist") as progress:
        found = inspect(data, music, progress)
    if json:
        say_json(found.facts())
    for line in [] if json else found.lines():
        say(line)
    for line in found.broken:
        complain(line)
    return int(bool(found.broken or found.songs_missing))


@command
def inspect_melody(data: Annotated[Path, tyro.conf.arg(metavar="DIR")], json: bool = False) -> int:
    """Count the dances and minutes of Dance with Melody by kind and split, and name each file that is broken.

    Args:
        data: Folder of the dances: DANCE_W_1/ and so on as published, or W_1.npz with W_1.ogg.
        json: Report on stdout as JSON.
    """
    from ictus.dance.data.dance_with_melody import KINDS, scan_recordings, splits

    found, split_of = scan_recordings(data), splits(data)
    if json:
        say_json(
            {
                "dances": [
                    {"name": t.name, "kind": t.kind, "split": split_of.get(t.name), "seconds": round(seconds, 2)}
                    for t, seconds in zip(found.recordings, found.seconds, strict=True)
                ],
                "broken": list(found.broken),
            }
        )
    for kind in [] if json else KINDS.values():
        these = [(t, seconds) for t, seconds in zip(found.recordings, found.seconds, strict=True) if t.kind == kind]
        shares = Counter(split_of.get(recording.name, "no split") for recording, _ in these)
        minutes = sum(seconds for _, seconds in these) / 60
        where = ", ".join(f"{count} in {split}" for split, count in sorted(shares.items()))
        say(f"{kind}: {len(these)} dances, {minutes:.1f} minutes" + (f"; {where}" if where else ""))
    for line in found.broken:
        complain(line)
    return int(bool(found.broken))


@command
def inspect_repertoire(data: Annotated[Path, tyro.conf.arg(metavar="FOLDER")], json: bool = False) -> int:
    """Say what `ictus dance --repertoire` would dance with: genre, length, beats, and which joint goes where.

    Args:
        data: Folder of recorded dances (.bvh .glb .npz .pkl), of whatever rig, or of films of them; or one file.
        json: Report on stdout as JSON.
    """
    from ictus.dance.data.repertoire import read_repertoire

    found = read_repertoire(data)
    broken = [*found.broken, *found.without_dance]
    clips = [(recording, clip) for recording in found.recordings for clip in recording.clips]
    if json:
        facts = [
            {
                **{"file": str(recording.path), "name": clip.name, "genre": clip.genre, "joints": recording.joints},
                **{"seconds": round(clip.seconds, 2), "beats": len(clip.times), "tempo": round(clip.tempo, 1)},
            }
            for recording, clip in clips
        ]
        say_json({"dances": facts, "broken": broken})
        return int(bool(broken))
    for recording, clip in clips:
        genre = f"{clip.genre}, " if clip.genre else ""
        beats = f"{len(clip.times)} beats at {clip.tempo:.0f} a minute"
        say(f"{recording.path}: {clip.name}, {genre}{clip.seconds:.1f} s, {beats}")
    tables = {tuple(recording.joints.items()): recording.path for recording in found.recordings if recording.joints}
    for table, path in tables.items():
        show_table(f"joints of {path.name} and its like", ["smpl-24", "in the file"], [list(pair) for pair in table])
    return int(bool(broken))


@command
def prepare_aist(
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    music: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    split: Split = "all",
    workers: Workers = 1,
    sound: bool = False,
) -> int:
    """Make of AIST++ and its songs what FACT learns from: SPLIT/NAME/motion.npy, audio.npy and beats.npy.

    The crossmodal splits without the ignore list. What is there already is kept: the same command resumes.

    Args:
        data: Folder of AIST++, with motions/, splits/ and ignore_list.txt.
        out: Folder to make or go on with.
        music: Folder of the songs, mBR0.wav (or .flac .mp3 .m4a .ogg) and so on; AIST++ comes without them.
        split: Which split to make.
        workers: Processes; a song and its dances is the work of one.
        sound: Write music.flac too, the part of the song that is danced to.
    """
    from ictus.dance.data import aist_preparation
    from ictus.dance.data.dataset import AIST

    if music is None:
        raise UsageError(aist_preparation.WHERE_MUSIC_IS, option="music")
    songs, lacking = aist_preparation.plan(data, music, out, splits=_splits(split), sound=sound)
    return _made(aist_preparation.prepare_song, songs, lacking, out, AIST, workers)


@command
def prepare_melody(
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    split: Split = "all",
    kind: Literal["all", "waltz", "tango", "cha-cha", "rumba"] = "all",
    view: Literal["room", "body"] = "body",
    waltz_rate: Annotated[float | None, Range(20, 30), tyro.conf.arg(metavar="FPS")] = None,
    workers: Workers = 1,
    sound: bool = False,
) -> int:
    """Make of Dance with Melody what its autoencoder learns from: SPLIT/NAME/motion.npy, audio.npy and beats.npy.

    Music and motion are cut to the first and last danced beat, and where a recording leaps, into pieces. What is there
    already is kept: the same command resumes.

    Args:
        data: Folder of the dances: DANCE_W_1/ and so on as published, or W_1.npz with W_1.ogg. A splits.csv in it
            (dance_id, split) says what is held out.
        out: Folder to make or go on with.
        split: Which split to make.
        kind: Kind of dance; the paper trains a network for each.
        view: room turns and centres each dance once, as an audience sees it; body turns and centres the dancer in
            every frame, as in the paper.
        waltz_rate: True frames a second of the waltzes: nominally 25, but 24.63 fits their songs better.
        workers: Processes.
        sound: Write music.flac too.
    """
    from ictus.dance.data import melody_preparation
    from ictus.dance.data.dance_with_melody import RATES
    from ictus.dance.data.dataset import MELODY

    rate = RATES["waltz"] if waltz_rate is None else waltz_rate
    jobs, lacking = melody_preparation.plan(
        data, out, kind=kind, view=view, waltz_rate=rate, splits=_splits(split), sound=sound
    )
    return _made(melody_preparation.prepare_recording, jobs, lacking, out, MELODY, workers)


@command
def prepare_choreography(
    data: Annotated[Path, tyro.conf.arg(metavar="SONGS")],
    dances: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="DIR")],
    form: Literal["aist", "melody"] = "aist",
    genre: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="LETTERS")] = (),
    split: Split = "all",
    hours: Hours = None,
    workers: Workers = 1,
    seed: Seed = 0,
    sound: bool = False,
    steady: bool = False,
    person: Person = "largest",
    networks: Networks = None,
) -> int:
    """Set phrases of real dances on the beats of songs: SPLIT/gBR_NUMBER/motion.npy, audio.npy and beats.npy.

    What is there already is kept: the same command resumes.

    Args:
        data: Folder of songs whose beats are known, made by `ictus data prepare synthetic --music`.
        dances: Folder of real dances, NAME.npz with rotations (T, 22 or 24, 3, 3), root (T, 3), fps, bpm and joins;
            named as AIST++'s sequences are. Or motions of any rig (.bvh .glb .npz .pkl), and films of dancers.
        out: Folder to make or go on with.
        form: aist (60 fps, for FACT) or melody (25 fps, for Dance with Melody).
        genre: Letters of a genre to dance, such as WA; may be given several times. Without it: all.
        split: Which split to make.
        hours: Hours of each split, at most.
        workers: Processes.
        seed: Another seed is another corpus.
        sound: Write music.flac too.
        steady: Dance a beat over and over, each genre for eight seconds, larger where the music is loud: what a network
            can learn that does not know what it has just danced.
        person: Who dances, where several people are seen in a film: largest, left, right, or a number from the left.
        networks: Networks of your own that find the dancer in films: a folder of .tflite files, or a .task file of
            MediaPipe.
    """
    from functools import partial

    from ictus.dance.data import synthetic
    from ictus.dance.data.dataset import AIST, MELODY
    from ictus.pose.watch import watch

    splits = _splits(split)
    jobs = synthetic.plan(
        data,
        dances,
        out,
        form=form,
        genres=genre,
        splits=splits,
        hours=hours,
        seed=seed,
        sound=sound,
        steady=steady,
        watch=partial(watch, person=person, networks=networks),
    )
    return _made(synthetic.prepare_dance, jobs, (), out, AIST if form == "aist" else MELODY, workers)


def _made(
    work: Callable[[Job], "PreparationResult"],
    jobs: Sequence[Job],
    lacking: Sequence[str],
    out: Path,
    layout: "Layout",
    workers: int,
) -> int:
    """Do the work, say what is there then, and return the exit code."""
    from ictus.corpora import run_jobs
    from ictus.dance.data.preparation import finish_corpus

    for line in lacking:
        complain(line)
    with progress_bar("dances") as progress:
        done = run_jobs(work, jobs, workers=workers, progress=progress, report=complain)
    there = finish_corpus(out, layout)
    has = ", ".join(f"{name} has {facts['dances']} ({facts['hours']:.2f} hours)" for name, facts in there.items())
    say(f"{out}: {done.made} dance{'' if done.made == 1 else 's'} made; {has or 'nothing is there'}")
    return int(bool(lacking or done.failures))


def _splits(split: Split) -> tuple[str, ...]:
    return ("train", "val", "test") if split == "all" else (split,)
