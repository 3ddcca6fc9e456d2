"""The partitioned unit of ST-GCN, against sums written out joint by joint."""

from collections import deque

import numpy as np
import pytest
import torch

from ictus.nn.st_gcn import PartitionedBlock, hop_partitions
from ictus.skeleton import get_skeleton
from tolerance import close

CHAIN = ((0, 1), (1, 2), (2, 3), (3, 4))  # 0 - 1 - 2 - 3 - 4


def distances(bones: tuple[tuple[int, int], ...], joints: int) -> np.ndarray:
    """Bones from each joint to each, by walking outwards."""
    found = np.full((joints, joints), 99)
    for start in range(joints):
        queue = deque([(start, 0)])
        while queue:
            joint, far = queue.popleft()
            if far < found[start, joint]:
                found[start, joint] = far
                queue += [(b if a == joint else a, far + 1) for a, b in bones if joint in (a, b)]
    return found


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_partitions_are_rings_of_one_normalised_graph(hops: int) -> None:
    body = get_skeleton("solos-47")
    parts = hop_partitions(body.bones, len(body), hops).numpy()
    far = distances(body.bones, len(body))
    assert parts.shape == (hops + 1, 47, 47)
    close(parts.sum((0, 1)), 1)
    for hop, part in enumerate(parts):
        assert ((part > 0) == (far == hop)).all()
    around = (far <= hops).sum(0)
    np.testing.assert_allclose(parts.sum(0).max(0), 1 / around, rtol=1e-6)


def test_a_unit_is_what_the_paper_writes() -> None:
    """Each joint gathers from each ring with that ring's own weights, times how much the edge counts."""
    torch.manual_seed(0)
    unit = PartitionedBlock(2, 4, joints=5, kernel=3, partitions=3, residual=False)
    unit.importance.data.uniform_(0, 2)
    graphs = hop_partitions(CHAIN, 5, 2)
    x = torch.randn(1, 2, 6, 5)
    seen = []
    unit.temporal[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    unit(x, graphs)
    weight, bias = unit.spatial.weight[:, :, 0, 0], unit.spatial.bias
    for joint in range(5):
        gathered = sum(
            graphs[k, other, joint]
            * unit.importance[k, other, joint]
            * (weight[4 * k : 4 * k + 4] @ x[0, :, 2, other] + bias[4 * k : 4 * k + 4])
            for k in range(3)
            for other in range(5)
        )
        torch.testing.assert_close(seen[0][0, :, 2, joint], gathered)


@pytest.mark.parametrize(("stride", "frames"), [(1, 15), (2, 8)])
@pytest.mark.parametrize("outputs", [4, 6])
def test_sizes_residuals_and_gradients(stride: int, frames: int, outputs: int) -> None:
    torch.manual_seed(0)
    unit = PartitionedBlock(4, outputs, joints=5, kernel=9, partitions=3, stride=stride, dropout=0.5)
    graphs, x = hop_partitions(CHAIN, 5, 2), torch.rand(2, 4, 15, 5)
    y = unit(x, graphs)
    assert y.shape == (2, outputs, frames, 5)
    y.square().sum().backward()
    assert all(p.grad is not None for p in unit.parameters())
    unit.eval()
    torch.nn.init.zeros_(unit.temporal[-1].weight)  # silences everything but the residual
    if stride == 1 and outputs == 4:
        torch.testing.assert_close(unit(x, graphs), x)
    else:
        torch.testing.assert_close(unit(x, graphs), unit.skip(x).relu())


def test_dropout_is_for_training_alone() -> None:
    torch.manual_seed(0)
    unit = PartitionedBlock(2, 4, joints=5, kernel=3, partitions=2, dropout=0.5)
    graphs, x = hop_partitions(CHAIN, 5, 1), torch.rand(1, 2, 6, 5)
    assert not torch.equal(unit(x, graphs), unit(x, graphs))
    unit.eval()
    assert torch.equal(unit(x, graphs), unit(x, graphs))
