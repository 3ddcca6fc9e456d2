"""Several devices: how they start, share weights, and train as one.

Each process trains the same networks on its part of the batch. After each back-propagation the loop averages the
gradients over the processes. It does so itself, and the networks stay as they are, because a task may call them in any
way: other methods than `forward`, a discriminator three times in one loss, gradients of gradients. Very large networks
can be sharded instead (FSDP): each process then keeps a part of every weight, and networks must be called by `forward`.
"""

import gc
import logging
import os
import warnings
from collections.abc import Iterable
from typing import Literal

import torch
import torch.distributed as dist
from lightning.fabric import Fabric
from lightning.fabric.strategies.ddp import DDPStrategy
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn

from ictus.errors import UsageError
from ictus.training.memory import keep_freed_memory
from ictus.training.recipe import Training

Strategy = Literal["ddp", "fsdp"]


def launch(
    training: Training, *, devices: int = 1, nodes: int = 1, accelerator: str = "auto", strategy: Strategy = "ddp"
) -> Fabric:
    """Start the processes; each returns here with its device.

    Under torchrun or SLURM the processes are there already; torchrun's own numbers take precedence over `devices` and
    `nodes`. Otherwise this program starts itself again for each further device. On several nodes, start it on each with
    MASTER_ADDR, MASTER_PORT and NODE_RANK in the environment.

    Raises
    ------
    UsageError
        If there are not as many devices, or the batch cannot be divided among them.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        devices, nodes = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["GROUP_WORLD_SIZE"])
    if devices < 1 or nodes < 1:
        raise UsageError(f"{devices} devices on {nodes} nodes; at least 1 of each is needed")
    world = devices * nodes
    if training.batch % (world * training.accumulate):
        parts = f"{world} devices" + (f" x {training.accumulate} parts" if training.accumulate > 1 else "")
        raise UsageError(f"training.batch is {training.batch}, which cannot be divided among {parts}")
    if strategy == "fsdp" and training.precision == "16-mixed":
        raise UsageError("the strategy fsdp cannot scale losses for 16-mixed; set training.precision=bf16-mixed")
    if training.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    for name in ("lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*fp16 is not supported on CPU")  # said below
            fabric = Fabric(
                accelerator=accelerator,
                devices=devices,
                num_nodes=nodes,
                strategy=DDPStrategy() if world > 1 else "auto",
                precision=training.precision,
            )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise UsageError(f"{devices} devices of the accelerator {accelerator!r}: {error}", option="devices") from error
    if training.precision == "16-mixed" and fabric.device.type == "cpu":
        raise UsageError("training.precision 16-mixed needs a GPU; bf16-mixed works on a CPU, too")
    if training.sync_batch_norm and world > 1 and fabric.device.type != "cuda":
        raise UsageError("training.sync_batch_norm works on GPUs only; set it to false")
    if fabric.device.type == "cpu":
        keep_freed_memory()
    fabric.launch()
    return fabric


def part() -> None:
    """Let the processes go, once all is done: one that ends while its connections live is now and then aborted.

    So none goes before all have arrived, and what still holds a connection is collected before the interpreter ends.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
        gc.collect()


def place(fabric: Fabric, networks: Iterable[nn.Module], training: Training, strategy: Strategy) -> None:
    """Bring networks to the device of this process, with the weights of the first process."""
    for network in networks:
        if training.sync_batch_norm and fabric.world_size > 1:
            nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        network.to(fabric.device)
        if fabric.world_size > 1:
            for tensor in network.state_dict().values():
                whole = tensor.contiguous()
                dist.broadcast(whole, 0)
                tensor.copy_(whole)
            if strategy == "fsdp":
                _shard(fabric, network)


def freeze(fabric: Fabric, networks: Iterable[nn.Module]) -> None:
    """Bring networks to the device that are used, but not trained."""
    for network in networks:
        network.to(fabric.device).eval().requires_grad_(False)


def _shard(fabric: Fabric, network: nn.Module) -> None:
    """Shard a network in place, the entries of its ModuleLists one by one, so that only one is whole at a time."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(fabric.device.type, (fabric.world_size,))
    for module in reversed(list(network.modules())):
        if isinstance(module, nn.ModuleList):
            for block in module:
                fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


def average(fabric: Fabric, tensors: list[Tensor]) -> None:
    """Replace tensors by their means over the processes, which must all pass the same; those sharded are left alone."""
    whole = [tensor for tensor in tensors if not hasattr(tensor, "full_tensor")]
    if fabric.world_size == 1 or not whole:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in whole])
    dist.all_reduce(flat)
    flat /= fabric.world_size
    for tensor, mean in zip(whole, torch.split(flat, [tensor.numel() for tensor in whole]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def average_buffers(fabric: Fabric, networks: Iterable[nn.Module]) -> None:
    """Average what the processes have gathered about their parts of the data, such as BatchNorm's statistics."""
    average(fabric, [buffer for network in networks for buffer in network.buffers() if buffer.is_floating_point()])
