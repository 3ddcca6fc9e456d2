"""The two-stream motion transformer: bins, what each frame follows from, and that it learns a dance by its recipes."""

from pathlib import Path

import pytest
import torch
from prepared_dances import write_one_of_aist
from torch import Tensor

from ictus.dance.models.two_stream_motion_transformer import (
    TwoStreamMotionTransformer,
    TwoStreamMotionTransformerConfig,
)
from ictus.dance.tasks.two_stream_motion_transformer import (
    TwoStreamMotionTransformerTask,
    TwoStreamMotionTransformerTaskConfig,
)
from ictus.errors import ModelError, MotionError, UsageError
from ictus.registry import task_class
from ictus.training.recipe import read_recipe
from task_steps import batches, learn, validated
from tolerance import close

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def network() -> TwoStreamMotionTransformer:
    torch.manual_seed(0)
    network = TwoStreamMotionTransformer.from_config("debug").eval()
    network.fit_scales(torch.randn(50, 72), torch.randn(50, 35))
    for parameter in network.parameters():  # far from where nothing depends on anything
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(before: Tensor, after: Tensor) -> list[int]:
    """Return the frames that differ."""
    return (before - after).abs().amax((0, 2, 3)).gt(1e-5).nonzero()[:, 0].tolist()


def test_published_sizes() -> None:
    with torch.device("meta"):
        network = TwoStreamMotionTransformer(TwoStreamMotionTransformerConfig())
    for stream in (network.pose_stream, network.audio_stream):
        assert len(stream.blocks) == 4
        assert stream.blocks[0].attention.qkv.weight.shape == (3 * 4 * 128, 128)
    assert network.places.weight.shape == (72 * 300, 10)
    assert network.head.weight.shape == (300, 10)
    assert network.pose_embedding.weight.shape == (128, 720)


def test_numbers_are_sorted_into_bins(network: TwoStreamMotionTransformer) -> None:
    low, high, bins = network.low, network.high, network.config.bins
    steps = torch.linspace(0, 1, bins + 1)[:-1, None]
    motion = low + (steps + 0.3 / bins) * (high - low)  # (bins, 72)
    assert torch.equal(network.sort(motion), torch.arange(bins)[:, None].expand(-1, 72))
    assert torch.equal(network.sort(torch.stack((low - 1, high + 1))), torch.tensor([[0], [bins - 1]]).expand(-1, 72))
    middle = network.middle(network.sort(motion))
    close(middle, low + (steps + 0.5 / bins) * (high - low), layers=4)
    with pytest.raises(MotionError, match="not finite"):
        network.sort(torch.full((1, 72), torch.nan))


def test_a_frame_follows_from_those_before_it_and_from_the_music_up_to_it(network: TwoStreamMotionTransformer) -> None:
    motion, audio = drawn(1, 30, 72), drawn(1, 30, 35)
    with torch.inference_mode():
        logits = network(motion, audio)
        assert logits.shape == (1, 30, 72, network.config.bins)
        other = motion.clone()
        other[:, 12] = -other[:, 12]
        assert changed(network(other, audio), logits) == list(range(13, 30))
        other = audio.clone()
        other[:, 12] += 1
        assert changed(network(motion, other), logits) == list(range(12, 30))
        with pytest.raises(ModelError, match="41 tokens"):
            network(drawn(1, 41, 72), drawn(1, 41, 35))


def test_it_goes_on_from_its_own_frames(network: TwoStreamMotionTransformer) -> None:
    audio, shares = drawn(2, 40, 35), []
    made = network.generate(audio, progress=shares.append)
    with torch.inference_mode():
        likeliest = network.middle(network(made, audio).argmax(-1))
    close(likeliest, made, layers=4)
    assert (shares[-1], shares) == (1, sorted(shares))
    first, again, other = (network.generate(audio, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with pytest.raises(UsageError, match="audio"):
        network.generate(audio[..., :34])


def test_a_long_dance_goes_on_from_the_second_half_of_the_context(network: TwoStreamMotionTransformer) -> None:
    audio = drawn(1, 70, 35)
    made = network.generate(audio)
    assert torch.equal(made[:, :40], network.generate(audio[:, :40]))
    kept = made[:, 20:60] - made[:, 20:21] * torch.tensor([1, 0, 1] + [0] * 69)
    with torch.inference_mode():
        likeliest = network.middle(network(kept, audio[:, 20:60]).argmax(-1))
    close(likeliest[:, 20:], kept[:, 20:], layers=4)


def test_numbers_are_drawn_as_likely_as_predicted(network: TwoStreamMotionTransformer) -> None:
    audio = drawn(1, 1, 35)
    with torch.inference_mode():
        likely = network(torch.zeros(1, 1, 72), audio)[0, 0].softmax(-1)  # (72, bins)
    dances = network.generate(audio.expand(4000, -1, -1), torch.Generator().manual_seed(0))
    found = torch.nn.functional.one_hot(network.sort(dances)[:, 0], network.config.bins).float().mean(0)
    assert (found - likely).abs().max() < 0.04


def test_it_learns_a_dance(tmp_path: Path) -> None:
    torch.manual_seed(0)
    root = write_one_of_aist(tmp_path / "corpus", frames=200)
    task = TwoStreamMotionTransformerTask(TwoStreamMotionTransformerTaskConfig("debug", lr=1e-2), root)
    optimizers = task.optimizers()
    for step in range(100):
        for batch in batches(task.samples):
            learn(optimizers, task.losses(batch, 0, step))
    values = validated(task)
    assert set(values) == {"entropy", "entropy/other_music", "entropy/frequencies"}
    assert values["entropy"] < 0.5 * values["entropy/frequencies"]
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = TwoStreamMotionTransformer.from_pretrained(tmp_path / "model")
    assert loaded.config == task.network.config
    audio = drawn(1, 20, 35)
    assert torch.equal(loaded.generate(audio), task.network.generate(audio))


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match="rate is 25"):
        TwoStreamMotionTransformerConfig(rate=25)
    with pytest.raises(ModelError, match="dropout is 1"):
        TwoStreamMotionTransformerConfig(dropout=1.0)
    with pytest.raises(ModelError, match="bins"):
        TwoStreamMotionTransformerConfig(bins=1)


@pytest.mark.parametrize("name", ["two-stream-motion-transformer", "two-stream-motion-transformer-small"])
def test_recipes(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda task: task_class(task).Config)
    assert isinstance(recipe.config, TwoStreamMotionTransformerTaskConfig)
    if recipe.config.size == "paper":
        assert (recipe.config.lr, recipe.training.batch) == (1e-4, 32)
        rate = [recipe.training.schedule(step, 60_000) for step in (0, 24_000, 48_000)]
        assert rate == pytest.approx([1, 0.1, 0.01])
