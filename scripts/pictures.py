"""Draw the pictures of the documents: a bar in four, and two bars of waack, both of an Ode to Joy played on the spot.

python scripts/pictures.py docs/images
"""

import sys
from pathlib import Path

import numpy as np

import ictus
from ictus.render.stills import strip
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize

folder = Path(sys.argv[1])
audio = synthesize(Score.ode_to_joy())
for name, motion, bars, count, size in (
    ("conductor", ictus.load("maestro")(audio, seed=0), (12, 13), 7, (240, 360)),
    ("dancer", ictus.load("choreographer", genre="waack")(audio, seed=3), (4, 6), 8, (220, 330)),
):
    beats = motion.meta["beats"]
    downbeats = [time for time, place in zip(beats["times"], beats["positions"], strict=True) if place == 1]
    first, last = (downbeats[bar] for bar in bars)
    times = first + (last - first) * np.arange(count) / count
    strip(motion, times.tolist(), folder / f"{name}.png", size=size)
