"""FACT learns by its recipes, on a corpus in small."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared_dances import write_aist

from ictus.dance.frames import padded, rest
from ictus.dance.models.fact import ABLATIONS, FACT, extend_audio
from ictus.dance.tasks.fact import FACTTask, FACTTaskConfig
from ictus.errors import UsageError
from ictus.registry import task_class
from ictus.training.recipe import read_recipe

VALUES = {"l2", "l2/other_music", "l2/quarter_off", "l2/rollout", "l2/still"}
RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def aist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aist(tmp_path_factory.mktemp("aist"))


def batches(samples, size: int = 4) -> Iterator[dict]:
    for start in range(0, len(samples), size):
        items = [samples[k] for k in range(start, min(start + size, len(samples)))]
        stacked = {key: torch.from_numpy(np.stack([item[key] for item in items])) for key in ("motion", "audio")}
        yield {**stacked, "name": [item["name"] for item in items]}


def train(task, steps: int) -> list[float]:
    """Do what the training loop does, without its loop."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    optimizers, log = task.optimizers(), []
    for step in range(steps):
        for name, loss, values in task.losses(next(batches(task.train_set(0))), 0, step):
            optimizers[name].zero_grad()
            loss.backward()
            optimizers[name].step()
            log.append(float(values["l2"]))
    return log


