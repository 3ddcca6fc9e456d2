"""The online beat tracker: follows music as it sounds, at most 100 ms behind.

A frame of mel81 is complete 23 ms after its middle; the causal network looks three frames ahead (60 ms); the decoder
goes forward only. So a beat is known 83 ms after it sounds, and the time that it takes to compute.
"""

import os
from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from ictus.beats.decoding import INTERVALS, LONGEST, RATE, Bars, Forward
from ictus.beats.meter import beats_in_bar
from ictus.beats.network import BeatNetwork, Past
from ictus.errors import AudioError, ModelError
from ictus.features.mel81 import Mel81Stream
from ictus.nn.folding import fold
from ictus.types import Float32Array, Float64Array

_APART = 0.6  # of the interval: nothing nearer to a beat is another
_AUDIBLE = 0.5  # of mel81: where no band reaches it for half a second, there is no music
_AROUND = 2  # frames to either side of a beat whose predictions of its place are averaged


@dataclass(frozen=True)
class OnlineBeat:
    """A beat: its time in seconds from the stream's beginning, its place in the bar, and the metre."""

    time: float
    position: int
    meter: int


class OnlineBeatTracker:
    """Predict beats in a stream of sound.

    Parameters
    ----------
    folder : of a causal beat network, or its name if it is shipped.
    meter : beats in a bar, where it is known (see `beats_in_bar`).

    Raises
    ------
    UsageError
        If the metre has none of 1 to 6 beats.
    ModelError
        If the folder holds no causal beat network.
    """

    def __init__(self, folder: str | os.PathLike[str] = "online-beat-tracker", meter: int | str | None = None) -> None:
        self.network = fold(BeatNetwork.from_pretrained(folder))
        if not self.network.config.causal:
            raise ModelError(
                f"{os.fspath(folder)}: its network needs the whole piece; to follow a stream, train a causal one"
            )
        self._mel = Mel81Stream()
        self._past: Past | None = None
        self._early = self.network.config.lookahead  # predictions to come that are of the time before
        self._pulse, self._measure = Pulse(), Measure(None if meter is None else beats_in_bar(meter))
        self._loudness: deque[float] = deque(maxlen=RATE // 2)  # the loudest band of each frame
        self._recent: deque[Float64Array] = deque(maxlen=1 + _AROUND)  # logits of `PLACES` on the last frames
        self._places: list[Float64Array] = []  # of them, those about the last beat
        self._since = 0  # frames since then

    def stream(self, chunk: Float32Array) -> list[OnlineBeat]:
        """Process the next samples; return the beats that they decide, most often none.

        Parameters
        ----------
        chunk : (n,) the next samples, mono at 22,050 Hz; 441 of them, or fewer, make the shortest delay.

        Raises
        ------
        AudioError
            If the samples are not (n,), or not finite.
        """
        samples = np.asarray(chunk, np.float32)
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise AudioError(f"a chunk must be finite samples (n,); this one has shape {samples.shape}")
        mel = self._mel(samples)
        if not len(mel):
            return []
        with torch.inference_mode():
            logits, self._past = self.network.stream(torch.from_numpy(mel)[None], self._past)
        predicted = np.column_stack([mel.max(1), logits[0].numpy()])[self._early :].astype(np.float64)
        self._early = max(0, self._early - len(mel))
        decided = (self._decided(float(frame[0]), float(frame[1]), frame[3:]) for frame in predicted)
        return [beat for beat in decided if beat is not None]

    def _decided(self, loudness: float, beat: float, places: Float64Array) -> OnlineBeat | None:
        """Decide whether there is a beat on the next frame."""
        self._loudness.append(loudness)
        self._recent.append(places)
        if self._since < _AROUND:
            self._places.append(places)
        self._since += 1
        frame = self._pulse.update(beat)
        if frame is None or max(self._loudness) < _AUDIBLE:
            return None
        if self._measure.begun:
            self._measure.update(np.mean(self._places, axis=0))
        self._places, self._since = list(self._recent), 0
        position, meter = self._measure.next()
        return OnlineBeat(frame / RATE, position, meter)


class Pulse:
    """Beats frame by frame, by the forward pass of the offline decoder."""

    def __init__(self) -> None:
        self._forward, self._last = Forward(), -LONGEST
        # A beat `age` frames ago, and its next one an interval later: only those can be that lie ahead.
        ages = np.arange(LONGEST)[::-1]
        self._ahead = ages[:, None] < INTERVALS

    def update(self, logit: float) -> int | None:
        """Take the logit of the next frame; return the frame if it is a beat."""
        self._forward.advance(np.array([logit]))
        likely = np.where(self._ahead, self._forward.leaving, -np.inf)
        row, kind = np.unravel_index(likely.argmax(), likely.shape)
        frame = self._forward.frames - 1
        if row < LONGEST - 1 or frame - self._last < _APART * INTERVALS[kind]:
            return None
        self._last = frame
        return frame


class Measure:
    """Places in bars, by the forward pass of the offline decoder.

    The place of a beat is known before it sounds, from those before it; what is predicted of it decides the next one.
    """

    def __init__(self, meter: int | None = None) -> None:
        self._bars = Bars(meter)
        self._coming = self._bars.prior
        self.begun = False

    def next(self) -> tuple[int, int]:
        """Return the place in the bar of the next beat, and the metre."""
        self.begun = True
        state = int(self._coming.argmax())
        return int(self._bars.positions[state]), int(self._bars.meters[state])

    def update(self, places: Float64Array) -> None:
        """Take the logits (21,) of `PLACES` at that beat."""
        reached = self._coming + self._bars.score(places)
        self._coming = (reached[:, None] + self._bars.changes).max(0)
