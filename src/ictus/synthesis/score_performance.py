"""A score as music: played by Ictus, or in a recording of it, with the beats that a conductor shows for it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.tactus import conducted
from ictus.errors import IctusError
from ictus.scores.score import Score
from ictus.synthesis.ground_truth import annotate
from ictus.synthesis.performance import render_performance
from ictus.synthesis.rendering import part_renderer
from ictus.synthesis.score_alignment import align
from ictus.synthesis.tempo import Timing, held
from ictus.types import Float64Array

_RATE = 44100
_BEFORE = 1.5  # seconds of silence before the first note, in which a conductor prepares it
_RINGING = 2.5  # and after the last one


@dataclass(frozen=True)
class PerformedScore:
    """The sound of a score, and its beats as they are conducted, each bar in its own metre."""

    audio: Audio
    beats: Beats


def play_score(score: Score, soundfont: Path | None = None, *, meter: int | str | None = None) -> PerformedScore:
    """Play a score as it is written, its fermatas held, after 1.5 s of silence.

    Parameters
    ----------
    soundfont : None for the orchestra of `ictus.synthesis.synthesizer`.
    meter : in which it is conducted; None for its own metres.

    Raises
    ------
    IctusError
        If a metre has no conducting pattern, or the SoundFont cannot be played.
    """
    timing = held(score)
    end = float(timing.seconds_at(np.array([score.length]))[0]) + _RINGING
    span = (-_BEFORE, end)
    _conducted(score, timing, span, None, meter)  # what cannot be conducted need not be played
    audio = render_performance(score, part_renderer(soundfont, _RATE), rate=_RATE, timing=timing, span=span)
    return PerformedScore(audio, _conducted(score, timing, span, audio, meter))


def follow_recording(score: Score, recording: Audio, *, meter: int | str | None = None) -> PerformedScore:
    """Find a score in a recording of it.

    Raises
    ------
    IctusError
        If it is a recording of something else, or a metre has no conducting pattern.
    """
    timing = align(score, recording)
    return PerformedScore(recording, _conducted(score, timing, (0.0, recording.duration), recording, meter))


def _conducted(
    score: Score, timing: Timing, span: tuple[float, float], audio: Audio | None, meter: int | str | None
) -> Beats:
    """Return the beats of a score from one second to another of its performance, as it sounds."""
    sound = audio or Audio(np.zeros((1, 100), np.float32), 100)
    known = annotate(score, timing, span, sound)
    if not len(known.times):
        raise IctusError("the score has no beats to conduct; it needs a bar at least")
    beats = Beats(
        known.times,
        known.positions,
        known.meters,
        loudness=known.loudness,
        articulation=known.articulation,
        accents=known.accents,
        duration=span[1] - span[0],
    )
    if meter is not None:
        shown = beats.with_meter(meter)
    else:
        shown = conducted(beats, known.divisions, timing.seconds_at(score.sections) - span[0])
    return replace(shown, holds=_holds(shown.times, timing.seconds_at(score.fermatas) - span[0]))


def _holds(times: Float64Array, fermatas: Float64Array) -> Float64Array:
    """Return the seconds, (N,), for which each beat is held, given when fermatas begin and end, (F, 2)."""
    holds = np.zeros(len(times))
    for start, end in fermatas:
        held_beat = int(np.searchsorted(times, start + 1e-3)) - 1
        if held_beat >= 0:
            holds[held_beat] = max(holds[held_beat], end - times[held_beat])
    return holds
