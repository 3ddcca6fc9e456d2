"""`ictus evaluate`: models x metrics, with intervals and controls."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.extras import SubcommandApp

from ictus.cli import tables
from ictus.cli.console import complain, progress_bar, say
from ictus.cli.options import Count, Hours, Networks, Person, Seed, Workers, command
from ictus.errors import IctusError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ictus.sound.ablations import AblatedSoloist
    from ictus.sound.data.samples import MelPredictor, PerformanceSamples

_SECONDS = 30  # of a sample of conducting
_TRACKERS = ("beat-tracker", "maestro", "classical")

Corpus = Annotated[Path, tyro.conf.arg(metavar="DIR")]
Models = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FOLDER")]
Folder = Annotated[str | None, tyro.conf.arg(metavar="FOLDER")]
Splits = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SPLIT")]
Pictures = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]
Tables = Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="TABLE")]


@command
def run() -> int:
    """Compare models on a corpus, beside controls: the ground truth, and models that ignore their input."""
    return int(app().cli(prog="ictus evaluate", args=[]))  # stands for the tree below in the list of commands


def app() -> SubcommandApp:
    """Return `ictus evaluate` with its subcommands."""
    arts = SubcommandApp()
    arts.command(name="conducting")(evaluate_conducting)
    arts.command(name="dance")(evaluate_dance)
    arts.command(name="sound")(evaluate_sound)
    arts.command(name="beats")(evaluate_beats)
    return arts


@command
def evaluate_conducting(
    data: Corpus,
    model: Models = (),
    judge: Folder = None,
    critic: Folder = None,
    protocol: Literal["all", "prospective-cup", "beats"] = "all",
    split: str = "val",
    seconds: int = _SECONDS,
    limit_hours: Hours = None,
    seed: Seed = 0,
    seeds: Count = 1,
    show: Pictures = None,
    shown: Count = 3,
    person: Person = "largest",
    networks: Networks = None,
    out: Tables = (),
    json: bool = False,
) -> int:
    """Compare conductors with real ones, beside shuffled pairs of music and motion.

    Args:
        data: Folder of a corpus in the format of ConductorMotion100; with --protocol beats, also a film of a conductor,
            or a folder of such films, whose hands are compared with the beats of the music.
        model: Name or folder of a trained conductor; may be given several times.
        judge: Folder of an M2S-Net, for the sync error.
        critic: Folder of a discriminator, such as RUN/model/critic of an M2S-GAN, for the Wasserstein estimate.
        protocol: all, or the four values of the Prospective Cup; beats is `ictus evaluate beats`, or of films: do the
            hands mark the beats? Those are read from NAME.csv beside a film, or else predicted from its sound.
        split: Split of the corpus.
        seconds: Length of a sample.
        limit_hours: Use only so much of it.
        seed: Of the models' noise.
        seeds: With more than one, the motions for the same music are also compared with each other.
        show: Folder for a film of the real and all generated motions side by side, and each model's joint curves.
        shown: How many samples are shown.
        person: Who conducts, where several people are seen in a film: largest, left, right, or a number from the left.
        networks: Networks of your own that find the conductor in films: a folder of .tflite files, or a .task file of
            MediaPipe.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    if protocol == "beats":
        if judge or critic or seeds != 1 or seconds != _SECONDS:
            raise UsageError("--judge, --critic, --seconds and --seeds are not of beats; leave them out")
        if films := _films(data):
            if model or show:
                raise UsageError("--model and --show are not of films: their own conductor is compared with the music")
            return _evaluate_films(data, films, person, networks, out, json)
        return evaluate_beats(data, model, split, limit_hours, seed, show, shown, out, json)
    tables.check(out)
    from ictus import registry
    from ictus.conducting import evaluation
    from ictus.conducting.data.conductor_motion import ConductorMotion
    from ictus.conducting.models.m2s_gan import Discriminator
    from ictus.conducting.models.m2s_net import M2SNet

    corpus = ConductorMotion(data, split, seconds=seconds, limit_hours=limit_hours)
    models = {name: evaluation.conduct_mels(registry.conductor(name), name) for name in model}
    with progress_bar("evaluate") as progress:
        rows = evaluation.evaluate(
            models,
            corpus,
            evaluator=M2SNet.from_pretrained(judge) if judge else None,
            discriminator=Discriminator.from_pretrained(critic) if critic else None,
            protocol=protocol,
            seeds=range(seed, seed + seeds),
            progress=progress,
        )
    if show is not None:
        named = {tables.short(name): conduct for name, conduct in models.items()}
        evaluation.film_windows(named, corpus, range(min(shown, len(corpus))), seed, show)
    tables.give(rows, f"{len(corpus)} samples of {seconds} s of {data / split}", evaluation.MEANING, out, json)
    return 0


