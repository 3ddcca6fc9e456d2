"""Do the hands of a filmed conductor mark the beats of the film's own music?

The music's beats are those that somebody has tapped, in a file of the film's name beside it, or else the beat
tracker's. The hands' are the low points of the wrists (`ictus.conducting.metrics`), in the parts of the film in which
they are seen: between cuts, where nobody is lost for long. These parts are laid end to end, and so are their beats.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ictus import video_io
from ictus.audio import Audio
from ictus.beats import Beats
from ictus.beats.metrics import WINDOW, continuity, f_measure, fast_f_measure, nearest, rolled
from ictus.conducting.data.films import reason_to_leave_out
from ictus.conducting.metrics.ictus import LAGS, ictus_times
from ictus.errors import IctusError, MotionError
from ictus.metrics.bootstrap import interval, mean_of
from ictus.metrics.tables import Row
from ictus.pose import Track, motion_of
from ictus.pose.watch import Watch, passages
from ictus.types import Float64Array, Progress
from ictus.video_io import Film

MEANING = {
    "beat_f": "hands on the beats of the music, F-measure within 70 ms",
    "chance": "the same with the hands shifted in time",
    "amlt": "share of the beats in phase and tempo, double or half tempo and off-beats allowed",
    "lag": "seconds by which the hands come after the beats (before them: negative), where they agree best; median",
    "lag_f": "F-measure where they agree best",
    "lag_chance": "the same with the hands shifted in time, each where it agrees best",
    "seen": "share of the film in which the conductor's hands are seen",
}
ALL, OTHER = "all films", "with the beats of another film"
_RATE = 30.0  # frames a second, about
_SHORTEST = 3.0  # seconds of a part that shows hands
_SOUND = 22_050

Tracker = Callable[[Audio], Beats]


@dataclass(frozen=True)
class FilmedConductor:
    """What a conductor's hands and the music mark.

    Attributes
    ----------
    icti, beats : (N,) and (M,) seconds of the parts in which the hands are seen, laid end to end.
    seconds : of these parts together.
    seen : the share of the film that they are.
    """

    name: str
    icti: Float64Array
    beats: Float64Array
    seconds: float
    seen: float


def evaluate_films(
    films: Sequence[Path],
    watch: Watch,
    tracker: Tracker,
    progress: Progress | None = None,
    report: Callable[[str], None] | None = None,
) -> list[Row]:
    """Compare the hands in each film with its music.

    Parameters
    ----------
    watch : finds the conductor.
    tracker : predicts the beats of music that nobody has tapped.
    report : called with a line for each film that cannot be used; the others go on.

    Returns
    -------
    A row for each film; where there are several, also one of all, and one in which each is compared with the beats of
    another: what hands that do not belong to the music would have.

    Raises
    ------
    IctusError
        If none can be used.
    """
    seen: list[FilmedConductor] = []
    lines: list[str] = []
    for done, film in enumerate(films, 1):
        try:
            seen.append(observe(film, watch, tracker))
        except IctusError as error:
            line = str(error)
            lines.append(line if line.startswith(str(film)) else f"{film}: {line}")
            if report and len(films) > 1:
                report(lines[-1])
        if progress:
            progress(done / len(films))
    if not seen:
        raise IctusError(lines[0] if len(lines) == 1 else f"none of {len(films)} films shows hands and music")
    own = [compare(one, one.beats) for one in seen]
    rows = [_row(one.name, [one], [scores]) for one, scores in zip(seen, own, strict=True)]
    if len(seen) > 1:
        others = [compare(one, seen[k - 1].beats) for k, one in enumerate(seen)]
        rows += [_row(ALL, seen, own), _row(OTHER, seen, others)]
    return rows


def observe(file: Path, watch: Watch, tracker: Tracker) -> FilmedConductor:
    """Find the conductor and the beats in a film.

    Raises
    ------
    IctusError
        If no hands are seen for a while, there is neither sound nor a file of beats, or no beats are found.
    """
    film = video_io.probe(file, silent=True)
    times = beats_of(film, tracker)
    icti: list[Float64Array] = []
    beats: list[Float64Array] = []
    total, why = 0.0, f"shows nobody for {_SHORTEST:g} s without a cut"
    for passage in passages(watch(file, _RATE)):
        if passage.duration < _SHORTEST:
            continue
        if reason := reason_to_leave_out(passage):
            why = reason
            continue
        inside = times[(times >= passage.start) & (times < passage.start + passage.duration)]
        icti.append(_marked(passage) + total)
        beats.append(inside - passage.start + total)
        total += passage.duration
    if not total:
        raise MotionError(f"{file}: {why}; whether the hands mark the beats cannot be seen")
    return FilmedConductor(file.name, np.concatenate(icti), np.concatenate(beats), total, total / film.seconds)


def beats_of(film: Film, tracker: Tracker) -> Float64Array:
    """Return the beats (N,) of a film's music, in seconds after its first picture.

    Raises
    ------
    IctusError
        If there is neither sound nor a file of beats, or there are no beats in it.
    """
    tapped = film.file.with_suffix(".csv")
    if tapped.is_file():
        beats = Beats.load(tapped)
    elif film.sound_seconds > 0:
        beats = tracker(Audio(np.concatenate(list(video_io.sound_blocks(film, _SOUND))), _SOUND)).conducted()
    else:
        raise IctusError(f"{film.file}: has no sound; lay its beats beside it as {tapped.name}")
    if len(beats) < 2:
        raise IctusError(f"{film.file}: no beats are found in its music; lay them beside it as {tapped.name}")
    return beats.times


def compare(seen: FilmedConductor, beats: Float64Array) -> dict[str, float]:
    """Return the scores of one film, by the names of `MEANING`."""
    shifted = rolled(seen.icti, seen.seconds)
    lag, lag_f = _best_lag(beats, seen.icti)
    return {
        "beat_f": f_measure(beats, seen.icti),
        "chance": float(np.mean([f_measure(beats, other) for other in shifted])),
        "amlt": continuity(beats, seen.icti)[1],
        "lag": lag,
        "lag_f": lag_f,
        "lag_chance": float(np.mean([_best_lag(beats, other)[1] for other in shifted])),
        "seen": seen.seen,
    }


def _best_lag(beats: Float64Array, icti: Float64Array) -> tuple[float, float]:
    """Return how far the icti come after the beats where they agree best, in the median, and the F-measure there."""
    best, _, lag = max((fast_f_measure(beats, icti - lag), -abs(lag), lag) for lag in LAGS)
    if not best:
        return float("nan"), 0.0
    after = icti[nearest(icti, beats + lag)] - beats
    return float(np.median(after[np.abs(after - lag) <= WINDOW])), best


def _marked(passage: Track) -> Float64Array:
    return ictus_times(motion_of(passage, "conductor-13"))


def _row(name: str, films: Sequence[FilmedConductor], scores: Sequence[Mapping[str, float]]) -> Row:
    columns = {metric: np.array([one[metric] for one in scores], np.float64) for metric in MEANING}
    values = {metric: interval(partial(mean_of, part), np.arange(len(part))) for metric, part in columns.items()}
    return Row(name, values, [{"name": film.name, **one} for film, one in zip(films, scores, strict=True)])
