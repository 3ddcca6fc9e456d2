"""Conductors: music in, motion out."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ictus.audio import Audio
from ictus.conducting.beats import Beats
from ictus.conducting.body import embody
from ictus.conducting.gestures import conduct
from ictus.conducting.listener import Listener
from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

if TYPE_CHECKING:
    from ictus.conducting.gan import Generator

Progress = Callable[[float], None]
RATE = 22050  # hertz: conductors hear no more, so music may be decoded at this rate at once


class Conductor(Protocol):
    """Whoever turns music into conducting motion."""

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        meter: int | None = None,
        lead: float = 0.0,
        progress: Progress | None = None,
    ) -> Motion:
        """Conduct.

        Parameters
        ----------
        audio : any music of at least a second.
        seed : same seed, same motion.
        meter : beats in a bar, 1 to 6; None leaves it to the conductor's ear.
        lead : seconds by which the hands come before the sound; negative lets them follow.
        progress : called with the fraction done.
        """
        ...


class Maestro:
    """The default conductor: listens for beats, bars, loudness and articulation, and marks them as a musician would.

    `Maestro()(audio, seed=0)` gives a conductor-23 `Motion` (3-D, metres, with rotations); its hands' low points lie on
    the beats, which travel along in `motion.meta["beats"]`.
    """

    def __init__(self, listener: Callable[..., Beats] | None = None, fps: float = 30.0) -> None:
        self.listener = listener or Listener()
        self.fps = fps

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        meter: int | None = None,
        lead: float = 0.0,
        progress: Progress | None = None,
    ) -> Motion:
        """Conduct; see `Conductor`.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        UsageError
            If the metre is none of 1 to 6.
        """
        beats = self.listener(audio, meter=meter)
        if progress:
            progress(0.6)
        motion = self.perform(beats if meter else beats.conducted(), audio.duration, seed=seed, lead=lead)
        if progress:
            progress(1.0)
        return motion

    def perform(self, beats: Beats, duration: float, *, seed: int = 0, lead: float = 0.0) -> Motion:
        """Conduct given beats for `duration` seconds: for music whose beats are known."""
        frames = np.arange(max(1, round(duration * self.fps))) / self.fps
        marked = replace(beats, times=beats.times - lead)
        motion = embody(conduct(marked, frames, seed), self.fps)
        meta = {"model": "maestro", "seed": seed, "lead": lead, "beats": beats.to_meta()}
        return replace(motion, meta=meta)


class LearnedConductor:
    """A trained generator (M2S-GAN) as a conductor: conductor-13 at 30 fps, smoothed as the reference does it."""

    def __init__(self, generator: "Generator", name: str | os.PathLike[str]) -> None:
        self.generator = generator.folded()
        self.name = os.fspath(name)

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        meter: int | None = None,
        lead: float = 0.0,
        progress: Progress | None = None,
    ) -> Motion:
        """Conduct; see `Conductor`.

        Raises
        ------
        AudioError
            If the sound is shorter than a frame.
        UsageError
            If a metre is asked for: this network follows its ear alone.
        """
        from ictus.conducting.windows import generate
        from ictus.features import mel128

        if meter is not None:
            raise UsageError(f"{self.name} cannot be told the metre; only maestro can")
        positions = generate(self.generator, mel128(audio), seed=seed, progress=progress)
        motion = Motion(positions, 30.0, get_skeleton("conductor-13"), meta={"model": self.name, "seed": seed})
        return _earlier(motion.smooth(), lead)


def _earlier(motion: Motion, lead: float) -> Motion:
    """Shift a motion so that it comes `lead` seconds earlier; its first or last pose fills the gap."""
    if lead == 0:
        return motion
    source = np.clip(motion.times + lead, 0, motion.times[-1]) * motion.fps
    before = np.floor(source).astype(int)
    after = np.minimum(before + 1, len(motion) - 1)
    share = (source - before)[:, None, None]
    positions = (1 - share) * motion.positions[before] + share * motion.positions[after]
    return replace(motion, positions=positions, meta={**motion.meta, "lead": lead})
