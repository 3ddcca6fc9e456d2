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
from ictus.beats.beats import Beats
from ictus.beats.tracker import BeatTracker
from ictus.dance.data.aist import GENRES
from ictus.dance.foot_cleanup import clean
from ictus.dance.frames import FRAME, JOINTS, RATE, padded, unpadded
from ictus.dance.models.fact import FACT, MOTION_WINDOW
from ictus.dance.models.melody import MelodyAutoencoder
from ictus.dance.pose_fitting import posed
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


class Dancer(Protocol):
    """Music in, dance out."""

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance.

        Parameters
        ----------
        audio : music of two seconds or more.
        seed : another seed is another dance.
        progress : called with the fraction done.

        Returns
        -------
        smpl-24 with rotations at 60 fps, as long as the music; its meta tells model, seed, genre and beats.

        Raises
        ------
        AudioError
            If the music is shorter than two seconds, or silent.
        UsageError
            If the network predicts fewer frames than the stride that was asked for.
        """


class FACTDancer:
    """FACT as a dancer.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    seed_motion : how the dance begins: smpl-24 with rotations, two seconds or more; the music begins with it.
    stride : frames kept of each prediction; fewer are slower, and nearer to what is published.
    genre : of the dance, by its letters or its name in `ictus.dance.data.aist.GENRES`; None leaves it to the seed.

    Raises
    ------
    MotionError
        If the seed motion is of another body, has no rotations, or is too short or too slow.
    UsageError
        If the network has not learnt the genre.
    """

    def __init__(
        self,
        network: FACT,
        name: str | os.PathLike[str],
        tracker: Callable[[Audio], Beats] | None = None,
        *,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
    ) -> None:
        self.network, self.name, self.tracker = network.eval(), os.fspath(name), tracker or BeatTracker()
        self.stride, self.genre = stride, genre
        self.seed_frames = None if seed_motion is None else _seed_frames(seed_motion)
        self._starts = self._known_starts()

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str], **options: Any) -> "FACTDancer":
        """Load one by name or folder. Raises ModelError if it is missing or damaged."""
        return cls(FACT.from_pretrained(name), name, **options)

    @property
    def genres(self) -> list[str]:
        """Genres that can be asked for, as in `ictus.dance.data.aist.GENRES`."""
        return sorted(set(self.network.config.starts))

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        rng = np.random.default_rng(seed)
        start, given = int(rng.choice(self._starts)), self.seed_frames
        beats = self.tracker(audio)
        heard = torch.from_numpy(rhythm35(audio, beats=beats.times))[None]
        pose, config = self.network.config.pose, self.network.config
        kept = self.stride or max(1, config.future // 2)
        asked: dict[str, Any] = {"stride": kept, "blend": True, "orthonormalise": True, "to_end": True}
        if given is None:
            resting = padded(self.network.start[start], pose).repeat(1, MOTION_WINDOW, 1)
            noise = rng.normal(0, _UNREST, resting.shape).astype(np.float32)
            asked |= {"rested": resting + torch.from_numpy(noise)}
        made = self.network.generate(given if given is None else padded(given, pose), heard, progress=progress, **asked)
        frames = unpadded(made)[0] if given is None else torch.cat((given[0], unpadded(made)[0]))
        known = config.starts[start] if given is None and config.starts else None
        meta = {"model": self.name, "seed": seed, "genre": known, "beats": beats.to_meta()}
        return clean(replace(_motion(frames), meta=meta))

    def _known_starts(self) -> list[int]:
        """Return the numbers of the poses that a dance may begin from."""
        starts = self.network.config.starts
        if self.genre is None:
            return list(range(max(1, len(starts))))
        found = [number for number, known in enumerate(starts) if known == genre_code(self.genre)]
        if not found:
            raise unknown_genre(self.name, self.genre, self.genres)
        return found


class MelodyDancer:
    """Dance with Melody's network as a dancer: it has no noise and no beginning; a seed is a place in its song.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    """

    def __init__(
        self,
        network: MelodyAutoencoder,
        name: str | os.PathLike[str],
        tracker: Callable[[Audio], Beats] | None = None,
    ) -> None:
        self.network, self.name, self.tracker = fold(network).eval(), os.fspath(name), tracker or BeatTracker()

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str]) -> "MelodyDancer":
        """Load one by name or folder. Raises ModelError if it is missing or damaged."""
        return cls(MelodyAutoencoder.from_pretrained(name), name)

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        beats = self.tracker(audio)
        heard = melody16(audio)
        index = temporal_index(beats.times, len(heard))
        longest = float(self.network.index_scale.scale[0])  # frames of the longest song that it learnt from
        index[:, 0] = (index[:, 0] + np.random.default_rng(seed).uniform(0, longest)) % longest
        with torch.inference_mode():
            points = self.network(torch.from_numpy(heard)[None], torch.from_numpy(index)[None])[0]
        if progress is not None:
            progress(1.0)
        seen = Motion(points.numpy().reshape(len(points), -1, 3), melody16.frame_rate, get_skeleton("melody-21"))
        meta = {"model": self.name, "seed": seed, "beats": beats.to_meta()}
        return clean(replace(posed(seen.resample(RATE)), meta=meta))


def genre_code(asked: str) -> str | None:
    """Return the letters of a genre of AIST++, by its letters or its name; None if it is none."""
    return next((code for code, name in GENRES.items() if asked.lower() in (code.lower(), name.lower())), None)


def unknown_genre(model: str, asked: str, known: list[str]) -> UsageError:
    """Return the error that a model knows no such genre."""
    names = ", ".join(f"{code} ({GENRES[code]})" for code in known) or "none"
    return UsageError(f"{model} knows no genre {asked!r}; it knows {names}")


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
