"""BN-Inception: pictures -> 1024 numbers of what is in them, as SpecVQGAN is conditioned on.

Source: Ioffe & Szegedy, "Batch Normalization", ICML 2015, figure 5, in the sizes and under the layer names of the
weights that everybody uses (Caffe's, by Wang et al., TSN, ECCV 2016; bn_inception-52deb4733.pth), where the units 4a to
4c are wider than in the paper. The weights are not here: whoever has them gives their file. For movement the same
network takes flow for its channels: 10 of five fields one after the other, or 2 of one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError
from ictus.files import readable
from ictus.nn.pretrained import Pretrained, load_tensors
from ictus.nn.shapes import check_shape
from ictus.nn.torch_file import read_tensors

ADVICE = (
    "rgb is what BN-Inception sees, whose weights are not part of this package; give the file of them "
    "(bn_inception-52deb4733.pth) as `inception`"
)
MEANS = (104.0, 117.0, 128.0)  # of blue, green, red, which are taken from pictures of 0 to 255
_STEM = (64, 64, 192)  # channels of conv1, of conv2's reduction, of conv2
_FIRST, _CLASSIFIER, _COUNTED = "conv1_7x7_s2.weight", "last_linear", ".num_batches_tracked"


@dataclass(frozen=True)
class _Unit:
    """Channels of an Inception unit.

    Attributes
    ----------
    one : of the 1 x 1 convolution; 0 where the unit halves the picture, and has none.
    three, double : of the reduction and the 3 x 3 convolution; of the reduction and both of the two 3 x 3 convolutions.
    projected : of the convolution behind the pooling; 0: what was pooled stays as it is.
    pooling : how neighbours are pooled.
    """

    one: int
    three: tuple[int, int]
    double: tuple[int, int]
    projected: int
    pooling: Literal["mean", "max"] = "mean"

    @property
    def stride(self) -> int:
        """2 where the picture is halved."""
        return 1 if self.one else 2


UNITS = {
    "3a": _Unit(64, (64, 64), (64, 96), 32),
    "3b": _Unit(64, (64, 96), (64, 96), 64),
    "3c": _Unit(0, (128, 160), (64, 96), 0, "max"),
    "4a": _Unit(224, (64, 96), (96, 128), 128),
    "4b": _Unit(192, (96, 128), (96, 128), 128),
    "4c": _Unit(160, (128, 160), (128, 160), 128),
    "4d": _Unit(96, (128, 192), (160, 192), 128),
    "4e": _Unit(0, (128, 192), (192, 256), 0, "max"),
    "5a": _Unit(352, (192, 320), (160, 224), 128),
    "5b": _Unit(352, (192, 320), (192, 224), 128, "max"),
}


@dataclass(frozen=True)
class BNInceptionConfig:
    """Sizes; the defaults are the published ones.

    Attributes
    ----------
    channels : of a picture: 3; of a network for flow 10, or 2.
    classes : that the last layer tells apart, which features do not need; 0: there is none.
    narrow : by what all numbers of channels are divided; for tests.
    """

    channels: int = 3
    classes: int = 1000
    narrow: int = 1

    def __post_init__(self) -> None:
        if self.channels < 1 or self.classes < 0 or self.narrow not in (1, 2, 4, 8, 16, 32):
            raise ModelError(
                f"channels are {self.channels}, classes {self.classes}, narrow {self.narrow}; they must be 1 or more, "
                "0 or more, and a power of two up to 32"
            )

    @property
    def features(self) -> int:
        """Numbers that come out: 1024."""
        return 1024 // self.narrow


class BNInception(Pretrained):
    """What is in a picture, 1024 numbers. 11,295,240 parameters as published, with 1000 classes."""

    model_type = "bn-inception"
    Config = BNInceptionConfig
    config: BNInceptionConfig
    sizes: ClassVar = {
        "paper": BNInceptionConfig(),
        "flow": BNInceptionConfig(channels=10, classes=0),
        "debug": BNInceptionConfig(classes=4, narrow=16),
    }

    def __init__(self, config: BNInceptionConfig) -> None:
        super().__init__(config)
        conv1, reduced, conv2 = (width // config.narrow for width in _STEM)
        self._layer("conv1_7x7_s2", config.channels, conv1, 7, 2)
        self._layer("conv2_3x3_reduce", conv1, reduced, 1)
        self._layer("conv2_3x3", reduced, conv2, 3)
        width = conv2
        for name, unit in UNITS.items():
            width = self._unit(f"inception_{name}", unit, width)
        if config.classes:
            self.last_linear = nn.Linear(width, config.classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Look at pictures.

        Parameters
        ----------
        pictures : (B, channels, H, W): blue, green, red from 0 to 255, less `MEANS`; published 224 x 224.

        Returns
        -------
        (B, 1024), 0 or more: the mean over the picture of the last unit.

        Raises
        ------
        UsageError
            If they have another shape.
        """
        check_shape("pictures", pictures, "B", self.config.channels, "H", "W")
        x = _halved(self._convolved("conv1_7x7_s2", pictures))
        x = _halved(self._convolved("conv2_3x3", self._convolved("conv2_3x3_reduce", x)))
        for name, unit in UNITS.items():
            x = torch.cat(list(self._branches(f"inception_{name}", unit, x)), 1)
        return x.mean((2, 3))

    def classify(self, features: Tensor) -> Tensor:
        """(B, 1024) -> (B, classes), logits."""
        logits: Tensor = self.last_linear(features)
        return logits

    def _layer(self, name: str, given: int, made: int, kernel: int, stride: int = 1) -> None:
        """Add a convolution and its normalisation, under the published names."""
        self.add_module(name, nn.Conv2d(given, made, kernel, stride, kernel // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(made))

    def _unit(self, name: str, unit: _Unit, given: int) -> int:
        """Add the layers of a unit; return how many channels come out of it."""
        one, projected, three_reduced, three, double_reduced, double = (
            width // self.config.narrow for width in (unit.one, unit.projected, *unit.three, *unit.double)
        )
        if one:
            self._layer(f"{name}_1x1", given, one, 1)
        self._layer(f"{name}_3x3_reduce", given, three_reduced, 1)
        self._layer(f"{name}_3x3", three_reduced, three, 3, unit.stride)
        self._layer(f"{name}_double_3x3_reduce", given, double_reduced, 1)
        self._layer(f"{name}_double_3x3_1", double_reduced, double, 3)
        self._layer(f"{name}_double_3x3_2", double, double, 3, unit.stride)
        if projected:
            self._layer(f"{name}_pool_proj", given, projected, 1)
        return one + three + double + (projected or given)

    def _branches(self, name: str, unit: _Unit, x: Tensor) -> Iterator[Tensor]:
        """Yield what the branches of a unit make of (B, C, H, W), to be joined in this order."""
        if unit.one:
            yield self._convolved(f"{name}_1x1", x)
        yield self._convolved(f"{name}_3x3", self._convolved(f"{name}_3x3_reduce", x))
        twice = self._convolved(f"{name}_double_3x3_1", self._convolved(f"{name}_double_3x3_reduce", x))
        yield self._convolved(f"{name}_double_3x3_2", twice)
        if not unit.projected:
            yield _halved(x)
            return
        pooled = F.avg_pool2d(x, 3, 1, 1) if unit.pooling == "mean" else F.max_pool2d(x, 3, 1, 1)
        yield self._convolved(f"{name}_pool_proj", pooled)

    def _convolved(self, name: str, x: Tensor) -> Tensor:
        convolution, norm = getattr(self, name), getattr(self, f"{name}_bn")
        return F.relu(norm(convolution(x)))


def _halved(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H / 2, W / 2), both rounded up: the greatest of 3 x 3."""
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def load_published(file: str | os.PathLike[str]) -> BNInception:
    """Load published weights (.pth), or a folder that this package wrote; in eval mode.

    How many channels and classes there are is seen from the tensors. They may all stand below one name, as
    "base_model.".

    Raises
    ------
    ModelError
        If it is missing or damaged, holds anything but tensors (nothing is executed), or those of another network.
    """
    if Path(file).is_dir():
        return BNInception.from_pretrained(file)
    source = readable(file, ModelError)
    given = read_tensors(source)
    first = next((name for name in given if name.endswith(_FIRST)), None)
    if first is None or given[first].dim() != 4:
        raise ModelError(f"{source}: has no {_FIRST}; give the weights of BN-Inception, bn_inception-52deb4733.pth")
    prefix = first.removesuffix(_FIRST)
    # normalisation was written as (1, n) at first
    tensors = {
        name.removeprefix(prefix): tensor.squeeze(0) if tensor.dim() == 2 and len(tensor) == 1 else tensor
        for name, tensor in given.items()
    }
    classes = len(tensors.get(f"{_CLASSIFIER}.bias", ()))
    network = BNInception(BNInceptionConfig(given[first].shape[1], classes))
    expected = network.state_dict()
    tensors |= {name: x for name, x in expected.items() if name.endswith(_COUNTED) and name not in tensors}
    load_tensors(network, tensors, str(source))
    return network.eval()
