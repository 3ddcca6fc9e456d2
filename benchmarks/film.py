"""Drawing and encoding a film: 45.8 s of a conductor with music, 600 x 600 at 30 frames a second.

    python benchmarks/film.py [--runs 5] [--size 600] [--fps 30] [--theme dark] [--json]

Times are wall-clock, and of all cores together; the best of the runs counts, for a shared machine only adds to it.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ictus.audio import Audio
from ictus.motion import Motion
from ictus.render.film import film
from ictus.render.scene import Scene
from ictus.skeleton import get_skeleton

SECONDS = 45.8
_POSE = (
    *((0.50, 0.400), (0.52, 0.380), (0.48, 0.380), (0.55, 0.385), (0.45, 0.385)),
    *((0.60, 0.475), (0.40, 0.475), (0.66, 0.600), (0.34, 0.600), (0.70, 0.550), (0.30, 0.550)),
    *((0.56, 0.750), (0.44, 0.750)),
)


def conductor(fps: float) -> Motion:
    """A trunk that sways and hands that beat four in a bar, as wide as a vigorous conductor's."""
    time = np.arange(round(SECONDS * fps)) / fps
    positions = np.tile(np.array(_POSE), (len(time), 1, 1))
    positions[:, :11, 0] += 0.03 * np.sin(2 * np.pi * 0.2 * time)[:, None]
    beat = 2 * np.pi * 1.8 * time
    for joint, side, reach in ((9, 1, 0.09), (10, -1, 0.15)):
        positions[:, joint, 0] += side * reach * np.sin(beat / 2)
        positions[:, joint, 1] -= reach * np.abs(np.sin(beat / 2 + 0.3))
        positions[:, joint - 2] += 0.4 * (positions[:, joint] - np.array(_POSE[joint]))
    times = np.arange(0.5, SECONDS, 1 / 1.8)
    beats = {"times": times.tolist(), "positions": (np.arange(len(times)) % 4 + 1).tolist(), "meter": 4}
    return Motion(positions, fps, get_skeleton("conductor-13"), meta={"beats": beats})


def music() -> Audio:
    """Stereo sound that is no easier to encode than music: chords over noise."""
    rate = 44100
    time = np.arange(round(SECONDS * rate)) / rate
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220, 277.2, 329.6, 440, 659.3))
    noise = np.random.default_rng(0).normal(size=(2, len(time)))
    return Audio(0.1 * chord * (1 + 0.5 * np.sin(time)) + 0.03 * noise, rate)


def measured(work: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Return the best wall-clock and the best processor seconds."""
    walls, processors = [], []
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=600)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    motion, audio, size = conductor(options.fps), music(), (options.size, options.size)

    def draw() -> None:
        for _ in Scene([motion], size=size, theme=options.theme).render():
            pass

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        tasks = {
            "drawing": draw,
            "silent film": lambda: film(motion, None, path, fps=options.fps, size=size, theme=options.theme),
            "film": lambda: film(motion, audio, path, fps=options.fps, size=size, theme=options.theme),
        }
        report: dict[str, Any] = {"frames": len(motion), "cores": os.cpu_count()}
        for name, work in tasks.items():
            wall, processor = measured(work, options.runs)
            report[name] = {
                "seconds": round(wall, 2),
                "processor": round(processor, 2),
                "frames_per_second": round(len(motion) / wall),
            }
        report["megabytes"] = round(path.stat().st_size / 1e6, 2)
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
