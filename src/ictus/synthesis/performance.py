"""Performance rendering: when and how strongly each note of a score is played, by whatever makes the sound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.scores.score import Note, Part, Score
from ictus.synthesis.instruments import INSTRUMENTS
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.tempo import Timing, written
from ictus.types import Float32Array, Float64Array, IntArray

LOUDEST = 1.3  # loudness beyond which nobody can play


@dataclass(frozen=True)
class PerformanceContext:
    """What all parts share: the performance, its second at which the sound begins, and samples a second of it."""

    score: Score
    timing: Timing
    conditions: RecordingConditions
    start: float
    rate: int
    clock: float


@dataclass(frozen=True)
class NoteEvents:
    """The notes of a part that fall into the passage, each (n,)."""

    first: IntArray  # sample
    length: Float64Array  # seconds of the tones' own time
    pitch: IntArray
    loudness: Float64Array
    gain: Float64Array  # amplitude at the beginning
    swell: Float64Array  # and at the end


PartRenderer = Callable[[Part, PerformanceContext, int, np.random.Generator], Float32Array]


def render_performance(
    score: Score,
    render_part: PartRenderer,
    *,
    rate: int = 44100,
    seed: int = 0,
    timing: Timing | None = None,
    span: tuple[float, float] | None = None,
    conditions: RecordingConditions | None = None,
) -> Audio:
    """Render a score, or a passage of it, to stereo.

    Parameters
    ----------
    render_part : returns what a part plays, (samples,), mono; an even note of loudness 1 has about the amplitude
        that `amplitude` returns.
    seed : of the players' small differences in time, tuning and bowing.
    timing : when each quarter is played; None takes the score's own tempo.
    span : seconds of the performance at which to begin and end; None plays it all and lets it ring.
    conditions : players, hall and recording.

    Raises
    ------
    IctusError
        If a part asks for an instrument that is not there.
    """
    rng = np.random.default_rng(seed)
    conditions = conditions or RecordingConditions()
    timing = timing or written(score)
    start, end = span or (0.0, float(timing.seconds_at(np.array([score.length]))[0]) + 2.5)
    # A higher pitch is played on a faster clock, then slowed down to it: the tones themselves stay in tune.
    context = PerformanceContext(score, timing, conditions, start, rate, rate * 2 ** (conditions.tuning / 1200))
    dry = np.zeros((2, int(np.ceil((end - start) * context.clock)) + 2), np.float32)
    for part in score.parts:
        if part.instrument not in INSTRUMENTS:
            raise IctusError(
                f"{part.name}: there is no instrument {part.instrument!r}; there are {', '.join(INSTRUMENTS)}"
            )
        place = INSTRUMENTS[part.instrument].place
        level = part.level * 10 ** (rng.normal(0, conditions.balance) / 20)
        line = render_part(part, context, dry.shape[1], rng)
        dry[0] += np.float32(level * np.sqrt((1 - place) / 2)) * line
        dry[1] += np.float32(level * np.sqrt((1 + place) / 2)) * line
    if conditions.tuning:
        dry = soxr.resample(dry.T, context.clock, rate, "HQ").T
    return Audio(conditions.record(dry[:, : round((end - start) * rate)], rate, rng), rate)


def note_events(
    part: Part,
    context: PerformanceContext,
    early: Float64Array | float,
    ringing: float,
    count: int,
    rng: np.random.Generator,
) -> NoteEvents:
    """Return the notes of a part that sound within `count` samples.

    Parameters
    ----------
    early : seconds by which notes begin before their time, so that they are perceived on it; one, or one for each.
    ringing : seconds for which a note sounds after its end.
    """
    onsets = np.array([note.onset for note in part.notes])
    ends = onsets + np.array([note.length * _sounding(note) for note in part.notes])
    # Players are never quite together; but their mean is on the beat.
    starts = np.maximum(
        context.timing.seconds_at(onsets) - early + rng.normal(0, context.conditions.looseness, len(onsets)), 0
    )
    starts, stops = starts - context.start, context.timing.seconds_at(ends) - context.start
    here = np.flatnonzero((stops > -ringing) & (starts * context.clock < count - 1))
    notes = [part.notes[k] for k in here]
    stress = _stress(onsets[here], context.score.beats) * np.array(
        [1.25 if ">" in note.mark else 1.0 for note in notes]
    )
    loudness = context.score.loudness(onsets[here], part) * stress
    return NoteEvents(
        first=np.round(starts[here] * context.clock).astype(np.int64),
        length=np.maximum(stops - starts, 0.03)[here] * context.clock / context.rate,
        pitch=np.array([note.pitch for note in notes], np.int64),
        loudness=loudness,
        gain=amplitude(loudness, context.conditions.contrast),
        swell=amplitude(context.score.loudness(ends[here], part) * stress, context.conditions.contrast),
    )


def amplitude(loudness: Float64Array, contrast: float) -> Float64Array:
    """Return the amplitude of a loudness: 26 dB between the softest and the loudest."""
    return np.asarray(0.25 * 10 ** (1.3 * contrast * (np.minimum(loudness, LOUDEST) - 1)))


def _sounding(note: Note) -> float:
    if "'" in note.mark:
        return 0.45
    return 1.0 if "~" in note.mark else 0.9 if ">" in note.mark else 0.88


def _stress(onsets: Float64Array, beats: Float64Array) -> Float64Array:
    """Metrical weight: the bar is felt because its first beat is played a little more firmly."""
    if not len(beats):
        return np.ones(len(onsets))
    beat = beats[np.clip(np.searchsorted(beats[:, 0], onsets + 1e-3, "right") - 1, 0, None)]
    on = np.abs(onsets - beat[:, 0]) < 2e-3
    middle = beat[:, 1] - 1 == beat[:, 2] / 2
    return np.where(on & (beat[:, 1] == 1), 1.12, np.where(on & middle, 1.03, np.where(on, 0.94, 0.88)))
