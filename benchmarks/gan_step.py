"""How fast M2S-GAN trains: one step of our task beside a straight port of the published one, at equal mathematics.

    python benchmarks/gan_step.py [--threads 2] [--rounds 3] [--batch 20] [--seconds 30] [--json]

A step is five updates of the discriminator and one of the generator. The port does as the published code: every update
encodes the music anew by the frozen encoder as it was trained, and the sync loss once more. Ours encodes it once, with
normalisations folded into the convolutions. Their six losses are compared at the same weights, batch and noise (not
after updates: RMSprop's first ones are as large for a gradient that is nearly zero as for any other, so rounding
decides their sign); then they train in turn in one process, so that a busy machine slows both. Music and weights are
random: they do not change the time. From the second epoch on, a small corpus is not encoded again; that is left out.
"""

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ictus.conducting.models.m2s_net import M2SNet
from ictus.conducting.tasks.corpus import Batch, CorpusConfig
from ictus.conducting.tasks.m2s_gan import M2SGANTask, M2SGANTaskConfig
from ictus.training.memory import keep_freed_memory

Step = Callable[[M2SGANTask, Batch], Iterator[tuple[str, Tensor]]]


def ours(task: M2SGANTask, batch: Batch) -> Iterator[tuple[str, Tensor]]:
    for name, loss, _ in task.losses(batch, 0, 0):
        yield name, loss


def port(task: M2SGANTask, batch: Batch) -> Iterator[tuple[str, Tensor]]:
    mel, real = batch["mel"], batch["motion"]
    discriminator, generator, evaluator, config = task.discriminator, task.generator, task.evaluator, task.config
    generator.music.eval()

    def noise() -> Tensor:
        return torch.randn(len(real), real.shape[1] // 30, 8)

    for _ in range(config.discriminator_steps):
        fake = generator(mel, noise()).detach()
        wanted, got = discriminator(real).mean(), discriminator(fake).mean()
        share = torch.rand(len(real), 1, 1, 1)
        between = (share * real + (1 - share) * fake).requires_grad_()
        scores = discriminator(between)
        (gradient,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
        yield "critic", got - wanted + config.penalty_weight * gradient.norm() ** 2
    made = generator(mel, noise())
    with torch.no_grad():
        evaluator.music(mel)  # the published code asks the whole of M2S-Net
        seen = evaluator.motion(real)
    yield "generator", -discriminator(made).mean() + config.sync * F.l1_loss(evaluator.motion(made), seen)


def losses(step: Step, task: M2SGANTask, batch: Batch) -> list[float]:
    """Return the losses of one step at the task's present weights."""
    torch.manual_seed(1)
    return [loss.item() for _, loss in step(task, batch)]


def seconds(step: Step, task: M2SGANTask, batch: Batch) -> float:
    """Return the time of one step of training."""
    task = copy.deepcopy(task)
    optimizers = task.optimizers()
    start = time.perf_counter()
    for name, loss in step(task, batch):
        loss.backward()
        optimizers[name].step()
        for network in task.networks.values():
            network.zero_grad()
    return time.perf_counter() - start


def random_task(folder: Path, batch: int, duration: int) -> tuple[M2SGANTask, Batch]:
    torch.manual_seed(0)
    evaluator = M2SNet.from_config("paper")
    for module in evaluator.modules():  # statistics other than 0 and 1, so that folding has something to fold
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    evaluator.save_pretrained(folder / "evaluator")
    rng = np.random.default_rng(0)
    mel = rng.random((batch, duration * 90, 128), np.float32)
    motion = 0.5 + 0.1 * np.cumsum(rng.normal(0, 0.05, (batch, duration * 30, 13, 2)), 1, np.float32)
    for split in ("train", "val"):  # the task wants a corpus
        (folder / split / "0").mkdir(parents=True)
        np.save(folder / split / "0" / "mel.npy", mel[0])
        np.save(folder / split / "0" / "motion.npy", motion[0])
    corpus = CorpusConfig(seconds=duration)
    task = M2SGANTask(M2SGANTaskConfig(m2s_net=str(folder / "evaluator"), remember=0, corpus=corpus), folder)
    for network in task.networks.values():
        network.train()
    names = [str(number) for number in range(batch)]
    return task, {"mel": torch.from_numpy(mel), "motion": torch.from_numpy(motion.astype(np.float32)), "name": names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        task, batch = random_task(Path(folder), options.batch, options.seconds)
    pairs = zip(losses(port, task, batch), losses(ours, task, batch), strict=True)
    difference = max(abs(a - b) / max(1.0, abs(a)) for a, b in pairs)
    times = [(seconds(port, task, batch), seconds(ours, task, batch)) for _ in range(options.rounds)]
    plain, fast = (statistics.median(column) for column in zip(*times, strict=True))
    figures = {"port": plain, "ours": fast, "ratio": plain / fast, "largest_difference": difference}
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.batch} samples of {options.seconds} s, {options.threads} threads, medians of {options.rounds}")
    print(f"straight port {plain:.2f} s, ours {fast:.2f} s: {plain / fast:.1f}x")
    print(f"largest relative difference of the six losses: {difference:.1e}")


if __name__ == "__main__":
    main()
