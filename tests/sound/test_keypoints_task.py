"""The keypoint encoder learns by its recipes, on a corpus in small."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import IctusError, UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.data.keypoint_windows import KeypointWindows
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.tasks.keypoints import KeypointsTask, KeypointsTaskConfig
from ictus.training.recipe import read_recipe
from sound.small_performances import write_performance
from task_steps import batches, learn, validated

RECIPES = Path(__file__).parents[2] / "recipes"


def write_player(folder: Path, instrument: str | None, speed: float, seed: int, frames: int = 150) -> None:
    """A player whose right hand swings at a speed of the instrument's own, somewhere in a picture of some size."""
    rng = np.random.default_rng(seed)
    pose = np.random.default_rng(99).uniform(-1, 1, (47, 2))
    pose[1], pose[4] = (-0.5, 0), (0.5, 0)
    places = np.repeat(pose[None], frames, 0) + rng.normal(0, 0.02, (frames, 47, 2))
    swing = 0.5 * np.sin(2 * np.pi * (speed * np.arange(frames) / 25 + rng.random()))
    places[:, 7:27, 0] += swing[:, None]
    places[:, 3, 0] += swing
    pixels = rng.uniform(50, 300) * places + rng.uniform(200, 900, 2)
    points = np.concatenate((pixels, np.full((frames, 47, 1), 0.8)), -1)
    write_performance(folder, instrument, keypoints=points, video=folder.name)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("players")
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            write_player(root / split / f"violin{number}", "violin", 3.0, number + 10 * count)
            write_player(root / split / f"horn{number}", "horn", 0.3, number + 20 * count)
    return root


def detached(task: KeypointsTask, batch: dict) -> list[tuple[str, torch.Tensor, dict]]:
    with torch.no_grad():
        return list(task.losses(batch, 0, 0))


def test_it_learns_movement_not_place(corpus: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = KeypointsTask(KeypointsTaskConfig(size="debug", lr=1e-2, frames=20, every=10), corpus)
    torch.manual_seed(0)
    optimizers, log = task.optimizers(), list[float]()
    for epoch in range(3):
        order = np.random.default_rng(epoch).permutation(len(task.samples))
        for batch in batches(task.train_set(epoch), 8, order):
            log += [values["loss"] for values in learn(optimizers, task.losses(batch, epoch, 0))]
    assert log[-1] < 0.6 * log[0]
    values = validated(task)
    recalls = {"recall/violin", "recall/horn"}
    assert set(values) == {"accuracy", "balanced_accuracy", "accuracy/commonest", "loss", *recalls}
    assert values["accuracy"] > 0.85
    assert values["accuracy/commonest"] == 0.5
    violin, horn = INSTRUMENTS.index("violin"), INSTRUMENTS.index("horn")
    assert task.confusion.sum() == task.confusion[[violin, horn]].sum() == 2 * 2 * 7 * 3  # three windows a stretch
    assert values["recall/horn"] == pytest.approx(task.confusion[horn, horn] / task.confusion[horn].sum())
    assert values["balanced_accuracy"] == pytest.approx((values["recall/horn"] + values["recall/violin"]) / 2)
    assert set(task.pictures(0)) == {"confusion"}
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = KeypointEncoder.from_pretrained(tmp_path / "model")
    assert loaded.metadata["instruments"] == list(INSTRUMENTS)
    assert loaded.metadata["art"] == "sound"


def test_published_optimiser_and_windows(corpus: Path) -> None:
    recipe = read_recipe(RECIPES / "keypoints-published.yaml", lambda name: KeypointsTaskConfig)
    assert recipe.task == "sound.keypoints"
    task = KeypointsTask(recipe.config, corpus)
    assert task.network.config == KeypointEncoder.sizes["paper"]
    (optimizer,) = task.optimizers().values()
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.01, 0.9, 0)
    training = recipe.training
    assert (training.batch, training.epochs, training.seed) == (64, 30, 123)
    assert [training.schedule(step, 100) for step in (0, 50, 99)] == [1, 1, 1]
    assert len(task.samples) == 8 * (150 - 13 + 1)
    batch = next(batches(task.samples, 3))
    task.network.eval()
    logits = task.network.classify(batch["keypoints"], padded=False)
    assert logits.shape == (3, 1, 6)
    points = torch.from_numpy(np.load(corpus / "train" / "horn0" / "keypoints.npy"))[None]
    torch.testing.assert_close(logits[:, 0], task.network.classify(points[:, :20])[0, 6:9], atol=1e-4, rtol=1e-4)


