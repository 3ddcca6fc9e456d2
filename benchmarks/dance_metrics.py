"""How fast dances are measured: features of one, and the distance of two sets of features.

    python benchmarks/dance_metrics.py [--frames 1000] [--motions 1400] [--rounds 9] [--json]

The loop is the straightforward way, and the published one: kinetic features joint by joint and frame by frame. Both
ways run in one process on the same motion and must agree. OMP_NUM_THREADS=1 keeps linear algebra to one thread.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ictus.dance import metrics
from ictus.skeleton import get_skeleton

Array = NDArray[np.floating]
RATE = 60.0


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def dance(frames: int, seed: int = 0) -> Array:
    """(frames, 24, 3): joints that swing at random about their places at rest."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames)[:, None, None] / RATE
    tempo, phase = rng.uniform(0.5, 3, (24, 3)), rng.uniform(0, 6, (24, 3))
    return get_skeleton("smpl-24").rest + 0.1 * np.sin(2 * np.pi * tempo * times + phase)


def kinetic_loop(places: Array) -> Array:
    """Return (72,) corrected kinetic features, by the definition."""
    frames, features = len(places), []
    for joint in range(24):
        path, sums = places[:, joint], np.zeros(3)
        for i in range(1, frames):
            near = [k for k in range(i - 2, i + 3) if 1 <= k < frames]
            velocity = sum(path[k] - path[k - 1] for k in near) * RATE / len(near)
            near = [k for k in near if k + 1 < frames]
            bend = sum(path[k + 1] - 2 * path[k] + path[k - 1] for k in near) * RATE**2 / len(near)
            sums += [velocity[0] ** 2 + velocity[2] ** 2, velocity[1] ** 2, np.linalg.norm(bend)]
        features.append(sums / (frames - 1))
    return np.concatenate(features)


def compare(frames: int, motions: int, rounds: int) -> dict[str, float]:
    places = dance(frames)
    rng = np.random.default_rng(1)
    real, made = rng.normal(size=(motions, 72)), rng.normal(0.1, 1.2, (motions, 72))
    beats = np.arange(0, frames / RATE, 0.5)
    calls: dict[str, Callable[[], object]] = {
        "features": lambda: (metrics.kinetic_features(places), metrics.geometric_features(places)),
        "frechet_distance": lambda: metrics.frechet_distance(real, made),
        "diversity": lambda: metrics.diversity(made),
        "beat_alignment": lambda: metrics.beat_alignment(places, beats),
    }
    for call in calls.values():
        call()  # warm up
    figures = {name: statistics.median(seconds(call) for _ in range(rounds)) for name, call in calls.items()}
    start = time.perf_counter()
    slow = kinetic_loop(places)
    figures["kinetic_loop"] = time.perf_counter() - start
    quick = metrics.kinetic_features(places, "corrected")
    return {**figures, "largest_relative_difference": float(np.max(np.abs(quick - slow) / np.abs(slow)))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1000, help="of the motion whose features are taken")
    parser.add_argument("--motions", type=int, default=1400, help="in each of two sets of 72 features")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    figures = compare(options.frames, options.motions, options.rounds)
    if options.json:
        print(json.dumps({"frames": options.frames, "motions": options.motions, **figures}))
        return
    sets = f"{options.motions} x 72"
    rows = {
        f"kinetic + geometric, {options.frames} frames": "features",
        f"  kinetic alone by a loop, {options.frames} frames": "kinetic_loop",
        f"frechet_distance, {sets}": "frechet_distance",
        f"diversity, {sets}": "diversity",
        f"beat_alignment, {options.frames} frames": "beat_alignment",
    }
    for label, name in rows.items():
        print(f"{label:44}{1e3 * figures[name]:>10.2f} ms")
    print(f"{'largest relative difference':44}{figures['largest_relative_difference']:>10.1e}")


if __name__ == "__main__":
    main()
