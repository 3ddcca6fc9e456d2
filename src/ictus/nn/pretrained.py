"""A checkpoint is a folder: config.json (model type, sizes, provenance), model.safetensors, README.md (the model card).

Nothing in such a folder is ever executed: sizes are JSON, weights are safetensors.
"""

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ictus.config import parse
from ictus.errors import ModelError, UsageError
from ictus.files import readable, reading, short, writing
from ictus.nn.folder import CARD, CONFIG, WEIGHTS, locate, read_config

_ROOM = 1_000_000  # parameters that are no weights in the end: those of which others are computed


class Pretrained(nn.Module):
    """A network built from a frozen dataclass `config`, which saves itself to a folder and loads from one.

    Attributes
    ----------
    model_type : the name of this kind of network in config.json, for ever; it does not change with the class.
    Config : the dataclass; its defaults are the published sizes.
    sizes : named configurations, for `from_config`; every network has at least "debug", for tests.
    config : the sizes of this network.
    metadata : JSON types that travel with the weights: features, skeleton, fps, licence, source, description ...
    """

    model_type: ClassVar[str]
    Config: ClassVar[type[Any]]
    sizes: ClassVar[Mapping[str, Any]]

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.metadata: dict[str, Any] = {}

    @classmethod
    def from_config(cls, size: str) -> Self:
        """Build a fresh network by the name of its size, e.g. "paper" or "debug".

        Raises
        ------
        ModelError
            If there is no size of that name.
        """
        if size not in cls.sizes:
            raise ModelError(f"{cls.__name__} has no size {size!r}; it has {', '.join(cls.sizes)}")
        return cls(cls.sizes[size])

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        metadata: Mapping[str, Any] | None = None,
        card: str | None = None,
        half: bool = False,
    ) -> None:
        """Write config.json, model.safetensors and README.md; each is written whole or not at all, config.json last.

        Parameters
        ----------
        folder : made if it is not there.
        metadata : added to the network's own metadata, over entries of the same name.
        card : the model card in Markdown; without it, one is made from the metadata.
        half : whether weights are written as float16, in half the space; they are loaded as float32.

        Raises
        ------
        ModelError
            If a weight is not finite (a training that diverged must not replace a good checkpoint).
        IctusError
            If the folder cannot be written to.
        """
        target = Path(folder)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        if broken := _not_finite(tensors):
            raise ModelError(f"{target}: not saved, because {broken} holds NaN or infinity; lower the learning rate")
        if half:
            tensors = {
                name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
            }
        facts = {**self.metadata, **(metadata or {})}
        content = {"model_type": self.model_type, "config": dataclasses.asdict(self.config), "metadata": facts}
        config = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        card = model_card(self, facts) if card is None else card
        with writing(target / WEIGHTS) as path:
            save_file(tensors, path)
        with writing(target / CARD) as path:
            path.write_text(card, encoding="utf-8")
        with writing(target / CONFIG) as path:
            path.write_text(config, encoding="utf-8")
        self.metadata = facts

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> Self:
        """Load a network from its folder, or by the name of a checkpoint that the package ships; in eval mode, on CPU.

        Raises
        ------
        ModelError
            If the folder or a file of it is missing or damaged, belongs to another class, or does not fit its config.
        """
        source = locate(folder)
        description = read_config(source)
        if description["model_type"] not in (cls.model_type, f"{cls.__module__}.{cls.__qualname__}"):
            raise ModelError(f"{source}: holds {short(description['model_type'])}, but {cls.model_type} is needed")
        config_file, weights_file = source / CONFIG, readable(source / WEIGHTS, ModelError)
        try:
            config = parse(cls.Config, description["config"], f"{config_file}: config")
        except UsageError as error:
            raise ModelError(str(error)) from error
        with reading(weights_file, ModelError):
            tensors = load_file(weights_file)
        count = sum(tensor.numel() for tensor in tensors.values())
        with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away: leave no trace of drawing them
            try:
                with _at_most(_ROOM + 4 * count):
                    network = cls(config)
            except Exception as error:  # sizes that do not go together fail in any way
                raise ModelError(f"{config_file}: no network can be built from these sizes ({short(error)})") from error
        load_tensors(network, tensors, str(weights_file))
        network.metadata = description["metadata"]
        return network.eval()


