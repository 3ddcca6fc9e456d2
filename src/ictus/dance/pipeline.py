"""Dancers: a trained network, music in, a whole dance out.

Sound -> beats and features -> a network's frames, or phrases -> the body smpl-24 at 60 fps -> foot cleanup.
"""

import copy
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from ictus.audio import Audio
from ictus.beats.beats import Beats
from ictus.beats.corrections import BeatCorrections
from ictus.beats.sections import find_sections
from ictus.beats.tracker import BeatTracker
from ictus.dance.data.aist import GENRES
from ictus.dance.data.dataset import frames_of, motion_of
from ictus.dance.data.repertoire import read_repertoire
from ictus.dance.foot_cleanup import clean_feet
from ictus.dance.frames import RATE, padded, unpadded
from ictus.dance.joints import frames_in_one, motion_of_points, slower
from ictus.dance.models.dance_net import DanceNet
from ictus.dance.models.dance_revolution import DanceRevolution
from ictus.dance.models.fact import FACT, MOTION_WINDOW
from ictus.dance.models.melody import MelodyAutoencoder
from ictus.dance.models.motion_memory import MotionMemory
from ictus.dance.models.two_stream_motion_transformer import TwoStreamMotionTransformer
from ictus.dance.motion_matching import assemble, plan_phrases
from ictus.dance.moves import frames_of_moves
from ictus.dance.phrases import danceable_genres
from ictus.dance.quaternions import to_motion
from ictus.dance.standing import StandingGuard, StandingRange, kept_standing
from ictus.errors import AudioError, MotionError, UsageError
from ictus.features.melody16 import melody16, temporal_index
from ictus.features.rhythm35 import rhythm35
from ictus.motion import Motion
from ictus.nn.folding import fold
from ictus.nn.pretrained import Pretrained
from ictus.retargeting.pose_fitting import posed, posed_joints
from ictus.skeleton import get_skeleton
from ictus.types import Float32Array, Float64Array, IntArray, Progress

_log = logging.getLogger(__name__)

_SLOWEST = 20.0  # fps of a seed motion that still shows how a dancer moves
_NOISE = 0.02  # deviation of what is added to a resting pose, as in training: no two dances begin alike
_SHORTEST = 2.0  # seconds of music
_PERIOD = 0.5  # seconds from beat to beat where none are found
_FEWEST = 4  # beats that make a tempo
# Of 43 dances of Dance with Melody (42 minutes), posed as predicted points are: 0.44 to 0.97 m, up to 71 degrees, for
# the markers of the hips lean, and up to 0.17 m out of balance; see `StandingRange`.
_MELODY_STANDING = StandingRange(lowest=0.39, highest=1.02, tilt=76.0, balance=0.22)


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
        smpl-24 with rotations at 60 fps, as long as the music; its meta holds model, seed, genre and beats.

        Raises
        ------
        AudioError
            If the music is shorter than two seconds, or silent.
        UsageError
            If the network predicts fewer frames than the stride that was asked for.
        """


@runtime_checkable
class GenreDancer(Dancer, Protocol):
    """A dancer that knows several genres."""

    def in_genre(self, genre: str) -> Dancer:
        """Return the same dancer, who dances this genre whatever the seed is; UsageError if it knows no such genre."""


class _NetworkDancer:
    """What all dancers share: a name, a beat tracker, what is known of the beats, and how they are loaded."""

    network_class: ClassVar[type[Pretrained]]

    def __init__(
        self,
        name: str | os.PathLike[str],
        tracker: Callable[..., Beats] | None,
        corrections: BeatCorrections | None,
    ) -> None:
        self.name, self.tracker = os.fspath(name), tracker or BeatTracker()
        self.corrections = corrections or BeatCorrections()

    def beats_of(self, audio: Audio) -> Beats:
        """Return the beats of music; raises as `BeatCorrections`."""
        return self.corrections(self.tracker, audio)

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str], **options: Any) -> Any:
        """Load one by name or folder. Raises ModelError if it is missing or damaged."""
        return cls(cls.network_class.from_pretrained(name), name, **options)  # type: ignore[arg-type]

    def _standing(self, motion: Motion, allowed: StandingRange, seed: int, beats: Beats) -> Motion:
        """Keep a whole predicted dance on its feet, say where it was not, and finish it."""
        motion, fallen = kept_standing(motion, allowed)
        if fallen:
            _log.warning("%s: in %d of %d frames the body would not have stood", self.name, fallen, len(motion))
        return self._finished(motion, seed, beats)

    def _finished(self, motion: Motion, seed: int, beats: Beats, **facts: Any) -> Motion:
        """Clean the feet, and note in the motion's meta what it was made of."""
        return clean_feet(replace(motion, meta={"model": self.name, "seed": seed, **facts, "beats": beats.to_meta()}))


