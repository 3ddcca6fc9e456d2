import torch
from torch import nn

from ictus.training.ema import AveragedWeights


def test_average_is_that_of_the_formula_and_goes_in_and_out():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = AveragedWeights({"a": network}, decay=0.6)
    expected = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    for step in range(8):
        network(torch.randn(5, 3)).square().sum().backward()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter -= 0.1 * parameter.grad
        average.update(step)
        decay = min(0.6, (1 + step) / (10 + step))
        for key, tensor in network.state_dict().items():
            expected[key] = decay * expected[key] + (1 - decay) * tensor
    live = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with average.applied():
        for key, tensor in network.state_dict().items():
            if tensor.is_floating_point():  # BatchNorm's statistics, too
                torch.testing.assert_close(tensor, expected[key])
                assert not torch.equal(tensor, live[key])
            else:
                assert torch.equal(tensor, live[key])
    for key, tensor in network.state_dict().items():
        assert torch.equal(tensor, live[key])
