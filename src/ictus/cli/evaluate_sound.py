"""`ictus evaluate sound`: soloists by folder, what each is told, and their table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ictus.cli.console import complain, progress_bar
from ictus.errors import UsageError

if TYPE_CHECKING:
    import torch

    from ictus.comparison import Row
    from ictus.sound.codebook import SpectrogramCodebook
    from ictus.sound.controls import Voice
    from ictus.sound.samples import Mel, Play, Sample, Samples
    from ictus.sound.sampling import Sampling

ITS_OWN, ANOTHER, INSTRUMENT, NOTHING = "", "told of another", "told the instrument", "told nothing"


class Soloist:
    """A soloist by folder, with its codebook and the encoder of keypoints, as training leaves them.

    Parameters
    ----------
    folder : of a `SoloistTransformer`, with codebook/ and, if it is told features of keypoints, encoder/ in it.
    sampling : how codes are drawn; as `ictus.sound.sampling` has it if not given.

    Raises
    ------
    ModelError
        If one of them is missing or damaged.
    """

    def __init__(self, folder: str, sampling: "Sampling | None" = None) -> None:
        from ictus.nn.folder import locate
        from ictus.sound.codebook import SpectrogramCodebook
        from ictus.sound.keypoints import KeypointEncoder
        from ictus.sound.soloist import SoloistTransformer

        source = locate(folder)
        self.network: SoloistTransformer = SoloistTransformer.from_pretrained(source)
        self.codebook: SpectrogramCodebook = SpectrogramCodebook.from_pretrained(source / "codebook")
        self.encoder: KeypointEncoder | None = None
        self.kinds = tuple(name for name in self.network.config.conditions if name != "instrument")
        if "keypoints" in self.kinds and self.network.metadata.get("movement") != "raw":
            self.encoder = KeypointEncoder.from_pretrained(source / "encoder")
        self.sampling = sampling

    def ways(self) -> tuple[str, ...]:
        """Return what it can be told, beside its own performance, to see what it makes of that."""
        known = self.network.config.conditions
        return tuple(
            way
            for way, possible in (
                (ANOTHER, bool(self.kinds)),
                (INSTRUMENT, "instrument" in known and bool(self.kinds)),
                (NOTHING, bool(known)),
            )
            if possible
        )

    def plays(self, samples: "Samples", told: str = ITS_OWN) -> "Play":
        """Return how it plays a sample when it is told of it; or of another performance with the same instrument, or
        only the instrument, or nothing.
        """
        from ictus.sound.codebook import FACTOR
        from ictus.sound.controls import as_level, chosen
        from ictus.sound.sampling import generate

        def play(sample: "Sample", seed: int) -> "Mel":
            seen = sample
            if told == ANOTHER:
                seen = samples[chosen(samples, sample, seed, alike=True)]
            features, rates = self._features(sample, seen, told)
            frames = len(sample.mel)
            codes = generate(
                *(self.network, features, rates, -(-frames // FACTOR)),
                sampling=self.sampling,
                seed=seed * 1_000_003 + sample.number,  # not the same chances for every window
                batch=1,
            )
            return as_level(self.codebook.decode(codes)[0].cpu().numpy())[:frames]

        return play

    def _features(
        self, sample: "Sample", seen: "Sample", told: str
    ) -> "tuple[dict[str, torch.Tensor], dict[str, float]]":
        """Return what `SoloistTransformer.condition` takes."""
        import torch

        from ictus.sound.dataset import UNKNOWN
        from ictus.sound.soloist import raw_rows

        rates = dict(sample.rates)
        features: dict[str, torch.Tensor] = {}
        for kind in self.kinds:
            if told in (INSTRUMENT, NOTHING):  # the mean of what it was trained on, as `without` says
                features[kind] = self.network.shift[self.network.parts[kind]][None, None]
                continue
            rows = torch.from_numpy(seen.features[kind])[None]
            if kind == "keypoints":
                with torch.inference_mode():
                    rows = raw_rows(rows) if self.encoder is None else self.encoder(rows)
            features[kind] = rows
        if self.encoder is not None:
            rates["keypoints"] = self.encoder.frame_rate
        features["instrument"] = torch.tensor([UNKNOWN if told == NOTHING else sample.instrument])
        return features, rates


def kinds_of(soloists: "Mapping[str, Soloist]") -> tuple[str, ...]:
    """Return what a corpus must hold for all of them."""
    return tuple(dict.fromkeys(kind for soloist in soloists.values() for kind in soloist.kinds))


def voice(name: str) -> "Voice":
    """Return what makes sound of mels: "griffin-lim", or the vocoder in a folder."""
    from ictus.sound.griffin_lim import griffin_lim

    if name == "griffin-lim":
        return griffin_lim
    from ictus.sound.vocoder import MelGAN

    return MelGAN.from_pretrained(name).vocode


def compare(
    soloists: "Mapping[str, Soloist]",
    samples: "Samples",
    data: Path,
    split: str,
    *,
    judge: str | None = None,
    reference: Sequence[str] = (),
    vocoder: str | None = None,
    told: bool = True,
    seed: int = 0,
) -> tuple[list["Row"], str, Mapping[str, str]]:
    """Return the table: its rows, its title, and what the figures mean; complain of folders that were left out.

    Parameters
    ----------
    judge : name or folder of a `Judge`; without one, its figures are left out.
    reference : splits whose true sounds FID and KID are measured from; without them, the samples themselves.
    vocoder : "griffin-lim" or a folder: what is left of the truth, and of the truth's codes, when they are heard.
    told : whether each soloist also plays when it is told of another performance, only the instrument, or nothing.
    """
    import numpy as np

    from ictus.sound.controls import through_codebook, through_sound
    from ictus.sound.evaluation import MEANING, Ear, caveats, evaluate
    from ictus.sound.judge import Judge
    from ictus.sound.samples import Samples

    ear = Ear.of(Judge.from_pretrained(judge)) if judge else None
    if reference and ear is None:
        raise UsageError("--reference is for the figures of a judge; give one with --judge")
    real, broken = None, list(samples.broken)
    if ear is not None:
        others = [Samples(data, other, frames=samples.frames) for other in reference]
        broken += [line for other in others for line in other.broken]
        real = np.concatenate([ear.of_samples(one) for one in others or [samples]])
    for line in (*(f"{line}; left out" for line in dict.fromkeys(broken)), *caveats(len(samples), real)):
        complain(line)
    players: dict[str, Play] = {}
    for name, soloist in soloists.items():
        players[name] = soloist.plays(samples)
        ways = soloist.ways() if told else ()
        players.update({f"{name}, {way}": soloist.plays(samples, way) for way in ways})
    ceilings: dict[str, Play] = {}
    for name, codebook in _codebooks(soloists).items():
        ceilings[name] = through_codebook(codebook)
    if vocoder:
        spoken, short = voice(vocoder), Path(vocoder).name
        heard = {f"{name}, by {short}": through_sound(spoken, play) for name, play in ceilings.items()}
        ceilings = {f"truth, by {short}": through_sound(spoken), **ceilings, **heard}
    with progress_bar("evaluate") as progress:
        rows = evaluate(players, samples, ear=ear, reference=real, ceilings=ceilings, seed=seed, progress=progress)
    measured = (
        f"; FID and KID from {len(real)} windows of {' and '.join(reference or [split])}" if real is not None else ""
    )
    title = f"{len(samples)} windows of {samples.seconds:.1f} s of {data / split}{measured}"
    return rows, title, MEANING


def _codebooks(soloists: "Mapping[str, Soloist]") -> "dict[str, SpectrogramCodebook]":
    """Return the codebooks of the soloists, each once, by the name of their rows."""
    import torch

    found: list[tuple[str, SpectrogramCodebook]] = []
    for name, soloist in soloists.items():
        weights = soloist.codebook.state_dict()
        same = (
            one.config == soloist.codebook.config
            and all(torch.equal(value, weights[key]) for key, value in one.state_dict().items())
            for _, one in found
        )
        if not any(same):
            found.append((name, soloist.codebook))
    if len(found) == 1:
        return {"truth, as codes": found[0][1]}
    return {f"truth, as codes of {name}": codebook for name, codebook in found}
