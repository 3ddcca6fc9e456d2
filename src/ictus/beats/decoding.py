"""Decoding: from a network's activations to the most likely beats and bars.

Beats are the best path of a semi-Markov chain: its states are beats, each with the interval since the one before, and
intervals change little from beat to beat; that is the bar pointer model of Krebs, Boeck & Widmer, "An Efficient
State-Space Model for Joint Tempo and Meter Tracking" (ISMIR 2015), but with states only where there are beats. Bars are
then the best path of a hidden Markov model over the beats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ictus.beats.meter import METERS
from ictus.types import Float64Array, IntArray

RATE = 50  # frames a second
INTERVALS = np.arange(14, 76)  # frames from beat to beat: 214 to 40 a minute
SHORTEST, LONGEST = int(INTERVALS[0]), int(INTERVALS[-1])

_FAINTEST, _STRONGEST = -1.0, 5.0  # logits are cut here: a beat without any sign of it costs little, for an arm goes on
_REWARD = -0.3  # of each beat, beside its logit: a network trained with weighted beats takes too much for one
_STEADINESS = 80.0  # cost of a change of tempo, by the square of the intervals' log ratio: 8 % are half a nat
_JUMP = 18.0  # the most that any change of tempo costs: music halves its beat more seldom than a network doubts one
_PAUSE = 14.0  # cost of beginning again after a rest or a hold

TEMPI = (24.0, 300.0)  # beats a minute that can be asked for


def intervals_of(tempo: tuple[float, float]) -> IntArray:
    """Return the frames (K,) from beat to beat that a range of tempi, in beats a minute, leaves open."""
    slowest, fastest = tempo
    return np.arange(int(60 * RATE / fastest), int(np.ceil(60 * RATE / slowest)) + 1)


@dataclass(frozen=True)
class Arrival:
    """The best ways to a beat on each of some frames, by the interval before it.

    Attributes
    ----------
    scores : (n, K) of the whole way.
    before : (n, K) index of the interval before the last; -1 where the way begins here, or anew after a pause.
    """

    scores: Float64Array
    before: NDArray[np.int8]


class Forward:
    """The forward pass over beats, as far as the music has been processed.

    Parameters
    ----------
    intervals : (K,) frames from beat to beat, one apart, K at most 127.

    Attributes
    ----------
    frames : how many so far.
    leaving : (longest interval, K) best score of leaving a beat on each of the last frames with each interval.
    """

    def __init__(self, intervals: IntArray = INTERVALS) -> None:
        kinds, longest = len(intervals), int(intervals[-1])
        ratio = np.log(intervals[:, None] / intervals[None])
        self._change = -np.minimum(_STEADINESS * ratio**2, _JUMP)  # (to, from)
        self._intervals = intervals
        self.frames = 0
        self.leaving = np.full((longest, kinds), -np.inf)
        self._came = np.zeros((longest, kinds), np.int8)
        self._best = np.full(longest, -np.inf)  # score of the best beat on each of the last frames
        self._rested = 0.0  # and on any frame before those; 0: nothing yet

    def advance(self, logits: Float64Array) -> Arrival:
        """Go on by n frames, at most the shortest interval: no beat can follow another within them.

        Parameters
        ----------
        logits : (n,) of a beat.
        """
        count, kinds = len(logits), np.arange(len(self._intervals))
        back = (
            len(self._best) + np.arange(count)[:, None] - self._intervals
        )  # (n, K) row of `leaving` where each way comes from
        coming, before = self.leaving[back, kinds], self._came[back, kinds]
        rested = np.maximum.accumulate(np.append(self._rested, self._best[:count]))
        anew = rested[1:, None] - _PAUSE
        scores = np.maximum(coming, anew)
        scores += np.clip(logits, _FAINTEST, _STRONGEST)[:, None] + _REWARD
        ways = scores[:, None] + self._change  # (n, to, from)
        came = ways.argmax(2).astype(np.int8)
        self.leaving = np.concatenate(
            [self.leaving[count:], np.take_along_axis(ways, came[..., None].astype(np.int64), 2)[..., 0]]
        )
        self._came = np.concatenate([self._came[count:], came])
        self._best = np.concatenate([self._best[count:], scores.max(1)])
        self._rested = float(rested[-1])
        self.frames += count
        return Arrival(scores, np.where(coming >= anew, before, np.int8(-1)))


def decode_beats(logits: Float64Array, intervals: IntArray = INTERVALS) -> IntArray:
    """Return the frames (N,) of the most likely beats; logits (T,) at 50 frames a second.

    Parameters
    ----------
    intervals : frames from beat to beat, as `intervals_of` a known tempo gives them.
    """
    forward, shortest, longest = Forward(intervals), int(intervals[0]), int(intervals[-1])
    arrivals = (forward.advance(logits[start : start + shortest]) for start in range(0, len(logits), shortest))
    kept = [(arrival.scores.max(1), arrival.scores.argmax(1), arrival.before) for arrival in arrivals]
    best, kinds, before = (np.concatenate(parts) for parts in zip(*kept, strict=True))  # (T,), (T,), (T, K)
    until = np.maximum.accumulate(best)
    frame = int(best.argmax())
    kind = int(kinds[frame])
    beats = [frame]
    while True:
        if before[frame, kind] >= 0:
            frame, kind = frame - int(intervals[kind]), int(before[frame, kind])
        elif frame >= longest and until[frame - longest] > 0:  # after a pause
            frame = int(best[: frame - longest + 1].argmax())
            kind = int(kinds[frame])
        else:
            return np.array(beats[::-1], np.int64)
        beats.append(frame)


def refined(beats: IntArray, logits: Float64Array) -> Float64Array:
    """Place each beat between frames, at the top of the parabola through the logits about its frame."""
    inner = np.clip(beats, 1, len(logits) - 2)
    left, top, right = logits[inner - 1], logits[inner], logits[inner + 1]
    bend = left - 2 * top + right
    shift = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    return np.asarray(beats + np.clip(shift, -0.5, 0.5))


# Every place in a bar that a beat can have: metre, and position from 1.
PLACES = tuple((meter, position) for meter in METERS for position in range(1, meter + 1))

# --- Bars ------------------------------------------------------------------------------------------------------------

_TRUST = 0.35  # weight of what one beat predicts of its place: neighbours are predicted from much the same music
_DOUBT = 0.02  # share of every place in what a beat predicts, however sure the network is
_RARE = {1: -1.0, 2: 0.0, 3: 0.0, 4: 0.0, 5: -4.0, 6: -1.0}  # log-probability of metres, up to a constant
_CHANGE = 12.0  # cost of another metre in the next bar
_SLIP = 6.0  # cost of a bar with a beat too many or too few


def decode_bars(places: Float64Array, meter: int | None = None) -> tuple[IntArray, IntArray]:
    """Return the most likely places of beats in their bars.

    Parameters
    ----------
    places : (N, 21) logits of each of `PLACES`, at each beat.
    meter : beats in a bar, where it is known.

    Returns
    -------
    positions : (N,) from 1.
    meters : (N,) beats in the bar that each belongs to, as far as the model counts them.
    """
    model = Bars(meter)
    if not len(places):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    scores = model.score(places)
    scores[0] += model.prior
    path = viterbi(scores, model.changes)
    return model.positions[path], model.meters[path]


class Bars:
    """The hidden Markov model of beats in bars: its states, and what they expect.

    Attributes
    ----------
    meters, positions : (S,) of each state.
    prior : (S,) log-probability of the metre, up to a constant.
    changes : (S, S) log-probability of going from one state to another, up to a constant.
    """

    def __init__(self, meter: int | None = None) -> None:
        self._known = np.array([meter in (None, m) for m, _ in PLACES])
        self.meters, self.positions = np.array(PLACES)[self._known].T
        self.prior = np.array([_RARE[m] for m in self.meters.tolist()])
        self.changes = self._changes()

    def score(self, places: Float64Array) -> Float64Array:
        """Return the log-probability, (..., S), up to a constant, of beats with these logits of `PLACES`, (..., 21)."""
        likely = np.exp(places - places.max(-1, keepdims=True))[..., self._known]
        likely /= likely.sum(-1, keepdims=True)
        return np.asarray(_TRUST * np.log((1 - _DOUBT) * likely + _DOUBT / likely.shape[-1]))

    def _changes(self) -> Float64Array:
        last, first = (self.positions == self.meters)[:, None], (self.positions == 1)[None]
        same = self.meters[:, None] == self.meters
        cost = np.where(same & (self.positions == self.positions[:, None] + 1), 0, np.inf)
        cost = np.where(first, np.where(last, 0, _SLIP) + np.where(same, 0, _CHANGE - self.prior), cost)
        stays = np.eye(len(cost), dtype=bool) & last & ~first  # a beat too many
        return -np.where(stays, _SLIP, cost)


def viterbi(scores: Float64Array, transitions: Float64Array) -> IntArray:
    """Return the best path (T,) through scores (T, S), with transitions[from, to] added at each step."""
    best, back = scores[0], np.zeros(scores.shape, np.int64)
    for t in range(1, len(scores)):
        arriving = best[:, None] + transitions
        back[t] = arriving.argmax(0)
        best = arriving.max(0) + scores[t]
    path = np.empty(len(scores), np.int64)
    path[-1] = best.argmax()
    for t in range(len(scores) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path
