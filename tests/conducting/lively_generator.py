"""A small generator that moves: one as it is initialised hardly does."""

import torch

from ictus.conducting.models.m2s_gan import Generator, GeneratorConfig


def lively(config: GeneratorConfig, seconds: int = 5) -> Generator:
    """A generator whose batch norms have seen music, so that its input shows in its motion."""
    torch.manual_seed(0)
    generator = Generator(config).train()
    for module in generator.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        generator(torch.rand(2, 90 * seconds, 128), torch.randn(2, seconds, 8))
    torch.nn.init.normal_(generator.head[-2].weight)
    return generator.eval()
