"""Voices: what makes sound of mel spectrograms, by name or folder."""

import os
from collections.abc import Callable

from ictus.audio import Audio
from ictus.errors import ModelError
from ictus.nn.folder import locate, read_config
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.melgan import MelGAN
from ictus.sound.models.spectral_vocoder import SpectralVocoder
from ictus.types import Float32Array

GRIFFIN_LIM = "griffin-lim"
Vocoder = MelGAN | SpectralVocoder
_NETWORKS: dict[str, type[Vocoder]] = {kind.model_type: kind for kind in (MelGAN, SpectralVocoder)}


def load_vocoder(name: str | os.PathLike[str]) -> Vocoder:
    """Load a vocoder of either kind.

    Raises
    ------
    ModelError
        If the folder is missing or damaged, or holds something else.
    """
    folder = locate(name)
    found = read_config(folder)["model_type"]
    if found not in _NETWORKS:
        raise ModelError(f"{folder}: holds a {found}, which makes no sound of mel spectrograms; give a vocoder")
    return _NETWORKS[found].from_pretrained(folder)


def vocode_function(name: str) -> Callable[[Float32Array], Audio]:
    """Return what makes sound of a mel (T, 80): Griffin-Lim, or the vocoder of a folder, by name."""
    return griffin_lim if name == GRIFFIN_LIM else load_vocoder(name).vocode
