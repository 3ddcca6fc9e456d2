"""How far are the points in space that are found in films from where the joints were? Dances of known truth are filmed.

    python scripts/known_dances.py DANCES [--turns 0 60 120 180 240 300] [--seconds 4] [--fps 15] [--films FOLDER]
        [--only gWA gKR gLO gJB] [--model FOLDER]

DANCES is a folder of recorded dances, as `ictus dance` takes them. Each is turned about the vertical,
filmed with the package's own figure, and looked for in the film. Errors are mean distances in centimetres, the hips'
middle laid upon the true one, along the camera's axes, over shoulders, elbows, wrists, hips, knees and ankles:

    points    the engine's points in space, smoothed
    plane     the same along the picture alone
    depth     the same along the line of sight alone
    fitted    the same turned, moved and scaled in each frame as suits it best (Procrustes)
    rough     the dancer of constant bones that is saved as .bvh or .glb, which fits these points
    lifted    what the lifter makes of the film, by the model of --model or the one that is shipped
    body      the same of what is lifted, by the shipped model
    mean      a control that sees nothing: the mean pose of all other dances at that turn
    other     a control that sees another dance: what is lifted of another one at that turn

--only measures the dances whose names begin so; the shipped lifter has not seen those of the example. The last row says
how sure the mean is: 95 % intervals by resampling whole dances.

Beside them stand the share of pictures in which the figure is found, in per cent; how much the points' bones vary in
length, in per cent; and how fast the foot that carries the body slides, of the body found and of the true one, in cm/s.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ictus.dance.data.repertoire import read_repertoire
from ictus.dance.metrics.physical import foot_skating
from ictus.dance.quaternions import RATE, about_vertical, to_motion, turned
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.pose import Track, track
from ictus.pose.lifter import Lifter, lift
from ictus.pose.space import in_space
from ictus.render.camera import PITCH
from ictus.render.film import film
from ictus.skeleton import get_skeleton
from ictus.types import Float64Array, FloatArray

BODY = get_skeleton("smpl-24")
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
JOINTS = [(f"{side[0]}{part}", f"{side}_{part}") for part in PARTS for side in ("left", "right")]
BONES = [(0, 2), (1, 3), (2, 4), (3, 5), (6, 8), (7, 9), (8, 10), (9, 11)]  # of JOINTS: arms and legs
HIPS = [6, 7]
SIZE = (512, 512)
Figures = dict[str, float]


def dances(folder: Path, seconds: float, fps: float, turn: float) -> Iterator[tuple[str, Motion]]:
    """Yield the beginning of each dance, turned by degrees."""
    for clip in read_repertoire(folder).clips:
        frames = slice(0, round(seconds * RATE))
        quaternions, root = clip.quaternions[frames].copy(), turned(clip.root[frames], np.radians(turn))
        quaternions[:, 0] = about_vertical(quaternions[:, 0], np.radians(turn))
        yield clip.name, to_motion(quaternions, root).resample(fps)


def truth(motion: Motion) -> Float64Array:
    """(T, 12, 3) metres along the axes of the camera, which looks down a little, about the hips' middle."""
    places = motion.positions[:, [BODY.index(ours) for ours, _ in JOINTS]].astype(np.float64)
    return centred(seen_from_above(places))


def seen_from_above(places: Float64Array) -> Float64Array:
    sine, cosine = np.sin(PITCH), np.cos(PITCH)
    return np.asarray(places @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]))


def centred(places: Float64Array) -> Float64Array:
    return np.asarray(places - places[:, HIPS].mean(1, keepdims=True))


def found_points(found: Track) -> Float64Array:
    """(T, 12, 3) of a track."""
    assert found.world is not None
    return centred(found.world[:, [found.skeleton.index(theirs) for _, theirs in JOINTS]].astype(np.float64))


def chosen(joints: FloatArray) -> Float64Array:
    """(T, 24, 3) -> (T, 12, 3)."""
    return centred(joints[:, [BODY.index(ours) for ours, _ in JOINTS]].astype(np.float64))


def posed(body: Motion) -> Float64Array:
    """(T, 12, 3) of a dancer with rotations."""
    assert body.rotations is not None
    assert body.root is not None
    return chosen(forward_kinematics(BODY, body.rotations, body.root))


def fitted(points: Float64Array, target: Float64Array) -> Float64Array:
    """Turn, move and scale each frame of points (T, J, 3) as fits the target best (Umeyama, 1991)."""
    source, aim = (places - places.mean(1, keepdims=True) for places in (points, target))
    left, values, right = np.linalg.svd(source.transpose(0, 2, 1) @ aim)
    signs = np.ones_like(values)
    signs[:, 2] = np.sign(np.linalg.det(left @ right))
    rotation = (left * signs[:, None]) @ right
    scale = (values * signs).sum(1) / (source**2).sum((1, 2))
    return np.asarray(scale[:, None, None] * (source @ rotation) + target.mean(1, keepdims=True))


