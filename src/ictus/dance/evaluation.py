"""Compare dancers on a corpus: every value with its interval, beside the real dances and controls without music."""

import os
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ictus.audio import Audio
from ictus.dance import metrics
from ictus.dance.controls import BEAT_CONTROLS, CONTROLS, BeatControl, beats_of_other_music, ground_truth_dance
from ictus.dance.data.dataset import AIST, scan_dances
from ictus.dance.data.samples import RATE, SEED, DanceGenerator, DanceSample, DanceSamples, positions_of_frames
from ictus.dance.frames import padded, unpadded
from ictus.dance.metrics.beats import BeatProtocol
from ictus.dance.metrics.kinetic import KineticProtocol
from ictus.dance.models.fact import FACT, MOTION_WINDOW
from ictus.dance.pipeline import Dancer, FACTDancer
from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.metrics.bootstrap import Chosen, Interval, interval, mean_of
from ictus.metrics.frechet import Normal
from ictus.metrics.tables import Row
from ictus.motion import Motion
from ictus.render.dance_plots import speed_and_beats
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array

GROUND_TRUTH = "ground truth"


@dataclass(frozen=True)
class Published:
    """How a paper measures: which features, which beats, from which frame on, and what is added to deviations."""

    kinetic: KineticProtocol
    beats: BeatProtocol
    first: int
    eps: float


PUBLISHED = {
    "fact": Published("published", "fact", SEED, 1e-10),  # what follows the seed
    "bailando": Published("bailando", "bailando", 0, 1e-5),
}
PROTOCOLS = {"all": tuple(PUBLISHED), **{name: (name,) for name in PUBLISHED}}
BODY: Mapping[str, Callable[[Float32Array], float]] = {
    "pfc": metrics.physical_foot_contact,
    "fsr": metrics.foot_skating_ratio,
    "skating": lambda dance: metrics.foot_skating(dance).speed,
    "movement": metrics.movement,
    "energy": metrics.freeze_ratio,
    "stillness": lambda dance: metrics.freezing(dance).longest,
    "drift": metrics.root_drift,
}
_INTERVAL = "its interval is drawn over the dances, and centred"
MEANING = {
    **{
        f"{metric}_{name}": f"{text}, as in the protocol {name!r}"
        for name in PUBLISHED
        for metric, text in (
            ("fid_k", f"Frechet distance of kinetic features from real dances, lower is better ({_INTERVAL})"),
            ("fid_g", "the same of geometric features"),
            ("dist_k", f"mean distance of kinetic features between dances, that of real ones is ideal ({_INTERVAL})"),
            ("dist_g", "the same of geometric features"),
            ("beat", "BeatAlign, 1 is best; what counts is the distance from the rows with other beats"),
        )
    },
    "beat_other": "BeatAlign of 'fact' with the beats of other music: as much as the deaf reach",
    "pfc": "PFC: pushes while both feet move, lower is better; 0 for those who stand still",
    "fsr": "share of a foot's frames on the floor in which it skates; of the dances in which one stands on it",
    "skating": "how fast the foot slides that carries the body, m/s; real dances have some, too",
    "movement": "mean squared speed of the joints as seen from the root, (m/s)^2; that of real dances is ideal",
    "energy": "of the end, over that of the beginning; 0 has frozen, 1 goes on as it began",
    "stillness": "longest time without movement, seconds",
    "drift": "farthest that the root gets along the floor, metres",
    "seconds": "time to dance a minute",
}


@dataclass(frozen=True)
class Reference:
    """Features of whole real dances, which others are compared with.

    Attributes
    ----------
    features : "k_fact", "g_fact" ... -> (N, 72) or (N, 32).
    broken : a line for each folder that cannot be used.
    """

    features: Mapping[str, Float64Array]
    broken: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.features.values())))

    @classmethod
    def of(cls, root: str | os.PathLike[str], splits: Iterable[str]) -> "Reference":
        """Measure all dances of some splits, one after the other.

        AIST++'s published figures take all of its real dances, not those of one split.

        Raises
        ------
        UsageError
            If there are fewer than two that can be used.
        """
        rows: list[dict[str, Float64Array]] = []
        broken: list[str] = []
        for found in (scan_dances(root, split, AIST) for split in splits):
            broken += found.broken
            for dance in found.dances:
                try:
                    rows.append(_features(dict.fromkeys(PUBLISHED, positions_of_frames(dance.read("motion")))))
                except IctusError as error:
                    broken.append(f"{dance.folder}: {error}" if isinstance(error, UsageError) else str(error))
        if len(rows) < 2:
            raise UsageError(f"{Path(root)}: {len(rows)} real dances to compare with; two or more are needed")
        return cls({key: np.stack([row[key] for row in rows]) for key in rows[0]}, tuple(broken))


