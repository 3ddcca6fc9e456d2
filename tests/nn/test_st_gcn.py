import pytest
import torch

from ictus.nn.st_gcn import STGCN, STGCNBlock, adjacency

CHAIN = ((0, 1), (1, 2), (2, 3), (3, 4))  # 0 - 1 - 2 - 3 - 4


def test_adjacency_is_normalised_by_column():
    graph = adjacency(CHAIN, 5)
    torch.testing.assert_close(graph.sum(0), torch.ones(5))
    torch.testing.assert_close(graph[:, 0], torch.tensor([1 / 2, 1 / 2, 0, 0, 0]))
    torch.testing.assert_close(graph[:, 2], torch.tensor([0, 1 / 3, 1 / 3, 1 / 3, 0]))


def test_a_block_passes_a_joint_on_to_its_neighbours_only():
    torch.manual_seed(0)
    block = STGCNBlock(2, 4, joints=5, kernel=3, residual=False).eval()
    x = torch.rand(1, 2, 9, 5)  # (B, C, T, J)
    moved = x.clone()
    moved[:, :, 4, 1] += 1
    graph = adjacency(CHAIN, 5)
    changed = (block(moved, graph) - block(x, graph)).abs().amax((0, 1))  # (T, J)
    assert changed[:, [0, 1, 2]].amax(0).min() > 0
    assert changed[:, [3, 4]].max() == 0
    assert changed[3:6].amax(1).min() > 0  # a kernel of three frames
    assert changed[[2, 6]].max() == 0


def test_importance_weighs_the_edges():
    torch.manual_seed(0)
    block = STGCNBlock(2, 4, joints=5, kernel=3, residual=False).eval()
    with torch.no_grad():
        block.importance[0, 1, 2] = 0  # joint 1 no longer reaches joint 2
    x = torch.rand(1, 2, 9, 5)
    moved = x.clone()
    moved[..., 1] += 1
    graph = adjacency(CHAIN, 5)
    changed = (block(moved, graph) - block(x, graph)).abs().amax((0, 1, 2))  # (J,)
    assert changed[2] == 0
    assert changed[0] > 0


def test_residual_from_the_second_block_on():
    network = STGCN(CHAIN, 5, channels=4, blocks=3)
    assert [block.residual for block in network.blocks] == [False, True, True]
    block = network.blocks[1].eval()
    torch.nn.init.zeros_(block.temporal[-1].weight)  # silences everything but the residual
    x = torch.rand(1, 4, 6, 5)
    torch.testing.assert_close(block(x, network.graph), x)


@pytest.mark.parametrize("dims", [2, 3])
def test_shapes_layers_and_gradients(dims):
    torch.manual_seed(0)
    network = STGCN(CHAIN, 5, dims=dims, channels=4, blocks=3)
    positions = torch.rand(2, 7, 5, dims)  # (B, T, J, dims)
    layers = list(network.layers(positions))
    assert [tuple(layer.shape) for layer in layers] == [(2, 4, 7, 5)] * 3
    network(positions).square().sum().backward()
    missing = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A bias in front of a BatchNorm has no effect, so its gradient is zero up to rounding; it must still be there.
    assert [name for name in missing if not name.endswith("bias")] == []


def test_coordinates_are_normalised_joint_by_joint():
    """The batch norm's channels are joint 0 x, joint 0 y, joint 1 x ..."""
    network = STGCN(CHAIN, 5, channels=4, blocks=1).eval()
    positions = torch.rand(1, 6, 5, 2)
    before = network(positions)
    raised = positions.clone()
    raised[:, :, 4] += 0.25
    changed = (network(raised) - before).abs().amax((0, 1, 2))  # (J,): joint 4 hangs on joint 3 alone
    assert changed[:3].max() == 0
    assert changed[3:].min() > 0
    network.norm.running_mean[2 * 3 + 1] = 0.25  # y of joint 3
    moved = positions.clone()
    moved[:, :, 3, 1] += 0.25
    torch.testing.assert_close(network(moved), before)
