"""A soloist's folder as training leaves it, small."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ictus.sound.models.codebook import SpectrogramCodebook
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import RAW_KEYPOINTS, SoloistTransformer


def save_soloist(
    folder: Path, network: SoloistTransformer | None = None, encoder: KeypointEncoder | None = None, **metadata: Any
) -> Path:
    """Save a soloist of raw keypoints, if none is given, with a codebook and an encoder that have learnt nothing."""
    network = network or SoloistTransformer(replace(SoloistTransformer.sizes["debug"], keypoints=RAW_KEYPOINTS))
    network.save_pretrained(folder, {"art": "sound", "movement": "raw", **metadata})
    SpectrogramCodebook.from_config("debug").save_pretrained(folder / "codebook")
    (encoder or KeypointEncoder.from_config("debug")).save_pretrained(folder / "encoder")
    return folder
