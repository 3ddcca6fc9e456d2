import json
from dataclasses import dataclass, field
from typing import Literal

import pytest
import torch
from safetensors.torch import load_file, save_file

from ictus.errors import IctusError, ModelError
from ictus.nn.pretrained import Pretrained, initialise_from, locate, read_config


@dataclass(frozen=True)
class LayerConfig:
    width: int = 4
    scale: float = 1.0


@dataclass(frozen=True)
class ToyConfig:
    inner: LayerConfig = field(default_factory=LayerConfig)
    kind: Literal["plain", "fancy"] = "plain"
    channels: tuple[int, int] = (2, 3)
    every: tuple[int, ...] = ()
    limit: int | None = None


class Toy(Pretrained):
    """A toy."""

    model_type = "toy"
    Config = ToyConfig
    sizes = {"paper": ToyConfig(), "debug": ToyConfig(LayerConfig(width=2))}  # noqa: RUF012

    def __init__(self, config):
        super().__init__(config)
        self.linear = torch.nn.Linear(config.inner.width, 3)
        self.norm = torch.nn.BatchNorm1d(3)


class Other(Toy):
    model_type = "other"


CONFIG = ToyConfig(LayerConfig(width=5, scale=2.5), "fancy", (7, 8), (1, 2, 3), 9)


@pytest.fixture
def folder(tmp_path):
    Toy(CONFIG).save_pretrained(tmp_path / "toy", {"fps": 30, "licence": "CC0 | free"})
    return tmp_path / "toy"


def edit(folder, change):
    content = json.loads((folder / "config.json").read_text())
    change(content)
    (folder / "config.json").write_text(json.dumps(content))


def edit_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def refused(folder, *words):
    with pytest.raises(ModelError) as caught:
        Toy.from_pretrained(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    for word in words:
        assert word in message
    return message


@pytest.mark.parametrize("width", [10**6, 10**12, 10**400])
def test_sizes_beyond_the_weights_fill_no_memory(folder, width):
    edit(folder, lambda content: content["config"]["inner"].update(width=width))
    message = refused(folder, "config.json: ")
    assert len(message) < 500
    assert "no network can be built" in message or "a number of" in message


def test_words_from_a_folder_are_harmless_and_short(folder):
    edit(folder, lambda content: content.update(model_type="\x1b[31m" + "x" * 5000))
    assert refused(folder, "holds").isprintable()
    edit(folder, lambda content: content.update(model_type="toy", config={"\x1b" * 5000: 1}))
    assert len(refused(folder, "is unknown")) < 500


def test_round_trip(tmp_path):
    network = Toy(CONFIG).train()
    network.norm.running_mean += 1
    network.save_pretrained(tmp_path / "a", {"fps": 30})
    loaded = Toy.from_pretrained(tmp_path / "a")
    assert loaded.config == CONFIG
    assert loaded.metadata == {"fps": 30}
    assert not loaded.training
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in network.state_dict().items())
    assert all(p.requires_grad for p in loaded.parameters())
    loaded.save_pretrained(tmp_path / "b")  # metadata travels on
    assert (tmp_path / "a/config.json").read_text() == (tmp_path / "b/config.json").read_text()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_half_the_space(tmp_path):
    network = Toy.from_config("paper")
    network.save_pretrained(tmp_path, half=True)
    assert load_file(tmp_path / "model.safetensors")["linear.weight"].dtype == torch.float16
    loaded = Toy.from_pretrained(tmp_path)
    assert loaded.linear.weight.dtype == torch.float32
    torch.testing.assert_close(loaded.linear.weight, network.linear.weight, atol=1e-3, rtol=1e-3)


def test_loading_leaves_the_random_state_alone(folder):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    Toy.from_pretrained(folder)
    assert torch.equal(torch.rand(4), expected)


def test_card_tells_the_facts(folder, tmp_path):
    card = (folder / "README.md").read_text()
    assert card.startswith("# Toy\n\nA toy.\n")
    assert "| licence | CC0 \\| free |" in card
    assert "| parameters | 24 |" in card
    Toy(CONFIG).save_pretrained(tmp_path / "own", card="# Mine\n")
    assert (tmp_path / "own/README.md").read_text() == "# Mine\n"


def test_read_config(folder):
    description = read_config(folder)
    assert description["model_type"] == "toy"
    assert description["config"]["inner"] == {"width": 5, "scale": 2.5}
    assert description["metadata"] == {"fps": 30, "licence": "CC0 | free"}


def test_from_config():
    assert Toy.from_config("debug").config.inner.width == 2
    with pytest.raises(ModelError, match="no size 'huge'; it has paper, debug"):
        Toy.from_config("huge")


