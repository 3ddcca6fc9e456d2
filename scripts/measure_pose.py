"""Measure the engine "blaze" against MediaPipe's own answers, and print the tables of docs/pose.md.

    python scripts/measure_pose.py ANSWERS FILMS

ANSWERS holds an .npz for each film, FILMS the film of the same name (.mp4). The arrays of an .npz are what MediaPipe
0.10.21 gives (fractions of the picture, NaN where nothing was found): `static_frames` (K,), `static_pose` (K, 33, 4)
and `static_hands` (K, 2, 21, 3) of single pictures; `track_pose` (T, 33, 4), `holistic_left` and `holistic_right`
(T, 21, 3) of the first T pictures as a film; `size`.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ictus.pose import Follower, Person, Picture
from ictus.pose.blaze import Blaze
from ictus.pose.completion import complete
from ictus.pose.hands import region_from_palm
from ictus.pose.landmarks import region_of
from ictus.pose.networks import load
from ictus.pose.sides import put_back, swapped
from ictus.types import AnyArray, Float64Array
from ictus.video_io import probe, video_frames

SHOULDERS, HANDS = (11, 12), {"left": 33, "right": 54}
TIP = 8  # of the index finger
NUDGE = 0.1  # pixels of the detector's picture


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path)
    parser.add_argument("films", type=Path)
    given = parser.parse_args()
    engine = Blaze(load())
    bodies, hands, tracked = [], [], []
    for answers in sorted(given.answers.glob("*.npz")):
        with np.load(answers) as held:
            theirs = dict(held)
        film = probe(given.films / f"{answers.stem}.mp4", silent=True)
        count = len(theirs["track_pose"])
        frames = video_frames(film, film.rate, end=count / film.rate)
        pictures = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]
        name = answers.stem.split("_")[0]
        bodies.append([name, *body_rows(engine, theirs, pictures)])
        hands.append([name, *hand_rows(engine, theirs, pictures)])
        tracked.append([name, *track_rows(engine, theirs, pictures, film.rate)])
    table(
        ["film", "pictures", "found", "all points", "seen points", f"region {NUDGE} px off", "picture before"], bodies
    )
    table(["film", "hands", "found", "distance", "picture before"], hands)
    table(
        [
            *("film", "found, MediaPipe", "found", "left hand, MediaPipe", "left hand", "right hand, MediaPipe"),
            *(
                "right hand",
                "both: distance",
                "jitter, MediaPipe",
                "jitter",
                "jitter, unsmoothed",
                "finger's lag",
            ),
        ],
        tracked,
    )


def table(columns: list[str], rows: list[list[str]]) -> None:
    for row in (columns, ["---"] * len(columns), *rows):
        print("|", " | ".join(row), "|")
    print()


def body_rows(engine: Blaze, theirs: dict[str, AnyArray], pictures: list[AnyArray]) -> list[str]:
    """Compare bodies in single pictures: shares of the shoulders' width, median (95 %)."""
    finder, found, own, seen, nudged, before = engine.body, 0, [], [], [], []
    known = [k for k in range(len(theirs["static_frames"])) if np.isfinite(theirs["static_pose"][k, 0, 0])]
    last: Float64Array | None = None
    for k in known:
        picture = pictures[theirs["static_frames"][k]]
        answer = theirs["static_pose"][k]
        points = answer[:, :2] * theirs["size"]
        width = np.linalg.norm(np.subtract(*points[list(SHOULDERS)]))
        detections = finder.detector(picture)
        body = finder.landmarks(picture, region_of(detections.points[0][:2])) if len(detections) else None
        if last is not None:
            before.append(distances(last, points) / width)
        last = points
        if body is None:
            continue
        found += 1
        away = distances(body.points, points) / width
        own.append(away)
        seen.append(away[answer[:, 3] > 0.5])
        shift = NUDGE * max(picture.shape[:2]) / 224 * np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
        other = finder.landmarks(picture, region_of(detections.points[0][:2] + shift))
        if other is not None:
            nudged.append(distances(other.points, body.points) / width)
    return [str(len(known)), str(found), *map(spread, (own, seen, nudged, before))]


