"""The one place that knows which art a checkpoint belongs to."""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ictus.errors import ModelError

if TYPE_CHECKING:
    from ictus.audio import Audio
    from ictus.conducting.conductor import Conductor
    from ictus.dance.dancer import Dancer, Heard
    from ictus.sound.player import Soloist


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


_DOES = {"conduct": "conducts", "dance": "dances", "sound": "plays"}  # by the command that asks for it


def _of(command: str, name: str | os.PathLike[str]) -> Any:
    """Load a model for a command, if it is one of its art."""
    kind = "maestro" if os.fspath(name) == "maestro" else _found(name)[1]
    by_kind = {
        **dict.fromkeys(("maestro", *_CONDUCTORS), "conduct"),
        **dict.fromkeys(_DANCERS, "dance"),
        _SOLOIST: "sound",
    }
    its_own = by_kind.get(kind, command)
    if its_own != command:
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