def test_a_diverged_network_does_not_replace_a_good_one(folder):
    before = (folder / "model.safetensors").read_bytes()
    network = Toy(CONFIG)
    torch.nn.init.constant_(network.linear.bias, torch.nan)
    with pytest.raises(ModelError, match=r"linear\.bias holds NaN"):
        network.save_pretrained(folder)
    assert (folder / "model.safetensors").read_bytes() == before


def test_saving_over_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(IctusError):
        Toy(CONFIG).save_pretrained(tmp_path / "file")


def test_missing_folder_and_file(tmp_path):
    refused(tmp_path / "nowhere", "no such folder")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "is a file", "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_missing_or_empty_part(folder, name):
    (folder / name).write_bytes(b"")
    refused(folder, name, "empty")
    (folder / name).unlink()
    refused(folder, name, "no such file")


@pytest.mark.parametrize("text", ["{", "\x00\x01", "[" * 100_000])
def test_config_that_is_no_json(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json", "JSON")


@pytest.mark.parametrize("text", ["[]", "3", '{"model_type": "bert"}', '{"class": 1, "config": {}, "metadata": {}}'])
def test_config_of_another_program(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json", "no checkpoint of ictus")


def test_wrong_class_names_both(folder):
    with pytest.raises(ModelError, match="holds toy, but other is needed"):
        Other.from_pretrained(folder)


def test_unknown_key_names_the_nearest(folder):
    edit(folder, lambda content: content["config"]["inner"].update(widht=3))
    refused(folder, "config.inner.widht is unknown", "nearest valid key is config.inner.width")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("kind", "grand", "must be one of plain, fancy"),
        ("kind", ["plain"], "must be one of"),
        ("channels", [1, 2, 3], "has 3 entries; it must have 2"),
        ("channels", [1, "2"], "config.channels[1] is '2'"),
        ("inner", 4, "must have keys: width, scale"),
        ("inner", {"width": True}, "config.inner.width is True"),
        ("inner", {"width": 1.5}, "a whole number"),
        ("inner", {"width": -1}, "no network can be built"),
        ("limit", "none", "a whole number"),
    ],
)
def test_wrong_values(folder, key, value, words):
    edit(folder, lambda content: content["config"].update({key: value}))
    refused(folder, "config.json", words)


def test_defaults_fill_what_an_older_config_lacks(folder):
    edit(folder, lambda content: content["config"].pop("every"))
    assert Toy.from_pretrained(folder).config.every == ()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:20], lambda b: b"\xff" * len(b), lambda b: b"x" + b])
def test_damaged_safetensors(folder, damage):
    file = folder / "model.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    refused(folder, "model.safetensors", "damaged")


def test_pickled_weights_are_never_opened(folder):
    torch.save(Toy(CONFIG).state_dict(), folder / "model.safetensors")
    refused(folder, "model.safetensors", "damaged")


def test_missing_and_unexpected_tensors(folder):
    edit_tensors(folder, lambda tensors: tensors.pop("linear.bias"))
    refused(folder, "misses linear.bias", "not the weights")
    edit_tensors(folder, lambda tensors: tensors.update({"linear.bias": torch.zeros(3), "extra": torch.zeros(3)}))
    refused(folder, "also holds extra")


def test_wrong_shape_and_type(folder):
    edit_tensors(folder, lambda tensors: tensors.update({"linear.bias": torch.zeros(4)}))
    refused(folder, "linear.bias has shape (4,), the config says (3,)")
    edit_tensors(folder, lambda tensors: tensors.update({"linear.bias": torch.zeros(3, dtype=torch.int32)}))
    refused(folder, "linear.bias holds torch.int32, expected torch.float32")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(folder, value):
    edit_tensors(folder, lambda tensors: tensors["linear.bias"].fill_(value))
    refused(folder, "linear.bias holds NaN or infinity")


def test_shipped_names():
    with pytest.raises(ModelError, match="no-such-model: no such folder"):
        locate("no-such-model")


def test_another_network_begins_from_the_weights_that_fit(folder):
    network, given = Toy(ToyConfig(LayerConfig(width=6))), load_file(folder / "model.safetensors")
    given_norm = {key: tensor + 1 for key, tensor in given.items() if key.startswith("norm.")}
    edit_tensors(folder, lambda tensors: tensors.update(given_norm))
    fresh = network.linear.weight.clone()
    assert initialise_from([Other(CONFIG), network], folder) == ("linear.weight",)
    assert torch.equal(network.linear.bias, given["linear.bias"])
    assert torch.equal(network.norm.weight, given_norm["norm.weight"])
    assert torch.equal(network.linear.weight, fresh)
    with pytest.raises(ModelError, match="holds a toy; that is not what is trained here"):
        initialise_from([Other(CONFIG)], folder)
    edit_tensors(folder, lambda tensors: [tensors.pop(key) for key in list(tensors) if key != "linear.weight"])
    with pytest.raises(ModelError, match="no weight of this toy has the shape"):
        initialise_from([network], folder)
