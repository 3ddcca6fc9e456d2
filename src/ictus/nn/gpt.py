"""The causal transformer that continues a sequence, with a cache, so that each new token costs one token's work.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, in the form of minGPT: a
normalisation before each part and after the last block, one table of learned positions, GELU, biases in every linear
layer. The initial weights are drawn from N(0, 0.02); positions begin at zero.
"""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError


class Cache:
    """Keys and values of the tokens so far, of every layer, in memory that is taken once.

    Attributes
    ----------
    keys, values : (layers, B, heads, room, C).
    length : tokens that it holds.
    """

    def __init__(self, keys: Tensor, values: Tensor, length: int = 0) -> None:
        self.keys, self.values, self.length = keys, values, length

    @property
    def room(self) -> int:
        """Tokens that it can hold."""
        return self.keys.shape[3]

    def copy(self) -> Self:
        """Return another one that can go on from here in its own way."""
        return type(self)(self.keys.clone(), self.values.clone(), self.length)


class CausalAttention(nn.Module):
    """Multi-head self-attention in which each token sees itself and those before it."""

    def __init__(self, width: int, heads: int, dropout: float, inner: int) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * inner)  # channels: queries | keys | values, each head after head
        self.out = nn.Linear(inner, width)

    def forward(self, x: Tensor, cache: Cache | None, layer: int) -> Tensor:
        """(B, T, width) -> the same; the cache holds the tokens before, and these are written after them."""
        new = x.shape[1]
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        mask = None  # (B, heads, T, C) each
        if cache is not None:
            before, after = cache.length, cache.length + new
            cache.keys[layer, :, :, before:after] = key
            cache.values[layer, :, :, before:after] = value
            key, value = cache.keys[layer, :, :, :after], cache.values[layer, :, :, :after]
            if before and new > 1:
                mask = torch.ones(new, after, dtype=torch.bool, device=x.device).tril(before)
        dropout = self.dropout if self.training else 0.0
        # of a single token, or of a mask, nothing is left to hide
        causal = mask is None and new > 1
        seen = F.scaled_dot_product_attention(query, key, value, mask, dropout, causal)
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return out


class GPTBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, inner: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads, dropout, inner)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, cache: Cache | None, layer: int) -> Tensor:
        """(B, T, width) -> the same."""
        x = x + self.dropout(self.attention(self.attention_norm(x), cache, layer))
        y: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return y


class GPT(nn.Module):
    """A stack of causal blocks over tokens that are embedded already; what they mean is the caller's.

    Parameters
    ----------
    layers, width, heads, hidden : blocks, channels, heads, channels within each MLP.
    positions : the longest sequence.
    dropout : of the embedded tokens, of attention, and after each part.
    inner : channels that the heads share equally; without it, as many as a token has.
    """

    def __init__(
        self,
        layers: int,
        width: int,
        heads: int,
        hidden: int,
        positions: int,
        dropout: float = 0.0,
        inner: int | None = None,
    ) -> None:
        super().__init__()
        self.heads, self.inner = heads, inner or width
        self.positions = nn.Parameter(torch.zeros(positions, width))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(GPTBlock(width, heads, hidden, dropout, self.inner) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(draw)

    def forward(self, x: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache | None]:
        """Transform tokens, each of which attends to itself, those before it, and all that the cache holds.

        Parameters
        ----------
        x : (B, T, width), embedded, without positions.
        cache : of the tokens before, from `cache` or an earlier call; the new ones are added to it. Without it, the
            sequence begins here, and nothing is kept.

        Returns
        -------
        (B, T, width), normalised; and the cache.

        Raises
        ------
        ModelError
            If the sequence grows longer than the positions, or than the cache's room.
        """
        before = 0 if cache is None else cache.length
        after = before + x.shape[1]
        room = len(self.positions) if cache is None else cache.room
        if after > room:
            raise ModelError(f"a sequence of {after} tokens; there is room for {room}")
        x = self.dropout(x + self.positions[before:after])
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache is not None:
            cache.length = after
        return self.norm(x), cache

    def cache(self, batch: int, room: int | None = None) -> Cache:
        """Return an empty cache for so many sequences, of the weights' type and on their device.

        Raises
        ------
        ModelError
            If the room is more than there are positions.
        """
        count = len(self.positions)
        room = count if room is None else room
        if room > count:
            raise ModelError(f"a cache for {room} tokens; there are {count} positions")
        shape = (len(self.blocks), batch, self.heads, room, self.inner // self.heads)
        return Cache(self.positions.new_zeros(shape), self.positions.new_zeros(shape))


def draw(module: nn.Module) -> None:
    """Draw the weights of a linear layer or an embedding from N(0, 0.02); its biases are zero."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
