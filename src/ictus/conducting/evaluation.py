"""Compare conductors on a corpus: every value with its interval, beside the ground truth and beside chance."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ictus.arrays import archive
from ictus.audio import Audio
from ictus.beats.annotated_folder import AnnotatedMusic
from ictus.beats.beats import Beats
from ictus.beats.dataset import AnnotatedRecording
from ictus.beats.evaluation import BeatPredictor, PredictedBeats
from ictus.conducting import metrics
from ictus.conducting.chunked_inference import generate
from ictus.conducting.data.conductor_motion import ConductorMotion, ConductorRecording
from ictus.conducting.models.m2s_gan import Discriminator
from ictus.conducting.models.m2s_net import M2SNet
from ictus.conducting.neural_conductor import NeuralConductor
from ictus.conducting.pipeline import Conductor, Maestro
from ictus.errors import UsageError
from ictus.files import writing
from ictus.metrics.bootstrap import Interval, interval, mean_of
from ictus.metrics.tables import Row
from ictus.motion import Motion
from ictus.render.film import film
from ictus.render.plots import beats_and_truth, joint_curves
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array, IntArray, Progress

Conduct = Callable[[Float32Array, int], Float32Array]  # mel (T90, 128), seed -> motion (T30, 13, 2)

TRUTH, CHANCE = "ground truth", "shuffled pairs"
PROTOCOLS = {
    "prospective-cup": ("rde", "sce", "sdp", "seconds"),  # the competition's four
    "all": (
        *("rde", "sce", "sdp", "mse", "sync", "wasserstein", "beat_f", "beat_chance"),
        *("jerk", "bones", "hands", "diversity", "seconds"),
    ),
}
MEANING = {
    "rde": "rhythm density error, lower is better",
    "sce": "strength contour error, lower is better",
    "sdp": "movement in % of the real one, 100 is ideal",
    "mse": "mean squared error",
    "sync": "sync error by the evaluator, lower is better",
    "wasserstein": "score of the real motion less that of the generated one, by the discriminator; lower is better",
    "beat_f": "hands on the true beats, F-measure within 70 ms",
    "beat_chance": "the same with the hands shifted in time: chance",
    "jerk": "mean squared third difference",
    "bones": "variation of the bones' lengths in the picture, as a share",
    "hands": "correlation of the two hands' vertical movement",
    "diversity": "distance between motions made for the same music with other seeds",
    "seconds": "time to conduct a minute",
}


def evaluate(
    models: Mapping[str, Conduct],
    corpus: ConductorMotion,
    *,
    evaluator: M2SNet | None = None,
    discriminator: Discriminator | None = None,
    protocol: str = "all",
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> list[Row]:
    """Let each model conduct each window of a corpus, and compare.

    Parameters
    ----------
    models : name -> function of a mel and a seed.
    corpus : windows of at least nine seconds; where a recording has beats.npz, hands are compared with them.
    evaluator : for the sync error; it should not have been trained on the models' training data.
    discriminator : the discriminator of an M2S-GAN, for the Wasserstein estimate.
    protocol : "all" or "prospective-cup".
    seeds : the first is that of all values; with more, the motions are also compared with each other.

    Returns
    -------
    A row for each model, after one for the ground truth and one for the real motion of another recording: what a
    perfect model would reach, and what one that ignores the music.

    Raises
    ------
    UsageError
        If the protocol is unknown or there are fewer than two recordings.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"protocol {protocol!r} is unknown; choose one of {', '.join(PROTOCOLS)}")
    if len({recording for recording, _ in corpus.windows}) < 2:
        raise UsageError("at least two recordings are needed to compare and to shuffle; give a larger split")
    items = [corpus[k] for k in range(len(corpus))]
    mels = [np.asarray(item["mel"], np.float32) for item in items]
    real = np.stack([np.asarray(item["motion"], np.float32) for item in items])
    names = [str(item["name"]) for item in items]
    # (N,) the recording of each window
    recordings = np.unique([recording.name for recording, _ in corpus.windows], return_inverse=True)[1]
    beats = [_true_beats(recording, start, corpus.seconds) for recording, start in corpus.windows]

    def row(name: str, made: Float32Array, more: Mapping[str, Float64Array]) -> Row:
        parts = {**_parts(real, made, beats), **_by_networks(real, made, evaluator, discriminator), **more}
        wanted = [metric for metric in PROTOCOLS[protocol] if metric in parts]
        values = {metric: _interval(metric, parts, recordings) for metric in wanted}
        own = {metric: parts[metric] for metric in wanted if metric != "sdp"}
        table: list[dict[str, float | str]] = [
            {"name": n, **{m: float(v[k]) for m, v in own.items()}} for k, n in enumerate(names)
        ]
        return Row(name, values, table)

    rows = [row(TRUTH, real, {}), row(CHANCE, real[_of_others(recordings)], {})]
    for done, (name, conduct) in enumerate(models.items()):
        made, took, spread = [], [], []
        for k, mel in enumerate(mels):
            start = time.perf_counter()
            made.append(conduct(mel, seeds[0])[: real.shape[1]])
            took.append((time.perf_counter() - start) * 60 / corpus.seconds)
            if len(seeds) > 1:
                others = [conduct(mel, seed)[: real.shape[1]] for seed in seeds[1:]]
                spread.append(metrics.diversity([_motion(motion) for motion in (made[-1], *others)]))
            if progress:
                progress((done + (k + 1) / len(mels)) / len(models))
        more = {"seconds": np.array(took)} | ({"diversity": np.array(spread)} if spread else {})
        rows.append(row(name, np.stack(made), more))
    return rows


