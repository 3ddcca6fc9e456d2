"""Checkpoints: one safetensors file each, whose header carries the rest as JSON. Nothing in it is ever executed.

A file is written whole or not at all, so whenever training is killed, the last checkpoint is a good one.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from ictus.documents import parse_json
from ictus.errors import ModelError
from ictus.files import reading, short, writing

Facts = dict[str, Any]  # JSON types
_TABLES = ("recipe", "progress", "optimizers")  # which have keys


def write(path: Path, tensors: Mapping[str, Tensor], facts: Facts) -> None:
    """Write a checkpoint, whole or not at all."""
    with writing(path) as temporary:
        save_file(dict(tensors), temporary, metadata={"facts": json.dumps(facts)})
        with temporary.open("rb") as file:
            os.fsync(file.fileno())


def read_facts(path: Path) -> Facts:
    """Return what a checkpoint holds beside tensors.

    Raises
    ------
    ModelError
        If it is missing, damaged, or none of ours.
    """
    return _read(path, tensors=False)[1]


def read(path: Path) -> tuple[dict[str, Tensor], Facts]:
    """Return a checkpoint's tensors, on the CPU, and its facts.

    Raises
    ------
    ModelError
        If it is missing, damaged, or none of ours.
    """
    return _read(path, tensors=True)


def _read(path: Path, tensors: bool) -> tuple[dict[str, Tensor], Facts]:
    with reading(path, ModelError) as source, safe_open(source, framework="pt") as file:
        facts = parse_json((file.metadata() or {})["facts"])
        if not isinstance(facts, dict) or not all(isinstance(facts.get(key, {}), dict) for key in _TABLES):
            raise ModelError("is no checkpoint of a training: its facts are no JSON object")
        return {key: file.get_tensor(key) for key in file.keys() if tensors}, facts  # noqa: SIM118 (no mapping)


def pack_networks(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the weights and buffers of networks, as copies on the CPU: "networks/NAME/KEY"."""
    return {
        f"networks/{name}/{key}": _copy(tensor)
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }


def unpack_networks(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], where: str) -> None:
    """Put weights into networks.

    Raises
    ------
    ModelError
        Beginning with `where`: if they are those of other networks.
    """
    for name, network in networks.items():
        unpack(network.state_dict(), tensors, f"networks/{name}", where)


def pack(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return tensors as copies on the CPU: "PREFIX/KEY"."""
    return {f"{prefix}/{key}": _copy(tensor) for key, tensor in tensors.items()}


@torch.no_grad()
def unpack(targets: Mapping[str, Tensor], tensors: Mapping[str, Tensor], prefix: str, where: str) -> None:
    """Fill tensors in place with those that are saved under a prefix, all of them and nothing else.

    Raises
    ------
    ModelError
        Beginning with `where`: if one is missing, unexpected, or of another shape.
    """
    saved = {key.removeprefix(f"{prefix}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{prefix}/")}
    if different := sorted(targets.keys() ^ saved.keys()):
        which = "has no" if different[0] in targets else "has a"
        raise ModelError(f"{where}: {which} {prefix}/{short(different[0])}; it is of another model than the recipe's")
    for key, target in targets.items():
        if target.shape != saved[key].shape:
            shapes = f"shape {tuple(saved[key].shape)}, the recipe's model {tuple(target.shape)}"
            raise ModelError(f"{where}: {prefix}/{key} has {shapes}; it is of another size")
        target.copy_(_like(target, saved[key]))


def pack_optimizer(name: str, optimizer: Optimizer) -> tuple[dict[str, Tensor], Facts]:
    """Return the state of an optimiser: tensors "optimizers/NAME/NUMBER/KEY", and the rest as JSON."""
    content = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    values: Facts = {}
    for number, state in content["state"].items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizers/{name}/{number}/{key}"] = _copy(value)
            else:
                values.setdefault(str(number), {})[key] = value
    return tensors, {"groups": content["param_groups"], "values": values}


def unpack_optimizer(name: str, optimizer: Optimizer, tensors: Mapping[str, Tensor], facts: Facts, where: str) -> None:
    """Put a saved state into an optimiser of the same kind over the same parameters.

    Raises
    ------
    ModelError
        Beginning with `where`: if it does not fit.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {int(number): dict(entry) for number, entry in facts["values"].items()}
    for path, tensor in tensors.items():
        if path.startswith(f"optimizers/{name}/"):
            number, key = path.removeprefix(f"optimizers/{name}/").split("/", 1)
            parameter = parameters[int(number)] if int(number) < len(parameters) else None
            if parameter is not None and parameter.shape == tensor.shape:
                tensor = _like(parameter, tensor)
            state.setdefault(int(number), {})[key] = tensor
    try:
        optimizer.load_state_dict({"state": state, "param_groups": facts["groups"]})
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ModelError(f"{where}: the state of optimiser {name!r} does not fit ({short(error)})") from error


def _copy(tensor: Tensor) -> Tensor:
    # Always a copy: tied weights share memory, which the format cannot express. What is sharded (FSDP) is gathered, so
    # all processes must ask for it.
    whole: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return whole.detach().to("cpu", copy=True).contiguous()


def _like(target: Tensor, tensor: Tensor) -> Tensor:
    """Return this process's share of a whole tensor, if `target` is sharded."""
    if not hasattr(target, "full_tensor"):
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(target, DTensor)
    return distribute_tensor(tensor.to(target.device), target.device_mesh, target.placements)
