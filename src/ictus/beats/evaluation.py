"""Compare beat trackers with the annotated beats of music, by groups of music."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ictus.audio import Audio
from ictus.beats.annotated_folder import AnnotatedMusic
from ictus.beats.beats import Beats
from ictus.beats.classical import ClassicalBeatTracker
from ictus.beats.dataset import AnnotatedRecording, Level
from ictus.beats.metrics import continuity, f_measure, level_f_measure, median_lag, phase_f_measure, rolled
from ictus.beats.tracker import BeatTracker
from ictus.errors import UsageError
from ictus.features import mel81
from ictus.metrics.bootstrap import interval, mean_of
from ictus.metrics.tables import Row
from ictus.types import Float64Array, IntArray, Progress

MEANING = {
    "beat_f": "F-measure of beats within 70 ms",
    "chance": "the same with the predicted beats shifted in time",
    "level_f": "the same at the best metrical level: as annotated, twice or three times as fast or slow",
    "phase_f": "the same where beats in the middle between the annotated ones count as well",
    "lag": "milliseconds by which the beats found come after the annotated ones, median (below 0: before)",
    "downbeat_f": "F-measure of downbeats within 70 ms",
    "cmlt": "share of beats in right phase and tempo",
    "amlt": "the same, double or half tempo and off-beats allowed",
    "metre": "share of pieces whose metre is right",
    "conducted_f": "F-measure of the beats that an arm shows, where people count others: a fast three in one",
}
EVERYTHING = "all"


@dataclass(frozen=True)
class PredictedBeats:
    """What is predicted of a piece.

    Attributes
    ----------
    beats : (N,) seconds.
    downbeats, meter : where bars are predicted, too.
    level : whether these are the beats that people count or those that an arm shows, and are compared with such.
    conducted : (M,) seconds of those that an arm shows, where the others are counted.
    """

    beats: Float64Array
    downbeats: Float64Array | None = None
    meter: int | None = None
    level: Level = "counted"
    conducted: Float64Array | None = None


BeatPredictor = Callable[[Audio], PredictedBeats]


def offline_predictor(tracker: Callable[[Audio], Beats]) -> BeatPredictor:
    """Return what a beat tracker predicts: the beats as people count them, and as an arm would conduct them."""

    def predict(audio: Audio) -> PredictedBeats:
        beats = tracker(audio)
        return PredictedBeats(beats.times, beats.downbeats, beats.meter, conducted=beats.conducted().times)

    return predict


def online_predictor(folder: str | os.PathLike[str]) -> BeatPredictor:
    """Return what an online beat tracker predicts of a stream, beat by beat, each without what comes later."""
    from ictus.beats.online_tracker import OnlineBeatTracker

    def predict(audio: Audio) -> PredictedBeats:
        tracker = OnlineBeatTracker(folder)
        samples = audio.mono().resample(mel81.rate).samples[0]
        chunks = np.split(samples, range(mel81.rate, len(samples), mel81.rate))
        found = [beat for chunk in chunks for beat in tracker.stream(chunk)]
        if not found:
            return PredictedBeats(np.zeros(0), np.zeros(0), level="conducted")
        beats = Beats([one.time for one in found], [one.position for one in found], [one.meter for one in found])
        return PredictedBeats(beats.times, beats.downbeats, beats.meter, "conducted")

    return predict


def librosa_predictor() -> BeatPredictor:
    """Return librosa's beat tracker (D. Ellis, 2007), with its defaults.

    Raises
    ------
    UsageError
        If librosa is not installed.
    """
    try:
        from librosa.beat import beat_track
    except ImportError as error:
        raise UsageError("librosa is not installed: pip install librosa") from error

    def predict(audio: Audio) -> PredictedBeats:
        mono = audio.mono().resample(22050)
        _, times = beat_track(y=mono.samples[0], sr=22050, units="time")
        return PredictedBeats(np.asarray(times, np.float64))

    return predict


def madmom_predictor() -> BeatPredictor:
    """Return madmom's recurrent networks and their dynamic Bayesian network (S. Boeck et al., 2016), bars of 3 and 4.

    Raises
    ------
    UsageError
        If madmom is not installed.
    """
    try:
        from madmom.features.downbeats import DBNDownBeatTrackingProcessor, RNNDownBeatProcessor
    except ImportError as error:
        raise UsageError("madmom is not installed; its licence allows research only: pip install madmom") from error

    activations, decode = RNNDownBeatProcessor(), DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)

    def predict(audio: Audio) -> PredictedBeats:
        samples = audio.mono().resample(44100).samples[0]
        found = np.asarray(decode(activations(samples)), np.float64).reshape(-1, 2)  # seconds, place in the bar
        meter = int(found[:, 1].max()) if len(found) else None
        return PredictedBeats(found[:, 0], found[found[:, 1] == 1, 0], meter)

    return predict


def predictor(name: str) -> BeatPredictor:
    """Return a beat tracker: "librosa", "madmom", "classical", or a trained one by name or folder.

    Raises
    ------
    UsageError
        If librosa or madmom is not installed.
    ModelError
        If there is no such beat tracker, or it is damaged.
    """
    if name == "librosa":
        return librosa_predictor()
    if name == "madmom":
        return madmom_predictor()
    if name == "classical":
        return offline_predictor(ClassicalBeatTracker())
    tracker = BeatTracker.from_folder(name)
    return offline_predictor(tracker) if isinstance(tracker, BeatTracker) else online_predictor(name)


def evaluate_beats(
    predictors: Mapping[str, BeatPredictor],
    recordings: Sequence[AnnotatedRecording | AnnotatedMusic],
    progress: Progress | None = None,
) -> list[Row]:
    """Let each predictor predict the beats of each recording, and compare.

    Returns
    -------
    A row for each predictor and group of music, "NAME, GROUP", and one of all groups together where there are several.
    Metrics of what it does not predict are left out.

    Raises
    ------
    UsageError
        If there are no recordings.
    """
    if not recordings:
        raise UsageError("no music to compare beats with")
    samples: dict[str, list[dict[str, float | str]]] = {name: [] for name in predictors}
    for done, recording in enumerate(recordings, 1):
        audio = Audio.load(recording.music)
        for name, predict in predictors.items():
            scores = compare(recording, predict(audio), audio.duration)
            samples[name].append({"name": recording.name, "group": recording.group, **scores})
        if progress:
            progress(done / len(recordings))
    groups = sorted({recording.group for recording in recordings})
    groups += [EVERYTHING] if len(groups) > 1 else []
    return [
        _row(f"{name}, {group}", [one for one in found if group in (one["group"], EVERYTHING)])
        for name, found in samples.items()
        for group in groups
    ]


def compare(
    recording: AnnotatedRecording | AnnotatedMusic, predicted: PredictedBeats, duration: float
) -> dict[str, float]:
    """Return the scores of one piece, by the names of `MEANING`; those that its annotation cannot tell are left out."""
    known = _annotated(recording, predicted.level)
    cmlt, amlt = continuity(known.times, predicted.beats)
    shifted = [f_measure(known.times, other) for other in rolled(predicted.beats, duration)]
    scores = {
        "beat_f": f_measure(known.times, predicted.beats),
        "chance": float(np.mean(shifted)),
        "level_f": level_f_measure(known.times, predicted.beats),
        "phase_f": phase_f_measure(known.times, predicted.beats),
        "cmlt": cmlt,
        "amlt": amlt,
    }
    lag = median_lag(known.times, predicted.beats)
    if lag is not None:
        scores["lag"] = 1000 * lag
    downbeats = known.times[known.positions == 1]
    if predicted.downbeats is not None and len(downbeats):
        scores["downbeat_f"] = f_measure(downbeats, predicted.downbeats)
    if predicted.meter is not None and known.meter is not None:
        scores["metre"] = float(predicted.meter == known.meter)
    if predicted.conducted is not None and isinstance(recording, AnnotatedRecording):
        scores["conducted_f"] = f_measure(recording.times, predicted.conducted)
    return scores


@dataclass(frozen=True)
class _Annotated:
    """Beats and their places in the bar, (N,) each, and the metre of most bars, if it is known."""

    times: Float64Array
    positions: IntArray
    meter: int | None


def _annotated(recording: AnnotatedRecording | AnnotatedMusic, level: Level) -> _Annotated:
    """Return the annotated beats of one level; of recordings that people annotated, there is only one."""
    if isinstance(recording, AnnotatedMusic):
        return _Annotated(recording.times, recording.positions, recording.meter)
    times, positions, meters = recording.beats_in(0.0, 1.0, level)
    return _Annotated(times, positions, int(np.bincount(meters).argmax()) if len(meters) else None)


def _row(name: str, samples: list[dict[str, float | str]]) -> Row:
    known = {metric: [sample[metric] for sample in samples if metric in sample] for metric in MEANING}
    columns = {metric: np.array(values, np.float64) for metric, values in known.items() if values}
    intervals = {metric: interval(partial(mean_of, part), np.arange(len(part))) for metric, part in columns.items()}
    return Row(name, intervals, samples)
