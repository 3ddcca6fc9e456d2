"""`ictus evaluate sound`: soloists by folder, what each is told, and their table."""

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ictus.cli import tables
from ictus.cli.console import Progress, complain, progress_bar, say
from ictus.errors import IctusError, UsageError

if TYPE_CHECKING:
    import torch

    from ictus.metrics.tables import Row
    from ictus.sound.controls import MelToAudio
    from ictus.sound.data.samples import MelPredictor, PerformanceSample, PerformanceSamples
    from ictus.sound.generation import Generated
    from ictus.sound.models.codebook import SpectrogramCodebook
    from ictus.sound.sampling import Sampling
    from ictus.types import Float32Array

ITS_OWN, ANOTHER, INSTRUMENT, NOTHING = "", "told of another", "told the instrument", "told nothing"
_PARTS = 8  # of a share for each worker, so that none has long to wait for others


class Contestant:
    """A soloist by name or folder, and what it can be told.

    Parameters
    ----------
    sampling : how codes are drawn; as `ictus sound` does if not given.

    Raises
    ------
    ModelError
        If there is none, or it is damaged.
    """

    def __init__(self, folder: str, sampling: "Sampling | None" = None) -> None:
        from ictus import registry
        from ictus.sound.pipeline import SAMPLING

        self.folder, self.sampling = folder, sampling or SAMPLING
        self.soloist = registry.soloist(folder)
        self.kinds = tuple(name for name in self.soloist.conditions if name != "instrument")

    def ways(self) -> tuple[str, ...]:
        """Return what it can be told, beside its own performance, to see what it makes of that."""
        known = self.soloist.conditions
        return tuple(
            way
            for way, possible in (
                (ANOTHER, bool(self.kinds)),
                (INSTRUMENT, "instrument" in known and bool(self.kinds)),
                (NOTHING, bool(known)),
            )
            if possible
        )

    def plays(self, samples: "PerformanceSamples", told: str = ITS_OWN) -> "MelPredictor":
        """Return how it plays a sample when it is told of it; or of another performance with the same instrument, or
        only the instrument, or nothing.
        """
        from ictus.sound.controls import choose_other
        from ictus.sound.generation import window_seed

        def play(sample: "PerformanceSample", seed: int) -> "Float32Array":
            seen = samples[choose_other(samples, sample, seed, same_instrument=True)] if told == ANOTHER else sample
            return self.soloist.predict_mel(
                *(self._features(sample, seen, told), len(sample.mel)),
                rates={kind: rate for kind, rate in sample.rates.items() if kind != "keypoints"},
                seed=window_seed(seed, sample.name),  # not the same chances for every window
                sampling=self.sampling,
            )

        return play

    def _features(
        self, sample: "PerformanceSample", seen: "PerformanceSample", told: str
    ) -> "dict[str, torch.Tensor | None]":
        """Return what `SoloistTransformer.condition` takes."""
        import torch

        features: dict[str, torch.Tensor | None] = dict.fromkeys((*self.kinds, "instrument"))
        if told not in (INSTRUMENT, NOTHING):
            for kind in self.kinds:
                rows = torch.from_numpy(seen.features[kind])[None]
                features[kind] = self.soloist.keypoint_features(rows) if kind == "keypoints" else rows
        if told != NOTHING:
            features["instrument"] = torch.tensor([sample.instrument])
        return features


def kinds_of(soloists: "Mapping[str, Contestant]") -> tuple[str, ...]:
    """Return what a corpus must hold for all of them."""
    return tuple(dict.fromkeys(kind for soloist in soloists.values() for kind in soloist.kinds))


def voice(name: str) -> "MelToAudio":
    """Return what makes sound of mels: "griffin-lim", or the vocoder in a folder."""
    from ictus.sound.griffin_lim import griffin_lim

    if name == "griffin-lim":
        return griffin_lim
    from ictus.sound.models.vocoder_loading import load_vocoder

    return load_vocoder(name).vocode


