"""Soloists with all, some or none of the conditions they were trained on: what each condition is worth."""

from collections.abc import Mapping

import torch

from ictus.sound.controls import choose_other
from ictus.sound.data.samples import MelPredictor, PerformanceSample, PerformanceSamples, window_seed
from ictus.sound.pipeline import SAMPLING, Soloist
from ictus.sound.sampling import Sampling
from ictus.types import Float32Array

COMPLETE, ANOTHER, INSTRUMENT, NOTHING = "", "given another", "given the instrument", "given nothing"


class AblatedSoloist:
    """A soloist that can be given conditions other than those of the performance.

    Parameters
    ----------
    sampling : how codes are drawn; as `ictus sound` does if not given.
    """

    def __init__(self, soloist: Soloist, sampling: Sampling | None = None) -> None:
        self.soloist, self.sampling = soloist, sampling or SAMPLING
        self.kinds = tuple(name for name in soloist.conditions if name != "instrument")

    def ablations(self) -> tuple[str, ...]:
        """Return what it can be given instead of its own performance."""
        known = self.soloist.conditions
        possible = {
            ANOTHER: bool(self.kinds),
            INSTRUMENT: "instrument" in known and bool(self.kinds),
            NOTHING: bool(known),
        }
        return tuple(name for name, can in possible.items() if can)

    def plays(self, samples: PerformanceSamples, given: str = COMPLETE) -> MelPredictor:
        """Return how it plays a sample from the features of it; or of another performance with the same instrument, or
        from the instrument alone, or from nothing.
        """

        def play(sample: PerformanceSample, seed: int) -> Float32Array:
            source = samples[choose_other(samples, sample, seed, same_instrument=True)] if given == ANOTHER else sample
            return self.soloist.predict_mel(
                *(self._conditions(sample, source, given), len(sample.mel)),
                rates={kind: rate for kind, rate in sample.rates.items() if kind != "keypoints"},
                seed=window_seed(seed, sample.name),  # another draw for every window
                sampling=self.sampling,
            )

        return play

    def _conditions(
        self, sample: PerformanceSample, source: PerformanceSample, given: str
    ) -> dict[str, torch.Tensor | None]:
        """Return what `SoloistTransformer.condition` takes."""
        features: dict[str, torch.Tensor | None] = dict.fromkeys((*self.kinds, "instrument"))
        if given not in (INSTRUMENT, NOTHING):
            for kind in self.kinds:
                frames = torch.from_numpy(source.features[kind])[None]
                features[kind] = self.soloist.keypoint_features(frames) if kind == "keypoints" else frames
        if given != NOTHING:
            features["instrument"] = torch.tensor([sample.instrument])
        return features


def kinds_of(soloists: Mapping[str, AblatedSoloist]) -> tuple[str, ...]:
    """Return the features that a corpus must hold for all of them."""
    return tuple(dict.fromkeys(kind for soloist in soloists.values() for kind in soloist.kinds))
