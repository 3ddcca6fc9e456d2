"""DanceRevolution: what each frame follows from, and that it learns a dance by its recipes."""

from pathlib import Path

import pytest
import torch
from prepared_dances import write_one_of_aist
from torch import Tensor

from ictus.dance.models import dance_revolution
from ictus.dance.models.dance_revolution import DanceRevolution, DanceRevolutionConfig
from ictus.dance.tasks.dance_revolution import DanceRevolutionTask, DanceRevolutionTaskConfig, curriculum
from ictus.errors import ModelError, UsageError
from ictus.registry import task_class
from ictus.training.recipe import read_recipe
from task_steps import batches, learn, validated
from tolerance import close

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def network() -> DanceRevolution:
    torch.manual_seed(0)
    network = DanceRevolution.from_config("debug").eval()
    network.fit_scales(torch.randn(50, 72), torch.randn(50, 35))
    return network


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(before: Tensor, after: Tensor) -> list[int]:
    """Return the frames that differ."""
    return (before - after).abs().amax((0, 2)).gt(1e-6).nonzero()[:, 0].tolist()


def test_published_sizes() -> None:
    with torch.device("meta"):
        network = DanceRevolution(DanceRevolutionConfig())
    lstm = [tuple(weight.shape) for name, weight in network.lstm.named_parameters() if name.startswith("weight")]
    assert lstm == [(4096, 72), (4096, 1024), (4096, 1024), (4096, 1024), (4096, 1024), (4096, 1024)]
    assert network.encoder.blocks[0].attention.qkv.weight.shape == (3 * 8 * 64, 200)
    assert len(network.encoder.blocks) == 2
    assert network.head.weight.shape == (72, 1024 + 200)
    assert sum(weight.numel() for weight in network.parameters()) == 23_034_512


def test_a_frame_follows_from_those_before_it_and_from_the_music_around_it(network: DanceRevolution) -> None:
    motion, audio = drawn(1, 30, 72), drawn(1, 30, 35)
    with torch.inference_mode():
        predicted = network(motion, audio)
        motion[:, 12] += 1
        assert changed(network(motion, audio), predicted) == list(range(13, 30))
        motion[:, 12] -= 1
        audio[:, 12] += 1
        assert changed(network(motion, audio), predicted) == list(range(7, 18))  # one block, five frames to each side


def test_music_is_encoded_in_chunks_as_in_one(network: DanceRevolution, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = drawn(2, 100, 35)
    whole = network.encode(audio)
    monkeypatch.setattr(dance_revolution, "_CHUNK", 13)
    close(network.encode(audio), whole, layers=3)


def test_it_goes_on_from_its_own_frames(network: DanceRevolution) -> None:
    audio, shares = drawn(2, 40, 35), []
    made = network.generate(audio, progress=shares.append)
    assert made.shape == (2, 40, 72)
    close(network(made, audio), made, layers=40)
    assert (shares[-1], shares) == (1, sorted(shares))
    first, again, other = (network.generate(audio, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.01
    with pytest.raises(UsageError, match="audio"):
        network.generate(audio[..., :34])


def test_the_curriculum() -> None:
    assert curriculum(8, 0, 3) == [False] * 8
    assert curriculum(8, 2, 3) == [True, True, False, False, False, True, True, False]
    assert curriculum(3, 9, 1) == [True] * 3


def test_mixed_frames_are_those_of_a_loop(network: DanceRevolution) -> None:
    """What is done in stretches is what one frame after the other would be."""
    encoded, motion, own = network.encode(drawn(2, 12, 35)), drawn(2, 12, 72), curriculum(12, 2, 3)
    made, _ = network.unroll(encoded, motion, own)
    frames, state, before = [], None, torch.zeros(2, 1, 72)
    for at in range(12):
        inputs = before if own[at] or at == 0 else motion[:, at - 1 : at]
        y, state = network.lstm(network.pose_embedding(inputs), state)
        before = network.head(torch.cat((y, encoded[:, at : at + 1]), -1))
        frames.append(before)
    close(made, torch.cat(frames, 1), layers=12)


def test_it_learns_a_dance(tmp_path: Path) -> None:
    torch.manual_seed(0)
    root = write_one_of_aist(tmp_path / "corpus", frames=244)
    task = DanceRevolutionTask(DanceRevolutionTaskConfig("debug", lr=1e-2, frames=60, hop=60, growth=0.5), root)
    optimizers = task.optimizers()
    for epoch in range(150):
        for batch in batches(task.samples):
            learn(optimizers, task.losses(batch, epoch, epoch))
    values = validated(task)
    assert set(values) == {"rollout", "rollout/other_music", "rollout/mean_pose", "error", "error/still"}
    assert values["rollout"] < 0.5 * values["rollout/mean_pose"]
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = DanceRevolution.from_pretrained(tmp_path / "model")
    assert loaded.config == task.network.config
    audio = drawn(1, 20, 35)
    assert torch.equal(loaded.generate(audio), task.network.generate(audio))


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match="rate is 25"):
        DanceRevolutionConfig(rate=25)
    with pytest.raises(ModelError, match="dropout is 1"):
        DanceRevolutionConfig(dropout=1.0)
    with pytest.raises(ModelError, match="sizes"):
        DanceRevolutionConfig(width=9)
    with pytest.raises(UsageError, match="given is 0"):
        DanceRevolutionTaskConfig(given=0)


@pytest.mark.parametrize("name", ["dance-revolution", "dance-revolution-small"])
def test_recipes(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda task: task_class(task).Config)
    assert isinstance(recipe.config, DanceRevolutionTaskConfig)
    if name == "dance-revolution":
        config = recipe.config
        assert (config.size, config.lr, config.given, config.growth) == ("paper", 1e-4, 10, 0.01)
        assert (config.frames, recipe.training.batch) == (420, 32)
