"""How well a score is found in a recording of it: rendered performances, whose beats are known.

    python benchmarks/score_alignment.py SCORES [--soundfont FILE] [--count 8] [--quarters 100]

Each piece is performed with invented rubato, room and microphones, every other one through the SoundFont if there is
one; beside the errors of the alignment stand those of the same score stretched evenly to the performance's length, and
what the path costs, as a part of that with the recording turned backwards, for the right recording and for another.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from ictus.audio import Audio
from ictus.scores.reader import SUFFIXES, read
from ictus.scores.score import Score
from ictus.synthesis.performance import render_performance
from ictus.synthesis.recording_conditions import RecordingConditions
from ictus.synthesis.rendering import part_renderer
from ictus.synthesis.score_alignment import RATE, align, likeness
from ictus.synthesis.tempo import Timing, held, humanised, imagined

BEFORE = 1.0  # seconds of the recording before its music


def cut(score: Score, quarters: float) -> Score:
    """Return the beginning of a score."""
    parts = [
        replace(part, notes=tuple(note for note in part.notes if note.onset + note.length <= quarters))
        for part in score.parts
    ]
    return replace(
        score,
        parts=tuple(part for part in parts if part.notes),
        beats=score.beats[score.beats[:, 0] < quarters],
        fermatas=score.fermatas[score.fermatas[:, 1] <= quarters],
        sections=score.sections[score.sections < quarters],
    )


def perform(score: Score, seed: int, soundfont: Path | None) -> tuple[Audio, Timing]:
    rng = np.random.default_rng(seed)
    timing = humanised(imagined(score, rng), score, rng)
    span = (-BEFORE, float(timing.seconds_at(np.array([score.length]))[0]) + 1.5)
    conditions, renderer = RecordingConditions.draw(rng), part_renderer(soundfont, RATE)
    sound = render_performance(score, renderer, rate=RATE, seed=seed, timing=timing, span=span, conditions=conditions)
    return sound, timing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--soundfont", type=Path)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--quarters", type=float, default=100)
    given = parser.parse_args()
    files = sorted(file for file in given.scores.rglob("*") if file.suffix.lower() in SUFFIXES)
    files = files[:: max(1, len(files) // given.count)][: given.count]
    scores = [cut(read(file), given.quarters) for file in files]
    played = [perform(score, k, given.soundfont if k % 2 else None) for k, score in enumerate(scores)]
    print("| piece | median ms | mean | 90 % | evenly stretched: median | cost, right | cost, other |")
    print("|---|---|---|---|---|---|---|")
    for k, (file, score, (sound, timing)) in enumerate(zip(files, scores, played, strict=True)):
        quarters = score.beats[score.beats[:, 0] < score.length - 1e-6, 0]
        truth = BEFORE + timing.seconds_at(quarters)
        even = held(score).seconds_at(quarters)
        even = BEFORE + even / even[-1] * (truth[-1] - BEFORE)
        costs = [likeness(score, one) for one in (sound, played[(k + 1) % len(played)][0])]
        error = 1e3 * np.abs(align(score, sound).seconds_at(quarters) - truth)
        control = 1e3 * np.median(np.abs(even - truth))
        figures = f"{np.median(error):.0f} | {error.mean():.0f} | {np.percentile(error, 90):.0f} | {control:.0f}"
        print(f"| {file.stem} | {figures} | {costs[0]:.2f} | {costs[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
