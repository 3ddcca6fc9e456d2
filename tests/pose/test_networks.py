"""The files of networks: what is taken for one, and what is said where they are not."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ictus.errors import IctusError, ModelError
from ictus.pose import networks

CONTENT = b"\x1c\0\0\0TFL3 a network"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and networks whose content is known."""
    monkeypatch.setenv("ICTUS_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(CONTENT).hexdigest()
    known = {name: replace(file, digest=digest) for name, file in networks.FILES.items()}
    monkeypatch.setattr(networks, "FILES", known)
    return tmp_path / "cache" / "blaze"


def pip(monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes], code: int = 0, stderr: str = "") -> None:
    """Let pip fetch a wheel with these members."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--no-deps" in command
        if not code:
            folder = Path(command[command.index("--dest") + 1])
            with zipfile.ZipFile(folder / "mediapipe.whl", "w") as wheel:
                for name, content in contents.items():
                    wheel.writestr(name, content)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)


def wheel() -> dict[str, bytes]:
    return {file.path: CONTENT for file in networks.FILES.values()}


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ICTUS_CACHE", raising=False)
    assert networks.cache() == tmp_path / "ictus" / "blaze"
    monkeypatch.setenv("ICTUS_CACHE", str(tmp_path / "own"))
    assert networks.cache() == tmp_path / "own" / "blaze"


def test_before_they_are_fetched_it_is_said_how(cache: Path) -> None:
    with pytest.raises(IctusError, match="fetch them once by `ictus models get blaze`"):
        networks.load()


def test_they_are_fetched_by_pip_and_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, wheel())
    files = networks.fetch()
    assert {file.parent for file in files} == {cache}
    assert networks.load().files == dict.fromkeys(networks.FILES, CONTENT)


def test_another_file_in_the_wheel_is_refused_and_nothing_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, wheel() | {networks.FILES["hand_landmark"].path: CONTENT + b"!"})
    with pytest.raises(ModelError, match=r"hand_landmark\.tflite: is not the file that is known"):
        networks.fetch()
    assert not cache.exists()


def test_a_wheel_without_a_network_is_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, {"else.txt": b""})
    with pytest.raises(ModelError, match=r"mediapipe\.whl: damaged"):
        networks.fetch()


def test_pip_that_fails_says_why(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, {}, code=1, stderr="WARNING: x\nERROR: No matching distribution found\n")
    with pytest.raises(IctusError, match=r"could not be fetched by pip \(ERROR: No matching distribution found\)"):
        networks.fetch()


def test_a_file_that_has_changed_in_the_cache_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(monkeypatch, wheel())
    networks.fetch()
    (cache / "pose_landmark.tflite").write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match=r"pose_landmark\.tflite: is not the file that is known.*models get blaze"):
        networks.load()


def test_a_folder_of_ones_own_by_any_of_the_names(tmp_path: Path) -> None:
    for name in ("pose_detector", "pose_landmark_heavy", "hand_landmark_full"):
        (tmp_path / f"{name}.tflite").write_bytes(CONTENT)
    found = networks.load(tmp_path)
    assert sorted(found.files) == ["hand_landmark", "pose_detection", "pose_landmark"]


def test_a_task_file(tmp_path: Path) -> None:
    file = tmp_path / "holistic.task"
    with zipfile.ZipFile(file, "w") as task:
        for name in ("pose_detector", "pose_landmarks_detector", "face_detector"):
            task.writestr(f"{name}.tflite", CONTENT)
    assert sorted(networks.load(file).files) == ["pose_detection", "pose_landmark"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.task", b"no zip", r"x\.task: damaged"),
        ("x.task", b"", r"x\.task: the file is empty"),
        ("folder/pose_detection.tflite", CONTENT, r"folder: holds no pose_landmark\.tflite"),
        ("folder/pose_detection.tflite", b"", r"pose_detection\.tflite: the file is empty"),
    ],
)
def test_what_is_no_network_is_refused_in_a_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(IctusError, match=message):
        networks.load(file if file.suffix == ".task" else file.parent)


def test_a_missing_file_and_one_that_is_no_tflite(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        networks.load(tmp_path / "lost.task")
    for name in ("pose_detection", "pose_landmark"):
        (tmp_path / f"{name}.tflite").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match="pose_detection: is no network in TensorFlow Lite's format"):
        networks.load(tmp_path)
