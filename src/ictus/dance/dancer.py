"""Dancers: a trained network, music in, a whole dance out.

Sound -> beats and features -> a network's frames -> the body smpl-24 at 60 fps -> feet that stand where they stand.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ictus.audio import Audio
from ictus.dance.aist import GENRES
from ictus.dance.fact import FACT, MOTION_WINDOW
from ictus.dance.footing import clean
from ictus.dance.frames import FRAME, JOINTS, RATE, padded, unpadded
from ictus.dance.melody import MelodyAutoencoder
from ictus.dance.posing import posed
from ictus.errors import MotionError, UsageError
from ictus.features.melody16 import melody16, temporal_index
from ictus.features.rhythm35 import rhythm35
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.nn.folding import fold
from ictus.skeleton import get_skeleton

Array = NDArray[np.float64]
Progress = Callable[[float], None]

_BODY = get_skeleton("smpl-24")
_SLOWEST = 20.0  # fps of a seed motion that still tells how a dancer moves
_UNREST = 0.02  # deviation of what is added to a resting pose, as in training: no two dances begin alike


class Heard(Protocol):
    """What a dancer must know of music.

    Attributes
    ----------
    times : (N,) seconds of the beats.
    positions : (N,) their places in the bar, from 1.
    loudness : (N,) 0 to 1, at each beat.
    """

    @property
    def times(self) -> Array: ...  # noqa: D102
    @property
    def positions(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def loudness(self) -> Array: ...  # noqa: D102


Hear = Callable[[Audio], Heard]


class Dancer(Protocol):
    """Music in, dance out."""

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance.

        Parameters
        ----------
        audio : music of two seconds or more.
        seed : another seed is another dance.
        seed_motion : how the dance begins: smpl-24 with rotations, two seconds or more; the music begins with it.
        stride : frames kept of each prediction; fewer are slower, and nearer to what is published.
        genre : of the dance, by its letters or its name in `ictus.dance.aist.GENRES`; None leaves it to the seed.
        progress : called with the fraction done.

        Returns
        -------
        smpl-24 with rotations at 60 fps, as long as the music; its meta tells model, seed, genre and beats.

        Raises
        ------
        AudioError
            If the music is shorter than two seconds, or silent.
        MotionError
            If the seed motion is of another body, has no rotations, or is too short or too slow.
        UsageError
            If the model has no such genre or stride, or cannot begin with a motion.
        """


