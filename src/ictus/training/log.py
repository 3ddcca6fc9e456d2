"""What a training run writes: log.jsonl, TensorBoard (where it is installed), pictures, and a progress bar."""

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from matplotlib.figure import Figure
from matplotlib.image import imread
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from ictus.files import writing
from ictus.training.progress import Progress

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Log:
    """The log of a run in its folder, for one process to write.

    Every line of log.jsonl is an object with "epoch", "step" (steps done) and "seconds" (of training so far). Lines
    with "train" hold the means of the task's values since the last such line, the learning rates, the samples per
    second, and the share of the time spent waiting for data; lines with "validation" hold the values of a validation.

    Parameters
    ----------
    out : the folder of the run.
    size : bytes of log.jsonl that are kept, of a run that is resumed; what was written after them will come again.
    step : where the run begins.
    """

    def __init__(self, out: Path, size: int = 0, step: int = 0) -> None:
        self.out = out
        path = out / "log.jsonl"
        if path.exists() and path.stat().st_size > size:
            os.truncate(path, size)
        self._lines = path.open("a", encoding="utf-8")
        self._board = _open_board(out / "tensorboard", step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lines.close()
        if self._board is not None:
            self._board.close()

    @property
    def size(self) -> int:
        """Bytes of log.jsonl that are written."""
        return os.fstat(self._lines.fileno()).st_size

    def write(self, progress: Progress, kind: str, values: Mapping[str, float], **facts: Any) -> None:
        """Write a line, and its values to TensorBoard; `kind` is "train" or "validation"."""
        where = {"epoch": progress.epoch, "step": progress.step, "seconds": round(progress.seconds, 3)}
        self._lines.write(json.dumps(_finite({**where, kind: dict(values), **facts}), ensure_ascii=False) + "\n")
        self._lines.flush()
        if self._board is None:
            return
        scalars = {f"{kind}/{name}": value for name, value in values.items()}
        scalars |= {name: value for name, value in facts.items() if isinstance(value, float)}
        for name, value in scalars.items():
            self._board.add_scalar(name, value, progress.step)

    def draw(self, progress: Progress, pictures: Mapping[str, Figure]) -> None:
        """Save pictures as files and in TensorBoard; each is drawn once, since many curves take a second."""
        for name, figure in pictures.items():
            file = self.out / "pictures" / f"epoch-{progress.epoch:04d}" / f"{name.replace('/', '-')}.png"
            with writing(file) as path:
                figure.savefig(path)
            if self._board is not None:
                self._board.add_image(name, imread(file), progress.step, dataformats="HWC")


def _open_board(folder: Path, step: int) -> "SummaryWriter | None":
    """Return TensorBoard's writer, from a step on; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step)


class TrainingBar:
    """A progress bar with speed and time left; silent where stderr is no terminal, or if it is not `shown`."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task("starting", total=total, completed=done, speed="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, done: int, what: str, samples_per_second: float | None = None) -> None:
        """Move to a step, and say what goes on."""
        speed = {} if samples_per_second is None else {"speed": f"{samples_per_second:.0f} samples/s"}
        self._bar.update(self._task, completed=done, description=what, **speed)  # type: ignore[arg-type]


def _finite(value: Any) -> Any:
    """Return the value with null for what JSON cannot say."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
