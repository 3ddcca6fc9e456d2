"""Voices: what makes sound of mel spectrograms, by name or folder."""

import os

from ictus.errors import ModelError
from ictus.nn.folder import locate, read_config
from ictus.sound.spectral_vocoder import SpectralVocoder
from ictus.sound.vocoder import MelGAN

Vocoder = MelGAN | SpectralVocoder
_KINDS = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in (MelGAN, SpectralVocoder)}


def load_vocoder(name: str | os.PathLike[str]) -> Vocoder:
    """Load a vocoder of either kind.

    Raises
    ------
    ModelError
        If the folder is missing or damaged, or holds something else.
    """
    folder = locate(name)
    found = read_config(folder)["class"]
    if found not in _KINDS:
        raise ModelError(f"{folder}: holds a {found}, which makes no sound of mel spectrograms; give a vocoder")
    return _KINDS[found].from_pretrained(folder)
