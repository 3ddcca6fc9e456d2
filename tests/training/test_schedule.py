import math

import pytest

from ictus.errors import UsageError
from ictus.training.schedule import Schedule


def test_constant_with_warmup():
    schedule = Schedule(warmup=4)
    assert [schedule(step, 100) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_cosine_goes_from_one_to_its_floor():
    schedule = Schedule("cosine", warmup=10, floor=0.1)
    assert schedule(9, 110) == 1
    assert schedule(10, 110) == 1
    assert schedule(60, 110) == pytest.approx(0.55)
    assert schedule(35, 110) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)
    assert schedule(110, 110) == pytest.approx(0.1)
    assert schedule(500, 110) == pytest.approx(0.1)


def test_a_cosine_that_is_held():
    schedule = Schedule("cosine", warmup=10, hold=60, floor=0.1)
    assert [schedule(step, 160) for step in (4, 10, 59, 60)] == [0.5, 1, 1, 1]
    assert schedule(110, 160) == pytest.approx(0.55)
    assert schedule(160, 160) == pytest.approx(0.1)


def test_steps_fall_at_their_milestones():
    schedule = Schedule("step", milestones=(3, 5))  # as FACT: 1e-4, 1e-5, 1e-6
    assert [schedule(step, 9) for step in range(7)] == pytest.approx([1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_nonsense_is_refused():
    with pytest.raises(UsageError, match="milestones"):
        Schedule("step")
    with pytest.raises(UsageError, match="warmup is -1"):
        Schedule(warmup=-1)
    with pytest.raises(UsageError, match="hold -2"):
        Schedule("cosine", hold=-2)
