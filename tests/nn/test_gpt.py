"""The causal transformer: against its definition, with the cache and without."""

import math

import pytest
import torch
from torch import Tensor, nn

from ictus.errors import ModelError
from ictus.nn.gpt import GPT
from tolerance import close

WIDTH, HEADS, HIDDEN, ROOM = 16, 4, 32, 12


@pytest.fixture
def gpt() -> GPT:
    torch.manual_seed(0)
    network = GPT(3, WIDTH, HEADS, HIDDEN, ROOM)
    for parameter in network.parameters():  # far from where biases and positions are zero
        nn.init.normal_(parameter, std=0.3)
    return network.eval()


def tokens(batch: int, count: int, seed: int = 1) -> Tensor:
    return torch.randn(batch, count, WIDTH, generator=torch.Generator().manual_seed(seed))


def by_definition(network: GPT, x: Tensor) -> Tensor:
    """Token after token and head after head, from the formulas."""
    x = x + network.positions[: x.shape[1]]
    for block in network.blocks:
        normed = block.attention_norm(x)
        query, key, value = block.attention.qkv(normed).split(WIDTH, -1)
        out = torch.zeros_like(x)
        size = WIDTH // HEADS
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for t in range(x.shape[1]):
                scores = (key[:, : t + 1, part] @ query[:, t, part, None])[..., 0] / math.sqrt(size)
                out[:, t, part] = (scores.softmax(-1)[:, :, None] * value[:, : t + 1, part]).sum(1)
        x = x + block.attention.out(out)
        first, _, second = block.mlp
        hidden = first(block.mlp_norm(x))
        x = x + second(hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2))))
    return network.norm(x)


def test_by_definition(gpt: GPT) -> None:
    x = tokens(2, 7)
    y, cache = gpt(x)
    assert cache is None
    close(y, by_definition(gpt, x), layers=20)


@pytest.mark.parametrize("parts", [[1] * 12, [12], [5, 1, 1, 5], [1, 4, 7], [3, 9]])
def test_with_the_cache_it_is_the_same(gpt: GPT, parts: list[int]) -> None:
    x = tokens(2, 12)
    whole, _ = gpt(x)
    cache, made = gpt.cache(2), []
    for part in x.split(parts, 1):
        y, same = gpt(part, cache)
        assert same is cache
        made.append(y)
    assert cache.length == 12
    close(torch.cat(made, 1), whole, layers=20)


def test_a_copy_goes_its_own_way(gpt: GPT) -> None:
    start, one, other = tokens(1, 4), tokens(1, 1, 2), tokens(1, 1, 3)
    cache = gpt.cache(1)
    gpt(start, cache)
    copy = cache.copy()
    gpt(one, cache)
    y, _ = gpt(other, copy)
    close(y, gpt(torch.cat((start, other), 1))[0][:, -1:], layers=20)


def test_nobody_sees_the_future(gpt: GPT) -> None:
    x = tokens(1, 9)
    changed = x.clone()
    changed[:, 5] += 1
    differs = (gpt(x)[0] != gpt(changed)[0]).any(-1)[0]
    assert differs.tolist() == [k >= 5 for k in range(9)]


def test_no_more_than_there_is_room_for(gpt: GPT) -> None:
    with pytest.raises(ModelError, match="13 tokens; there is room for 12"):
        gpt(tokens(1, 13))
    cache = gpt.cache(1, 4)
    gpt(tokens(1, 3), cache)
    with pytest.raises(ModelError, match="5 tokens; there is room for 4"):
        gpt(tokens(1, 2), cache)
    with pytest.raises(ModelError, match="13 tokens; there are 12"):
        gpt.cache(1, 13)


def test_the_cache_is_of_the_weights_type(gpt: GPT) -> None:
    half = gpt.to(torch.bfloat16)
    cache = half.cache(3, 6)
    assert cache.keys.dtype == torch.bfloat16
    assert cache.keys.shape == cache.values.shape == (3, 3, HEADS, 6, WIDTH // HEADS)
    y, _ = half(tokens(3, 2).bfloat16(), cache)
    assert y.dtype == torch.bfloat16


def test_heads_may_have_channels_of_their_own() -> None:
    torch.manual_seed(0)
    network, x = GPT(2, WIDTH, HEADS, HIDDEN, ROOM, inner=24).eval(), tokens(2, 5)
    assert network.blocks[0].attention.qkv.weight.shape == (3 * 24, WIDTH)
    cache = network.cache(2)
    steps = torch.cat([network(x[:, k : k + 1], cache)[0] for k in range(5)], 1)
    assert cache.keys.shape == (2, 2, HEADS, ROOM, 6)
    close(steps, network(x)[0], layers=20)


def test_published_blocks_and_initialisation() -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        published = GPT(1, 1024, 16, 4096, 318)
    assert sum(p.numel() for p in published.blocks.parameters()) == 12_596_224
    network = GPT(1, 128, 4, 512, 10)
    assert not network.positions.any()
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any()
        elif "norm" not in name and name != "positions":
            assert parameter.detach().std().item() == pytest.approx(0.02, rel=0.03)


def test_dropout_is_of_training_alone() -> None:
    torch.manual_seed(0)
    network, x = GPT(2, WIDTH, HEADS, HIDDEN, ROOM, dropout=0.5), tokens(1, 5)
    assert not torch.equal(network(x)[0], network(x)[0])
    network.eval()
    assert torch.equal(network(x)[0], network(x)[0])
