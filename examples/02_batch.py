"""Conduct a folder of music: your own (`python examples/02_batch.py album/`), or one that is made on the spot.

One bad file stops nothing. On the command line the same is `ictus conduct album/ -o films/`.
"""

import sys
from pathlib import Path

import numpy as np

import ictus
from ictus.synthesis.band import compose_song
from ictus.synthesis.synthesizer import synthesize

out = Path("out/batch")

# Two songs that a band invents, twelve seconds of each, and a file that is no music.
if len(sys.argv) > 1:
    album = Path(sys.argv[1])
else:
    album = out / "album"
    for style in ("rock", "waltz"):
        synthesize(compose_song(np.random.default_rng(0), style), rate=22050, span=(0.0, 12.0)).save(
            album / f"{style}.wav"
        )
    (album / "broken.wav").write_bytes(b"no music")

maestro = ictus.load("maestro")
for file in sorted(album.iterdir()):
    try:
        audio = ictus.Audio.load(file)
        motion = maestro(audio, seed=0)
        motion.save(out / f"{file.stem}.bvh")
        ictus.film(motion, audio, out / f"{file.stem}.mp4", size=(360, 360), fps=15)
    except ictus.IctusError as error:
        print(f"left out: {error}")
        continue
    print(f"{file.name}: {len(motion.meta['beats']['times'])} beats, made {file.stem}.bvh and {file.stem}.mp4")
