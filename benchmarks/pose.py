"""How fast a person is found in a film: each network for itself, and a film as a whole.

    python benchmarks/pose.py [FILM] [--mediapipe PYTHON] [--seconds 10] [--runs 3] [--json]

Of a film: pictures a second by the clock, milliseconds of the processor for each, and the memory of the process at its
largest. The best of the runs counts, for a shared machine only adds to it. Two hands cost more than one: take a film
that shows both. It needs the networks (`ictus models get blaze`).

With a Python in which MediaPipe is installed (0.10.21 or before; later ones hold no Holistic), its Holistic looks
at the same film, and the whole command `ictus pose` beside it, in turns: from the start of the process to its end.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ictus.errors import IctusError
from ictus.pose import track
from ictus.pose.blaze import SHAPES, Blaze
from ictus.pose.network import Network
from ictus.pose.networks import Networks, load

HOLISTIC = """
import json, sys, cv2, mediapipe
capture, seconds = cv2.VideoCapture(sys.argv[1]), float(sys.argv[2])
count, hands = 0, [0, 0]
with mediapipe.solutions.holistic.Holistic(model_complexity=1) as holistic:
    while count < seconds * capture.get(cv2.CAP_PROP_FPS):
        there, picture = capture.read()
        if not there:
            break
        found = holistic.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        hands[0] += found.left_hand_landmarks is not None
        hands[1] += found.right_hand_landmarks is not None
        count += 1
print(json.dumps([{"frames": count, "hands": {"left": hands[0] / count, "right": hands[1] / count}}]))
"""


def networks(found: Networks, calls: int = 20) -> dict[str, float]:
    """Return milliseconds of the processor that a call of each network takes, on one thread."""
    result = {}
    for name, content in found.files.items():
        network = Network(content, name, SHAPES[name])
        picture = np.random.default_rng(0).random(SHAPES[name][0], np.float32)
        times = []
        for _ in range(calls):
            start = time.process_time()
            network(picture)
            times.append(time.process_time() - start)
        result[name] = round(1e3 * min(times), 2)
    return result


def film(path: Path, seconds: float, runs: int, engine: Blaze) -> dict[str, float]:
    """Return how a film fares as a whole: decoding, finding, smoothing."""
    walls, processors, count, hands = [], [], 0, 0.0
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        found = track(path, engine=engine, end=seconds)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
        count = len(found)
        hands = float((found.confidence[:, [33, 54]] > 0).sum(1).mean())
    return {
        "frames": count,
        "hands in a frame": round(hands, 2),
        "frames a second": round(count / min(walls), 1),
        "processor, ms a frame": round(1e3 * min(processors) / count, 1),
        "memory, MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def beside(path: Path, seconds: float, runs: int, python: str) -> dict[str, dict[str, float]]:
    """Return how fast whole processes are, ours and MediaPipe's, and how many times as fast ours is."""
    with tempfile.TemporaryDirectory() as folder:
        out, end = str(Path(folder) / "found.npz"), str(seconds)
        commands = {
            "ictus pose": [sys.executable, "-m", "ictus", "pose", str(path), "--end", end, "-o", out, "--json"],
            "MediaPipe Holistic": [python, "-c", HOLISTIC, str(path), end],
        }
        measured = [{name: whole_process(command) for name, command in commands.items()} for _ in range(runs)]
    result = {}
    for name in commands:
        best = dict(measured[0][name])
        best["frames a second"] = max(one[name]["frames a second"] for one in measured)
        best["processor, ms a frame"] = min(one[name]["processor, ms a frame"] for one in measured)
        result[f"{name}, whole process"] = best
    ours, theirs = result.values()
    result["ours, times as fast"] = {
        "by the clock": round(ours["frames a second"] / theirs["frames a second"], 2),
        "by the processor": round(theirs["processor, ms a frame"] / ours["processor, ms a frame"], 2),
    }
    return result


def whole_process(command: list[str]) -> dict[str, float]:
    """Run a command that prints how many frames it saw, and return its speed from its start to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise IctusError(f"{command[0]} {command[1]}: {why}")
    (report,) = json.loads(done.stdout)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "frames": report["frames"],
        "hands in a frame": round(sum(report["hands"].values()), 2),
        "frames a second": round(report["frames"] / wall, 1),
        "processor, ms a frame": round(1e3 * processor / report["frames"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path, nargs="?")
    parser.add_argument("--mediapipe", metavar="PYTHON", help="a Python in which mediapipe is installed")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        found = load()
        report: dict[str, dict[str, float]] = {"networks, processor ms": networks(found)}
        if given.film:
            report[given.film.name] = film(given.film, given.seconds, given.runs, Blaze(found))
        if given.film and given.mediapipe:
            report |= beside(given.film, given.seconds, given.runs, given.mediapipe)
        elif given.film:
            print("left out: MediaPipe; name a Python that has it (--mediapipe PYTHON)", file=sys.stderr)
    except IctusError as error:
        print(f"left out: {error}", file=sys.stderr)
        return
    if given.json:
        print(json.dumps(report, indent=2))
        return
    for name, values in report.items():
        print(name)
        for what, value in values.items():
            print(f"  {what:24} {value:8g}")


if __name__ == "__main__":
    main()
