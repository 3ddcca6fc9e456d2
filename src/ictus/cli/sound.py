"""`ictus sound`: a performer's motion -> the instrument's sound."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus import io, registry
from ictus.cli.batch import plan_files, run_batch, shares
from ictus.cli.console import complain, part, with_flags
from ictus.cli.options import Engine, FrameRate, Networks, Outs, Person, Range, Seed, command
from ictus.errors import IctusError, MotionError, UsageError
from ictus.render.render_options import SHOWN

if TYPE_CHECKING:
    from ictus.sound.performance import Performance, PerformanceFiles
    from ictus.sound.pipeline import Soloist
    from ictus.types import Progress

_NOTES = (".mid", ".midi", ".musicxml", ".mxl")
_WATCHING = 0.7  # of the time, that finding a player in a film takes
Instrument = Literal["auto", "cello", "violin", "clarinet", "flute", "horn", "trombone"]


@command
def run(
    performance: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PERFORMANCE")],
    /,
    out: Outs = (),
    keypoints: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    keypoint_fps: FrameRate = None,
    model: str = "soloist",
    instrument: Instrument = "auto",
    seed: Seed = 0,
    temperature: Annotated[float | None, Range(0)] = None,
    person: Person = "largest",
    engine: Engine = "blaze",
    networks: Networks = None,
    inception: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    soundfont: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    json: bool = False,
) -> int:
    """Play what a performer's motion shows: the sound of the instrument, or the film with its new sound.

    Args:
        performance: Keypoints of a player (what `ictus pose` writes, .npy of Solos, .json of COCO-WholeBody or MMPose,
            .npy or .npz of MediaPipe, a folder of OpenPose); films, with keypoints of the same name beside them or else
            found by `ictus pose`'s engine; or folders of these. Or notes (.mid, .musicxml): they are played as a player
            of the instrument would, bowed or blown.
        out: What to make; may be given several times: .wav .flac .mp3 .ogg (sound), .mp4 (the film with its new
            sound; of keypoints without a film, the player's figure), .html (a page that plays the figure). A folder
            takes .wav files. Of notes: sound, .mid, or .html (their piano roll). Without it: a .wav beside the
            performance.
        keypoints: The keypoints of the one film that is given.
        keypoint_fps: Frames a second of keypoints whose file does not say; without it, those of the film.
        model: A soloist that `ictus models` lists, or the folder of a trained one.
        instrument: What is played; auto: what the movement looks like.
        seed: Another seed plays otherwise.
        temperature: How freely it plays; 0 always takes what is likeliest.
        person: Who plays, where several people are seen in a film without keypoints: largest, left, right, or a
            number from the left.
        engine: What finds the player: blaze (MediaPipe's networks), or rtm (RTMPose, if rtmlib is installed).
        networks: Networks of your own that find the player, as `ictus pose` takes them.
        inception: Weights of BN-Inception (bn_inception-52deb4733.pth), which soloists need that see rgb of a film.
        soundfont: An .sf2 or .sf3 whose instrument plays notes; without it, Ictus' own synthesizer does.
        json: Report on stdout as JSON.
    """
    from ictus.sound.performance import TAKEN, find_performance_files

    notes = [file for file in performance if file.suffix.lower() in _NOTES]
    known = None if instrument == "auto" else instrument
    if notes:
        if len(notes) < len(performance):
            raise UsageError("notes and performances are played differently; give a command to each")
        plans = plan_files(notes, out, io.NOTE_FILES, ".wav", _NOTES)
        played = partial(_play_notes, instrument=known, soundfont=soundfont, seed=seed)
        return run_batch(plans, played, _notes_described, json, given="performance", takes=_NOTES)
    if soundfont is not None:
        raise UsageError("--soundfont plays notes (.mid, .musicxml); a soloist has a sound of its own")
    performances = {one.file: one for one in find_performance_files(performance, keypoints)}
    plans = plan_files(list(performances), out, io.FILES["sound"], ".wav", TAKEN)
    soloist = registry.soloist(model)
    if "rgb" in soloist.pictures:
        _check(inception, model)
    play = partial(
        _play,
        performances,
        soloist,
        keypoint_fps=keypoint_fps,
        instrument=known,
        seed=seed,
        temperature=temperature,
        inception=inception,
        watch=partial(_watched, engine=engine, networks=networks, person=person),
    )
    return run_batch(plans, play, _described, json, given="performance", takes=TAKEN)


def _play(
    performances: "Mapping[Path, PerformanceFiles]",
    soloist: "Soloist",
    file: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    keypoint_fps: float | None,
    instrument: str | None,
    seed: int,
    temperature: float | None,
    inception: Path | None,
    watch: "Callable[[Path, Progress], Performance]",
) -> dict[str, Any]:
    from ictus.sound.performance import Performance
    from ictus.sound.pipeline import SAMPLING

    start, given = time.perf_counter(), performances[file]
    if given.keypoints is None:
        performance = watch(given.file, part(progress, 0, _WATCHING))
        progress = part(progress, _WATCHING, 1)
    else:
        performance = Performance.load(given.keypoints, given.file if given.film else None, keypoint_fps)
    track = performance.track
    watched = any(out.suffix.lower() in SHOWN for out in outs)
    played = soloist(
        track,
        pictures=performance.picture_features(soloist.pictures, inception, complain),
        instrument=instrument,
        seed=seed,
        sampling=SAMPLING if temperature is None else replace(SAMPLING, temperature=temperature),
        progress=part(progress, 0, 0.6 if watched else 1),
    )
    for out, share in zip(outs, shares(progress, 0.6, len(outs)), strict=True):
        io.save_sound(played, performance, soloist.name, out, "dark", share)
    return {
        "out": [str(out) for out in outs],
        "seconds": round(track.duration, 2),
        "instrument": played.instrument,
        "chances": {name: round(chance, 3) for name, chance in played.probabilities.items()},
        "given": instrument is not None,
        "filled": round(played.filled, 4),
        "guessed": round(played.guessed, 4),
        "silent": played.silent.round(2).tolist(),
        "took": round(time.perf_counter() - start, 2),
    }


def _check(inception: Path | None, model: str) -> None:
    """Say what is wrong with the weights that rgb needs before any film is looked at."""
    from ictus.sound.models.bn_inception import ADVICE, load_published

    if inception is None:
        raise UsageError(f"{model}: it needs rgb of the film; {ADVICE}", option="inception")
    load_published(inception)


def _play_notes(
    file: Path,
    outs: Sequence[Path],
    progress: "Progress",
    *,
    instrument: str | None,
    soundfont: Path | None,
    seed: int,
) -> dict[str, Any]:
    from ictus.sound.notes_midi import load_notes
    from ictus.sound.voice import unplayed

    start, played = time.perf_counter(), load_notes(file, instrument)
    for out, share in zip(outs, shares(progress, 0, len(outs)), strict=True):
        io.save_notes(played, out, soundfont, seed, share)
    return {
        "out": [str(out) for out in outs],
        "seconds": round(played.duration, 2),
        "instrument": played.instrument,
        "notes": len(played),
        "left_out": unplayed(played),
        "took": round(time.perf_counter() - start, 2),
    }


def _notes_described(report: dict[str, Any]) -> str:
    what = [f"{report['seconds']:.1f} s, {report['instrument']}, {report['notes']} notes"]
    if report["left_out"]:
        what.append(f"{report['left_out']} of them are not heard: four others sound already")
    return f"{report['performance']} -> {', '.join(report['out'])} ({'; '.join(what)}; took {report['took']:.1f} s)"


def _watched(film: Path, progress: "Progress", *, engine: str, networks: Path | None, person: str) -> "Performance":
    """Find the player in a film without keypoints."""
    from ictus.pose.engines import get_engine
    from ictus.sound.performance import Performance

    try:
        found = get_engine(engine, networks)
    except IctusError as error:
        raise MotionError(
            f"{film}: there are no keypoints of this film (--keypoints, or a file of the same name beside it), and "
            f"{with_flags(error)}"
        ) from error
    return Performance.watch(film, found, person, progress)


def _described(report: dict[str, Any]) -> str:
    known, outs, seconds, took = report["instrument"], ", ".join(report["out"]), report["seconds"], report["took"]
    what = known or "instrument unknown"
    if known and not report["given"]:
        what += f" by the movement, {100 * report['chances'][known]:.0f} %"
    notes = [what]
    if report["filled"] or report["guessed"]:
        notes.append(f"{100 * report['filled']:.1f} % of the points filled in, {100 * report['guessed']:.1f} % guessed")
    if report["silent"]:
        ranges = ", ".join(f"{begin:.1f}-{end:.1f} s" for begin, end in report["silent"])
        notes.append(f"silence where no hand is seen: {ranges}")
    return f"{report['performance']} -> {outs} ({seconds:.1f} s, {'; '.join(notes)}; took {took:.1f} s)"
