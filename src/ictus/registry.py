"""What has a name: models and tasks. The only list of either; it imports nothing before it is asked for.

Packages of others add theirs as entry points: `ictus.models` (the model type = "module:Class" of a pipeline with
`from_folder` and `command`), `ictus.tasks` (the name that recipes use = "module:Class").
"""

import dataclasses
import inspect
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ictus.errors import ModelError, UsageError
from ictus.files import quoted, short
from ictus.nn.folder import locate, read_config, shipped_folders

if TYPE_CHECKING:
    from torch import nn

    from ictus.conducting.pipeline import Conductor
    from ictus.dance.pipeline import Dancer
    from ictus.sound.pipeline import Soloist
    from ictus.task import TaskClass

Command = Literal["conduct", "dance", "sound", "beats", "pose"]

_WEIGHTS = (".pt", ".pth", ".pth.tar")
_TENSORFLOW = re.compile(r"(checkpoint|.*\.index|.*\.data-\d+-of-\d+)")


@dataclass(frozen=True)
class Model:
    """A kind of network.

    Attributes
    ----------
    network : "module:Class"; None of pipelines that other packages add.
    command : that its pipeline performs; None of networks that serve others.
    pipeline : "module:Class" of what `load` gives, made by `from_folder(name)`.
    """

    network: str | None
    command: Command | None = None
    pipeline: str | None = None


_CONDUCTOR: tuple[Command, str] = ("conduct", "ictus.conducting.neural_conductor:NeuralConductor")

MODELS: dict[str, Model] = {
    "beat-tracker": Model("ictus.beats.network:BeatNetwork", "beats", "ictus.beats.tracker:BeatTracker"),
    "m2s-net": Model("ictus.conducting.models.m2s_net:M2SNet"),
    "m2s-gan": Model("ictus.conducting.models.m2s_gan:Generator", *_CONDUCTOR),
    "m2s-gan-discriminator": Model("ictus.conducting.models.m2s_gan:Discriminator"),
    "plain": Model("ictus.conducting.models.baselines:Plain", *_CONDUCTOR),
    "cnn-lstm": Model("ictus.conducting.models.baselines:CNNLSTM", *_CONDUCTOR),
    "fact": Model("ictus.dance.models.fact:FACT", "dance", "ictus.dance.pipeline:FACTDancer"),
    "dance-net": Model("ictus.dance.models.dance_net:DanceNet", "dance", "ictus.dance.pipeline:DanceNetDancer"),
    "dance-revolution": Model(
        "ictus.dance.models.dance_revolution:DanceRevolution", "dance", "ictus.dance.pipeline:DanceRevolutionDancer"
    ),
    "melody-autoencoder": Model(
        "ictus.dance.models.melody:MelodyAutoencoder", "dance", "ictus.dance.pipeline:MelodyDancer"
    ),
    "motion-memory": Model(
        "ictus.dance.models.motion_memory:MotionMemory", "dance", "ictus.dance.pipeline:Choreographer"
    ),
    "two-stream-motion-transformer": Model(
        "ictus.dance.models.two_stream_motion_transformer:TwoStreamMotionTransformer",
        "dance",
        "ictus.dance.pipeline:TwoStreamMotionTransformerDancer",
    ),
    "spectrogram-codebook": Model("ictus.sound.models.codebook:SpectrogramCodebook"),
    "patch-discriminator": Model("ictus.sound.models.patch_discriminator:PatchDiscriminator"),
    "keypoint-encoder": Model("ictus.sound.models.keypoint_encoder:KeypointEncoder"),
    "soloist": Model("ictus.sound.models.soloist:SoloistTransformer", "sound", "ictus.sound.pipeline:Soloist"),
    "spectral-vocoder": Model("ictus.sound.models.spectral_vocoder:SpectralVocoder"),
    "melgan": Model("ictus.sound.models.melgan:MelGAN"),
    "melgan-discriminator": Model("ictus.sound.models.melgan:WaveDiscriminator"),
    "instrument-classifier": Model("ictus.sound.models.instrument_classifier:InstrumentClassifier"),
    "pose-lifter": Model("ictus.pose.lifter:Lifter"),
}

_MAESTRO_PIPELINE = "ictus.conducting.pipeline:Maestro"

