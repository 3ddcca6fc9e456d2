"""Compare soloists on a corpus: every value with its interval, beside the ground truth and controls."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ictus.errors import IctusError, UsageError
from ictus.metrics.bootstrap import Chosen, Interval, interval, mean_of
from ictus.metrics.frechet import Normal
from ictus.metrics.tables import Row
from ictus.sound import INSTRUMENTS, metrics
from ictus.sound.ablations import AblatedSoloist
from ictus.sound.controls import GROUND_TRUTH, controls, play_ground_truth, through_codebook, through_vocoder
from ictus.sound.data.dataset import UNKNOWN
from ictus.sound.data.samples import MelPredictor, PerformanceSample, PerformanceSamples
from ictus.sound.metrics import ExtractFeatures
from ictus.sound.metrics.distances import kernel
from ictus.sound.models.codebook import SpectrogramCodebook
from ictus.sound.models.instrument_classifier import InstrumentClassifier
from ictus.sound.models.vocoder_loading import vocode_function
from ictus.types import Float32Array, Float64Array, IntArray, Progress

_CENTRED = "its interval is drawn over performances, and centred"
MEANING = {
    "fid": f"Frechet distance of the classifier's features from those of recorded sounds, lower is better ({_CENTRED})",
    "kid": f"kernel distance of the same, lower is better; chance may give less than 0 ({_CENTRED})",
    "isc": f"inception score, that of recorded sounds is ideal ({_CENTRED})",
    "kl": "KL of the classes predicted of it from those predicted of the ground truth, lower is better",
    "instrument": "share in which the classifier predicts the right instrument",
    "l1": "mean absolute error of mel80, which is from 0 to 1; means err least, so compare with that of the mean mel",
    "onset_f": "F-measure of onsets within 50 ms of those that the same detector finds in the ground truth",
    "onset_f_notes": "the same against the notes of the score; the ground truth's is the best that it can do",
    "chroma": "share of frames whose strongest pitch class is that of the ground truth",
    "chroma_notes": "the same against the notes of the score",
    "seconds": "time to play a minute",
}


@dataclass(frozen=True)
class FeatureExtractor:
    """Features for FID, KID, ISc and KL: by our instrument classifier, or another network, such as Melception.

    Attributes
    ----------
    extract : mel (T, 80) in [0, 1] -> features (F,) and logits (C,).
    classes : names of the logits; where the instruments are among them, it is counted how often they are predicted.
    """

    extract: ExtractFeatures
    classes: Sequence[str] = ()

    @classmethod
    def from_classifier(cls, classifier: InstrumentClassifier) -> "FeatureExtractor":
        """Take the features of an instrument classifier, on the device on which it is."""
        import torch

        device = next(classifier.parameters()).device

        def extract(mel: Float32Array) -> tuple[Float64Array, Float64Array]:
            given = torch.from_numpy(np.ascontiguousarray(2 * mel.T - 1, np.float32))[None].to(device)
            features, logits = (row[0].double().cpu().numpy() for row in classifier.eval().extract(given))
            return features, logits

        return cls(extract, tuple(classifier.metadata.get("instruments", ())))

    def features_of(self, samples: PerformanceSamples) -> Float64Array:
        """Return the features (N, F) of the ground truth, as a reference for FID and KID."""
        return np.array([self.extract(samples.mel(number))[0] for number in range(len(samples))], np.float64)


@dataclass(frozen=True)
class ReferenceMeasures:
    """What is measured in the ground truth of a window, once for all models."""

    onsets: Float64Array
    classes: IntArray
    logits: Float64Array | None


@dataclass(frozen=True)
class WindowValues:
    """A window's name, its own part in values that are means, and the classifier's features and logits of it."""

    name: str
    values: Mapping[str, float]
    features: Float64Array = field(default_factory=lambda: np.empty(0))
    logits: Float64Array = field(default_factory=lambda: np.empty(0))


def caveats(samples: int, reference: Float64Array | None) -> list[str]:
    """Return what must be said beside values of so many windows: a line each."""
    if reference is None:
        return ["no instrument classifier: FID, KID, inception score, KL and the instrument are left out"]
    lines: list[str] = []
    count, width = reference.shape
    if min(samples, count) <= width:
        lines.append(
            f"FID of {samples} windows against {count}: too few for the covariance of {width} features (more than "
            f"{width} of each are needed); compare it with other rows of this table only"
        )
    if samples < metrics.MIN_SPLIT_SOUNDS:
        lines.append(
            f"inception score of {samples} windows: of the whole set, not the mean of 10 parts as published, for which "
            f"{metrics.MIN_SPLIT_SOUNDS} are needed"
        )
    return lines


def compare(
    soloists: Mapping[str, AblatedSoloist],
    samples: PerformanceSamples,
    *,
    extractor: FeatureExtractor | None = None,
    reference: Float64Array | None = None,
    vocoder: str | None = None,
    ablations: bool = True,
    seed: int = 0,
    kept: Mapping[str, MelPredictor] | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Compare soloists, what their codebook and the vocoder keep of the ground truth, and what each condition is worth.

    Parameters
    ----------
    extractor, reference : as `evaluate` takes them.
    vocoder : "griffin-lim" or a folder: what is left of the ground truth, and of its codes, when they are vocoded.
    ablations : whether each soloist also plays when it is given another performance, only the instrument, or nothing.
    kept : soloists whose playing was generated before; how long they took is not known.
    """
    kept = kept or {}
    players: dict[str, MelPredictor] = {}
    for name, soloist in soloists.items():
        players[name] = kept[name] if name in kept else soloist.plays(samples)
        given = soloist.ablations() if ablations else ()
        players.update({f"{name}, {way}": soloist.plays(samples, way) for way in given})
    ceilings = {name: through_codebook(codebook) for name, codebook in _codebooks(soloists).items()}
    if vocoder:
        vocode, short = vocode_function(vocoder), Path(vocoder).name
        vocoded = {f"{name}, by {short}": through_vocoder(vocode, play) for name, play in ceilings.items()}
        ceilings = {f"truth, by {short}": through_vocoder(vocode), **ceilings, **vocoded}
    rows = evaluate(
        players, samples, extractor=extractor, reference=reference, ceilings=ceilings, seed=seed, progress=progress
    )
    return [_untimed(row) if row.name in kept else row for row in rows]


