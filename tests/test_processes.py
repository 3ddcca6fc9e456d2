"""Work that several processes share."""

import os

import pytest

from ictus.errors import IctusError, UsageError
from ictus.processes import run_in_processes


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def die(number: int) -> int:
    os._exit(9)


def refuse(number: int) -> int:
    raise UsageError(f"{number} is refused")


def test_one_worker_keeps_the_order_and_the_process():
    assert list(run_in_processes(square, range(4), 1)) == [(k * k, os.getpid()) for k in range(4)]


def test_others_work_elsewhere():
    done = list(run_in_processes(square, range(6), 2))
    assert sorted(value for value, _ in done) == [0, 1, 4, 9, 16, 25]
    assert os.getpid() not in {process for _, process in done}


def test_errors_are_raised():
    with pytest.raises(UsageError, match="0 is refused"):
        list(run_in_processes(refuse, [0], 2))
    with pytest.raises(IctusError, match="a worker was killed"):
        list(run_in_processes(die, [0], 2))