def _of_others(recordings: IntArray) -> IntArray:
    """(N,) the recording of each window -> (N,) for each window one of another recording."""
    members = [np.flatnonzero(recordings == recording) for recording in np.unique(recordings)]
    others = np.empty_like(recordings)
    for k, own in enumerate(members):
        others[own] = np.resize(members[k - 1], len(own))
    return others


def hands(conductor: Conductor, seed: int = 0) -> BeatPredictor:
    """Return what a conductor's hands mark, from the motion alone, for `ictus.beats.evaluation`."""
    return lambda audio: PredictedBeats(metrics.ictus_times(conductor(audio, seed=seed)), level="conducted")


def _parts(real: Float32Array, made: Float32Array, beats: list[Float64Array | None]) -> dict[str, Float64Array]:
    """Return each sample's part, (N,), in each metric."""
    parts = {
        "rde": np.asarray(metrics.rhythm_density_errors(real, made), np.float64),
        "sce": np.asarray(metrics.strength_contour_errors(real, made), np.float64),
        "sdp": _movement(made),
        "moved": _movement(real),
        "mse": ((real - made) ** 2).mean((1, 2, 3), dtype=np.float64),
        "jerk": np.array([metrics.jerk(_motion(sample)) for sample in made]),
        "bones": np.array([metrics.bone_length_constancy(_motion(sample)) for sample in made]),
        "hands": np.array([metrics.left_right_correlation(_motion(sample)) for sample in made]),
    }
    if all(known is not None for known in beats):
        scores = [metrics.beat_scores(_motion(m), b) for m, b in zip(made, beats, strict=True) if b is not None]
        parts["beat_f"] = np.array([score["f_measure"] for score in scores])
        parts["beat_chance"] = np.array([score["control"] for score in scores])
    return parts


def _by_networks(
    real: Float32Array, made: Float32Array, evaluator: M2SNet | None, discriminator: Discriminator | None
) -> dict[str, Float64Array]:
    """Return each sample's part in the metrics that a network gives."""
    pairs = [(r[None], m[None]) for r, m in zip(real, made, strict=True)]
    parts = {}
    if evaluator is not None:
        parts["sync"] = np.array([metrics.sync_error(r, m, evaluator) for r, m in pairs])
    if discriminator is not None:
        parts["wasserstein"] = np.array([metrics.wasserstein_estimate(r, m, discriminator) for r, m in pairs])
    return parts


