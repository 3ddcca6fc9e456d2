"""A conductor for music whose beats are known, and with it the corpus that anyone can make.

A folder of scores becomes a corpus in the format of ConductorMotion100: `<out>/<split>/<number>/mel.npy` (5400, 128)
at 90 frames a second and `motion.npy` (1800, 13, 2) at 30, both float32, with the annotated beats in
`beats.npz`.
"""

import zlib
from typing import Any

import numpy as np

from ictus.conducting.pipeline import Maestro
from ictus.errors import IctusError
from ictus.features import mel128
from ictus.retargeting.projection import project
from ictus.synthesis.music_corpus import AnnotatedExcerpt


def conductor_motion(excerpt: AnnotatedExcerpt, *, music: bool = False) -> dict[str, Any]:
    """Return the files of one example of the corpus: the music's features, the conductor's keypoints, the annotation.

    Parameters
    ----------
    music : whether the sound itself shall be there.

    Returns
    -------
    mel.npy : (5400, 128) float32.
    motion.npy : (1800, 13, 2) float32.
    beats.npz : the annotation's arrays (see `BeatAnnotation`), `conducted_times`, `conducted_positions` and
        `conducted_meter`, and in `about` a JSON text of what was played, how and whence.
    music.flac : mono, where it is asked for.

    Raises
    ------
    IctusError
        If the metre cannot be conducted.
    """
    try:
        beats = excerpt.annotation.conducted()
    except IctusError as error:
        raise IctusError(f"{excerpt.about['piece']}: {error}") from error
    seed = zlib.crc32(excerpt.annotation.times.tobytes())  # one performance, one conductor
    performed = project(Maestro().perform(beats, excerpt.annotation.duration, seed=seed))
    shown = {
        "conducted_times": beats.times,
        "conducted_positions": beats.positions,
        "conducted_meter": np.array(beats.meter),
    }
    return {
        "mel.npy": mel128(excerpt.audio).astype(np.float32),
        "motion.npy": performed.positions.astype(np.float32),
        "beats.npz": {**excerpt.archive(), **shown},
        **({"music.flac": excerpt.audio.mono()} if music else {}),
    }
