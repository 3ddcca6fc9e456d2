"""Re-run what is written of Dance with Melody's network: variants, scales, windows and index, on one kind of dance.

    python scripts/melody_experiment.py DANCES WORK [--kind KIND] [--steps N] [--seeds 0 1] [-o CURVES.png] [--csv CSV]

DANCES: the corpus of Dance with Melody, see `ictus data inspect melody`. WORK: where the prepared corpus and the runs
go; what is there is kept, so that the command goes on where it stopped. It prints the table of
docs/systems/dance-with-melody.md. One CPU core takes half an hour.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ictus.dance.data import melody_preparation
from ictus.dance.data.dataset import MELODY, PreparedDance, scan_dances
from ictus.dance.models.melody import BEAT, MelodyAutoencoder
from ictus.dance.tasks.melody import MelodyTask, MelodyTaskConfig, index_of
from ictus.registry import task_class
from ictus.render.plot_style import INK, new_figure, save_on_paper, styled
from ictus.training.loop import fit
from ictus.training.parallel import launch, part
from ictus.training.recipe import Recipe, read_recipe

Array = NDArray[np.float32]
Frames = dict[str, Any]  # "audio" (T, 16), "index" (T, 3), "motion" (T, 63), "name"
RECIPES = Path(__file__).parents[1] / "recipes"
EVERY = 214  # steps from one measurement to the next: an epoch of windows that overlap
BATCH = 64  # windows that are measured at a time
ERRORS = {"train": "training windows", "held_out": "held-out windows", "song": "whole training songs"}


@dataclass(frozen=True)
class Arm:
    """A network of the table: its name and recipe, and what is changed beside it.

    `counted`: the index is not scaled. `displaced`: each dance has its music from another place of the song.
    """

    name: str
    recipe: str
    counted: bool = False
    displaced: bool = False

    def folder(self, place: Path, seed: int) -> Path:
        """Return where its run lies."""
        return place / f"{self.name.replace(', ', '-').replace(' ', '-')}-{seed}"


ARMS = (
    Arm("LSTM", "melody-lstm"),
    Arm("LSTM, index", "melody-index"),
    Arm("LSTM, index, mask", "melody-mask"),
    Arm("autoencoder, index, mask", "melody"),
    Arm("autoencoder, index, no mask", "melody-unmasked"),
    Arm("by dimension", "melody-dimension"),
    Arm("z-score", "melody-z-score"),
    Arm("no overlap", "melody-no-overlap"),
    Arm("index not scaled", "melody", counted=True),
    Arm("music not aligned", "melody", displaced=True),
)
PUBLISHED = ARMS[3]
PANELS = (ARMS[:5], (PUBLISHED, *ARMS[5:]))


class MeasuredTask(MelodyTask):
    """The task of a recipe with all windows in memory; its validation is what the table holds, metres."""

    def __init__(self, config: MelodyTaskConfig, corpus: Path, arm: Arm) -> None:
        super().__init__(config, corpus)
        if arm.counted:
            self.network.index_scale.scale.fill_(1.0)
        train, held_out = songs_of(corpus, "train"), songs_of(corpus, "val") + songs_of(corpus, "test")
        if arm.displaced:
            places = np.random.default_rng(0)
            train, held_out = ([displaced(song, places) for song in songs] for songs in (train, held_out))
        self.samples: Any = cut(train, config.frames, config.hop)
        self.measured = {
            "train": cut(train, config.frames, config.frames),
            "held_out": cut(held_out, config.frames, config.frames),
            "song": train,
            "held_out_song": held_out,
        }

    def validate(self, batches: object) -> dict[str, float]:
        """Return the errors, each beside those of the mean pose and with other music; and how jerky the dance is."""
        values: dict[str, float] = {}
        for name, some in self.measured.items():
            danced, other = dance(self.network, some), dance(self.network, with_other_music(some))
            still = [np.broadcast_to(self.mean_pose.numpy(), item["motion"].shape) for item in some]
            for control, motions in (("", danced), ("/other_music", other), ("/mean_pose", still)):
                values[name + control] = distance(motions, [item["motion"] for item in some])
            if name == "song":
                true, made = jerks([item["motion"] for item in some], some), jerks(danced, some)
                values |= {"jerk/within_beats": made[0] / true[0], "jerk/on_beats": made[1] / true[1]}
        return {"error": values["held_out"], **values}


def songs_of(corpus: Path, split: str) -> list[Frames]:
    """Read all dances of a split."""

    def read(dance: PreparedDance) -> Frames:
        return {kind: dance.read(kind) for kind in ("audio", "motion")} | {"index": index_of(dance), "name": dance.name}

    return [read(dance) for dance in scan_dances(corpus, split, MELODY).dances]


def cut(songs: Sequence[Frames], frames: int, hop: int) -> list[Frames]:
    """Cut windows; each keeps its place in the song."""
    kinds = ("audio", "motion", "index")
    return [
        {kind: song[kind][at : at + frames] for kind in kinds} | {"name": f"{song['name']}@{at}"}
        for song in songs
        for at in range(0, len(song["motion"]) - frames + 1, hop)
    ]


def with_music(item: Frames, audio: Array, beats: Array) -> Frames:
    """Return frames to other sound (T, 16) and beats (T, 2); their place in the song stays."""
    count = len(item["motion"])
    music = np.resize(audio, (count, audio.shape[1]))  # from its beginning again where it is too short
    place = item["index"][:, :1]
    return {**item, "audio": music, "index": np.column_stack([place, np.resize(beats, (count, 2))])}


def with_other_music(items: Sequence[Frames]) -> list[Frames]:
    """Give each the music of the one that is half of them away: of another song."""
    others = [items[(k + len(items) // 2) % len(items)] for k in range(len(items))]
    return [with_music(a, b["audio"], b["index"][:, BEAT:]) for a, b in zip(items, others, strict=True)]


def displaced(song: Frames, places: np.random.Generator) -> Frames:
    """Move the music of a song against its dance, by a quarter of it to three quarters."""
    by = int(places.uniform(0.25, 0.75) * len(song["motion"]))
    return with_music(song, np.roll(song["audio"], by, 0), np.roll(song["index"][:, BEAT:], by, 0))


def dance(network: MelodyAutoencoder, items: Sequence[Frames]) -> list[Array]:
    """Dance each in one pass, (T, 63); those beside each other are padded at the end, which the past does not see."""
    made: list[Array] = []
    for k in range(0, len(items), BATCH):
        some = items[k : k + BATCH]
        audio, index = (
            torch.nn.utils.rnn.pad_sequence([torch.from_numpy(item[kind]) for item in some], batch_first=True)
            for kind in ("audio", "index")
        )
        motions = network(audio, index).numpy()
        made += [motion[: len(item["motion"])] for motion, item in zip(motions, some, strict=True)]
    return made


def distance(made: Sequence[Array], true: Sequence[Array]) -> float:
    """Return the mean distance of the joints, over all frames."""
    apart = np.concatenate(made) - np.concatenate(true)
    return float(np.linalg.norm(apart.reshape(-1, 21, 3), axis=-1).mean())


def jerks(motions: Sequence[Array], items: Sequence[Frames]) -> tuple[float, float]:
    """Return the mean acceleration of the joints within the beats, and on their first frames and one beside these."""
    within, on = [], []
    for motion, item in zip(motions, items, strict=True):
        acceleration = np.linalg.norm(np.diff(motion.reshape(-1, 21, 3), n=2, axis=0), axis=-1).mean(1)
        beat = item["index"][:, BEAT] > 0
        near = beat[:-2] | beat[1:-1] | beat[2:]
        within.append(acceleration[~near])
        on.append(acceleration[near])
    return float(np.concatenate(within).mean()), float(np.concatenate(on).mean())


def prepared(dances: Path, kind: Any, corpus: Path) -> Path:
    """Prepare the dances of a kind, as `ictus data prepare melody --kind` does."""
    jobs, lines = melody_preparation.plan(dances, corpus, kind=kind)
    for job in jobs:
        lines += melody_preparation.prepare_recording(job).failures
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return corpus


def recipe_of(arm: Arm, steps: int, seed: int) -> Recipe:
    """Return an arm's recipe at this length."""
    length = (f"training.steps={steps}", "training.epochs=100000", f"training.seed={seed}")
    quiet = ("training.validate_first=false", "training.workers=0", "training.log_every=1000")
    return read_recipe(RECIPES / f"{arm.recipe}.yaml", lambda task: task_class(task).Config, length + quiet)