def caveats(dances: int, reference: Reference) -> list[str]:
    """Return what must be said beside FID of so many dances: a line each."""
    lines: list[str] = []
    if min(dances, len(reference)) <= 72:
        lines.append(
            f"FID of {dances} dances against {len(reference)}: too few for the covariance of 72 features (more than 72 "
            "of each are needed); compare it with other rows of this table only"
        )
    names = sorted({key[0] for key, rows in reference.features.items() if (np.ptp(rows, axis=0) == 0).any()})
    lines += [
        f"fid_{name}: some features are the same in all real dances, and weigh millions where a dance has another value"
        for name in names
    ]
    return lines


def evaluate(
    models: Mapping[str, DanceGenerator],
    samples: DanceSamples,
    reference: Reference,
    *,
    protocol: str = "all",
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[Row]:
    """Let each model dance to each music of a corpus, and compare. One dance is in memory at a time.

    Parameters
    ----------
    models : name -> function of a sample and a seed. Where protocols speak of what follows the seed, the first two
        seconds are left out, whether the model was given them or not.
    reference : what FID is measured from, and by which features are normalised.
    protocol : "fact", "bailando", or "all": both, and the metrics of the body.

    Returns
    -------
    A row for each model, after those of the controls: the true dance; the true dance with the beats of other music, and
    with beats between the beats; standing in the rest pose; phrases of other dances; the true dance with noise.

    Raises
    ------
    UsageError
        If the protocol is unknown.
    IctusError
        If a dance cannot be measured; the message names model and dance.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"protocol {protocol!r} is unknown; choose one of {', '.join(PROTOCOLS)}")
    controls = {name: control(samples) for name, control in CONTROLS.items()}
    dancers = {GROUND_TRUTH: ground_truth_dance, **controls, **models}
    rows: list[Row] = []
    for done, (name, dancer) in enumerate(dancers.items()):
        dances: list[Measured] = []
        for k in range(len(samples)):
            sample = samples[k]
            start = time.perf_counter()
            try:
                made = dancer(sample, seed)[: len(sample.motion)]
                took = {"seconds": (time.perf_counter() - start) * 60 / sample.seconds} if name in models else {}
                spans = _spans(made, protocol, samples.seconds)
                values = took | _beats(spans, sample.beats)
                if protocol == "all":
                    values |= _of_body(spans["fact"]) | _with_other_music(spans["fact"], samples.beats, k)
                dances.append(Measured(sample.name, _features(spans), values))
            except IctusError as error:
                raise type(error)(f"{name}, {sample.name}: {error}") from error
            if progress:
                progress((done + (k + 1) / len(samples)) / len(dancers))
        rows.append(_row(name, dances, _of_sets(dances, reference)))
        if name == GROUND_TRUTH:
            rows += [_row(other, _by_other_beats(beats, samples, protocol)) for other, beats in BEAT_CONTROLS.items()]
    return rows


@dataclass(frozen=True)
class Measured:
    """A dance's name, its features ("k_fact" ...), and its own values of the metrics that are means over dances."""

    name: str
    features: Mapping[str, Float64Array]
    values: Mapping[str, float]


def _spans(made: Float32Array, protocol: str, seconds: int) -> dict[str, Float32Array]:
    """Return what each publication looks at of a dance that begins with its seed."""
    return {name: made[(at := PUBLISHED[name].first) : at + seconds * RATE] for name in PROTOCOLS[protocol]}


def _features(spans: Mapping[str, Float32Array]) -> dict[str, Float64Array]:
    features: dict[str, Float64Array] = {}
    for name, danced in spans.items():
        features[f"k_{name}"] = metrics.kinetic_features(danced, PUBLISHED[name].kinetic)
        features[f"g_{name}"] = metrics.geometric_features(danced)
    return features


def _beats(spans: Mapping[str, Float32Array], beats: Float64Array) -> dict[str, float]:
    """BeatAlign; left out where no beat of the music lies in the span."""
    values: dict[str, float] = {}
    for name, danced in spans.items():
        times = beats - PUBLISHED[name].first / RATE
        times = times[(times >= 0) & (times < (len(danced) - 1) / RATE)]
        if len(times):
            values[f"beat_{name}"] = metrics.beat_alignment(danced, times, PUBLISHED[name].beats)
    return values


def _with_other_music(danced: Float32Array, beats: Sequence[Float64Array], number: int) -> dict[str, float]:
    """BeatAlign against the beats of other music; left out where none of them lies in the span."""
    values = _beats({"fact": danced}, beats_of_other_music(beats, number))
    return {"beat_other": values["beat_fact"]} if values else {}


def _of_body(danced: Float32Array) -> dict[str, float]:
    """Metrics of the body; left out where this dance has no value."""
    values = {name: metric(danced) for name, metric in BODY.items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _by_other_beats(control: BeatControl, samples: DanceSamples, protocol: str) -> list[Measured]:
    """Compare the true dances with other beats than those of their music."""
    dances: list[Measured] = []
    for k, name in enumerate(samples.names):
        spans = _spans(samples[k].positions, protocol, samples.seconds)
        dances.append(Measured(name, {}, _beats(spans, control(samples.beats, k))))
    return dances


def _row(name: str, dances: Sequence[Measured], of_sets: Mapping[str, Interval] | None = None) -> Row:
    values = dict(of_sets or {})
    for metric in MEANING:
        each = np.array([dance.values[metric] for dance in dances if metric in dance.values])
        if len(each):
            values[metric] = interval(partial(mean_of, each), np.arange(len(each)), least=0.0)
    ordered = {metric: values[metric] for metric in MEANING if metric in values}
    return Row(name, ordered, [{"name": dance.name, **dance.values} for dance in dances])


def _of_sets(dances: Sequence[Measured], reference: Reference) -> dict[str, Interval]:
    """FID and Dist of all features, normalised by the real ones."""
    values: dict[str, Interval] = {}
    for key in dances[0].features:
        rows = np.stack([dance.features[key] for dance in dances])
        real, made = metrics.normalised(reference.features[key], rows, PUBLISHED[key[2:]].eps)
        values[f"fid_{key}"] = interval(
            partial(_fid, Normal.of(real), made), np.arange(len(made)), centred=True, least=0.0
        )
        values[f"dist_{key}"] = interval(partial(_dist, made), np.arange(len(made)), centred=True, least=0.0)
    return values


def _fid(real: Normal, made: Float64Array, chosen: Chosen) -> float:
    return metrics.frechet_distance(real, made[chosen])


def _dist(made: Float64Array, chosen: Chosen) -> float:
    return metrics.diversity(made[chosen])


def dance_generator(dancer: Dancer, name: str, unseeded: bool = False) -> DanceGenerator:
    """Return how a model dances to a sample.

    A FACT gets the first two seconds of the true dance, and goes on from there to the end of the music that the corpus
    holds, with as many frames of each prediction as it was trained for, each brought back to rotations. All others, and
    FACT too if it shall dance `unseeded`, get music.flac, and dance from its beginning, as `ictus dance` lets them.

    Parameters
    ----------
    name : of the dancer, for messages.
    """
    if isinstance(dancer, FACTDancer) and not unseeded:
        return _from_seed_motion(dancer.network)
    return _from_music(dancer, name)


def _from_seed_motion(network: FACT) -> DanceGenerator:
    def dance(sample: DanceSample, seed: int) -> Float32Array:
        motion, audio = (torch.from_numpy(frames)[None] for frames in (sample.motion, sample.audio))
        begun = padded(motion[:, :MOTION_WINDOW], network.config.pose)
        made = network.generate(begun, audio, stride=network.config.future, orthonormalise=True, to_end=True)
        return positions_of_frames(unpadded(torch.cat((begun, made), 1))[0].numpy())

    return dance


def _from_music(dancer: Dancer, name: str) -> DanceGenerator:
    def dance(sample: DanceSample, seed: int) -> Float32Array:
        file = sample.folder / "music.flac"
        if not file.exists():
            raise UsageError(f"{file}: missing, and {name} dances to sound; prepare the corpus with its music")
        audio = Audio.load(file)
        audio = Audio(audio.samples[:, : round(sample.seconds * audio.rate)], audio.rate)
        motion = dancer(audio, seed=zlib.crc32(os.fsencode(f"{seed} {sample.name}")))  # another dance to each piece
        if motion.skeleton != get_skeleton("smpl-24"):
            raise UsageError(f"{name} moves {motion.skeleton.name}; dances are compared as smpl-24")
        return motion.resample(RATE).positions

    return dance


def plot_dances(
    models: Mapping[str, DanceGenerator],
    samples: DanceSamples,
    protocol: str,
    numbers: Iterable[int],
    seed: int,
    folder: Path,
) -> None:
    """Plot how fast the true dancer and all others move in some dances, and which beats they mark."""
    marked_by = PUBLISHED[PROTOCOLS[protocol][0]].beats
    for number in numbers:
        sample = samples[number]
        places = {"real": sample.positions, **{name: dance(sample, seed) for name, dance in models.items()}}
        dances = {name: Motion(made, RATE, get_skeleton("smpl-24")) for name, made in places.items()}
        marks = {name: metrics.motion_beats(dance, marked_by) for name, dance in dances.items()}
        with writing(folder / f"{sample.name.replace('/', '-')}.png") as path:
            speed_and_beats(dances, marks, sample.beats).savefig(path, format="png", dpi=100)
