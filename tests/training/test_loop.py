import math

import pytest
import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.precision.amp import MixedPrecision
from torch import nn
from toy_tasks import Gan, GanConfig, Points

from conftest import make_recipe, same
from ictus.errors import IctusError, ModelError, UsageError
from ictus.training import checkpoint
from ictus.training.data import TrainLoader
from ictus.training.parallel import launch
from ictus.training.recipe import read_recipe
from ictus.training.seeds import STEP, WEIGHTS, seed_all
from tolerance import close

# What makes a Regression the same function of the whole batch as of its parts.
SMOOTH = {"norm": False, "dropout": 0.0}


def best(run):
    return checkpoint.read(run.out / "checkpoints" / "best.safetensors")


def test_a_task_learns_and_its_folder_holds_everything(train, corpus):
    run = train(epochs=6, log_every=4, validate_first=True)
    errors = [line["validation"]["error"] for line in run.log("validation")]
    assert len(errors) == 7
    assert errors[-1] < 0.8 * errors[0]
    progress = run.progress
    assert (progress.epoch, progress.step, progress.best["validation"]["error"]) == (6, 36, min(errors))

    steps = [(line["epoch"], line["step"]) for line in run.log("train")]
    assert steps[:4] == [(0, 4), (0, 6), (1, 8), (1, 12)]
    first = run.log("train")[0]
    assert first["train"].keys() == {"loss", "network/gradient"}
    assert first["lr/network"] == 0.01
    assert first["samples_per_second"] > 0
    assert 0 <= first["waiting"] <= 1
    assert run.log("validation")[-1]["seconds"] == pytest.approx(progress.seconds, abs=0.5)

    recipe = read_recipe(run.out / "recipe.yaml", lambda name: type(run.task).Config)
    assert recipe == make_recipe(corpus, epochs=6, log_every=4, validate_first=True)
    assert {path.name for path in (run.out / "checkpoints").iterdir()} == {"last.safetensors", "best.safetensors"}
    assert (run.out / "pictures" / "epoch-0006" / "toy-line.png").stat().st_size > 0
    facts = (run.out / "model" / "facts.txt").read_text().split()
    assert facts == [str(progress.best["epoch"]), str(progress.best["step"]), str(min(errors[1:]))]


def test_tensorboard_holds_the_values(train):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(log_every=3)
    board = EventAccumulator(str(run.out / "tensorboard"))
    board.Reload()
    assert set(board.Tags()["scalars"]) >= {"train/loss", "validation/error", "lr/network", "samples_per_second"}
    assert [event.step for event in board.Scalars("train/loss")] == [3, 6, 9, 12]
    assert board.Scalars("train/loss")[1].value == pytest.approx(run.log("train")[1]["train"]["loss"])
    assert board.Tags()["images"] == ["toy/line"]


def test_the_log_holds_means_over_its_interval(train):
    single, several = train("a", log_every=1), train("b", log_every=4)
    losses = [line["train"]["loss"] for line in single.log("train")]
    means = [sum(losses[a:b]) / (b - a) for a, b in ((0, 4), (4, 6), (6, 8), (8, 12))]
    assert [line["train"]["loss"] for line in several.log("train")] == pytest.approx(means)


def test_the_same_seed_is_the_same_run(train):
    a, b, other = train("a"), train("b", workers=1), train("c", seed=1)
    assert same(a.weights, b.weights)
    assert a.log_without_times() == b.log_without_times()
    assert not same(a.weights, other.weights)
    chances = {line["validation"]["chance"] for line in a.log("validation")}
    assert len(chances) == 1  # each validation draws the same


def test_alternating_steps_are_those_of_a_loop_by_hand(train, corpus):
    run = train(task="Gan", epochs=2, workers=0)

    seed_all(0, WEIGHTS)
    task = Gan(GanConfig(), corpus)
    for network in task.frozen.values():
        network.eval().requires_grad_(False)
    optimizers = task.optimizers()
    config = make_recipe(corpus, "Gan").training
    loader = TrainLoader(config, launch(config, accelerator="cpu"))
    order = []
    for epoch in range(2):
        for step, [batch] in enumerate(loader.epoch(task.points, epoch, 0)):
            seed_all(0, STEP, 6 * epoch + step, 0)
            for name, value, _ in task.losses(batch, epoch, step):
                order.append(name)
                optimizers[name].zero_grad()
                value.backward()
                optimizers[name].step()
    assert order == ["critic", "critic", "generator"] * 12
    expected = {f"{n}.{key}": t for n, network in task.networks.items() for key, t in network.state_dict().items()}
    assert same(run.weights, expected)