@contextlib.contextmanager
def _at_most(count: int) -> Iterator[None]:
    """Raise ValueError where a network that is built in the block has more parameters, before memory is filled."""
    thread, left = threading.get_ident(), count

    def register(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal left
        if threading.get_ident() == thread and parameter is not None:
            left -= parameter.numel()
            if left < 0:
                raise ValueError("they are more than its weights")

    hook = register_module_parameter_registration_hook(register)
    try:
        yield
    finally:
        hook.remove()


def load_tensors(network: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Put `tensors` into the network, all of them and nothing else.

    Raises
    ------
    ModelError
        Beginning with `where`: if one is missing, unexpected, of another shape or type, or not finite.
    """
    expected = network.state_dict()
    for problem, names in (("misses", expected.keys() - tensors.keys()), ("also holds", tensors.keys() - expected)):
        if names:
            raise ModelError(f"{where}: {problem} {_listed(names)}; these are not the weights of this network")
    for name, tensor in expected.items():
        given = tensors[name]
        if given.shape != tensor.shape:
            raise ModelError(f"{where}: {name} has shape {tuple(given.shape)}, the config says {tuple(tensor.shape)}")
        if given.is_floating_point() != tensor.is_floating_point():
            raise ModelError(f"{where}: {name} holds {given.dtype}, expected {tensor.dtype}")
    if broken := _not_finite(tensors):
        raise ModelError(f"{where}: {broken} holds NaN or infinity; fetch or train the weights again")
    network.load_state_dict(dict(tensors))


def initialise_from(networks: Iterable[nn.Module], name: str | os.PathLike[str]) -> tuple[str, ...]:
    """Begin from a checkpoint: put its weights into the network of its kind, wherever name and shape agree.

    Parameters
    ----------
    networks : of which one is of the checkpoint's `model_type`.
    name : the folder, or the name of a checkpoint that the package ships.

    Returns
    -------
    The names of the weights that the checkpoint has not, or has in another shape: they stay as they are.

    Raises
    ------
    ModelError
        If the checkpoint is missing or damaged, or no network is of its kind, or none of its weights fits.
    """
    source = locate(name)
    kind = read_config(source)["model_type"]
    network = next((one for one in networks if getattr(one, "model_type", None) == kind), None)
    if network is None:
        raise ModelError(f"{source}: holds a {short(kind)}; that is not what is trained here")
    with reading(source / WEIGHTS, ModelError) as file:
        given = load_file(file)
    expected = network.state_dict()
    fitting = {key: x for key, x in given.items() if key in expected and x.shape == expected[key].shape}
    if not fitting:
        raise ModelError(f"{source}: no weight of this {short(kind)} has the shape that the recipe asks for")
    network.load_state_dict(fitting, strict=False)
    return tuple(sorted(expected.keys() - fitting.keys()))


def model_card(network: Pretrained, metadata: Mapping[str, Any]) -> str:
    """Return a model card in Markdown: what it is, its facts, how to load it, its licence."""
    module, name = type(network).__module__, type(network).__qualname__
    facts = {"model_type": network.model_type, "parameters": f"{sum(p.numel() for p in network.parameters()):,}"}
    facts |= {key: value for key, value in metadata.items() if key != "description"}
    table = "\n".join(f"| {key} | {_cell(value)} |" for key, value in facts.items())
    return (
        f"# {metadata.get('name', name)}\n\n"
        f"{metadata.get('description', (type(network).__doc__ or '').strip().partition(chr(10))[0])}\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        f"```python\nfrom {module} import {name}\n\nnetwork = {name}.from_pretrained(FOLDER)\n```\n"
    )


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.split()).replace("|", "\\|")


def _listed(names: Any) -> str:
    first = sorted(names)
    return short(", ".join(first[:3])) + (f" and {len(first) - 3} more" if len(first) > 3 else "")


def _not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    return next((name for name, t in tensors.items() if t.is_floating_point() and not bool(t.isfinite().all())), None)
