"""How fast spectrograms are played, as ratios to real time, and each way's processor time beside it.

    python benchmarks/vocoder.py [--threads 2] [--seconds 9.845] [--rounds 5] [--json]

    griffin-lim   32 iterations, no weights
    spectral      ours, small
    small, paper  MelGAN of either size; weights are random everywhere: they do not change the time

All run in turn in one process, so that a busy machine slows all of them; medians are compared.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from ictus.audio import Audio
from ictus.features import mel80
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.melgan import MelGAN
from ictus.sound.models.spectral_vocoder import SpectralVocoder


def times(call: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def music(seconds: float) -> np.ndarray:
    samples = np.arange(int(seconds * mel80.rate)) / mel80.rate
    tones = sum(np.sin(2 * np.pi * 220 * k * samples) / k for k in range(1, 20))
    noise = np.random.default_rng(0).normal(0, 0.01, len(samples))
    return mel80(Audio((0.1 * tones + noise).astype(np.float32), mel80.rate))


def compare(seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    mel = music(seconds)
    duration = len(mel) * mel80.hop / mel80.rate
    torch.manual_seed(0)
    small, paper = (MelGAN.from_config(size).folded() for size in ("small", "paper"))
    spectral = SpectralVocoder.from_config("small").eval()
    ways: dict[str, Callable[[], object]] = {
        "griffin-lim": lambda: griffin_lim(mel),
        "spectral": lambda: spectral.vocode(mel),
        "small": lambda: small.vocode(mel),
        "paper": lambda: paper.vocode(mel),
    }
    for way in ways.values():
        way()
    rows = [[times(way) for way in ways.values()] for _ in range(rounds)]
    figures: dict[str, dict[str, float]] = {}
    for name, column in zip(ways, zip(*rows, strict=True), strict=True):
        wall, processor = (statistics.median(part) / duration for part in zip(*column, strict=True))
        figures[name] = {"of_real_time": wall, "processor_of_real_time": processor}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=9.845)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    figures = compare(options.seconds, options.rounds)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.seconds:g} s of sound, {options.threads} threads, medians of {options.rounds}")
    for name, row in figures.items():
        wall, processor = row.values()
        print(f"{name:14}{wall:>8.3f} of real time, {1 / wall:>6.1f} times as fast; processor {processor:.3f}")


if __name__ == "__main__":
    main()
