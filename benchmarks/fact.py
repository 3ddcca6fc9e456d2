"""How fast FACT dances, each way in turn in one process, so that a busy machine slows all of them.

    python benchmarks/fact.py [--size small|paper] [--threads 1] [--frames 20] [--rounds 3] [--json]

    plain      one forward per frame with all 360 tokens, as published
    exact      `generate`: the same frames from the tokens that are needed alone
    bfloat16   `generate` under autocast
    stride 20  `generate`, 20 frames of each prediction kept
    batch      eight pieces together, against one by one; and eight seeds to one piece

Weights are random: they do not change the time.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from ictus.dance.frames import padded, rest
from ictus.dance.models.fact import AUDIO, AUDIO_WINDOW, FACT, MOTION_WINDOW

PIECES = 8


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@torch.inference_mode()
def plain(network: FACT, motion: Tensor, audio: Tensor, frames: int) -> Tensor:
    for at in range(frames):
        predicted = network.decode(motion[:, at:], network.encode_audio(audio[:, at : at + AUDIO_WINDOW]), slice(None))
        motion = torch.cat((motion, predicted[:, :1]), 1)
    return motion[:, MOTION_WINDOW:]


def halved(network: FACT, motion: Tensor, audio: Tensor, frames: int) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return network.generate(motion, audio, frames)


def compare(network: FACT, frames: int, rounds: int) -> dict[str, float]:
    torch.manual_seed(0)
    audio = torch.randn(PIECES, AUDIO_WINDOW + frames - 1, AUDIO)
    motion = padded(rest() + 0.1 * torch.randn(PIECES, MOTION_WINDOW, 219), network.config.pose)
    one, song = motion[:1], audio[:1]
    pairs = list(zip(motion.split(1), audio.split(1), strict=True))
    few = max(1, frames // PIECES)
    ways: dict[str, Callable[[], object]] = {
        "plain": lambda: plain(network, one, song, frames),
        "exact": lambda: network.generate(one, song, frames),
        "bfloat16": lambda: halved(network, one, song, frames),
        "stride 20": lambda: network.generate(one, song, frames, stride=20),
        "one by one": lambda: [network.generate(*pair, few) for pair in pairs],
        "batch": lambda: network.generate(motion, audio, few),
        "batch, one piece": lambda: network.generate(motion, song, few),
        "bfloat16 one by one": lambda: [
            halved(network, motion[k : k + 1], audio[k : k + 1], few) for k in range(PIECES)
        ],
        "bfloat16 batch": lambda: halved(network, motion, audio, few),
    }
    for way in ways.values():
        way()
    times = [[seconds(way) for way in ways.values()] for _ in range(rounds)]
    figures = dict(zip(ways, map(statistics.median, zip(*times, strict=True)), strict=True))
    truth = plain(network, one, song, frames)
    figures["exact: largest difference"] = float((network.generate(one, song, frames) - truth).abs().max())
    figures["bfloat16: largest difference"] = float((halved(network, one, song, frames) - truth).abs().max())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="small", choices=list(FACT.sizes))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=20, help="a multiple of 20, for the stride")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    figures = compare(FACT.from_config(options.size).eval(), options.frames, options.rounds)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"FACT {options.size}, {options.frames} frames, {options.threads} threads, medians of {options.rounds}")
    for way, against in (
        ("plain", "plain"),
        ("exact", "plain"),
        ("bfloat16", "plain"),
        ("stride 20", "exact"),
        ("batch", "one by one"),
        ("batch, one piece", "one by one"),
        ("bfloat16 batch", "bfloat16 one by one"),
    ):
        ratio = figures[way] / figures[against]
        print(f"{way:18}{figures[way]:>9.3f} s   {ratio:.2f} of {against}: {1 / ratio:.1f} times as fast")
    print("largest difference from plain: ", end="")
    print(f"exact {figures['exact: largest difference']:.1e}, bfloat16 {figures['bfloat16: largest difference']:.1e}")


if __name__ == "__main__":
    main()
