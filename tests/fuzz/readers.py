"""All readers of the package: how each is called, and a small file that it reads, made by the package's own writers."""

import json
import pickle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

import tiny_scores
from ictus import video_io
from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.dataset import AnnotatedRecording
from ictus.conducting.data.conductor_motion import inspect_split
from ictus.conducting.models.convert_checkpoint import convert as convert_conductor
from ictus.corpora import check_signature
from ictus.dance.body import load_body
from ictus.dance.data import aist
from ictus.dance.data.dance_with_melody import find_recordings
from ictus.dance.data.dataset import MELODY, scan_dances
from ictus.dance.data.repertoire import read_clip
from ictus.dance.data.synthetic import AnnotatedSong
from ictus.dance.models.convert_checkpoint import convert as convert_dancer
from ictus.documents import read_table
from ictus.errors import IctusError
from ictus.formats import MotionData, openpose, read_keypoints
from ictus.formats.solos import read_video
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.registry import load_network, task_class
from ictus.scores import reader as scores
from ictus.scores.score import Note
from ictus.skeleton import get_skeleton
from ictus.sound.data.frame_features import load_features
from ictus.sound.data.samples import PerformanceSamples
from ictus.sound.data.video_index import find_videos, read_ids
from ictus.synthesis.tempo import recorded
from ictus.training import checkpoint
from ictus.training.recipe import read_recipe

Maker = Callable[[Path], object]

