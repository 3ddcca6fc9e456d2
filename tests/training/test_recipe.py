import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from toy_tasks import RegressionConfig

from ictus.config import parse, to_plain
from ictus.errors import UsageError
from ictus.training.recipe import Recipe, Training, read_recipe

TEXT = """
task: toys.regression
data: corpus
training:
  epochs: 3
  schedule: {kind: cosine, warmup: 5}
width: 16
sizes: [1, 2]
optimizer:
  lr: 1e-3
"""


def config(name):
    if name != "toys.regression":
        raise UsageError(f"task {name!r} is unknown")
    return RegressionConfig


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(TEXT)
    return path


def refused(file, text, *words, changes=()):
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_recipe(file, config, changes)
    message = str(caught.value)
    for word in words:
        assert word in message
    return message


def test_reads_every_level(file):
    recipe = read_recipe(file, config)
    assert (recipe.task, recipe.data) == ("toys.regression", "corpus")
    assert recipe.training == Training(
        epochs=3, schedule=dataclasses.replace(Training().schedule, kind="cosine", warmup=5)
    )
    assert recipe.config.optimizer.lr == 1e-3  # which YAML 1.1 takes for text
    assert recipe.config.sizes == (1, 2)
    assert recipe.config.width == 16
    assert recipe.config.noise == RegressionConfig().noise


def test_changes_and_data_go_before_the_file(file):
    changes = ["optimizer.lr=2e-2", "training.schedule.kind=step", "training.schedule.milestones=[4]", "width=3"]
    recipe = read_recipe(file, config, changes, data="elsewhere")
    assert recipe.config.optimizer.lr == 0.02
    assert recipe.training.schedule.milestones == (4,)
    assert recipe.training.schedule.warmup == 5
    assert recipe.training.epochs == 3
    assert recipe.config.width == 3
    assert recipe.data == "elsewhere"


def test_what_is_saved_is_read_as_the_same(file, tmp_path):
    recipe = read_recipe(file, config, ["training.ema=0.99"])
    recipe.save(tmp_path / "saved.yaml")
    assert read_recipe(tmp_path / "saved.yaml", config) == recipe


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("widht: 4", ["widht is unknown", "nearest valid key is width"]),
        ("trainign: {epochs: 4}", ["trainign is unknown", "nearest valid key is training"]),
        ("training: {epoch: 4}", ["training.epoch is unknown", "nearest valid key is training.epochs"]),
        ("optimizer: {Lr: 4}", ["optimizer.Lr is unknown", "nearest valid key is optimizer.lr"]),
        ("training: {schedule: {warm: 4}}", ["training.schedule.warm is unknown", "training.schedule.warmup"]),
        ("width: wide", ["width is 'wide'", "a whole number"]),
        ("width: 4.5", ["width is 4.5", "a whole number"]),
        ("width: true", ["width is True", "a whole number"]),
        ("norm: 1", ["norm is 1", "true or false"]),
        ("noise: loud", ["noise is 'loud'", "a number"]),
        ("noise: .nan", ["noise is nan", "a number"]),
        ("sizes: [1, x]", ["sizes[1] is 'x'", "a whole number"]),
        ("sizes: 3", ["sizes is 3", "a list"]),
        ("optimizer: adam", ["optimizer is 'adam'", "lr, kind"]),
        ("optimizer: {kind: rms}", ["optimizer.kind is 'rms'", "adam, sgd"]),
        ("training: {precision: 8}", ["training.precision is 8", "bf16-mixed"]),
        ("training: {clip: hard}", ["training.clip is 'hard'", "a number"]),
        ("training: {clip: 0}", ["training.clip is 0", "more than 0"]),
        ("training: {ema: 1.5}", ["training.ema is 1.5"]),
        ("training: {epochs: 0}", ["training.epochs is 0", "1 or more"]),
        ("training: {seed: -1}", ["training.seed is -1"]),
        ("training: {batch: 7, accumulate: 2}", ["training.batch is 7", "multiple of accumulate"]),
        ("training: {keep_every: 3, validate_every: 2}", ["training.keep_every is 3"]),
        ("training: {schedule: {kind: step}}", ["training.schedule.kind", "milestones"]),
    ],
)
def test_mistakes_are_named(file, line, words):
    refused(file, f"task: toys.regression\n{line}\n", str(file), *words)
    key, _, value = line.partition(": ")
    message = refused(file, "task: toys.regression", "the changes", *words, changes=[f"{key}={value}"])
    assert str(file) not in message


