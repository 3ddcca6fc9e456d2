"""From keypoints to sound: of your film (`python examples/06_sound.py keypoints.npy`), or of a player made here.

Keypoints are Solos' (T, 47, 3) arrays, OpenPose's folders, COCO-WholeBody's or MMPose's JSON, or MediaPipe's landmarks.
"""

import sys
from pathlib import Path

import numpy as np

import ictus
from ictus.sound.pose_normalization import PoseTrack, fill_gaps
from ictus.synthesis.players.performers import perform_solo
from ictus.synthesis.players.solo import Solo

out = Path("out/sound")
out.mkdir(parents=True, exist_ok=True)

# A cellist who plays a scale up and down, half a second a note, as a camera and a pose estimator see her.
if len(sys.argv) > 1:
    track = PoseTrack.load(sys.argv[1])
else:
    pitches = [48, 50, 52, 53, 55, 53, 52, 50, 48]
    notes = np.array([[0.3 + 0.5 * k, 0.45, pitch, 0.7] for k, pitch in enumerate(pitches)])
    seen = perform_solo(Solo(notes, duration=5.0), "cello", seed=0).keypoints  # (125, 47, 3): x, y, confidence
    np.save(out / "player.npy", seen)
    track = PoseTrack.of(seen)

played = ictus.load("soloist")(track, seed=0)
print(f"{track.duration:.1f} s of {played.instrument}; {100 * played.filled:.1f} % of the points were filled in")
played.audio.save(out / "player.wav")
ictus.film(fill_gaps(track).track.motion(), played.audio, out / "player.mp4", size=(480, 480), fps=25)
print(f"made {out / 'player.wav'} and {out / 'player.mp4'}")