RNG = np.random.default_rng(0)
SMPL, CONDUCTOR = get_skeleton("smpl-24"), get_skeleton("conductor-13")


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes
    ----------
    file : the name of what is read; empty where it is a folder.
    read : is given the path; what it returns is of no account.
    make : writes a good example into a folder, under that name.
    cases : patterns of further examples in ../shared/data/cases, where that is present.
    """

    file: str
    read: Callable[[Path], object]
    make: Maker
    cases: tuple[str, ...] = ()

    def examples(self, folder: Path) -> list[dict[str, bytes]]:
        """Return the good example and the cases, each as contents by name."""
        self.make(folder)
        made = {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }
        cases = Path(__file__).parents[3] / "shared" / "data" / "cases"
        found = [
            path for pattern in self.cases for path in sorted(cases.glob(pattern)) if path.stat().st_size < 200_000
        ]
        return [made, *({self.file: path.read_bytes()} for path in found)]


def motion(joints: int = 24) -> Motion:
    if joints == 13:
        return Motion(RNG.random((6, 13, 2)), 30.0, CONDUCTOR, meta={"beats": [0.5], "model": "x"})
    turns = np.tile(np.eye(3, dtype=np.float32), (4, 24, 1, 1))
    root = RNG.normal(size=(4, 3)).astype(np.float32)
    return Motion(forward_kinematics(SMPL, turns, root), 60.0, SMPL, turns, root)


def saved(content: Motion | Audio | Beats, name: str) -> Maker:
    return lambda folder: content.save(folder / name)


def text(name: str, content: str) -> Maker:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")

    return make


def data(name: str, content: Any) -> Maker:
    return text(name, json.dumps(content))


def arrays(name: str, **content: Any) -> Maker:
    return lambda folder: np.savez(folder / name, **content)


def array(name: str, *shape: int, kind: str = "f4") -> Maker:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / name, RNG.random(shape).astype(kind))

    return make


def all_of(*makers: Maker) -> Maker:
    return lambda folder: [make(folder) for make in makers]


# --- Motion and keypoints --------------------------------------------------------------------------------------------


def player(path: Path) -> object:
    return read_keypoints(path, (640, 480))


def pages(folder: Path) -> None:
    positions = RNG.uniform(0, 480, (3, 17, 2)).astype(np.float32)
    openpose.write(folder, MotionData(get_skeleton("coco-17"), 30.0, positions))


FLAT = {"pose": RNG.random((3, 33, 4)), "left_hand": RNG.random((3, 21, 3)), "right_hand": RNG.random((3, 21, 3))}
WHOLE = [{"image_id": k, "keypoints": RNG.uniform(0, 99, 399).round(1).tolist()} for k in range(3)]
MOTIONS = {
    "npz": Reader("x.npz", Motion.load, saved(motion(), "x.npz"), ("red/*.npz",)),
    "npy": Reader("x.npy", Motion.load, saved(motion(13), "x.npy")),
    "json": Reader("x.json", Motion.load, saved(motion(13), "x.json"), ("red/*.json",)),
    "bvh": Reader("x.bvh", Motion.load, saved(motion(), "x.bvh"), ("b0*/*.bvh", "red/*.bvh")),
    "glb": Reader("x.glb", Motion.load, saved(motion(), "x.glb"), ("g01*/*.glb", "red/*.glb")),
    "pkl": Reader("x.pkl", Motion.load, saved(motion(), "x.pkl"), ("p01*/*.pkl", "red/*.pkl")),
    "openpose": Reader("", player, pages),
    "wholebody": Reader("x.json", player, data("x.json", WHOLE)),
    "solos": Reader("x.npy", player, array("x.npy", 3, 3, 47)),
    "solos table": Reader(
        "",
        lambda folder: read_video(folder / "skeleton.raw", folder / "skeleton_dict.json", "a"),
        all_of(
            data("skeleton_dict.json", {"a": [0, 2], "_counter": 3}),
            lambda folder: (folder / "skeleton.raw").write_bytes(RNG.random((3, 3, 47)).astype("f4").tobytes()),
        ),
    ),
    "mediapipe npz": Reader(
        "x.npz", player, arrays("x.npz", fps=25.0, size=np.array((640, 480)), **FLAT), ("red/*.npz",)
    ),
    "mediapipe npy": Reader("x.npy", player, array("x.npy", 3, 75, 3)),
}

# --- Scores, sound, films, beats -------------------------------------------------------------------------------------

MIDI = [
    (0, b"\xff\x51\x03\x07\xa1\x20"),
    (0, b"\xff\x58\x04\x03\x02\x18\x08"),
    (0, b"\xc0\x28"),
    *((480 * k, bytes((0x90, 60 + k, 80))) for k in range(6)),
    *((480 * k + 400, bytes((0x80, 60 + k, 0))) for k in range(6)),
]
SCORE = {
    "title": "x",
    "meter": 3,
    "tempo": [[0, 120]],
    "dynamics": [[0, 0.5]],
    "parts": [{"name": "a", "instrument": "strings", "music": "C4 D4 E4 | F4:2 G4"}],
}
TONE = Audio(0.3 * np.sin(np.arange(8000, dtype=np.float32) / 5), 16_000)
WALTZ = tiny_scores.waltz(2)
BEATS = Beats(np.arange(6) / 2, np.array([1, 2, 3, 1, 2, 3]), np.full(6, 3))


def sound(path: Path) -> object:
    return Audio.load(path, rate=22_050, mono=True)


def film(path: Path) -> None:
    found = video_io.probe(path, silent=True)
    deque(video_io.video_frames(found), 0)
    if found.sound_seconds:
        deque(video_io.sound_blocks(found), 0)


def write_film(folder: Path, name: str = "x.mp4") -> None:
    pictures = (av.VideoFrame.from_ndarray(np.full((32, 32, 3), 20 * k, np.uint8)) for k in range(6))
    video_io.write_film(folder / "x.mp4", pictures, 12.0, TONE)
    (folder / "x.mp4").rename(folder / name)


MUSIC = {
    "musicxml": Reader("x.musicxml", scores.read, text("x.musicxml", WALTZ), ("x*/*.musicxml", "red/*.musicxml")),
    "mxl": Reader(
        "x.mxl",
        scores.read,
        lambda folder: tiny_scores.save_mxl(folder / "x.mxl", WALTZ),
        ("x*/*.mxl", "red/long*.mxl"),
    ),
    "midi": Reader(
        "x.mid",
        scores.read,
        lambda folder: (folder / "x.mid").write_bytes(tiny_scores.midi([MIDI[:3], MIDI[2:]])),
        ("m*/*.mid", "red/[dp]*0.mid"),
    ),
    "score json": Reader("x.json", scores.read, data("x.json", SCORE)),
    **{f"sound {kind}": Reader(f"x.{kind}", sound, saved(TONE, f"x.{kind}")) for kind in ("flac", "ogg", "mp3")},
    "sound wav": Reader("x.wav", sound, saved(TONE, "x.wav"), ("red/*.wav",)),
    "sound m4a": Reader("x.m4a", sound, lambda folder: write_film(folder, "x.m4a")),
    "film": Reader("x.mp4", film, write_film),
    "beats csv": Reader("x.csv", Beats.load, saved(BEATS, "x.csv")),
    "beats txt": Reader("x.txt", Beats.load, saved(BEATS, "x.txt")),
    "beats midi": Reader("x.mid", Beats.load, saved(BEATS, "x.mid"), ("red/delta160.mid",)),
    "beats labels": Reader("x.lab", Beats.load, saved(BEATS, "x.lab")),
    "beats layer": Reader("x.svl", Beats.load, saved(BEATS, "x.svl")),
    "beats json": Reader("x.json", Beats.load, saved(BEATS, "x.json")),
}

# --- Recipes and checkpoints -----------------------------------------------------------------------------------------

RECIPE = """\
task: conducting.m2s_gan
data: corpus
training:
  epochs: 2
  batch: 4
  schedule: {warmup: 10}
