"""Learned conductors: a trained network, music in, motion out."""

import os
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ictus.audio import Audio
from ictus.conducting.windows import Conducting, generate
from ictus.errors import UsageError
from ictus.features import mel128
from ictus.motion import Motion
from ictus.skeleton import get_skeleton

Progress = Callable[[float], None]


class LearnedConductor:
    """A trained network (M2S-GAN, a baseline) as a conductor: conductor-13, smoothed as the reference does."""

    def __init__(self, generator: Conducting, name: str | os.PathLike[str]) -> None:
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
