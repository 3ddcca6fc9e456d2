"""`ictus evaluate`: models x metrics, with intervals and controls."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ictus.cli import tables
from ictus.cli.console import progress_bar
from ictus.errors import UsageError
from ictus.files import writing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ictus.beats.evaluation import BeatPredictor
    from ictus.conducting.data.conductor_motion import ConductorMotion
    from ictus.conducting.evaluation import Conduct
    from ictus.metrics.tables import Row
    from ictus.sound.data.samples import MelPredictor

_PROTOCOLS = {
    "conducting": ("all", "prospective-cup", "beats"),
    "dance": ("all", "fact", "bailando"),
    "sound": ("all",),
}
_MARKERS = ("listener", "maestro", "classical")


def run(
    art: Annotated[Literal["conducting", "dance", "sound"], tyro.conf.Positional],
    /,
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    model: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FOLDER")] = (),
    judge: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    critic: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    protocol: Literal["all", "prospective-cup", "beats", "fact", "bailando"] = "all",
    split: str = "val",
    reference: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SPLIT")] = (),
    seconds: int | None = None,
    limit_hours: float | None = None,
    unseeded: bool = False,
    vocoder: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    told: bool = True,
    keep: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    workers: int = 1,
    seed: int = 0,
    seeds: int = 1,
    show: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    shown: int = 3,
    out: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="TABLE")] = (),
    json: bool = False,
) -> int:
    """Compare models on a corpus. Controls stand beside them: the truth, and those who do not hear the music.

    Args:
        art: What is evaluated.
        data: Folder of a corpus: in the format of ConductorMotion100; of AIST++ as it is prepared for FACT; or of
            performances, as `ictus data prepare recital` makes them.
        model: Name or folder of a trained conductor, dancer or soloist; may be given several times. Dancers other than
            FACT hear music.flac beside each dance.
        judge: Of conducting: folder of an M2S-Net, for the sync error. Of sound: folder of a judge, for FID, KID, the
            inception score, KL and the instrument.
        critic: Of conducting: folder of a critic, such as RUN/model/critic of an M2S-GAN, for the Wasserstein estimate.
        protocol: all. Of conducting: the four figures of the Prospective Cup; or beats: what ears hear and hands mark
            of music whose beats are known (music.flac, beats.npz), where --model is listener, classical, librosa, a
            listener's folder, or a conductor; without --model: listener, maestro, classical. Of dance: fact or
            bailando, after the papers whose FID, Dist and BeatAlign are to be compared with.
        split: Split of the corpus.
        reference: Of dance and sound: split of the real ones that FID is measured from; may be given several times.
            Without it: the split itself. Papers take all real dances of AIST++.
        seconds: Length of a sample. Without it: 30, and of dance 20, after the 2 that FACT is given to begin with.
        limit_hours: Use only so much of it.
        unseeded: Of dance: let FACT begin by itself, too, and hear music.flac, as `ictus dance` does.
        vocoder: Of sound: folder of a vocoder, or griffin-lim: what is played is then heard, not read.
        told: Of sound: also let soloists play what they are told of another performance, of the instrument alone, of
            nothing; --no-told leaves it out.
        keep: Of sound: folder that keeps what each soloist plays of its own performances, as mel.npy, and with
            --vocoder as sound.flac; what is there already is not played again. Under torchrun each process plays its
            share of it, and nothing is measured: run the command once more without torchrun for the table.
        workers: Of sound: processes that play what is kept, each with the soloist in memory.
        seed: Of the models' noise.
        seeds: Of conducting: with more than one, the motions for the same music are also compared with each other.
        show: Folder for pictures of the first samples. Of conducting: a film of the real and all generated motions side
            by side, and each model's joint curves over the real ones; of beats, what maestro hears over the truth. Of
            dance: how fast real and generated dances move, over the beats.
        shown: How many samples are shown.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    tables.check(out)
    if art != "sound" and (keep is not None or workers != 1):
        raise UsageError("--keep and --workers are of sound; leave them out")
    if keep is None and workers != 1:
        raise UsageError("--workers play what is kept; give a folder with --keep")
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: at least one is needed")
    if protocol not in _PROTOCOLS[art]:
        raise UsageError(f"--protocol {protocol} is none of {art}; choose one of {', '.join(_PROTOCOLS[art])}")
    if art == "dance":
        if judge or critic or seeds > 1 or vocoder:
            raise UsageError("--judge, --critic, --seeds and --vocoder are not of dance; leave them out")
        from ictus.cli import evaluate_dance
        from ictus.dance.data.samples import Samples

        samples = Samples(data, split, seconds=20 if seconds is None else seconds, limit_hours=limit_hours)
        dancers = {name: evaluate_dance.dance_to(name, unseeded) for name in model}
        found, title, meaning = evaluate_dance.compare(dancers, samples, data, reference or (split,), protocol, seed)
        if show is not None:
            named = {tables.short(name): dancer for name, dancer in dancers.items()}
            evaluate_dance.show(named, samples, protocol, range(min(shown, len(samples))), seed, show)
        tables.give(found, title, meaning, out, json)
        return 1 if samples.broken else 0
    if art == "sound":
        if critic or seeds > 1 or unseeded or show is not None or seconds is not None:
            raise UsageError("--critic, --seeds, --unseeded, --show and --seconds are not of sound; leave them out")
        from ictus.cli import evaluate_sound
        from ictus.sound.data.samples import PerformanceSamples as Performances

        soloists = {name: evaluate_sound.Contestant(name) for name in model}
        heard = Performances(data, split, kinds=evaluate_sound.kinds_of(soloists), limit_hours=limit_hours)
        kept: Mapping[str, MelPredictor] | None = {}
        if keep is not None:
            kept = evaluate_sound.keep(soloists, heard, keep, vocoder=vocoder, seed=seed, workers=workers)
            if kept is None:
                return 0
        table, title, meaning = evaluate_sound.compare(
            *(soloists, heard, data, split),
            judge=judge,
            reference=reference,
            vocoder=vocoder,
            told=told,
            seed=seed,
            kept=kept,
        )
        tables.give(table, title, meaning, out, json)
        return 1 if heard.broken else 0
    if reference or unseeded or vocoder:
        raise UsageError("--reference and --unseeded are of dance, --vocoder is of sound; leave them out")
    if protocol == "beats":
        rows, title, meaning = _compare_beats(data, split, model, limit_hours, seed)
        if show is not None:
            _show_beats(data, split, shown, seed, show)
        tables.give(rows, title, meaning, out, json)
        return 0
    seconds = 30 if seconds is None else seconds
    from ictus.conducting.data.conductor_motion import ConductorMotion
    from ictus.conducting.evaluation import MEANING, evaluate
    from ictus.conducting.models.m2s_gan import Discriminator
    from ictus.conducting.models.m2s_net import M2SNet

    corpus = ConductorMotion(data, split, seconds=seconds, limit_hours=limit_hours)
    models = {name: _conductor(name) for name in model}
    with progress_bar("evaluate") as progress:
        rows = evaluate(
            models,
            corpus,
            evaluator=M2SNet.from_pretrained(judge) if judge else None,
            discriminator=Discriminator.from_pretrained(critic) if critic else None,
            protocol=protocol,
            seeds=range(seed, seed + seeds),
            progress=progress,
        )
    if show is not None:
        _show(models, corpus, range(min(shown, len(corpus))), seed, show)
    tables.give(rows, f"{len(corpus)} samples of {seconds} s of {data / split}", MEANING, out, json)
    return 0


