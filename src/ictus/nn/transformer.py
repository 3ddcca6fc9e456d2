"""The pre-norm transformer, of which every part can be asked for some of its tokens only.

Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, with the normalisation before each part (Xiong et
al., "On Layer Normalization in the Transformer Architecture", ICML 2020), no dropout, and GELU by its tanh formula.
"""

from torch import Tensor, nn
from torch.nn import functional as F

ALL = slice(None)


class Attention(nn.Module):
    """Multi-head self-attention in two steps, so that keys and values can come from elsewhere than the queries.

    Parameters
    ----------
    width, heads : channels, and heads.
    scale : of the products of queries and keys before the softmax; (channels of a head) ** -0.5 in Vaswani et al.
    inner : channels that the heads share equally; without it, as many as go in.
    """

    def __init__(self, width: int, heads: int, scale: float, inner: int | None = None) -> None:
        super().__init__()
        self.inner, self.heads, self.scale = inner or width, heads, scale
        self.qkv = nn.Linear(width, 3 * self.inner, bias=False)  # queries | keys | values, each head after head
        self.out = nn.Linear(self.inner, width)

    def project(self, x: Tensor, queries: slice = ALL) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, width) -> queries (B, heads, Q, C) of some tokens, keys and values (B, heads, T, C) of all."""
        if queries == ALL:
            query, key, value = self.qkv(x).chunk(3, -1)
        else:
            query = F.linear(x[:, queries], self.qkv.weight[: self.inner])
            key, value = F.linear(x, self.qkv.weight[self.inner :]).chunk(2, -1)
        return self._by_head(query), self._by_head(key), self._by_head(value)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, heads, Q, C), twice (B, heads, T, C) and a mask (Q, T), true where a token is seen -> (B, Q, width)."""
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=self.scale)
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return out

    def _by_head(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)).

    Parameters
    ----------
    width, heads, scale, inner : of the attention; see there.
    hidden : channels between the two layers of the MLP.
    """

    def __init__(self, width: int, heads: int, hidden: int, scale: float, inner: int | None = None) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=1e-5)
        self.attention = Attention(width, heads, scale, inner)
        self.mlp_norm = nn.LayerNorm(width, eps=1e-5)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU("tanh"), nn.Linear(hidden, width))

    def forward(self, x: Tensor, mask: Tensor | None = None, queries: slice = ALL) -> Tensor:
        """Transform the tokens that are asked for, which attend to all.

        Parameters
        ----------
        x : (B, T, width).
        mask : (T, T), true where a token (row) sees another (column); without it, all see all.
        queries : the Q tokens of the output.

        Returns
        -------
        (B, Q, width).
        """
        query, key, value = self.attention.project(self.attention_norm(x), queries)
        x = x[:, queries] + self.attention.attend(query, key, value, None if mask is None else mask[queries])
        y: Tensor = x + self.mlp(self.mlp_norm(x))
        return y


class Transformer(nn.Module):
    """A stack of blocks, with no normalisation after the last; of no blocks, it is the identity.

    Parameters
    ----------
    layers : how many.
    width, heads, hidden, scale, inner : of each block; see there.
    """

    def __init__(
        self, layers: int, width: int, heads: int, hidden: int, scale: float, inner: int | None = None
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, hidden, scale, inner) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor | None = None, queries: slice = ALL) -> Tensor:
        """(B, T, width) -> (B, Q, width): as `Block.forward`; only the last block can spare the other tokens."""
        last = len(self.blocks) - 1
        for i, block in enumerate(self.blocks):
            x = block(x, mask, queries if i == last else ALL)
        return x if self.blocks else x[:, queries]


def causal_mask(times: Tensor) -> Tensor:
    """Return (T, T) for tokens at `times` (T,): each sees those of its own time and before."""
    return times[:, None] >= times[None, :]