def hand_rows(engine: Blaze, theirs: dict[str, AnyArray], pictures: list[AnyArray]) -> list[str]:
    """Compare hands in single pictures, found by their palms: shares of the hand's size, median (95 %)."""
    finder, count, found, own, before = engine.hands[0], 0, 0, [], []
    last: Float64Array | None = None
    for frame, answers in zip(theirs["static_frames"], theirs["static_hands"], strict=True):
        if finder.palms is None:
            break
        palms = finder.palms(pictures[frame])
        regions = [region_from_palm(*one) for one in zip(palms.boxes, palms.points, strict=True)]
        hands = [hand for hand in (finder.landmarks(pictures[frame], region) for region in regions[:2]) if hand]
        for answer in answers:
            if not np.isfinite(answer[0, 0]):
                continue
            count += 1
            points = answer[:, :2] * theirs["size"]
            size = np.ptp(points, axis=0).max()
            away = [distances(hand.points, points) / size for hand in hands]
            nearest = min(away, key=np.mean, default=None)
            if nearest is not None and nearest.mean() < 0.5:
                found += 1
                own.append(nearest)
            if last is not None:
                before.append(distances(last, points) / size)
            last = points
    return [str(count), str(found), spread(own), spread(before)]


def track_rows(engine: Blaze, theirs: dict[str, AnyArray], pictures: list[AnyArray], fps: float) -> list[str]:
    """Compare the film: what is found, how far apart, how calm, and whether fingers lag."""
    people = list(engine((Picture(one, number / fps) for number, one in enumerate(pictures)), Follower()))
    raw = np.array([row(person) for person in people], np.float32)
    seen = np.array([person is not None for person in people])
    if not seen.any():
        return ["-"] * 11
    bodies = raw[:, :33, 2].max(1) > 0
    raw = put_back(engine.skeleton, raw, swapped(engine.skeleton, raw, bodies))
    points = complete(engine.skeleton, raw, seen, fps)[0].astype(np.float64)
    answers = theirs["track_pose"][..., :2] * theirs["size"]
    known = np.isfinite(answers[:, 0, 0])
    cells = [share(known), share(bodies)]
    for side, start in HANDS.items():
        cells += [share(np.isfinite(theirs[f"holistic_{side}"][:, 0, 0])), share(raw[:, start, 2] > 0)]
    both = known & bodies
    width = np.nanmedian(np.linalg.norm(answers[both, 11] - answers[both, 12], axis=-1)) if both.any() else 1.0
    away = [np.linalg.norm(points[t, :33] - answers[t], axis=-1) / width for t in np.flatnonzero(both)]
    sure = np.median(raw[both, :33, 2], 0) > 0.9 if both.any() else np.zeros(33, bool)
    calm = [jitter(path[:, sure], both) / width for path in (answers, points[:, :33], raw[:, :33, :2].astype(float))]
    return [*cells, spread(away), *(f"{100 * one:.2f} %" for one in calm), lag(raw, points)]


def row(person: Person | None) -> AnyArray:
    if person is None or person.world is None:
        return np.zeros((75, 6))
    return np.concatenate((person.points, person.confidence[:, None], person.world), 1)


def jitter(paths: Float64Array, known: AnyArray) -> float:
    """Return the median size of the second difference of points (T, P, 2), in the calmest quarter of their frames."""
    whole = known[:-2] & known[1:-1] & known[2:]
    if not whole.any() or not paths.shape[1]:
        return np.nan
    second = np.linalg.norm(paths[2:] - 2 * paths[1:-1] + paths[:-2], axis=-1)[whole]
    speed = np.linalg.norm(paths[2:] - paths[:-2], axis=-1)[whole]
    return float(np.median(second[speed <= np.quantile(speed, 0.25, axis=0)]))


def lag(raw: AnyArray, points: Float64Array) -> str:
    """Return by how many frames the index finger's tip follows where it was found, by the correlation of speeds."""
    found = []
    for start in HANDS.values():
        known = raw[:, start, 2] > 0
        if known.sum() < 30:
            continue
        both = known[1:] & known[:-1]
        there, smooth = (np.diff(path[:, start + TIP, :2], axis=0) * both[:, None] for path in (raw, points))
        shifts = range(-5, 6)
        found.append(max(shifts, key=lambda k, a=there, b=smooth: float((np.roll(b, -k, axis=0) * a).sum())))
    return ", ".join(map(str, found)) or "-"


def distances(one: Float64Array, other: Float64Array) -> Float64Array:
    return np.linalg.norm(one - other, axis=-1)


def spread(parts: Iterable[Float64Array]) -> str:
    values = np.concatenate([np.zeros(0), *parts])
    return f"{100 * np.median(values):.2f} % ({100 * np.percentile(values, 95):.1f} %)" if len(values) else "-"


def share(flags: AnyArray) -> str:
    return f"{flags.mean():.2f}"


if __name__ == "__main__":
    main()
