import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm

from ictus.nn.folding import fold
from tolerance import close


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat = nn.Sequential(weight_norm(nn.Conv1d(3, 5, 3, padding=1)), nn.BatchNorm1d(5), nn.ReLU())
        self.image = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.BatchNorm2d(4))

    def forward(self, x):
        return self.image(self.flat(x).unsqueeze(1))


def trained():
    torch.manual_seed(0)
    network = Net().train()
    for _ in range(20):
        network(3 * torch.randn(4, 3, 30) + 1)
    for norm in (network.flat[1], network.image[1]):
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    return network


def test_folded_computes_the_same_with_less():
    network = trained()
    folded = fold(network)
    x = torch.randn(2, 3, 30)
    close(folded(x), network.eval()(x), layers=4)
    assert not any(parametrize.is_parametrized(module) for module in folded.modules())
    assert isinstance(folded.flat[1], nn.Identity)
    assert isinstance(folded.image[1], nn.Identity)
    assert isinstance(folded.image[3], nn.BatchNorm2d)  # follows a ReLU: nothing to fold it into
    assert not folded.training
    assert not any(p.requires_grad for p in folded.parameters())


def test_the_network_is_left_alone():
    network = trained()
    x = torch.randn(2, 3, 30)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold(network)
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    network.double()(x.double()).sum().backward()  # still parametrised, still trainable
    assert network.flat[0].parametrizations.weight.original0.grad is not None
