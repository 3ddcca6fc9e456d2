"""Decoding: the best paths against all paths, and against music that does what music does."""

import itertools

import mir_eval
import numpy as np
import pytest

from ictus.beats import decoding
from ictus.beats.decoding import PLACES, Bars, Forward, decode_bars, decode_beats, refined


def activations(times: np.ndarray, seconds: float, seed: int = 0, weak: float = 0.0) -> np.ndarray:
    """Logits as a network gives them: high on most beats, noise elsewhere."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 1, round(seconds * 50))
    frames = np.round(times[times < seconds] * 50).astype(int)
    logits[frames] = np.where(rng.uniform(size=len(frames)) < weak, -2.0, 3.0)
    return logits


def found(logits: np.ndarray) -> np.ndarray:
    return decode_beats(logits) / 50


@pytest.mark.parametrize("bpm", [44, 60, 97, 140, 200])
def test_a_steady_beat(bpm: float) -> None:
    times = np.arange(1, 39, 60 / bpm)
    assert mir_eval.beat.f_measure(times, found(activations(times, 40, weak=0.2))) > 0.95


def test_a_beat_is_not_halved_where_every_other_one_is_doubtful() -> None:
    times = np.arange(1, 60, 0.5)
    logits = activations(times, 60)
    logits[np.round(times[68::2] * 50).astype(int)] = -0.05
    assert mir_eval.beat.f_measure(times, found(logits)) > 0.99


def test_rubato() -> None:
    rng = np.random.default_rng(3)
    steps = 0.6 * np.exp(0.25 * np.sin(np.arange(120) / 6) + rng.normal(0, 0.04, 120))
    times = 1 + np.cumsum(steps)
    assert mir_eval.beat.f_measure(times, found(activations(times, times[-1] + 1, weak=0.15))) > 0.93


def test_after_a_long_rest_the_beat_is_found_again() -> None:
    times = np.concatenate([np.arange(1, 15, 0.5), np.arange(27.2, 40, 0.5)])
    beats = found(activations(times, 41))
    assert not ((beats > 15) & (beats < 27)).any()
    assert mir_eval.beat.f_measure(times, beats, f_measure_threshold=0.03) > 0.93


def test_silence_has_at_most_a_beat() -> None:
    assert len(decode_beats(np.full(500, -9.0))) == 1


def test_a_fermata_is_waited_for() -> None:
    times = np.concatenate([np.arange(1, 15, 0.5), np.arange(17.1, 30, 0.5)])
    assert mir_eval.beat.f_measure(times, found(activations(times, 31)), f_measure_threshold=0.03) > 0.95


def all_ways(logits: np.ndarray) -> float:
    """Score the best of all sequences of beats, one by one."""
    gain = np.clip(logits, decoding._FAINTEST, decoding._STRONGEST) + decoding._REWARD
    count, best = len(logits), -np.inf
    stack = [(t, gain[t] - decoding._PAUSE, 0) for t in range(count)]
    while stack:
        t, score, interval = stack.pop()
        best = max(best, score)
        for then in range(t + decoding.SHORTEST, count):
            step = then - t
            if step <= decoding.LONGEST:
                steady = -decoding._STEADINESS * np.log(step / interval) ** 2 if interval else 0.0
                stack.append((then, score + max(steady, -decoding._JUMP) + gain[then], step))
            if step >= decoding.LONGEST:
                stack.append((then, score - decoding._PAUSE + gain[then], 0))
    return float(best)


@pytest.mark.parametrize("seed", range(3))
def test_beats_are_the_best_of_all_sequences(seed: int, monkeypatch) -> None:
    monkeypatch.setattr(decoding, "_PAUSE", 2.0)
    logits = np.random.default_rng(seed).normal(-2, 3, 88)
    beats = decode_beats(logits)
    steps = np.diff(beats)
    gain = np.clip(logits, decoding._FAINTEST, decoding._STRONGEST) + decoding._REWARD
    score, interval = gain[beats].sum() - decoding._PAUSE, 0
    for step in steps.tolist():
        jump = max(-decoding._STEADINESS * np.log(step / interval) ** 2, -decoding._JUMP) if interval else 0.0
        anew = step >= decoding.LONGEST and (step > decoding.LONGEST or jump < -decoding._PAUSE)
        score += -decoding._PAUSE if anew else jump
        interval = 0 if anew else step
    assert score == pytest.approx(all_ways(logits))


def test_the_forward_pass_does_not_depend_on_its_steps() -> None:
    logits = np.random.default_rng(0).normal(-2, 3, 300)

    def scores(size: int) -> np.ndarray:
        forward = Forward()
        return np.concatenate([forward.advance(logits[k : k + size]).scores for k in range(0, 300, size)])

    np.testing.assert_allclose(scores(1), scores(14))


def test_refined_between_frames() -> None:
    frames = np.arange(40)
    logits = -((frames - 20.3) ** 2) / 4
    assert refined(np.array([20]), logits)[0] == pytest.approx(20.3)


def place_logits(positions: np.ndarray, meters: np.ndarray | int, seed: int = 0) -> np.ndarray:
    """Logits of places as a network might give them: the right one is likely, noise may be likelier."""
    bars = np.broadcast_to(meters, positions.shape)
    right = [PLACES.index((m, p)) for m, p in zip(bars.tolist(), positions.tolist(), strict=True)]
    return 2.5 * np.eye(len(PLACES))[right] + np.random.default_rng(seed).normal(0, 1.0, (len(right), len(PLACES)))


@pytest.mark.parametrize("meter", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("phase", [0, 1])
def test_every_metre(meter: int, phase: int) -> None:
    truth = (np.arange(90) + phase) % meter + 1
    positions, meters = decode_bars(place_logits(truth, meter))
    assert (meters == meter).mean() > 0.9
    assert (positions == truth).mean() > 0.9


def test_one_in_a_bar() -> None:
    ones = np.ones(60, int)
    positions, meters = decode_bars(place_logits(ones, 1))
    assert (positions == 1).all()
    assert (meters == 1).all()


def test_a_change_of_metre_and_a_bar_too_long() -> None:
    truth = np.array([1, 2, 3] * 14 + [1, 2, 3, 4] * 12)
    bars = np.array([3] * 42 + [4] * 48)
    positions, meters = decode_bars(place_logits(truth, bars))
    assert (positions == truth).mean() > 0.95
    assert (meters == bars).mean() > 0.9
    uneven = np.array([1, 2, 3] * 8 + [1, 2, 3, 3] + [1, 2, 3] * 8)
    assert (decode_bars(place_logits(uneven, 3), 3)[0] == uneven).mean() > 0.9


def test_a_given_metre_is_kept() -> None:
    positions, meters = decode_bars(place_logits(np.arange(40) % 4 + 1, 4), 3)
    assert set(meters.tolist()) == {3}
    assert positions.max() == 3


def test_bars_are_the_best_of_all_paths() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (4, len(PLACES)))
    model = Bars()
    scores = model.score(logits)

    def score(path: tuple[int, ...]) -> float:
        steps = sum(model.changes[a, b] for a, b in itertools.pairwise(path))
        return float(model.prior[path[0]] + steps + sum(scores[k, s] for k, s in enumerate(path)))

    reachable = [
        p for p in itertools.product(range(len(model.prior)), repeat=4) if np.isfinite(model.changes[p[0], p[1]])
    ]
    positions, meters = decode_bars(logits)
    ours = tuple(
        int(np.argmax((model.positions == p) & (model.meters == m))) for p, m in zip(positions, meters, strict=True)
    )
    assert score(ours) == pytest.approx(max(map(score, reachable)))
