"""Folders of networks as earlier versions wrote them load for ever; and the registry is the only list of networks."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from ictus import registry
from ictus.nn.pretrained import Pretrained
from ictus.sound.pipeline import Soloist

FOLDERS = sorted((Path(__file__).parent / "fixtures" / "checkpoints").iterdir())
NEWER = {
    "dance-net",
    "dance-revolution",
    "two-stream-motion-transformer",
    "pose-lifter",
}  # written since folders say their model type


def test_there_is_one_of_every_kind() -> None:
    assert {folder.name for folder in FOLDERS} == set(registry.MODELS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_of_old_loads_and_is_saved_as_today(folder: Path, tmp_path: Path) -> None:
    of_old = "class" in json.loads((folder / "config.json").read_text())  # it says so by a path that is gone
    assert of_old == (folder.name not in NEWER)
    network = registry.load_network(folder)
    assert network.model_type == folder.name
    assert network.metadata["licence"] == "CC0-1.0"
    network.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == folder.name
    again = registry.load_network(tmp_path)
    assert (type(again), again.config) == (type(network), network.config)
    assert all(tensor.equal(network.state_dict()[name]) for name, tensor in again.state_dict().items())


def test_the_registry_names_every_network_by_its_type() -> None:
    for model_type, model in registry.MODELS.items():
        module, _, name = model.network.partition(":")
        network = getattr(import_module(module), name)
        assert issubclass(network, Pretrained)
        assert network.model_type == model_type


@pytest.mark.parametrize("name", ["listener", "listener-live", "judge"])
def test_shipped_networks_go_by_their_old_names_too(name: str) -> None:
    assert isinstance(registry.load_network(name), Pretrained)


def test_a_soloist_of_old_loads_with_all_its_parts(tmp_path: Path) -> None:
    fixtures = {folder.name: folder for folder in FOLDERS}
    shutil.copytree(fixtures["soloist"], tmp_path / "soloist")
    for part, kind in (("codebook", "spectrogram-codebook"), ("encoder", "keypoint-encoder"), ("vocoder", "melgan")):
        shutil.copytree(fixtures[kind], tmp_path / "soloist" / part)
    assert isinstance(registry.load(tmp_path / "soloist"), Soloist)