m2s_net: runs/x
lr: 5e-4
"""
FIXTURES = Path(__file__).parents[1] / "fixtures" / "checkpoints"


def recipe(path: Path) -> object:
    return read_recipe(path, lambda task: task_class(task).Config)


def copied(kind: str) -> Maker:
    def make(folder: Path) -> None:
        for file in (FIXTURES / kind).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())

    return make


def training(folder: Path) -> None:
    facts = {"recipe": {"task": "x"}, "epoch": 1, "random": [1, 2]}
    checkpoint.write(folder / "x.safetensors", {"networks/x/weight": torch.zeros(3, 2)}, facts)


def variables(folder: Path) -> None:
    """Write what FACT's variables are called, at no size that belongs together."""
    names = ("motion_linear_embedding/net/kernel", "motion_pos_embedding/pos_embedding")
    values = {f"model/{name}/.ATTRIBUTES/VARIABLE_VALUE": RNG.random((4, 4)).astype("f4") for name in names}
    np.savez(folder / "x.npz", **values)


LEARNT = {
    "recipe": Reader("x.yaml", recipe, text("x.yaml", RECIPE), ("red/*.yaml",)),
    **{f"checkpoint {kind}": Reader("", load_network, copied(kind)) for kind in ("beat-tracker", "fact")},
    "training": Reader("x.safetensors", checkpoint.read, training, ("red/*.safetensors",)),
    "published pt": Reader(
        "x.pt",
        lambda path: convert_conductor(path, path.with_name("out")),
        lambda folder: torch.save({"noise_BN.weight": torch.zeros(3)}, folder / "x.pt"),
    ),
    "published npz": Reader("x.npz", lambda path: convert_dancer(path, path.with_name("out")), variables),
}

# --- Corpora ---------------------------------------------------------------------------------------------------------

CAMERA = {
    **{"name": "c01", "size": [1920, 1080], "matrix": np.eye(3).tolist(), "rotation": [0, 0, 1]},
    **{"translation": [1, 2, 3], "distortions": [0, 0, 0, 0, 0]},
}
NAME = "gBR_sBM_cAll_d04_mBR0_ch01"
TURNS = np.tile(np.eye(3, dtype=np.float32), (90, 22, 1, 1))
BONES = {"offsets": SMPL.offsets.round(3).tolist()}
TIMES = np.arange(12) / 2
SOLO = tiny_scores.solo("violin", *(Note(k, 1, 60 + k) for k in range(12)))
FILM = video_io.Film(Path("x.mp4"), np.arange(30) / 10, 3.0, 3.0, 0.0, (640, 480))


def usable(scan: Any) -> object:
    """Raise the line of the first folder that a scan found unusable."""
    if scan.broken:
        raise IctusError(scan.broken[0])
    return scan


def keypoints3d(folder: Path) -> None:
    (folder / "x.pkl").write_bytes(pickle.dumps({"keypoints3d_optim": RNG.random((3, 17, 3))}))


def performance(folder: str) -> Maker:
    return all_of(
        data(f"{folder}/about.json", {"instrument": "cello", "feature_rate": 21.5}),
        array(f"{folder}/mel.npy", 90, 80),
        array(f"{folder}/keypoints.npy", 26, 47, 3),
        array(f"{folder}/rgb.npy", 23, 1024, kind="f2"),
        array(f"{folder}/notes.npy", 5, 4),
    )


