"""Beats: the choice of the tactus, counting in another metre, files."""

import numpy as np
import pytest

from ictus.beats.beats import Beats
from ictus.errors import IctusError, UsageError


def steady(bpm: float, meter: int, count: int = 24) -> Beats:
    place = np.arange(count)
    return Beats(1 + place * 60 / bpm, place % meter + 1, meter, accents=(place % meter == 0) * 1.0)


@pytest.mark.parametrize(
    ("bpm", "meter", "conducted_bpm", "conducted_meter"),
    [
        (100, 4, 100, 4),
        (149, 3, 149, 3),
        (180, 3, 60, 1),
        (200, 4, 100, 2),
        (160, 2, 80, 1),
        (220, 6, 220 / 3, 2),
        (40, 2, 80, 4),
        (40, 3, 80, 6),
        (40, 4, 40, 4),
    ],
)
def test_an_arm_conducts_between_48_and_150(bpm: float, meter: int, conducted_bpm: float, conducted_meter: int) -> None:
    beats = steady(bpm, meter).conducted()
    assert beats.tempo == pytest.approx(conducted_bpm)
    assert beats.meter == conducted_meter
    assert set(beats.positions) == set(range(1, conducted_meter + 1))
    # Bars stay where they are.
    np.testing.assert_allclose(beats.downbeats, steady(bpm, meter).downbeats[: len(beats.downbeats)])


def test_another_metre_puts_downbeats_on_accents() -> None:
    place = np.arange(24)
    beats = Beats(place * 0.5, place % 4 + 1, 4, accents=(place % 3 == 2) * 1.0)
    recounted = beats.with_meter(3)
    assert recounted.meter == 3
    assert list(recounted.positions[:6]) == [2, 3, 1, 2, 3, 1]
    with pytest.raises(UsageError, match="metre 8"):
        beats.with_meter(8)


def test_few_beats_are_fine() -> None:
    empty = Beats(np.zeros(0), np.zeros(0, int), 4)
    assert (len(empty), empty.tempo, len(empty.conducted()), len(empty.with_meter(3))) == (0, 0, 0, 0)
    assert Beats(np.array([1.0]), np.array([1]), 4).with_meter(3).meter == 3


@pytest.mark.parametrize(
    ("times", "positions", "message"),
    [
        ([1, 1], [1, 2], "increasing"),
        ([2, 1], [1, 2], "increasing"),
        ([1, np.nan], [1, 2], "finite"),
        ([1, 2], [1], "positions"),
    ],
)
def test_wrong_beats_are_refused(times: list[float], positions: list[int], message: str) -> None:
    with pytest.raises(IctusError, match=message):
        Beats(np.array(times), np.array(positions), 2)


def test_a_metre_for_every_bar() -> None:
    positions = [3, 4, 1, 2, 3, 1, 2, 3, 4, 5, 6, 1]
    beats = Beats(np.arange(12) * 0.5, positions, [4, 3, 6, 6])
    assert beats.meters.tolist() == [4, 4, 3, 3, 3, 6, 6, 6, 6, 6, 6, 6]
    assert beats.meter == 6
    assert (Beats(beats.times, positions, beats.meters).meters == beats.meters).all()
    assert beats.to_meta()["meters"] == beats.meters.tolist()
    with pytest.raises(IctusError, match="12 beats in 4 bars, but 3 metres"):
        Beats(beats.times, positions, [4, 3, 6])
    with pytest.raises(IctusError, match="a bar of 0 beats"):
        Beats(beats.times, positions, 0)


def test_each_bar_is_conducted_in_its_own_metre() -> None:
    positions = np.concatenate([np.tile([1, 2, 3], 8), np.arange(6) + 1])
    beats = Beats(np.arange(30) * 0.5, positions, [3] * 8 + [6])
    shown = beats.conducted()
    assert shown.positions.tolist() == positions.tolist()
    assert shown.to_meta()["meters"] == [3] * 24 + [6] * 6
    assert set(beats.with_meter(6).meters.tolist()) == {6}
    fast = Beats(np.arange(30) * 0.3, positions, [3] * 8 + [6]).conducted()
    assert fast.meters.tolist() == [1] * 8 + [2] * 2


def test_beats_are_divided_evenly() -> None:
    beats = Beats([1.0, 2.0, 4.0], [1, 2, 1], 2, loudness=[0, 1, 1], accents=[1, 0, 1], confidence=[1, 0.4, 1])
    thirds = beats.divided(3)
    np.testing.assert_allclose(thirds.times, [1, 4 / 3, 5 / 3, 2, 8 / 3, 10 / 3, 4])
    assert (thirds.positions.tolist(), thirds.meter) == ([1, 2, 3, 4, 5, 6, 1], 6)
    assert thirds.accents.tolist() == [1, 0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(thirds.confidence[:4], [1, 0.8, 0.6, 0.4])
