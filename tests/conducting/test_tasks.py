"""Each conducting network learns by its recipe, on a corpus in small."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.conducting.models.baselines import CNNLSTM, Plain
from ictus.conducting.models.m2s_net import M2SNet
from ictus.conducting.tasks.baselines import Baseline, BaselineConfig
from ictus.conducting.tasks.corpus import CorpusConfig
from ictus.conducting.tasks.m2s_gan import M2SGANTask, M2SGANTaskConfig
from ictus.conducting.tasks.m2s_net import MODES, M2SNetTask, M2SNetTaskConfig, draw_pairs
from ictus.config import parse
from ictus.errors import ModelError, UsageError
from ictus.render.plot_style import GENERATED, REAL
from ictus.render.theme import bgr
from ictus.training.loop import fit
from ictus.training.parallel import launch
from ictus.training.recipe import Recipe, Training, read_recipe

CORPUS = CorpusConfig(seconds=12)
RECIPES = Path(__file__).parents[2] / "recipes"


def batches(samples: ConductorMotion, size: int = 4) -> Iterator[dict]:
    for start in range(0, len(samples), size):
        items = [samples[k] for k in range(start, min(start + size, len(samples)))]
        stacked = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in ("mel", "motion")}
        yield {**stacked, "name": [item["name"] for item in items]}


def train(task, steps: int) -> list[dict[str, float]]:
    """Do what the training loop does, without its loop."""
    torch.manual_seed(0)
    optimizers, log = task.optimizers(), []
    for step in range(steps):
        batch = next(batches(task.train_set(0)))
        for name, loss, figures in task.losses(batch, step, step):
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
            log.append({key: float(value) for key, value in figures.items()})
    return log


@pytest.mark.parametrize(("model", "network"), [("plain", Plain), ("cnn-lstm", CNNLSTM)])
def test_baselines_learn(model: str, network: type, corpus: Path, tmp_path: Path) -> None:
    task = Baseline(BaselineConfig(model=model, size="debug", lr=1e-2, corpus=CORPUS), corpus)
    log = train(task, 25)
    assert log[-1]["mse"] < 0.7 * log[0]["mse"]
    figures = task.validate(batches) if CORPUS.seconds * 30 >= 256 else {}
    assert set(figures) == {"rde", "sce", "sdp", "mse"}
    assert set(task.pictures(0)) == {"real-and-generated"}
    task.export(tmp_path / "model", {})
    assert isinstance(network.from_pretrained(tmp_path / "model"), network)


def test_a_plain_conductor_stands_still() -> None:
    motion = Plain.from_config("paper")(torch.rand(2, 271, 128))
    assert motion.shape == (2, 91, 13, 2)
    assert motion.std(1).max() == 0


@pytest.mark.parametrize("frames", [90, 271])
def test_cnn_lstm_hears_only_the_past(frames: int) -> None:
    torch.manual_seed(0)
    network = CNNLSTM.from_config("paper").eval()
    mel = torch.rand(1, frames, 128)
    changed = mel.clone()
    changed[:, 60:] = 0
    before, after = network(mel), network(changed)
    assert before.shape == (1, -(-frames // 3), 13, 2)
    torch.testing.assert_close(before[:, :18], after[:, :18])
    assert not torch.allclose(before[:, -1], after[:, -1])


@pytest.mark.parametrize("mode", MODES)
def test_pairs(mode: str) -> None:
    """Mel and motion hold their own time, so that clips show where they were cut."""
    torch.manual_seed(0)
    for _ in range(50):
        mel = (torch.arange(30 * 90) / 90).repeat(3, 1)[..., None] + 1000 * torch.arange(3)[:, None, None]
        motion = (torch.arange(30 * 30) / 30).repeat(3, 1)[..., None, None] + 1000 * torch.arange(3)[
            :, None, None, None
        ]
        mels, motions = draw_pairs(mel, motion, ["a", "b", "c"], mode, clip=10)
        for encoded, seen in zip(mels, motions, strict=True):
            assert (encoded.shape[1], seen.shape[1]) == (900, 300)
            torch.testing.assert_close(encoded[:, 0, 0], seen[:, 0, 0, 0])
        apart = float((mels[0][0, 0, 0] - mels[1][0, 0, 0]).abs())
        if mode == "easy":
            assert apart >= 1000
        elif mode == "hard":
            assert 9.999 <= apart <= 20.001
        else:
            assert 0.499 <= apart <= 5.001


def test_easy_negatives_are_of_another_recording() -> None:
    """Though windows of one recording lie side by side in a batch; a batch of one recording has hard negatives."""
    recordings = ["a", "a", "b", "b", "b", "a"]
    numbers = torch.arange(6.0)
    mel = numbers[:, None, None].expand(-1, 1800, 1)
    (first, second), (_, moved) = draw_pairs(mel, mel[:, :600, :, None], recordings, "easy", clip=10)
    pairs = list(zip(first[:, 0, 0].int().tolist(), second[:, 0, 0].int().tolist(), strict=True))
    assert [one for one, _ in pairs] == list(range(6))
    assert all(recordings[one] != recordings[other] for one, other in pairs)
    assert torch.equal(second[:, 0, 0], moved[:, 0, 0, 0])
    (_, second), _ = draw_pairs(mel, mel[:, :600, :, None], ["a"] * 6, "easy", clip=10)
    assert torch.equal(second[:, 0, 0], numbers)


def test_the_evaluator_learns_from_test_and_is_validated_on_train(corpus: Path, tmp_path: Path) -> None:
    """The authors' hard_test, by its recipe: five hours of train choose the checkpoint, not its own training data."""
    (tmp_path / "train").symlink_to(corpus / "train")
    (tmp_path / "test").symlink_to(corpus / "val")
    recipe = read_recipe(RECIPES / "m2s-net-evaluator.yaml", lambda name: M2SNetTaskConfig, ["corpus.seconds=20"])
    assert recipe.config.corpus.val_limit_hours == 5
    task = M2SNetTask(replace(recipe.config, size="debug"), tmp_path)
    assert {task.train_set(0)[k]["name"].split("/")[0] for k in range(len(task.train_set(0)))} == {"test"}
    seen: list[str] = []

    def watched(samples: ConductorMotion) -> Iterator[dict]:
        for batch in batches(samples):
            seen.extend(batch["name"])
            yield batch

    with torch.no_grad():
        task.validate(watched)
    assert seen == [f"train/{number}@0" for number in range(4)]
    limited = replace(recipe.config.corpus, val_limit_hours=25 / 3600)
    assert [len(windows) for windows in limited.open(tmp_path)] == [2, 2]


