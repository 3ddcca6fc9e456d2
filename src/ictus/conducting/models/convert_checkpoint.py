"""The weights that the authors of M2S-Net and M2S-GAN published (.pt) -> checkpoint folders of this package.

The files are pickles of named tensors. They are read by torch's restricted loader, which executes nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ictus.conducting.models.m2s_gan import Generator
from ictus.conducting.models.m2s_net import M2SNet
from ictus.errors import ModelError
from ictus.files import readable, short
from ictus.nn.pretrained import load_tensors
from ictus.nn.torch_file import read_tensors

PROVENANCE = {
    "source": "https://github.com/ChenDelong1999/VirtualConductor (weights published by the authors, converted)",
    "paper": (
        "F. Liu, D. Chen, R. Zhou, S. Yang, F. Xu: Self-Supervised Music-Motion Synchronization Learning for "
        "Music-Driven Conducting Motion Generation, JCST 2022, doi:10.1007/s11390-022-2030-z"
    ),
    "licence": "research use only, with attribution and the copyright notice kept; not covered by ictus's own licence",
    "copyright": (
        "Copyright (c) 2022 Delong Chen. Contact me for commercial use (or rather any use that is not academic "
        "research) (email: chendelong@hhu.edu.cn). Free for research use, as long as proper attribution is given and "
        "this copyright notice is retained."
    ),
}
GENERATOR = {
    "name": "M2S-GAN generator (official weights)",
    "description": "Music and noise to conducting motion, trained by the authors on ConductorMotion100.",
}
SYNC = {
    "name": "M2S-Net (official weights)",
    "description": "The probability that a motion belongs to a music, trained by the authors on ConductorMotion100.",
}

GRAPH = "motion_encoder.st_gcn.A"  # theirs stores the graph, ours derives it from the skeleton: compared, not copied
UNUSED = ("motion_encoder.st_gcn.fcn.weight", "motion_encoder.st_gcn.fcn.bias")  # no output of theirs depends on it


def convert(file: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Generator | M2SNet:
    """Turn a published .pt file into a checkpoint folder, and return the network that it holds, in eval mode.

    Parameters
    ----------
    file : M2SGAN_official_pretrained.pt (or M2SGAN generators trained with the authors' code) or
        M2SNet_official_pretrained.pt; which of the two is seen from its tensors.
    folder : where config.json, model.safetensors and README.md go; the card states source and licence.

    Raises
    ------
    ModelError
        If the file is missing, damaged, holds anything but tensors, or the tensors are not those of the two networks.
    """
    source = readable(file, ModelError)
    tensors = read_tensors(source)
    network: Generator | M2SNet
    if "noise_BN.weight" in tensors:
        network, names, facts = Generator.from_config("paper"), _generator_names(), GENERATOR
    elif "fuse_layer.0.weight" in tensors:
        network, names, facts = M2SNet.from_config("paper"), _sync_names(), SYNC
        _check_graph(tensors.pop(GRAPH, None), network.motion.st_gcn.graph, source)
    else:
        raise ModelError(f"{source}: holds tensors, but neither M2S-GAN's generator nor M2S-Net")
    load_tensors(network, _rename(tensors, names, source), str(source))
    network.save_pretrained(folder, {**facts, **PROVENANCE, "file": source.name})
    return network.eval()


def _rename(tensors: Mapping[str, Tensor], names: Mapping[str, str], file: Path) -> dict[str, Tensor]:
    """Give each tensor our name; where two of theirs are one of ours, they must be equal."""
    renamed: dict[str, Tensor] = {}
    for theirs, tensor in tensors.items():
        if theirs in UNUSED:
            continue
        module, _, leaf = theirs.rpartition(".")
        ours = names.get(theirs) or (f"{names[module]}.{leaf}" if module in names else None)
        if ours is None:
            raise ModelError(f"{file}: {short(theirs)} is no part of the published network")
        if ours in renamed and not torch.equal(renamed[ours], tensor):
            raise ModelError(f"{file}: {short(theirs)} differs from its second copy; the file is damaged")
        renamed[ours] = tensor
    return renamed


def _check_graph(theirs: Tensor | None, ours: Tensor, file: Path) -> None:
    if theirs is None or theirs.shape != (1, *ours.shape) or not torch.allclose(theirs[0].float(), ours):
        raise ModelError(f"{file}: was made for another skeleton than conductor-13")


def _music_names() -> dict[str, str]:
    """Return our names for the modules of their music encoder."""
    names = {f"music_encoder.conv4.{i}": f"music.project.{i}" for i in range(2)}
    for stage, first, blocks in ((1, 0, 3), (2, 4, 2), (3, 7, 2)):  # a pooling layer stands between the stages
        for block in range(blocks):
            for i in range(2):
                theirs, ours = f"music_encoder.conv{stage}.{block}", f"music.stages.{first + block}"
                names[f"{theirs}.conv2d_layer.{i}"] = f"{ours}.conv.{i}"
                names[f"{theirs}.residual.{i}"] = f"{ours}.skip.{i}"
    return names


def _sync_names() -> dict[str, str]:
    """Return our names for the modules (and single tensors) of their M2S-Net."""
    names = _music_names()
    names["motion_encoder.st_gcn.data_bn"] = "motion.st_gcn.norm"
    for block in range(10):
        theirs, ours = f"motion_encoder.st_gcn.st_gcn_networks.{block}", f"motion.st_gcn.blocks.{block}"
        names[f"{theirs}.gcn.conv"] = f"{ours}.spatial"
        names |= {f"{theirs}.tcn.{i}": f"{ours}.temporal.{i}" for i in (0, 2, 3)}
        names[f"motion_encoder.st_gcn.edge_importance.{block}"] = f"{ours}.importance"
    names |= {f"motion_encoder.fc.{i}": f"motion.project.{i}" for i in range(2)}
    return names | {f"fuse_layer.{i}": f"fuse.{i}" for i in (0, 2, 4)}


def _generator_names() -> dict[str, str]:
    """Return our names for the modules (and weight-norm tensors) of their generator."""
    names = _music_names()
    names |= {f"noise_convTranspose.{i}": f"noise.up.{i}" for i in (0, 2, 4, 6)} | {"noise_BN": "noise.up.8"}
    for block in range(6):
        theirs, ours = f"tcn.TCN.tcn.tcn.network.{block}", f"decoder.blocks.{block}"
        for conv, norm, i in (("conv1", "bn1", 0), ("net.0", "net.2", 0), ("conv2", "bn2", 3), ("net.5", "net.7", 3)):
            names[f"{theirs}.{conv}"] = f"{ours}.net.{i}"
            names[f"{theirs}.{conv}.weight_g"] = f"{ours}.net.{i}.parametrizations.weight.original0"
            names[f"{theirs}.{conv}.weight_v"] = f"{ours}.net.{i}.parametrizations.weight.original1"
            names[f"{theirs}.{norm}"] = f"{ours}.net.{i + 1}"
        names[f"{theirs}.downsample"] = f"{ours}.skip"
    names["tcn.TCN.tcn.linear"] = "decoder.linear"
    return names | {f"tcn.fc.{i}": f"head.{i}" for i in (0, 2, 4)}