class FACTDancer:
    """FACT as a dancer.

    Parameters
    ----------
    hear : tells the beats of music.
    """

    def __init__(self, network: FACT, name: str | os.PathLike[str], hear: Hear) -> None:
        self.network, self.name, self.hear = network.eval(), os.fspath(name), hear

    @property
    def genres(self) -> list[str]:
        """Genres that can be asked for, as in `ictus.dance.aist.GENRES`."""
        return sorted(set(self.network.config.starts))

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        rng = np.random.default_rng(seed)
        start = self._start(genre, rng)
        given = None if seed_motion is None else _seed_frames(seed_motion)
        beats = self.hear(audio)
        heard = torch.from_numpy(rhythm35(audio, beats=beats.times))[None]
        pose, config = self.network.config.pose, self.network.config
        kept = stride or max(1, config.future // 2)
        asked: dict[str, Any] = {"stride": kept, "blend": True, "orthonormalise": True, "to_end": True}
        if given is None:
            resting = padded(self.network.start[start], pose).repeat(1, MOTION_WINDOW, 1)
            noise = rng.normal(0, _UNREST, resting.shape).astype(np.float32)
            asked |= {"rested": resting + torch.from_numpy(noise)}
        made = self.network.generate(given if given is None else padded(given, pose), heard, progress=progress, **asked)
        frames = unpadded(made)[0] if given is None else torch.cat((given[0], unpadded(made)[0]))
        known = config.starts[start] if given is None and config.starts else None
        meta = {"model": self.name, "seed": seed, "genre": known, "beats": told(beats)}
        return clean(replace(_motion(frames), meta=meta))

    def _start(self, genre: str | None, rng: np.random.Generator) -> int:
        """Draw the number of a pose to begin from."""
        starts = self.network.config.starts
        if genre is None:
            return int(rng.integers(max(1, len(starts))))
        found = [number for number, known in enumerate(starts) if known == genre_code(genre)]
        if not found:
            raise unknown_genre(self.name, genre, self.genres)
        return int(rng.choice(found))


class MelodyDancer:
    """Dance with Melody's network as a dancer: it has no noise and no beginning; a seed is a place in its song.

    Parameters
    ----------
    hear : tells the beats of music.
    """

    def __init__(self, network: MelodyAutoencoder, name: str | os.PathLike[str], hear: Hear) -> None:
        self.network, self.name, self.hear = fold(network).eval(), os.fspath(name), hear

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        refuse(self.name, {"a seed motion": seed_motion, "a stride": stride, "a genre": genre})
        beats = self.hear(audio)
        heard = melody16(audio)
        index = temporal_index(beats.times, len(heard))
        longest = float(self.network.index_scale.scale[0])  # frames of the longest song that it learnt from
        index[:, 0] = (index[:, 0] + np.random.default_rng(seed).uniform(0, longest)) % longest
        with torch.inference_mode():
            points = self.network(torch.from_numpy(heard)[None], torch.from_numpy(index)[None])[0]
        if progress is not None:
            progress(1.0)
        seen = Motion(points.numpy().reshape(len(points), -1, 3), melody16.frame_rate, get_skeleton("melody-21"))
        meta = {"model": self.name, "seed": seed, "beats": told(beats)}
        return clean(replace(posed(seen.resample(RATE)), meta=meta))


def told(beats: Heard) -> dict[str, Any]:
    """Return what a motion carries of its music's beats, in JSON types."""
    places = beats.positions
    times = np.round(beats.times, 4).tolist()
    return {"times": times, "positions": places.tolist(), "meter": int(places.max(initial=1))}


def genre_code(asked: str) -> str | None:
    """Return the letters of a genre of `ictus.dance.aist.GENRES`, by its letters or its name; None if it is none."""
    return next((code for code, name in GENRES.items() if asked.lower() in (code.lower(), name.lower())), None)


def unknown_genre(model: str, asked: str, known: list[str]) -> UsageError:
    """Return the error that a model knows no such genre."""
    names = ", ".join(f"{code} ({GENRES[code]})" for code in known) or "none"
    return UsageError(f"{model} knows no genre {asked!r}; it knows {names}")


def refuse(model: str, given: dict[str, object]) -> None:
    """Raise UsageError if something is given that a model cannot take: name -> value, None if it is not given."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{model} cannot be given {name}; fact can")


def _seed_frames(motion: Motion) -> Tensor:
    """Return the first two seconds of a motion, (1, 120, 219)."""
    if motion.skeleton.name != "smpl-24" or motion.rotations is None or motion.root is None:
        raise MotionError(f"the seed motion is {motion.skeleton.name}; give smpl-24 with rotations, such as AIST++'s")
    if motion.fps < _SLOWEST:
        raise MotionError(f"the seed motion has {motion.fps:g} frames a second; give {_SLOWEST:g} or more")
    seen = motion.resample(RATE)
    if len(seen) < MOTION_WINDOW or seen.rotations is None or seen.root is None:
        raise MotionError(f"the seed motion lasts {motion.duration:.2f} s; give two seconds or more")
    rows = np.concatenate([seen.root, seen.rotations.reshape(len(seen), -1)], 1)
    return torch.from_numpy(rows[None, :MOTION_WINDOW].astype(np.float32))


def _motion(frames: Tensor) -> Motion:
    """(T, 219) -> smpl-24 at 60 fps."""
    root = frames[:, : FRAME - 9 * JOINTS].numpy()
    rotations = frames[:, FRAME - 9 * JOINTS :].reshape(-1, JOINTS, 3, 3).numpy()
    return Motion(forward_kinematics(_BODY, rotations, root), RATE, _BODY, rotations, root)
