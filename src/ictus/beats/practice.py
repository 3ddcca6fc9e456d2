"""Practice tracks: music with a click on every beat, counted in, as slow as one likes.

The tempo is changed by FFmpeg's `atempo`, which overlaps short pieces of the sound where they are most alike (WSOLA:
Verhelst & Roelands, ICASSP 1993), so that the pitch stays.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.errors import IctusError, UsageError
from ictus.types import BoolArray, Float32Array, Float64Array

SPEEDS = (0.25, 4.0)
_LEAST, _MOST = 0.5, 2.0  # speeds of one filter; others follow one another
_FASTEST_RATE = 48000  # samples a second that every sound file can have
_BLOCK = 1 << 15
_HIGH, _LOW, _RING = 1760.0, 1174.7, 0.012  # hertz of a click on the downbeat, of another, and seconds that they ring
_QUIET, _LOUD = 0.2, 0.7  # peak of the clicks: about that of the music


@dataclass(frozen=True)
class PracticeTrack:
    """How music is made to practise with.

    Attributes
    ----------
    count_in : bars of clicks before the music begins, in the tempo of its first bars.
    clicks_only : whether the music is left out.
    speed : 1 is as it was, 0.75 three quarters as fast; 0.25 to 4.
    """

    count_in: int = 0
    clicks_only: bool = False
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not SPEEDS[0] <= self.speed <= SPEEDS[1]:
            raise UsageError(f"speed {self.speed:g}: choose between {SPEEDS[0]:g} and {SPEEDS[1]:g}", option="speed")

    def __call__(self, audio: Audio, beats: Beats) -> Audio:
        """Return the music with clicks on its beats.

        Raises
        ------
        IctusError
            If it is to be counted in and has no beats.
        """
        audio = audio.resample(_FASTEST_RATE) if audio.rate > _FASTEST_RATE else audio
        music = stretched(audio, self.speed).samples  # (channels, n)
        times, downbeats = beats.times / self.speed, beats.positions == 1
        counted, heads = self._counted(beats, times)
        silence = max(0.0, -float(counted.min(initial=0.0)))
        times, downbeats = np.concatenate([counted, times]) + silence, np.concatenate([heads, downbeats])
        music = np.pad(music, ((0, 0), (round(silence * audio.rate), 0)))
        peak = float(np.abs(music).max(initial=0))
        line = clicks(times, downbeats, music.shape[1], audio.rate) * np.float32(np.clip(peak, _QUIET, _LOUD))
        mixed = np.repeat(line[None], len(music), 0) if self.clicks_only else music + line
        loudest = max(1.0, float(np.abs(mixed).max(initial=0)))
        return Audio((mixed / loudest).astype(np.float32), audio.rate)

    def _counted(self, beats: Beats, times: Float64Array) -> tuple[Float64Array, BoolArray]:
        """Return the times of the beats that are counted before the first one, and which of them begin a bar."""
        if not self.count_in:
            return np.zeros(0), np.zeros(0, bool)
        if len(times) < 2:
            raise IctusError("hardly any beats were found; nothing can be counted in", option="count-in")
        meter, place = int(beats.meters[0]), int(beats.positions[0]) - 1
        count = self.count_in * meter + place  # an upbeat's own bar is counted up to it
        back = np.arange(-count, 0)
        return times[0] + back * float(np.median(np.diff(times[: 2 * meter + 1]))), (back + place) % meter == 0


def clicks(times: Float64Array, downbeats: BoolArray, count: int, rate: int) -> Float32Array:
    """Return clicks of amplitude 1 at times, (N,) seconds, higher where downbeats, (N,), are: (count,) samples."""
    line = np.zeros(count, np.float32)
    ring = np.arange(round(6 * _RING * rate)) / rate
    sounds = [np.float32(np.exp(-ring / _RING) * np.sin(2 * np.pi * pitch * ring)) for pitch in (_LOW, _HIGH)]
    for time, downbeat in zip(times.tolist(), downbeats.tolist(), strict=True):
        first = round(time * rate)
        if 0 <= first < count:
            part = line[first : first + len(ring)]
            part += sounds[downbeat][: len(part)]
    return line


def stretched(audio: Audio, speed: float) -> Audio:
    """Return sound at another speed, 0.25 to 4, at its own pitch; its length is exact."""
    if speed == 1:
        return audio
    import av
    import av.filter

    graph, channels = av.filter.Graph(), len(audio.samples)
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
    link = graph.add_abuffer(format="fltp", sample_rate=audio.rate, layout=layout, time_base=Fraction(1, audio.rate))
    for factor in _factors(speed):
        step = graph.add("atempo", f"{factor:.6f}")
        link.link_to(step)
        link = step
    planar, sink = graph.add("aformat", "sample_fmts=fltp"), graph.add("abuffersink")
    link.link_to(planar)
    planar.link_to(sink)
    graph.configure()
    parts: list[Float32Array] = []
    for start in range(0, audio.samples.shape[1], _BLOCK):
        block = np.ascontiguousarray(audio.samples[:, start : start + _BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = audio.rate, start
        graph.push(frame)
        _pull(graph, parts)
    graph.push(None)
    _pull(graph, parts)
    count = round(audio.samples.shape[1] / speed)
    samples = np.concatenate([*parts, np.zeros((channels, 1), np.float32)], 1)[:, :count]
    return Audio(np.pad(samples, ((0, 0), (0, count - samples.shape[1]))), audio.rate)


def _factors(speed: float) -> list[float]:
    factors = list[float]()
    while not _LEAST <= speed <= _MOST:
        factors.append(_LEAST if speed < 1 else _MOST)
        speed /= factors[-1]
    return [*factors, speed]


def _pull(graph: "object", parts: list[Float32Array]) -> None:
    """Take all that a filter graph of PyAV has ready."""
    from av.error import BlockingIOError, EOFError

    while True:
        try:
            parts.append(graph.pull().to_ndarray())  # type: ignore[attr-defined]
        except (BlockingIOError, EOFError):
            return
