"""Work that several processes share."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ictus.errors import IctusError, UsageError
from ictus.files import writing
from ictus.processes import run_in_processes, stoppable


def write_slowly(path: Path) -> None:
    with writing(path) as temporary:
        temporary.write_text("half")
        time.sleep(60)


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


def test_when_this_process_is_stopped_so_are_the_others_and_nothing_stays(tmp_path: Path):
    def stop() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stoppable():
        list(run_in_processes(write_slowly, [tmp_path / "a.csv", tmp_path / "b.csv"], 2))
    assert time.monotonic() - start < 50
    assert list(tmp_path.iterdir()) == []
