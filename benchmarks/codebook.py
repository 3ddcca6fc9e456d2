"""How fast the codebook tells a mel by codes, and makes one from them, each size and precision in turn in one process.

    python benchmarks/codebook.py [--sizes paper small] [--threads 1] [--seconds 9.845] [--rounds 3] [--json]

Weights are random: they do not change the time. The real-time factor counts both directions.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from ictus.sound import MEL_RATE
from ictus.sound.models.codebook import SpectrogramCodebook


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(size: str, duration: float, rounds: int) -> dict[str, float]:
    torch.manual_seed(0)
    network = SpectrogramCodebook.from_config(size).eval()
    mel = 2 * torch.rand(1, 80, round(duration * MEL_RATE)) - 1
    codes = network.encode(mel)
    figures = {"parameters": float(sum(p.numel() for p in network.parameters()))}
    for precision, enabled in (("float32", False), ("bfloat16", True)):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            network.reconstruct(mel)
            times = [
                (seconds(lambda: network.encode(mel)), seconds(lambda: network.decode(codes))) for _ in range(rounds)
            ]
        encode, decode = (statistics.median(column) for column in zip(*times, strict=True))
        figures |= {f"{precision} encode": encode, f"{precision} decode": decode}
        figures[f"{precision} real-time factor"] = (encode + decode) / duration
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["paper", "small"], choices=list(SpectrogramCodebook.sizes))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=848 / MEL_RATE, help="of the clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    figures = {size: measure(size, options.seconds, options.rounds) for size in options.sizes}
    if options.json:
        print(json.dumps({"threads": options.threads, "seconds": options.seconds, **figures}))
        return
    print(f"{options.seconds:.3f} s of mel, {options.threads} threads, medians of {options.rounds}")
    for size, found in figures.items():
        print(f"{size}, {found['parameters']:,.0f} parameters")
        for precision in ("float32", "bfloat16"):
            encode, decode = (found[f"{precision} {way}"] for way in ("encode", "decode"))
            factor = found[f"{precision} real-time factor"]
            print(f"  {precision:9} encode {encode:7.3f} s   decode {decode:7.3f} s   real-time factor {factor:.3f}")


if __name__ == "__main__":
    main()
