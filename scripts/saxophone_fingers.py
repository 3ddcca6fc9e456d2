"""Do the onsets of what a soloist plays follow the fingers of a real player? Onsets moved in time stand beside it.

    python scripts/saxophone_fingers.py KEYPOINTS [--model soloist] [--instrument clarinet] [--seeds 4]

At each onset: how fast the fingers move beside their wrists, in deviations from this player's mean; in brackets, how
far the moved ones differ among themselves.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import ictus
from ictus.sound.metrics import onset_times
from ictus.sound.pose_normalization import PoseTrack, fill_gaps
from ictus.types import Float64Array

RIGHT_WRIST, LEFT_WRIST, FINGERS = 3, 6, 20  # joints of solos-47: 7 of the body, then 20 of each hand
EDGE, SHIFTS = 2.0, 40  # seconds at either end that are left out; how many times the onsets are moved


def finger_speed(track: PoseTrack) -> tuple[Float64Array, Float64Array]:
    """Return times (T - 1,) in seconds, and how fast the fingers move then."""
    positions = track.positions.astype(np.float64)
    wrists = np.repeat(positions[:, [RIGHT_WRIST, LEFT_WRIST]], FINGERS, 1)
    speed = np.linalg.norm(np.diff(positions[:, 7:] - wrists, axis=0), axis=-1).mean(1)
    speed = np.convolve(speed, np.ones(3) / 3, "same")
    return (np.arange(len(speed)) + 0.5) / track.fps, (speed - speed.mean()) / speed.std()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keypoints", type=Path)
    parser.add_argument("--model", default="soloist")
    parser.add_argument("--instrument", default="clarinet")
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    track, soloist = fill_gaps(PoseTrack.load(options.keypoints)).track, ictus.load(options.model)
    times, speed = finger_speed(track)
    span = track.duration - 2 * EDGE
    for seed in range(options.seeds):
        onsets = onset_times(soloist(track, instrument=options.instrument, seed=seed).mel)
        onsets = onsets[(onsets > EDGE) & (onsets < EDGE + span)] - EDGE
        own, *others = (
            np.interp((onsets + shift) % span + EDGE, times, speed).mean()
            for shift in np.linspace(0, span, SHIFTS + 1)[:-1]
        )
        moved = f"{np.mean(others):+.2f} ({np.std(others):.2f})"
        sys.stdout.write(f"seed {seed}: {len(onsets)} onsets, {own:+.2f}; moved {moved}\n")


if __name__ == "__main__":
    main()