def test_frozen_networks_stay_as_they_are(train):
    run = train(task="Gan", epochs=1)
    assert not (run.out / "pictures").exists()  # this task draws none
    judge = run.task.frozen["judge"]
    assert not judge.training
    assert not any(p.requires_grad for p in judge.parameters())
    assert judge[1].num_batches_tracked == 0
    tensors, _ = checkpoint.read(run.out / "checkpoints" / "last.safetensors")
    assert not any("judge" in name for name in tensors)


@pytest.mark.parametrize("task", ["Regression", "Gan"])
def test_accumulated_parts_are_the_whole_batch(train, task):
    own = {**SMOOTH, "optimizer": {"kind": "sgd"}} if task == "Regression" else {}
    whole = train("whole", task, own)
    parts = train("parts", task, own, accumulate=4)
    for key, tensor in whole.weights.items():
        close(parts.weights[key], tensor, layers=8)
    for a, b in zip(whole.log("train"), parts.log("train"), strict=True):
        assert b["train"] == pytest.approx(a["train"], abs=1e-5)
    assert len(whole.weights) == len(parts.weights) > 0


def test_gradients_are_clipped(train):
    own = {**SMOOTH, "optimizer": {"kind": "sgd", "lr": 1.0}}
    run = train(own=own, steps=1, clip=1e-3)
    start = train("start", own={**SMOOTH, "optimizer": {"kind": "sgd", "lr": 0.0}}, steps=1)
    moved = sum((run.weights[key] - start.weights[key]).square().sum() for key in run.weights).sqrt()
    assert moved.item() == pytest.approx(1e-3, rel=1e-3)
    assert run.log("train")[0]["train"]["network/gradient"] > 0.1  # as it was before


def test_the_schedule_sets_the_rates(train):
    schedule = {"kind": "step", "milestones": [4, 9], "warmup": 2}
    run = train(log_every=1, schedule=schedule)
    rates = [line["lr/network"] for line in run.log("train")]
    expected = [0.005, 0.01, 0.01, 0.01, *[0.001] * 5, *[0.0001] * 3]
    assert rates == pytest.approx(expected)
    cosine = train("cosine", log_every=1, schedule={"kind": "cosine"}, steps=5, epochs=9)
    rate = 0.01 * (1 + math.cos(0.8 * math.pi)) / 2
    assert cosine.log("train")[-1]["lr/network"] == pytest.approx(rate)


def test_averaged_weights_are_validated_exported_and_kept(train):
    run, plain = train("a", ema=0.9, epochs=3), train("b", epochs=3)
    assert same(run.weights, plain.weights)  # averaging does not disturb training
    exported = torch.load(run.out / "model" / "weights.pt", weights_only=True)
    tensors, facts = best(run)
    assert facts["epoch"] == 3
    assert same(exported, {key.removeprefix("networks/network/"): t for key, t in tensors.items()})
    assert not same(exported, run.task.network.state_dict())
    x = torch.from_numpy(run.task.validation.rows)
    run.task.network.load_state_dict(exported)
    error = (run.task.network.eval()(x[:, :4]) - x[:, 4:]).abs().mean().item()
    assert error == pytest.approx(facts["validation"]["error"], abs=1e-6)


@pytest.mark.parametrize(("which", "expected"), [("min", 3), ("max", 2)])
def test_the_best_is_kept_and_exported(train, which, expected):
    values = iter([5.0, 9.0, 1.0, float("nan"), 5.0])

    def spoil(task):
        task.monitor = ("error", which)
        task.validate = lambda batches: {"error": next(values)}

    run = train(spoil=spoil, epochs=5)
    assert [line["best"] for line in run.log("validation")] == [True, which == "max", which == "min", False, False]
    assert run.log("validation")[3]["validation"]["error"] is None
    assert run.progress.best["epoch"] == best(run)[1]["epoch"] == expected
    assert (run.out / "model" / "facts.txt").read_text().startswith(f"{expected} {6 * expected} ")


