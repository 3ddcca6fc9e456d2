"""Work that several processes share."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

from ictus.errors import IctusError

Job = TypeVar("Job")
Result = TypeVar("Result")

_STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


def run_in_processes(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Do jobs in processes of this machine; yield the results as they come.

    One worker does them in their order and in this process. If this process is stopped, so are the others.

    Parameters
    ----------
    work : a function of a module, because other processes call it; what it raises ends the whole.

    Raises
    ------
    IctusError
        If a process was killed.
    """
    if workers <= 1:
        yield from map(work, jobs)
        return
    others = set(active_children())
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_follow_parent) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in as_completed(waiting):
                yield job.result()
        except (BrokenProcessPool, SystemExit) as error:
            raise IctusError("a worker was killed, most likely for want of memory; try fewer workers") from error
        except BaseException:
            for child in set(active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, do what Ctrl+C does: what is half-written is removed.

    KeyboardInterrupt then holds the number of the signal. What was told to ignore a signal goes on to do so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stops = [number for number in _STOPS if signal.getsignal(number) == signal.SIG_DFL]
    for number in stops:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in stops:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number)


def _follow_parent() -> None:
    """Leave it to the parent process when to stop; end when it ends, however that comes about."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which removes what is half-written

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
