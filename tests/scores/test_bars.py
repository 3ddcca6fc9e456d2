"""Which beats are counted."""

import numpy as np
import pytest

from ictus.scores.bars import Bar, beat_unit, beats_of


@pytest.mark.parametrize(
    ("time", "unit"),
    [
        ((2, 4), (1, 2)),
        ((3, 4), (1, 2)),
        ((4, 4), (1, 2)),
        ((5, 4), (1, 2)),
        ((2, 2), (2, 2)),
        ((3, 2), (2, 2)),
        ((4, 2), (2, 2)),
        ((3, 8), (1.5, 3)),
        ((6, 8), (1.5, 3)),
        ((9, 8), (1.5, 3)),
        ((12, 8), (1.5, 3)),
        ((6, 4), (3, 3)),
        ((9, 4), (3, 3)),
        ((4, 8), (0.5, 2)),
        ((6, 16), (0.75, 3)),
    ],
)
def test_beat_unit(time: tuple[int, int], unit: tuple[float, int]) -> None:
    assert beat_unit(*time) == unit


def counted(*bars: Bar) -> list[tuple[float, int, int]]:
    return [(row[0], int(row[1]), int(row[2])) for row in beats_of(bars)[1].tolist()]


def test_an_upbeat_is_counted_from_its_end() -> None:
    assert counted(Bar((3, 4), 1), Bar((3, 4), 3)) == [(0, 3, 3), (1, 1, 3), (2, 2, 3), (3, 3, 3)]


def test_a_bar_divided_by_a_repeat_goes_on_counting() -> None:
    halves = Bar((3, 4), 3), Bar((3, 4), 2), Bar((3, 4), 1), Bar((3, 4), 3)
    assert [place for _, place, _ in counted(*halves)] == [1, 2, 3, 1, 2, 3, 1, 2, 3]


def test_an_upbeat_of_an_eighth_holds_no_beat() -> None:
    assert counted(Bar((2, 4), 0.5), Bar((2, 4), 2)) == [(0.5, 1, 2), (1.5, 2, 2)]


def test_metres_may_change() -> None:
    starts, beats = beats_of([Bar((4, 4), 4), Bar((6, 8), 3), Bar((3, 8), 1.5)])
    np.testing.assert_array_equal(starts, [0, 4, 7, 8.5])
    np.testing.assert_array_equal(beats[:, 0], [0, 1, 2, 3, 4, 5.5, 7])
    np.testing.assert_array_equal(beats[:, 2], [4, 4, 4, 4, 2, 2, 1])
    np.testing.assert_array_equal(beats[:, 3], [2, 2, 2, 2, 3, 3, 3])


def test_an_empty_bar_lasts_as_long_as_its_signature_says() -> None:
    assert beats_of([Bar((4, 4)), Bar((4, 4), 4)])[0].tolist() == [0, 4, 8]