@dataclass(frozen=True)
class Share:
    """What one process plays of a split: part `rank` of `world`; see `ictus.sound.generation.generate_corpus`."""

    model: str
    sampling: "Sampling"
    samples: "PerformanceSamples"
    out: Path
    settings: Mapping[str, object]
    vocoder: str | None
    seed: int
    rank: int
    world: int

    def play(self, soloist: Contestant | None = None, progress: Progress | None = None) -> "Generated":
        """Play it; without a soloist, by one that this process loads once."""
        from ictus.sound.generation import generate_corpus

        soloist = soloist or _loaded(self.model, self.sampling)
        return generate_corpus(
            *(soloist.plays(self.samples), self.samples, self.out),
            settings=self.settings,
            seed=self.seed,
            kinds=soloist.kinds,
            vocode=_voice(self.vocoder) if self.vocoder else None,
            rank=self.rank,
            world=self.world,
            progress=progress,
        )

    def parts(self, count: int) -> "list[Share]":
        """Divide it."""
        return [replace(self, rank=self.rank + k * self.world, world=count * self.world) for k in range(count)]


def keep(
    soloists: "Mapping[str, Contestant]",
    samples: "PerformanceSamples",
    folder: Path,
    *,
    vocoder: str | None = None,
    seed: int = 0,
    workers: int = 1,
) -> "Mapping[str, MelPredictor] | None":
    """Let soloists play what does not lie in a folder yet; return those who play it from there.

    Under torchrun, a process plays its share alone, and says what it did; None is returned, because others may be at
    work still. Windows that cannot be played are no error there, for torchrun would stop those others.

    Parameters
    ----------
    folder : in it, what a soloist plays lies in a folder that has the soloist's name.
    vocoder : "griffin-lim" or a folder: the sound is kept, too.
    workers : processes that this one starts.

    Raises
    ------
    UsageError
        If two soloists have one name, or what lies there was played in another way.
    IctusError
        If windows cannot be played.
    """
    from ictus.nn.folder import locate
    from ictus.sound.generation import fingerprint, process_rank, read_generated

    if workers < 1:
        raise UsageError(f"--workers {workers}: at least one is needed")
    folders = {name: folder / tables.short(soloist.folder) for name, soloist in soloists.items()}
    if len(set(folders.values())) < len(folders):
        raise UsageError("two of --model have one name; keep what they play in two folders, with a command for each")
    rank, world = process_rank()
    spoken = vocoder if vocoder in (None, "griffin-lim") else fingerprint(locate(vocoder))
    failed = 0
    for name, soloist in soloists.items():
        out, sampling = folders[name], soloist.sampling
        settings = {
            "model": fingerprint(locate(soloist.folder)),
            "sampling": asdict(sampling),
            "vocoder": spoken,
        }
        share = Share(soloist.folder, sampling, samples, out, settings, vocoder, seed, rank, world)
        done = list(_played(share, soloist, workers))
        for line in (line for part in done for line in part.failed):
            complain(line)
        failed += sum(len(part.failed) for part in done)
        if world > 1:
            played, there = sum(part.played for part in done), sum(part.there for part in done)
            say(f"{out}: process {rank + 1} of {world} played {played} windows; {there} were there")
    if world > 1:
        return None
    if failed:
        raise IctusError(f"{failed} windows could not be played, for the reasons above; mend them, or take them away")
    return {name: read_generated(out) for name, out in folders.items()}


def _played(share: Share, soloist: Contestant, workers: int) -> Iterator["Generated"]:
    """Let workers play parts of a share, or this process all of it."""
    from ictus.processes import run_in_processes

    label = f"play {share.out.name}"
    with progress_bar(label) if share.rank == 0 else contextlib.nullcontext(lambda fraction: None) as progress:
        if workers == 1:
            yield share.play(soloist, progress)
            return
        parts = share.parts(_PARTS * workers)
        for number, part in enumerate(run_in_processes(Share.play, parts, workers), 1):
            yield part
            progress(number / len(parts))


@functools.lru_cache(1)
def _loaded(model: str, sampling: "Sampling") -> Contestant:
    return Contestant(model, sampling)


@functools.lru_cache(1)
def _voice(name: str) -> "MelToAudio":
    return voice(name)


