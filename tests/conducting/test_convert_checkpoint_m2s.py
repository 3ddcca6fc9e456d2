import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.conducting.chunked_inference import draw_noise
from ictus.conducting.models import convert_checkpoint
from ictus.conducting.models.m2s_gan import Generator
from ictus.conducting.models.m2s_net import M2SNet
from ictus.errors import ModelError
from tolerance import close

DATA = Path(__file__).parents[2].parent / "shared/data/virtualconductor"


def their_file(network, names, path, **extra):
    """Write a network of ours under the authors' names, every duplicate included."""
    tensors = {}
    for ours, tensor in network.state_dict().items():
        module, _, leaf = ours.rpartition(".")
        tensors |= {theirs: tensor for theirs, name in names.items() if name == ours}
        if "parametrizations" not in ours:
            tensors |= {f"{theirs}.{leaf}": tensor for theirs, name in names.items() if name == module}
    tensors = {name: tensor.clone() for name, tensor in tensors.items()} | extra
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)
    return path


def generator_file(path, **extra):
    torch.manual_seed(0)
    return their_file(Generator.from_config("paper"), convert_checkpoint._generator_names(), path, **extra)


def sync_file(path, **extra):
    torch.manual_seed(0)
    network = M2SNet.from_config("paper")
    unused = {name: torch.zeros(1) for name in convert_checkpoint.UNUSED}
    extra = {convert_checkpoint.GRAPH: network.motion.st_gcn.graph[None], **unused, **extra}
    return their_file(network, convert_checkpoint._sync_names(), path, **extra)


def refused(file, folder, *words):
    with pytest.raises(ModelError) as caught:
        convert_checkpoint.convert(file, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    for word in words:
        assert word in message
    assert not folder.exists()


def test_both_networks_are_recognised(tmp_path):
    generator = convert_checkpoint.convert(generator_file(tmp_path / "a.pt"), tmp_path / "a")
    assert isinstance(generator, Generator)
    assert not generator.training
    network = convert_checkpoint.convert(sync_file(tmp_path / "b.pt"), tmp_path / "b")
    assert isinstance(network, M2SNet)
    torch.manual_seed(0)
    expected = M2SNet.from_config("paper").state_dict()
    loaded = M2SNet.from_pretrained(tmp_path / "b").state_dict()
    assert all(torch.equal(expected[name], loaded[name]) for name in expected)


def test_the_card_states_source_and_licence(tmp_path):
    convert_checkpoint.convert(generator_file(tmp_path / "a.pt"), tmp_path / "a")
    card = (tmp_path / "a/README.md").read_text()
    for words in ("research use only", "Copyright (c) 2022 Delong Chen", "github.com/ChenDelong1999", "JCST 2022"):
        assert words in card
    metadata = Generator.from_pretrained(tmp_path / "a").metadata
    assert metadata["features"] == "mel128@90"
    assert metadata["file"] == "a.pt"


def test_copies_that_differ(tmp_path):
    name = "tcn.TCN.tcn.tcn.network.3.net.5.bias"
    file = generator_file(tmp_path / "a.pt", **{name: torch.full((64,), 9.0)})
    refused(file, tmp_path / "out", name, "second copy")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"novel.weight": torch.zeros(1)}, "novel.weight is no part"),
        ({"noise_BN.bias": None}, "misses noise.up.8.bias"),
        ({"noise_BN.bias": torch.zeros(3)}, "noise.up.8.bias has shape (3,)"),
        ({"noise_BN.bias": torch.full((64,), torch.nan)}, "noise.up.8.bias holds NaN"),
    ],
)
def test_tensors_that_do_not_fit(tmp_path, extra, words):
    refused(generator_file(tmp_path / "a.pt", **extra), tmp_path / "out", words)


@pytest.mark.parametrize("graph", [None, torch.eye(13)[None], torch.eye(17)[None]])
def test_another_skeleton(tmp_path, graph):
    refused(sync_file(tmp_path / "b.pt", **{convert_checkpoint.GRAPH: graph}), tmp_path / "out", "another skeleton")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"weight": torch.zeros(3)}, "neither"),
        ({"noise_BN.weight": torch.zeros(64), "epoch": 3}, "'epoch' is a int"),
        ({"state_dict": {"noise_BN.weight": torch.zeros(64)}}, "'state_dict' is a dict"),
        ({3: torch.zeros(3)}, "only named tensors"),
        ([torch.zeros(3)], "holds a list"),
        (torch.zeros(3), "holds a Tensor"),
        ({}, "holds a dict"),
    ],
)
def test_other_files_of_tensors(tmp_path, content, words):
    torch.save(content, tmp_path / "other.pt")
    refused(tmp_path / "other.pt", tmp_path / "out", words)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_would_cost_more_than_it_is_long_is_refused_at_once(tmp_path, zipped):
    levels = b"".join(b"h%ch%c\x86\x94" % (k, k) for k in range(60))  # a key that would take 2 ** 60 steps to compare
    nest = b"\x80\x04}K\x01\x85\x94" + levels + b"K\x01s."
    file = tmp_path / "other.pt"
    torch.save({"noise_BN.weight": torch.zeros(3)}, file, _use_new_zipfile_serialization=zipped)
    if zipped:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, nest if name.endswith("data.pkl") else content)
    else:
        content = file.read_bytes()
        start = content.index(b"ccollections") if b"ccollections" in content else content.index(b"}q")
        file.write_bytes(content[: content.rindex(b"\x80\x02", 0, start)] + nest)
    refused(file, tmp_path / "out", "no file of tensors")


