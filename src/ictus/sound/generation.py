"""Generate the sound of a whole split into files: by one process or by many, and the files are the same.

    <out>/generated.json                   the model and its settings: the folder takes nothing else
    <out>/<split>/<name>@<frame>/mel.npy   (T, 80) float16, mel80
                                /sound.flac  22,050 Hz, mono; where a vocoder was given
                                /about.json  {"instrument": "cello", "inputs": a digest of what the soloist was given}

This is a corpus in its turn, as `ictus.sound.data.dataset` reads them. A window's folder is there whole or not at all,
and what is there is not played again, unless its features have changed. Every window is played by itself, with a seed
of its name: neither the order nor the process matters. All is computed in one thread,
because the last bits of a sum depend on how many share it; it is processes that use the other cores.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ictus import corpora
from ictus.arrays import load
from ictus.audio import Audio
from ictus.corpora import CorpusWriteError, check_signature, remove_unfinished
from ictus.documents import read_json
from ictus.errors import IctusError, UsageError
from ictus.nn.folder import locate
from ictus.processes import run_in_processes
from ictus.sound import INSTRUMENTS
from ictus.sound.ablations import AblatedSoloist
from ictus.sound.controls import MelToAudio
from ictus.sound.data.dataset import UNKNOWN
from ictus.sound.data.samples import MelPredictor, PerformanceSample, PerformanceSamples
from ictus.sound.models.vocoder_loading import GRIFFIN_LIM, vocode_function
from ictus.sound.pipeline import Soloist
from ictus.sound.sampling import Sampling
from ictus.types import Float32Array, Progress

SETTINGS = "generated.json"
_PARTS = 8  # of a share for each worker, so that none has long to wait for others


@dataclass(frozen=True)
class Generated:
    """What came of it: how many windows were played, how many were there, and a line for each that cannot be played."""

    played: int
    there: int
    failed: tuple[str, ...]


def generate_corpus(
    play: MelPredictor,
    samples: PerformanceSamples,
    out: Path,
    *,
    settings: Mapping[str, Any],
    seed: int = 0,
    kinds: Collection[str] = (),
    vocode: MelToAudio | None = None,
    rank: int = 0,
    world: int = 1,
    progress: Progress | None = None,
) -> Generated:
    """Play the windows that do not lie in a folder yet. The parts of several processes need not know of each other.

    Parameters
    ----------
    play : must give the same for a window of the same name, features and instrument; see `window_seed`.
    settings : how this soloist differs from others, as JSON: its weights and sampling.
    seed : given to `play`.
    kinds : features that the soloist takes; where they have changed, a window is played again.
    vocode : makes the sound; without it, only mels are kept.
    rank, world : this is process `rank` of `world`, and plays each `world`-th window.
    progress : called with the fraction done.

    Raises
    ------
    UsageError
        If the folder holds what was played with other settings, or there is no such process.
    IctusError
        If the folder cannot be written.
    """
    if not 0 <= rank < world:
        raise UsageError(f"process {rank} of {world}; they are numbered from 0 to {world - 1}")
    played_so = {**settings, "seed": seed, "frames": samples.frames, "sound": vocode is not None}
    if differs := check_signature(out / SETTINGS, played_so):
        key, (known, asked) = next(iter(differs.items()))
        has, wants = json.dumps(known), json.dumps(asked)
        raise UsageError(f"{out}: was played with {key} {has}, not {wants}; choose another folder")
    mine = range(rank, len(samples), world)
    played = there = 0
    failed: list[str] = []
    with _one_thread():
        for done, number in enumerate(mine, 1):
            try:
                sample = samples[number]
                inputs = _digest(sample, kinds)
                if _is_whole(out / sample.name, inputs, sample.mel.shape, sound=vocode is not None):
                    there += 1
                else:
                    _save(out / sample.name, sample.instrument, inputs, *_played(play, sample, seed, vocode))
                    played += 1
            except CorpusWriteError:
                raise
            except (IctusError, MemoryError) as error:
                failed.append(str(error) or f"window {number}: too large for the memory")
            if progress:
                progress(done / len(mine))
    remove_unfinished(out)
    return Generated(played, there, tuple(failed))


@dataclass(frozen=True)
class _Share:
    """What one process plays of a split: part `rank` of `world`; see `generate_corpus`."""

    model: str
    sampling: Sampling
    samples: PerformanceSamples
    out: Path
    settings: Mapping[str, Any]
    vocoder: str | None
    seed: int
    rank: int
    world: int

    def play(self, soloist: AblatedSoloist | None = None, progress: Progress | None = None) -> Generated:
        """Play it; without a soloist, by one that this process loads once."""
        soloist = soloist or _loaded(self.model, self.sampling)
        return generate_corpus(
            *(soloist.plays(self.samples), self.samples, self.out),
            settings=self.settings,
            seed=self.seed,
            kinds=soloist.kinds,
            vocode=_vocode(self.vocoder) if self.vocoder else None,
            rank=self.rank,
            world=self.world,
            progress=progress,
        )

    def parts(self, count: int) -> "list[_Share]":
        """Divide it."""
        return [replace(self, rank=self.rank + k * self.world, world=count * self.world) for k in range(count)]


def generate_split(
    soloist: AblatedSoloist,
    samples: PerformanceSamples,
    out: Path,
    *,
    vocoder: str | None = None,
    seed: int = 0,
    workers: int = 1,
    rank: int = 0,
    world: int = 1,
    progress: Progress = lambda fraction: None,
) -> Generated:
    """Let a soloist play what does not lie in a folder yet; see `generate_corpus`.

    Parameters
    ----------
    vocoder : "griffin-lim" or a folder: the sound is kept, too.
    workers : processes that this one starts, each with the soloist in memory.

    Raises
    ------
    UsageError
        If the folder holds what was played in another way.
    """
    name, sampling = soloist.soloist.name, soloist.sampling
    settings = {
        "model": fingerprint(locate(name)),
        "sampling": asdict(sampling),
        "vocoder": vocoder if vocoder in (None, GRIFFIN_LIM) else fingerprint(locate(vocoder)),
    }
    share = _Share(name, sampling, samples, out, settings, vocoder, seed, rank, world)
    if workers <= 1:
        return share.play(soloist, progress)
    parts, done = share.parts(_PARTS * workers), Generated(0, 0, ())
    for number, part in enumerate(run_in_processes(_Share.play, parts, workers), 1):
        done = Generated(done.played + part.played, done.there + part.there, done.failed + part.failed)
        progress(number / len(parts))
    return done


@functools.lru_cache(1)
def _loaded(model: str, sampling: Sampling) -> AblatedSoloist:
    return AblatedSoloist(Soloist.from_folder(model), sampling)


@functools.lru_cache(1)
def _vocode(name: str) -> MelToAudio:
    return vocode_function(name)


def read_generated(out: Path) -> MelPredictor:
    """Return a model that plays what `generate_corpus` kept; raises IctusError where that is missing or damaged."""

    def play(sample: PerformanceSample, seed: int) -> Float32Array:
        return _mel(out / sample.name)

    return play


def fingerprint(folder: Path) -> str:
    """Return a digest of the checkpoints in a folder and below it, wherever it lies.

    Raises
    ------
    IctusError
        If they cannot be read.
    """
    whole = hashlib.sha256()
    for file in sorted(
        path for path in folder.rglob("*") if path.name == "config.json" or path.suffix == ".safetensors"
    ):
        try:
            with file.open("rb") as content:
                whole.update(os.fsencode(f"{file.relative_to(folder).as_posix()} "))
                whole.update(hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            raise IctusError(f"{file}: cannot be read ({error.strerror})") from error
    return whole.hexdigest()


def process_rank() -> tuple[int, int]:
    """Return which process this is and of how many, as torchrun says in RANK and WORLD_SIZE; without it, 0 of 1.

    Raises
    ------
    UsageError
        If these are no such numbers.
    """
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world is None:
        return 0, 1
    if not (rank.isdecimal() and world.isdecimal() and int(rank) < int(world)):
        raise UsageError(f"RANK is {rank!r} and WORLD_SIZE {world!r}; unset them, or start with torchrun")
    return int(rank), int(world)


def _played(
    play: MelPredictor, sample: PerformanceSample, seed: int, vocode: MelToAudio | None
) -> tuple[NDArray[np.float16], Audio | None]:
    """Return what is kept of a window: its mel (T, 80), and its sound."""
    try:
        mel = play(sample, seed)
        if mel.shape != sample.mel.shape or not np.isfinite(mel).all():
            raise IctusError(f"a mel of shape {mel.shape} was played; finite numbers {sample.mel.shape} are needed")
        rounded = mel.astype(np.float16)
        return rounded, None if vocode is None else vocode(rounded.astype(np.float32))
    except IctusError as error:
        raise type(error)(f"{sample.name}: {error}") from error


def _digest(sample: PerformanceSample, kinds: Collection[str]) -> str:
    """Return a digest of what a soloist is given of a window, and of its length."""
    known = hashlib.sha256(json.dumps([sample.instrument, len(sample.mel)]).encode())
    for kind in sorted(kinds):
        rows = sample.features[kind]
        known.update(json.dumps([kind, rows.shape, str(rows.dtype), sample.rates[kind]]).encode())
        known.update(np.ascontiguousarray(rows).tobytes())
    return known.hexdigest()


def _is_whole(folder: Path, inputs: str, shape: tuple[int, ...], *, sound: bool) -> bool:
    """Return whether a window was played, and from the inputs that it has now."""
    if not folder.is_dir():
        return False
    try:
        about = read_json(folder / "about.json")
        if sound:
            soundfile.info(folder / "sound.flac")
        return bool(about.get("inputs", about.get("told")) == inputs and _mel(folder).shape == shape)
    except (IctusError, soundfile.LibsndfileError, AttributeError):
        return False


def _mel(folder: Path) -> Float32Array:
    file = folder / "mel.npy"
    if not file.exists():
        raise IctusError(f"{file}: missing; generate it again")
    return load(file).astype(np.float32)


def _save(folder: Path, instrument: int, inputs: str, mel: NDArray[np.float16], sound: Audio | None) -> None:
    """Write the folder of a window, whole or not at all."""
    about = {"instrument": None if instrument == UNKNOWN else INSTRUMENTS[instrument], "inputs": inputs}
    files = {"mel.npy": mel, "about.json": about, **({} if sound is None else {"sound.flac": sound})}
    corpora.save_example(folder, files, bits=24)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch and NumPy compute in one thread; torchrun would let them, and one process would not."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
