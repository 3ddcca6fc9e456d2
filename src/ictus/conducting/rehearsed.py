"""Rehearsed: a conductor for music whose beats are known, and with it the corpus that anyone can make.

A folder of scores becomes a corpus in the format of ConductorMotion100: `<out>/<split>/<number>/mel.npy` (5400, 128)
at 90 frames a second and `motion.npy` (1800, 13, 2) at 30, both float32, with the truth beside them in `beats.npz`.
"""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ictus.conducting.beats import METERS, SLOWEST, Beats
from ictus.conducting.conductor import Maestro
from ictus.conducting.projection import project
from ictus.errors import IctusError
from ictus.features import mel128
from ictus.rehearsal.corpus import Excerpt
from ictus.rehearsal.truth import Truth


def conducted(truth: Truth) -> Beats:
    """Return the beats that a conductor shows for a passage of one metre.

    The notated ones where their median tempo is at an arm's ease; faster ones are gathered, slower ones divided: in
    three where the metre is compound, so that a slow 6/8 is conducted in six.

    Raises
    ------
    IctusError
        If there is no conducting pattern for the metre.
    """
    beats = Beats(
        truth.times,
        truth.positions,
        int(truth.meters[0]),
        loudness=truth.loudness,
        articulation=truth.articulation,
        accents=truth.accents,
        duration=truth.duration,
    )
    if truth.divisions[0] == 3 and 0 < beats.tempo < SLOWEST:
        beats = _in_three(beats) if 3 * beats.meter in METERS else beats
    else:
        beats = beats.conducted()
    if beats.meter not in METERS:
        raise IctusError(f"a bar of {beats.meter} beats has no conducting pattern")
    return beats


def _in_three(beats: Beats) -> Beats:
    """Divide every beat in three, evenly."""
    whole = np.arange(len(beats))
    thirds = np.arange(3 * len(beats) - 2) / 3
    place = np.round(3 * thirds).astype(np.int64) % 3

    def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(thirds, whole, values)

    return replace(
        beats,
        times=spread(beats.times),
        positions=3 * (np.repeat(beats.positions, 3)[: len(thirds)] - 1) + place + 1,
        meter=3 * beats.meter,
        loudness=spread(beats.loudness),
        articulation=spread(beats.articulation),
        accents=np.where(place > 0, 0.0, spread(beats.accents)),
    )


def conductor_motion(excerpt: Excerpt, *, music: bool = False) -> dict[str, Any]:
    """Return the files of one example of the corpus: the music's features, the conductor's keypoints, the truth.

    Parameters
    ----------
    music : whether the sound itself shall be there.

    Returns
    -------
    mel : (5400, 128) float32.
    motion : (1800, 13, 2) float32.
    beats : the truth's arrays (see `Truth`), `conducted_times`, `conducted_positions` and `conducted_meter`, and in
        `about` a JSON text of what was played, how and whence.
    music : mono, where it is asked for.

    Raises
    ------
    IctusError
        If the metre cannot be conducted.
    """
    try:
        beats = conducted(excerpt.truth)
    except IctusError as error:
        raise IctusError(f"{excerpt.about['piece']}: {error}") from error
    seed = zlib.crc32(excerpt.truth.times.tobytes())  # one performance, one conductor
    performed = project(Maestro().perform(beats, excerpt.truth.duration, seed=seed))
    shown = {
        "conducted_times": beats.times,
        "conducted_positions": beats.positions,
        "conducted_meter": np.array(beats.meter),
    }
    return {
        "mel": mel128(excerpt.audio).astype(np.float32),
        "motion": performed.positions.astype(np.float32),
        "beats": {**excerpt.archive(), **shown},
        **({"music": excerpt.audio.mono()} if music else {}),
    }