def _untimed(row: Row) -> Row:
    """Return a row without the time that playing took."""
    values = {metric: value for metric, value in row.values.items() if metric != "seconds"}
    samples = [{key: value for key, value in sample.items() if key != "seconds"} for sample in row.samples]
    return replace(row, values=values, samples=samples)


def _codebooks(soloists: Mapping[str, AblatedSoloist]) -> dict[str, SpectrogramCodebook]:
    """Return the codebooks of the soloists, each once, by the name of their rows."""
    found: list[tuple[str, SpectrogramCodebook]] = []
    for name, soloist in soloists.items():
        codebook = soloist.soloist.codebook
        weights = codebook.state_dict()
        same = (
            one.config == codebook.config
            and all(torch.equal(value, weights[key]) for key, value in one.state_dict().items())
            for _, one in found
        )
        if not any(same):
            found.append((name, codebook))
    if len(found) == 1:
        return {"truth, as codes": found[0][1]}
    return {f"truth, as codes of {name}": codebook for name, codebook in found}


def evaluate(
    models: Mapping[str, MelPredictor],
    samples: PerformanceSamples,
    *,
    extractor: FeatureExtractor | None = None,
    reference: Float64Array | None = None,
    ceilings: Mapping[str, MelPredictor] | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[Row]:
    """Let each model play each window of a corpus, and compare. One sound is in memory at a time.

    Parameters
    ----------
    models : name -> function of a sample and a seed.
    extractor : computes features; without it FID, KID, ISc, KL and the instrument are left out.
    reference : features (N, F) from which FID and KID are measured; those of the samples themselves if not given.
    ceilings : name -> what is left of the ground truth, for example through the codebook and a vocoder.

    Returns
    -------
    A row for each model, after those of the controls: the ground truth; the ceilings; what was played in another
    performance, with the same instrument and with any; the mean level of each band.

    Raises
    ------
    IctusError
        If a sound cannot be measured; the message names model and window.
    """
    if extractor is not None and reference is None:
        reference = extractor.features_of(samples)
    players = {GROUND_TRUTH: play_ground_truth, **(ceilings or {}), **controls(samples), **models}
    known: list[ReferenceMeasures] = []
    rows: list[Row] = []
    for done, (name, player) in enumerate(players.items()):
        measured: list[WindowValues] = []
        for k in range(len(samples)):
            sample = samples[k]
            if len(known) == k:
                known.append(_measure_reference(sample, extractor))
            start = time.perf_counter()
            try:
                made = player(sample, seed)
                took = {"seconds": (time.perf_counter() - start) * 60 / sample.seconds} if name in models else {}
                measured.append(_measure(made, sample, known[k], extractor, took))
            except IctusError as error:
                raise type(error)(f"{name}, {sample.name}: {error}") from error
            if progress:
                progress((done + (k + 1) / len(samples)) / len(players))
        rows.append(_row(name, measured, samples.performances, reference))
    return rows


def _measure_reference(sample: PerformanceSample, extractor: FeatureExtractor | None) -> ReferenceMeasures:
    logits = None if extractor is None else np.asarray(extractor.extract(sample.mel)[1], np.float64)
    return ReferenceMeasures(metrics.onset_times(sample.mel), metrics.pitch_classes(sample.mel), logits)


def _measure(
    made: Float32Array,
    sample: PerformanceSample,
    known: ReferenceMeasures,
    extractor: FeatureExtractor | None,
    took: Mapping[str, float],
) -> WindowValues:
    """Measure a sound; values that this window does not have are left out."""
    if len(made) != len(sample.mel):
        raise UsageError(f"{len(made)} frames were played; the window has {len(sample.mel)}")
    values = {"l1": metrics.mel_error(sample.mel, made)}
    onsets, classes = metrics.onset_times(made), metrics.pitch_classes(made)
    if len(known.onsets):
        values["onset_f"] = metrics.onset_f_measure(known.onsets, onsets)[0]
    values["chroma"] = metrics.chroma_accuracy(known.classes, classes)
    if sample.notes is not None and len(sample.notes):
        begun = np.unique(sample.notes[:, 0][sample.notes[:, 0] >= 0])
        if len(begun):
            values["onset_f_notes"] = metrics.onset_f_measure(begun, onsets)[0]
        target = metrics.note_classes(sample.notes, len(made))
        values["chroma_notes"] = metrics.chroma_accuracy(target, classes)
    values = {name: value for name, value in values.items() if np.isfinite(value)} | dict(took)
    if extractor is None or known.logits is None:
        return WindowValues(sample.name, values)
    features, logits = (np.asarray(row, np.float64) for row in extractor.extract(made))
    values["kl"] = float(metrics.kl_divergence(known.logits[None], logits[None])[0])
    if sample.instrument != UNKNOWN and INSTRUMENTS[sample.instrument] in extractor.classes:
        predicted = extractor.classes[int(logits.argmax())]
        values["instrument"] = float(predicted == INSTRUMENTS[sample.instrument])
    return WindowValues(sample.name, values, features, logits)


def _row(name: str, measured: Sequence[WindowValues], performances: Chosen, reference: Float64Array | None) -> Row:
    figures = {} if reference is None else _of_sets(measured, performances, reference)
    for metric in MEANING:
        having = [k for k, one in enumerate(measured) if metric in one.values]
        if having:
            values = np.array([measured[k].values[metric] for k in having])
            figures[metric] = interval(partial(mean_of, values), performances[having])
    ordered = {metric: figures[metric] for metric in MEANING if metric in figures}
    return Row(name, ordered, [{"name": one.name, **one.values} for one in measured])


def _of_sets(measured: Sequence[WindowValues], performances: Chosen, reference: Float64Array) -> dict[str, Interval]:
    features, logits = np.stack([one.features for one in measured]), np.stack([one.logits for one in measured])
    splits = 10 if len(logits) >= metrics.MIN_SPLIT_SOUNDS else 1
    within, between = kernel(features, features), kernel(features, reference)
    return {
        "fid": interval(partial(_fid, Normal.of(reference), features), performances, centred=True, least=0.0),
        "kid": interval(
            partial(_discrepancy, within, between.mean(1)),
            performances,
            centred=True,
            value=metrics.kernel_distance(reference, features)[0],
        ),
        "isc": interval(
            partial(_isc, logits),
            performances,
            centred=True,
            value=metrics.inception_score(logits, splits=splits)[0],
            least=1.0,
        ),
    }


def _fid(real: Normal, features: Float64Array, chosen: Chosen) -> float:
    return metrics.frechet_distance(real, features[chosen])


def _discrepancy(within: Float64Array, between: Float64Array, chosen: Chosen) -> float:
    """KID of the chosen, but for what the reference is in itself."""
    count = len(chosen)
    own = (within[np.ix_(chosen, chosen)].sum() - within[chosen, chosen].sum()) / (count * (count - 1))
    return float(own - 2 * between[chosen].mean())


def _isc(logits: Float64Array, chosen: Chosen) -> float:
    return metrics.inception_score(logits[chosen], splits=1)[0]
