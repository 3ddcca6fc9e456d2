"""The listener: hears the beats, the bars, the loudness and the articulation of any music.

Sound -> mel81 -> a network's beat and downbeat activations -> the most likely beats, and bars.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ictus.audio import Audio
from ictus.beats.beats import METERS, Beats
from ictus.beats.classical import ClassicalBeatTracker
from ictus.beats.decoding import RATE, decode_bars, decode_beats, refined
from ictus.beats.sound_features import described, perceive, sounding
from ictus.errors import UsageError
from ictus.features import mel81
from ictus.nn.folder import locate, read_config, shipped_folders

if TYPE_CHECKING:
    from ictus.beats.network import BeatNetwork
    from ictus.beats.online_tracker import OnlineBeatTracker

_AROUND = 2  # frames to either side of a beat that tell its place


class BeatTracker:
    """Hear the beats of any music.

    `BeatTracker()(audio)` returns `Beats`; `meter` fixes the metre (1 to 6) where it is known.

    Parameters
    ----------
    folder : of a trained beat network; without it the one that is shipped, or a `ClassicalBeatTracker` if none is.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        shipped = next((found for found in shipped_folders() if found.name == "beat-tracker"), None)
        self.folder = shipped if folder is None else Path(folder)

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str]) -> "BeatTracker | OnlineBeatTracker":
        """Load a beat tracker by name or folder: an online one if its network is causal.

        Raises
        ------
        ModelError
            If the folder is missing or damaged.
        """
        folder = locate(name)
        if not read_config(folder)["config"].get("causal"):
            return cls(folder)
        from ictus.beats.online_tracker import OnlineBeatTracker

        return OnlineBeatTracker(folder)

    def __call__(self, audio: Audio, *, meter: int | None = None) -> Beats:
        """Listen.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        UsageError
            If the metre is none of 1 to 6.
        ModelError
            If the folder holds no beat network.
        """
        if meter is not None and meter not in METERS:
            raise UsageError(f"metre {meter} is not conducted; choose one of {', '.join(map(str, METERS))}")
        if self.folder is None:
            return ClassicalBeatTracker()(audio, meter=meter)
        mono = audio.mono().resample(mel81.rate)
        heard = perceive(mono)
        logits = self.activations(mono)
        times = sounding(refined(decode_beats(logits[:, 0]), logits[:, 0]) / RATE, heard)
        positions, found = bars_of(times, logits[:, 2:], meter)
        return described(times, positions, found, heard, mono.duration)

    def activations(self, audio: Audio) -> NDArray[np.float64]:
        """Return (T, 2 + 21) logits of beat, downbeat and each of `PLACES`, at 50 frames a second."""
        import torch

        mel = torch.from_numpy(mel81(audio))
        with torch.inference_mode():
            logits = self._network(mel[None])[0]
        return np.asarray(logits.numpy(), np.float64)

    @cached_property
    def _network(self) -> "BeatNetwork":
        from ictus.beats.network import BeatNetwork
        from ictus.nn.folding import fold

        return fold(BeatNetwork.from_pretrained(self.folder or "beat-tracker"))


def bars_of(
    times: NDArray[np.float64], places: NDArray[np.float64], meter: int | None = None
) -> tuple[NDArray[np.int64], int]:
    """Return each beat's place in its bar, and the most frequent metre.

    The places follow the bars as they are; in those that are longer than the metre they begin again, because a
    conductor has no stroke for them.

    Parameters
    ----------
    times : (N,) seconds of the beats.
    places : (T, 21) logits of `PLACES`, at 50 frames a second.
    meter : where it is known.
    """
    frames = np.round(times * RATE).astype(int)[:, None] + np.arange(-_AROUND, _AROUND + 1)
    around = np.clip(frames, 0, len(places) - 1)
    positions, meters = decode_bars(places[around].mean(1), meter)
    found = int(np.bincount(meters).argmax())
    return (positions - 1) % found + 1, found
