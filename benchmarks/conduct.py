"""Whole process, file to film: `ictus conduct MUSIC -o film.mp4 --size 600x600`, as a person waits for it.

    python benchmarks/conduct.py [MUSIC] [--m2s-gan FOLDER] [--minutes 10] [--json]

Without MUSIC, an Ode to Joy is rendered first. The published code was measured at 20.7 s for 45.8 s of music on two
cores, 1.3 s of them for its imports. Machines differ: `import torch`, timed beside, is a yardstick of the one at hand.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ictus.audio import Audio
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize


def once(music: Path, film: Path, model: str) -> float:
    program = Path(sys.executable).with_name("ictus")
    command = [program, "conduct", music, "-o", film, "--model", model, "--size", "600x600"]
    return timed(command)


def timed(command: list[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("music", nargs="?", type=Path)
    parser.add_argument("--m2s-gan", dest="m2s_gan", help="a converted checkpoint folder")
    parser.add_argument("--minutes", type=float, default=10, help="length of the long piece; 0 leaves it out")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    yardstick = statistics.median(timed([sys.executable, "-c", "import torch"]) for _ in range(options.runs))
    models = ["maestro", *([options.m2s_gan] if options.m2s_gan else [])]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        music = options.music or Path(folder) / "ode.wav"
        if not options.music:
            synthesize(Score.ode_to_joy()).save(music)
        pieces = [(music, options.runs)]
        if options.minutes:
            audio = Audio.load(music)
            times = int(np.ceil(options.minutes * 60 / audio.duration))
            long = np.tile(audio.samples, times)[:, : int(options.minutes * 60 * audio.rate)]
            Audio(long, audio.rate).save(Path(folder) / "long.wav")
            pieces.append((Path(folder) / "long.wav", 1))
        for piece, runs in pieces:
            seconds = Audio.load(piece, rate=8000, mono=True).duration
            for model in models:
                took = statistics.median(once(piece, Path(folder) / "film.mp4", model) for _ in range(runs))
                peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
                rows.append(
                    {
                        "model": model,
                        "music_s": round(seconds, 1),
                        "took_s": round(took, 2),
                        "s_per_s": round(took / seconds, 4),
                        "peak_gb_so_far": round(peak, 2),
                        "import_torch_s": round(yardstick, 2),
                    }
                )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
