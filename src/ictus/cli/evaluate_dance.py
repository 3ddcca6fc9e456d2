"""`ictus evaluate dance`: the dancers by name or folder, their table, and their curves."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ictus.cli.console import complain, progress_bar
from ictus.errors import UsageError
from ictus.files import writing

if TYPE_CHECKING:
    from ictus.dance.data.samples import DanceTo, Frames, Sample, Samples
    from ictus.dance.models.fact import FACT
    from ictus.dance.pipeline import Dancer
    from ictus.metrics.tables import Row


def compare(
    models: "Mapping[str, DanceTo]", samples: "Samples", data: Path, splits: tuple[str, ...], protocol: str, seed: int
) -> tuple[list["Row"], str, Mapping[str, str]]:
    """Return the table: its rows, its title, and what the figures mean; complain of folders that were left out."""
    from ictus.dance.evaluation import MEANING, Reference, caveats, evaluate

    reference = Reference.of(data, splits)
    broken = dict.fromkeys((*samples.broken, *reference.broken))
    for line in (*(f"{line}; left out" for line in broken), *caveats(len(samples), reference)):
        complain(line)
    with progress_bar("evaluate") as progress:
        rows = evaluate(models, samples, reference, protocol=protocol, seed=seed, progress=progress)
    title = f"{len(samples)} dances of up to {samples.seconds} s; FID from {len(reference)} whole ones of "
    return rows, title + " and ".join(str(data / split) for split in splits), MEANING


def dance_to(name: str, unseeded: bool = False) -> "DanceTo":
    """Return how a model dances to a sample, by name or folder.

    A FACT gets the first two seconds of the true dance, and goes on from there to the end of the music that the corpus
    holds, with as many frames of each prediction as it was taught, each brought back to rotations. All others, and FACT
    too if it shall dance `unseeded`, hear music.flac, and dance from its beginning, as `ictus dance` lets them.
    """
    from ictus import registry
    from ictus.dance.pipeline import FACTDancer

    dancer = registry.dancer(name)
    if isinstance(dancer, FACTDancer) and not unseeded:
        return _going_on(dancer.network)
    return _listening(name, dancer)


def _going_on(network: "FACT") -> "DanceTo":
    import torch

    from ictus.dance.data.samples import joints
    from ictus.dance.frames import padded, unpadded
    from ictus.dance.models.fact import MOTION_WINDOW

    def dance(sample: "Sample", seed: int) -> "Frames":
        motion, audio = (torch.from_numpy(rows)[None] for rows in (sample.motion, sample.audio))
        begun = padded(motion[:, :MOTION_WINDOW], network.config.pose)
        made = network.generate(begun, audio, stride=network.config.future, orthonormalise=True, to_end=True)
        return joints(unpadded(torch.cat((begun, made), 1))[0].numpy())

    return dance


def _listening(name: str, dancer: "Dancer") -> "DanceTo":
    """Return how a dancer who hears sound dances to music.flac."""
    from ictus.audio import Audio
    from ictus.dance.data.samples import RATE
    from ictus.skeleton import get_skeleton

    def dance(sample: "Sample", seed: int) -> "Frames":
        file = sample.folder / "music.flac"
        if not file.exists():
            raise UsageError(f"{file}: missing, and {name} hears sound; prepare the corpus with its music")
        audio = Audio.load(file)
        audio = Audio(audio.samples[:, : round(sample.seconds * audio.rate)], audio.rate)
        motion = dancer(audio, seed=zlib.crc32(f"{seed} {sample.name}".encode()))  # another dance to each piece
        if motion.skeleton != get_skeleton("smpl-24"):
            raise UsageError(f"{name} moves {motion.skeleton.name}; dances are compared as smpl-24")
        return motion.resample(RATE).positions

    return dance


def show(
    models: "Mapping[str, DanceTo]", samples: "Samples", protocol: str, numbers: Iterable[int], seed: int, folder: Path
) -> None:
    """Plot how fast the true dancer and all others move in some dances, and which beats they mark."""
    from ictus.dance.data.samples import RATE
    from ictus.dance.evaluation import PROTOCOLS, PUBLISHED
    from ictus.dance.metrics import motion_beats
    from ictus.motion import Motion
    from ictus.render.dance_plots import speed_and_beats
    from ictus.skeleton import get_skeleton

    marked_by = PUBLISHED[PROTOCOLS[protocol][0]].beats
    for number in numbers:
        sample = samples[number]
        places = {"real": sample.positions, **{name: dance(sample, seed) for name, dance in models.items()}}
        dances = {name: Motion(made, RATE, get_skeleton("smpl-24")) for name, made in places.items()}
        marks = {name: motion_beats(dance, marked_by) for name, dance in dances.items()}
        with writing(folder / f"{sample.name.replace('/', '-')}.png") as path:
            speed_and_beats(dances, marks, sample.beats).savefig(path, format="png", dpi=100)
