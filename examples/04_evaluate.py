"""Compare two conductors: the one that 03_train.py has trained, and a shipped one, on the two minutes held out there.

On the command line the same is `ictus evaluate conducting --data CORPUS --model cnn-lstm --model RUN/model`.
"""

import sys
from pathlib import Path

import ictus
from ictus.conducting.chunked_inference import generate
from ictus.conducting.data.conductor_motion import ConductorMotion
from ictus.conducting.evaluation import MEANING, evaluate

corpus, model = Path("out/train/corpus"), Path("out/train/run/model")
if not model.is_dir():
    sys.exit("there is no model to compare; run 03_train.py first")


def conductor(name):
    """Whatever maps a mel and a seed to a motion can be compared: here a network."""
    network = ictus.load(name).generator
    return lambda mel, seed: generate(network, mel, seed=seed)


models = {"just trained": conductor(model), "cnn-lstm": conductor("cnn-lstm")}
rows = evaluate(models, ConductorMotion(corpus, "val", seconds=10))

# The ground truth and the motion of other music stand above them: what is perfect, and what ignores the music.
shown = ("rde", "sce", "sdp", "beat_f")
print(f"{'':24}" + "".join(f"{metric:>26}" for metric in shown))
for row in rows:
    cells = ("{:.3g} ({:.3g} to {:.3g})".format(*row.values[metric]) for metric in shown)
    print(f"{row.name:24}" + "".join(f"{cell:>26}" for cell in cells))
print("\n".join(f"{metric}: {MEANING[metric]}" for metric in shown))
