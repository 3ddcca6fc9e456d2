"""Do bodies in space fit films whose truth nobody knows? The lifter beside the engine's own points in space.

    python scripts/lifted_films.py FILMS [--seconds 10] [--model FOLDER]

For each film of the folder FILMS, `as found / lifted`:

    plane      how far shoulders, elbows and wrists that are seen lie from where they are in the picture, the body moved
               and scaled in each frame as suits it best: a share of the shoulders' width. In brackets the control: the
               lifted body of the film before
    bones      how much upper arms and forearms that are seen vary in length, in per cent
    trembling  second difference of the wrists from picture to picture, in centimetres, median
    slides     how fast the foot that carries the body slides in the file that is saved, cm/s; where the feet are seen
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from ictus.dance.foot_cleanup import clean_feet, smooth_rotations
from ictus.dance.metrics.physical import foot_skating
from ictus.pose import Track, track
from ictus.pose.lifter import DANCER, Lifter, lift
from ictus.pose.space import feet_seen, in_space
from ictus.types import AnyArray, BoolArray, FloatArray

PARTS = [(part, side) for part in ("shoulder", "elbow", "wrist") for side in ("left", "right")]
BONES = [(0, 2), (2, 4), (1, 3), (3, 5)]
RATE = 60.0


def arms(places: FloatArray, found: Track) -> FloatArray:
    """(T, J, ...) of the engine's points, or of the dancer's joints, -> (T, 6, ...)."""
    engine = places.shape[1] != len(DANCER)
    names = [f"{side}_{part}" if engine else side[0] + part for part, side in PARTS]
    return places[:, [(found.skeleton if engine else DANCER).index(name) for name in names]]


def plane(space: FloatArray, found: Track, seen: BoolArray) -> float:
    """Return the share of the shoulders' width, per cent."""
    count = min(len(space), len(found))
    target, seen = arms(found.points, found)[:count].astype(np.float64), seen[:count]
    points = (space[:count, :, :2] * (1, -1)).astype(np.float64)
    width = np.median(np.linalg.norm(target[:, 0] - target[:, 1], axis=-1))
    away = []
    for own, aim, sure in zip(points, target, seen, strict=True):
        if sure.sum() >= 3:
            a, b = own[sure] - own[sure].mean(0), aim[sure] - aim[sure].mean(0)
            away.append(np.linalg.norm(a * ((a * b).sum() / max((a * a).sum(), 1e-9)) - b, axis=-1).mean())
    return 100 * float(np.mean(away) / width) if away else np.nan


def bones(space: FloatArray, seen: BoolArray) -> float:
    """Return the variation, per cent."""
    found = []
    for a, b in BONES:
        both = seen[:, a] & seen[:, b]
        if both.sum() > RATE / 4:
            length = np.linalg.norm(space[both, a] - space[both, b], axis=-1)
            found.append(length.std() / length.mean())
    return 100 * float(np.mean(found)) if found else np.nan


def trembling(space: FloatArray) -> float:
    """Return centimetres."""
    return 100 * float(np.median(np.linalg.norm(np.diff(space[:, 4:], 2, axis=0), axis=-1)))


def slides(found: Track, lifted: bool) -> float:
    """Return cm/s."""
    if not feet_seen(found):
        return np.nan
    motion = in_space(found, lifted=lifted)
    motion = clean_feet(motion) if feet_seen(found) else smooth_rotations(motion)
    return 100 * foot_skating(motion.resample(RATE).positions).speed


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    network = Lifter.from_pretrained(options.model) if options.model else None
    sys.stdout.write("| film | plane | bones | trembling | slides |\n|---|---|---|---|---|\n")
    tracks = [(file, track(file, end=options.seconds)) for file in sorted(options.films.glob("*.mp4"))]
    spaces = [
        (arms(found.world, found), arms(lift(found, network), found)) for _, found in tracks if found.world is not None
    ]
    for number, (file, found) in enumerate(tracks):
        seen: AnyArray = arms(found.confidence[..., None], found)[..., 0] > 0.5
        both, other = spaces[number], spaces[number - 1][1]
        cells = [
            " / ".join(f"{plane(one, found, seen):.1f} %" for one in both) + f" ({plane(other, found, seen):.1f} %)",
            " / ".join(f"{bones(one, seen):.1f} %" for one in both),
            " / ".join(f"{trembling(one):.2f}" for one in both),
            " / ".join(f"{slides(found, lifted):.1f}" for lifted in (False, True)) if feet_seen(found) else "-",
        ]
        sys.stdout.write(f"| {file.stem.split('_')[0]} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
