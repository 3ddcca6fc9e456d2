import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from conftest import same
from ictus.errors import IctusError, ModelError
from ictus.training import checkpoint


def network(width=4):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 1))


def step(net, optimizer, seed):
    torch.manual_seed(seed)
    optimizer.zero_grad()
    net(torch.randn(6, 3)).square().mean().backward()
    optimizer.step()


OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, 1e-2, betas=(0.5, 0.9)),
    "adamw": lambda p: torch.optim.AdamW([{"params": list(p), "weight_decay": 0.1}], 1e-2, amsgrad=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-2, momentum=0.5),
    "sgd": lambda p: torch.optim.SGD(p, 1e-2),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_networks_and_optimizers_go_on_as_if_never_saved(tmp_path, kind):
    torch.manual_seed(0)
    net, path = network(), tmp_path / "a.safetensors"
    optimizer = OPTIMIZERS[kind](net.parameters())
    for seed in range(3):
        step(net, optimizer, seed)
    tensors, facts = checkpoint.pack_optimizer("o", optimizer)
    checkpoint.write(path, checkpoint.pack_networks({"n": net}) | tensors, {"o": facts, "x": 0.1})
    other = network()
    fresh = OPTIMIZERS[kind](other.parameters())
    tensors, facts = checkpoint.read(path)
    assert facts["x"] == 0.1 == checkpoint.read_facts(path)["x"]
    checkpoint.unpack_networks({"n": other}, tensors, "here")
    checkpoint.unpack_optimizer("o", fresh, tensors, facts["o"], "here")
    for seed in range(3, 6):
        step(net, optimizer, seed)
        step(other, fresh, seed)
    assert same(net.state_dict(), other.state_dict())


def test_tied_weights(tmp_path):
    net = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    net["b"].weight = net["a"].weight
    checkpoint.write(tmp_path / "a", checkpoint.pack_networks({"n": net}), {})
    tensors, _ = checkpoint.read(tmp_path / "a")
    assert torch.equal(tensors["networks/n/b.weight"], net["a"].weight)


@pytest.mark.parametrize("content", ["pickle", "cut", "other", "empty", "list", "recipe", "progress", "nan"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "last.safetensors"
    checkpoint.write(path, {"a": torch.zeros(9)}, {})
    if content == "pickle":
        path.write_bytes(pickle.dumps({"a": 1}))
    elif content == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif content in ("list", "recipe", "progress", "nan"):
        facts = {"list": [1], "recipe": {"recipe": [1]}, "progress": {"progress": 3}, "nan": {"log": np.nan}}
        checkpoint.write(path, {}, facts[content])
    elif content == "other":
        save_file({"a": torch.zeros(9)}, path)
    else:
        path.write_bytes(b"")
    with pytest.raises(ModelError, match=r"last\.safetensors"):
        checkpoint.read(path)


def test_another_model_is_refused():
    tensors = checkpoint.pack_networks({"n": network()})
    with pytest.raises(ModelError, match=r"here: networks/n/0.weight has shape \(4, 3\), the recipe's model \(5, 3\)"):
        checkpoint.unpack_networks({"n": network(5)}, tensors, "here")
    with pytest.raises(ModelError, match=r"here: has no networks/other/0\.bias"):
        checkpoint.unpack_networks({"other": network()}, tensors, "here")
    net = network()
    with pytest.raises(ModelError, match=r"here: has a networks/n/1.bias"):
        checkpoint.unpack_networks({"n": nn.Sequential(net[0])}, tensors, "here")
    optimizer = torch.optim.Adam(net.parameters())
    step(net, optimizer, 0)
    state, facts = checkpoint.pack_optimizer("o", optimizer)
    with pytest.raises(ModelError, match="optimiser 'o' does not fit"):
        checkpoint.unpack_optimizer("o", torch.optim.Adam(net[0].parameters()), state, facts, "here")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "last.safetensors"
    checkpoint.write(path, {"a": torch.zeros(9)}, {})
    before = path.read_bytes()

    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(IctusError, match="No space left"):
        checkpoint.write(path, {"a": torch.ones(9)}, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["last.safetensors"]
