"""Make the corpus of the lifter: dances of known truth, filmed from everywhere, as the engine "blaze" sees them.

    python scripts/lifter_views.py DANCES OUT [--views 4] [--held-out gWA gKR gLO gJB]

DANCES is a folder of recorded dances, as `ictus dance` takes them. Each is turned about the vertical and tilted
towards the camera by chance, drawn with the package's own figure, and looked for in the pictures, of which every third
view shows no legs. So the errors of the corpus are none that somebody made up: they are the engine's. Dances whose
names begin
with one of --held-out go to OUT/val, others to OUT/train; each view is an .npz

    points, confidence, world    (T, 33, 2) pixels, (T, 33), (T, 33, 3) metres: what the engine finds, smoothed
    joints                       (T, 24, 3) metres about the pelvis: where smpl-24's joints are, along the camera's axes
    fps                          15

One core makes 25 pictures a second, about. Views that are there already are not made again.
"""

import argparse
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ictus.dance.data.motion_clips import MotionClip
from ictus.dance.data.repertoire import read_clips
from ictus.dance.quaternions import to_motion
from ictus.files import writing
from ictus.motion import Motion
from ictus.pose import Follower, Picture
from ictus.pose.blaze import Blaze
from ictus.pose.completion import complete
from ictus.pose.landmarks import POINTS
from ictus.pose.networks import load
from ictus.render.camera import PITCH
from ictus.render.scene import Scene
from ictus.types import AnyArray, Float64Array

FPS = 15.0  # frames a second
SIZE = (384, 384)
TILT = 0.25  # radians by which a dancer is tilted at most: the camera then looks up by 3 degrees, or down by 26
CUT = (0.5, 0.75)  # where a picture ends that shows no legs, from its top
HEADS = "gWA", "gKR", "gLO", "gJB"


def turned(clip: MotionClip, random: np.random.Generator) -> Motion:
    """Return a dance as another camera sees it: turned about the vertical, then tilted."""
    turn = Rotation.from_euler("YX", [random.uniform(0, 2 * np.pi), random.uniform(-TILT, TILT)])
    quaternions = clip.quaternions.copy()
    quaternions[:, 0] = (turn * Rotation.from_quat(quaternions[:, 0])).as_quat()
    return to_motion(quaternions, turn.apply(clip.root)).resample(FPS)


def camera_axes(motion: Motion) -> Float64Array:
    """(T, 24, 3) metres about the pelvis, x to the picture's right, y up in it, z towards the camera."""
    places = motion.positions.astype(np.float64)
    turned = Rotation.from_euler("x", PITCH).apply((places - places[:, :1]).reshape(-1, 3))
    return np.asarray(turned.reshape(places.shape))


def pictures(motion: Motion, theme: str, height: int) -> Iterator[Picture]:
    """Yield the pictures of a dance down to a row."""
    for number, (picture, _) in enumerate(Scene([motion], size=SIZE, theme=theme).render()):
        yield Picture(np.ascontiguousarray(picture[:height, :, ::-1]), number / FPS)


def view(engine: Blaze, clip: MotionClip, number: int) -> dict[str, AnyArray] | None:
    """Return what the engine finds in a view of a dance; None if it finds the dancer in less than half of it."""
    random = np.random.default_rng([zlib.crc32(clip.name.encode()), number])
    motion, whole = turned(clip, random), bool(number % 3 < 2)
    height = SIZE[1] if whole else round(SIZE[1] * random.uniform(*CUT))
    people = list(engine(pictures(motion, "light" if random.random() < 0.5 else "dark", height), Follower()))
    seen = np.array([person is not None for person in people])
    if seen.mean() < 1 / 2:
        return None
    rows = np.zeros((len(people), len(engine.skeleton), 6), np.float32)
    for row, person in zip(rows, people, strict=True):
        if person is not None and person.world is not None:
            row[:] = np.concatenate((person.points, person.confidence[:, None], person.world), 1)
    points, confidence, world = complete(engine.skeleton, rows, seen, FPS)
    inside = ((points >= 0) & (points < (SIZE[0], height))).all(-1)
    confidence = np.where(inside, confidence, np.minimum(confidence, 0.2))
    body = slice(0, POINTS)
    joints = camera_axes(motion)[: len(points)].astype(np.float32)
    return {
        **{"points": points[:, body], "confidence": confidence[:, body], "world": world[:, body]},
        **{"joints": joints, "fps": np.array(FPS)},
    }


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dances", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--held-out", nargs="*", default=HEADS)
    options = parser.parse_args()
    networks = load()
    engine = Blaze(replace(networks, files={k: v for k, v in networks.files.items() if k.startswith("pose")}))
    clips = read_clips(options.dances)
    for number in range(options.views):
        for clip in clips:
            part = "val" if clip.name.startswith(tuple(options.held_out)) else "train"
            file = options.out / part / f"{clip.name}-{number}.npz"
            if file.exists() or (found := view(engine, clip, number)) is None:
                continue
            with writing(file) as temporary, temporary.open("wb") as handle:
                np.savez_compressed(handle, **found)
            sys.stderr.write(f"{file}\n")


if __name__ == "__main__":
    main()
