"""Clusters: the same work on other machines."""

import sys
from pathlib import Path

import pytest

from ictus.errors import IctusError, UsageError
from ictus.synthesis.cluster import run_on_cluster


def doubled(number: int) -> int:
    if number > 100:
        raise IctusError(f"{number}: too large; give a smaller one")
    return 2 * number


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'ictus\[cluster\]'"):
        list(run_on_cluster(doubled, [1], "local"))


def test_no_cluster_there() -> None:
    pytest.importorskip("ray", reason="needs the cluster extra")
    with pytest.raises(UsageError, match=r"^127\.0\.0\.1:1: no Ray cluster answers there"):
        list(run_on_cluster(doubled, [1], "127.0.0.1:1"))


@pytest.mark.slow
def test_two_workers_of_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="needs the cluster extra")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where the workers find `doubled`
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    try:
        assert sorted(run_on_cluster(doubled, range(20), cluster.address)) == list(range(0, 40, 2))
        with pytest.raises(IctusError, match=r"^200: too large; give a smaller one$"):
            list(run_on_cluster(doubled, [200], cluster.address))
        assert not ray.is_initialized()
    finally:
        cluster.shutdown()
