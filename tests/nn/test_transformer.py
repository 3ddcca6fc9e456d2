"""The transformer block against a float64 oracle in NumPy that spells out its definition."""

import math

import numpy as np
import pytest
import torch

from ictus.nn.transformer import Block, Transformer, causal_mask
from tolerance import close

WIDTH, HEADS, HIDDEN = 12, 3, 20


def weights(block: Block) -> dict[str, np.ndarray]:
    return {name: tensor.detach().double().numpy() for name, tensor in block.named_parameters()}


def norm(x: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * gain + bias


def by_definition(w: dict[str, np.ndarray], x: np.ndarray, scale: float, mask: np.ndarray | None = None) -> np.ndarray:
    """One sequence (T, width) through one block, head by head."""
    y = norm(x, w["attention_norm.weight"], w["attention_norm.bias"]) @ w["attention.qkv.weight"].T
    size = WIDTH // HEADS
    heads = []
    for h in range(HEADS):
        query, key, value = (y[:, part * WIDTH + h * size : part * WIDTH + (h + 1) * size] for part in range(3))
        dots = query @ key.T * scale
        if mask is not None:
            dots = np.where(mask, dots, -np.inf)
        share = np.exp(dots - dots.max(-1, keepdims=True))
        heads.append(share / share.sum(-1, keepdims=True) @ value)
    x = x + np.concatenate(heads, -1) @ w["attention.out.weight"].T + w["attention.out.bias"]
    y = norm(x, w["mlp_norm.weight"], w["mlp_norm.bias"]) @ w["mlp.0.weight"].T + w["mlp.0.bias"]
    y = 0.5 * y * (1 + np.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)))
    return x + y @ w["mlp.2.weight"].T + w["mlp.2.bias"]


@pytest.fixture
def block() -> Block:
    torch.manual_seed(0)
    block = Block(WIDTH, HEADS, HIDDEN, scale=WIDTH**-0.5)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return block.eval()


@pytest.mark.parametrize("masked", [False, True])
def test_block_is_its_definition(block: Block, masked: bool) -> None:
    x = torch.randn(2, 7, WIDTH)
    mask = causal_mask(torch.arange(7)) if masked else None
    made = block(x, mask).detach().numpy()
    for k in range(2):
        expected = by_definition(weights(block), x[k].double().numpy(), WIDTH**-0.5, mask)
        close(made[k], expected, layers=8)


@pytest.mark.parametrize("queries", [slice(0, 3), slice(6, 7), slice(2, 5)])
@pytest.mark.parametrize("masked", [False, True])
def test_some_tokens_are_those_of_all(queries: slice, masked: bool) -> None:
    torch.manual_seed(0)
    stack = Transformer(3, WIDTH, HEADS, HIDDEN, 0.3)
    x = torch.randn(2, 7, WIDTH)
    mask = causal_mask(torch.arange(7)) if masked else None
    close(stack(x, mask, queries), stack(x, mask)[:, queries], layers=20)
    assert stack(x, mask, queries).shape == (2, queries.stop - queries.start, WIDTH)


def test_no_blocks_change_nothing() -> None:
    x = torch.randn(2, 7, WIDTH)
    assert torch.equal(Transformer(0, WIDTH, HEADS, HIDDEN, 0.3)(x, None, slice(1, 3)), x[:, 1:3])


def test_causal_tokens_see_their_own_time_and_before() -> None:
    torch.manual_seed(0)
    stack = Transformer(2, WIDTH, HEADS, HIDDEN, 0.3)
    times = torch.tensor([0, 1, 2, 0, 1, 2, 3])  # two streams on one clock
    x = torch.randn(1, 7, WIDTH)
    changed = x.clone()
    changed[:, 5] += 1  # at time 2
    before, after = stack(x, causal_mask(times)), stack(changed, causal_mask(times))
    same = [bool(torch.equal(before[0, k], after[0, k])) for k in range(7)]
    assert same == [True, True, False, True, True, False, False]


def test_cached_keys_would_give_the_same(block: Block) -> None:
    """Token by token, with the keys and values of those before kept: what a decoder does."""
    x = torch.randn(1, 5, WIDTH)
    normed = block.attention_norm(x)
    whole = block.attention.attend(*block.attention.project(normed), causal_mask(torch.arange(5)))
    keys, values = [], []
    for t in range(5):
        query, key, value = block.attention.project(normed[:, t : t + 1])
        keys.append(key)
        values.append(value)
        step = block.attention.attend(query, torch.cat(keys, 2), torch.cat(values, 2))
        close(step, whole[:, t : t + 1], layers=4)