def _films(data: Path) -> list[Path]:
    """Return the films that are meant; none where a corpus is."""
    from ictus.corpora import SPLITS, find_films
    from ictus.video_io import SUFFIXES

    if data.is_file():
        return [data] if data.suffix.lower() in SUFFIXES else []
    corpus = any((data / split).is_dir() for split in SPLITS)
    return [] if corpus or not data.is_dir() else find_films(data)


def _evaluate_films(
    data: Path, films: "Sequence[Path]", person: str, networks: Path | None, out: tuple[Path, ...], json: bool
) -> int:
    tables.check(out)
    from ictus.beats import BeatTracker
    from ictus.cli.watching import FilmProgress, watcher
    from ictus.conducting.film_evaluation import ALL, MEANING, OTHER, evaluate_films

    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        complain(line)

    with progress_bar("films") as bar:
        progress = FilmProgress(bar, len(films))
        rows = evaluate_films(films, watcher(person, networks, 1, progress), BeatTracker(), progress, report)
    count = sum(row.name not in (ALL, OTHER) for row in rows)
    tables.give(rows, f"hands and music of {count} film{'' if count == 1 else 's'}: {data}", MEANING, out, json)
    return int(bool(lines))


@command
def evaluate_beats(
    data: Corpus,
    model: Models = (),
    split: str = "val",
    limit_hours: Hours = None,
    seed: Seed = 0,
    show: Pictures = None,
    shown: Count = 3,
    out: Tables = (),
    json: bool = False,
) -> int:
    """Compare beat trackers, and the hands of conductors, with the annotated beats of music.

    Args:
        data: Folder of a corpus of music.flac and beats.npz, or of recordings with beats beside them: NAME.ogg and
            NAME.csv (time,beat), .beats or .txt.
        model: beat-tracker, classical, librosa, madmom (where it is installed), the folder of a beat tracker, or a
            conductor; may be given several times. Without it: beat-tracker, maestro, classical.
        split: Split of a corpus.
        limit_hours: Use only so much of it.
        seed: Of the conductors.
        show: Folder for films of maestro on the predicted and on the annotated beats, and plots of both.
        shown: How many pieces are shown.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    tables.check(out)
    import numpy as np

    from ictus import registry
    from ictus.beats.annotated_folder import annotated_folder
    from ictus.beats.dataset import BeatDataset
    from ictus.beats.evaluation import MEANING, BeatPredictor, predictor
    from ictus.beats.evaluation import evaluate_beats as compare
    from ictus.conducting.evaluation import film_beats, hands

    def marks(name: str) -> BeatPredictor:
        if name in ("librosa", "madmom", "classical") or registry.command_of(name) == "beats":
            return predictor(name)
        return hands(registry.conductor(name), seed)

    corpus = any(data.glob("*/*/beats.npz"))
    recordings = BeatDataset(data, split).recordings if corpus else annotated_folder(data)
    if limit_hours is not None:
        hours = np.cumsum([recording.times[-1] for recording in recordings]) / 3600
        recordings = recordings[: 1 + int(np.searchsorted(hours, limit_hours))]
    predictors = {name: marks(name) for name in model or _TRACKERS}
    with progress_bar("evaluate") as progress:
        rows = compare(predictors, recordings, progress)
    if show is not None:
        film_beats(recordings[:shown], seed, show)
    tables.give(rows, f"{len(recordings)} pieces of {data / split if corpus else data}", MEANING, out, json)
    return 0


@command
def evaluate_dance(
    data: Corpus,
    model: Models = (),
    protocol: Literal["all", "fact", "bailando"] = "all",
    split: str = "val",
    reference: Splits = (),
    seconds: int = 20,
    limit_hours: Hours = None,
    unseeded: bool = False,
    seed: Seed = 0,
    show: Pictures = None,
    shown: Count = 3,
    out: Tables = (),
    json: bool = False,
) -> int:
    """Compare dancers with real dances, beside controls without music.

    Args:
        data: Folder of a corpus of AIST++ as it is prepared for FACT.
        model: Name or folder of a dancer; may be given several times. Dancers other than FACT dance to music.flac
            beside each dance.
        protocol: all; fact or bailando, after the papers whose FID, Dist and BeatAlign are to be compared with.
        split: Split of the corpus.
        reference: Split of the real dances that FID is measured from; may be given several times. Without it: the split
            itself. Papers take all real dances of AIST++.
        seconds: Length of a sample, after the two seconds that FACT is given to begin with.
        limit_hours: Use only so much of it.
        unseeded: Let FACT begin by itself, too, and dance to music.flac, as `ictus dance` does.
        seed: Of the models' noise.
        show: Folder for plots of how fast real and generated dances move, over the beats.
        shown: How many samples are shown.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    tables.check(out)
    from ictus import registry
    from ictus.dance import evaluation
    from ictus.dance.data.samples import DanceSamples

    samples = DanceSamples(data, split, seconds=seconds, limit_hours=limit_hours)
    dancers = {name: evaluation.dance_generator(registry.dancer(name), name, unseeded) for name in model}
    splits = reference or (split,)
    real = evaluation.Reference.of(data, splits)
    broken = dict.fromkeys((*samples.broken, *real.broken))
    for line in (*(f"{line}; left out" for line in broken), *evaluation.caveats(len(samples), real)):
        complain(line)
    with progress_bar("evaluate") as progress:
        rows = evaluation.evaluate(dancers, samples, real, protocol=protocol, seed=seed, progress=progress)
    if show is not None:
        named = {tables.short(name): dancer for name, dancer in dancers.items()}
        evaluation.plot_dances(named, samples, protocol, range(min(shown, len(samples))), seed, show)
    whole = f"{len(real)} whole ones of {' and '.join(str(data / split) for split in splits)}"
    title = f"{len(samples)} dances of up to {samples.seconds} s; FID from {whole}"
    tables.give(rows, title, evaluation.MEANING, out, json)
    return 1 if samples.broken else 0


