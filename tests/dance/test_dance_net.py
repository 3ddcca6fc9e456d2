"""DanceNet: what each frame follows from, its Gaussians, and that it learns a dance by its recipes."""

from pathlib import Path

import pytest
import torch
from prepared_dances import write_one_of_aist
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from ictus.dance.models.dance_net import DanceNet, DanceNetConfig, Mixture
from ictus.dance.tasks.dance_net import DanceNetTask, DanceNetTaskConfig
from ictus.errors import ModelError, UsageError
from ictus.registry import task_class
from ictus.training.recipe import read_recipe
from task_steps import batches, learn, validated
from tolerance import close

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def network() -> DanceNet:
    torch.manual_seed(0)
    network = DanceNet.from_config("debug").eval()
    network.fit_scales(torch.randn(50, 148), torch.randn(50, 35))
    for block in network.blocks:  # the farthest frame counts for as much as the nearest
        torch.nn.init.constant_(block.each.weight, 1.0)
    return network


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def changed(before: Tensor, after: Tensor) -> list[int]:
    """Return the frames that differ."""
    return (before - after).abs().amax((0, 2, 3)).gt(1e-7).nonzero()[:, 0].tolist()


def test_sizes() -> None:
    with torch.device("meta"):
        network = DanceNet(DanceNetConfig())
    assert [block.before for block in network.blocks] == [1, 2, 4, 8, 16, 32, 64, 128] * 2
    assert network.config.reach == 511
    assert DanceNet.sizes["debug"].reach == 8


def test_a_frame_follows_from_those_within_reach_and_from_all_music(network: DanceNet) -> None:
    motion, audio = drawn(1, 30, 148), drawn(1, 30, 35)
    with torch.inference_mode():
        mean = network(motion, audio).mean
        assert mean.shape == (1, 30, 2, 148)
        other = motion.clone()
        other[:, 12] += 1
        assert changed(network(other, audio).mean, mean) == list(range(13, 21))  # the reach is 8
        other = audio.clone()
        other[:, 12] += 3
        found = changed(network(motion, other).mean, mean)
        assert {8, 11, 12, 13, 20} <= set(found)


def test_gaussians_are_those_of_torch() -> None:
    mixture = Mixture(drawn(2, 5, 3), drawn(2, 5, 3, 148, seed=2), 0.3 * drawn(2, 5, 3, 148, seed=3))
    motion = drawn(2, 5, 148, seed=4)
    parts = Independent(Normal(mixture.mean, mixture.deviation.exp()), 1)
    known = MixtureSameFamily(Categorical(logits=mixture.weights), parts)
    close(mixture.likelihood(motion, torch.ones(148)), known.log_prob(motion) / 148, layers=4)
    close(mixture.expected(), known.mean, layers=4)
    some = Mixture(mixture.weights, mixture.mean[..., :5], mixture.deviation[..., :5])
    counted = torch.tensor([1.0] * 5 + [0.0] * 143)
    close(mixture.likelihood(motion, counted), some.likelihood(motion[..., :5], torch.ones(5)), layers=4)


def test_frames_are_drawn_as_likely_as_predicted() -> None:
    weights, mean = torch.tensor([0.2, 0.8]).log(), torch.tensor([-2.0, 3.0])
    count = 20_000
    many = Mixture(
        weights.expand(count, 1, 2), mean[:, None].expand(count, 1, 2, 148), torch.zeros(count, 1, 2, 148) - 1.0
    )
    first = many.draw(torch.Generator().manual_seed(0))[:, 0]
    assert (first[:, 0] > 0).float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert torch.equal(first > 0, (first[:, :1] > 0).expand(-1, 148))  # one Gaussian for the whole frame
    low = first[first[:, 0] < 0]
    assert low.mean().item() == pytest.approx(-2, abs=0.02)
    assert low.std().item() == pytest.approx(0.368, abs=0.01)


def test_numbers_that_never_change_are_not_predicted() -> None:
    torch.manual_seed(0)
    network, motion = DanceNet.from_config("debug").eval(), drawn(50, 148)
    motion[:, 7] = 0.25
    network.fit_scales(motion, drawn(50, 35))
    assert network.changing.nonzero()[:, 0].tolist() == [k for k in range(148) if k != 7]
    made = network.generate(drawn(1, 9, 35), torch.Generator().manual_seed(0))
    assert made[0, :, 7].tolist() == [0.25] * 9


def test_it_goes_on_from_its_own_frames(network: DanceNet) -> None:
    """Only the frames within reach are computed each time, and it is as if all were."""
    audio, shares = drawn(2, 40, 35), []
    made = network.generate(audio, progress=shares.append)
    with torch.inference_mode():
        close(network.motion_scale.inverse(network(made, audio).expected()), made, layers=40)
    assert (shares[-1], shares) == (1, sorted(shares))
    first, again, other = (network.generate(audio, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.01
    with pytest.raises(UsageError, match="audio"):
        network.generate(audio[..., :34])


def test_it_learns_a_dance(tmp_path: Path) -> None:
    torch.manual_seed(0)
    root = write_one_of_aist(tmp_path / "corpus", frames=244)
    task = DanceNetTask(DanceNetTaskConfig("debug", lr=1e-2, frames=60, hop=60), root)
    optimizers = task.optimizers()
    for step in range(150):
        for batch in batches(task.samples):
            learn(optimizers, task.losses(batch, 0, step))
    values = validated(task)
    errors = {"error", "error/other_music", "error/mean_pose", "error/still"}
    assert set(values) == {"surprise", "surprise/other_music", "surprise/gaussian", *errors}
    assert values["surprise"] < values["surprise/gaussian"] - 1
    assert values["error/mean_pose"] == pytest.approx(1, rel=0.05)
    assert values["error"] < 0.5 * values["error/mean_pose"]
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = DanceNet.from_pretrained(tmp_path / "model")
    assert loaded.config == task.network.config
    audio = drawn(1, 20, 35)
    assert torch.equal(loaded.generate(audio), task.network.generate(audio))


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match="rate is 25"):
        DanceNetConfig(rate=25)
    with pytest.raises(ModelError, match="dropout is 1"):
        DanceNetConfig(dropout=1.0)
    with pytest.raises(ModelError, match="sizes"):
        DanceNetConfig(mixtures=0)
    with pytest.raises(UsageError, match="frames is 1"):
        DanceNetTaskConfig(frames=1)


@pytest.mark.parametrize("name", ["dance-net", "dance-net-small"])
def test_recipes(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda task: task_class(task).Config)
    assert isinstance(recipe.config, DanceNetTaskConfig)
    assert recipe.config.size == ("small" if name.endswith("small") else "paper")