TASKS: dict[str, str] = {  # as recipes name them
    "beats.tracker": "ictus.beats.task:BeatTrackerTask",
    "conducting.baseline": "ictus.conducting.tasks.baselines:Baseline",
    "conducting.m2s_net": "ictus.conducting.tasks.m2s_net:M2SNetTask",
    "conducting.m2s_gan": "ictus.conducting.tasks.m2s_gan:M2SGANTask",
    "dance.dance_net": "ictus.dance.tasks.dance_net:DanceNetTask",
    "dance.dance_revolution": "ictus.dance.tasks.dance_revolution:DanceRevolutionTask",
    "dance.fact": "ictus.dance.tasks.fact:FACTTask",
    "dance.melody": "ictus.dance.tasks.melody:MelodyTask",
    "dance.motion_memory": "ictus.dance.tasks.motion_memory:MotionMemoryTask",
    "dance.two_stream_motion_transformer": (
        "ictus.dance.tasks.two_stream_motion_transformer:TwoStreamMotionTransformerTask"
    ),
    "pose.lifter": "ictus.pose.lifter_task:LifterTask",
    "sound.keypoints": "ictus.sound.tasks.keypoints:KeypointsTask",
    "sound.codebook": "ictus.sound.tasks.codebook:CodebookTask",
    "sound.soloist": "ictus.sound.tasks.soloist:SoloistTask",
    "sound.vocoder": "ictus.sound.tasks.vocoder:VocoderTask",
    "sound.instrument_classifier": "ictus.sound.tasks.instrument_classifier:InstrumentClassifierTask",
}
_TASK_ALIASES = {  # names of tasks in recipes that were written before
    "conducting.listener": "beats.tracker",
    "dance.repertoire": "dance.motion_memory",
    "sound.judge": "sound.instrument_classifier",
}


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
    "marks the beats of the beat tracker; metres 1 to 7, 3-D body",
    "the beat tracker's",
    "Apache-2.0",
    "hands mark the predicted beats: beat_f within .003 of the beat tracker's",
)


def shipped() -> list[Shipped]:
    """Return what can be loaded by name: maestro, and the checkpoints that the package holds, by their own words."""
    found = [_MAESTRO]
    for folder in shipped_folders():
        facts = read_config(folder)["metadata"]
        size = f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.1f} MB"
        art, what, licence, scores = (str(facts.get(key, "")) for key in ("art", "description", "licence", "scores"))
        found.append(Shipped(folder.name, art, what, size, licence, scores))
    return found


def load(name: str | os.PathLike[str], **options: Any) -> Any:
    """Load a model by name ("maestro", "fact", "soloist") or from its folder (config.json, model.safetensors).

    Parameters
    ----------
    options : of the model, as its class takes them: `load("maestro", meter=3)`, `load("fact", genre="waack")`.

    Returns
    -------
    A callable: of a conductor or dancer, `model(audio, seed=0) -> Motion`; of a soloist,
    `model(track) -> SoloistResult`; of a beat tracker, `model(audio) -> Beats`.

    Raises
    ------
    ModelError
        If there is no such model or folder, it is damaged, or it is a network that neither moves nor plays.
    UsageError
        If the model has no such option.
    """
    if os.fspath(name) == "maestro":
        pipeline = _import(_MAESTRO_PIPELINE)
        _check_options(name, pipeline, "conduct", options)
        return pipeline(**options)
    folder, model_type = _find(name)
    model = _model(model_type, folder)
    if model.pipeline is None:
        raise ModelError(f"{folder}: holds a {model_type}, which makes no motion from music, and no sound of motion")
    pipeline = _import(model.pipeline)
    _check_options(name, pipeline, model.command, options)
    return pipeline.from_folder(name, **options)


def _check_options(
    name: str | os.PathLike[str], pipeline: Any, command: Command | None, options: Mapping[str, Any]
) -> None:
    """Raise UsageError if a model has no such option, naming those that have."""
    for option in options:
        if option not in _options(pipeline):
            others = {title: model.pipeline for title, model in MODELS.items() if model.command == command}
            others |= {"maestro": _MAESTRO_PIPELINE} if command == "conduct" else {}
            able = [other for other, path in others.items() if path and option in _options(_import(path))]
            hint = f"; {' and '.join(able)} can" if able else ""
            raise UsageError(f"{os.fspath(name)} cannot be given {_named(option)}{hint}")


def _named(option: str) -> str:
    return "corrections of its beats" if option == "corrections" else f"a {option.replace('_', ' ')}"


def _options(pipeline: Any) -> list[str]:
    """Return the options of a pipeline: what its class takes by keyword alone."""
    parameters = inspect.signature(pipeline.__init__).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


def takes(name: str | os.PathLike[str], option: str) -> bool:
    """Whether a model can be given an option. Raises ModelError if there is no such model or folder."""
    if os.fspath(name) == "maestro":
        return option in _options(_import(_MAESTRO_PIPELINE))
    folder, model_type = _find(name)
    pipeline = _model(model_type, folder).pipeline
    return pipeline is not None and option in _options(_import(pipeline))


def load_network(name: str | os.PathLike[str]) -> Any:
    """Load the network of a folder or a shipped name alone, whatever it is for; in eval mode, on CPU.

    Raises
    ------
    ModelError
        If there is no such folder, it is damaged, or its model type is unknown.
    """
    folder, model_type = _find(name)
    network = _model(model_type, folder).network
    if network is None:
        raise ModelError(f"{folder}: holds a {model_type}, of which only the pipeline is known; load it whole")
    return _import(network).from_pretrained(folder)