class FACTDancer(_NetworkDancer):
    """FACT as a dancer.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    seed_motion : how the dance begins: smpl-24 with rotations, two seconds or more; the music begins with it.
    stride : frames kept of each prediction; fewer are slower, and nearer to what is published.
    genre : of the dance, by its letters or its name in `ictus.dance.data.aist.GENRES`; None leaves it to the seed.
    corrections : what is known of the beats.

    Raises
    ------
    MotionError
        If the seed motion is of another body, has no rotations, or is too short or too slow.
    UsageError
        If the network was not trained on the genre.
    """

    network_class = FACT

    def __init__(
        self,
        network: FACT,
        name: str | os.PathLike[str],
        tracker: Callable[..., Beats] | None = None,
        *,
        seed_motion: Motion | None = None,
        stride: int | None = None,
        genre: str | None = None,
        corrections: BeatCorrections | None = None,
    ) -> None:
        super().__init__(name, tracker, corrections)
        self.network, self.stride = network.eval(), stride
        self.seed_frames = None if seed_motion is None else _seed_frames(seed_motion)
        self._starts = self._starts_of(genre)

    def _starts_of(self, genre: str | None) -> list[int]:
        """Return the numbers of the poses that a dance may begin from."""
        starts = self.network.config.starts
        code = None if genre is None else _genre_code(self.name, genre, self.genres)
        return [number for number, start in enumerate(starts or ("",)) if code in (None, start)]

    def in_genre(self, genre: str) -> Self:
        """Return the same dancer in one genre; see `GenreDancer`."""
        other = copy.copy(self)
        other._starts = self._starts_of(genre)
        return other

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
        start, first, config = int(rng.choice(self._starts)), self.seed_frames, self.network.config
        beats = self.beats_of(audio)
        features = torch.from_numpy(rhythm35(audio, beats=beats.times))[None]  # (1, T, 35)
        rest = None
        if first is None:
            resting = padded(self.network.start[start], config.pose).repeat(1, MOTION_WINDOW, 1)
            noise = rng.normal(0, _NOISE, resting.shape).astype(np.float32)
            rest = resting + torch.from_numpy(noise)
        poses = self.network.start[self._starts] if first is None else first[0]
        guard = StandingGuard(config.standing, padded(poses, config.pose))
        predicted = self.network.generate(
            None if first is None else padded(first, config.pose),
            features,
            stride=self.stride or max(1, config.future // 2),
            orthonormalise=True,
            to_end=True,
            rest_motion=rest,
            blend=True,
            guard=guard,
            progress=progress,
        )
        begun = MOTION_WINDOW if first is not None else 0
        frames = unpadded(predicted)[0] if first is None else torch.cat((first[0], unpadded(predicted)[0]))
        genre = config.starts[start] if first is None and config.starts else None
        if guard.joins:
            _log.warning(
                "%s: the body would no longer have stood, %d times, first at %.1f s; from there it began anew",
                *(self.name, len(guard.joins), (begun + guard.joins[0]) / RATE),
            )
        motion = guard.joined(motion_of(frames.numpy()), begun)
        return self._finished(motion, seed, beats, genre=genre)


class MelodyDancer(_NetworkDancer):
    """Dance with Melody's network as a dancer: it has no noise and no beginning; a seed is a place in its song.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    corrections : what is known of the beats.
    """

    network_class = MelodyAutoencoder

    def __init__(
        self,
        network: MelodyAutoencoder,
        name: str | os.PathLike[str],
        tracker: Callable[..., Beats] | None = None,
        *,
        corrections: BeatCorrections | None = None,
    ) -> None:
        super().__init__(name, tracker, corrections)
        self.network = fold(network).eval()

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        beats = self.beats_of(audio)
        features = melody16(audio)
        index = temporal_index(beats.times, len(features))
        longest = self.network.longest
        index[:, 0] = (index[:, 0] + np.random.default_rng(seed).uniform(0, longest)) % longest
        with torch.inference_mode():
            points = self.network(torch.from_numpy(features)[None], torch.from_numpy(index)[None])[0]
        if progress is not None:
            progress(1.0)
        predicted = Motion(points.numpy().reshape(len(points), -1, 3), melody16.frame_rate, get_skeleton("melody-21"))
        return self._standing(posed(predicted.resample(RATE)), _MELODY_STANDING, seed, beats)


class _SelfStartingNetwork(Protocol):
    """A network that dances from nothing; its config has `rate` and `standing`."""

    config: Any

    def eval(self) -> Self: ...

    def generate(
        self, audio: Tensor, generator: torch.Generator | None = None, progress: Progress | None = None
    ) -> Tensor:
        """(B, T, 35) rhythm35 at the network's rate -> (B, T, D), at that rate."""
        ...


class _SelfStartingDancer(_NetworkDancer):
    """What dancers share that begin by themselves, to rhythm35, at a frame rate of their own.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    corrections : what is known of them.
    """

    def __init__(
        self,
        network: _SelfStartingNetwork,
        name: str | os.PathLike[str],
        tracker: Callable[..., Beats] | None = None,
        corrections: BeatCorrections | None = None,
    ) -> None:
        super().__init__(name, tracker, corrections)
        self.network = network.eval()

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        beats, config = self.beats_of(audio), self.network.config
        features = slower(rhythm35(audio, beats=beats.times), frames_in_one(config.rate))
        generator = torch.Generator().manual_seed(seed)
        predicted = self.network.generate(torch.from_numpy(features)[None], generator, progress)[0]
        return self._standing(self._posed(predicted.numpy(), config.rate), config.standing, seed, beats)

    def _posed(self, predicted: Float32Array, rate: int) -> Motion:
        """(T, D) -> smpl-24 with rotations at 60 fps."""
        raise NotImplementedError


class _JointDancer(_SelfStartingDancer):
    """One whose network predicts places of joints; see `ictus.dance.joints`."""

    def _posed(self, predicted: Float32Array, rate: int) -> Motion:
        return posed_joints(motion_of_points(predicted, rate).resample(RATE))


class DanceRevolutionDancer(_JointDancer):
    """DanceRevolution as a dancer; see `ictus.dance.models.dance_revolution`. A seed is what its LSTM begins with."""

    network_class = DanceRevolution


class TwoStreamMotionTransformerDancer(_JointDancer):
    """The two-stream motion transformer as a dancer; see its module. A seed draws where the joints go."""

    network_class = TwoStreamMotionTransformer


class DanceNetDancer(_SelfStartingDancer):
    """DanceNet as a dancer; see its module. A seed draws the moves."""

    network_class = DanceNet

    def _posed(self, predicted: Float32Array, rate: int) -> Motion:
        return replace(motion_of(frames_of_moves(predicted)), fps=rate).resample(RATE)


class Choreographer(_NetworkDancer):
    """MotionMemory as a dancer: phrases of the clips that it holds, placed on the bars of the music.

    Parameters
    ----------
    tracker : predicts the beats of music; without it, `BeatTracker`.
    genre : of the dance, by its letters or its name in `ictus.dance.data.aist.GENRES`; None leaves it to the seed.
    repertoire : a folder of dances, or one file, that is danced instead of the network's own; see
        `ictus.dance.data.repertoire`. Without a genre, all of them together.
    corrections : what is known of the beats.

    Raises
    ------
    UsageError
        If it holds no phrases of the genre, or the repertoire no dance that can be used.
    """

    network_class = MotionMemory

    def __init__(
        self,
        network: MotionMemory,
        name: str | os.PathLike[str],
        tracker: Callable[..., Beats] | None = None,
        *,
        genre: str | None = None,
        repertoire: str | os.PathLike[str] | None = None,
        corrections: BeatCorrections | None = None,
    ) -> None:
        super().__init__(name, tracker, corrections)
        self.clips = network.eval().clips() if repertoire is None else read_repertoire(Path(repertoire)).clips
        self._mixed = repertoire is not None and genre is None
        self.genre = None if genre is None else _genre_code(self.name, genre, self.genres)

    def in_genre(self, genre: str) -> Self:
        """Return the same dancer in one genre; see `GenreDancer`."""
        other = copy.copy(self)
        other.genre, other._mixed = _genre_code(self.name, genre, self.genres), False
        return other

    @property
    def genres(self) -> list[str]:
        """Genres that can be asked for, as in `ictus.dance.data.aist.GENRES`: those with phrases for any metre."""
        return danceable_genres(self.clips)

    def __call__(
        self,
        audio: Audio,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Motion:
        """Dance; see `Dancer`."""
        if audio.duration < _SHORTEST:
            raise AudioError(f"the sound lasts {audio.duration:.2f} s; to dance to it, it must last {_SHORTEST:g}")
        rng = np.random.default_rng(seed)
        genre = None if self._mixed else self.genre or str(rng.choice(self.genres))
        beats = self.beats_of(audio)
        times, bar_positions, loudness = _beats_or_steady(beats, audio.duration)
        clips = [clip for clip in self.clips if genre in (None, clip.genre)]
        sections = find_sections(audio, times, bar_positions)
        plan = plan_phrases(clips, times, bar_positions, loudness, rng, sections)
        motion = to_motion(*assemble(plan, times, 1 + round(audio.duration * RATE)))
        if progress is not None:
            progress(1.0)
        return self._finished(motion, seed, beats, genre=genre)


def _beats_or_steady(beats: Beats, duration: float) -> tuple[Float64Array, IntArray, Float64Array]:
    """Return times, bar positions and loudness of the beats, or of steady ones where hardly any were found."""
    if len(beats) >= _FEWEST:
        return beats.times, beats.in_one_meter().positions, beats.loudness
    times = np.arange(0.0, max(duration, _FEWEST * _PERIOD), _PERIOD)
    return times, np.arange(len(times), dtype=np.int64) % 4 + 1, np.full(len(times), 0.5)


def _genre_code(model: str, asked: str, available: list[str]) -> str:
    """Return the letters of a genre, by its letters or its name; UsageError if the model has no such genre."""
    for code in available:
        if asked.lower() in (code.lower(), GENRES.get(code, "").lower()):
            return code
    names = ", ".join(f"{code} ({GENRES[code]})" if code in GENRES else code for code in available) or "none"
    raise UsageError(f"{model} knows no genre {asked!r}; it knows {names}")


def _seed_frames(motion: Motion) -> Tensor:
    """Return the first two seconds of a motion, (1, 120, 219)."""
    if motion.skeleton.name != "smpl-24" or motion.rotations is None or motion.root is None:
        raise MotionError(f"the seed motion is {motion.skeleton.name}; give smpl-24 with rotations, such as AIST++'s")
    if motion.fps < _SLOWEST:
        raise MotionError(f"the seed motion has {motion.fps:g} frames a second; give {_SLOWEST:g} or more")
    resampled = motion.resample(RATE)
    if len(resampled) < MOTION_WINDOW:
        raise MotionError(f"the seed motion lasts {motion.duration:.2f} s; give two seconds or more")
    return torch.from_numpy(frames_of(resampled)[None, :MOTION_WINDOW])
