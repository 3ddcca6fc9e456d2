"""How fast the soloist plays, each way in turn in one process, so that a busy machine slows all of them.

    python benchmarks/soloist.py [--size paper|small] [--threads 2] [--places 5] [--tokens 4] [--layers N] [--cpu]

    growing    a forward of all features and tokens so far for every token, as published
    cached     `prefill` and `step`: one token's work for every token
    bfloat16   the same, with weights of half the size
    int8       the same, with the weights of linear layers in 8 bits (PyTorch's dynamic quantisation)
    batch      the same as cached, eight performances together

A token costs more the later it comes. So that it does not take minutes, only some tokens are timed, at places spread
evenly over the window; a clip (265 tokens, 9.845 s of sound) is taken to cost what these say by the trapezoidal rule,
with the prefill added. --places 265 --tokens 1 times them all. --layers 6 builds six of the 24 layers, and takes all to
cost four times as much. --cpu counts the processor's time instead of the clock's, for a machine that is busy otherwise;
give it one thread. Weights are random: they do not change the time.
"""

import argparse
import copy
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ictus.sound.models.soloist import DecodingState, SoloistConfig, SoloistTransformer

BATCH = 8
clock = time.perf_counter


def seconds(call: Callable[[], Any]) -> float:
    start = clock()
    call()
    return clock() - start


def growing(network: SoloistTransformer, condition: Tensor, tokens: Tensor, place: int) -> float:
    """Seconds of the token at a place."""
    return seconds(lambda: network(tokens[:, : place + 1], condition))


def cached(network: SoloistTransformer, condition: Tensor, tokens: Tensor, place: int, count: int) -> float:
    """Seconds a token of those that begin at a place; the prefill before it is not timed."""
    _, state = network.prefill(condition, tokens[:, :place])

    def play() -> None:
        for _ in range(count):
            network.step(tokens[:, place], state)

    return seconds(play) / count


def clip(times: list[float], places: list[int], tokens: int) -> float:
    """Seconds of all tokens of a clip from those that were timed."""
    area = sum((b - a) * (s + t) / 2 for a, b, s, t in zip(places, places[1:], times, times[1:], strict=False))
    return area / max(1, places[-1] - places[0]) * tokens


def condition_of(network: SoloistTransformer, batch: int) -> Tensor:
    return torch.randn(batch, network.config.rows, network.numbers)


def eighths(network: SoloistTransformer) -> SoloistTransformer | None:
    """A copy with linear layers in 8 bits, or None where PyTorch cannot."""
    engines = torch.backends.quantized.supported_engines
    if "onednn" not in engines and "fbgemm" not in engines:
        return None
    torch.backends.quantized.engine = "fbgemm" if "fbgemm" in engines else "onednn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized: SoloistTransformer = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(network), {nn.Linear}, torch.qint8
        )
    return quantized


@torch.inference_mode()
def compare(network: SoloistTransformer, places: list[int], count: int) -> dict[str, float]:
    config, total = network.config, network.config.tokens
    condition, tokens = condition_of(network, 1), torch.randint(config.codes, (1, total))
    logits, state = network.prefill(condition, tokens[:, :0])
    figures: dict[str, float] = {}

    def last_logits(state: DecodingState, logits: Tensor) -> Tensor:
        for k in range(8):
            logits = network.step(tokens[:, k], state)
        return logits

    figures["largest difference"] = float(
        (last_logits(state, logits) - network(tokens[:, :9], condition)[:, -1]).abs().max()
    )

    times: dict[str, list[float]] = {"growing": [], "cached": []}
    for place in places:  # in turn, so that what else the machine does falls on both
        times["cached"].append(cached(network, condition, tokens, min(place, total - count - 1), count))
        times["growing"].append(growing(network, condition, tokens, place))
    prefill = seconds(lambda: network.prefill(condition, tokens[:, :0]))
    figures["growing"] = clip(times["growing"], places, total)
    figures["prefill"] = prefill
    figures["cached"] = prefill + clip(times["cached"], places, total)

    many = tokens.expand(BATCH, -1)
    conditions = condition.expand(BATCH, -1, -1)
    times["batch"] = [cached(network, conditions, many, min(p, total - count - 1), count) for p in places]
    figures["batch"] = (clip(times["batch"], places, total) + prefill * BATCH) / BATCH

    for name, other in (("bfloat16", copy.deepcopy(network).bfloat16()), ("int8", eighths(network))):
        if other is None:
            continue
        begun = seconds(lambda other=other: other.prefill(condition, tokens[:, :0]))
        steps = [cached(other, condition, tokens, min(p, total - count - 1), count) for p in places]
        figures[name] = begun + clip(steps, places, total)
        figures[f"{name}: difference"] = agreement(network, other, condition, tokens)
    return figures


def agreement(network: SoloistTransformer, other: SoloistTransformer, condition: Tensor, tokens: Tensor) -> float:
    """Mean absolute difference of the probabilities of the first token, summed over codes."""
    one, two = (each.prefill(condition, tokens[:, :0])[0].float().softmax(-1) for each in (network, other))
    return float((one - two).abs().sum(-1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="paper", choices=list(SoloistTransformer.sizes))
    parser.add_argument("--rows", type=int, default=53, help="of features, for the published size: 53 or 212")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--places", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=4, help="timed with the cache at each place")
    parser.add_argument("--layers", type=int, help="fewer than there are, to save time and memory")
    parser.add_argument("--cpu", action="store_true", help="count the processor's time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    global clock
    clock = time.process_time if options.cpu else time.perf_counter
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    config: SoloistConfig = SoloistTransformer.sizes[options.size]
    if options.size == "paper":
        config = SoloistConfig(rows=options.rows)
    layers = options.layers or config.layers
    network = SoloistTransformer(replace(config, layers=layers)).eval()
    last = config.tokens - 1
    places = [round(k * last / (options.places - 1)) for k in range(options.places)]
    figures = compare(network, places, options.tokens)
    scaled = {key: value * config.layers / layers for key, value in figures.items() if "difference" not in key}
    figures |= scaled
    if options.json:
        print(json.dumps(figures))
        return
    timed = f"timed at {places}, with {layers} of {config.layers} layers, in {'CPU' if options.cpu else 'real'} time"
    print(f"soloist {options.size}, {options.threads} threads, a clip of {config.tokens} tokens, {timed}")
    for way in ("growing", "cached", "batch", "bfloat16", "int8"):
        if way in figures:
            difference = figures.get(f"{way}: difference")
            apart = "" if difference is None else f"   first token's probabilities differ by {difference:.1e} in sum"
            print(
                f"{way:10}{figures[way]:>9.2f} s a clip   {figures['growing'] / figures[way]:6.1f} times as fast{apart}"
            )
    print(
        f"prefill {figures['prefill']:.2f} s; cached and uncached logits differ by {figures['largest difference']:.1e}"
    )


if __name__ == "__main__":
    main()
