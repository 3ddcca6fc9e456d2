"""Clusters: the same jobs as on one machine, done by the machines of a Ray cluster."""

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ictus.errors import IctusError, UsageError

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_on_cluster(work: Callable[[Job], Result], jobs: Iterable[Job], address: str) -> Iterator[Result]:
    """Do jobs on the machines of a cluster; give the results as they come.

    Parameters
    ----------
    work : must be a function of a module that every machine has; files that it reads and writes must be where all
        machines see them under the same name.
    address : of the cluster, HOST:PORT; "local" starts one on this machine.

    Raises
    ------
    UsageError
        If Ray is not installed, or there is no cluster.
    IctusError
        What `work` raises, or if a machine is lost.
    """
    try:
        import ray
    except ImportError as error:
        raise UsageError("clusters need Ray: pip install 'ictus[cluster]'") from error
    try:
        _check_connection(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"{address}: no Ray cluster answers there; start one with `ray start`") from error
    try:
        task: Any = ray.remote(_run_job)
        waiting = [task.remote(work, job) for job in jobs]
        while waiting:
            ready, waiting = ray.wait(waiting)
            yield from ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise IctusError(f"cluster {address}: a machine was lost; start again to make the rest") from error
    finally:
        ray.shutdown()


def _check_connection(address: str) -> None:
    """Raise OSError where no server answers; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.removeprefix("ray://"), int(port)), timeout=10).close()


def _run_job(work: Callable[[Job], Result], job: Job) -> Result:
    return work(job)
