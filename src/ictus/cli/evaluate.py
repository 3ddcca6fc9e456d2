"""`ictus evaluate`: models x metrics, with intervals and controls."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ictus.cli.console import progress_bar, say, say_json, show_table
from ictus.errors import UsageError
from ictus.files import writing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ictus.conducting.dataset import ConductorMotion
    from ictus.conducting.evaluation import Conduct, Row


def run(
    art: Annotated[Literal["conducting"], tyro.conf.Positional],
    /,
    data: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    model: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FOLDER")] = (),
    judge: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    critic: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None,
    protocol: Literal["all", "prospective-cup"] = "all",
    split: str = "val",
    seconds: int = 30,
    limit_hours: float | None = None,
    seed: int = 0,
    seeds: int = 1,
    show: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None,
    shown: int = 3,
    out: Annotated[tuple[Path, ...], tyro.conf.UseAppendAction, tyro.conf.arg(aliases=["-o"], metavar="TABLE")] = (),
    json: bool = False,
) -> int:
    """Compare models on a corpus. The ground truth and the real motion of other music stand beside them as controls.

    Args:
        art: What is evaluated.
        data: Folder of a corpus in the format of ConductorMotion100.
        model: Folder of a trained conductor; may be given several times.
        judge: Folder of an M2S-Net, for the sync error.
        critic: Folder of a critic, such as RUN/model/critic of an M2S-GAN, for the Wasserstein estimate.
        protocol: all, or the four figures of the Prospective Cup.
        split: Split of the corpus.
        seconds: Length of a sample.
        limit_hours: Use only so much of it.
        seed: Of the models' noise.
        seeds: With more than one, the motions for the same music are also compared with each other.
        show: Folder for pictures of the first samples: a film of the real and all generated motions side by side,
            and each model's joint curves over the real ones.
        shown: How many samples are shown.
        out: .json (all), .md (the table), .csv (each sample); may be given several times.
        json: Report on stdout as JSON.
    """
    for path in out:
        if path.suffix.lower() not in _WRITERS:
            raise UsageError(f"{path}: a table is written as {' '.join(_WRITERS)}")
    if seeds < 1:
        raise UsageError(f"--seeds {seeds}: at least one is needed")
    from ictus.conducting.dataset import ConductorMotion
    from ictus.conducting.evaluation import MEANING, evaluate
    from ictus.conducting.gan import Discriminator
    from ictus.conducting.sync import M2SNet

    corpus = ConductorMotion(data, split, seconds=seconds, limit_hours=limit_hours)
    models = {name: _conductor(name) for name in model}
    with progress_bar("evaluate") as progress:
        rows = evaluate(
            models,
            corpus,
            judge=M2SNet.from_pretrained(judge) if judge else None,
            critic=Discriminator.from_pretrained(critic) if critic else None,
            protocol=protocol,
            seeds=range(seed, seed + seeds),
            progress=progress,
        )
    if show is not None:
        _show(models, corpus, range(min(shown, len(corpus))), seed, show)
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


def _conductor(name: str) -> "Conduct":
    """Return a function of a mel and a seed; raise UsageError where the model hears sound, not mels."""
    from ictus import hub

    if name == "maestro":
        raise UsageError("maestro hears sound, but the corpus holds mels; give the folder of a trained network")
    from ictus.conducting.learned import LearnedConductor
    from ictus.conducting.windows import generate

    conductor = hub.load(name)
    if not isinstance(conductor, LearnedConductor):
        raise UsageError(f"{name} cannot be evaluated on mels; give the folder of a trained network")
    generator = conductor.generator
    return lambda mel, seed: generate(generator, mel, seed=seed)


def _show(
    models: dict[str, "Conduct"], corpus: "ConductorMotion", numbers: Iterable[int], seed: int, folder: Path
) -> None:
    """Film some samples, the real conductor first, with the music where the corpus holds it; draw the joint curves."""
    from ictus.audio import Audio
    from ictus.motion import Motion
    from ictus.skeleton import get_skeleton
    from ictus.stage.film import film
    from ictus.stage.plots import joint_curves

    def motion(positions: "NDArray[np.float32]") -> Motion:
        return Motion(positions, 30.0, get_skeleton("conductor-13"))

    for number in numbers:
        take, start = corpus.windows[number]
        real, mel = motion(take.motion(start, corpus.seconds)), take.mel(start, corpus.seconds)
        made = {_short(name): motion(conduct(mel, seed)) for name, conduct in models.items()}
        sound, music = None, take.folder / "music.flac"
        if music.exists():
            whole = Audio.load(music)
            sound = Audio(whole.samples[:, start * whole.rate : (start + corpus.seconds) * whole.rate], whole.rate)
        name = f"{take.folder.parent.name}-{take.folder.name}-{start}"
        film([real, *made.values()], sound, folder / f"{name}.mp4", captions=["real", *made])
        for model, generated in made.items():
            with writing(folder / f"{name}-{model}.png") as path:
                joint_curves(real, generated).savefig(path, format="png", dpi=100)


def _short(name: str) -> str:
    """Return a name for captions and files: RUN for RUN/model, as training leaves it."""
    path = Path(name)
    return path.parent.name if path.name == "model" and path.parent.name else path.name


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
