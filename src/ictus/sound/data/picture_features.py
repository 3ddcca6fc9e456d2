"""Features of a film's pictures that lie nowhere yet: optical flow, and what BN-Inception sees; picture by picture."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from ictus.errors import IctusError
from ictus.sound.data.frame_features import FEATURE_RATE, FrameFeatures
from ictus.sound.data.optical_flow import flow_rows
from ictus.sound.models import bn_inception
from ictus.types import AnyArray, Float32Array
from ictus.video_io import Film, video_frames

_FIRST, _GIVEN = (340, 256), (224, 224)  # sizes to which pictures were brought, one after the other
_BATCH = 16  # pictures that the network sees together


def compute_features(
    kind: str,
    film: Film,
    points: Float32Array | None,
    *,
    rate: float = FEATURE_RATE,
    stretch: float = 1.0,
    network: Path | None = None,
    report: Callable[[str], None],
) -> FrameFeatures:
    """Compute "flow", as `optical_flow` has it, or "rgb", as `rgb_rows`.

    Parameters
    ----------
    points : (K, 47, 3), the player's keypoints as `load_keypoints` gives them, or None; of flow.
    rate : rows a second of the clips.
    stretch : how fast the film is played.
    network : file of BN-Inception's weights; of rgb.
    report : called with a line if the film is damaged; the features end there.

    Raises
    ------
    IctusError
        If there is nothing of which they could be computed, or the keypoints do not belong to the film.
    """
    if kind == "flow":
        found = flow_rows(film, points, rate=rate, stretch=stretch)
    elif network is None:
        raise IctusError(f"{film.file}: {bn_inception.ADVICE}")
    else:
        found = rgb_rows(film, _network(network), rate=rate / stretch)
    rows: list[Float32Array] = []
    try:
        rows.extend(found)
    except IctusError as error:
        if not rows:
            raise
        report(str(error))
    return FrameFeatures(np.stack(rows), rate)


def rgb_rows(film: Film, network: bn_inception.BNInception, *, rate: float) -> Iterator[Float32Array]:
    """Yield (1024,), what the network sees in the pictures of a film, `rate` a second.

    Pictures are scaled to 340 x 256, then to 224 x 224, whatever their shape; blue, green, red, less their means.
    Source: the features that Iashin & Rahtu publish, computed as by Chen et al., "Generating Visually Aligned Sound
    from Videos", TIP 2020.

    Raises
    ------
    IctusError
        If the film is damaged; the message says from where on. All rows before have been yielded then.
    """
    batch: list[Float32Array] = []
    try:
        for picture in video_frames(film, rate):
            batch.append(_network_input(picture.to_ndarray(format="bgr24")))
            if len(batch) == _BATCH:
                yield from _seen(network, batch)
                batch.clear()
    except IctusError:
        yield from _seen(network, batch)
        raise
    yield from _seen(network, batch)


def _network_input(picture: AnyArray) -> Float32Array:
    """(H, W, 3) blue, green, red of 0 to 255 -> (3, 224, 224), less their means."""
    small = cv2.resize(picture, _FIRST, interpolation=cv2.INTER_LINEAR)
    small = cv2.resize(small, _GIVEN, interpolation=cv2.INTER_AREA)
    return np.asarray((small - np.array(bn_inception.MEANS, np.float32)).transpose(2, 0, 1), np.float32)


@torch.inference_mode()
def _seen(network: bn_inception.BNInception, batch: list[Float32Array]) -> list[Float32Array]:
    """Return a row for each picture of a batch, which may be empty."""
    return list(network(torch.from_numpy(np.stack(batch))).numpy()) if batch else []


@lru_cache(maxsize=1)
def _network(file: Path) -> bn_inception.BNInception:
    """Load the network, once in a process."""
    return bn_inception.load_published(file)
