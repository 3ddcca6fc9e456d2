"""ST-GCN: convolutions over a skeleton's graph and over time.

Source: Yan, Xiong & Lin, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action Recognition",
AAAI 2018, sections 3.2-3.4. `STGCN` has the uni-labelling partition (one subset: a joint and its neighbours);
`PartitionedBlock` separates joints by their distance (section 3.3, distance partitioning), and may shorten time.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn


def adjacency(bones: Iterable[tuple[int, int]], joints: int) -> Tensor:
    """Return the graph's normalised adjacency A D^-1, (J, J): bones both ways plus self loops, columns summing to 1."""
    graph = torch.eye(joints, dtype=torch.float64)
    for a, b in bones:
        graph[a, b] = graph[b, a] = 1
    return (graph / graph.sum(0)).float()


def hop_partitions(bones: Iterable[tuple[int, int]], joints: int, hops: int) -> Tensor:
    """Return (hops + 1, J, J): of one normalised adjacency, the part of those that are 0, 1, 2 ... bones away.

    All joints within `hops` bones count as neighbours; the sum of the parts has columns that sum to 1.
    """
    near = torch.eye(joints, dtype=torch.float64)
    for a, b in bones:
        near[a, b] = near[b, a] = 1
    reached = torch.stack([torch.linalg.matrix_power(near, hop) > 0 for hop in range(hops + 1)])
    rings = reached.double()
    rings[1:] -= reached[:-1].double()
    return (rings / reached[-1].sum(0)).float()


class STGCNBlock(nn.Module):
    """One ST-GCN unit: a convolution over the graph, then one over time, then the residual (section 3.4).

    Parameters
    ----------
    inputs, outputs : channels.
    joints : J.
    kernel : frames that the temporal convolution sees; odd.
    residual : whether the input is added before the last ReLU; needs inputs == outputs.
    """

    def __init__(self, inputs: int, outputs: int, joints: int, kernel: int, residual: bool = True) -> None:
        super().__init__()
        self.residual = residual
        self.spatial = nn.Conv2d(inputs, outputs, 1)
        self.importance = nn.Parameter(torch.ones(1, joints, joints))  # learnable edge weights, section 3.3
        self.temporal = nn.Sequential(
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, (kernel, 1), padding=(kernel // 2, 0)),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        """(B, inputs, T, J) and (J, J) -> (B, outputs, T, J)."""
        y = self.spatial(x) @ (graph * self.importance)  # (B, C, T, J): every joint gathers from its neighbours
        y = self.temporal(y)
        return torch.relu(y + x if self.residual else y)


class STGCN(nn.Module):
    """A stack of ST-GCN units behind a batch norm over all coordinates; keeps the frame rate.

    Parameters
    ----------
    bones, joints : the graph.
    dims : coordinates per joint.
    channels, blocks, kernel : width, depth, and frames per temporal convolution.
    """

    graph: Tensor

    def __init__(
        self,
        bones: Iterable[tuple[int, int]],
        joints: int,
        dims: int = 2,
        channels: int = 32,
        blocks: int = 10,
        kernel: int = 3,
    ) -> None:
        super().__init__()
        self.register_buffer("graph", adjacency(bones, joints), persistent=False)
        self.norm = nn.BatchNorm1d(joints * dims)
        self.blocks = nn.ModuleList(
            STGCNBlock(channels if i else dims, channels, joints, kernel, residual=i > 0) for i in range(blocks)
        )

    def layers(self, positions: Tensor) -> Iterator[Tensor]:
        """(B, T, J, dims) -> the output of each block in turn, (B, C, T, J)."""
        batch, frames, joints, dims = positions.shape
        x: Tensor = self.norm(positions.flatten(2).transpose(1, 2))  # (B, J * dims, T)
        x = x.view(batch, joints, dims, frames).permute(0, 2, 3, 1)  # (B, dims, T, J)
        for block in self.blocks:
            x = block(x, self.graph)  # (B, C, T, J)
            yield x

    def forward(self, positions: Tensor) -> Tensor:
        """(B, T, J, dims) -> (B, C, T, J)."""
        return deque(self.layers(positions), maxlen=1)[0]


class PartitionedBlock(nn.Module):
    """An ST-GCN unit with weights of its own for each partition, dropout, and a stride over time.

    Parameters
    ----------
    inputs, outputs : channels.
    joints : J.
    kernel : frames that the temporal convolution sees; odd.
    partitions : K.
    stride : frames into one.
    dropout : between the two convolutions.
    residual : whether the input, projected where its size differs, is added before the last ReLU.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        joints: int,
        kernel: int,
        partitions: int,
        stride: int = 1,
        dropout: float = 0.0,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(inputs, partitions * outputs, 1)
        self.importance = nn.Parameter(torch.ones(partitions, joints, joints))  # learnable edge weights, section 3.3
        self.temporal = nn.Sequential(
            *(nn.BatchNorm2d(outputs), nn.ReLU(), nn.Dropout(dropout)),
            nn.Conv2d(outputs, outputs, (kernel, 1), (stride, 1), (kernel // 2, 0)),
            nn.BatchNorm2d(outputs),
        )
        self.skip: nn.Module | None = nn.Identity() if residual else None
        if residual and (inputs != outputs or stride > 1):
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, (stride, 1)), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor, graphs: Tensor) -> Tensor:
        """(B, inputs, T, J) and (K, J, J) -> (B, outputs, T / stride rounded up, J)."""
        parts = self.spatial(x).unflatten(1, (len(graphs), -1))  # (B, K, C, T, J)
        y = torch.einsum("bkctj,kji->bcti", parts, graphs * self.importance)
        y = self.temporal(y)
        return torch.relu(y if self.skip is None else y + self.skip(x))