def _compare_beats(
    data: Path, split: str, names: tuple[str, ...], limit_hours: float | None, seed: int
) -> tuple[list["Row"], str, Mapping[str, str]]:
    from ictus.beats.dataset import BeatDataset
    from ictus.beats.evaluation import MEANING, evaluate_beats

    recordings = BeatDataset(data, split).recordings
    if limit_hours is not None:
        recordings = recordings[: max(1, round(limit_hours * 60))]  # they last a minute
    markers = {name: _marker(name, seed) for name in names or _MARKERS}
    with progress_bar("evaluate") as progress:
        rows = evaluate_beats(markers, recordings, progress)
    return rows, f"{len(recordings)} pieces of {data / split}", MEANING


def _show_beats(data: Path, split: str, count: int, seed: int, folder: Path) -> None:
    """Film pieces as maestro hears and conducts them, beside the same conductor on the true beats; plot both."""
    from ictus.audio import Audio
    from ictus.beats.beats import Beats
    from ictus.beats.dataset import BeatDataset
    from ictus.conducting.pipeline import Maestro
    from ictus.render.film import film
    from ictus.render.plots import beats_and_truth

    maestro = Maestro()
    for recording in BeatDataset(data, split).recordings[:count]:
        audio = Audio.load(recording.folder / "music.flac")
        truth = Beats(recording.times, recording.positions, recording.meter, duration=audio.duration)
        heard = maestro(audio, seed=seed)
        known = maestro.perform(truth, audio.duration, seed=seed)
        name = recording.name.replace("/", "-")
        film([heard, known], audio, folder / f"{name}.mp4", captions=["as heard", "true beats"])
        with writing(folder / f"{name}.png") as path:
            beats_and_truth(heard.meta["beats"], truth.to_meta()).savefig(path, format="png", dpi=100)


