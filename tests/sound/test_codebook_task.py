"""The codebook learns by its recipes, from a corpus in small; and says so when it cannot."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import IctusError, UsageError
from ictus.sound.models.codebook import SpectrogramCodebook
from ictus.sound.models.patch_discriminator import PatchDiscriminator
from ictus.sound.tasks.codebook import CodebookTask, CodebookTaskConfig, block_means, draw_spectrograms, louder
from ictus.training.recipe import read_recipe
from sound.small_performances import write_performance
from task_steps import batches, learn, validated

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Steady tones: each of 4 performances has one band that sounds, changing every 32 frames."""
    root, rng = tmp_path_factory.mktemp("mels"), np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            tones = rng.integers(0, 80, 27).repeat(32)[:848]
            mel = 0.2 + 0.6 * (np.abs(np.arange(80) - tones[:, None]) < 4)
            write_performance(root / split / str(number), "horn", mel=mel)
    return root


def task(corpus: Path, **changes) -> CodebookTask:
    torch.manual_seed(0)
    return CodebookTask(CodebookTaskConfig(**{"size": "debug", "frames": 160, "adversarial": 0.0, **changes}), corpus)


def test_it_learns(corpus: Path, tmp_path: Path) -> None:
    made = task(corpus, lr=8e-3, betas=(0.9, 0.99), frames=96)
    optimizers = made.optimizers()
    assert set(optimizers) == {"network"}
    log = [learn(optimizers, made.losses(next(batches(made.samples)), 0, step))[0]["l1"] for step in range(25)]
    assert log[-1] < 0.6 * log[0]
    assert made.monitor[0] in validated(made)
    assert set(made.pictures(0)) == {"reconstructions"}
    made.export(tmp_path / "model", {"step": 40})
    again = SpectrogramCodebook.from_pretrained(tmp_path / "model")
    assert again.metadata["art"] == "sound"
    assert again.metadata["step"] == 40


def test_validation_measures_on_the_scale_of_mel80(corpus: Path) -> None:
    made = task(corpus)
    values = validated(made, lambda samples: batches(samples, 1))
    mels = [np.load(file).T.astype(float) for file in sorted(corpus.glob("val/*/mel.npy"))]  # (80, 848)
    blocks = [np.abs(m - m.reshape(5, 16, 53, 16).mean((1, 3)).repeat(16, 0).repeat(16, 1)).mean() for m in mels]
    bands = [np.abs(m - m.mean(1, keepdims=True)).mean() for m in mels]
    errors, codes = [], []
    for m in mels:
        x = torch.from_numpy(2 * m - 1).float()[None]
        errors.append(np.abs(made.network.reconstruct(x).numpy()[0] / 2 + 0.5 - m).mean())
        codes.append(made.network.encode(x).flatten())
    assert values["l1/blocks"] == pytest.approx(np.mean(blocks), rel=1e-4)
    assert values["l1/bands"] == pytest.approx(np.mean(bands), rel=1e-4)
    assert values["l1"] == pytest.approx(np.mean(errors), rel=1e-4)
    shares = torch.bincount(torch.cat(codes), minlength=16) / 530
    assert values["usage"] == pytest.approx(float((shares > 0).float().mean()))
    entropy = -sum(float(s) * np.log(float(s)) for s in shares if s > 0)
    assert values["perplexity"] == pytest.approx(np.exp(entropy), rel=1e-4)


def test_the_discriminator_begins_at_its_step_and_learns_from_both(corpus: Path) -> None:
    made = task(corpus, adversarial=0.8, discriminator_start=5)
    batch = next(batches(made.samples))
    assert set(made.networks) == set(made.optimizers()) == {"network", "critic"}
    assert [name for name, _, _ in made.losses(batch, 0, 4)] == ["network"]
    losses = made.losses(batch, 0, 5)
    name, loss, values = next(losses)
    assert name == "network"
    expected = 2 * values["l1"] + values["codebook"] + 0.8 * values["adversarial"]
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    loss.backward()
    made.network.zero_grad()
    made.discriminator.zero_grad()
    name, loss, values = next(losses)
    loss.backward()
    assert name == "critic"
    assert all(p.grad is not None for p in made.discriminator.parameters())
    assert all(p.grad is None for p in made.network.parameters())
    assert next(losses, None) is None


