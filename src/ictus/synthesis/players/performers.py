"""Performers: procedural soloists on six instruments, for what no data set has: motion and sound with ground truth.

Each plays given notes with a body of 47 keypoints ("solos-47"), as a camera and a pose estimator see it. Bows turn at
attacks, hands shift along strings, fingers follow fingering charts, a slide follows the harmonic series; shoulders
rise with a breath, the trunk sways with the phrase. Proportions, temper, camera and noise are drawn from a seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ictus.errors import UsageError
from ictus.synthesis.players import KEYPOINT_RATE, brass, strings, woodwinds
from ictus.synthesis.players.body import Proportions, body_keypoints
from ictus.synthesis.players.camera import PlayerCamera, simulate_pose_estimator
from ictus.synthesis.players.hands import Hands
from ictus.synthesis.players.solo import Solo
from ictus.synthesis.players.trunk import simulate_trunk
from ictus.types import Float32Array, Float64Array

FPS = float(KEYPOINT_RATE)


@dataclass(frozen=True)
class InstrumentPlayer:
    """How the player of an instrument differs from others.

    Attributes
    ----------
    lowest, highest : MIDI pitches, sounding, that are played.
    hands : what the hands do.
    share : how far the instrument goes along with the trunk: 1 where it is held, less where it stands on the floor.
    breath : metres by which a full breath raises the shoulders.
    turned : radians by which a player usually turns to their left, seen from the front.
    """

    lowest: int
    highest: int
    hands: Callable[[Solo, Float64Array, Proportions, np.random.Generator], Hands]
    share: float
    breath: float
    turned: float = 0.0


PLAYERS = {
    "cello": InstrumentPlayer(36, 76, strings.cello, 0.3, 0.006),
    "violin": InstrumentPlayer(55, 98, strings.violin, 1.0, 0.006, 0.15),
    "clarinet": InstrumentPlayer(50, 91, woodwinds.clarinet, 1.0, 0.022),
    "flute": InstrumentPlayer(60, 96, woodwinds.flute, 1.0, 0.024, 0.25),
    "horn": InstrumentPlayer(41, 77, brass.horn, 0.9, 0.024, -0.1),
    "trombone": InstrumentPlayer(40, 72, brass.trombone, 0.9, 0.026, 0.5),
}


@dataclass(frozen=True)
class PerformedSolo:
    """A solo, played and filmed.

    Attributes
    ----------
    keypoints : (K, 47, 3) float32, x and y in pixels (y down) and confidence 0 to 1, at 25 frames a second.
    positions : (K, 47, 3) metres from the neck at rest: x to the player's left, y up, z forwards; without noise.
    ground_truth : what the motion was made of; see `ictus.synthesis.players.hands.Hands`.
    camera : that filmed it.
    """

    keypoints: Float32Array
    positions: Float64Array
    ground_truth: dict[str, Float64Array]
    camera: PlayerCamera


def perform_solo(solo: Solo, instrument: str, *, seed: int = 0) -> PerformedSolo:
    """Let a soloist play.

    Parameters
    ----------
    instrument : "cello", "violin", "clarinet", "flute", "horn" or "trombone".
    seed : the same seed gives the same performance, another one another player and camera.

    Raises
    ------
    UsageError
        If nobody plays the instrument, or a note is out of its range.
    """
    if instrument not in PLAYERS:
        raise UsageError(f"nobody here plays {instrument!r}; there are {', '.join(PLAYERS)}")
    player = PLAYERS[instrument]
    if len(solo.notes) and not player.lowest <= solo.pitches.min() <= solo.pitches.max() <= player.highest:
        raise UsageError(
            f"the notes reach from {solo.pitches.min()} to {solo.pitches.max()}; a {instrument} plays MIDI pitches "
            f"{player.lowest} to {player.highest}; transpose them"
        )
    body, hand, view, noise = np.random.default_rng(seed).spawn(4)
    times = np.arange(round(solo.duration * FPS)) / FPS
    if len(times) < 2:
        raise UsageError(f"the solo lasts {solo.duration:g} seconds; it must have two frames at least, 0.08 seconds")
    figure = Proportions.random(body)
    temper = float(np.exp(body.normal(0, 0.45)))
    trunk = simulate_trunk(solo, times, temper=temper, breath=player.breath, rng=body)
    hands = player.hands(solo, times, figure, hand)
    right, left = (grip.carried(trunk, player.share) for grip in (hands.right, hands.left))
    positions = body_keypoints(figure, trunk, right, left)
    camera = PlayerCamera.random(view, player.turned)
    keypoints = simulate_pose_estimator(camera.project(positions), noise, FPS).astype(np.float32)
    return PerformedSolo(keypoints, positions, hands.ground_truth, camera)
