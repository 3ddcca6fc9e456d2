import pytest
import torch
from torch.nn import functional as F
from torch.nn.utils import parametrize

from ictus.nn.tcn import TCN, TemporalBlock


def lively(network):
    """Weights that matter (fresh ones are tiny), and a batch norm that does something."""
    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            torch.nn.init.normal_(module.parametrizations.weight.original1, std=0.5)
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def test_reach_is_where_the_gradient_ends():
    torch.manual_seed(0)
    network = lively(TCN(3, channels=6, levels=3)).double()
    assert network.reach == (4 + 1) + (8 + 1) + (16 + 1)
    x = torch.randn(1, 3, 101, dtype=torch.float64, requires_grad=True)
    network(x)[0, 50].sum().backward()
    touched = x.grad.abs().sum((0, 1)).nonzero().flatten()
    assert (touched.min().item(), touched.max().item()) == (50 - network.reach, 50 + network.reach)


def test_the_published_size_reaches_258_frames():
    network = TCN(128)
    assert (network.reach, network.shortest) == (258, 65)


def test_padding_by_half_is_padding_fully_and_cutting_half():
    torch.manual_seed(0)
    block = lively(TemporalBlock(4, 6, kernel=5, dilation=4))
    x = torch.randn(2, 4, 60)

    def full_then_cut(conv, x):
        x = F.conv1d(F.pad(x, (16, 16), "reflect"), conv.weight, conv.bias, dilation=4)
        return x[..., 8:-8]

    conv1, norm1, _, conv2, norm2, _, pool = block.net
    y = torch.relu(norm1(full_then_cut(conv1, x)))
    y = pool(torch.relu(norm2(full_then_cut(conv2, y))))
    torch.testing.assert_close(block(x), torch.relu(y + block.skip(x)))


def test_shortest_input():
    network = TCN(3, channels=4, levels=3).eval()
    assert network(torch.rand(1, 3, network.shortest)).shape == (1, network.shortest, 4)
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, network.shortest - 1))


def test_initial_weights_are_small_and_normed():
    torch.manual_seed(0)
    conv = TCN(128).blocks[0].net[0]
    assert conv.weight.std().item() == pytest.approx(0.01, rel=0.05)
    norm = conv.parametrizations.weight.original1.flatten(1).norm(dim=1)
    torch.testing.assert_close(conv.parametrizations.weight.original0.flatten(), norm)


def test_training_reaches_every_weight_and_statistic():
    torch.manual_seed(0)
    network = TCN(3, channels=4, levels=2).train()
    before = network.blocks[1].net[1].running_mean.clone()
    network(torch.randn(2, 3, 40)).square().sum().backward()
    assert not torch.equal(before, network.blocks[1].net[1].running_mean)
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    length, direction = (getattr(network.blocks[0].net[0].parametrizations.weight, f"original{i}") for i in (0, 1))
    assert length.grad.abs().sum() > 0 or direction.grad.abs().sum() > 0