def run(fabric: Fabric, arm: Arm, corpus: Path, out: Path, steps: int, seed: int) -> list[dict[str, float]]:
    """Train an arm, or go on with it; return its measurements, each with its "step"."""
    recipe = recipe_of(arm, steps, seed)
    windows = len(cut(songs_of(corpus, "train"), recipe.config.frames, recipe.config.hop))
    every = max(1, round(EVERY / (windows // recipe.training.batch)))
    recipe = replace(recipe, training=replace(recipe.training, validate_every=every))
    fit(fabric, partial(MeasuredTask, recipe.config, corpus, arm), recipe, out, resume=True)
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{"step": row["step"], **row["validation"]} for row in rows if "validation" in row]


def as_markdown(runs: dict[Arm, list[list[dict[str, float]]]]) -> str:
    """Return the table of the last values: errors in parts of the mean pose's, accelerations of the truth's."""
    heads = [
        *("", *ERRORS.values(), "held out, other music", "whole songs, other music"),
        *("acceleration within beats", "on beats", "held out at its best, step"),
    ]
    lines = [heads, ["---"] * len(heads)]
    for arm, seeds in runs.items():
        lasts = [rows[-1] for rows in seeds]
        ratios = [
            " / ".join(f"{last[name] / last[name.split('/')[0] + '/mean_pose']:.2f}" for last in lasts)
            for name in (*ERRORS, "held_out/other_music", "song/other_music")
        ]
        jerky = [" / ".join(f"{last[name]:.2f}" for last in lasts) for name in ("jerk/within_beats", "jerk/on_beats")]
        bests = [min(rows, key=lambda row: row["held_out"]) for rows in seeds]
        best = " / ".join(f"{row['held_out'] / row['held_out/mean_pose']:.2f}, {row['step']:.0f}" for row in bests)
        lines.append([arm.name, *ratios, *jerky, best])
    pose = next(iter(runs.values()))[0][-1]
    metres = [f"{pose[f'{name}/mean_pose']:.4f} m" for name in ERRORS]
    lines.append(["the mean pose", *metres, *["-"] * (len(heads) - 1 - len(metres))])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@styled
def curves(runs: dict[Arm, list[list[dict[str, float]]]]) -> Figure:
    """Plot the three errors over the steps: variants above, what is done with the data below; a line for each seed."""
    import matplotlib as mpl

    figure, grid = new_figure(len(PANELS), len(ERRORS), (9, 5.4), sharex=True, sharey=True, squeeze=False)
    for cells, arms in zip(grid, PANELS, strict=True):
        for cell, (name, title) in zip(cells, ERRORS.items(), strict=True):
            for arm, colour in zip(arms, mpl.colormaps["Dark2"].colors, strict=False):
                for number, rows in enumerate(runs.get(arm, [])):
                    errors = [row[name] / row[f"{name}/mean_pose"] for row in rows]
                    style = {"color": INK if arm == PUBLISHED else colour, "alpha": 0.6 if number else 1.0}
                    label = None if number else arm.name
                    cell.plot([row["step"] for row in rows], errors, linewidth=1, label=label, **style)
            cell.axhline(1.0, color=INK, linewidth=0.8, linestyle=":")
            cell.set_title(title, loc="left")
        cells[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.supxlabel("steps")
    figure.supylabel("error / error of the mean pose")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dances", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--kind", default="waltz")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()

    place = options.work / options.kind
    corpus = prepared(options.dances, options.kind, place / "corpus")
    fabric = launch(recipe_of(PUBLISHED, options.steps, 0).training, accelerator="cpu")
    runs: dict[Arm, list[list[dict[str, float]]]] = {arm: [] for arm in ARMS}
    for seed in options.seeds:
        for arm in ARMS:
            runs[arm].append(run(fabric, arm, corpus, arm.folder(place, seed), options.steps, seed))
    part()
    sys.stdout.write(as_markdown(runs))
    if options.out:
        save_on_paper(curves(runs), options.out)
    if options.csv:
        rows = [
            {"network": arm.name, "seed": seed, **row}
            for arm, seeds in runs.items()
            for seed, measured in zip(options.seeds, seeds, strict=True)
            for row in measured
        ]
        with options.csv.open("w", newline="") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
