"""What the package ships: every checkpoint says what it is, loads by its name and does what its art does."""

import json
from pathlib import Path

import numpy as np
import pytest

from ictus import io, registry
from ictus.audio import Audio
from ictus.errors import ModelError, UsageError
from ictus.motion import Motion
from ictus.nn.folder import read_config, shipped_folders
from ictus.render.render_options import RenderOptions
from ictus.retargeting.projection import project
from ictus.skeleton import get_skeleton

FOLDERS = shipped_folders()


def tones(seconds: float, rate: int = 22050) -> Audio:
    """A tone that is struck twice a second."""
    time = np.arange(round(seconds * rate)) / rate
    return Audio((0.5 * np.sin(2 * np.pi * 440 * time) * np.exp(-6 * (time % 0.5))).astype(np.float32)[None], rate)


def test_the_conductors_of_the_papers_are_there() -> None:
    assert {"plain", "cnn-lstm", "m2s-net", "m2s-gan"} <= {folder.name for folder in FOLDERS}
    assert [model.name for model in registry.shipped()] == ["maestro", *(folder.name for folder in FOLDERS)]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_checkpoint_says_what_it_is(folder) -> None:
    facts = read_config(folder)["metadata"]
    assert all(facts[key] for key in ("art", "description", "licence", "recipe"))
    assert "/" not in str(facts["recipe"].get("data", ""))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"## {heading}\n" in card for heading in ("Trained on", "How", "Figures", "Limits", "Licence"))
    assert max(file.stat().st_size for file in folder.rglob("*")) < 10e6


def test_all_of_them_stay_small() -> None:
    assert sum(file.stat().st_size for folder in FOLDERS for file in folder.rglob("*")) < 60e6


@pytest.mark.parametrize("name", ["plain", "cnn-lstm", "m2s-gan"])
def test_conductors_conduct_by_name(name: str) -> None:
    motion = registry.load(name)(tones(10), seed=1)
    assert motion.positions.shape == (300, 13, 2)
    moved = motion.positions.std(axis=0).mean()
    assert moved < 1e-5 if name == "plain" else moved > 1e-3
    again = registry.load(name)(tones(10), seed=1)
    np.testing.assert_array_equal(again.positions, motion.positions)


def test_what_is_no_conductor_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="makes no motion"):
        registry.load("m2s-net")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        *(("maestro", "conduct"), ("plain", "conduct"), ("fact", "dance"), ("choreographer", "dance")),
        *(("soloist", "sound"), ("m2s-net", None), ("listener", "beats"), ("beat-tracker", "beats"), ("judge", None)),
    ],
)
def test_each_model_has_its_command(name: str, command: str | None) -> None:
    assert registry.command_of(name) == command


@pytest.mark.parametrize("body", ["conductor-13", "conductor-23"])
def test_a_conductor_is_saved_in_flat_and_in_solid_formats(body: str, tmp_path: Path) -> None:
    skeleton = get_skeleton("conductor-23")
    assert skeleton.rest is not None
    still = np.tile(np.eye(3), (60, 23, 1, 1))
    motion = Motion(np.tile(skeleton.rest, (60, 1, 1)), 60, skeleton, still, np.tile(skeleton.rest[0], (60, 1)))
    if body == "conductor-13":
        motion = project(motion)
    for suffix, frames, joints in ((".npy", 30, 13), (".bvh", 60, 23), (".npz", 60, len(motion.skeleton))):
        out = tmp_path / f"{body}{suffix}"
        io.save_motion(motion, out, out, RenderOptions(), lambda fraction: None)
        assert Motion.load(out).positions.shape[:2] == (frames, joints), suffix


MIRROR = """
from dataclasses import dataclass
class Mirror:
    command = "conduct"
    def __init__(self, name, *, lead=0.0):
        self.name, self.lead = name, lead
    @classmethod
    def from_folder(cls, name, **options):
        return cls(name, **options)
@dataclass(frozen=True)
class Config:
    steps: int = 1
class Task:
    Config = Config
"""


def test_other_packages_add_models_and_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mirror.py").write_text(MIRROR)
    about = tmp_path / "mirror-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mirror\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[ictus.models]\nmirror = mirror:Mirror\n[ictus.tasks]\nmirror.learn = mirror:Task\n"
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "mirror", "config": {}, "metadata": {}}))
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.command_of(tmp_path / "model") == "conduct"
    assert registry.conductor(tmp_path / "model", lead=0.1).lead == 0.1
    with pytest.raises(UsageError, match="cannot be given a genre"):
        registry.load(tmp_path / "model", genre="WA")
    with pytest.raises(ModelError, match="only the pipeline is known"):
        registry.load_network(tmp_path / "model")
    assert registry.task_class("mirror.learn").Config().steps == 1


@pytest.mark.parametrize("name", ["conducting.listener", "dance.repertoire", "sound.judge"])
def test_tasks_go_by_their_old_names_too(name: str) -> None:
    assert registry.task_class(name) in map(registry.task_class, registry.TASKS)


def test_options_belong_to_models() -> None:
    assert registry.load("maestro", meter=3).meter == 3
    assert registry.load("m2s-gan", lead=0.05).lead == 0.05
    with pytest.raises(UsageError, match="m2s-gan cannot be given a meter; maestro can"):
        registry.load("m2s-gan", meter=3)
