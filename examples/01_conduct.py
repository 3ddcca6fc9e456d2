"""Conduct music: your own (`python examples/01_conduct.py song.mp3`), or an Ode to Joy that is played on the spot."""

import sys
from pathlib import Path

import ictus
from ictus.scores.score import Score
from ictus.synthesis.synthesizer import synthesize

out = Path("out")
out.mkdir(exist_ok=True)

# Any music: a file of yours, or the score that comes with the package, played by its own small orchestra.
if len(sys.argv) > 1:
    audio = ictus.Audio.load(sys.argv[1])
    name = Path(sys.argv[1]).stem
else:
    audio = synthesize(Score.ode_to_joy())
    name = "ode_to_joy"
    audio.save(out / f"{name}.wav")

# A conductor follows its beats, bars and dynamics.
motion = ictus.load("maestro")(audio, seed=0)
beats = motion.meta["beats"]
print(f"{len(beats['times'])} beats, {beats['meter']} in a bar, {audio.duration:.1f} s of music")

# A film to look at; a motion to work with in any 3-D program.
ictus.film(motion, audio, out / f"{name}.mp4", size=(720, 720))
motion.save(out / f"{name}.bvh")
print(f"made {out / name}.mp4 and {out / name}.bvh")
