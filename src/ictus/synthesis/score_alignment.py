"""Score alignment: when a recording reaches each place of a score, by dynamic time warping of chroma.

The score is played, and both sounds become frames of how strong each pitch class is, and how much stronger it has just
become (Ewert, Müller & Grosche, "High Resolution Audio Synchronization Using Chroma Onset Features", ICASSP 2009). A
coarse path through all pairs of frames bounds a fine one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ictus.audio import Audio
from ictus.errors import IctusError
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize
from ictus.synthesis.tempo import Timing, held
from ictus.types import Float32Array, Float64Array, IntArray

RATE, _HOP, _WINDOW = 22050, 441, 4096
FPS = RATE / _HOP  # 50 frames a second
_LOWEST, _HIGHEST = 98.0, 2100.0  # hertz of what counts
_AT_ONCE = 2000  # frames whose spectra are held together
_COARSEST = 3000  # frames of a coarse sequence
_COARSE = 16  # frames that become one in a coarse sequence, if it is not too long
_AROUND = 2  # coarse frames to either side in which the fine path is looked for
_ONSETS = 1.0  # weight of what begins beside what sounds
_SILENT = 1e-3  # of the loudest frame's amplitude: before and after it the recording has not begun, or is over
_ALIKE = 0.75  # cost of the path, as a part of that of the same recording backwards, beyond which it is another piece
_SEMITONES = (0, -1, 1)  # by which a recording may be out of tune


@dataclass(frozen=True)
class Chroma:
    """Frames of a sound: (T, 12) unit vectors of what sounds, and (T, 12) of what begins, 0 to 1."""

    sounding: Float32Array
    beginning: Float32Array

    def __len__(self) -> int:
        return len(self.sounding)

    def part(self, start: int, stop: int) -> "Chroma":
        """Return the frames from one to another."""
        return Chroma(self.sounding[start:stop], self.beginning[start:stop])

    def backwards(self) -> "Chroma":
        """Return the frames from the last to the first."""
        return Chroma(self.sounding[::-1], self.beginning[::-1])

    def coarse(self, count: int) -> "Chroma":
        """Return means of so many frames each."""
        edges = np.arange(0, len(self), count)
        lengths = np.diff(np.append(edges, len(self)))[:, None]
        sounding, beginning = (np.add.reduceat(one, edges) / lengths for one in (self.sounding, self.beginning))
        return Chroma(_unit(sounding.astype(np.float32)), beginning.astype(np.float32))

    def transposed(self, semitones: int) -> "Chroma":
        """Return the frames of the same sound in another key."""
        return Chroma(np.roll(self.sounding, semitones, 1), np.roll(self.beginning, semitones, 1))


def align(score: Score, recording: Audio) -> Timing:
    """Return when a recording reaches each place of a score.

    Raises
    ------
    IctusError
        If the two are not alike: it is a recording of something else.
    """
    pair = _Pair.of(score, recording)
    if (cost := pair.likeness()) > _ALIKE:
        raise IctusError(
            f"the recording is not of this score: it fits {cost:.2f} as badly as it does backwards, and what is "
            f"alike at most {_ALIKE:g}; give another recording, or the score of this one",
            option="recording",
        )
    lows, highs = _band(pair.rough, pair.count, len(pair.reference), len(pair.sound))
    return _timing(score, pair.written, warped(pair.reference, pair.sound, lows, highs), pair.first)


def likeness(score: Score, recording: Audio) -> float:
    """Return what the path through a score and a recording costs, as a part of that with the recording backwards.

    It is about 1 where they have nothing to do with each other. Raises IctusError if one is too short, or silent.
    """
    return _Pair.of(score, recording).likeness()


@dataclass(frozen=True)
class _Pair:
    """A score as it would sound, a recording in the key that fits best, and the coarse path through them.

    Attributes
    ----------
    count : frames that are one in the coarse sequences.
    first : frame of the recording with which `sound` begins.
    """

    written: Timing
    reference: "Chroma"
    sound: "Chroma"
    rough: "Way"
    count: int
    first: int

    @classmethod
    def of(cls, score: Score, recording: Audio) -> "_Pair":
        mono = recording.mono().resample(RATE)
        first, last = _sounding(mono)
        written = held(score)
        end = float(written.seconds_at(np.array([score.length]))[0])
        reference = chroma(synthesize(score, rate=RATE, timing=written, span=(0.0, end)).mono())
        sound = chroma(mono).part(first, last)
        if min(len(reference), len(sound)) < 2 * _COARSE:
            raise IctusError("the score or its recording is shorter than a second; nothing can be aligned")
        count = max(_COARSE, -(-max(len(reference), len(sound)) // _COARSEST))
        keys = [sound.transposed(shift) for shift in _SEMITONES]
        ways = [warped(reference.coarse(count), key.coarse(count)) for key in keys]
        best = int(np.argmin([way.cost for way in ways]))
        return cls(written, reference, keys[best], ways[best], count, first)

    def likeness(self) -> float:
        backwards = warped(self.reference.coarse(self.count), self.sound.backwards().coarse(self.count))
        return self.rough.cost / max(backwards.cost, 1e-9)


def _timing(score: Score, written: Timing, way: "Way", first: int) -> Timing:
    """Return the timing of a path: the seconds of the recording at each notated beat, with straight lines between."""
    beats = np.unique(np.append(score.beats[:, 0], score.length))
    there = np.interp(written.seconds_at(beats) * FPS, way.reference, way.recording)
    seconds = (there + first) / FPS
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(seconds)) > 1e-3])
    return Timing(beats[rising], seconds[rising], "as recorded")


# --- Chroma ----------------------------------------------------------------------------------------------------------


def chroma(mono: Audio) -> Chroma:
    """Return the chroma of sound at 22,050 Hz, 50 frames a second."""
    samples = np.pad(mono.samples[0], _WINDOW // 2)
    count = 1 + mono.samples.shape[1] // _HOP
    table, window = _pitch_classes(), np.hanning(_WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP][:count]
    strength = np.concatenate(
        [
            np.sqrt(np.abs(np.fft.rfft(frames[start : start + _AT_ONCE] * window, axis=1))).astype(np.float32) @ table
            for start in range(0, len(frames), _AT_ONCE)
        ]
    )  # (T, 12)
    strength = np.maximum(strength - strength.min(1, keepdims=True), 0)
    rise = np.maximum(strength[4:] - strength[:-4], 0)
    beginning = np.pad(rise, ((2, 2), (0, 0)))[: len(strength)]
    around = ndimage.maximum_filter1d(beginning.sum(1), round(2 * FPS))
    usual = 0.05 * float(beginning.sum(1).max(initial=0)) + 1e-9
    return Chroma(_unit(strength), (beginning / np.maximum(around, usual)[:, None]).astype(np.float32))


def _pitch_classes() -> Float32Array:
    """Return (bins, 12): how much each bin of a spectrum belongs to each pitch class."""
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    inside = (hertz >= _LOWEST) & (hertz <= _HIGHEST)
    pitch = 12 * np.log2(np.maximum(hertz, 1) / 440) + 9  # 0 is C
    away = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    return np.asarray(np.exp(-0.5 * (away / 0.4) ** 2) * inside[:, None], np.float32)


def _unit(vectors: Float32Array) -> Float32Array:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6), np.float32)


def _sounding(mono: Audio) -> tuple[int, int]:
    """Return the frames between which something sounds."""
    samples = np.abs(mono.samples[0])
    loud = np.flatnonzero(samples > _SILENT**0.5 * samples.max(initial=0))
    if not len(loud):
        raise IctusError("the recording is silent; there is nothing to align", option="recording")
    return int(loud[0]) // _HOP, int(loud[-1]) // _HOP + 1


# --- Dynamic time warping --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """The cheapest path through pairs of frames: (P,) of each, never going back, and its mean cost."""

    reference: IntArray
    recording: IntArray
    cost: float


def warped(one: Chroma, other: Chroma, lows: IntArray | None = None, highs: IntArray | None = None) -> Way:
    """Return the cheapest path from the first pair of frames to the last one.

    Parameters
    ----------
    lows, highs : (T,) first frame of `other`, and the one after the last, that each frame of `one` may be paired with.
    """
    lows = np.zeros(len(one), np.int64) if lows is None else lows
    highs = np.full(len(one), len(other)) if highs is None else highs
    rows: list[Float64Array] = []
    for k, (low, high) in enumerate(zip(lows.tolist(), highs.tolist(), strict=True)):
        cost = 1.0 - other.sounding[low:high] @ one.sounding[k]
        cost = cost + _ONSETS * np.abs(other.beginning[low:high] - one.beginning[k]).sum(1)
        total = np.cumsum(cost, dtype=np.float64)
        if k:
            before = np.full(high - low + 1, np.inf)  # of the frame before, from low - 1 on
            start = int(lows[k - 1])
            last = rows[-1][max(0, low - 1 - start) : high - start]
            offset = max(0, start - (low - 1))
            before[offset : offset + len(last)] = last
            arriving = np.minimum(before[1:], before[:-1])
        else:
            arriving = np.append(0.0, np.full(high - low - 1, np.inf))
        # A row at once: the cheapest arrival to the left of each frame, and the way from there.
        rows.append(total + np.minimum.accumulate(arriving - total + cost))
    return _back(rows, lows)


def _back(rows: list[Float64Array], lows: IntArray) -> Way:
    """Follow the cheapest path back from its end."""
    k, j = len(rows) - 1, len(rows[-1]) - 1 + int(lows[-1])
    ones, others = [k], [j]

    def at(row: int, column: int) -> float:
        place = column - int(lows[row])
        return float(rows[row][place]) if row >= 0 and 0 <= place < len(rows[row]) else np.inf

    while k or j > int(lows[0]):
        steps = ((k - 1, j - 1), (k - 1, j), (k, j - 1))
        k, j = min((step for step in steps if step[0] >= 0), key=lambda step: at(*step))
        ones.append(k)
        others.append(j)
    return Way(np.array(ones[::-1]), np.array(others[::-1]), float(rows[-1][-1]) / len(ones))


def _band(way: Way, count: int, length: int, other: int) -> tuple[IntArray, IntArray]:
    """Return the frames of the recording, first and last excluded, about a coarse path, for each of the reference."""
    coarse = np.arange(int(way.reference[-1]) + 1)
    first = way.recording[np.searchsorted(way.reference, coarse, "left")]
    last = way.recording[np.searchsorted(way.reference, coarse, "right") - 1]
    first = first[np.maximum(coarse - _AROUND, 0)] - _AROUND
    last = last[np.minimum(coarse + _AROUND, coarse[-1])] + _AROUND + 1
    frames = np.arange(length) // count
    lows = np.clip(first[frames] * count, 0, other - 1)
    highs = np.clip(last[frames] * count, 1, other)
    lows[0], highs[-1] = 0, other
    return lows, np.maximum.accumulate(highs)
