"""BN-Inception: the layers, names and sizes of the weights that everybody uses, loaded without running anything."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ictus.errors import ModelError
from ictus.sound.models.bn_inception import BNInception, load_published
from tolerance import close

# Ioffe & Szegedy 2015, figure 5, as wide as in the weights. A row: what comes in; 1 x 1; 3 x 3 reduced, 3 x 3;
# double 3 x 3 reduced, the two 3 x 3; behind the pooling.
TABLE = {
    "3a": (192, 64, 64, 64, 64, 96, 96, 32),
    "3b": (256, 64, 64, 96, 64, 96, 96, 64),
    "3c": (320, None, 128, 160, 64, 96, 96, None),
    "4a": (576, 224, 64, 96, 96, 128, 128, 128),
    "4b": (576, 192, 96, 128, 96, 128, 128, 128),
    "4c": (576, 160, 128, 160, 128, 160, 160, 128),
    "4d": (608, 96, 128, 192, 160, 192, 192, 128),
    "4e": (608, None, 128, 192, 192, 256, 256, None),
    "5a": (1056, 352, 192, 320, 160, 224, 224, 128),
    "5b": (1024, 352, 192, 320, 192, 224, 224, 128),
}


def convolutions(channels: int) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Yield the name of each convolution and the shape of its weight."""
    yield "conv1_7x7_s2", (64, channels, 7, 7)
    yield "conv2_3x3_reduce", (64, 64, 1, 1)
    yield "conv2_3x3", (192, 64, 3, 3)
    for unit, (given, one, reduced, three, double_reduced, first, second, projected) in TABLE.items():
        name = f"inception_{unit}"
        if one:
            yield f"{name}_1x1", (one, given, 1, 1)
        yield f"{name}_3x3_reduce", (reduced, given, 1, 1)
        yield f"{name}_3x3", (three, reduced, 3, 3)
        yield f"{name}_double_3x3_reduce", (double_reduced, given, 1, 1)
        yield f"{name}_double_3x3_1", (first, double_reduced, 3, 3)
        yield f"{name}_double_3x3_2", (second, first, 3, 3)
        if projected:
            yield f"{name}_pool_proj", (projected, given, 1, 1)


def published(channels: int = 3, *, classifier: bool = True) -> dict[str, Tensor]:
    """Return random weights under the published names, which count no batches."""
    torch.manual_seed(0)
    tensors: dict[str, Tensor] = {}
    for name, shape in convolutions(channels):
        fan = shape[1] * shape[2] * shape[3]
        tensors[f"{name}.weight"] = torch.randn(shape) * (2 / fan) ** 0.5
        tensors[f"{name}.bias"] = 0.1 * torch.randn(shape[0])
        tensors[f"{name}_bn.weight"], tensors[f"{name}_bn.running_var"] = (0.5 + torch.rand(shape[0]) for _ in range(2))
        tensors[f"{name}_bn.bias"], tensors[f"{name}_bn.running_mean"] = (0.1 * torch.randn(shape[0]) for _ in range(2))
    if classifier:
        tensors["last_linear.weight"], tensors["last_linear.bias"] = torch.randn(1000, 1024), torch.randn(1000)
    return tensors


def test_names_and_sizes_are_those_of_the_published_weights() -> None:
    network = BNInception.from_config("paper")
    own = {name: tuple(x.shape) for name, x in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    assert own == {name: tuple(x.shape) for name, x in published().items()}
    assert sum(weight.numel() for weight in network.parameters()) == 11_295_240


@pytest.mark.parametrize("channels", [3, 10, 2])
def test_published_weights_are_loaded_and_used(channels: int, tmp_path: Path) -> None:
    tensors = published(channels, classifier=channels == 3)
    torch.save(tensors, tmp_path / "a.pth")
    network = load_published(tmp_path / "a.pth")
    assert (network.config.channels, network.config.classes) == (channels, 1000 if channels == 3 else 0)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in tensors.items())
    torch.manual_seed(1)
    pictures = 50 * torch.randn(2, channels, 224, 224)
    with torch.no_grad():
        features = network(pictures)
        again = load_published(tmp_path / "a.pth")(pictures)
        close(network(pictures[1:]), features[1:], layers=40)
    assert features.shape == (2, 1024)
    assert features.min() >= 0
    assert (features.std(0) > 0).float().mean() > 0.5
    assert torch.equal(features, again)
    if channels == 3:
        assert network.classify(features).shape == (2, 1000)


def test_older_files_and_our_own_folders_are_read(tmp_path: Path) -> None:
    tensors = published(classifier=False)
    old = {f"base_model.{name}": x[None] if "_bn." in name else x for name, x in tensors.items()}
    torch.save(old, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    network = load_published(tmp_path / "old.pth")
    network.save_pretrained(tmp_path / "folder")
    for loaded in (network, load_published(tmp_path / "folder")):
        assert all(torch.equal(loaded.state_dict()[name], value) for name, value in tensors.items())


class _Hostile:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return Path("ran").touch, ()


def test_what_holds_anything_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.pth").write_bytes(pickle.dumps({"conv1_7x7_s2.weight": _Hostile()}))
    torch.save({"conv1_7x7_s2.weight": _Hostile()}, "b.pth")
    torch.save({"layer.weight": torch.zeros(3)}, "c.pth")
    torch.save({name: x for name, x in published().items() if not name.startswith("inception_4d_1x1")}, "d.pth")
    torch.save({**published(), "conv1_7x7_s2.weight": torch.zeros(64, 3, 3, 3)}, "e.pth")
    for name, says in {
        "a.pth": "nothing was executed",
        "b.pth": "nothing was executed",
        "c.pth": "has no conv1_7x7_s2.weight; give the weights of BN-Inception",
        "d.pth": "misses inception_4d_1x1.bias, inception_4d_1x1.weight",
        "e.pth": "conv1_7x7_s2.weight has shape",
        "f.pth": "no such file",
    }.items():
        with pytest.raises(ModelError) as refused:
            load_published(name)
        assert str(refused.value).startswith(name)
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)
    assert not Path("ran").exists()
