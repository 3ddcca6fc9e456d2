"""Examples that the project makes itself, when somebody first asks for them: music, and a player's movement."""

import threading
from pathlib import Path

import numpy as np

from ictus.files import writing

_AT_WORK = threading.Lock()
_SECONDS = 12.0  # of a solo
_SEED = 4


def ode_to_joy(folder: Path) -> Path:
    """Return an Ode to Joy, 69 seconds, played by the package's own small orchestra."""
    from ictus.scores.score import Score
    from ictus.synthesis.synthesizer import synthesize

    path = folder / "ode_to_joy.mp3"
    with _AT_WORK:
        if not path.exists():
            synthesize(Score.ode_to_joy()).save(path)
    return path


def player(folder: Path, instrument: str = "cello") -> Path:
    """Return the keypoints of a soloist who plays from the Ode to Joy, 12 seconds, as Solos stores them."""
    from ictus.scores.score import Score
    from ictus.synthesis.players.performers import PLAYERS, perform_solo
    from ictus.synthesis.players.repertoire import excerpt_of, solo_part
    from ictus.synthesis.tempo import imagined

    path = folder / f"{instrument}_player.npy"
    with _AT_WORK:
        if not path.exists():
            rng, score, means = np.random.default_rng(_SEED), Score.ode_to_joy(), PLAYERS[instrument]
            _, solo = solo_part(score, imagined(score, rng), instrument, (means.lowest, means.highest), rng)
            excerpt, _ = excerpt_of(solo, _SECONDS, rng)
            with writing(path) as temporary:
                np.save(temporary, perform_solo(excerpt, instrument, seed=_SEED).keypoints, allow_pickle=False)
    return path
