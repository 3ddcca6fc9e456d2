"""The beat tracker: predicts the beats and bars of any music, their loudness and articulation.

Sound -> mel81 -> a network's beat and downbeat activations -> the most likely beats, and bars.
"""

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.classical import ClassicalBeatTracker
from ictus.beats.decoding import INTERVALS, RATE, decode_bars, decode_beats, intervals_of, refined
from ictus.beats.meter import METERS, beats_in_bar
from ictus.beats.sound_features import compute_sound_features, describe_beats, drop_silent
from ictus.features import mel81
from ictus.nn.folder import locate, read_config, shipped_folders
from ictus.types import Float64Array, IntArray

if TYPE_CHECKING:
    from ictus.beats.network import BeatNetwork
    from ictus.beats.online_tracker import OnlineBeatTracker

_AROUND = 2  # frames to either side of a beat whose predictions of its place are averaged


class BeatTracker:
    """Predict the beats of any music.

    `BeatTracker()(audio)` returns `Beats`; `meter` fixes the metre where it is known: 3, "3/4", "6/8".

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

    def __call__(
        self, audio: Audio, *, meter: int | str | None = None, tempo: tuple[float, float] | None = None
    ) -> Beats:
        """Predict.

        Parameters
        ----------
        meter : beats in a bar, where that is known.
        tempo : the slowest and the fastest that the beats can be, in beats a minute, where that is known: the decoder
            looks at no others.

        Raises
        ------
        AudioError
            If the sound is shorter than a second, or silent.
        UsageError
            If the metre has none of 1 to 7 beats.
        ModelError
            If the folder holds no beat network.
        """
        count = None if meter is None else beats_in_bar(meter)
        if self.folder is None:
            return ClassicalBeatTracker()(audio, meter=meter, tempo=tempo)
        mono = audio.mono().resample(mel81.rate)
        features = compute_sound_features(mono)
        features = replace(features, colours=np.zeros((0, 0), np.float32))  # 92 MB an hour, of no use here
        logits = self.activations(mono)
        intervals = intervals_of(tempo) if tempo else INTERVALS
        times = drop_silent(refined(decode_beats(logits[:, 0], intervals), logits[:, 0]) / RATE, features)
        around = _about(times, logits)  # (N, 5, 2 + 21)
        positions, meters = decode_bars(around[..., 2:].mean(1), count if count in METERS else None)
        confidence = expit(around[..., 0].max(1))
        beats = describe_beats(times, positions, meters, features, mono.duration, confidence)
        return beats.with_meter(meter) if meter else beats

    def bars(self, audio: Audio, times: Float64Array) -> tuple[IntArray, IntArray]:
        """Return the positions and metres, (N,) each, of beats at known times, (N,) seconds; see `__call__`."""
        if self.folder is None:
            beats = ClassicalBeatTracker()(audio)
            first = int(np.abs(times - beats.downbeats[0]).argmin()) if len(beats.downbeats) else 0
            return (np.arange(len(times)) - first) % beats.meter + 1, np.full(len(times), beats.meter)
        return decode_bars(_about(times, self.activations(audio.mono().resample(mel81.rate)))[..., 2:].mean(1))

    def activations(self, audio: Audio) -> Float64Array:
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


def _about(times: Float64Array, logits: Float64Array) -> Float64Array:
    """Return the logits, (N, 5, C), on the frames about each beat."""
    frames = np.round(times * RATE).astype(int)[:, None] + np.arange(-_AROUND, _AROUND + 1)
    return np.asarray(logits[np.clip(frames, 0, len(logits) - 1)])
