"""Conductors: music in, motion out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.corrections import BeatCorrections
from ictus.beats.meter import beats_in_bar
from ictus.beats.tracker import BeatTracker
from ictus.conducting.gestures import conduct
from ictus.motion import Motion
from ictus.retargeting.conductor_body import BODY, embody
from ictus.types import Progress


class Conductor(Protocol):
    """Whoever turns music into conducting motion."""

    def __call__(self, audio: Audio, *, seed: int = 0, progress: Progress | None = None) -> Motion:
        """Conduct.

        Parameters
        ----------
        audio : any music of at least a second.
        seed : same seed, same motion.
        progress : called with the fraction done.
        """
        ...


class Maestro:
    """The default conductor: predicts beats, bars, loudness and articulation, and marks them as a musician would.

    `Maestro()(audio, seed=0)` gives a conductor-23 `Motion` (3-D, metres, with rotations); its hands' low points lie on
    the beats, which travel along in `motion.meta["beats"]`.

    Parameters
    ----------
    tracker : predicts the beats; without it, `BeatTracker`.
    fps : frames a second of the motion.
    meter : beats in a bar, 1 to 7, or a time signature ("6/8" is beaten in two); None leaves it to the tracker.
    lead : seconds by which the hands come before the sound; negative lets them follow.
    corrections : what is known of the beats.

    Raises
    ------
    UsageError
        If the metre has none of 1 to 7 beats.
    """

    def __init__(
        self,
        tracker: Callable[..., Beats] | None = None,
        fps: float = 30.0,
        *,
        meter: int | str | None = None,
        lead: float = 0.0,
        corrections: BeatCorrections | None = None,
    ) -> None:
        self.tracker = tracker or BeatTracker()
        self.fps, self.lead = fps, lead
        self.meter = None if meter is None else beats_in_bar(meter)
        known = corrections or BeatCorrections()
        self.corrections = known if meter is None else replace(known, meter=meter)

    def __call__(self, audio: Audio, *, seed: int = 0, progress: Progress | None = None) -> Motion:
        """Conduct; see `Conductor`.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        IctusError
            If the beats that are given are not those of this music.
        """
        beats = self.corrections(self.tracker, audio, conducted=True)
        if progress:
            progress(0.6)
        motion = self.perform(beats, audio.duration, seed=seed)
        if progress:
            progress(1.0)
        return motion

    def perform(self, beats: Beats, duration: float, *, seed: int = 0) -> Motion:
        """Conduct given beats for `duration` seconds: for music whose beats are known."""
        frames = np.arange(max(1, round(duration * self.fps))) / self.fps
        marked = replace(beats, times=beats.times - self.lead)
        positions, rotations, root = embody(conduct(marked, frames, seed), self.fps)
        meta = {"model": "maestro", "seed": seed, "lead": self.lead, "beats": beats.to_meta()}
        return Motion(positions, self.fps, BODY, rotations, root, meta)
