"""Work that several processes share."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from ictus.errors import IctusError

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_in_processes(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Do jobs in processes of this machine; yield the results as they come.

    One worker does them in their order and in this process.

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
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_follow_parent) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for job in as_completed(waiting):
                yield job.result()
        except BrokenProcessPool as error:
            raise IctusError("a worker was killed, most likely for want of memory; try fewer workers") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """Leave it to the parent process when to stop; end when it ends, however that comes about."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
