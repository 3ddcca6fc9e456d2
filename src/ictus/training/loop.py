"""The training loop.

`fit` trains a task by a recipe in a folder, which then holds

    recipe.yaml                     what was trained, with all defaults
    log.jsonl, tensorboard/         values over time; TensorBoard's where it is installed
    pictures/                       what the task drew
    checkpoints/last.safetensors    all that is needed to go on
    checkpoints/best.safetensors    the weights of the best validation
    checkpoints/epoch-NNNN.safetensors   those of each `keep_every` epochs
    model/                          what the task exported at the best validation: what users load
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import torch
import torch.distributed as dist
from lightning.fabric import Fabric
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ictus.errors import IctusError, ModelError, UsageError
from ictus.files import short
from ictus.nn.pretrained import initialise_from
from ictus.task import Batch, Loss, Samples, Task
from ictus.training import checkpoint, parallel
from ictus.training.data import TrainLoader, in_order
from ictus.training.ema import AveragedWeights
from ictus.training.log import Log, TrainingBar
from ictus.training.progress import Progress, check_same_run
from ictus.training.recipe import Recipe
from ictus.training.seeds import STEP, VALIDATION, WEIGHTS, seed_all

_log = logging.getLogger(__name__)


def fit(
    fabric: Fabric,
    build: Callable[[], Task],
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = False,
    strategy: parallel.Strategy = "ddp",
) -> Progress:
    """Train, from the start or from the last checkpoint.

    Parameters
    ----------
    fabric : from `parallel.launch`.
    build : makes the task; called when the generators are seeded.
    out : the folder of the run; all processes must see it.
    resume : go on where a run in that folder stopped, if there is one: exactly, on the same number of devices.
    strategy : "ddp", or "fsdp" to shard very large networks.

    Raises
    ------
    UsageError
        If the folder holds a run already and `resume` is not asked for, or the run is of another recipe.
    ModelError
        If its last checkpoint is damaged or of another model.
    IctusError
        If a loss is not finite; the message names the samples.
    """
    last = out / "checkpoints" / "last.safetensors"
    if last.exists():
        check_same_run(last, recipe, resume)
    fabric.barrier()
    seed_all(recipe.training.seed, WEIGHTS)
    loop = Loop(fabric, build, recipe, out, strategy)
    size = loop.restore(last) if last.exists() else 0
    if fabric.global_rank > 0:
        loop.run(None)
    else:
        recipe.save(out / "recipe.yaml")
        for leftover in last.parent.glob(".*.safetensors"):  # the process was killed while it wrote them
            leftover.unlink()
        with Log(out, size, loop.progress.step) as log:
            loop.run(log)
    return loop.progress


class Loop:
    """A task in training."""

    def __init__(
        self, fabric: Fabric, build: Callable[[], Task], recipe: Recipe, out: Path, strategy: parallel.Strategy
    ) -> None:
        self.fabric, self.build, self.recipe, self.config, self.out = fabric, build, recipe, recipe.training, out
        self.task = build()
        if recipe.init is not None:
            fresh = initialise_from(self.task.networks.values(), recipe.init)
            _log.info(
                "begins from %s; %s", recipe.init, f"fresh are {', '.join(fresh)}" if fresh else "all weights fit"
            )
        samples = self.task.train_set(0)
        self.loader = TrainLoader(self.config, fabric)
        steps = self.loader.steps(samples) * self.config.epochs
        self.total = min(steps, self.config.steps or steps)
        self.progress = Progress()

        self.networks = dict(self.task.networks)
        parallel.place(fabric, self.networks.values(), self.config, strategy)
        parallel.freeze(fabric, getattr(self.task, "frozen", {}).values())
        self.sharded = strategy == "fsdp" and fabric.world_size > 1
        self.average = None if self.config.ema is None else AveragedWeights(self.networks, self.config.ema)
        self.optimizers = dict(self.task.optimizers())
        self.rates = {name: [g["lr"] for g in optimizer.param_groups] for name, optimizer in self.optimizers.items()}

    @property
    def finished(self) -> bool:
        """Whether all epochs, or all steps, are done and validated."""
        limit, progress = self.config.steps, self.progress
        if progress.epoch >= self.config.epochs:
            return True
        return limit is not None and progress.step >= limit and progress.validated == progress.step

    def run(self, log: Log | None) -> None:
        """Train until it is finished; `log` in the first process only."""
        self.log, progress = log, self.progress
        self._clock = self._last_line = time.perf_counter()
        self._seen, self._waited = 0, 0.0
        with TrainingBar(self.total, progress.step, shown=log is not None) as self.bar:
            if progress.step == 0 and self.config.validate_first:
                self._validate(first=True)
            while not self.finished:
                whole = self._epoch()
                if whole:
                    progress.epoch, progress.position = progress.epoch + 1, 0
                last = progress.epoch >= self.config.epochs
                if not whole or last or progress.epoch % self.config.validate_every == 0:
                    self._validate()
                    self.save()

    def _epoch(self) -> bool:
        """Train for the rest of an epoch; return False if the last step came before its end."""
        progress, config = self.progress, self.config
        samples = self.task.train_set(progress.epoch)
        if progress.position > 0 and progress.samples != len(samples):
            was = f"{progress.samples} samples when the run stopped and has {len(samples)} now"
            raise UsageError(f"the train set had {was}; a run goes on with its own data", option="data")
        progress.samples, steps = len(samples), self.loader.steps(samples)
        for network in self.networks.values():
            network.train()
        batches = self.loader.epoch(samples, progress.epoch, progress.position)
        while progress.position < steps and progress.step < (config.steps or math.inf):
            before = time.perf_counter()
            parts = [self.fabric.to_device(part) for part in next(batches)]
            self._waited += time.perf_counter() - before
            self._step(parts)
            progress.position, progress.step = progress.position + 1, progress.step + 1
            self._seen += config.batch
            if progress.step % config.log_every == 0:
                self._write_means()
            if progress.step % config.checkpoint_every == 0:
                self.save()
            self.bar.show(progress.step, f"epoch {progress.epoch + 1}/{config.epochs}")
        self._write_means()
        return progress.position >= steps

    def _step(self, parts: list[Batch]) -> None:
        """Train on a batch, which may come in parts; their generators go on together, one loss of each at a time."""
        step = self.progress.step
        seed_all(self.config.seed, STEP, step, self.fabric.global_rank)
        for name, optimizer in self.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self.rates[name], strict=True):
                group["lr"] = rate * self.config.schedule(step, self.total)
        for losses in zip(*(self._descend(part) for part in parts), strict=True):
            self._update(losses, parts)
        if self.average is not None:
            self.average.update(step)
        parallel.average_buffers(self.fabric, self.networks.values())

    def _descend(self, part: Batch) -> Iterator[Loss]:
        """Yield the losses of a part, each when it is back-propagated."""
        losses = self.task.losses(part, self.progress.epoch, self.progress.step)
        while True:
            with self.fabric.autocast():
                loss = next(losses, None)
            if loss is None:
                return
            name, loss_value, values = loss
            self.fabric.backward(loss_value / self.config.accumulate)
            yield name, loss_value.detach(), values

    def _update(self, losses: tuple[Loss, ...], parts: list[Batch]) -> None:
        """Step one optimiser by the gradients that the losses of all parts, on all devices, have left."""
        name, _, values = losses[0]
        optimizer, precision = self.optimizers[name], self.fabric.strategy.precision
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        rows = [[value, *(shown[key] for key in values)] for _, value, shown in losses]
        means = torch.stack([torch.stack([self._scalar(x) for x in row]) for row in rows]).mean(0)
        parallel.average(self.fabric, [*gradients, means])
        value, *shown = means.tolist()
        precision.unscale_gradients(optimizer)
        norm = get_total_norm(gradients)
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        size = float(norm)
        if not math.isfinite(value) or not (math.isfinite(size) or precision.state_dict()):  # a loss scaler skips these
            self._stop(name, value, losses, parts)
        if self.config.clip is not None:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            clip_grads_with_norm_(parameters, self.config.clip, norm)
        self.fabric.strategy.optimizer_step(optimizer)
        for network in self.networks.values():
            network.zero_grad()
        for key, number in (*zip(values, shown, strict=True), (f"{name}/gradient", size)):
            total, count = self.progress.sums.get(key, (0.0, 0))
            self.progress.sums[key] = (total + number, count + 1)

    def _scalar(self, value: Tensor | float) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float32, device=self.fabric.device).detach()

    def _stop(self, optimizer: str, value: float, losses: tuple[Loss, ...], parts: list[Batch]) -> NoReturn:
        """Say which samples made a loss, or its gradient, NaN or infinite; all processes come here together."""
        names = [(bool(loss[1].isfinite()), part["name"]) for loss, part in zip(losses, parts, strict=True)]
        everywhere = [names]
        if self.fabric.world_size > 1:
            everywhere = [[] for _ in range(self.fabric.world_size)]
            dist.all_gather_object(everywhere, names)
        found = [entry for process in everywhere for entry in process]
        guilty = [entry for entry in found if not entry[0]] or found
        samples = [name for _, part in guilty for name in part]
        listed = ", ".join(samples[:24]) + (f" and {len(samples) - 24} more" if len(samples) > 24 else "")
        what = f"the loss is {value}" if not math.isfinite(value) else "the gradient is not finite"
        last = self.out / "checkpoints" / "last.safetensors"
        kept = f"the last good checkpoint is {last}" if last.exists() else "there is no checkpoint yet"
        raise IctusError(
            f"step {self.progress.step}, optimiser {optimizer}: {what}; {kept}. "
            f"Look at these samples, or lower the learning rate: {listed}"
        )

    def _tick(self) -> float:
        now = time.perf_counter()
        self.progress.seconds, self._clock = self.progress.seconds + now - self._clock, now
        return now

    def _write_means(self) -> None:
        """Write the means of the values since the last line, if there are any."""
        progress, now = self.progress, self._tick()
        if progress.sums:
            span = max(now - self._last_line, 1e-9)
            speed, waiting = self._seen / span, self._waited / span
            rates = {f"lr/{name}": o.param_groups[0]["lr"] for name, o in self.optimizers.items()}
            if self.log is not None:
                values = {key: total / count for key, (total, count) in progress.sums.items()}
                facts = {"samples_per_second": round(speed, 1), "waiting": round(waiting, 3)}
                self.log.write(progress, "train", values, **rates, **facts)
            self.bar.show(progress.step, f"epoch {progress.epoch + 1}/{self.config.epochs}", speed)
        progress.sums.clear()
        self._last_line, self._seen, self._waited = now, 0, 0.0

    def _validate(self, first: bool = False) -> None:
        """Validate with the averaged weights, if there are any; keep and export the best."""
        progress, task = self.progress, self.task
        self.bar.show(progress.step, "validating")
        seed_all(self.config.seed, VALIDATION)
        for network in self.networks.values():
            network.eval()
        averaged = nullcontext() if self.average is None else self.average.applied()
        with torch.no_grad(), averaged, self.fabric.autocast():
            values = {name: float(value) for name, value in task.validate(self._batches).items()}
            values = self.fabric.broadcast(values)
            pictures = task.pictures(progress.epoch) if hasattr(task, "pictures") else {}
            if (name := task.monitor[0]) not in values:
                raise IctusError(f"the monitor {name!r} is not among the values of validate: {', '.join(values)}")
            best = not first and self._is_best(values)
            if not first:
                self._keep(values, best)
        progress.validated = progress.step
        self._last_line = self._tick()
        if self.log is not None:
            self.log.write(progress, "validation", values, best=best)
            self.log.draw(progress, pictures)

    def _batches(self, samples: Samples, size: int | None = None) -> Iterator[Batch]:
        size = size or self.config.batch // (self.fabric.world_size * self.config.accumulate)
        for batch in in_order(samples, self.config, size, self.loader.pin):
            yield self.fabric.to_device(batch)

    def _is_best(self, values: Mapping[str, float]) -> bool:
        name, which = self.task.monitor
        value, best = values[name], self.progress.best
        if best is None or not math.isfinite(value):
            return math.isfinite(value)
        old = best["validation"][name]
        return bool(value < old if which == "min" else value > old)

    def _keep(self, values: Mapping[str, float], best: bool) -> None:
        """Keep the weights at hand, if they are the best or their epoch is one to keep."""
        progress, every = self.progress, self.config.keep_every
        facts = {"epoch": progress.epoch, "step": progress.step, "validation": dict(values)}
        names = ["best"] * best
        if every is not None and progress.position == 0 and progress.epoch % every == 0:
            names.append(f"epoch-{progress.epoch:04d}")
        if best:
            progress.best = facts
        if not names:
            return
        tensors = checkpoint.pack_networks(self.networks)
        if self.log is None:
            return
        facts = {"recipe": self.recipe.to_dict(), **facts}
        for name in names:
            checkpoint.write(self.out / "checkpoints" / f"{name}.safetensors", tensors, facts)
        if best:
            exporter = self.task
            if self.sharded:
                exporter = self.build()
                checkpoint.unpack_networks(exporter.networks, tensors, "export")
            exporter.export(self.out / "model", facts)

    def save(self) -> None:
        """Write the checkpoint from which the run can go on."""
        tensors, optimizers = checkpoint.pack_networks(self.networks), {}
        if self.average is not None:
            tensors |= checkpoint.pack(self.average.tensors, "ema")
        for name, optimizer in self.optimizers.items():
            state, optimizers[name] = checkpoint.pack_optimizer(name, optimizer)
            tensors |= state
        self._tick()
        if self.log is not None:
            facts = {
                "recipe": self.recipe.to_dict(),
                "progress": asdict(self.progress),
                "optimizers": optimizers,
                "scaler": self.fabric.strategy.precision.state_dict(),
                "log": self.log.size,
            }
            checkpoint.write(self.out / "checkpoints" / "last.safetensors", tensors, facts)

    def restore(self, path: Path) -> int:
        """Go back to where a checkpoint was written; return how many bytes the log had then.

        Raises
        ------
        ModelError
            If it is damaged, or of another model.
        """
        tensors, facts = checkpoint.read(path)
        checkpoint.unpack_networks(self.networks, tensors, str(path))
        if self.average is not None:
            checkpoint.unpack(self.average.tensors, tensors, "ema", str(path))
        try:
            for name, optimizer in self.optimizers.items():
                checkpoint.unpack_optimizer(name, optimizer, tensors, facts["optimizers"][name], str(path))
            self.fabric.strategy.precision.load_state_dict(facts["scaler"])
            self.progress = Progress(**facts["progress"])
            self.progress.sums = {key: (total, count) for key, (total, count) in self.progress.sums.items()}
            return int(facts["log"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: is no checkpoint to go on from ({short(error)})") from error
