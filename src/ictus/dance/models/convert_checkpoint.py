"""The weights that FACT's authors publish (a TensorFlow checkpoint) -> a checkpoint folder of this package.

TensorFlow is not needed here, but for one step before, which is done where it is installed::

    import numpy, tensorflow
    reader = tensorflow.train.load_checkpoint("ckpt-NUMBER")
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("model/")]
    numpy.savez("fact.npz", **{name: reader.get_tensor(name) for name in names})

Names are those of TensorFlow's object graph, `model/...` and the suffix `/.ATTRIBUTES/VARIABLE_VALUE`:

    motion_linear_embedding/net/{kernel, bias}                    motion.embedding.{weight, bias}
    motion_pos_embedding/pos_embedding                            motion.positions
    motion_transformer/net/layer_with_weights-K/...               motion.transformer.blocks.(K // 2)...
    audio_...                                                     audio...., likewise
    cross_modal_layer/transformer_layer/net/layer_with_weights-K  fusion.blocks.(K // 2)
    cross_modal_layer/cross_output_layer/{kernel, bias}           head.{weight, bias}

    K even:  fn/norm/{gamma, beta}                                attention_norm.{weight, bias}
             fn/fn/to_qkv/kernel                                  attention.qkv.weight
             fn/fn/to_out/{kernel, bias}                          attention.out.{weight, bias}
    K odd:   fn/norm/{gamma, beta}                                mlp_norm.{weight, bias}
             fn/fn/net/layer_with_weights-{0, 1}/{kernel, bias}   mlp.{0, 2}.{weight, bias}

Every kernel is (inputs, outputs) there and (outputs, inputs) here; all else has the same shape. The optimiser's
variables are left out.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ictus import limits
from ictus.arrays import archive
from ictus.dance.models.fact import FACT, FACTConfig
from ictus.dance.standing import StandingRange
from ictus.errors import ModelError
from ictus.files import readable, short
from ictus.nn.pretrained import load_tensors
from ictus.types import Float32Array

PROVENANCE = {
    "name": "FACT (official weights)",
    "description": "Music and two seconds of dance to the dance that follows, trained by the authors on AIST++.",
    "source": "https://github.com/google-research/mint (weights published by the authors, converted)",
    "paper": "R. Li, S. Yang, D. A. Ross, A. Kanazawa: AI Choreographer, ICCV 2021, arXiv:2101.08779",
    "licence": "as the authors state; trained on AIST++ (annotations CC BY 4.0, music under the AIST terms of use)",
}

_ANYHOW = StandingRange(-1.3, 1.3, 180.0, 1.3, 1.0, 1.0)  # AIST++ has floor work, and another floor than our body's
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
_STACKS = {
    "motion_transformer": "motion.transformer",
    "audio_transformer": "audio.transformer",
    "cross_modal_layer/transformer_layer": "fusion",
}
_MODULES = {
    "motion_linear_embedding/net": "motion.embedding",
    "audio_linear_embedding/net": "audio.embedding",
    "cross_modal_layer/cross_output_layer": "head",
}
_POSITIONS = {
    "motion_pos_embedding/pos_embedding": "motion.positions",
    "audio_pos_embedding/pos_embedding": "audio.positions",
}
_ATTENTION = {"fn/norm": "attention_norm", "fn/fn/to_qkv": "attention.qkv", "fn/fn/to_out": "attention.out"}
_MLP = {"fn/norm": "mlp_norm", "fn/fn/net/layer_with_weights-0": "mlp.0", "fn/fn/net/layer_with_weights-1": "mlp.2"}
_LEAVES = {"kernel": "weight", "gamma": "weight", "bias": "bias", "beta": "bias"}
_LAYER = re.compile(r"(?P<stack>.+?)/net/layer_with_weights-(?P<number>\d+)/(?P<module>.+)")


def convert(file: str | os.PathLike[str], folder: str | os.PathLike[str], heads: int = 10) -> FACT:
    """Turn an exported checkpoint into a checkpoint folder, and return the network, in eval mode.

    Parameters
    ----------
    file : .npz of the variables, made as this module says.
    folder : where config.json, model.safetensors and README.md go.
    heads : of the attention, which no shape shows; all other sizes follow from the variables.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or its variables are not those of FACT.
    """
    source = readable(file, ModelError)
    tensors = {}
    for theirs, array in _variables(source).items():
        ours = _name(theirs)
        if ours is None:
            raise ModelError(f"{source}: {short(theirs)} is no part of FACT")
        tensors[ours] = torch.from_numpy(array.T.copy() if theirs.endswith("/kernel") else array.copy())
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away: leave no trace of drawing them
        network = FACT(_sizes(tensors, heads, source))
    own = {name: network.get_buffer(name) for name in ("start", "audio_shift", "audio_scale")}  # as published
    load_tensors(network, {**own, **tensors}, str(source))
    network.save_pretrained(folder, {**PROVENANCE, "file": source.name})
    return network.eval()


def _variables(file: Path) -> dict[str, Float32Array]:
    """Return the model's variables, named without prefix and suffix."""
    limit = limits.ARRAYS + 2 * file.stat().st_size  # weights do not become much smaller when they are packed
    with archive(file, ModelError, limit) as held:
        found = {
            name.removeprefix("model/").removesuffix(_SUFFIX): held.numbers(name)
            for name in held
            if name.startswith("model/") and ".OPTIMIZER_SLOT" not in name
        }
    if not found:
        raise ModelError(f"{file}: holds no variable whose name begins with model/; export the checkpoint again")
    return found


def _name(theirs: str) -> str | None:
    """Return our name for a variable of theirs."""
    if theirs in _POSITIONS:
        return _POSITIONS[theirs]
    module, _, leaf = theirs.rpartition("/")
    if leaf not in _LEAVES:
        return None
    if module in _MODULES:
        return f"{_MODULES[module]}.{_LEAVES[leaf]}"
    layer = _LAYER.fullmatch(module)
    if layer is None or layer["stack"] not in _STACKS:
        return None
    number = int(layer["number"])
    part = (_MLP if number % 2 else _ATTENTION).get(layer["module"])
    return part and f"{_STACKS[layer['stack']]}.blocks.{number // 2}.{part}.{_LEAVES[leaf]}"


def _sizes(tensors: Mapping[str, Tensor], heads: int, file: Path) -> FACTConfig:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    head, mlp = shapes.get("head.weight", ()), shapes.get("fusion.blocks.0.mlp.0.weight", ())
    if len(head) != 2 or len(mlp) != 2:
        raise ModelError(f"{file}: misses the output layer or the cross-modal transformer; this is no FACT")
    motion, audio, fusion = (_layers(shapes, f"{stack}.blocks.") for stack in _STACKS.values())
    try:
        return FACTConfig(head[0], head[1], heads, mlp[0], motion, audio, fusion, standing=_ANYHOW)
    except ModelError as error:
        raise ModelError(f"{file}: {error}") from error


def _layers(names: Mapping[str, object], prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in names if name.startswith(prefix)})
