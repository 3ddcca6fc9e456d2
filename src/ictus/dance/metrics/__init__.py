"""Metrics of dance: the published ones, each protocol by its name, and what shows that a dance stands and goes on.

All take smpl-24 motions, or arrays (T, 24, 3) of its joints in metres, y up, at 60 fps if nothing else is said.

Of sets of motions, by their features. Both sets are `normalised` by the real one's mean and standard deviation:

- FID_k, FID_g: `frechet_distance` of `kinetic_features` (72) and of `geometric_features` (32); less is nearer.
- Dist_k, Dist_g: `diversity`, the mean distance between every two motions made; that of real dances is ideal.

Of one motion, or one motion and its music:

- `beat_alignment` (BeatAlign, BAS): how near the minima of the joints' speed lie to the beats of the music
  (`motion_beats`).
- `physical_foot_contact` (PFC): whether the body is pushed while both feet slide; less is better.
- `foot_skating_ratio` (FSR): the share of frames on the floor in which a foot skates.
- `foot_skating`: how fast the foot slides that carries the body; our own, and defined where `foot_skating_ratio` is
  not: on 2 of 17 real dances that one is NaN, as its floor is the first frame's toes.
- `movement`: how large it is, for a small dance marks beats, too; our own.
- `freeze_ratio`, `root_drift`: whether a long dance goes on, and whether it stays on the stage; `freezing` and `drift`
  say more: the longest stillness, and the metres a minute.

Which protocol gave which published number
------------------------------------------
| name | kinetic | geometric | BeatAlign |
|---|---|---|---|
| FACT's paper | "published" | "paper" | "fact" |
| FACT's released code | "published" | "released" | "fact" |
| Bailando, and most later tables | "bailando" | "released" | "bailando" |

Values of different protocols cannot be compared: of AIST++'s real dances BeatAlign is 0.292 by "fact" and 0.237 by
"bailando"; FID_k by "published" depends on where the origin is. "corrected" kinetic features do not, and are what we
would use where no published number is at stake.

Papers
------
- Li, Yang, Ross & Kanazawa: AI Choreographer, ICCV 2021 (FID, Dist, BeatAlign of dance).
- Li Siyao et al.: Bailando, CVPR 2022. Tseng, Castellon & Liu: EDGE, CVPR 2023 (PFC).
- Li et al.: Lodge, CVPR 2024 (FSR).

Known deviations
----------------
- Features are float64; the authors round them to float32.
- The root of a product of covariances comes from singular values: equal to that of scipy.linalg.sqrtm where the latter
  converges (1e-8), and exact where the covariances have no full rank.
- Positions are those that the motion has. AIST++ pickles give rotations, which `Motion.load` poses on the package's own
  body; published values were measured on the licensed SMPL body.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ictus.dance.metrics.beats import beat_alignment, motion_beats
from ictus.dance.metrics.distances import diversity, normalised
from ictus.dance.metrics.geometric import geometric_features
from ictus.dance.metrics.inputs import MotionLike
from ictus.dance.metrics.kinetic import kinetic_features
from ictus.dance.metrics.physical import (
    Drift,
    FootSkating,
    Freezing,
    drift,
    foot_skating,
    foot_skating_ratio,
    freeze_ratio,
    freezing,
    movement,
    physical_foot_contact,
    root_drift,
)
from ictus.errors import UsageError
from ictus.metrics.frechet import frechet_distance

__all__ = [
    "Drift",
    "FootSkating",
    "Freezing",
    "beat_alignment",
    "diversity",
    "drift",
    "evaluate",
    "foot_skating",
    "foot_skating_ratio",
    "frechet_distance",
    "freeze_ratio",
    "freezing",
    "geometric_features",
    "kinetic_features",
    "motion_beats",
    "movement",
    "normalised",
    "physical_foot_contact",
    "root_drift",
]


def evaluate(
    reference: Sequence[MotionLike],
    estimate: Sequence[MotionLike],
    *,
    music_beats: Sequence[ArrayLike] | None = None,
    protocol: Literal["fact", "bailando"] = "fact",
) -> dict[str, float]:
    """Compute all metrics that the arguments allow.

    Parameters
    ----------
    reference, estimate : two motions or more each, of smpl-24, or (T, 24, 3) metres, y up, at 60 fps; real dances, and
        those to compare. They need not correspond.
    music_beats : of each estimate the beats of its music in seconds, for beat_alignment.
    protocol : "fact" is that of FACT's released code, "bailando" that of Bailando; see the table above.

    Returns
    -------
    fid_k, fid_g, dist_k, dist_g of the set; then under their functions' names means over the estimates (of the
    foot_skating_ratio over those whose feet touch the floor).

    Raises
    ------
    UsageError, MotionError
        If a set holds fewer than two motions, or a motion cannot be measured.
    """
    if protocol not in ("fact", "bailando"):
        raise UsageError(f"no protocol is called {protocol!r}; known are fact, bailando")
    if min(len(reference), len(estimate)) < 2:
        raise UsageError("features are compared between sets; give two motions or more of each")
    if music_beats is not None and len(music_beats) != len(estimate):
        raise UsageError(f"beats of {len(music_beats)} songs were given for {len(estimate)} motions")
    kinetic: Literal["published", "bailando"] = "published" if protocol == "fact" else "bailando"
    eps = 1e-10 if protocol == "fact" else 1e-5
    scores: dict[str, float] = {}
    for letter, features in (("k", lambda m: kinetic_features(m, kinetic)), ("g", geometric_features)):
        first, second = (np.stack([features(motion) for motion in motions]) for motions in (reference, estimate))
        real, made = normalised(first, second, eps)
        scores |= {f"fid_{letter}": frechet_distance(real, made), f"dist_{letter}": diversity(made)}
    if music_beats is not None:
        pairs = zip(estimate, music_beats, strict=True)
        scores["beat_alignment"] = float(np.mean([beat_alignment(m, beats, protocol) for m, beats in pairs]))
    scores["physical_foot_contact"] = float(np.mean([physical_foot_contact(motion) for motion in estimate]))
    skating = [ratio for motion in estimate if not np.isnan(ratio := foot_skating_ratio(motion))]
    scores["foot_skating_ratio"] = float(np.mean(skating)) if skating else float("nan")
    scores["freeze_ratio"] = float(np.mean([freeze_ratio(motion) for motion in estimate]))
    scores["root_drift"] = float(np.mean([root_drift(motion) for motion in estimate]))
    return scores
