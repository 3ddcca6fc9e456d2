"""The networks of Dance with Melody learn by their recipes, on a corpus in small."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared_dances import write_melody

from ictus.dance.models.melody import MelodyAutoencoder
from ictus.dance.tasks.melody import MelodyTask, MelodyTaskConfig, index_of
from ictus.errors import UsageError
from ictus.registry import task_class
from ictus.training.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_melody(tmp_path_factory.mktemp("melody"))


def batches(samples, size: int = 8) -> Iterator[dict]:
    for start in range(0, len(samples), size):
        items = [samples[k] for k in range(start, min(start + size, len(samples)))]
        stacked = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in items[0] if key != "name"}
        yield {**stacked, "name": [item["name"] for item in items]}


@pytest.mark.parametrize("variant", ["lstm", "lstm-index", "lstm-mask", "autoencoder"])
def test_they_learn(corpus: Path, tmp_path: Path, variant: str) -> None:
    torch.manual_seed(0)
    task = MelodyTask(MelodyTaskConfig("debug", variant, lr=1e-2, frames=60, hop=30, threshold=0.001), corpus)
    (optimizer,) = task.optimizers().values()
    log: list[dict[str, float]] = []
    for step in range(25):
        ((_, loss, values),) = task.losses(next(batches(task.samples)), 0, step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log.append({name: float(value) for name, value in values.items()})
    assert all(log[-1][name] < 0.5 * log[0][name] for name in log[0])
    assert set(log[0]) == {"prediction", *(["extraction"] if variant == "autoencoder" else [])}
    task.network.eval()
    with torch.no_grad():
        values = task.validate(batches)
    assert set(values) == {"error", "error/mean_pose", *log[0]}
    task.export(tmp_path / "model", {})
    assert MelodyAutoencoder.from_pretrained(tmp_path / "model").config.variant == variant


def test_windows_keep_their_place_in_the_song(corpus: Path) -> None:
    task = MelodyTask(MelodyTaskConfig("debug", frames=120, hop=10), corpus)
    assert len(task.samples) == 4 * 19
    item = task.samples[3]
    whole = index_of(task.samples.dances[0])
    np.testing.assert_array_equal(item["index"], whole[30:150])
    np.testing.assert_array_equal(whole[:, 0], np.arange(300))
    beats = np.round(np.load(corpus / "train/dance0/beats.npy") * 25)
    np.testing.assert_array_equal(np.flatnonzero(whole[:, 1]), beats)


def test_below_the_threshold_the_extraction_is_not_pushed(corpus: Path) -> None:
    for threshold, pushed in ((1e3, False), (0.0, True)):
        task = MelodyTask(MelodyTaskConfig("debug", threshold=threshold), corpus)
        ((_, loss, values),) = task.losses(next(batches(task.samples)), 0, 0)
        loss.backward()
        assert any(p.grad.any() for p in task.network.decoder.parameters()) == pushed
        extraction = max(threshold, float(values["extraction"]))
        assert float(loss.detach()) == pytest.approx(extraction + float(values["prediction"]), rel=1e-5)


def test_errors_are_distances_of_joints(corpus: Path) -> None:
    task = MelodyTask(MelodyTaskConfig("debug"), corpus)
    task.network.eval()
    with torch.no_grad():
        values = task.validate(batches)
        (batch,) = batches(task.validation)
        predicted = task.network(batch["audio"], batch["index"]).view(-1, 21, 3)
    target = batch["motion"].view(-1, 21, 3)
    assert values["error"] == pytest.approx(float((predicted - target).norm(dim=-1).mean()), rel=1e-5)
    trained = np.concatenate([np.load(f).reshape(-1, 63) for f in sorted((corpus / "train").glob("*/motion.npy"))])
    still = np.linalg.norm((target.reshape(-1, 63).numpy() - trained.mean(0)).reshape(-1, 3), axis=-1).mean()
    assert values["error/mean_pose"] == pytest.approx(still, rel=1e-4)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match="threshold is -1"):
        MelodyTaskConfig(threshold=-1)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("melody", {}),
        ("melody-lstm", {"variant": "lstm"}),
        ("melody-index", {"variant": "lstm-index"}),
        ("melody-mask", {"variant": "lstm-mask"}),
        ("melody-dimension", {"grouping": "dimension"}),
        ("melody-z-score", {"scaling": "z-score"}),
        ("melody-no-overlap", {"hop": 120}),
    ],
)
def test_recipes(name: str, changed: dict) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda task: task_class(task).Config)
    expected = {"variant": "autoencoder", "grouping": "group", "scaling": "min-max", "lr": 1e-3, "hop": 10, **changed}
    assert {key: getattr(recipe.config, key) for key in expected} == expected
    assert recipe.training.batch == 10