def test_m2s_net_learns(corpus: Path, tmp_path: Path) -> None:
    config = M2SNetTaskConfig(size="debug", clip=4, lr=1e-2, corpus=CORPUS)
    task = M2SNetTask(config, corpus)
    log = train(task, 2)
    assert set(log[0]) == {"loss/easy", "accuracy/easy"}  # the first epoch
    assert set(log[1]) == {"loss/hard", "accuracy/hard"}
    task.network.eval()
    with torch.no_grad():
        figures = task.validate(batches)
    assert set(figures) == {f"{kind}/{mode}" for kind in ("loss", "accuracy") for mode in MODES}
    assert set(task.pictures(0)) == {"music", "motion"}
    task.export(tmp_path / "m", {})
    assert M2SNet.from_pretrained(tmp_path / "m").config == task.network.config


@pytest.fixture(scope="module")
def m2s_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("m2s_net")
    torch.manual_seed(1)
    M2SNet.from_config("debug").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("penalty", ["published", "standard"])
def test_m2s_gan_learns(penalty: str, corpus: Path, m2s_net: Path) -> None:
    weights = {"mse": 1.0, "matching": 0.1}
    config = M2SGANTaskConfig(str(m2s_net), "debug", discriminator_steps=2, penalty=penalty, corpus=CORPUS, **weights)
    task = M2SGANTask(config, corpus)
    music = {name: value.clone() for name, value in task.generator.music.state_dict().items()}
    before = {name: value.clone() for name, value in task.m2s_net.state_dict().items()}
    log = train(task, 6)
    assert [set(figures) for figures in log[:3]] == [
        {"wasserstein", "penalty"},
        {"wasserstein", "penalty"},
        {f"generator/{name}" for name in ("adversarial", "sync", "mse", "matching")},
    ]
    assert log[-1]["generator/mse"] < log[2]["generator/mse"]
    for name, value in task.generator.music.state_dict().items():
        assert torch.equal(value, music[name]), "the music encoder is frozen, its running statistics too"
    for name, value in task.m2s_net.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_published_penalty_is_one_norm_over_the_batch(corpus: Path, m2s_net: Path) -> None:
    task = M2SGANTask(M2SGANTaskConfig(str(m2s_net), "debug", corpus=CORPUS), corpus)
    real, fake = torch.rand(2, 3, 60, 13, 2)
    torch.manual_seed(0)
    penalty = task._penalty(real, fake)
    torch.manual_seed(0)
    share = torch.rand(3, 1, 1, 1)
    between = (share * real + (1 - share) * fake).requires_grad_()
    total = sum(
        float(torch.autograd.grad(task.discriminator(between[k : k + 1]).sum(), between)[0][k].norm() ** 2)
        for k in range(3)
    )
    assert float(penalty) == pytest.approx(10 * total, rel=1e-5)