def conductor(name: str | os.PathLike[str], **options: Any) -> "Conductor":
    """Load a model that conducts; as `load`, and raises ModelError if it does something else."""
    return cast("Conductor", _load_for("conduct", name, options))


def dancer(name: str | os.PathLike[str], **options: Any) -> "Dancer":
    """Load a model that dances; as `load`, and raises ModelError if it does something else."""
    return cast("Dancer", _load_for("dance", name, options))


def soloist(name: str | os.PathLike[str], **options: Any) -> "Soloist":
    """Load a model that plays an instrument; as `load`, and raises ModelError if it does something else."""
    return cast("Soloist", _load_for("sound", name, options))


def command_of(name: str | os.PathLike[str]) -> Command | None:
    """Return the command that takes a model, or None if none does: an evaluator, a vocoder.

    Raises
    ------
    ModelError
        If there is no such model or folder.
    """
    return _command_of(name)


def _command_of(name: str | os.PathLike[str], wanted: Command | None = None) -> Command | None:
    if os.fspath(name) == "maestro":
        return "conduct"
    folder, model_type = _find(name, wanted)
    return _model(model_type, folder).command


_DOES: dict[Command, str] = {"conduct": "conducts", "dance": "dances", "sound": "plays", "beats": "finds beats"}


def _load_for(command: Command, name: str | os.PathLike[str], options: Mapping[str, Any]) -> Any:
    """Load a model for a command, if it is one of its art."""
    its_own = _command_of(name, command)
    if its_own not in (command, None):
        does, asked = _DOES[its_own], _DOES[command].removesuffix("s")
        raise ModelError(f"{os.fspath(name)}: {does}, and does not {asked}; `ictus {its_own}` takes it")
    return load(name, **options)


def task_class(name: str) -> "TaskClass":
    """Return the class of a task, by its name in recipes or as "module:Class".

    Raises
    ------
    UsageError
        If there is none.
    """
    added = {entry.name: entry.value for entry in entry_points(group="ictus.tasks")}
    path = (added | TASKS).get(_TASK_ALIASES.get(name, name), name)
    known = f"; known are {', '.join(sorted(added | TASKS))}, and one's own as module:Class"
    if ":" not in path:
        raise UsageError(f"task {quoted(name)} is unknown{known}")
    try:
        found = _import(path)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"task {quoted(name)} cannot be found: {short(error)}{known}") from error
    if not dataclasses.is_dataclass(getattr(found, "Config", None)):
        raise UsageError(f"task {quoted(name)} has no dataclass Config; see ictus.task")
    return cast("TaskClass", found)


def checkpoint_converter(source: Path) -> "Callable[[Path, Path], nn.Module] | None":
    """Return what turns a file of weights that authors have published into a folder; None if it is no such file.

    Raises
    ------
    UsageError
        If only TensorFlow can read it.
    """
    if source.suffix.lower() in _WEIGHTS:
        from ictus.conducting.models.convert_checkpoint import convert as conductor

        return conductor
    if _TENSORFLOW.fullmatch(source.name):
        raise UsageError(
            f"{source}: only TensorFlow reads its checkpoints; write the variables to an .npz where it is installed, "
            "as `python -m pydoc ictus.dance.models.convert_checkpoint` says, and convert that"
        )
    if source.suffix.lower() == ".npz" and _holds_variables(source):
        from ictus.dance.models.convert_checkpoint import convert as dancer

        return dancer
    return None


def _holds_variables(source: Path) -> bool:
    """Whether an .npz holds variables of TensorFlow's object graph, and no motion."""
    try:
        with zipfile.ZipFile(source) as archive:
            return any(name.startswith("model/") for name in archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile):
        return False  # the reader of motions says what is wrong with it


def _find(name: str | os.PathLike[str], wanted: Command | None = None) -> tuple[Path, str]:
    """Return the folder of a model, and its model type; an error offers what a command takes."""
    try:
        folder = locate(name)
    except ModelError as error:
        names = ", ".join(one.name for one in shipped() if wanted in (None, command_of(one.name)))
        raise ModelError(f"{error}; models by name: {names}; `ictus convert` makes folders of others") from error
    return folder, short(read_config(folder)["model_type"])


def _model(model_type: str, folder: Path) -> Model:
    if model_type in MODELS:
        return MODELS[model_type]
    for entry in entry_points(group="ictus.models", name=model_type):
        pipeline = entry.load()
        return Model(None, pipeline.command, entry.value)
    raise ModelError(f"{folder}: holds a {model_type}, which makes no motion from music, and no sound of motion")


def _import(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