def dances(folder: Path) -> None:
    points = RNG.random((3, 23, 3))
    data("DANCE_W_1/skeletons.json", {"length": 3, "center": [[0, 0, 0]] * 3, "skeletons": points.tolist()})(folder)
    data("DANCE_W_1/config.json", {"start_position": 5, "end_position": 8})(folder)
    np.savez(folder / "C_2.npz", positions=points, fps=25.0)
    for name in ("DANCE_W_1/audio.mp3", "C_2.ogg"):
        TONE.save(folder / name)


def melody(folder: Path) -> None:
    for recording in find_recordings(folder)[0]:
        recording.motion()
        recording.audio()


CORPORA = {
    "conductor corpus": Reader(
        "",
        lambda folder: usable(inspect_split(folder, "train", thorough=True)),
        all_of(array("train/1/mel.npy", 90, 128), array("train/1/motion.npy", 30, 13, 2)),
    ),
    "beat corpus": Reader(
        "",
        lambda folder: AnnotatedRecording.open(folder),
        all_of(
            saved(TONE, "music.flac"),
            arrays(
                "beats.npz",
                **{"conducted_times": TIMES, "conducted_positions": np.arange(12) % 4 + 1, "conducted_meter": 4},
                about='{"group": "pop"}',
            ),
        ),
    ),
    "song corpus": Reader(
        "",
        AnnotatedSong.open,
        all_of(
            saved(TONE, "music.flac"),
            arrays(
                "beats.npz",
                **{"conducted_times": TIMES, "conducted_positions": np.arange(12) % 4 + 1},
                **{"times": TIMES, "loudness": TIMES / 6},
            ),
        ),
    ),
    "dance corpus": Reader(
        "",
        lambda folder: usable(scan_dances(folder, "train", MELODY)),
        all_of(array("train/a/motion.npy", 30, 63), array("train/a/audio.npy", 30, 16), array("train/a/beats.npy", 3)),
    ),
    "player corpus": Reader(
        "",
        lambda folder: PerformanceSamples(folder, "val", frames=20, kinds=("keypoints", "rgb"))[0],
        all_of(*(performance(f"val/{name}") for name in "ab")),
    ),
    "signature": Reader("x.json", lambda path: check_signature(path, {"a": 1}), data("x.json", {"a": 1, "b": [2]})),
    "videos": Reader(
        "",
        find_videos,
        all_of(
            text("videos.csv", "video,instrument,split\na,cello,train\n"),
            *(text(name, "x") for name in ("a.mp4", "skeleton.npy")),
            data("skeleton_dict.json", {"a": [0, 2]}),
        ),
    ),
    "ids": Reader("x.json", read_ids, data("x.json", {"Cello": ["a", "b"], "Violin": {"c": 1}})),
    **{
        f"frame features {kind}": Reader(f"x.{kind}", lambda path: load_features(path, "rgb", FILM), make)
        for kind, make in (
            ("npz", arrays("x.npz", rgb=RNG.random((30, 1024)).astype("f2"), fps=10.0)),
            ("npy", array("x.npy", 64, 1024, kind="f2")),
            ("pkl", lambda folder: (folder / "x.pkl").write_bytes(pickle.dumps(np.zeros((64, 1024), "f2")))),
        )
    },
    "splits": Reader("x.csv", lambda path: read_table(path, "a", "b"), text("x.csv", 'a,b\nx,"1\n2"\ny,3\n')),
    "alignment": Reader(
        "x.npz",
        lambda path: recorded(SOLO, path, 0),
        arrays("x.npz", score_qstamp=TIMES * 2, qstamp=TIMES * 2, tstamps=TIMES[:, None]),
    ),
    "aist cameras": Reader(
        "",
        lambda folder: aist.cameras(folder, NAME),
        all_of(text("cameras/mapping.txt", f"{NAME} s1\n"), data("cameras/s1.json", [CAMERA])),
    ),
    "aist keypoints": Reader("x.pkl", aist.keypoints3d, keypoints3d, ("red/*.pkl",)),
    "body json": Reader("x.json", load_body, data("x.json", BONES)),
    "body npz": Reader("x.npz", load_body, arrays("x.npz", offsets=SMPL.offsets)),
    "clip": Reader(
        f"{NAME}.npz",
        read_clip,
        arrays(f"{NAME}.npz", rotations=TURNS, root=RNG.random((90, 3)), fps=60.0, bpm=90.0, joins=np.array([40])),
    ),
    "dance with melody": Reader("", melody, dances),
}

READERS = {**MOTIONS, **MUSIC, **LEARNT, **CORPORA}
