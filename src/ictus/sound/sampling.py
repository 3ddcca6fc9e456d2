"""Sampling: codes drawn one after the other, for a piece of any length.

A window of 53 columns slides along the piece, and the features of the performance move along with it; the columns that
it has in common with the window before are those that have just been drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from ictus.errors import UsageError
from ictus.sound.models.codebook import column_major, from_column_major
from ictus.sound.models.soloist import SoloistTransformer
from ictus.types import Progress


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn.

    Attributes
    ----------
    temperature : by which logits are divided; 0 takes the likeliest token.
    top_k : draw among so many of the likeliest; published: half of the codes.
    top_p : draw among the likeliest that together have this probability.
    guidance : how far the condition counts more than in training: logits are moved away from those without a condition,
        by so many times their difference; 1 leaves them. For soloists that were also trained without. Source:
        Ho & Salimans, "Classifier-Free Diffusion Guidance", 2022.
    hop : columns by which the window moves; by default half of its own.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    guidance: float = 1.0
    hop: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < inf:
            raise UsageError(f"temperature is {self.temperature:g}; it must be 0 or more")
        if self.top_k is not None and self.top_k < 1:
            raise UsageError(f"top_k is {self.top_k}; at least one token is needed")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is {self.top_p:g}; it is a probability over 0")
        if not 0 <= self.guidance < inf:
            raise UsageError(f"guidance is {self.guidance:g}; it must be 0 or more")
        if self.hop is not None and self.hop < 1:
            raise UsageError(f"hop is {self.hop}; the window must move by a column at least")


@torch.inference_mode()
def generate_codes(
    network: SoloistTransformer,
    features: Mapping[str, Tensor | None],
    rates: Mapping[str, float],
    columns: int,
    *,
    sampling: Sampling | None = None,
    seed: int = 0,
    batch: int | None = None,
    prompt: Tensor | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Sample the codes of a piece. The network should be in eval mode; it computes where its weights are.

    Parameters
    ----------
    features, rates, batch : of the whole piece, on any device; see `SoloistTransformer.condition`.
    columns : length of the piece, 5.38 a second.
    sampling : how tokens are drawn.
    seed : of what is drawn; the same one gives the same piece, on the same machine.
    prompt : (B, bands, n) codes with which the piece begins.
    progress : called with the fraction done.

    Returns
    -------
    (B, bands, columns) int64 codes, as `SpectrogramCodebook.decode` takes them.

    Raises
    ------
    UsageError
        If the length, the hop, or the shape of the prompt is impossible.
    """
    sampling = sampling or Sampling()
    config = network.config
    if columns < 1:
        raise UsageError(f"{columns} columns; at least one is needed")
    hop = sampling.hop or max(1, config.columns // 2)
    if hop > config.columns:
        raise UsageError(f"hop is {hop}; the window has {config.columns} columns")
    device = network.embedding.weight.device
    features = {name: None if value is None else value.to(device) for name, value in features.items()}
    whole = network.condition(features, rates, batch=batch or (None if prompt is None else len(prompt)))
    tokens = torch.zeros(len(whole), config.bands * columns, dtype=torch.long, device=device)
    done = 0
    if prompt is not None:
        first = _prompt_tokens(prompt, network, len(whole), columns)
        done = first.shape[1]
        tokens[:, :done] = first
    generator = torch.Generator().manual_seed(seed)

    start = 0
    while done < tokens.shape[1]:
        end = min(start + config.columns, columns) * config.bands
        if done < end:
            condition = network.condition(features, rates, start, len(tokens))
            guided = sampling.guidance != 1 and network.numbers > 0
            if guided:  # the same twice, the second time without a condition
                condition = torch.cat((condition, network.without(condition)))
            copies = 1 + guided
            logits, state = network.prefill(condition, tokens[:, start * config.bands : done].repeat(copies, 1))
            while True:
                tokens[:, done] = sample_token(
                    _guided(logits, sampling.guidance) if guided else logits, sampling, generator
                )
                done += 1
                if progress is not None:
                    progress(done / tokens.shape[1])
                if done == end:
                    break
                logits = network.step(tokens[:, done - 1].repeat(copies), state)
        start = min(start + hop, max(0, columns - config.columns))  # the last window ends with the piece
    return from_column_major(tokens, config.bands)


def _guided(logits: Tensor, guidance: float) -> Tensor:
    """(2 B, codes), with and without a condition -> (B, codes)."""
    conditional, unconditional = logits.chunk(2)
    return unconditional + guidance * (conditional - unconditional)


def sample_token(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """(B, codes) -> (B,), drawn on the CPU, so that every device draws the same."""
    scores = logits.float().cpu()  # (B, codes)
    if sampling.temperature == 0:
        return scores.argmax(-1).to(logits.device)
    scores = limit_logits(scores / sampling.temperature, sampling.top_k, sampling.top_p)
    return torch.multinomial(scores.softmax(-1), 1, generator=generator)[:, 0].to(logits.device)


def limit_logits(logits: Tensor, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """Return logits (B, codes) with minus infinity for what is not among the likeliest.

    Of equally likely tokens at the limit, the first are taken. At least one token remains.
    """
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    out = torch.zeros_like(ordered, dtype=torch.bool)
    if top_k is not None:
        out[:, top_k:] = True
    if top_p is not None:
        share = ordered.masked_fill(out, -torch.inf).softmax(-1)
        out |= share.cumsum(-1) - share >= top_p  # those before it have that much already
    return logits.masked_fill(torch.zeros_like(out).scatter(-1, order, out), -torch.inf)


def _prompt_tokens(prompt: Tensor, network: SoloistTransformer, batch: int, columns: int) -> Tensor:
    """(B, bands, n) -> (B, bands * n)."""
    config = network.config
    shape = tuple(prompt.shape)
    if prompt.dim() != 3 or shape[:2] != (batch, config.bands) or shape[2] > columns:
        raise UsageError(f"a prompt of codes of shape {shape}; ({batch}, {config.bands}, up to {columns}) needed")
    if prompt.numel() and not 0 <= int(prompt.min()) <= int(prompt.max()) < config.codes:
        raise UsageError(f"a prompt of codes {int(prompt.min())} to {int(prompt.max())}; there are {config.codes}")
    return column_major(prompt)
