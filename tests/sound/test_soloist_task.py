"""The soloist learns by its recipes, on performances in which a hand decides what sounds."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import UsageError
from ictus.sound.ablations import AblatedSoloist, kinds_of
from ictus.sound.data import optical_flow
from ictus.sound.data.samples import PerformanceSamples
from ictus.sound.models.codebook import SpectrogramCodebook, column_major
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import RAW_KEYPOINTS, SoloistTransformer, raw_keypoint_features
from ictus.sound.pipeline import Soloist
from ictus.sound.sampling import generate_codes
from ictus.sound.tasks.codebook import CodebookTaskConfig
from ictus.sound.tasks.soloist import SoloistTask, SoloistTaskConfig, WithOtherWindow
from ictus.sound.tasks.vocoder import VocoderTaskConfig
from ictus.training.recipe import read_recipe
from sound.small_performances import write_performance
from task_steps import batches, learn, validated

RECIPES = Path(__file__).parents[2] / "recipes"
COLUMNS = 8
WIDTH = len(optical_flow.COLUMNS)
SECONDS = 128 * 6 / 86.1328125  # six windows


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A codebook and a keypoint encoder, whose outputs differ although they have learnt nothing."""
    folder = tmp_path_factory.mktemp("trained")
    torch.manual_seed(0)
    codebook = SpectrogramCodebook.from_config("debug")
    with torch.no_grad():  # codes spread like what is encoded, so that more than one is used
        noise = 2 * torch.rand(4, 80, 128) - 1
        found = codebook.to_codes(codebook.encoder(noise)).movedim(1, -1).flatten(0, -2)
        codebook.quantizer.load_state_dict(
            {
                name: found[torch.randperm(len(found))[: len(value)]] if value.shape[1:] == found.shape[1:] else value
                for name, value in codebook.quantizer.state_dict().items()
            }
        )
    codebook.save_pretrained(folder / "codebook")
    KeypointEncoder.from_config("debug").save_pretrained(folder / "encoder")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound in one of two registers for as long as the right hand is up or down; half of the players play cello."""
    root = tmp_path_factory.mktemp("performances")
    random = np.random.default_rng(0)
    frames, films, pictures = round(SECONDS * 86.1328125), round(SECONDS * 25), round(SECONDS * 21.5)
    for number in range(8):
        up = random.integers(0, 2, 30)
        mel = np.zeros((frames, 80), np.float32)
        registers = up[(np.arange(frames) / 86.1328125 / 0.37159).astype(int)]  # two columns each
        for low, register in ((8, 0), (56, 1)):
            mel[registers == register, low : low + 16] = 0.9
        keypoints = np.zeros((films, 47, 3), np.float32)
        keypoints[..., 0], keypoints[..., 1] = np.arange(47) * 4 + 300, 200
        keypoints[:, 7:27, 1] += 120.0 * up[(np.arange(films) / 25 / 0.37159).astype(int)][:, None]
        keypoints[..., 2] = 0.9
        rgb, flow = (random.random((pictures, 1024), np.float32) for _ in range(2))
        folder, instrument = root / ("val" if number < 2 else "train") / f"{number:02d}", ("cello", "flute")[number % 2]
        write_performance(folder, instrument, mel=mel, keypoints=keypoints, rgb=rgb, flow=flow, feature_rate=21.5)
    return root


def config(trained: Path, **changes: Any) -> SoloistTaskConfig:
    usual = {"size": "debug", "columns": COLUMNS, "hop": COLUMNS, "lr": 1e-2, "encoder": "raw", "scaled": True}
    return SoloistTaskConfig(**{"codebook": str(trained / "codebook"), **usual, **changes})


def train(task: SoloistTask, epochs: int) -> list[float]:
    """Do what the training loop does, without its loop."""
    torch.manual_seed(0)
    optimizers, log = task.optimizers(), list[float]()
    for epoch in range(epochs):
        for batch in batches(task.train_set(epoch), 12):
            log += [values["ce"] for values in learn(optimizers, task.losses(batch, epoch, 0))]
    return log


def test_it_learns_what_the_hand_decides(corpus: Path, trained: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = SoloistTask(config(trained, unconditioned=0.1), corpus)
    before = validated(task)
    train(task, 30)
    after = validated(task)
    assert set(after) == {"ce", "accuracy", "ce/shuffled", "ce/moved", "ce/without"}
    assert after["ce"] < 0.5 * before["ce"]
    for control in ("shuffled", "moved", "without"):
        assert after[f"ce/{control}"] > 1.15 * after["ce"], control
        assert before[f"ce/{control}"] == pytest.approx(before["ce"], rel=0.1)

    facts = {"epoch": 30, "validation": after}
    task.export(tmp_path / "model", facts)
    loaded = SoloistTransformer.from_pretrained(tmp_path / "model")
    assert (loaded.metadata["movement"], loaded.metadata["epoch"], loaded.config.keypoints) == (
        "raw",
        30,
        RAW_KEYPOINTS,
    )
    codebook = SpectrogramCodebook.from_pretrained(tmp_path / "model" / "codebook")
    window = next(batches(task.validation_set, 1))
    features = {"keypoints": raw_keypoint_features(window["keypoints"]), "instrument": window["instrument"]}
    codes = generate_codes(loaded, features, task.rates, COLUMNS)
    assert codebook.decode(codes).shape == window["mel"].shape


def test_with_raw_movement_the_encoder_goes_along_to_recognise(corpus: Path, trained: Path, tmp_path: Path) -> None:
    task = SoloistTask(config(trained, encoder="raw", keypoints=str(trained / "encoder")), corpus)
    assert task.encoder is None
    task.export(tmp_path / "model", {})
    assert SoloistTransformer.from_pretrained(tmp_path / "model").metadata["movement"] == "raw"
    assert (tmp_path / "model" / "encoder" / "config.json").exists()


def test_tokens_are_the_codebooks_column_by_column(corpus: Path, trained: Path) -> None:
    task = SoloistTask(config(trained), corpus)
    batch = next(batches(task.samples, 3))
    codes = task.codebook.encode(batch["mel"])
    assert codes.shape == (3, 5, COLUMNS)
    assert len(codes.unique()) > 3
    wanted = codes.transpose(1, 2).reshape(3, -1)
    assert torch.equal(task._codes(batch), wanted)
    assert torch.equal(column_major(codes), wanted)
    logits = task.network(wanted, task._condition(batch))
    ((name, loss, _),) = task.losses(batch, 0, 0)
    assert name == "network"
    torch.testing.assert_close(loss, F.cross_entropy(logits.movedim(-1, 1), wanted))


def test_each_window_is_encoded_once(corpus: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = SoloistTask(config(trained, encoder="frozen", keypoints=str(trained / "encoder"), scaled=False), corpus)
    encoded: list[int] = []
    looked: list[int] = []
    encode, look = task.codebook.encode, task.encoder.forward
    monkeypatch.setattr(task.codebook, "encode", lambda mel: encoded.append(len(mel)) or encode(mel))
    monkeypatch.setattr(task.encoder, "forward", lambda points: looked.append(len(points)) or look(points))
    first = next(batches(task.samples, 4))
    before = task._codes(first), task._condition(first)
    mixed = next(batches([task.samples[k] for k in (3, 7, 1, 8)]))
    codes, condition = task._codes(mixed), task._condition(mixed)
    assert encoded == looked == [4, 2]
    for k, place in ((0, 3), (2, 1)):
        assert torch.equal(codes[k], before[0][place])
        assert torch.equal(condition[k], before[1][place])
    fresh = task.encoder(mixed["keypoints"])
    kept = task._movement_features(mixed)
    torch.testing.assert_close(kept, fresh, atol=1e-3, rtol=1e-3)


def test_only_keypoints_change_the_columns_of_keypoints(corpus: Path, trained: Path) -> None:
    """The published training read the flow twice, and the keypoints never."""
    changes = {"conditions": ("rgb", "flow", "keypoints"), "encoder": "frozen", "keypoints": str(trained / "encoder")}
    task = SoloistTask(config(trained, scaled=False, **changes), corpus)
    assert task.network.numbers == 2048 + 8
    batch = next(batches(task.samples, 2))
    before = task._condition(batch)
    torch.testing.assert_close(before[..., :1024].mean(1), batch["rgb"].mean(1), atol=0.2, rtol=0)
    mirrored = batch["keypoints"] * torch.tensor([-1.0, 1.0, 1.0])
    after = task._condition({**batch, "keypoints": mirrored, "name": ["another", "one more"]})
    changed = (before != after).any(1).any(0)
    assert not changed[:2048].any()
    assert changed[2048:].all()
    for kind, columns in {"rgb": slice(0, 1024), "flow": slice(1024, 2048)}.items():
        changed = (task._condition({**batch, kind: batch[kind] + 1}) != before).any(1).all(0)
        assert changed[columns].all()
        assert int(changed.sum()) == 1024


def test_it_learns_from_pictures_movement_and_keypoints_together(corpus: Path, trained: Path, tmp_path: Path) -> None:
    """With our own flow, whose rows are narrower than those of a network; and each of them is used and evaluated."""
    root = shutil.copytree(corpus, tmp_path / "corpus")
    for file in root.glob("*/*/flow.npy"):
        np.save(file, np.load(file)[:, :WIDTH])
    torch.manual_seed(0)
    given = ("rgb", "flow", "keypoints", "instrument")
    task = SoloistTask(config(trained, conditions=given, unconditioned=0.1), root)
    assert task.network.config.flow == WIDTH == 166
    assert {name: part.stop - part.start for name, part in task.network.parts.items()} == {
        **{"rgb": 1024, "flow": 166, "keypoints": RAW_KEYPOINTS, "instrument": 7},
    }
    log = train(task, 6)
    assert np.mean(log[-3:]) < 0.8 * np.mean(log[:3])
    task.export(tmp_path / "model", {})
    soloist = AblatedSoloist(Soloist.from_folder(tmp_path / "model"))
    assert soloist.ablations() == ("given another", "given the instrument", "given nothing")
    samples = PerformanceSamples(root, "val", kinds=kinds_of({"all": soloist}), frames=128)
    assert {kind: rows.shape[1] for kind, rows in samples[0].features.items()} == {
        **{"rgb": 1024, "flow": 166, "keypoints": 47},
    }
    assert soloist.plays(samples)(samples[0], 0).shape == samples[0].mel.shape
    other = PerformanceSamples(corpus, "val", kinds=soloist.kinds, frames=128)
    with pytest.raises(UsageError, match=r"flow of shape .*1024.; \(B, n, 166\) needed"):
        soloist.plays(other)(other[0], 0)


@pytest.mark.parametrize("encoder", ["frozen", "joint"])
def test_the_encoder_learns_if_it_should(corpus: Path, trained: Path, encoder: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = SoloistTask(config(trained, encoder=encoder, keypoints=str(trained / "encoder"), scaled=False), corpus)
    before = {name: value.clone() for name, value in task.encoder.state_dict().items()}
    (optimizer,) = task.optimizers().values()
    ((_, loss, _),) = task.losses(next(batches(task.samples, 2)), 0, 0)
    loss.backward()
    optimizer.step()
    moved = [name for name, value in task.encoder.named_parameters() if not torch.equal(value, before[name])]
    assert bool(moved) == (encoder == "joint")
    assert ("encoder" in task.networks) == (encoder == "joint")
    assert ("encoder" in task.frozen) == (encoder == "frozen")
    task.export(tmp_path / "model", {})
    again = KeypointEncoder.from_pretrained(tmp_path / "model" / "encoder")
    assert all(torch.equal(value, task.encoder.state_dict()[name]) for name, value in again.state_dict().items())


def test_what_is_known_is_scaled(corpus: Path, trained: Path) -> None:
    task = SoloistTask(config(trained), corpus)
    rows = torch.cat([task._condition(batch) for batch in batches(task.samples)]).flatten(0, 1)
    scaled = (rows - task.network.shift) / task.network.scale
    moves = scaled[:, :RAW_KEYPOINTS]
    varied = rows[:, :RAW_KEYPOINTS].std(0) > 1e-5
    assert 10 < int(varied.sum()) < RAW_KEYPOINTS
    assert moves[:, varied].mean(0).abs().max() < 1e-3
    assert (moves[:, varied].std(0) - 1).abs().max() < 0.05
    assert torch.equal(scaled[:, RAW_KEYPOINTS:], rows[:, RAW_KEYPOINTS:])  # names are not


def test_weight_decay_is_of_linear_layers_alone(corpus: Path, trained: Path) -> None:
    task = SoloistTask(config(trained, decay=0.01, lr=3e-4), corpus)
    (optimizer,) = task.optimizers().values()
    decayed, others = (group["params"] for group in optimizer.param_groups)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0]
    assert {(group["lr"], group["betas"]) for group in optimizer.param_groups} == {(3e-4, (0.9, 0.95))}
    names = {id(value): name for name, value in task.network.named_parameters()}
    linear = {f"gpt.blocks.{k}.{part}.weight" for k in range(2) for part in ("attention.qkv", "attention.out")}
    linear |= {f"gpt.blocks.{k}.mlp.{layer}.weight" for k in range(2) for layer in (0, 2)}
    linear |= {"head.weight", "deeper.1.weight", "deeper.4.weight"}
    assert {names[id(value)] for value in decayed} == linear
    assert len(decayed) + len(others) == len(list(task.network.parameters()))


def test_auxiliary_targets_teach_what_movements_mean(corpus: Path, trained: Path) -> None:
    task = SoloistTask(config(trained, auxiliary=1.0), corpus)
    assert set(task.networks) == {"network", "hinter"}
    before = task.validate(batches)
    train(task, 12)
    after = task.validate(batches)
    assert after["auxiliary"] < 0.8 * before["auxiliary"]
    first = SoloistTask(config(trained, auxiliary=1.0, auxiliary_steps=1), corpus)
    batch = next(batches(first.samples))
    figures = [next(first.losses(batch, 0, step))[2].keys() for step in (0, 1)]
    assert figures == [{"auxiliary", "pitch"}, {"ce", "accuracy", "auxiliary", "pitch"}]
    with pytest.raises(UsageError, match="auxiliary is 0 and auxiliary_steps 3"):
        config(trained, auxiliary_steps=3)
    with pytest.raises(UsageError, match="auxiliary is -1"):
        config(trained, auxiliary=-1.0)


def test_shares_of_samples_learn_with_nothing_known(
    corpus: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = SoloistTask(config(trained, unconditioned=0.5), corpus)
    batch = next(batches(task.samples, 30))
    known, seen = task._condition(batch), []
    nothing = task.network.without(known)

    def forward(self: nn.Module, tokens: Tensor, condition: Tensor) -> Tensor:
        seen.append(condition)
        return torch.zeros(*tokens.shape, 16)

    monkeypatch.setattr(SoloistTransformer, "forward", forward)
    torch.manual_seed(0)
    list(task.losses(batch, 0, 0))
    alone = (seen[0] == nothing).flatten(1).all(1)
    assert 5 < int(alone.sum()) < 25
    assert torch.equal(seen[0][~alone], known[~alone])


def test_the_control_is_from_elsewhere(corpus: Path, trained: Path) -> None:
    task = SoloistTask(config(trained), corpus)
    paired = WithOtherWindow(task.validation_set, task.kinds)
    assert len(paired) == 12
    for index in (0, 5, 11):
        pair, other = paired[index], task.validation_set[(index + 6) % 12]
        assert pair["name"] == task.validation_set[index]["name"]
        assert pair["other/name"] == other["name"]
        assert np.array_equal(pair["other/keypoints"], other["keypoints"])
        assert pair["other/instrument"] == other["instrument"]


@pytest.mark.parametrize(
    ("conditions", "controls"),
    [((), set()), (("instrument",), {"shuffled", "without"}), (("rgb", "flow"), {"shuffled", "without", "moved"})],
)
def test_ablations(
    corpus: Path, trained: Path, conditions: tuple[str, ...], controls: set[str], tmp_path: Path
) -> None:
    task = SoloistTask(config(trained, conditions=conditions, encoder="frozen"), corpus)
    figures = validated(task)
    assert set(figures) == {"ce", "accuracy", *(f"ce/{name}" for name in controls)}
    train(task, 1)
    task.export(tmp_path / "model", {})
    assert "movement" not in SoloistTransformer.from_pretrained(tmp_path / "model").metadata
    assert not (tmp_path / "model" / "encoder").exists()


@pytest.mark.parametrize(
    ("config", "old", "new"),
    [
        (SoloistTaskConfig, "acquainted: true", "initialised_codes"),
        (SoloistTaskConfig, "hint: 1", "auxiliary"),
        (CodebookTaskConfig, "critic_start: 1", "discriminator_start"),
        (VocoderTaskConfig, "critic_start: 1\nstft: 1", "discriminator_start"),
    ],
)
def test_recipes_with_earlier_names_are_read(config: type, old: str, new: str, tmp_path: Path) -> None:
    needed = "codebook: a\nencoder: raw\n" if config is SoloistTaskConfig else ""
    (tmp_path / "old.yaml").write_text(f"task: sound.any\n{needed}{old}\ntraining:\n  epochs: 1\n")
    assert getattr(read_recipe(tmp_path / "old.yaml", lambda name: config).config, new) == 1


def test_wrong_settings_are_named(trained: Path) -> None:
    with pytest.raises(UsageError, match="folder of a trained codebook"):
        SoloistTaskConfig()
    with pytest.raises(UsageError, match="folder of a trained keypoint encoder"):
        config(trained, encoder="frozen")
    with pytest.raises(UsageError, match="unconditioned is 1"):
        config(trained, unconditioned=1.0)
    with pytest.raises(UsageError, match="hop 0"):
        config(trained, hop=0)


@pytest.mark.parametrize("name", ["", "-small", "-none", "-instrument", "-rgb-flow", "-keypoints", "-all"])
def test_recipes(name: str) -> None:
    recipe = read_recipe(RECIPES / f"soloist{name}.yaml", lambda task: SoloistTaskConfig)
    settings, training = recipe.config, recipe.training
    assert recipe.task == "sound.soloist"
    if name:
        known = {
            "-small": ("keypoints", "instrument"),
            "-none": (),
            "-rgb-flow": ("rgb", "flow"),
            "-all": ("rgb", "flow", "keypoints", "instrument"),
        }
        assert settings.given == known.get(name, (name[1:],))
        assert (settings.size, settings.unconditioned, training.schedule.kind) == ("small", 0.1, "cosine")
        return
    assert settings.given == ("rgb", "flow", "keypoints")
    assert (settings.size, settings.hop, settings.scaled, settings.unconditioned) == ("paper", 53, False, 0)
    assert (settings.lr, settings.decay) == (pytest.approx(1e-6 * training.batch), 0.01)
    assert (training.clip, training.ema, training.schedule.kind) == (None, None, "constant")
