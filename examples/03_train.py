"""Train a conductor: on your corpus (`python examples/03_train.py CORPUS`), or on four minutes that are made here.

Your data are folders: CORPUS/train/0/mel.npy (seconds * 90, 128), motion.npy (seconds * 30, 13, 2), and so on.
On the command line the same is `ictus train recipes/cnn-lstm.yaml --data CORPUS`.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from ictus.conducting.data.synthetic import conductor_motion
from ictus.conducting.tasks.baselines import Baseline
from ictus.corpora import save_example
from ictus.synthesis.music_corpus import song_excerpt
from ictus.synthesis.rendering import SynthesisOptions
from ictus.training.loop import fit
from ictus.training.parallel import launch
from ictus.training.recipe import read_recipe

corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out/train/corpus")

# Minutes of invented songs, whose beats are known because the band plays them, and a conductor who shows those beats.
if len(sys.argv) == 1:
    for number, name in enumerate(("train/0", "train/1", "val/0", "val/1")):
        files = conductor_motion(song_excerpt((0, 1), np.random.default_rng(number), SynthesisOptions(songs=1)))
        save_example(corpus / name, files)

# The published recipe, with little patience: a handful of steps, to see it work.
changes = ["training.epochs=2", "training.batch=4", "training.workers=0", "size=debug", "corpus.seconds=10"]
recipe = read_recipe(Path(__file__).parents[1] / "recipes/cnn-lstm.yaml", lambda task: Baseline.Config, changes, corpus)
run = Path("out/train/run")
shutil.rmtree(run, ignore_errors=True)
progress = fit(launch(recipe.training), lambda: Baseline(recipe.config, corpus), recipe, run)
print(f"{run / 'model'}: {progress.step} steps, {progress.best}")