@command
def evaluate_sound(
    data: Corpus,
    model: Models = (),
    judge: Folder = None,
    split: str = "val",
    reference: Splits = (),
    limit_hours: Hours = None,
    vocoder: Folder = None,
    ablations: Annotated[bool, tyro.conf.arg(aliases=["--no-told"])] = True,
    keep: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    workers: Workers = 1,
    seed: Seed = 0,
    protocol: Literal["all"] = "all",
    out: Tables = (),
    json: bool = False,
) -> int:
    """Compare soloists with recorded sound, beside the sound of other performances.

    Args:
        data: Folder of a corpus of performances, as `ictus data prepare players` makes them.
        model: Name or folder of a soloist; may be given several times.
        judge: Folder of an instrument classifier, for FID, KID, the inception score, KL and the instrument.
        split: Split of the corpus.
        reference: Split of the real sounds that FID is measured from; may be given several times. Without it: the split
            itself.
        limit_hours: Use only so much of it.
        vocoder: Folder of a vocoder, or griffin-lim: what the codebook keeps is then measured as sound, too.
        ablations: Also let soloists play when they are given another performance, the instrument alone, or nothing;
            --no-ablations leaves it out.
        keep: Folder that keeps what each soloist plays of its own performances, as mel.npy, and with --vocoder as
            sound.flac; what is there already is not played again. Under torchrun each process plays its share of it,
            and nothing is measured: run the command once more without torchrun for the table.
        workers: Processes that play what is kept, each with the soloist in memory.
        seed: Of the models' noise.
        protocol: all.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    tables.check(out)
    if keep is None and workers != 1:
        raise UsageError("--workers play what is kept; give a folder with --keep")
    if reference and judge is None:
        raise UsageError("--reference is for the values of a classifier; give one with --judge")
    import numpy as np

    from ictus import registry
    from ictus.sound.ablations import AblatedSoloist, kinds_of
    from ictus.sound.data.samples import PerformanceSamples
    from ictus.sound.evaluation import MEANING, FeatureExtractor, caveats, compare
    from ictus.sound.models.instrument_classifier import InstrumentClassifier

    soloists = {name: AblatedSoloist(registry.soloist(name)) for name in model}
    samples = PerformanceSamples(data, split, kinds=kinds_of(soloists), limit_hours=limit_hours)
    kept = None if keep is None else generate(soloists, samples, keep, vocoder, seed, workers)
    if keep is not None and kept is None:
        return 0
    extractor, real, measured, broken = None, None, "", list(samples.broken)
    if judge is not None:
        extractor = FeatureExtractor.from_classifier(InstrumentClassifier.from_pretrained(judge))
        others = [PerformanceSamples(data, other, frames=samples.frames) for other in reference]
        broken += [line for other in others for line in other.broken]
        real = np.concatenate([extractor.features_of(one) for one in others or [samples]])
        measured = f"; FID and KID from {len(real)} windows of {' and '.join(reference or [split])}"
    for line in (*(f"{line}; left out" for line in dict.fromkeys(broken)), *caveats(len(samples), real)):
        complain(line)
    with progress_bar("evaluate") as progress:
        rows = compare(
            soloists,
            samples,
            extractor=extractor,
            reference=real,
            vocoder=vocoder,
            ablations=ablations,
            seed=seed,
            kept=kept,
            progress=progress,
        )
    title = f"{len(samples)} windows of {samples.seconds:.1f} s of {data / split}{measured}"
    tables.give(rows, title, MEANING, out, json)
    return 1 if samples.broken else 0


def generate(
    soloists: "Mapping[str, AblatedSoloist]",
    samples: "PerformanceSamples",
    folder: Path,
    vocoder: str | None = None,
    seed: int = 0,
    workers: int = 1,
) -> "Mapping[str, MelPredictor] | None":
    """Let soloists play what does not lie in a folder yet; return those who play it from there.

    Under torchrun, a process plays its share alone, and says what it did; None is returned, because others may be at
    work still. Windows that cannot be played are no error there, for torchrun would stop those others.
    """
    from contextlib import nullcontext

    from ictus.sound.generation import generate_split, process_rank, read_generated

    folders = {name: folder / tables.short(soloist.soloist.name) for name, soloist in soloists.items()}
    if len(set(folders.values())) < len(folders):
        raise UsageError("two of --model have one name; keep what they play in two folders, with a command for each")
    rank, world = process_rank()
    failed = 0
    for name, out in folders.items():
        with progress_bar(f"play {out.name}") if rank == 0 else nullcontext(lambda fraction: None) as progress:
            done = generate_split(
                *(soloists[name], samples, out),
                vocoder=vocoder,
                seed=seed,
                workers=workers,
                rank=rank,
                world=world,
                progress=progress,
            )
        for line in done.failed:
            complain(line)
        failed += len(done.failed)
        if world > 1:
            say(f"{out}: process {rank + 1} of {world} played {done.played} windows; {done.there} were there")
    if world > 1:
        return None
    if failed:
        raise IctusError(f"{failed} windows could not be played, for the reasons above; mend them, or take them away")
    return {name: read_generated(out) for name, out in folders.items()}
