"""Corrections: what is known of the beats of a piece, by whoever knows better than a beat tracker."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.decoding import TEMPI
from ictus.beats.meter import CONDUCTED, beats_in_bar
from ictus.beats.sound_features import RATE, compute_sound_features, describe_beats
from ictus.beats.tracker import BeatTracker
from ictus.errors import IctusError, UsageError
from ictus.files import short

Level = Literal["half", "same", "double"]

_log = logging.getLogger(__name__)

_FREEDOM = 1.3  # by which the tempo may depart from the one that is given; 1.5 would be another level in three
_LEVEL_FREEDOM = 1.4  # and from twice or half the one that was found
_FASTEST = 600.0  # beats a minute of a file; more are no seconds
_AFTER = 0.5  # seconds after the end of the music in which a beat may still be marked
_UNMARKED = 10.0  # seconds of music without any beat at its end that are worth a word


@dataclass(frozen=True, eq=False)
class BeatCorrections:
    """What is known of the beats of a piece. Everything may be left out.

    Attributes
    ----------
    beats : the beats themselves, in place of those that a tracker would predict. Where their positions are 0, the bars
        are left to the tracker.
    tempo : slowest and fastest, in beats a minute, that the beats can be: the tracker decides again within it.
    meter : beats in a bar, as of `beats_in_bar`.
    downbeat : seconds at which a bar begins: the nearest beat becomes a first one, and bars are counted from it.
    level : whether the beats that would be found are twice as many as there should be ("double" the right ones, so
        "half"), or half as many ("double"); "same" keeps them even where an arm would not beat them.

    Raises
    ------
    UsageError
        If the tempo is none of 24 to 300 beats a minute, the metre none that is conducted, or the downbeat no time.
    """

    beats: Beats | None = None
    tempo: tuple[float, float] | None = None
    meter: int | str | None = None
    downbeat: float | None = None
    level: Level | None = None

    def __post_init__(self) -> None:
        if self.tempo is not None:
            _check_tempo(*self.tempo)
            if self.beats is not None:
                raise UsageError("the beats are given, and a tempo is; give one of them", option="tempo")
        if self.meter is not None:
            beats_in_bar(self.meter)
        if self.downbeat is not None and not 0 <= self.downbeat < math.inf:
            raise UsageError(f"downbeat {self.downbeat:g}: give seconds from the beginning", option="downbeat")

    def __call__(self, tracker: Callable[..., Beats], audio: Audio, *, conducted: bool = False) -> Beats:
        """Return the beats of a piece.

        Parameters
        ----------
        tracker : predicts what is not known: a `BeatTracker`, or what is called as one.
        conducted : whether they are wanted as an arm conducts them (see `Beats.conducted`), if nothing that is known
            speaks of their level.

        Raises
        ------
        IctusError
            If the beats that are given are not those of this music.
        AudioError
            If the sound is shorter than a second, or silent.
        """
        beats = self._described(tracker, audio) if self.beats is not None else self._tracked(tracker, audio, self.tempo)
        if self.level not in (None, "same"):
            shown = beats.conducted() if conducted and self.tempo is None and self.meter is None else beats
            beats = self._at_other_level(tracker, audio, beats, shown)
        elif conducted and self.tempo is None and self.meter is None and self.level is None:
            beats = beats.conducted()
        if self.downbeat is not None:
            beats = _with_downbeat(beats, self.downbeat)
        return beats

    def _tracked(self, tracker: Callable[..., Beats], audio: Audio, tempo: tuple[float, float] | None) -> Beats:
        known = {"meter": self.meter} | ({"tempo": tempo} if tempo else {})
        return tracker(audio, **{name: value for name, value in known.items() if value is not None})

    def _described(self, tracker: Callable[..., Beats], audio: Audio) -> Beats:
        """Return the beats that are given, as they sound."""
        given = self.beats
        assert given is not None
        _check_times(given, audio.duration)
        positions, meters = given.positions, given.meters
        if len(given) and not positions.any():
            finder = tracker if isinstance(tracker, BeatTracker) else BeatTracker()
            positions, meters = finder.bars(audio, given.times)
        beats = replace(given, positions=positions, meters=meters, duration=audio.duration)
        if given.neutral:
            features = compute_sound_features(audio.mono().resample(RATE))
            beats = describe_beats(
                given.times, positions, meters, features, audio.duration, confidence=given.confidence
            )
        return beats.with_meter(self.meter) if self.meter else beats

    def _at_other_level(self, tracker: Callable[..., Beats], audio: Audio, beats: Beats, shown: Beats) -> Beats:
        """Return twice or half as many beats as are shown, from those that were found."""
        undone = len(beats) > len(shown) if self.level == "double" else len(beats) < len(shown)
        if undone or not shown.tempo:  # to be conducted they were gathered, or divided
            return beats
        factor = 2.0 if self.level == "double" else 0.5
        wanted = factor * shown.tempo
        if self.beats is not None or not TEMPI[0] < wanted < TEMPI[1]:
            return shown.divided(2) if factor > 1 else shown.halved()
        low, high = wanted / _LEVEL_FREEDOM, wanted * _LEVEL_FREEDOM
        known = self if self.meter is not None else replace(self, meter=_meter_at(shown, factor))
        return known._tracked(tracker, audio, (max(low, TEMPI[0]), min(high, TEMPI[1])))


def tempo_range(text: str) -> tuple[float, float]:
    """Return the slowest and the fastest tempo of "112", from which music may depart by 30 %, or of "80..120".

    Raises
    ------
    UsageError
        If it is neither, or none of 24 to 300 beats a minute.
    """
    low, dots, high = text.partition("..")
    try:
        slowest, fastest = float(low), float(high) if dots else float(low)
    except ValueError:
        raise _no_tempo(short(text)) from None
    _check_tempo(slowest, fastest)
    if not dots:
        slowest, fastest = max(slowest / _FREEDOM, TEMPI[0]), min(fastest * _FREEDOM, TEMPI[1])
    return slowest, fastest


def _meter_at(shown: Beats, factor: float) -> int | None:
    """Return the beats that bars have with twice or half as many; None if that is left open."""
    if len(np.unique(shown.meters)) > 1:
        return None
    meter = round(factor * shown.meter)
    return meter if meter in CONDUCTED and meter == factor * shown.meter else shown.meter


def _check_tempo(slowest: float, fastest: float) -> None:
    if not TEMPI[0] <= slowest <= fastest <= TEMPI[1]:
        raise _no_tempo(f"{slowest:g}" if slowest == fastest else f"{slowest:g}..{fastest:g}")


def _no_tempo(given: str) -> UsageError:
    known = f"give beats a minute, {TEMPI[0]:g} to {TEMPI[1]:g}, or a range such as 80..120"
    return UsageError(f"tempo {given}: {known}", option="tempo")


def _check_times(beats: Beats, duration: float) -> None:
    """Raise IctusError if beats cannot be those of music of some seconds; say so where they end long before it."""
    if not len(beats):
        raise IctusError("the file of beats holds none", option="beats")
    first, last = float(beats.times[0]), float(beats.times[-1])
    if beats.tempo > _FASTEST:
        raise IctusError(
            f"the beats come {beats.tempo:.0f} a minute; are their times in minutes? give seconds", option="beats"
        )
    if first < 0 or last > duration + _AFTER:
        raise IctusError(
            f"the beats lie from {first:.1f} to {last:.1f} s, but the music lasts {duration:.1f} s; they are of other "
            "music, or not in seconds",
            option="beats",
        )
    if duration - last > _UNMARKED:
        _log.warning("the beats end at %.1f s, the music at %.1f s; nothing marks the rest of it", last, duration)


def _with_downbeat(beats: Beats, seconds: float) -> Beats:
    """Return beats whose bars are moved so that one begins with the beat nearest to a time.

    Raises
    ------
    IctusError
        If no beat is near.
    """
    if not len(beats):
        return beats
    there = int(np.abs(beats.times - seconds).argmin())
    period = float(np.median(np.diff(beats.times))) if len(beats) > 1 else 1.0
    if abs(beats.times[there] - seconds) > period:
        raise IctusError(
            f"the downbeat at {seconds:.2f} s is more than a beat from any other; the nearest is at "
            f"{beats.times[there]:.2f} s",
            option="downbeat",
        )
    late = int(beats.positions[there] - 1)  # beats by which bars begin too early
    meter = int(beats.meters[there])
    late -= meter if late > meter / 2 else 0
    source = np.arange(len(beats)) - late
    inside = np.clip(source, 0, len(beats) - 1)
    positions, meters = beats.positions[inside], beats.meters[inside]
    positions = np.where(source == inside, positions, (positions + source - inside - 1) % meters + 1)
    return replace(beats, positions=positions, meters=meters)
