"""The soloist: features of a performance -> the codes of its sound, one after the other.

Codes stand column by column, each from the lowest bands to the highest: token k is band k % 5 of column k // 5, a
column being 16 frames of mel80, 185.8 ms. A window has 53 columns.

Source: Iashin & Rahtu, "Taming Visually Guided Sound Generation", BMVC 2021, section 3.2: rows of features, projected,
then the tokens, all causal, with no start token: the last row of features predicts the first token. The size is the one
that was published for Solos, with keypoint features beside those of the pictures. Ours may lay features and tokens side
by side instead (`interleaved`): each token is predicted from the features of its own column, however long the piece.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError, UsageError
from ictus.nn.gpt import GPT, Cache, draw
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.skeleton import get_skeleton
from ictus.sound import INSTRUMENTS, KEYPOINT_RATE, MEL_RATE
from ictus.sound.models.codebook import COLUMNS, FACTOR
from ictus.sound.models.keypoint_encoder import normalised_points

ConditionName = Literal["rgb", "flow", "keypoints", "instrument"]

PICTURE_FEATURES = 1024  # numbers of a row of rgb, and of flow by a network
RAW_KEYPOINTS = 47 * 6  # numbers of a row of `raw_keypoint_features`
_PARENTS = list(get_skeleton("solos-47").parents or ())
_OUTLYING = 6.0  # deviations; where a pose estimator loses a hand, points leap farther
_INITIAL_SCALE = 0.05  # deviation of weights that are initialised from the codebook's vectors
COLUMN_RATE = MEL_RATE / FACTOR  # columns a second: 5.38


@dataclass(frozen=True)
class SoloistConfig:
    """Sizes; the defaults are the published ones.

    Attributes
    ----------
    layers, heads, width, hidden : of the transformer.
    dropout : of the transformer; published none.
    codes, bands, columns : codes to choose from; bands of a column; columns of a window.
    conditions : what is given, in the order of its columns: "rgb" and "flow" are picture features, "keypoints" those
        of the player's movement, "instrument" its name. None of them is possible.
    keypoints : numbers of a row of keypoint features.
    flow : numbers of a row of flow; published 1024, of a network.
    instruments : how many names there are; what is none of them is unknown.
    rows : of features in a window; published 53, or 212.
    alignment : "picked": evenly spaced rows as they are, as published. "mean": for each column the mean of the rows
        within it and its neighbours. "joined": for each column, `moments` rows of that stretch side by side, so that
        it is known when within the column a finger falls or a bow turns.
    neighbours : columns on either side that count, too.
    moments : rows that are joined, evenly spaced; between two rows that there are, they run along straight lines.
    interleaved : each token is predicted from the row of its own column, which passes two more layers, its band, and
        the token of that band a column before; the sequence is of tokens alone.
    """

    layers: int = 24
    heads: int = 16
    width: int = 1024
    hidden: int = 4096
    dropout: float = 0.0
    codes: int = 128
    bands: int = 5
    columns: int = COLUMNS
    conditions: tuple[ConditionName, ...] = ("rgb", "flow", "keypoints")
    keypoints: int = 64
    flow: int = PICTURE_FEATURES
    instruments: int = len(INSTRUMENTS)
    rows: int = COLUMNS
    alignment: Literal["picked", "mean", "joined"] = "picked"
    neighbours: int = 1
    moments: int = 1
    interleaved: bool = False

    def __post_init__(self) -> None:
        if self.heads < 1 or self.width % self.heads:
            raise ModelError(f"width is {self.width}; it must be a multiple of heads ({self.heads})")
        if len(set(self.conditions)) < len(self.conditions):
            raise ModelError(f"conditions are {', '.join(self.conditions)}; each may stand there once")
        if min(self.rows, self.bands, self.columns, self.codes) < 1 or self.neighbours < 0:
            raise ModelError("rows, bands, columns and codes must be 1 or more, and neighbours 0 or more")
        if (self.interleaved or self.alignment != "picked") and self.rows != self.columns:
            raise ModelError(f"rows is {self.rows}; with a row for each column it must be {self.columns}")
        if self.moments < 1 or (self.moments > 1 and self.alignment != "joined"):
            raise ModelError(f"moments is {self.moments}; it must be 1 or more, and 1 if they are not joined")

    @property
    def tokens(self) -> int:
        """Tokens of a window."""
        return self.bands * self.columns


@dataclass
class DecodingState:
    """The state of decoding in a window: its features, the cache of keys and values, and how many tokens there are."""

    rows: Tensor  # (B, rows, width)
    cache: Cache
    tokens: int
    column: Tensor  # (B, bands) int64, the latest tokens; `codes` where there was none


class SoloistTransformer(Pretrained):
    """A causal transformer over the codes of a performance. 305,062,912 parameters as published.

    Attributes
    ----------
    numbers : of a row of the condition.
    parts : for each condition, its columns of such a row.
    shift, scale : buffers (numbers,), what is taken from the condition and by what it is divided; 0 and 1 as published.
    """

    model_type = "soloist"
    Config = SoloistConfig
    config: SoloistConfig
    sizes: ClassVar = {
        "paper": SoloistConfig(),
        "small": SoloistConfig(
            *(4, 4, 256, 1024, 0.2),
            conditions=("keypoints", "instrument"),
            alignment="joined",
            moments=12,
            interleaved=True,
        ),
        "debug": SoloistConfig(
            *(2, 2, 16, 32),
            codes=16,
            conditions=("keypoints", "instrument"),
            alignment="mean",
            interleaved=True,
        ),
    }
    shift: Tensor
    scale: Tensor

    def __init__(self, config: SoloistConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "mel80", "instruments": list(INSTRUMENTS), "columns_per_second": COLUMN_RATE}
        self._widths = {
            "rgb": PICTURE_FEATURES,
            "flow": config.flow,
            "keypoints": config.keypoints,
        }  # of a row that is given
        self.parts: dict[str, slice] = {}
        self.numbers = 0
        for name in config.conditions:
            width = config.instruments + 1 if name == "instrument" else self._widths[name] * config.moments
            self.parts[name] = slice(self.numbers, self.numbers + width)
            self.numbers = self.parts[name].stop
        self.register_buffer("shift", torch.zeros(self.numbers))
        self.register_buffer("scale", torch.ones(self.numbers))
        self.projection = nn.Conv1d(self.numbers, config.width, 1) if self.numbers else None
        self.deeper: nn.Module | None = None  # what a finger means depends on the others
        if config.interleaved and self.numbers:
            self.deeper = nn.Sequential(
                *(nn.LayerNorm(config.width), nn.Linear(config.width, config.hidden), nn.GELU()),
                *(nn.Dropout(config.dropout), nn.Linear(config.hidden, config.width)),
            )
        # where no feature stands before the first token, this does
        self.start = nn.Parameter(torch.zeros(config.width)) if config.interleaved or not self.numbers else None
        self.embedding = nn.Embedding(config.codes, config.width)
        self.column_before = nn.Embedding(config.codes + 1, config.width) if config.interleaved else None
        self.band = nn.Embedding(config.bands, config.width) if config.interleaved else None
        positions = config.tokens + (0 if config.interleaved else config.rows)
        self.gpt = GPT(config.layers, config.width, config.heads, config.hidden, positions, config.dropout)
        self.head = nn.Linear(config.width, config.codes, bias=False)
        for module in (self.embedding, self.column_before, self.band, self.head):
            if module is not None:
                draw(module)

    @torch.no_grad()
    def initialise_codes(self, vectors: Tensor) -> None:
        """Initialise embeddings and output weights of a new network so that codes that sound alike begin alike.

        vectors : (codes, n), those of the codebook. Without this, it takes long to learn which codes are neighbours.
        """
        spread = (vectors - vectors.mean(0)) / vectors.std().clamp(min=1e-6) / vectors.shape[1] ** 0.5
        for layer in (self.embedding, self.head):
            turned = torch.randn(vectors.shape[1], self.config.width, device=vectors.device)
            layer.weight[: len(vectors)] = _INITIAL_SCALE * spread @ turned
        if self.column_before is not None:
            self.column_before.weight[: len(vectors)] = self.embedding.weight

    def forward(self, tokens: Tensor, condition: Tensor) -> Tensor:
        """Predict every token from those before it.

        Parameters
        ----------
        tokens : (B, N) int64, the first N of a window.
        condition : (B, rows, numbers), from `condition`.

        Returns
        -------
        (B, N, codes), logits; those at k are of token k, and do not depend on it.

        Raises
        ------
        UsageError
            If one of them has another shape.
        """
        check_shape("tokens", tokens, "B", "N")
        check_shape("condition", condition, "B", self.config.rows, self.numbers)
        x = self._inputs(self.project(condition), tokens[:, :-1])
        y, _ = self.gpt(x)
        logits: Tensor = self.head(y[:, -tokens.shape[1] :])
        return logits

    def prefill(self, condition: Tensor, prompt: Tensor) -> tuple[Tensor, DecodingState]:
        """Begin a window with its condition (B, rows, numbers) and its first tokens (B, n), of which there may be none.

        Returns
        -------
        (B, codes), the logits of the next token, and the state that `step` needs.
        """
        rows = self.project(condition)
        cache = self.gpt.cache(len(rows))
        y, _ = self.gpt(self._inputs(rows, prompt), cache)
        logits: Tensor = self.head(y[:, -1])
        return logits, DecodingState(
            rows, cache, prompt.shape[1], self._columns_before(prompt)[:, -self.config.bands :]
        )

    def step(self, token: Tensor, state: DecodingState) -> Tensor:
        """Append a token (B,) -> (B, codes), the logits of the token after it. Changes `state`.

        Raises
        ------
        UsageError
            If that token was the window's last.
        """
        state.tokens += 1
        if state.tokens >= self.config.tokens:
            raise UsageError(f"the window is full, with {state.tokens} tokens; begin another one")
        state.column = torch.cat((state.column[:, 1:], token[:, None]), 1)
        x = self.embedding(token)[:, None]  # (B, 1, width)
        x = x + self._place(state.rows, state.column[:, :1], state.tokens)
        y, _ = self.gpt(x, state.cache)
        logits: Tensor = self.head(y[:, -1])
        return logits

    def condition(
        self,
        features: Mapping[str, Tensor | None],
        rates: Mapping[str, float],
        first: int = 0,
        batch: int | None = None,
    ) -> Tensor:
        """Put together what is known of a window.

        Parameters
        ----------
        features : by condition: "rgb" (B, n, 1024), "flow" (B, n, flow) and "keypoints" (B, n, keypoints) rows from the
            piece's first instant on; "instrument" (B,) numbers, of which those that are none are unknown. B may be 1.
            None: nothing is known, as in `without`.
        rates : rows a second of each but the instrument.
        first : column of the piece with which the window begins.
        batch : how many windows to make; by default as many as the features have. Needed where nothing is known.

        Returns
        -------
        (B, rows, numbers). Beyond the last row of a feature, that row is repeated.

        Raises
        ------
        UsageError
            If a condition is missing, or has another shape.
        """
        if missing := [name for name in self.config.conditions if name not in features]:
            raise UsageError(f"{', '.join(missing)} missing; this soloist needs {', '.join(self.config.conditions)}")
        parts = []
        for name in self.config.conditions:
            given = features[name]
            if given is None:
                parts.append(
                    self.without(self.shift.new_zeros(1, self.config.rows, self.numbers))[..., self.parts[name]]
                )
            elif name == "instrument":
                parts.append(self._one_hot(given))
            else:
                parts.append(self._rows(name, given, rates[name], first))
        count = batch or max((len(part) for part in parts), default=1)
        if not parts:
            return self.shift.new_zeros(count, self.config.rows, 0)
        return torch.cat([part.expand(count, -1, -1) for part in parts], -1)

    def without(self, condition: Tensor) -> Tensor:
        """Return a condition of the same shape without information: means of features, and an unknown instrument."""
        nothing = self.shift.to(condition.dtype).expand_as(condition).clone()
        if "instrument" in self.parts:
            nothing[..., self.parts["instrument"].stop - 1] = 1
        return nothing

    def _one_hot(self, instrument: Tensor) -> Tensor:
        """(B,) -> (B, rows, instruments + 1), with a one at the instrument; the last is the unknown one."""
        known = (instrument >= 0) & (instrument < self.config.instruments)
        number = torch.where(known, instrument, self.config.instruments).long()
        return F.one_hot(number, self.config.instruments + 1).float()[:, None].expand(-1, self.config.rows, -1)

    def _rows(self, name: str, given: Tensor, rate: float, first: int) -> Tensor:
        """(B, n, numbers of a row) -> (B, rows, as many times `interpolation_points`)."""
        config, width = self.config, self._widths[name]
        if given.dim() != 3 or not given.shape[1] or given.shape[2] != width:
            raise UsageError(f"{name} of shape {tuple(given.shape)}; (B, n, {width}) needed")
        count = given.shape[1]
        if config.alignment == "picked":
            return given[:, evenly_spaced_rows(first, config.columns, config.rows, count, rate).to(given.device)]
        if config.alignment == "mean":
            return averaging_weights(first, config.columns, config.neighbours, count, rate).to(given) @ given
        before, share = interpolation_points(first, config.columns, config.neighbours, config.moments, count, rate)
        before, share = before.to(given.device), share.to(given)[:, None]
        between = given[:, before] * (1 - share) + given[:, (before + 1).clamp(max=count - 1)] * share
        return between.view(len(given), config.columns, -1)

    def project(self, condition: Tensor) -> Tensor:
        """(B, rows, numbers) -> (B, rows, width), what stands before the tokens or beside them."""
        if self.projection is None:
            rows = self.embedding.weight.new_zeros(len(condition), self.config.rows, self.config.width)
            return rows if self.config.interleaved or self.start is None else rows + self.start
        scaled = ((condition - self.shift) / self.scale).to(self.projection.weight.dtype)
        if self.deeper is not None:
            scaled = scaled.clamp(-_OUTLYING, _OUTLYING)
        projected: Tensor = self.projection(scaled.transpose(1, 2)).transpose(1, 2)
        return projected if self.deeper is None else projected + self.deeper(projected)

    def _inputs(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """(B, rows, width) and (B, n) tokens -> (B, T, width), of which the last n + 1 predict tokens 0 to n."""
        embedded = self.embedding(tokens)
        if not self.config.interleaved or self.start is None:
            return torch.cat((rows, embedded), 1)
        embedded = torch.cat((self.start.to(embedded.dtype).expand(len(rows), 1, -1), embedded), 1)
        return embedded + self._place(rows, self._columns_before(tokens)[:, : embedded.shape[1]], 0)

    def _columns_before(self, tokens: Tensor) -> Tensor:
        """(B, n) tokens -> (B, bands + n): for each place the token a column before it, `codes` where there is none."""
        return F.pad(tokens, (self.config.bands, 0), value=self.config.codes)

    def _place(self, rows: Tensor, before: Tensor, first: int) -> Tensor | float:
        """Return what is added to the embedded tokens, (B, n, width), at n places from `first` on; 0 if nothing is.

        before : (B, n), the tokens a column before these places.
        """
        if self.column_before is None or self.band is None:
            return 0.0
        places = torch.arange(first, first + before.shape[1], device=before.device)
        added: Tensor = rows[:, places // self.config.bands] + self.column_before(before)
        added = added + self.band(places % self.config.bands)
        return added


def evenly_spaced_rows(first: int, columns: int, rows: int, count: int, rate: float) -> Tensor:
    """Return the numbers (rows,) of evenly spaced rows of a window, as published: of 212, 53 are 3, 7, ... 211.

    Parameters
    ----------
    first, columns : where the window begins, and how long it is.
    rows : how many to pick.
    count, rate : rows that there are, and rows a second.
    """
    begin, length = round(first / COLUMN_RATE * rate), round(columns / COLUMN_RATE * rate)
    numbers = begin + torch.arange(rows) * length // rows + length // (rows + 1)
    return numbers.clamp(max=count - 1)


def averaging_weights(first: int, columns: int, neighbours: int, count: int, rate: float) -> Tensor:
    """Return (columns, count): how much each of the rows counts in the mean of each column; see `evenly_spaced_rows`.

    Row k belongs to the moment k / rate; frame k of the mel, to k / 86.13 s. A column without a row
    takes the nearest.
    """
    middle = torch.arange(first, first + columns, dtype=torch.float64) + (FACTOR - 1) / 2 / FACTOR
    apart = (torch.arange(count) / rate - middle[:, None] / COLUMN_RATE).abs()  # (columns, count) seconds
    near = apart <= (neighbours + 0.5) / COLUMN_RATE
    near |= ~near.any(1, keepdim=True) & (apart == apart.amin(1, keepdim=True))
    return near / near.sum(1, keepdim=True)


def interpolation_points(
    first: int, columns: int, neighbours: int, count: int, rows: int, rate: float
) -> tuple[Tensor, Tensor]:
    """Return where `count` moments of each column and its neighbours lie among the rows; see `evenly_spaced_rows`.

    Returns
    -------
    (columns * count,) int64, the row before each moment, and (columns * count,), how far it is to the next, 0 to 1.
    """
    middle = torch.arange(first, first + columns, dtype=torch.float64)[:, None] + (FACTOR - 1) / 2 / FACTOR
    apart = ((torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5) * (2 * neighbours + 1)
    place = ((middle + apart).flatten() / COLUMN_RATE * rate).clamp(0, rows - 1)
    before = place.long()
    return before, place - before


def raw_keypoint_features(keypoints: Tensor) -> Tensor:
    """Return keypoints as features, with no network: place, confidence, velocity and speed of every point.

    Places are relative to the joint that a point hangs on, for a finger says more beside its hand than in the picture;
    that of the neck is where it is.

    (B, T, 47, 3) x, y, confidence at 25 frames a second -> (B, T, 282); in shoulder widths, and a second.
    """
    points = normalised_points(keypoints)
    places = torch.cat((points[:, :, :1, :2], points[:, :, 1:, :2] - points[:, :, _PARENTS[1:], :2]), 2)
    velocity = KEYPOINT_RATE * places.diff(dim=1, prepend=places[:, :1])  # (B, T, 47, 2)
    speed = torch.linalg.vector_norm(velocity, dim=-1, keepdim=True)
    return torch.cat((places, points[..., 2:], velocity, speed), -1).flatten(2)