def compare(
    soloists: "Mapping[str, Contestant]",
    samples: "PerformanceSamples",
    data: Path,
    split: str,
    *,
    judge: str | None = None,
    reference: Sequence[str] = (),
    vocoder: str | None = None,
    told: bool = True,
    seed: int = 0,
    kept: "Mapping[str, MelPredictor] | None" = None,
) -> tuple[list["Row"], str, Mapping[str, str]]:
    """Return the table: its rows, its title, and what the figures mean; complain of folders that were left out.

    Parameters
    ----------
    judge : name or folder of a `InstrumentClassifier`; without one, its figures are left out.
    reference : splits whose true sounds FID and KID are measured from; without them, the samples themselves.
    vocoder : "griffin-lim" or a folder: what is left of the truth, and of the truth's codes, when they are heard.
    told : whether each soloist also plays when it is told of another performance, only the instrument, or nothing.
    kept : soloists whose playing `keep` has kept; how long they took is not known.
    """
    import numpy as np

    from ictus.sound.controls import through_codebook, through_vocoder
    from ictus.sound.data.samples import PerformanceSamples
    from ictus.sound.evaluation import MEANING, FeatureExtractor, caveats, evaluate
    from ictus.sound.models.instrument_classifier import InstrumentClassifier

    ear = FeatureExtractor.from_classifier(InstrumentClassifier.from_pretrained(judge)) if judge else None
    if reference and ear is None:
        raise UsageError("--reference is for the figures of a judge; give one with --judge")
    real, broken, kept = None, list(samples.broken), kept or {}
    if ear is not None:
        others = [PerformanceSamples(data, other, frames=samples.frames) for other in reference]
        broken += [line for other in others for line in other.broken]
        real = np.concatenate([ear.features_of(one) for one in others or [samples]])
    for line in (*(f"{line}; left out" for line in dict.fromkeys(broken)), *caveats(len(samples), real)):
        complain(line)
    players: dict[str, MelPredictor] = {}
    for name, soloist in soloists.items():
        players[name] = kept[name] if name in kept else soloist.plays(samples)
        ways = soloist.ways() if told else ()
        players.update({f"{name}, {way}": soloist.plays(samples, way) for way in ways})
    ceilings: dict[str, MelPredictor] = {}
    for name, codebook in _codebooks(soloists).items():
        ceilings[name] = through_codebook(codebook)
    if vocoder:
        spoken, short = voice(vocoder), Path(vocoder).name
        heard = {f"{name}, by {short}": through_vocoder(spoken, play) for name, play in ceilings.items()}
        ceilings = {f"truth, by {short}": through_vocoder(spoken), **ceilings, **heard}
    with progress_bar("evaluate") as progress:
        rows = evaluate(
            players, samples, extractor=ear, reference=real, ceilings=ceilings, seed=seed, progress=progress
        )
    rows = [_untimed(row) if row.name in kept else row for row in rows]
    measured = (
        f"; FID and KID from {len(real)} windows of {' and '.join(reference or [split])}" if real is not None else ""
    )
    title = f"{len(samples)} windows of {samples.seconds:.1f} s of {data / split}{measured}"
    return rows, title, MEANING


def _untimed(row: "Row") -> "Row":
    """Return a row without the time that playing took."""
    figures = {metric: figure for metric, figure in row.values.items() if metric != "seconds"}
    samples = [{key: value for key, value in sample.items() if key != "seconds"} for sample in row.samples]
    return replace(row, values=figures, samples=samples)


def _codebooks(soloists: "Mapping[str, Contestant]") -> "dict[str, SpectrogramCodebook]":
    """Return the codebooks of the soloists, each once, by the name of their rows."""
    import torch

    found: list[tuple[str, SpectrogramCodebook]] = []
    for name, soloist in soloists.items():
        weights = soloist.soloist.codebook.state_dict()
        same = (
            one.config == soloist.soloist.codebook.config
            and all(torch.equal(value, weights[key]) for key, value in one.state_dict().items())
            for _, one in found
        )
        if not any(same):
            found.append((name, soloist.soloist.codebook))
    if len(found) == 1:
        return {"truth, as codes": found[0][1]}
    return {f"truth, as codes of {name}": codebook for name, codebook in found}
