"""The classifier learns instruments by their sound, and takes nothing but what it should."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import AudioError, UsageError
from ictus.sound import INSTRUMENTS
from ictus.sound.models.instrument_classifier import InstrumentClassifier
from ictus.sound.tasks.instrument_classifier import (
    InstrumentClassifierTask,
    InstrumentClassifierTaskConfig,
    MelAugmentation,
)
from ictus.training.recipe import read_recipe
from sound.small_performances import write_performance
from task_steps import batches, learn, validated

RECIPE = Path(__file__).parents[2] / "recipes" / "instrument-classifier.yaml"


def timbre(instrument: int, frames: int, seed: int) -> np.ndarray:
    """A sound (T, 80) whose loud bands are those of the instrument, for the test's own sake."""
    rng = np.random.default_rng([seed, instrument])
    mel = rng.uniform(0.2, 0.3, (frames, 80))
    mel[:, 12 * instrument : 12 * instrument + 10] += rng.uniform(0.3, 0.4)
    return mel.astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("timbres")
    for split, count in (("train", 24), ("val", 12)):
        for number in range(count):
            mel = timbre(number % 6, 1272, number + 100 * (split == "val"))
            write_performance(root / split / f"{number:02d}", INSTRUMENTS[number % 6], mel=mel)
        write_performance(root / split / "unknown", "tuba", mel=timbre(0, 1300, 7))
    return root


def test_it_learns(corpus: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    task = InstrumentClassifierTask(InstrumentClassifierTaskConfig(size="debug", frames=64, lr=1e-2), corpus)
    before = validated(task)
    task.network.train()
    optimizers = task.optimizers()
    for step in range(20):
        order = torch.randperm(len(task.samples))[:16]
        learn(optimizers, task.losses(next(batches(task.samples, 16, order.tolist())), 0, step))
    after = validated(task)
    assert set(after) == {"ce", "accuracy", "accuracy/commonest", *(f"accuracy/{name}" for name in INSTRUMENTS)}
    assert after["accuracy/commonest"] == pytest.approx(1 / 6)
    assert before["accuracy"] < 0.5 < 0.9 < after["accuracy"]
    assert after["accuracy"] == pytest.approx(np.mean([after[f"accuracy/{name}"] for name in INSTRUMENTS]))
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = InstrumentClassifier.from_pretrained(tmp_path / "model")
    assert loaded.metadata["art"] == "sound"
    assert loaded.metadata["instruments"] == list(INSTRUMENTS)
    mel = torch.from_numpy(2 * timbre(3, 848, 5).T - 1)[None]
    torch.testing.assert_close(loaded(mel), task.network(mel))
    assert int(loaded(mel).argmax()) == 3


def test_unknown_instruments_are_left_out(corpus: Path, tmp_path: Path) -> None:
    task = InstrumentClassifierTask(InstrumentClassifierTaskConfig(size="debug"), corpus)
    names = {each.name for each, _ in (*task.samples.places, *task.validation_set.places)}
    assert len(names) == 36
    assert not any("unknown" in name for name in names)
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "unknown").symlink_to(corpus / split / "unknown")
    with pytest.raises(UsageError, match=r"train: no performance is of cello.*about\.json"):
        InstrumentClassifierTask(InstrumentClassifierTaskConfig(size="debug"), tmp_path)


def test_sizes() -> None:
    small = InstrumentClassifier.from_config("small")
    assert sum(parameter.numel() for parameter in small.parameters()) == 214_182 < 1e6
    features, logits = small.eval().extract(torch.zeros(2, 80, 848))
    assert features.shape == (2, 64)
    assert logits.shape == (2, 6)
    assert features.min() >= 0
    torch.testing.assert_close(small(torch.zeros(2, 80, 848)), logits)


def test_it_takes_all_of_the_time_and_each_sound_by_itself() -> None:
    torch.manual_seed(0)
    classifier = InstrumentClassifier.from_config("debug").eval()
    mel = torch.rand(3, 80, 160) * 2 - 1
    together = classifier.features(mel)
    torch.testing.assert_close(together[1:2], classifier.features(mel[1:2]))
    for frame in (0, 80, 159):
        changed = mel[:1].clone()
        changed[..., frame] += 1
        assert not torch.allclose(classifier.features(changed), together[:1], atol=1e-6)


@pytest.mark.parametrize("shape", [(80, 848), (1, 79, 848), (1, 80, 15)])
def test_what_is_no_mel_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match=r"\(B, 80, T\) needed, T 16 or more"):
        InstrumentClassifier.from_config("debug")(torch.zeros(shape))


def test_a_disguise_changes_the_recording_not_the_tune() -> None:
    torch.manual_seed(0)
    mel = torch.rand(64, 80, 100) - 0.5
    nothing = MelAugmentation(0, 0, 0, 0, 0)
    torch.testing.assert_close(nothing(mel), mel)
    gained = MelAugmentation(10, 0, 0, 0, 0)(mel) - mel
    torch.testing.assert_close(gained, gained[:, :1, :1].expand_as(gained), atol=1e-6, rtol=0)
    assert 0.1 < gained.abs().max() <= 10 / 50 + 1e-6  # 100 dB are 2
    tilted = MelAugmentation(0, 6, 0, 0, 0)(mel) - mel
    torch.testing.assert_close(tilted[:, 0], -tilted[:, -1], atol=1e-6, rtol=0)
    assert 0.05 < tilted.abs().max() <= 6 / 50 + 1e-6
    silenced = MelAugmentation(0, 0, 0, 8, 24)(mel) == -1
    bands, frames = silenced.all(2).sum(1), silenced.all(1).sum(1)
    assert 0 < bands.max() <= 9
    assert 0 < frames.max() <= 25
    assert len(set(bands.tolist())) > 3
    floored = MelAugmentation(0, 0, 25, 0, 0)(torch.full((64, 80, 100), -1.0))
    assert -1 < floored.max() <= -0.5
    with pytest.raises(UsageError, match="0 or more"):
        MelAugmentation(gain=-1)


def test_the_recipe_is_read() -> None:
    recipe = read_recipe(RECIPE, lambda name: InstrumentClassifierTask.Config)
    assert recipe.task == "sound.instrument_classifier"
    assert recipe.config == InstrumentClassifierTaskConfig(draws=4)
