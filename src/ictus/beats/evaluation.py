"""Compare beat trackers with the annotated beats of music, by groups of music."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.dataset import AnnotatedRecording
from ictus.beats.metrics import continuity, f_measure, rolled
from ictus.errors import UsageError
from ictus.features import mel81
from ictus.metrics.bootstrap import interval, mean_of
from ictus.metrics.tables import Row
from ictus.types import Float64Array, Progress

MEANING = {
    "beat_f": "F-measure of beats within 70 ms",
    "chance": "the same with the marks shifted in time",
    "downbeat_f": "F-measure of downbeats within 70 ms",
    "cmlt": "share of beats in right phase and tempo",
    "amlt": "the same, double or half tempo and off-beats allowed",
    "metre": "share of pieces whose metre is right",
}
EVERYTHING = "all"
_TOLD = ("time", "position", "meter")


@dataclass(frozen=True)
class PredictedBeats:
    """What is marked in a piece: beats (N,) in seconds; and, of those that know of bars, the downbeats and metre."""

    beats: Float64Array
    downbeats: Float64Array | None = None
    meter: int | None = None


BeatPredictor = Callable[[Audio], PredictedBeats]


def offline_predictor(listener: Callable[[Audio], Beats]) -> BeatPredictor:
    """Return what a listener hears: the beats as an arm would conduct them."""

    def mark(audio: Audio) -> PredictedBeats:
        beats = listener(audio).conducted()
        return PredictedBeats(beats.times, beats.downbeats, beats.meter)

    return mark


def online_predictor(folder: str | os.PathLike[str]) -> BeatPredictor:
    """Return what a live listener says of a stream, beat by beat; what it said cannot be mended."""
    from ictus.beats.online_tracker import OnlineBeatTracker

    def mark(audio: Audio) -> PredictedBeats:
        listener = OnlineBeatTracker(folder)
        samples = audio.mono().resample(mel81.rate).samples[0]
        chunks = np.split(samples, range(mel81.rate, len(samples), mel81.rate))
        told = [beat for chunk in chunks for beat in listener.stream(chunk)]
        times, positions, meters = (np.array([getattr(beat, name) for beat in told]) for name in _TOLD)
        if not told:
            return PredictedBeats(np.zeros(0), np.zeros(0))
        return PredictedBeats(times, times[positions == 1], int(np.bincount(meters).argmax()))

    return mark


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

    def mark(audio: Audio) -> PredictedBeats:
        mono = audio.mono().resample(22050)
        _, times = beat_track(y=mono.samples[0], sr=22050, units="time")
        return PredictedBeats(np.asarray(times, np.float64))

    return mark


def evaluate_beats(
    markers: Mapping[str, BeatPredictor],
    recordings: Sequence[AnnotatedRecording],
    progress: Progress | None = None,
) -> list[Row]:
    """Let each marker mark the beats of each recording, and compare.

    Returns
    -------
    A row for each marker and group of music, "NAME, GROUP", and one of all groups together where there are several.
    Metrics that a marker knows nothing of are left out.

    Raises
    ------
    UsageError
        If there are no recordings.
    """
    if not recordings:
        raise UsageError("no music to listen to")
    samples: dict[str, list[dict[str, float | str]]] = {name: [] for name in markers}
    for done, recording in enumerate(recordings, 1):
        audio = Audio.load(recording.folder / "music.flac")
        for name, marker in markers.items():
            scores = compare(recording, marker(audio), audio.duration)
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


def compare(recording: AnnotatedRecording, marks: PredictedBeats, duration: float) -> dict[str, float]:
    """Return the scores of one piece, by the names of `MEANING`."""
    cmlt, amlt = continuity(recording.times, marks.beats)
    shifted = [f_measure(recording.times, other) for other in rolled(marks.beats, duration)]
    scores = {
        "beat_f": f_measure(recording.times, marks.beats),
        "chance": float(np.mean(shifted)),
        "cmlt": cmlt,
        "amlt": amlt,
    }
    if marks.downbeats is not None:
        scores["downbeat_f"] = f_measure(recording.times[recording.positions == 1], marks.downbeats)
    if marks.meter is not None:
        scores["metre"] = float(marks.meter == recording.meter)
    return scores


def _row(name: str, samples: list[dict[str, float | str]]) -> Row:
    columns = {metric: np.array([s[metric] for s in samples], np.float64) for metric in MEANING if metric in samples[0]}
    figures = {metric: interval(partial(mean_of, values), np.arange(len(values))) for metric, values in columns.items()}
    return Row(name, figures, samples)