def error(points: Float64Array, target: Float64Array) -> float:
    """Centimetres."""
    return 100 * float(np.linalg.norm(points - target, axis=-1).mean())


def bone_variation(points: Float64Array) -> float:
    """Per cent of a bone's length, mean of arms and legs."""
    lengths = np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in BONES], 1)
    return 100 * float((lengths.std(0) / lengths.mean(0)).mean())


def measure(
    name: str, motion: Motion, mean: Float64Array, films: Path, network: Lifter | None
) -> tuple[Figures, Float64Array]:
    """Film a dance, look for the dancer, and compare."""
    shown, target = films / f"{name}.mp4", truth(motion)
    film(motion, None, shown, fps=round(motion.fps), size=SIZE)
    found = track(shown, fps=motion.fps)
    count = min(len(found), len(target))
    points, target, body = found_points(found)[:count], target[:count], in_space(found, lifted=True)
    lifted = chosen(lift(found, network))[:count]
    mean = mean[:count]
    figures: Figures = {
        "found": 100 * float(found.seen.mean()),
        "points": error(points, target),
        "plane": error(points[..., :2], target[..., :2]),
        "depth": error(points[..., 2:], target[..., 2:]),
        "fitted": error(fitted(points, target), target),
        "rough": error(posed(in_space(found))[:count], target),
        "lifted": error(lifted, target),
        "body": error(posed(body)[:count], target),
        "mean": error(mean, target),
        "bones": bone_variation(points),
        "bones lifted": bone_variation(lifted),
        "slides": 100 * foot_skating(body.resample(RATE).positions).speed,
        "slid": 100 * foot_skating(motion.resample(RATE).positions).speed,
    }
    return figures, lifted


def main() -> None:
    """Print a table in Markdown: a row for each turn, and one for each dance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dances", type=Path)
    parser.add_argument("--turns", type=float, nargs="+", default=[0, 60, 120, 180, 240, 300])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--films", type=Path)
    parser.add_argument("--only", nargs="+", default=[""])
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    network = Lifter.from_pretrained(options.model) if options.model else None
    rows: list[tuple[str, float, Figures]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for turn in options.turns:
            these = list(dances(options.dances, options.seconds, options.fps, turn))
            true = [truth(motion) for _, motion in these]
            lifted: list[Float64Array] = []
            for number, (name, motion) in enumerate(these):
                if not name.startswith(tuple(options.only)):
                    continue
                mean = np.concatenate([one for k, one in enumerate(true) if k != number]).mean(0)
                films = Path(options.films or temporary)
                figures, own = measure(f"{name}-{turn:g}", motion, mean, films, network)
                rows.append((name, turn, figures))
                lifted.append(own)
                sys.stderr.write(f"{name} {turn:g}: {rows[-1][2]}\n")
            kept = [(k, name) for k, (name, _) in enumerate(these) if name.startswith(tuple(options.only))]
            for (k, _), other, (_, _, figures) in zip(
                kept, [lifted[-1], *lifted[:-1]], rows[-len(kept) :], strict=True
            ):
                count = min(len(true[k]), len(other))
                figures["other"] = error(other[:count], true[k][:count])
    heads = list(rows[0][2])
    sys.stdout.write(f"| | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}\n")
    groups = [(f"turned by {turn:g}", [f for _, t, f in rows if t == turn]) for turn in options.turns]
    names = list(dict.fromkeys(name for name, _, _ in rows))
    groups += [(name, [f for n, _, f in rows if n == name]) for name in names]
    for head, some in [*groups, ("all", [f for _, _, f in rows])]:
        means = [np.mean([one[key] for one in some]) for key in heads]
        sys.stdout.write(f"| {head} | {' | '.join(f'{value:.1f}' for value in means)} |\n")
    of_dances = np.array([[np.mean([f[key] for n, _, f in rows if n == name]) for key in heads] for name in names])
    drawn = np.random.default_rng(0).integers(len(names), size=(2000, len(names)))
    low, high = np.percentile(of_dances[drawn].mean(1), (2.5, 97.5), axis=0)
    sure = (f"{a:.1f} to {b:.1f}" for a, b in zip(low, high, strict=True))
    sys.stdout.write(f"| 95 % | {' | '.join(sure)} |\n")


if __name__ == "__main__":
    main()
