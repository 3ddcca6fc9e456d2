"""Learned conductors: a trained network, music in, motion out."""

import os
from dataclasses import replace
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.conducting.chunked_inference import Conducting, generate
from ictus.conducting.models.baselines import CNNLSTM, Plain
from ictus.conducting.models.m2s_gan import Generator
from ictus.errors import ModelError
from ictus.features import mel128
from ictus.motion import Motion
from ictus.nn.folder import locate, read_config
from ictus.skeleton import get_skeleton
from ictus.types import Progress

_NETWORKS: dict[str, type[Generator | Plain | CNNLSTM]] = {
    kind.model_type: kind for kind in (Generator, Plain, CNNLSTM)
}


class NeuralConductor:
    """A trained network (M2S-GAN, a baseline) as a conductor: conductor-13, smoothed as the reference does.

    Parameters
    ----------
    lead : seconds by which the hands come before the sound; negative lets them follow.
    """

    def __init__(self, generator: Conducting, name: str | os.PathLike[str], *, lead: float = 0.0) -> None:
        self.generator = generator.folded()
        self.name, self.lead = os.fspath(name), lead

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str], **options: Any) -> "NeuralConductor":
        """Load one by name or folder.

        Raises
        ------
        ModelError
            If the folder is missing or damaged, or its network does not conduct.
        """
        model_type = read_config(locate(name))["model_type"]
        if model_type not in _NETWORKS:
            raise ModelError(f"{os.fspath(name)}: holds a {model_type}, which does not conduct")
        return cls(_NETWORKS[model_type].from_pretrained(name), name, **options)

    def __call__(self, audio: Audio, *, seed: int = 0, progress: Progress | None = None) -> Motion:
        """Conduct; see `Conductor`.

        Raises
        ------
        AudioError
            If the sound is shorter than a frame.
        """
        positions = generate(self.generator, mel128(audio), seed=seed, progress=progress)
        motion = Motion(positions, 30.0, get_skeleton("conductor-13"), meta={"model": self.name, "seed": seed})
        return _earlier(motion.smooth(), self.lead)


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