def test_m2s_gan_writes_estimates_and_a_picture_to_tensorboard(corpus: Path, m2s_net: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = M2SGANTaskConfig(str(m2s_net), "debug", evaluator=str(m2s_net), corpus=CORPUS)
    training = Training(steps=1, batch=4, workers=0, validate_first=False, log_every=1)
    recipe = Recipe("conducting.m2s_gan", config, training, str(corpus))
    fit(launch(training, accelerator="cpu"), lambda: M2SGANTask(config, corpus), recipe, tmp_path)
    board = EventAccumulator(str(tmp_path / "tensorboard"), {"images": 0})
    board.Reload()
    values = {tag: board.Scalars(tag)[-1].value for tag in board.Tags()["scalars"]}
    assert {"train/wasserstein", "train/generator/sync", "validation/wasserstein"} <= set(values)
    assert {f"validation/{metric}" for metric in ("rde", "sce", "sdp", "mse")} <= set(values)
    assert values["validation/sync_loss"] == values["validation/sync_error"] > 0  # by the same network here
    (image,) = board.Images("real-and-generated")
    assert image.step == 1
    picture = cv2.imdecode(np.frombuffer(image.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    for ink in (REAL, GENERATED):  # both curves are there
        assert (np.abs(picture.astype(int) - bgr(ink)).max(-1) < 8).sum() > 100


def test_wrong_settings_are_named(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="m2s_net"):
        M2SGANTaskConfig()
    with pytest.raises(UsageError, match=r"corpus\.seconds to 20"):
        M2SNetTaskConfig(corpus=CORPUS)
    with pytest.raises(ModelError, match="no such folder"):
        M2SGANTask(M2SGANTaskConfig(str(tmp_path / "none"), corpus=CORPUS), corpus)
    M2SNet.from_config("paper").save_pretrained(tmp_path / "paper")
    with pytest.raises(UsageError, match="another size"):
        M2SGANTask(M2SGANTaskConfig(str(tmp_path / "paper"), "debug", corpus=CORPUS), corpus)


@pytest.mark.parametrize(("remember", "again"), [(10.0, 0), (0.0, 4), (2 * 12 / 3600, 2)])
def test_what_was_heard_is_remembered_as_far_as_there_is_room(
    remember: float, again: int, m2s_net: Path, corpus: Path
) -> None:
    task = M2SGANTask(M2SGANTaskConfig(str(m2s_net), "debug", remember=remember, corpus=CORPUS), corpus)
    batch = next(batches(task.samples))
    encoded: list[int] = []
    task.music_encoder.register_forward_pre_hook(lambda _, inputs: encoded.append(len(inputs[0])))

    def step() -> list[float]:
        torch.manual_seed(3)
        return [loss.item() for _, loss, _ in task.losses(batch, 0, 0)]

    assert step() == step()
    assert encoded == [4] + [again] * (again > 0)


def test_recipes_of_earlier_versions_still_work() -> None:
    assert parse(M2SGANTaskConfig, {"m2s_net": "folder", "critic_steps": 2}).discriminator_steps == 2
