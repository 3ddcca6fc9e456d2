"""The tactus: which beats an arm conducts where metres and tempi change."""

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.beats.tactus import conducted
from ictus.errors import IctusError


def bars(*passages: tuple[int, int, float]) -> Beats:
    """Bars of a metre, how many, and their beats a minute; one beat more ends them."""
    meters = [meter for meter, count, _ in passages for _ in range(count)]
    positions = np.concatenate([np.arange(meter) + 1 for meter in meters])
    steps = np.concatenate([np.full(meter * count, 60 / bpm) for meter, count, bpm in passages])
    return Beats(np.concatenate([[0.0], np.cumsum(steps[:-1])]), positions, meters)


def test_uneven_bars_that_are_too_fast_are_beaten_in_their_groups() -> None:
    beats = bars((3, 4, 100), (5, 2, 200), (4, 4, 100))
    shown = beats.conducted()
    assert shown.meters.tolist() == [3] * 12 + [2] * 4 + [4] * 16
    np.testing.assert_allclose(np.diff(shown.times)[12:16], [0.9, 0.6, 0.9, 0.6])
    np.testing.assert_allclose(shown.downbeats, beats.downbeats)
    heads = (beats.meters == 5) & np.isin(beats.positions, (1, 3))
    accented = Beats(beats.times, beats.positions, beats.meters, accents=heads * 0.8)
    np.testing.assert_allclose(np.diff(accented.conducted().times)[12:16], [0.6, 0.9, 0.6, 0.9])
    assert bars((5, 4, 140)).conducted().meter == 5


@pytest.mark.parametrize(
    ("meter", "bpm", "steps"),
    [(7, 240, [2, 2, 3]), (8, 100, [2, 2, 2, 2]), (9, 160, [3, 3, 3]), (10, 120, [2] * 5), (11, 200, [2, 2, 2, 2, 3])],
)
def test_long_bars_are_gathered(meter: int, bpm: float, steps: list[int]) -> None:
    shown = bars((meter, 4, bpm)).conducted()
    assert shown.meter == len(steps)
    np.testing.assert_allclose(np.diff(shown.times)[: len(steps)], np.array(steps) * 60 / bpm)


def test_a_passage_of_another_tempo_is_decided_for_itself() -> None:
    slow_and_fast = bars((2, 4, 40), (2, 12, 100))
    assert len(conducted(slow_and_fast)) == len(slow_and_fast)
    shown = conducted(slow_and_fast, borders=slow_and_fast.times[8:9])
    assert shown.meters.tolist() == [4] * 16 + [2] * 24
    np.testing.assert_allclose(np.diff(shown.times)[:16], 0.75)


def test_slow_compound_beats_are_divided_in_three() -> None:
    beats = bars((2, 4, 40))
    shown = conducted(beats, np.full(8, 3))
    assert shown.meter == 6
    assert shown.tempo == pytest.approx(120)


def test_metres_beyond_all_patterns_are_refused() -> None:
    with pytest.raises(IctusError, match=r"the bar at 0\.0 s has 37 beats, for which there is no conducting pattern"):
        bars((37, 2, 100)).conducted()
