"""How fast a batch of motions is judged: in one call, and by a loop over samples, joints and axes.

    python benchmarks/metrics.py [--samples 300] [--seconds 30] [--threads 1] [--rounds 5] [--json]

The loop is the straightforward way: Welch's method by SciPy for every single curve; the published implementation also
computes a spectrogram of each, which it never uses, so the loop is timed with it and without. Both ways run in one
process on the same motions and must agree.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import signal

from ictus.conducting import metrics

Array = NDArray[np.floating]


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def motions(samples: int, frames: int, seed: int) -> Array:
    steps = np.random.default_rng(seed).normal(0, 0.004, (samples, frames, 13, 2)).astype(np.float32)
    return 0.5 + signal.lfilter([1], [1, -1.9, 0.95], steps, axis=1).astype(np.float32)


def rhythm_density(sample: Array, spectrogram: bool) -> Array:
    total = np.zeros(20)
    for joint in range(13):
        for axis in range(2):
            total += signal.welch(sample[:, joint, axis], fs=30)[1][6:26]
            if spectrogram:
                signal.spectrogram(sample[:, joint, axis], fs=30)
    return total / 26


def strength_contour(sample: Array) -> Array:
    velocity = np.diff(sample, axis=0, prepend=sample[:1]).mean((1, 2))
    starts = range(0, len(sample) - 59, 30)
    return np.array([np.abs(velocity[start : start + 60]).mean() for start in starts])


def loop(real: Array, fake: Array, spectrogram: bool) -> tuple[float, float, float]:
    density, strength, moved = [], [], []
    for r, f in zip(real, fake, strict=True):
        density.append(((rhythm_density(r, spectrogram) - rhythm_density(f, spectrogram)) ** 2).mean())
        strength.append(((strength_contour(r) - strength_contour(f)) ** 2).mean())
        moved.append((r.std(0, ddof=1).mean(), f.std(0, ddof=1).mean()))
    reference, estimate = np.mean(moved, 0)
    rde, sce = (float(np.log(1e7 * np.array(x) + 1).mean()) for x in (density, strength))
    return rde, sce, float(100 * estimate / reference)


def at_once(real: Array, fake: Array) -> tuple[float, float, float]:
    return (
        metrics.rhythm_density_error(real, fake),
        metrics.strength_contour_error(real, fake),
        metrics.standard_deviation_percentage(real, fake),
    )


def compare(samples: int, frames: int, rounds: int) -> dict[str, float]:
    real, fake = motions(samples, frames, 0), motions(samples, frames, 1)
    quick, slow = at_once(real[:2], fake[:2]), loop(real[:2], fake[:2], spectrogram=True)  # warm up
    once = [seconds(lambda: at_once(real, fake)) for _ in range(rounds)]
    bare = seconds(lambda: loop(real, fake, spectrogram=False))
    full = seconds(lambda: loop(real, fake, spectrogram=True))
    once += [seconds(lambda: at_once(real, fake)) for _ in range(rounds)]  # before and after: a busy machine slows both
    fast = statistics.median(once)
    return {
        "at_once": fast,
        "loop": bare,
        "loop_with_spectrogram": full,
        "ratio": bare / fast,
        "ratio_with_spectrogram": full / fast,
        "largest_relative_difference": max(abs(a - b) / abs(b) for a, b in zip(quick, slow, strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=1, help="of the one call; a loop has one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    figures = compare(options.samples, round(options.seconds * 30), options.rounds)
    if options.json:
        print(json.dumps({"samples": options.samples, "seconds": options.seconds, **figures}))
        return
    print(f"RDE, SCE and SDP of {options.samples} samples of {options.seconds:g} s ({options.threads} thread(s))")
    print(f"{'in one call':34}{figures['at_once']:>8.3f} s")
    print(f"{'loop':34}{figures['loop']:>8.3f} s{figures['ratio']:>9.1f}x")
    print(f"{'loop, with unused spectrograms':34}{figures['loop_with_spectrogram']:>8.3f} s", end="")
    print(f"{figures['ratio_with_spectrogram']:>9.1f}x")
    print(f"{'largest relative difference':34}{figures['largest_relative_difference']:>10.1e}")


if __name__ == "__main__":
    main()