def test_it_learns(aist: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = FACTTask(FACTTaskConfig(size="debug", lr=1e-2, rest=0.2, noise=0.01), aist)
    log = train(task, 15)
    assert log[-1] < 0.5 * log[0]
    task.network.eval()
    values = task.validate(batches)
    assert set(values) == VALUES
    assert values["l2"] < 0.5 * log[0]
    task.export(tmp_path / "model", {"recipe": {}})
    loaded = FACT.from_pretrained(tmp_path / "model")
    assert loaded.metadata["art"] == "dance"
    torch.testing.assert_close(loaded.start, rest(1.0)[None])  # the dances' height, not the default


def test_adam_is_keras_adam(aist: Path) -> None:
    (optimizer,) = FACTTask(FACTTaskConfig(size="debug"), aist).optimizers().values()
    (group,) = optimizer.param_groups
    assert (group["lr"], group["eps"], group["betas"], group["weight_decay"]) == (1e-4, 1e-7, (0.9, 0.999), 0)


@pytest.mark.parametrize("row", [None, *ABLATIONS])
@pytest.mark.parametrize("pose", [219, 225])
def test_what_is_supervised(aist: Path, row: str | None, pose: int) -> None:
    task = FACTTask(FACTTaskConfig(size="debug", pose=pose, ablation=row), aist)
    batch = next(batches(task.samples))
    ((_, loss, _),) = task.losses(batch, 0, 0)
    motion = batch["motion"]
    predicted = task.network(padded(motion[:, :120], pose), batch["audio"])
    frames = {"causal": range(1, 121), "future-1": range(120, 121), "future-10": range(120, 130)}
    target = padded(motion[:, list(frames.get(row, range(120, 140)))], pose)
    assert float(loss.detach()) == pytest.approx(float((predicted - target).square().mean().detach()), rel=1e-5)
    assert set(task.validate(batches)) == VALUES


def test_standing_still_is_measured(aist: Path) -> None:
    task = FACTTask(FACTTaskConfig(size="debug", pose=219), aist)
    motions = [np.load(file)[:300] for file in sorted((aist / "val").glob("*/motion.npy"))]
    still = np.mean([(motion[120:180] - motion[119]) ** 2 for motion in motions])
    assert task.validate(batches)["l2/still"] == pytest.approx(still, rel=1e-5)


def test_windows_before_the_dance_stand_in_its_first_pose(aist: Path) -> None:
    task = FACTTask(FACTTaskConfig(size="debug", pose=219, rest=0.999999), aist)
    for number, dance in enumerate(task.samples.dances):
        window = task.samples[number]
        early = -int(str(window["name"]).partition("@")[2])
        assert 1 <= early <= 120
        motion, audio = torch.from_numpy(dance.read("motion")), torch.from_numpy(dance.read("audio"))
        assert torch.equal(torch.from_numpy(window["motion"][:early]), motion[:1].expand(early, -1))
        assert torch.equal(torch.from_numpy(window["motion"][early:]), motion[: 240 - early])
        assert torch.equal(torch.from_numpy(window["audio"]), extend_audio(audio[None], early, 0)[0, :240])


def test_starts_of_each_genre(aist: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="states no genre"):
        FACTTask(FACTTaskConfig(size="debug", starts=2), aist)
    named = tmp_path / "named"
    shutil.copytree(aist, named)
    for number, genre in enumerate(("BR", "WA", "WA", "WA")):
        (named / "train" / f"dance{number}").rename(named / "train" / f"g{genre}_{number}")
    task = FACTTask(FACTTaskConfig(size="debug", pose=219, starts=2, relative=True, scaled=True), named)
    assert task.network.config.starts == ("BR", "WA", "WA")
    first = np.load(named / "train" / "gWA_1" / "motion.npy")[0]
    first[[0, 2]] = 0
    assert np.array_equal(task.network.start[1].numpy(), first)
    rows = np.concatenate([np.load(file) for file in sorted(named.glob("train/*/audio.npy"))])
    assert task.network.audio_shift.numpy() == pytest.approx(rows.mean(0), abs=1e-5)
    assert task.network.audio_scale.numpy() == pytest.approx(rows.std(0), rel=1e-4)


def test_noise_is_on_what_is_seen_alone(aist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = FACTTask(FACTTaskConfig(size="debug", pose=219, noise=0.1), aist)
    batch = next(batches(task.samples))
    motion = batch["motion"].clone()
    inputs = []
    answer = motion[:, 120:140].clone().requires_grad_()
    monkeypatch.setattr(FACT, "forward", lambda self, m, a: inputs.append(m) or answer)
    ((_, loss, _),) = task.losses(batch, 0, 0)
    assert float(loss.detach()) == 0
    assert float((inputs[0] - motion[:, :120]).std()) == pytest.approx(0.1, rel=0.05)


def test_a_misaligned_dancer_finds_back(tmp_path: Path) -> None:
    """The motion is its own time: what it shows says by how much it is off."""
    root = write_aist(tmp_path)
    for file in root.glob("train/*/motion.npy"):
        motion = np.load(file)
        np.save(file, np.repeat(np.arange(len(motion), dtype=np.float32)[:, None], 219, 1))
        audio = np.zeros((len(motion), 35), np.float32)
        audio[::30, 34] = 1  # a beat each half a second
        np.save(file.with_name("audio.npy"), audio)
    task = FACTTask(FACTTaskConfig(size="debug", pose=219, misaligned=1.0), root)
    dance = max(task.samples.dances, key=lambda dance: dance.frames)
    at = (dance.frames - 240) // 2
    np.random.seed(0)  # noqa: NPY002
    offsets = np.stack([task.samples.cut(dance, at)["motion"][:, 0] - at - np.arange(240) for _ in range(50)])
    first = offsets[:, :1]
    assert 12 < np.abs(first).max() <= 15.001
    assert first.std() > 5
    assert np.abs(offsets[:, :99] - first).max() < 0.01
    steps = np.diff(np.abs(offsets), axis=1)
    assert steps.min() >= -0.501
    assert steps.max() <= 0.001
    assert np.abs(offsets[:, 120 + 31 :]).max() < 0.01
    noticed = (np.abs(steps) > 0.01).argmax(1)
    assert noticed.max() - noticed.min() > 12


def test_it_goes_on_from_its_own_frames(aist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it predicts is a count: by it, and by the music's frames, it is known what it saw."""
    task = FACTTask(FACTTaskConfig(size="debug", pose=219, rollouts=1.0), aist)
    batch = next(batches(task.samples))
    assert batch["motion"].shape[1] == 240 + 30
    seen, count = [], torch.full((4, 20, 219), 7.0, requires_grad=True)
    monkeypatch.setattr(FACT, "forward", lambda self, m, a: seen.append((m, a)) or count)
    list(task.losses(batch, 0, 0))
    assert len(seen) == 1, "not before it predicts anything"
    lengths = set()
    for seed in range(8):
        seen.clear()
        torch.manual_seed(seed)
        ((_, loss, _),) = task.losses(batch, 0, 1000)
        strides = len(seen) - 1
        lengths.add(strides)
        motion, audio = seen[-1]
        assert torch.equal(motion[:, : 120 - 10 * strides], batch["motion"][:, 10 * strides : 120])
        assert (motion[:, 120 - 10 * strides :, :3] == 7).all()  # the places; what are no rotations becomes some
        assert torch.equal(audio, batch["audio"][:, 10 * strides : 10 * strides + 240])
        target = batch["motion"][:, 120 + 10 * strides : 140 + 10 * strides]
        assert float(loss.detach()) == pytest.approx(float((target - 7).square().mean()), rel=1e-5)
    assert lengths == {1, 2, 3}


@pytest.mark.parametrize("pose", [219, 225])
def test_a_scaled_start_takes_whitened_motion_and_predicts_standing_still(aist: Path, pose: int) -> None:
    task = FACTTask(FACTTaskConfig(size="debug", pose=pose, scaled=True, relative=True), aist)
    motion = torch.from_numpy(np.concatenate([dance.read("motion") for dance in task.samples.dances]))
    motion[:, [0, 2]] = 0
    tokens = task.network.motion.embedding(padded(motion, pose)).detach()
    published = FACTTask(FACTTaskConfig(size="debug", pose=pose), aist).network.motion.embedding(padded(motion, pose))
    assert tokens.mean(0).abs().max() < 0.1 * published.detach().mean(0).abs().max()
    assert float(torch.linalg.eigvalsh(torch.cov(tokens.T))[-1]) == pytest.approx(1, abs=0.1)
    batch = next(batches(task.samples))
    seen = padded(batch["motion"][:, :120], pose)
    torch.testing.assert_close(task.network(seen, batch["audio"]), seen[:, 119:].expand(-1, 20, -1))


def test_with_aligned_music_and_phase_it_hears(tmp_path: Path) -> None:
    """The dancer sways with beats at random times, which nothing but the music announces."""
    root, rng = write_aist(tmp_path), np.random.default_rng(0)
    for folder in [*root.glob("train/*"), *root.glob("val/*")]:
        frames = len(np.load(folder / "motion.npy"))
        beats = np.cumsum(rng.integers(20, 40, frames // 20))
        beats = beats[beats < frames]
        audio = np.zeros((frames, 35), np.float32)
        audio[beats, 34] = 1
        swaying = np.cos(2 * np.pi * np.interp(np.arange(frames), beats, np.arange(len(beats))))
        np.save(folder / "audio.npy", audio)
        np.save(folder / "motion.npy", np.repeat(swaying[:, None], 219, 1).astype(np.float32))
    ratios = []
    for option in (False, True):
        torch.manual_seed(0)
        task = FACTTask(FACTTaskConfig(size="debug", pose=219, lr=1e-2, aligned=option, phase=option), root)
        train(task, 60 if option else 30)
        values = task.validate(batches)
        ratios.append(values["l2/quarter_off"] / values["l2"])
    assert ratios[0] < 1.05
    assert ratios[1] > 5


def test_wrong_settings_are_named() -> None:
    with pytest.raises(UsageError, match="rest is 1"):
        FACTTaskConfig(rest=1)
    with pytest.raises(UsageError, match="rollouts is 2"):
        FACTTaskConfig(rollouts=2)
    with pytest.raises(UsageError, match="noise is -1"):
        FACTTaskConfig(noise=-1)


@pytest.mark.parametrize("name", ["fact", "fact-paper", "fact-small", *(f"fact-{row}" for row in ABLATIONS)])
def test_recipes(name: str) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda task: task_class(task).Config)
    config, training = recipe.config, recipe.training
    assert isinstance(config, FACTTaskConfig)
    if name == "fact-small":
        assert config.size == "small"
        return
    published = (config.size, config.lr, config.draws, config.rest, config.noise)
    assert published == ("paper", 1e-4, 1, 0, 0)
    assert (config.relative, config.starts, config.scaled, config.velocity) == (False, 0, False, 0)
    rate = [config.lr * training.schedule(step, training.steps) for step in (0, 59_999, 60_000, 100_000, 150_000)]
    if name == "fact":
        assert (config.pose, training.batch, config.ablation) == (225, 32, None)
        assert rate == pytest.approx([1e-4, 1e-4, 1e-4, 1e-5, 1e-6])
    else:
        assert (config.pose, training.batch, training.steps) == (219, 16, 300_000)
        assert rate == pytest.approx([1e-4, 1e-4, 1e-5, 1e-6, 1e-6])
        assert name == ("fact-paper" if config.ablation is None else f"fact-{config.ablation}")
