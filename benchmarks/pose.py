"""How fast a person is found in a film: each network for itself, and a film as a whole.

    python benchmarks/pose.py [FILM] [--seconds 10] [--runs 3] [--json]

Of a film: pictures a second by the clock, milliseconds of the processor for each, and the memory of the process at its
largest. The best of the runs counts, for a shared machine only adds to it. Two hands cost more than one: take a film
that shows both. It needs the networks (`ictus models get blaze`).
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np

from ictus.errors import IctusError
from ictus.pose import track
from ictus.pose.blaze import SHAPES, Blaze
from ictus.pose.network import Network
from ictus.pose.networks import Networks, load


def networks(found: Networks, calls: int = 20) -> dict[str, float]:
    """Return milliseconds of the processor that a call of each network takes, on one thread."""
    result = {}
    for name, content in found.files.items():
        network = Network(content, name, SHAPES[name])
        picture = np.random.default_rng(0).random(SHAPES[name][0], np.float32)
        times = []
        for _ in range(calls):
            start = time.process_time()
            network(picture)
            times.append(time.process_time() - start)
        result[name] = round(1e3 * min(times), 2)
    return result


def film(path: Path, seconds: float, runs: int, engine: Blaze) -> dict[str, float]:
    """Return how a film fares as a whole: decoding, finding, smoothing."""
    walls, processors, count, hands = [], [], 0, 0.0
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        found = track(path, engine=engine, end=seconds)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
        count = len(found)
        hands = float((found.confidence[:, [33, 54]] > 0).sum(1).mean())
    return {
        "frames": count,
        "hands in a frame": round(hands, 2),
        "frames a second": round(count / min(walls), 1),
        "processor, ms a frame": round(1e3 * min(processors) / count, 1),
        "memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        found = load()
        report: dict[str, dict[str, float]] = {"networks, processor ms": networks(found)}
        if given.film:
            report[given.film.name] = film(given.film, given.seconds, given.runs, Blaze(found))
    except IctusError as error:
        print(f"left out: {error}")
        return
    if given.json:
        print(json.dumps(report, indent=2))
        return
    for name, values in report.items():
        print(name)
        for what, value in values.items():
            print(f"  {what:24} {value:8g}")


if __name__ == "__main__":
    main()