def test_our_recipe(corpus: Path) -> None:
    recipe = read_recipe(RECIPES / "keypoints.yaml", lambda name: KeypointsTaskConfig)
    assert (recipe.config.size, recipe.config.optimizer) == ("small", "adamw")
    task = KeypointsTask(recipe.config, corpus)
    assert type(next(iter(task.optimizers().values()))) is torch.optim.AdamW


def test_a_player_who_is_not_seen_teaches_nothing(corpus: Path) -> None:
    torch.manual_seed(0)
    task = KeypointsTask(KeypointsTaskConfig(size="debug"), corpus)
    task.network.eval()
    batch = next(batches(task.samples, 2))
    ((_, both, _),) = detached(task, batch)
    one = {key: value[:1] for key, value in batch.items()}
    ((_, first, _),) = detached(task, one)
    batch["keypoints"][1, :, [3, 6], 2] = 0  # neither wrist
    ((_, loss, values),) = detached(task, batch)
    assert float(loss) == pytest.approx(float(first) / 2, rel=1e-5)
    assert float(loss) < float(both)
    batch["keypoints"][..., 2] = 0
    ((_, loss, values),) = detached(task, batch)
    assert (float(loss), float(values["accuracy"])) == (0, 0)


def test_what_cannot_be_used_is_left_out_and_named(tmp_path: Path) -> None:
    write_player(tmp_path / "train" / "a", "flute", 1, 0, frames=40)
    write_player(tmp_path / "train" / "short", "flute", 1, 0, frames=20)
    write_player(tmp_path / "train" / "unknown", None, 1, 0)
    write_player(tmp_path / "train" / "other", "saxophone", 1, 0)
    write_player(tmp_path / "train" / "damaged", "horn", 1, 0)
    write_player(tmp_path / "train" / "wrong", "horn", 1, 0)
    (tmp_path / "train" / "damaged" / "keypoints.npy").write_bytes(b"nonsense")
    np.save(tmp_path / "train" / "wrong" / "keypoints.npy", np.zeros((50, 13, 2)))
    (tmp_path / "train" / "silent").mkdir()
    found = KeypointWindows(tmp_path, "train", 32, 4)
    assert [found[k]["name"] for k in range(len(found))] == ["train/a@0", "train/a@4", "train/a@8"]
    assert int(found[0]["instrument"]) == INSTRUMENTS.index("flute")
    assert [line.partition(": ")[0].rpartition("/")[0].rpartition("/")[2] for line in found.broken] == [
        "damaged",
        "wrong",
    ]
    points = np.load(tmp_path / "train" / "a" / "keypoints.npy")
    points[35, 0, 0] = np.nan
    np.save(tmp_path / "train" / "a" / "keypoints.npy", points)
    found[0]
    with pytest.raises(IctusError, match=r"keypoints\.npy: not finite between frames 4 and 36"):
        found[1]
    with pytest.raises(UsageError, match="val: no such folder"):
        KeypointWindows(tmp_path, "val", 32, 4)
    with pytest.raises(UsageError, match=r"holds no 999 frames of keypoints.*damaged.*and 1 more"):
        KeypointWindows(tmp_path, "train", 999, 4)


def test_wrong_settings_are_named(corpus: Path) -> None:
    with pytest.raises(UsageError, match="stretches of 0 frames"):
        KeypointsTaskConfig(frames=0)
    with pytest.raises(UsageError, match="frames is 14; a window has 15"):
        KeypointsTask(KeypointsTaskConfig(size="debug", frames=14), corpus)
