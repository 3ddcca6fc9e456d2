"""`ictus evaluate`: models x metrics, with intervals and controls."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus.cli.console import progress_bar, say, say_json, show_table
from ictus.errors import UsageError
from ictus.files import writing

if TYPE_CHECKING:
    from ictus.conducting.evaluation import Conduct, Row


def run(
    art: Annotated[Literal["conducting"], tyro.conf.Positional],
    /,
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    model: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FOLDER")] = (),
    judge: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    protocol: Literal["all", "prospective-cup"] = "all",
    split: str = "val",
    seconds: int = 30,
    limit_hours: float | None = None,
    seed: int = 0,
    out: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="TABLE")] = (),
    json: bool = False,
) -> int:
    """Compare models on a corpus. The ground truth and the real motion of other music stand beside them as controls.

    Args:
        art: What is evaluated.
        data: Folder of a corpus in the format of ConductorMotion100.
        model: Folder of a trained conductor; may be given several times.
        judge: Folder of an M2S-Net, for the sync error.
        protocol: all, or the four figures of the Prospective Cup.
        split: Split of the corpus.
        seconds: Length of a sample.
        limit_hours: Use only so much of it.
        seed: Of the models' noise.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    for path in out:
        if path.suffix.lower() not in _WRITERS:
            raise UsageError(f"{path}: a table is written as {' '.join(_WRITERS)}")
    from ictus.conducting.dataset import ConductorMotion
    from ictus.conducting.evaluation import MEANING, evaluate
    from ictus.conducting.sync import M2SNet

    corpus = ConductorMotion(data, split, seconds=seconds, limit_hours=limit_hours)
    models = {name: _conductor(name, seed) for name in model}
    judging = M2SNet.from_pretrained(judge) if judge else None
    with progress_bar("evaluate") as progress:
        rows = evaluate(models, corpus, judge=judging, protocol=protocol, progress=progress)
    for path in out:
        with writing(path) as temporary:
            _WRITERS[path.suffix.lower()](rows, temporary)
    if json:
        say_json([_as_dict(row) for row in rows])
        return 0
    metrics = _metrics(rows)
    narrow = [[cell.replace(" (", "\n(") for cell in line] for line in _cells(rows)]
    show_table(f"{len(corpus)} samples of {seconds} s of {data / split}", ["", *metrics], narrow)
    for metric in metrics:
        say(f"{metric}: {MEANING[metric]}")
    return 0


def _conductor(name: str, seed: int) -> "Conduct":
    """Return a function of a mel; raise UsageError where the model hears sound, of which a corpus holds none."""
    from ictus import hub

    if name == "maestro":
        raise UsageError("maestro hears sound, but the corpus holds mels; give the folder of a trained network")
    from ictus.conducting.learned import LearnedConductor
    from ictus.conducting.windows import generate

    conductor = hub.load(name)
    if not isinstance(conductor, LearnedConductor):
        raise UsageError(f"{name} cannot be evaluated on mels; give the folder of a trained network")
    return partial(generate, conductor.generator, seed=seed)


def _metrics(rows: list["Row"]) -> list[str]:
    return list(dict.fromkeys(metric for row in rows for metric in row.figures))


def _cells(rows: list["Row"]) -> list[list[str]]:
    def cell(row: "Row", metric: str) -> str:
        if metric not in row.figures:
            return "-"
        value, low, high = row.figures[metric]
        return f"{value:.3g} ({low:.3g}..{high:.3g})"

    return [[row.name, *(cell(row, metric) for metric in _metrics(rows))] for row in rows]


def _as_dict(row: "Row") -> dict[str, Any]:
    figures = {name: dict(zip(("value", "low", "high"), triple, strict=True)) for name, triple in row.figures.items()}
    return {"model": row.name, "figures": figures, "samples": list(row.samples)}


def _write_json(rows: list["Row"], path: Path) -> None:
    path.write_text(json.dumps([_as_dict(row) for row in rows], indent=2) + "\n", encoding="utf-8")


def _write_markdown(rows: list["Row"], path: Path) -> None:
    head = ["", *_metrics(rows)]
    table = [head, ["---"] * len(head), *_cells(rows)]
    path.write_text("".join("| " + " | ".join(line) + " |\n" for line in table), encoding="utf-8")


def _write_csv(rows: list["Row"], path: Path) -> None:
    names = list(dict.fromkeys(key for row in rows for sample in row.samples for key in sample))
    with path.open("w", newline="", encoding="utf-8") as sink:
        table = csv.DictWriter(sink, ["model", *names], lineterminator="\n")
        table.writeheader()
        table.writerows({"model": row.name, **sample} for row in rows for sample in row.samples)


_WRITERS = {".json": _write_json, ".md": _write_markdown, ".csv": _write_csv}
