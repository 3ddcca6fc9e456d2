"""The soloist with all that it needs: keypoints of a player in, sound out.

Keypoints -> without gaps, at 25 a second -> features -> codes, one after the other -> mel80 -> sound.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ictus.audio import Audio
from ictus.errors import ModelError, UsageError
from ictus.nn.folder import CONFIG, locate
from ictus.sound import INSTRUMENTS, KEYPOINT_RATE, MEL_RATE, RATE
from ictus.sound.data.dataset import UNKNOWN
from ictus.sound.data.frame_features import FrameFeatures
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.codebook import FACTOR, SpectrogramCodebook
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import SoloistTransformer, raw_keypoint_features
from ictus.sound.models.vocoder_loading import Vocoder, load_vocoder
from ictus.sound.pose_normalization import PoseTrack, fill_gaps, resample_track
from ictus.sound.sampling import Sampling, generate_codes
from ictus.types import Float32Array, Float64Array, Progress

ConditionFeatures = Mapping[str, Tensor | None]  # as `SoloistTransformer.condition` takes it

SAMPLING = Sampling(temperature=0.7, top_p=0.9, guidance=3.5)  # chosen on performances that were trained on
_FADE = 0.03  # seconds in which the sound goes, and comes again, where the player is not seen
_PEAK = 0.98
_VOCODER_SHARE = 0.15  # share of the progress that is left for the vocoder


@dataclass(frozen=True)
class SoloistResult:
    """The sound of a soloist, and how it came about.

    Attributes
    ----------
    audio : mono, 22,050 Hz, as long as the performance.
    mel : (T, 80) mel80 in [0, 1], as decoded from the codes; 86.13 frames a second.
    instrument : the one that the soloist was given; None if it is not known.
    probabilities : by instrument, its probability by the movement; empty if there is no encoder.
    filled, guessed : shares of all points that were filled in, and of those whose gaps were long.
    silent : (N, 2) seconds, begin and end: where neither hand was seen, there is silence.
    """

    audio: Audio
    mel: Float32Array
    instrument: str | None
    probabilities: Mapping[str, float]
    filled: float
    guessed: float
    silent: Float64Array


class Soloist:
    """A network that predicts codes, with all that makes sound of them.

    Parameters
    ----------
    encoder : of keypoints: recognises the instrument, and unless the network takes raw movement, computes its features.
    vocoder : makes sound of the mel; Griffin-Lim if not given.
    """

    def __init__(
        self,
        network: SoloistTransformer,
        codebook: SpectrogramCodebook,
        encoder: KeypointEncoder | None = None,
        vocoder: Vocoder | None = None,
        name: str | os.PathLike[str] = "soloist",
    ) -> None:
        self.network, self.codebook, self.name = network.eval(), codebook.eval(), os.fspath(name)
        self.encoder = None if encoder is None else encoder.eval()
        self.vocode = griffin_lim if vocoder is None else vocoder.eval().folded().vocode
        self.conditions = network.config.conditions
        self._raw = network.metadata.get("movement") == "raw"
        if "keypoints" in self.conditions and not self._raw and encoder is None:
            raise ModelError(f"{self.name}: needs features of keypoints, but has no encoder/ that computes them")

    @classmethod
    def from_folder(cls, name: str | os.PathLike[str]) -> "Soloist":
        """Load one, by name or folder, as training leaves it: with codebook/, and encoder/ and vocoder/ if there are.

        Raises
        ------
        ModelError
            If one of them is missing or damaged.
        """
        folder = locate(name)
        encoder, vocoder = folder / "encoder", folder / "vocoder"
        return cls(
            SoloistTransformer.from_pretrained(folder),
            SpectrogramCodebook.from_pretrained(folder / "codebook"),
            KeypointEncoder.from_pretrained(encoder) if (encoder / CONFIG).exists() else None,
            load_vocoder(vocoder) if (vocoder / CONFIG).exists() else None,
            name,
        )

    def __call__(
        self,
        track: PoseTrack,
        *,
        pictures: Mapping[str, FrameFeatures] | None = None,
        instrument: str | None = None,
        seed: int = 0,
        sampling: Sampling = SAMPLING,
        progress: Progress | None = None,
    ) -> SoloistResult:
        """Play a performance of any length.

        Parameters
        ----------
        track : the player, at any frame rate, with gaps.
        pictures : features of the film's pictures, by their names in `pictures`, of soloists that need them.
        instrument : one of `ictus.sound.INSTRUMENTS`; None: the most probable by the movement.
        seed : another one plays otherwise.
        sampling : how codes are drawn.
        progress : called with the fraction done.

        Raises
        ------
        MotionError
            If no point of the player is ever seen.
        UsageError
            If there is no such instrument, or the soloist needs pictures that are not given, or other ones.
        """
        if instrument is not None and instrument not in INSTRUMENTS:
            raise UsageError(f"{instrument!r} is no instrument that is known; there are {', '.join(INSTRUMENTS)}")
        seen = self._seen(pictures or {})
        whole = fill_gaps(track)
        points = torch.from_numpy(resample_track(whole.track).points)[None]  # (1, T, 47, 3)
        probabilities = self.recognise(points)
        known = instrument or max(probabilities, key=probabilities.__getitem__, default=None)
        number = UNKNOWN if known is None else INSTRUMENTS.index(known)
        features = {"keypoints": self.keypoint_features(points), "instrument": torch.tensor([number])}
        features |= {name: torch.from_numpy(one.values)[None] for name, one in seen.items()}
        rates = {name: one.rate for name, one in seen.items()}
        samples = max(1, round(track.duration * RATE))
        frames = max(1, round(track.duration * MEL_RATE))
        decoding = None if progress is None else lambda done: progress((1 - _VOCODER_SHARE) * done)
        mel = self.predict_mel(features, frames, rates=rates, seed=seed, sampling=sampling, progress=decoding)
        sound = self.vocode(mel).samples[0]
        sound = np.pad(sound, (0, max(0, samples - len(sound))))[:samples] * _silence_gain(whole.silent, samples)
        sound *= min(1.0, _PEAK / max(float(np.abs(sound).max()), 1e-9))
        if progress is not None:
            progress(1.0)
        audio = Audio(sound.astype(np.float32), RATE)
        return SoloistResult(audio, mel, known, probabilities, whole.filled, whole.guessed, whole.silent)

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the features of pictures that it needs: "rgb", "flow"."""
        return tuple(name for name in ("rgb", "flow") if name in self.conditions)

    def _seen(self, given: Mapping[str, FrameFeatures]) -> dict[str, FrameFeatures]:
        if lacking := [name for name in self.pictures if name not in given]:
            raise UsageError(f"{self.name} needs {' and '.join(lacking)} of the film, and cannot play from keypoints")
        numbers = given["flow"].values.shape[1] if "flow" in self.pictures else self.network.config.flow
        if numbers != self.network.config.flow:
            raise UsageError(
                f"{self.name} has learnt from flow of {self.network.config.flow} numbers a row, which is another than "
                f"that of {numbers} which is computed here; prepare its clips anew with flow, and train it with them"
            )
        return {name: given[name] for name in self.pictures}

    @property
    def rates(self) -> dict[str, float]:
        """Rows of `keypoint_features` a second, by condition."""
        return {"keypoints": float(KEYPOINT_RATE) if self._raw or self.encoder is None else self.encoder.frame_rate}

    @torch.inference_mode()
    def keypoint_features(self, points: Tensor) -> Tensor | None:
        """(B, T, 47, 3) without gaps, at 25 a second -> (B, n, numbers), the features that the network takes."""
        if "keypoints" not in self.conditions:
            return None
        if self._raw or self.encoder is None:
            return raw_keypoint_features(points)
        features: Tensor = self.encoder(points)
        return features

    @torch.inference_mode()
    def recognise(self, points: Tensor) -> dict[str, float]:
        """(1, T, 47, 3) without gaps, at 25 a second -> the probability of each instrument, over all windows."""
        if self.encoder is None or self.encoder.config.classes != len(INSTRUMENTS):
            return {}
        probabilities = self.encoder.classify(points)[0].log_softmax(-1).mean(0).softmax(-1)  # (instruments,)
        return dict(zip(INSTRUMENTS, probabilities.tolist(), strict=True))

    def predict_mel(
        self,
        features: ConditionFeatures,
        frames: int,
        *,
        rates: Mapping[str, float] | None = None,
        seed: int = 0,
        sampling: Sampling | None = None,
        progress: Progress | None = None,
    ) -> Float32Array:
        """Predict the mel of features of one performance: (frames, 80) in [0, 1]; see `ictus.sound.sampling`."""
        columns = -(-frames // FACTOR)
        known: dict[str, Tensor | None] = {name: features[name] for name in self.conditions}
        codes = generate_codes(
            self.network, known, {**self.rates, **(rates or {})}, columns,
            sampling=sampling, seed=seed, batch=1, progress=progress,
        )  # fmt: skip
        level = (self.codebook.decode(codes)[0].T.cpu().numpy() + 1) / 2
        return np.ascontiguousarray(np.clip(level, 0, 1)[:frames], np.float32)


def _silence_gain(silent: Float64Array, samples: int) -> Float32Array:
    """Return (samples,): 0 within the stretches, 1 outside, with short ramps inside them."""
    time = np.arange(samples) / RATE
    gain = np.ones(samples, np.float32)
    for begin, end in silent:
        first, last = np.searchsorted(time, (begin, end))
        inside = time[first:last]
        edge = np.minimum(inside - begin if begin > 0 else _FADE, end - inside if last < samples else _FADE)
        gain[first:last] = np.clip(1 - edge / _FADE, 0, 1)
    return gain
