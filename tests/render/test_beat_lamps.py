from dataclasses import replace

import numpy as np
import pytest

from ictus.render.beat_lamps import Lamps, _bar_lengths
from ictus.render.scene import Scene
from ictus.render.theme import DARK


@pytest.fixture
def lamps(flat):
    found = Lamps.of(flat, (60.0, 20.0), 5.0, DARK)
    assert found is not None
    return found


def brightness(lamps: Lamps, seconds: float) -> list[int]:
    """How bright each of the three lamps is."""
    canvas = np.zeros((40, 120, 3), np.uint8)
    lamps.paint(canvas, seconds)
    return [int(canvas[20, round(60 + 18 * k)].max()) for k in (-1, 0, 1)]


def test_no_beats_no_lamps(flat):
    for meta in ({}, {"beats": {"times": [], "positions": []}}, {"beats": None}):
        assert Lamps.of(replace(flat, meta=meta), (0.0, 0.0), 5.0, DARK) is None


@pytest.mark.parametrize(("seconds", "lamp"), [(0.5, 1), (1.0, 2), (1.5, 3)])
def test_the_lamp_of_the_beat_is_lit_at_the_beat(lamps, seconds, lamp):
    shining, count, light = lamps.light(seconds)
    assert (shining, count, light) == (lamp, 3, 1.0)
    assert int(np.argmax(brightness(lamps, seconds))) == lamp - 1


def test_before_the_first_beat_none_is_lit(lamps):
    assert lamps.light(0.2) == (0, 3, 0.0)
    assert len(set(brightness(lamps, 0.2))) == 1


def test_light_dies_down_after_the_beat(lamps):
    values = [lamps.light(1.0 + age)[2] for age in (0.0, 0.1, 0.2, 0.4)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.2


def test_bars_may_change_their_length_and_begin_in_the_middle():
    positions = np.array([3, 4, 1, 2, 3, 4, 1, 2, 3, 1, 2])
    assert _bar_lengths(positions).tolist() == [4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3]
    assert _bar_lengths(np.array([1])).tolist() == [1]
    assert _bar_lengths(np.array([2, 3])).tolist() == [3, 3]


def test_lamps_stand_below_the_figure(flat):
    lit, unlit = Scene([flat]).still(1.0), Scene([replace(flat, meta={})]).still(1.0)
    rows, columns = np.nonzero((lit != unlit).any(2))
    assert rows.min() > 540
    assert pytest.approx((columns.min() + columns.max()) / 2, abs=3) == 300
