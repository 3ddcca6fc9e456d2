"""How fast the generator conducts: as it is trained, and folded for inference.

    python benchmarks/generator.py [--threads 2] [--rounds 9] [--model FOLDER] [--hour] [--json]

Both forms run in turn in one process on the same mel, so that a busy machine slows both; medians are compared.
Weights are random unless a checkpoint is given: they do not change the time.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from ictus.conducting.chunked_inference import draw_noise, generate
from ictus.conducting.models.m2s_gan import Generator


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peak_megabytes() -> float:
    unit = 1024 if sys.platform == "darwin" else 1  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024


def music(duration: float) -> tuple[torch.Tensor, torch.Tensor]:
    mel = torch.rand(1, round(duration * 90), 128, generator=torch.Generator().manual_seed(0))
    return mel, torch.from_numpy(draw_noise(int(np.ceil(duration)), 8, seed=0))[None]


def random_generator() -> Generator:
    torch.manual_seed(0)
    generator = Generator.from_config("paper")
    for module in generator.modules():  # statistics other than 0 and 1, so that folding has something to fold
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return generator.eval()


def compare(generator: Generator, rounds: int) -> dict[str, float]:
    folded = generator.folded()
    mel, noise = music(60)
    short = music(45.8)
    with torch.inference_mode():
        difference = (generator(mel, noise) - folded(mel, noise)).abs().max().item()
        times = [
            (
                seconds(lambda: generator(mel, noise)),
                seconds(lambda: folded(mel, noise)),
                seconds(lambda: folded(*short)),
            )
            for _ in range(rounds)
        ]
    plain, fast, clip = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "plain_60s": plain,
        "folded_60s": fast,
        "ratio": plain / fast,
        "folded_45.8s": clip,
        "largest_difference": difference,
    }


def hour(generator: Generator) -> dict[str, float]:
    folded = generator.folded()
    mel = np.random.default_rng(0).random((3600 * 90, 128), np.float32)
    before = peak_megabytes()
    elapsed = seconds(lambda: generate(folded, mel))
    return {"hour_seconds": elapsed, "hour_extra_megabytes": peak_megabytes() - before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--model", help="checkpoint folder instead of random weights")
    parser.add_argument("--hour", action="store_true", help="also conduct one hour and measure its memory")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    generator = Generator.from_pretrained(options.model) if options.model else random_generator()
    figures = {"threads": float(options.threads)}
    figures |= hour(generator) if options.hour else {}  # first, while the peak of memory is its own
    figures |= compare(generator, options.rounds)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{'':24}{'plain':>10}{'folded':>10}{'ratio':>10}   ({options.threads} threads, medians of {options.rounds})")
    print(f"{'60 s of music':24}{figures['plain_60s']:>8.3f} s{figures['folded_60s']:>8.3f} s{figures['ratio']:>9.1f}x")
    print(f"{'45.8 s of music':24}{'':10}{figures['folded_45.8s']:>8.3f} s")
    print(f"{'largest difference':24}{'':10}{figures['largest_difference']:>10.1e}")
    if options.hour:
        extra = figures["hour_extra_megabytes"]
        print(f"{'one hour, in windows':24}{'':10}{figures['hour_seconds']:>8.1f} s, {extra:.0f} MB beside the mel")


if __name__ == "__main__":
    main()
