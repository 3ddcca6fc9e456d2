"""The one place that knows all three arts: which of them a checkpoint belongs to, and what files come out of it.

Each has a command: "conduct" (music -> a conductor), "dance" (music -> a dance), "sound" (a player -> the sound).
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ictus.errors import ModelError, MotionError
from ictus.stage.look import FILM, SHOWN, Look

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.conducting.conductor import Conductor
    from ictus.dance.dancer import Dancer, Heard
    from ictus.motion import Motion
    from ictus.sound.films import Film
    from ictus.sound.player import Played, Soloist
    from ictus.sound.poses import PoseTrack

Command = Literal["conduct", "dance", "sound"]
Progress = Callable[[float], None]

FILES: dict[Command, tuple[str, ...]] = {  # what each command can make
    "conduct": (*SHOWN, ".npz", ".npy", ".json", ".bvh", ".glb"),
    "dance": (*SHOWN, ".npz", ".json", ".pkl", ".bvh", ".glb"),
    "sound": (*SHOWN, ".wav", ".flac", ".mp3", ".ogg"),
}
_APART = 0.5  # seconds by which a film and its keypoints may differ in length


@dataclass(frozen=True)
class Shipped:
    """A model that can be loaded by name."""

    name: str
    art: str
    what: str
    size: str
    licence: str
    scores: str


_MAESTRO = Shipped(
    "maestro",
    "conducting",
    "marks the beats that the listener hears; metres 1 to 6, 3-D body",
    "the listener's",
    "Apache-2.0",
    "hands mark what is heard: beat_f within .003 of the listener's",
)


def shipped() -> list[Shipped]:
    """Return what can be loaded by name: maestro, and the checkpoints that the package holds, by their own words."""
    from ictus.nn.folder import read_config, shipped_folders

    found = [_MAESTRO]
    for folder in shipped_folders():
        facts = read_config(folder)["metadata"]
        size = f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.1f} MB"
        art, what, licence, scores = (str(facts.get(key, "")) for key in ("art", "description", "licence", "scores"))
        found.append(Shipped(folder.name, art, what, size, licence, scores))
    return found


# The networks that conduct and dance; nothing else that a config.json may name is imported.
_CONDUCTORS = (
    "ictus.conducting.gan.Generator",
    "ictus.conducting.baselines.Plain",
    "ictus.conducting.baselines.CNNLSTM",
)
_DANCERS = {
    "ictus.dance.fact.FACT": "ictus.dance.dancer.FACTDancer",
    "ictus.dance.melody.MelodyAutoencoder": "ictus.dance.dancer.MelodyDancer",
    "ictus.dance.repertoire.Repertoire": "ictus.dance.choreographer.Choreographer",
}
_SOLOIST = "ictus.sound.soloist.SoloistTransformer"
_LISTENER = "ictus.conducting.beat_network.BeatNetwork"


def load(name: str | os.PathLike[str]) -> Any:
    """Load a model by name ("maestro", "fact", "soloist") or from its folder (config.json, model.safetensors).

    Returns
    -------
    A callable: of a conductor or dancer, `model(audio, seed=0) -> Motion`; of a soloist, `model(track) -> Played`.

    Raises
    ------
    ModelError
        If there is no such model or folder, it is damaged, or it is a network that neither moves nor plays.
    """
    if os.fspath(name) == "maestro":
        from ictus.conducting.conductor import Maestro

        return Maestro()
    folder, kind = _found(name)
    if kind in _DANCERS:
        made: Dancer = _class(_DANCERS[kind])(_class(kind).from_pretrained(folder), name, _hear)
        return made
    if kind == _SOLOIST:
        from ictus.sound.player import Soloist

        return Soloist.from_folder(name)
    if kind not in _CONDUCTORS:
        raise ModelError(f"{folder}: holds a {kind}, which makes no motion from music, and no sound of motion")
    from ictus.conducting.learned import LearnedConductor

    return LearnedConductor(_class(kind).from_pretrained(folder), name)


def conductor(name: str | os.PathLike[str]) -> "Conductor":
    """Load a model that conducts; as `load`, and raises ModelError if it does something else."""
    return cast("Conductor", _of("conduct", name))


def dancer(name: str | os.PathLike[str]) -> "Dancer":
    """Load a model that dances; as `load`, and raises ModelError if it does something else."""
    return cast("Dancer", _of("dance", name))


def soloist(name: str | os.PathLike[str]) -> "Soloist":
    """Load a model that plays an instrument; as `load`, and raises ModelError if it does something else."""
    return cast("Soloist", _of("sound", name))


def command_of(name: str | os.PathLike[str]) -> Command | None:
    """Return the command that takes a model, or None if none does: a judge, a listener.

    Raises
    ------
    ModelError
        If there is no such model or folder.
    """
    kind = "maestro" if os.fspath(name) == "maestro" else _found(name)[1]
    if kind == "maestro" or kind in _CONDUCTORS:
        return "conduct"
    if kind in _DANCERS:
        return "dance"
    return "sound" if kind == _SOLOIST else None


_DOES: dict[Command, str] = {"conduct": "conducts", "dance": "dances", "sound": "plays"}


def _of(command: Command, name: str | os.PathLike[str]) -> Any:
    """Load a model for a command, if it is one of its art."""
    its_own = command_of(name)
    if its_own not in (command, None):
        does, asked = _DOES[its_own], _DOES[command].removesuffix("s")
        raise ModelError(f"{os.fspath(name)}: {does}, and does not {asked}; `ictus {its_own}` takes it")
    return load(name)


def _found(name: str | os.PathLike[str]) -> tuple[Path, str]:
    """Return the folder of a model, and the class of its network."""
    from ictus.nn.folder import locate, read_config

    try:
        folder = locate(name)
    except ModelError as error:
        names = ", ".join(model.name for model in shipped())
        raise ModelError(f"{error}; models by name: {names}; `ictus convert` makes folders of others") from error
    return folder, str(read_config(folder)["class"])


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _hear(audio: "Audio") -> "Heard":
    """Tell a dancer the beats of music, as the listener hears them."""
    from ictus.conducting.listener import Listener

    return Listener()(audio)


def listener_kind(name: str | os.PathLike[str]) -> Literal["whole", "live"] | None:
    """Return whether a name or folder is that of a listener for whole pieces, of a live one, or of neither.

    Raises
    ------
    ModelError
        If there is no such model or folder, or it is damaged.
    """
    from ictus.nn.folder import locate, read_config

    if os.fspath(name) == "maestro":
        return None
    content = read_config(locate(name))
    if content["class"] != _LISTENER:
        return None
    return "live" if content["config"].get("causal") else "whole"


def save(motion: "Motion", music: "Audio | Path", out: Path, look: Look, progress: Progress) -> None:
    """Save what a conductor or dancer made: a film, a page, or a file of motion, as the suffix says.

    A conductor's motion that a format cannot hold as it is, is projected, lifted or resampled for it.

    Raises
    ------
    IctusError
        If the music cannot be read, the format cannot hold the motion, or the file cannot be written.
    """
    suffix = out.suffix.lower()
    if suffix in SHOWN:
        look.show(motion, music, out, progress)
        return
    if motion.skeleton.name.startswith("conductor-"):
        from ictus.conducting.projection import lift, project

        if suffix == ".npy":
            motion = project(motion).resample(30)
        elif suffix in (".bvh", ".glb"):
            motion = lift(motion)
    motion.save(out)


@dataclass(frozen=True)
class Performance:
    """What is given of a player.

    Attributes
    ----------
    file : the film, or else the keypoints.
    film : what was filmed, if there is a film.
    """

    file: Path
    track: "PoseTrack"
    film: "Film | None" = None

    @classmethod
    def load(cls, keypoints: Path, film: Path | None = None, fps: float | None = None) -> "Performance":
        """Read a player's keypoints, and look through the film that they are of, if there is one.

        Parameters
        ----------
        fps : of the keypoints; None: the film's or what they tell themselves, whichever fits.

        Raises
        ------
        MotionError
            If the keypoints cannot be read, tell no rate, or are not as long as the film.
        IctusError
            If the film cannot be read.
        """
        from ictus.sound.films import look
        from ictus.sound.poses import PoseTrack

        if film is None:
            return cls(keypoints, PoseTrack.load(keypoints, fps))
        seen = look(film, silent=True)
        tracks = [PoseTrack.load(keypoints, fps or seen.rate, seen.size)]
        if fps is None:
            with suppress(MotionError):  # most formats tell no rate
                tracks.append(PoseTrack.load(keypoints, None, seen.size))
        track = min(tracks, key=lambda one: abs(one.duration - seen.seconds))
        if abs(track.duration - seen.seconds) > _APART:
            raise MotionError(
                f"{film}: lasts {seen.seconds:.2f} s, and its keypoints {keypoints} last {track.duration:.2f} s "
                f"({len(track)} frames at {track.fps:g} a second); give those of this film, or their frames per second"
            )
        return cls(film, track, seen)

    def figure(self, model: str) -> "Motion":
        """Return the player as seen, with gaps filled: a motion of solos-47, which tells who played."""
        from ictus.sound.poses import filled

        return replace(filled(self.track).track.motion(), meta={"model": model, "music": self.file.name})

    def save(self, played: "Played", model: str, out: Path, theme: str, progress: Progress) -> None:
        """Save what was played: sound; the film with its new sound; or the player's figure, as a film or a page.

        Parameters
        ----------
        model : who played; a page says so.
        theme : colours of the figure's stage, "dark" or "light".

        Raises
        ------
        IctusError
            If the film is damaged, or the file cannot be written.
        """
        suffix = out.suffix.lower()
        if suffix not in SHOWN:
            played.audio.save(out)
        elif self.film is not None and suffix == FILM:
            from ictus.sound.films import pictures, write

            write(out, pictures(self.film, self.film.rate), self.film.rate, played.audio)
        else:
            figure = self.figure(model)
            Look(min(round(figure.fps), 60), (600, 600), theme).show(figure, played.audio, out, progress)