def test_a_tensor_of_one_number_in_many_places_is_refused(tmp_path):
    torch.save({"noise_BN.weight": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "other.pt")
    refused(tmp_path / "other.pt", tmp_path / "out", "more numbers than the file has bytes")


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_hostile_pickles_are_not_executed(tmp_path, write):
    target = tmp_path / "executed"
    write({"noise_BN.weight": torch.zeros(64), "x": Hostile(target)}, tmp_path / "bad.pt")
    refused(tmp_path / "bad.pt", tmp_path / "out", "nothing was executed")
    assert not target.exists()
    with (tmp_path / "plain.pkl").open("wb") as file:  # the trap does work on a careless reader
        pickle.dump(Hostile(target), file)
    pickle.loads((tmp_path / "plain.pkl").read_bytes())
    assert target.exists()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"GARBAGE" * 100, lambda b: b"\x80\x02."])
def test_damaged_files(tmp_path, damage):
    file = generator_file(tmp_path / "a.pt")
    file.write_bytes(damage(file.read_bytes()))
    refused(file, tmp_path / "out")


def test_no_file(tmp_path):
    refused(tmp_path / "no.pt", tmp_path / "out", "no such file")
    (tmp_path / "empty.pt").touch()
    refused(tmp_path / "empty.pt", tmp_path / "out", "empty")


# Parity with outputs of the authors' own code. The bounds are its own noise from run to run in single precision
# (threads, backends); in double precision little more than rounding is allowed.


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    if not DATA.is_dir():
        pytest.skip("the authors' weights and outputs (shared/data/virtualconductor) are not here")
    folder = tmp_path_factory.mktemp("official")
    convert_checkpoint.convert(DATA / "M2SGAN_official_pretrained.pt", folder / "gan")
    convert_checkpoint.convert(DATA / "M2SNet_official_pretrained.pt", folder / "sync")
    return Generator.from_pretrained(folder / "gan"), M2SNet.from_pretrained(folder / "sync")


@pytest.fixture(scope="module")
def truth(networks):
    with np.load(DATA / "parity.npz") as arrays:
        return {name: torch.from_numpy(np.atleast_1d(array)) for name, array in arrays.items()}


def difference(ours, theirs):
    assert ours.shape == theirs.shape
    return (ours - theirs).abs()


@torch.inference_mode()
def test_parity_in_single_precision(networks, truth):
    generator, sync = networks
    assert difference(generator(truth["mel"], truth["noise"]), truth["motion"]).max() < 1e-5
    assert difference(generator(truth["mel"], truth["noise2"]), truth["motion2"]).max() < 1e-5
    music, motion = sync.features(truth["mel"], truth["motion"])
    assert difference(music[-1], truth["music_features_last"]).max() < 2e-4
    assert difference(motion[-1], truth["motion_features_last"]).max() < 2e-4
    for suffix in ("", "2"):
        off = difference(sync(truth["mel"], truth[f"motion{suffix}"]), truth[f"sync{suffix}"])
        assert off.max() < 1e-3
        assert off.mean() < 1e-5


@torch.inference_mode()
def test_parity_in_double_precision(networks, truth, tmp_path):
    generator, sync = (type(network).from_config("paper").double() for network in networks)
    generator.load_state_dict(networks[0].state_dict())
    sync.load_state_dict(networks[1].state_dict())
    mel, noise, motion = (truth[name].double() for name in ("mel", "noise", "motion"))
    assert difference(generator.eval()(mel, noise), truth["motion_f64"]).max() < 1e-9
    assert difference(sync.eval()(mel, motion), truth["sync_f64"]).max() < 1e-9
    assert difference(generator.folded()(mel, noise), truth["motion_f64"]).max() < 1e-9


def test_parity_of_the_folded_generator(networks, truth):
    assert difference(networks[0].folded()(truth["mel"], truth["noise"]), truth["motion"]).max() < 1e-5


def test_a_seed_draws_the_authors_noise(truth):
    """Processors compute the logarithms and cosines of normal draws with another last bit."""
    close(draw_noise(20, 8, seed=1), truth["noise"][0])
    close(draw_noise(20, 8, seed=2), truth["noise2"][0])
