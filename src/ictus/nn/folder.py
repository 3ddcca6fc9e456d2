"""The folder of a checkpoint: where it lies, and what it says of itself. Loads no weights and needs no torch."""

import os
from pathlib import Path
from typing import Any

from ictus.documents import read_json
from ictus.errors import ModelError

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"

# Names under which shipped checkpoints were known before.
ALIASES = {"listener": "beat-tracker", "listener-live": "online-beat-tracker", "judge": "instrument-classifier"}

# What stands in the config.json of folders that were written before there were model types: classes by their path then.
_CLASSES = {
    "ictus.conducting.beat_network.BeatNetwork": "beat-tracker",
    "ictus.conducting.sync.M2SNet": "m2s-net",
    "ictus.conducting.gan.Generator": "m2s-gan",
    "ictus.conducting.gan.Discriminator": "m2s-gan-discriminator",
    "ictus.conducting.baselines.Plain": "plain",
    "ictus.conducting.baselines.CNNLSTM": "cnn-lstm",
    "ictus.dance.fact.FACT": "fact",
    "ictus.dance.melody.MelodyAutoencoder": "melody-autoencoder",
    "ictus.dance.repertoire.Repertoire": "motion-memory",
    "ictus.sound.codebook.SpectrogramCodebook": "spectrogram-codebook",
    "ictus.sound.critic.PatchDiscriminator": "patch-discriminator",
    "ictus.sound.keypoints.KeypointEncoder": "keypoint-encoder",
    "ictus.sound.soloist.SoloistTransformer": "soloist",
    "ictus.sound.spectral_vocoder.SpectralVocoder": "spectral-vocoder",
    "ictus.sound.vocoder.MelGAN": "melgan",
    "ictus.sound.vocoder.WaveDiscriminator": "melgan-discriminator",
    "ictus.sound.judge.Judge": "instrument-classifier",
}


def locate(name: str | os.PathLike[str]) -> Path:
    """Return a checkpoint's folder, given as a path or as the name of one in ictus/weights.

    Raises
    ------
    ModelError
        If there is neither.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    known = {path.name: path for path in shipped_folders()}
    if (asked := ALIASES.get(str(name), str(name))) in known:
        return known[asked]
    if folder.exists():
        raise ModelError(f"{folder}: is a file; give the folder that holds {CONFIG} and {WEIGHTS}")
    raise ModelError(f"{folder}: no such folder, nor a model of this name")


def shipped_folders() -> list[Path]:
    """Return the folders of the checkpoints that the package holds, by name."""
    return sorted(path.parent for path in (Path(__file__).parents[1] / "weights").glob(f"*/{CONFIG}"))


def read_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a checkpoint's config.json as {"model_type": str, "config": dict, "metadata": dict}; loads no weights.

    Of a folder that was written before there were model types, and that holds a network of somebody else's, the model
    type is the path of the network's class.

    Raises
    ------
    ModelError
        If it is missing, no JSON, or not written by this package.
    """
    file = Path(folder) / CONFIG
    content = read_json(file, ModelError)
    if isinstance(content, dict) and isinstance(path := content.get("class"), str):
        content["model_type"] = _CLASSES.get(path, path)
    for key, kind in (("model_type", str), ("config", dict), ("metadata", dict)):
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            raise ModelError(f'{file}: "{key}" is missing or of another type; this is no checkpoint of ictus')
    return {key: content[key] for key in ("model_type", "config", "metadata")}
