"""Folding: a network for inference, in which normalisations are part of the convolutions before them."""

import copy
from itertools import pairwise
from typing import TypeVar, cast

from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)


def fold(network: Network) -> Network:
    """Return a frozen copy in eval mode that computes the same with fewer steps; the network itself is left alone.

    Weight norm becomes plain weights, and in every Sequential a BatchNorm that follows a convolution is multiplied
    into it: w' = w * gamma / sqrt(var + eps), b' = (b - mean) * gamma / sqrt(var + eps) + beta.
    """
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        if parametrize.is_parametrized(module, "weight"):
            _make_plain(module)
    for module in list(folded.modules()):
        if isinstance(module, nn.Sequential):
            for i, (conv, norm) in enumerate(pairwise(module)):
                if isinstance(conv, nn.Conv1d | nn.Conv2d) and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return folded.requires_grad_(False)


def _make_plain(module: nn.Module) -> None:
    """Replace a parametrised weight by its value. (remove_parametrizations would break the module copied from, too.)"""
    weight = cast(Tensor, module.weight)
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module.parametrizations
    module.weight = nn.Parameter(weight.detach().clone())