def test_files_that_are_no_recipes(file):
    refused(file, "a: [", str(file), "YAML")
    refused(file, "- 1", str(file), "task:")
    refused(file, "width: 3", str(file), "task:")
    refused(file, "task: nothing", str(file), "'nothing' is unknown")
    with pytest.raises(UsageError, match="no such file"):
        read_recipe(file.with_name("none.yaml"), config)
    for change in ("width", "=3", "a..b=3", "width=[", ".=1"):
        refused(file, TEXT, f"{change}: ", changes=[change])


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in itertools.pairwise("abcdefghij"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"task: toys.regression\n{BOMB}", "aliases unfold into too many values"),
        ("task: &a [*a]", "aliases unfold"),
        (f"task: toys.regression\ndata: {'[' * 9000}", "nested too deep"),
        (f"task: toys.regression\ndata: {'- ' * 9000}", "is no valid YAML"),
        ("task: toys.regression\ndata: !!timestamp x", "is no valid YAML"),
        ("task: toys.regression\ndata: !!python/name:os.system", "is no valid YAML"),
        (f"task: toys.regression\nwidth: {'9' * 5000}", "is no valid YAML"),
        (f"task: toys.regression\nwidth: 0x{'f' * 5000}", "width is a number of 20000 bits"),
        (f"task: toys.regression\n{'k' * 900}: 3", "kkk... is unknown"),
        (f"task: toys.regression\nwidth: {'w' * 5000}", "'www"),
        ('task: toys.regression\nwidth: "\\e[31m"', "width is '"),
        (f"task: toys.regression\n# {'x' * 200_000}", "recipes are shorter"),
        ("task: toys.regression\noptimizer: {lr: 1.0e+999}", "optimizer.lr is "),
    ],
)
def test_hostile_recipes_are_refused_at_once_in_a_line(file, text, words):
    message = refused(file, text, f"{file}: ", words)
    assert message.isprintable()
    assert len(message) < len(str(file)) + 500


def test_aliases_that_are_few_are_read(file):
    file.write_text(f"{TEXT}\nnoise: &n 0.25\n".replace("lr: 1e-3", "lr: 1e-3\n").replace("width: 16", "width: &w 16"))
    assert read_recipe(file, config).config.width == 16
    file.write_text("task: toys.regression\ntraining: {epochs: &e 7, keep_every: *e}\n")
    assert read_recipe(file, config).training.keep_every == 7


@dataclass(frozen=True)
class Odd:
    needed: int
    table: Mapping[str, float] = dataclasses.field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")
    either: int | str | None = None
    path: Path = Path("x")
    many: list[bool] = dataclasses.field(default_factory=list)


def test_other_types():
    value = {"needed": 1, "table": {"a": 1}, "pair": [2, "b"], "either": "x", "path": "y", "many": [True]}
    odd = parse(Odd, value, "odd")
    assert odd == Odd(1, {"a": 1.0}, (2, "b"), "x", Path("y"), [True])
    assert to_plain(odd) == value
    for wrong, message in (
        ({}, "odd.needed is missing"),
        ({"needed": 1, "pair": [1, "a", 2]}, "odd.pair has 3 entries; it must have 2"),
        ({"needed": 1, "either": 1.5}, "odd.either is 1.5"),
        ({"needed": 1, "table": {"a": "b"}}, "odd.table.a is 'b'"),
    ):
        with pytest.raises(UsageError, match=message):
            parse(Odd, wrong, "odd")


def test_recipe_as_a_dict_has_the_form_of_the_file():
    content = Recipe("toys.regression", RegressionConfig(), data=None).to_dict()
    assert list(content)[:5] == ["task", "data", "init", "training", "width"]
    assert content["optimizer"] == {"lr": 0.01, "kind": "adam"}