def _interval(metric: str, parts: dict[str, Float64Array], recordings: IntArray) -> Interval:
    """Return a metric's value and interval, from each window's part in it, and its recording's number, (N,)."""

    def value(chosen: IntArray) -> float:
        mean = mean_of(parts[metric], chosen)
        return 100 * mean / mean_of(parts["moved"], chosen) if metric == "sdp" else mean

    return interval(value, recordings)


def _movement(motion: Float32Array) -> Float64Array:
    return np.asarray(motion.std(axis=1, ddof=1, dtype=np.float64).mean((1, 2)))


def _motion(positions: Float32Array) -> Motion:
    return Motion(positions, 30.0, get_skeleton("conductor-13"))


def _true_beats(recording: ConductorRecording, start: int, seconds: int) -> Float64Array | None:
    """Return the beats that are conducted in a window, in its own time; None where they are not known."""
    file = recording.folder / "beats.npz"
    if not file.exists():
        return None
    with archive(file) as held:
        times = held.numbers("conducted_times", 1).astype(np.float64) - start
    return np.asarray(times[(times >= 0) & (times < seconds)])


def conduct_mels(conductor: Conductor, name: str) -> Conduct:
    """Return a function of a mel and a seed.

    Parameters
    ----------
    name : of the conductor, for the message.

    Raises
    ------
    UsageError
        If the conductor takes sound, not mels, as maestro does.
    """
    if not isinstance(conductor, NeuralConductor):
        raise UsageError(f"{name} takes sound, but the corpus holds mels; give the folder of a trained network")
    generator = conductor.generator
    return lambda mel, seed: generate(generator, mel, seed=seed)


def film_windows(
    models: Mapping[str, Conduct], corpus: ConductorMotion, numbers: Iterable[int], seed: int, folder: Path
) -> None:
    """Film some samples, the real conductor first, with the music where the corpus holds it; draw the joint curves."""
    for number in numbers:
        recording, start = corpus.windows[number]
        real, mel = _motion(recording.motion(start, corpus.seconds)), recording.mel(start, corpus.seconds)
        made = {name: _motion(conduct(mel, seed)) for name, conduct in models.items()}
        sound, music = None, recording.folder / "music.flac"
        if music.exists():
            whole = Audio.load(music)
            sound = Audio(whole.samples[:, start * whole.rate : (start + corpus.seconds) * whole.rate], whole.rate)
        name = f"{recording.folder.parent.name}-{recording.folder.name}-{start}"
        film([real, *made.values()], sound, folder / f"{name}.mp4", captions=["real", *made])
        for model, generated in made.items():
            with writing(folder / f"{name}-{model}.png") as path:
                joint_curves(real, generated).savefig(path, format="png", dpi=100)


def film_beats(recordings: Sequence[AnnotatedRecording | AnnotatedMusic], seed: int, folder: Path) -> None:
    """Film pieces as maestro conducts the predicted beats, beside the same conductor on the true ones; plot both."""
    maestro = Maestro()
    for recording in recordings:
        audio = Audio.load(recording.music)
        places = np.maximum(recording.positions, 1)  # 0: not known
        target = Beats(recording.times, places, recording.meter or int(places.max()), duration=audio.duration)
        predicted = maestro(audio, seed=seed)
        annotated = maestro.perform(target, audio.duration, seed=seed)
        name = recording.name.replace("/", "-")
        film([predicted, annotated], audio, folder / f"{name}.mp4", captions=["predicted beats", "true beats"])
        with writing(folder / f"{name}.png") as path:
            beats_and_truth(predicted.meta["beats"], target.to_meta()).savefig(path, format="png", dpi=100)