def test_some_epochs_are_kept(train):
    run = train(epochs=7, validate_every=2, keep_every=4)
    assert sorted(path.name for path in (run.out / "checkpoints").glob("epoch*")) == ["epoch-0004.safetensors"]
    assert [line["epoch"] for line in run.log("validation")] == [2, 4, 6, 7]


def test_training_can_end_by_steps(train):
    run = train(epochs=100, steps=9, log_every=100)
    assert (run.progress.epoch, run.progress.step, run.progress.position) == (1, 9, 3)
    assert [(line["epoch"], line["step"]) for line in run.log("validation")] == [(1, 6), (1, 9)]
    assert [epoch for epoch, *_ in run.task.seen] == [0] * 6 + [1] * 3
    assert [step for _, step, *_ in run.task.seen] == list(range(9))


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_not_finite_stops_the_run_and_names_the_samples(train, tmp_path, where):
    def spoil(task):
        losses = task.losses

        def spoiled(batch, epoch, step):
            for name, value, values in losses(batch, epoch, step):
                if step == 8:
                    spoiled.batch = batch["name"]
                    kink = (task.network[0].weight - task.network[0].weight.detach()).abs().sqrt().sum()
                    value = value * torch.nan if where == "loss" else value + kink
                yield name, value, values

        task.losses = spoiled
        spoil.spoiled = spoiled

    with pytest.raises(IctusError) as caught:
        train(spoil=spoil, checkpoint_every=3)
    message = str(caught.value)
    what = "the loss is nan" if where == "loss" else "the gradient is not finite"
    assert message.startswith(f"step 8, optimiser network: {what}; ")
    assert message.endswith(": " + ", ".join(spoil.spoiled.batch))
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"
    assert str(last) in message
    tensors, facts = checkpoint.read(last)
    assert facts["progress"]["step"] == 6
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_a_loss_scaler_does_not_hide_a_loss_that_is_not_finite(train):
    def spoil(task):
        losses = task.losses
        task.losses = lambda *given: ((name, value * torch.nan, shown) for name, value, shown in losses(*given))

    with pytest.raises(IctusError, match="step 0, optimiser network: the loss is nan; there is no checkpoint yet"):
        train(spoil=spoil, fabric=half_precision())


def test_only_the_part_with_the_bad_loss_is_blamed(train):
    def spoil(task):
        losses = task.losses

        def spoiled(batch, epoch, step):
            for name, value, values in losses(batch, epoch, step):
                bad = "row-7" in batch["name"]
                spoil.blamed = batch["name"] if bad else getattr(spoil, "blamed", None)
                yield name, value * (torch.inf if bad else 1), values

        task.losses = spoiled

    with pytest.raises(IctusError, match="the loss is inf") as caught:
        train(spoil=spoil, accumulate=4)
    assert len(spoil.blamed) == 2
    assert str(caught.value).endswith(": " + ", ".join(spoil.blamed))


def half_precision():
    """Float16 with loss scaling, which Fabric offers on GPUs only."""
    plugin = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=2.0**14))
    fabric = Fabric(accelerator="cpu", devices=1, plugins=plugin)
    fabric.launch()
    return fabric


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision(train, dtype):
    seen, own = [], {**SMOOTH, "optimizer": {"kind": "sgd", "lr": 0.1}}

    def spoil(task):
        task.network.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))

    fabric = half_precision() if dtype == torch.float16 else None
    run = train("mixed", own=own, spoil=spoil, fabric=fabric, precision="bf16-mixed", clip=1.0)
    assert set(seen) == {dtype}
    whole = train("whole", own=own, clip=1.0)
    for key, tensor in whole.weights.items():
        assert run.weights[key].dtype == tensor.dtype
        torch.testing.assert_close(run.weights[key], tensor, rtol=0.02, atol=0.02)
    gradients = [[line["train"]["network/gradient"] for line in one.log("train")] for one in (run, whole)]
    assert gradients[0] == pytest.approx(gradients[1], rel=0.05)  # the scale of the loss is taken out


