"""Dance to music, and take the dance to Blender, Unity or Unreal: `python examples/05_dance.py song.mp3`."""

import sys
from pathlib import Path

import numpy as np

import ictus
from ictus.synthesis.band import compose_song
from ictus.synthesis.synthesizer import synthesize

out = Path("out/dance")

# Your own music, or fifteen seconds of a song that a band invents.
if len(sys.argv) > 1:
    audio = ictus.Audio.load(sys.argv[1])
else:
    audio = synthesize(compose_song(np.random.default_rng(1), "disco"), rate=22050, span=(0.0, 15.0))
    audio.save(out / "song.wav")

# A genre of AIST++ by its name or letters; another seed is another dance.
dance = ictus.load("choreographer", genre="waack")(audio, seed=3)
print(f"{dance.duration:.1f} s of {dance.meta['genre']}: {dance.positions.shape} metres, {dance.fps:g} frames a second")

# Rotations for animation programs, in centimetres (BVH) and metres (GLB), and the pickle that AIST++ uses.
for suffix in (".bvh", ".glb", ".pkl"):
    dance.save(out / f"dance{suffix}")
    print(f"made {out / 'dance'}{suffix}")

# What was written can be read again, and worked on.
again = ictus.Motion.load(out / "dance.bvh").resample(30)
hands = again.positions[:, again.skeleton.index("lhand")]  # (T, 3)
print(f"the left hand reaches {100 * hands[:, 1].max():.0f} cm high")