def _marker(name: str, seed: int) -> "BeatPredictor":
    """Return a beat tracker by name or folder, or the hands of a conductor."""
    from ictus import registry
    from ictus.beats import BeatTracker, evaluation
    from ictus.beats.classical import ClassicalBeatTracker
    from ictus.conducting.evaluation import hands

    if name == "librosa":
        return evaluation.librosa_predictor()
    if name == "classical":
        return evaluation.offline_predictor(ClassicalBeatTracker())
    if registry.command_of(name) != "beats":
        return hands(registry.conductor(name), seed)
    tracker = registry.load(name)
    offline = isinstance(tracker, BeatTracker)
    return evaluation.offline_predictor(tracker) if offline else evaluation.online_predictor(name)


def _conductor(name: str) -> "Conduct":
    """Return a function of a mel and a seed; raise UsageError where the model hears sound, not mels."""
    from ictus import registry

    if name == "maestro":
        raise UsageError("maestro hears sound, but the corpus holds mels; give the folder of a trained network")
    from ictus.conducting.chunked_inference import generate
    from ictus.conducting.neural_conductor import NeuralConductor

    conductor = registry.load(name)
    if not isinstance(conductor, NeuralConductor):
        raise UsageError(f"{name} cannot be evaluated on mels; give the folder of a trained network")
    generator = conductor.generator
    return lambda mel, seed: generate(generator, mel, seed=seed)


def _show(
    models: dict[str, "Conduct"], corpus: "ConductorMotion", numbers: Iterable[int], seed: int, folder: Path
) -> None:
    """Film some samples, the real conductor first, with the music where the corpus holds it; draw the joint curves."""
    from ictus.audio import Audio
    from ictus.motion import Motion
    from ictus.render.film import film
    from ictus.render.plots import joint_curves
    from ictus.skeleton import get_skeleton

    def motion(positions: "NDArray[np.float32]") -> Motion:
        return Motion(positions, 30.0, get_skeleton("conductor-13"))

    for number in numbers:
        take, start = corpus.windows[number]
        real, mel = motion(take.motion(start, corpus.seconds)), take.mel(start, corpus.seconds)
        made = {tables.short(name): motion(conduct(mel, seed)) for name, conduct in models.items()}
        sound, music = None, take.folder / "music.flac"
        if music.exists():
            whole = Audio.load(music)
            sound = Audio(whole.samples[:, start * whole.rate : (start + corpus.seconds) * whole.rate], whole.rate)
        name = f"{take.folder.parent.name}-{take.folder.name}-{start}"
        film([real, *made.values()], sound, folder / f"{name}.mp4", captions=["real", *made])
        for model, generated in made.items():
            with writing(folder / f"{name}-{model}.png") as path:
                joint_curves(real, generated).savefig(path, format="png", dpi=100)