def test_the_discriminator_knows_real_from_decoded(corpus: Path) -> None:
    """Hinge loss: 1 for a discriminator that sees no difference, less for one that does."""
    made = task(corpus, adversarial=0.8, discriminator_start=0, lr=2e-3)
    optimizers = made.optimizers()
    log = [
        learn(optimizers, made.losses(next(batches(made.samples)), 0, 0), only="critic")[0]["discriminator"]
        for _ in range(15)
    ]
    assert log[0] == pytest.approx(1, abs=0.1)
    assert log[-1] < 0.7


def test_the_adaptive_weight_evens_the_gradients_of_the_last_layer(corpus: Path) -> None:
    made = task(corpus, adversarial=0.8, discriminator_start=0, adaptive=True)
    _, _, values = next(made.losses(batch := next(batches(made.samples)), 0, 0))
    again = task(corpus, adversarial=0.8, discriminator_start=0)
    mel = again.network(batch["mel"])[0]
    last = again.network.decoder.last.weight
    (of_error,) = torch.autograd.grad((mel - batch["mel"]).abs().mean(), last, retain_graph=True)
    (of_discriminator,) = torch.autograd.grad(-again.discriminator(mel).mean(), last)
    assert float(values["weight"]) == pytest.approx(float(of_error.norm() / of_discriminator.norm()), rel=0.05)


def test_the_discriminator_is_exported_beside(corpus: Path, tmp_path: Path) -> None:
    task(corpus, adversarial=0.5).export(tmp_path, {})
    assert PatchDiscriminator.from_pretrained(tmp_path / "critic").config.channels == 4


def test_a_collapsed_codebook_stops_the_training_with_advice(corpus: Path) -> None:
    made = task(corpus, collapse=2.0, patience=3)
    batch = next(batches(made.samples))
    with torch.no_grad():
        made.network.quantizer.vectors.copy_(1e3 + torch.arange(16.0)[:, None])  # code 0 is always the nearest
    for step in range(2):
        next(made.losses(batch, 0, step))
    with pytest.raises(IctusError, match=r"step 2: for 3 steps.* of 16 codes.*collapsed\. Lower lr"):
        next(made.losses(batch, 0, 2))


def test_good_steps_are_forgiven(corpus: Path) -> None:
    made = task(corpus, collapse=2.0, patience=2)
    for used in (1.0, 5.0, 1.0, 3.0, 1.0):
        made._watch(0, used)


def test_blocks_at_the_edge() -> None:
    x = torch.rand(2, 80, 40, generator=torch.Generator().manual_seed(0))
    made = block_means(x)
    assert made.shape == x.shape
    torch.testing.assert_close(made[:, 16:32, 32:], x[:, 16:32, 32:].mean((1, 2), keepdim=True).expand(2, 16, 8))


def test_louder() -> None:
    torch.manual_seed(0)
    x = torch.full((500, 80, 2), -0.5)
    made = 50 * (louder(x, 6.0) - x)  # decibels
    assert torch.equal(made, made[:, :1, :1].expand_as(made))
    assert -6.01 < float(made.min()) < -5.5
    assert 5.5 < float(made.max()) < 6.01
    assert louder(x, 0.0) is x
    assert float(louder(torch.ones(9, 80, 2), 6.0).max()) <= 1


def test_pictures_show_low_bands_below() -> None:
    mel = torch.full((80, 20), -1.0)
    figure = draw_spectrograms([(mel, mel)])
    original, decoded = figure.axes
    assert original.get_ylim()[0] < original.get_ylim()[1]
    assert (original.get_ylabel(), decoded.get_ylabel()) == ("original", "decoded")


@pytest.mark.parametrize(
    "wrong", [{"frames": 100}, {"frames": 0}, {"gain": -1.0}, {"adversarial": -1.0}, {"patience": 0}]
)
def test_wrong_settings(wrong: dict) -> None:
    with pytest.raises(UsageError):
        CodebookTaskConfig(**wrong)


def test_more_codes_by_the_recipe(corpus: Path) -> None:
    assert task(corpus, codes=20).network.config.codes == 20


@pytest.mark.parametrize(
    ("name", "expected", "batch"),
    [
        (
            "codebook",
            {"size": "paper", "lr": 3e-6, "betas": (0.5, 0.9), "adversarial": 0.8, "discriminator_start": 2001},
            3,
        ),
        ("codebook-small", {"size": "small", "adversarial": 0}, 8),
    ],
)
def test_recipes(name: str, expected: dict, batch: int) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda _: CodebookTaskConfig)
    assert recipe.task == "sound.codebook"
    assert {key: getattr(recipe.config, key) for key in expected} == expected
    assert recipe.training.batch == batch