def test_loss_scaling_skips_what_overflows_and_is_resumed(train):
    def spoil(task):
        losses = task.losses

        def huge(batch, epoch, step):
            for name, value, values in losses(batch, epoch, step):
                yield name, value * (1e36 if step == 4 else 1), values

        task.losses = huge

    whole = train("whole", spoil=spoil, fabric=half_precision())
    facts = checkpoint.read_facts(whole.out / "checkpoints" / "last.safetensors")
    assert facts["scaler"]["scale"] == 2**13  # halved once
    train("parts", spoil=spoil, fabric=half_precision(), epochs=1)
    resumed = train("parts", spoil=spoil, fabric=half_precision(), resume=True)
    assert same(resumed.weights, whole.weights)
    assert checkpoint.read_facts(resumed.out / "checkpoints" / "last.safetensors")["scaler"] == facts["scaler"]


def test_a_finished_run_has_nothing_left_to_do_and_can_be_lengthened(train):
    whole = train("whole", epochs=4)
    train("parts", epochs=1)
    again = train("parts", epochs=1, resume=True)
    assert again.task.seen == []
    longer = train("parts", epochs=4, resume=True)
    assert same(longer.weights, whole.weights)
    assert longer.log_without_times() == whole.log_without_times()
    steps = train("steps", steps=8, epochs=4)
    assert train("steps", steps=8, epochs=4, resume=True).task.seen == []
    assert steps.progress.position == 2
    assert same(train("steps", epochs=4, resume=True).weights, whole.weights)


def test_resuming_where_nothing_is_begins(train):
    assert train(resume=True, epochs=1).progress.step == 6


def test_a_folder_with_another_run_is_refused(train, tmp_path):
    train(epochs=1)
    before = (tmp_path / "run" / "log.jsonl").read_bytes()
    with pytest.raises(UsageError, match="holds a run already; resume it"):
        train(epochs=1)
    with pytest.raises(
        UsageError, match=r"is a checkpoint of toy_tasks:Regression, and the recipe trains toy_tasks:Gan"
    ):
        train(task="Gan", resume=True)
    with pytest.raises(UsageError, match="was trained with width = 8, and the recipe says 9"):
        train(own={"width": 9}, resume=True)
    with pytest.raises(UsageError, match=r"training\.schedule\.kind = constant, and the recipe says cosine"):
        train(schedule={"kind": "cosine"}, resume=True)
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"

    def wider(task):
        task.network[0] = nn.Linear(4, 9)

    with pytest.raises(ModelError, match=r"has shape \(8, 4\), the recipe's model \(9, 4\)"):
        train(spoil=wider, resume=True)
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(ModelError, match="damaged"):
        train(resume=True)
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == before


def test_a_train_set_of_another_size_is_refused(train):
    train(steps=8)

    def shrink(task):
        task.points.rows = task.points.rows[:20]

    with pytest.raises(UsageError, match="had 50 samples when the run stopped and has 20 now"):
        train(resume=True, spoil=shrink)


@pytest.mark.parametrize("split", ["points", "validation"])
def test_empty_splits_fail_before_the_first_batch(train, split):
    tasks = []

    def empty(task):
        tasks.append(task)
        points = getattr(task, split)
        points.rows = points.rows[:0]

    with pytest.raises(UsageError, match="set is empty; give other data"):
        train(spoil=empty, validate_first=True)
    assert tasks[0].seen == []


def test_a_monitor_that_is_not_validated_fails_before_the_first_batch(train):
    tasks = []

    def spoil(task):
        tasks.append(task)
        task.monitor = ("accuracy", "max")

    with pytest.raises(IctusError, match="'accuracy' is not among the values of validate: error, chance"):
        train(spoil=spoil, validate_first=True)
    assert tasks[0].seen == []


def test_the_train_set_may_change_with_the_epoch(train, corpus):
    def spoil(task):
        sets = [Points(corpus / "train.npy"), Points(corpus / "val.npy")]
        sets[0].rows = sets[0].rows[:16]
        task.train_set = lambda epoch: sets[epoch % 2 if epoch < 3 else 0]

    run = train(spoil=spoil, epochs=3, batch=4)
    assert [epoch for epoch, *_ in run.task.seen] == [0] * 4 + [1] + [2] * 4


def test_leftovers_of_a_killed_write_are_swept(train, tmp_path):
    train(epochs=1)
    leftover = tmp_path / "run" / "checkpoints" / ".last.x1.safetensors"
    leftover.write_bytes(b"half")
    train(epochs=2, resume=True)
    assert not leftover.exists()
