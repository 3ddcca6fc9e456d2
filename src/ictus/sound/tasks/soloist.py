"""Train the soloist: the codes of the sound, each from those before it and from features of the performance.

Source: Iashin & Rahtu, BMVC 2021, section 3.2, and the run that was published for Solos: cross-entropy over all tokens
of a window, AdamW with betas 0.9 and 0.95 and a weight decay of 0.01 on the matrices of linear layers alone, a constant
rate of 1e-6 for each sample of the batch. The codebook is trained beforehand and stays as it is, and so may the
keypoint encoder; their output for a window is computed once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from ictus.errors import UsageError
from ictus.sound.data.dataset import FEATURE_SHAPES, MelWindows
from ictus.sound.models.auxiliary_heads import AuxiliaryHeads, auxiliary_targets
from ictus.sound.models.codebook import FACTOR, SpectrogramCodebook, column_major
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import (
    RAW_KEYPOINTS,
    ConditionName,
    SoloistConfig,
    SoloistTransformer,
    raw_keypoint_features,
)
from ictus.task import Batch, Batches

_STATISTICS_WINDOWS = 64  # from which means and deviations are taken


@dataclass(frozen=True)
class SoloistTaskConfig:
    """How the soloist learns.

    Attributes
    ----------
    codebook : folder of a trained codebook.
    keypoints : folder of a trained keypoint encoder.
    encoder : "frozen": the soloist is given the encoder's features. "joint": the same, but the encoder learns on with
        the soloist; without a folder, from its initial weights. "raw": the soloist is given places and speeds of all
        points; the encoder, if there is one, is exported with it only to recognise the instrument.
    size : of the network.
    conditions, rows, alignment, moments : what is given, its rows in a window, and how these are laid beside the
        columns, if not as the size says; see `SoloistConfig`.
    columns : of a window.
    hop : columns from one training window to the next.
    initialised_codes : whether codes that sound alike begin alike; see `SoloistTransformer.initialise_codes`.
        Published: no.
    takes : whether to learn from other players' takes of the same sound, too, where a corpus has them.
    scaled : whether features are brought to mean 0 and deviation 1; published: no.
    auxiliary : weight of an auxiliary loss: the features of a column must predict, by themselves, its pitches and where
        notes begin; see `ictus.sound.models.auxiliary_heads`. Only if a row belongs to each column.
    auxiliary_steps : steps of pre-training with that loss alone. They cost little.
    unconditioned : share of samples that are trained without conditions, so that the soloist can play without;
        published: 0.
    lr, decay : AdamW's learning rate and weight decay.
    train, val : splits.
    """

    codebook: str = ""
    keypoints: str = ""
    encoder: Literal["frozen", "joint", "raw"] = "frozen"
    size: Literal["paper", "small", "debug"] = "paper"
    conditions: tuple[ConditionName, ...] | None = None
    rows: int | None = None
    alignment: Literal["picked", "mean", "joined"] | None = None
    moments: int | None = None
    columns: int = 53
    hop: int = 53
    initialised_codes: bool = False
    takes: bool = False
    scaled: bool = False
    auxiliary: float = 0.0
    auxiliary_steps: int = 0
    unconditioned: float = 0.0
    lr: float = 1.6e-5
    decay: float = 0.01
    train: str = "train"
    val: str = "val"

    renamed: ClassVar = {"acquainted": "initialised_codes", "hint": "auxiliary", "hint_first": "auxiliary_steps"}

    def __post_init__(self) -> None:
        if not self.codebook:
            raise UsageError(
                "codebook: give the folder of a trained codebook, as `ictus train recipes/codebook.yaml` makes"
            )
        if "keypoints" in self.given and self.encoder == "frozen" and not self.keypoints:
            raise UsageError(
                "keypoints: give the folder of a trained keypoint encoder, as `ictus train recipes/keypoints.yaml` "
                "makes; or set encoder to joint or raw"
            )
        if self.takes and self.encoder == "frozen":
            raise UsageError("takes: the features by a frozen encoder are computed once; set encoder to joint or raw")
        if not 0 <= self.unconditioned < 1:
            raise UsageError(f"unconditioned is {self.unconditioned:g}; it is a share, from 0 to less than 1")
        if self.auxiliary < 0 or self.auxiliary_steps < 0 or (self.auxiliary_steps and not self.auxiliary):
            raise UsageError(
                f"auxiliary is {self.auxiliary:g} and auxiliary_steps {self.auxiliary_steps}; 0 or more, and both or "
                "auxiliary alone"
            )
        if self.columns < 1 or self.hop < 1:
            raise UsageError(f"columns is {self.columns} and hop {self.hop}; both must be 1 or more")

    @property
    def given(self) -> tuple[ConditionName, ...]:
        """The conditions."""
        sizes: SoloistConfig = SoloistTransformer.sizes[self.size]
        return sizes.conditions if self.conditions is None else self.conditions


class SoloistTask:
    """The soloist in training."""

    Config = SoloistTaskConfig
    monitor: tuple[str, Literal["min", "max"]] = ("ce", "min")

    def __init__(self, config: SoloistTaskConfig, data: Path) -> None:
        self.config = config
        self.codebook = SpectrogramCodebook.from_pretrained(config.codebook).requires_grad_(False)
        self.encoder = _encoder(config)
        self.kinds = tuple(kind for kind in FEATURE_SHAPES if kind in config.given)
        frames = config.columns * FACTOR
        self.samples = MelWindows(
            data, config.train, frames=frames, hop=config.hop * FACTOR, kinds=self.kinds, takes=config.takes
        )
        self.validation_set = MelWindows(data, config.val, frames=frames, kinds=self.kinds)
        self.rates = dict(self.samples.performances[0].rates)
        if self.encoder is not None:
            self.rates["keypoints"] = self.encoder.frame_rate
        self.network = SoloistTransformer(
            _sizes(config, self.codebook, self.encoder, self.samples.performances[0].widths)
        )
        if config.initialised_codes:
            self.network.initialise_codes(self.codebook.quantizer.vectors)
        self.networks: dict[str, nn.Module] = {"network": self.network}
        self.auxiliary: AuxiliaryHeads | None = None
        if config.auxiliary and self.network.numbers:
            self.auxiliary = AuxiliaryHeads(self.network.config.width)
            self.networks["hinter"] = self.auxiliary  # the name that states of earlier trainings have
        self.frozen: dict[str, nn.Module] = {"codebook": self.codebook}
        if self.encoder is not None:
            (self.networks if config.encoder == "joint" else self.frozen)["encoder"] = self.encoder
        # Computed once, by the windows' names:
        self._auxiliary_targets: dict[str, Tensor] = {}  # (moments, 2) int16
        self._tokens: dict[str, Tensor] = {}  # (N,) int16
        self._movement: dict[str, Tensor] = {}  # (n, features) float16
        if config.scaled and self.network.numbers:
            self._standardise()

    def optimizers(self) -> dict[str, Optimizer]:
        """AdamW, with weight decay where a matrix of a linear layer is."""
        linear = {module.weight for module in self.network.modules() if isinstance(module, nn.Linear)}
        trained = [parameter for network in self.networks.values() for parameter in network.parameters()]
        groups = [
            {"params": [p for p in trained if p in linear], "weight_decay": self.config.decay},
            {"params": [p for p in trained if p not in linear], "weight_decay": 0.0},
        ]
        return {"network": AdamW(groups, self.config.lr, (0.9, 0.95))}

    def train_set(self, epoch: int) -> MelWindows:
        """MelWindows of all performances."""
        return self.samples

    def losses(self, batch: Batch, epoch: int, step: int) -> Iterator[tuple[str, Tensor, dict[str, Tensor]]]:
        """Cross-entropy of all tokens, and of the auxiliary targets."""
        condition = self._condition(batch)
        if self.auxiliary is not None and step < self.config.auxiliary_steps:
            auxiliary, pitch = self._auxiliary_loss(self.auxiliary, batch, condition)
            yield "network", auxiliary, {"auxiliary": auxiliary.detach(), "pitch": pitch}
            return
        tokens = self._codes(batch)
        if self.config.unconditioned:
            alone = torch.rand(len(tokens), 1, 1, device=tokens.device) < self.config.unconditioned
            condition = torch.where(alone, self.network.without(condition), condition)
        ce, accuracy = self._cross_entropy(tokens, condition)
        values = {"ce": ce.detach(), "accuracy": accuracy}
        if self.auxiliary is not None:
            auxiliary, pitch = self._auxiliary_loss(self.auxiliary, batch, condition)
            ce = ce + self.config.auxiliary * auxiliary
            values |= {"auxiliary": auxiliary.detach(), "pitch": pitch}
        yield "network", ce, values

    def validate(self, batches: Batches) -> dict[str, float]:
        """Return cross-entropy a token, nats, and accuracy: the share of tokens that are the likeliest.

        To compare, the cross-entropy with the conditions of another window ("ce/shuffled"), with those of half a window
        earlier or later ("ce/moved"), and without any ("ce/without"). Where these are no higher, the soloist makes
        nothing of the performance.
        """
        sums: dict[str, float] = {}
        for batch in batches(WithOtherWindow(self.validation_set, self.kinds)):
            tokens, condition = self._codes(batch), self._condition(batch)
            ce, accuracy = self._cross_entropy(tokens, condition)
            values = {"ce": ce, "accuracy": accuracy}
            for name, other in self._controls(batch, condition).items():
                values[f"ce/{name}"] = self._cross_entropy(tokens, other)[0]
            if self.auxiliary is not None:
                values["auxiliary"], values["pitch"] = self._auxiliary_loss(self.auxiliary, batch, condition)
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + len(tokens) * value.item()
        return {name: total / len(self.validation_set) for name, total in sums.items()}

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the checkpoint folder, and all that it needs to play: codebook/, and encoder/ if there is one."""
        movement = {} if "keypoints" not in self.rates else {"movement": "raw" if self.encoder is None else "encoder"}
        self.network.save_pretrained(folder, {"art": "sound", **movement, **facts})
        self.codebook.save_pretrained(folder / "codebook")
        encoder = self.encoder
        if encoder is None and self.config.keypoints:
            encoder = KeypointEncoder.from_pretrained(self.config.keypoints)
        if encoder is not None:
            encoder.save_pretrained(folder / "encoder")

    def _auxiliary_loss(self, heads: AuxiliaryHeads, batch: Batch, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of the auxiliary heads, and the accuracy of their pitches."""

        def computed(new: list[int]) -> Tensor:
            return torch.stack([auxiliary_targets(batch["mel"][k]) for k in new])

        targets = self._computed_once(self._auxiliary_targets, batch, computed).to(batch["mel"].device)
        return heads.loss(self.network.project(condition), targets)

    def _cross_entropy(self, tokens: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy, and the share of tokens that are the likeliest."""
        logits = self.network(tokens, condition).float()  # (B, N, codes)
        ce = F.cross_entropy(logits.flatten(0, 1), tokens.flatten())
        return ce, (logits.argmax(-1) == tokens).float().mean()

    def _controls(self, batch: Batch, condition: Tensor) -> dict[str, Tensor]:
        """Return conditions that do not belong to the sound."""
        if not self.network.numbers:
            return {}
        controls = {"without": self.network.without(condition)}
        if self.kinds:
            controls["moved"] = condition.roll(condition.shape[1] // 2, 1)
        if len(self.validation_set) > 1:
            controls["shuffled"] = self._condition(
                {key.removeprefix("other/"): value for key, value in batch.items() if key.startswith("other/")}
            )
        return controls

    def _codes(self, batch: Batch) -> Tensor:
        """Return the tokens of each window, (B, N), encoded when it is met for the first time."""

        def encoded(new: list[int]) -> Tensor:
            return column_major(self.codebook.encode(batch["mel"][new].float())).to(torch.int16)

        return self._computed_once(self._tokens, batch, encoded).to(batch["mel"].device).long()

    def _condition(self, batch: Batch) -> Tensor:
        """Return the condition of each window, (B, rows, numbers)."""
        features: dict[str, Tensor] = {
            name: batch[name] for name in self.network.config.conditions if name != "keypoints"
        }
        if "keypoints" in self.kinds:
            features["keypoints"] = self._movement_features(batch)
        return self.network.condition(features, self.rates, batch=len(batch["name"]))

    def _movement_features(self, batch: Batch) -> Tensor:
        """Return features of each window's movement, (B, n, numbers)."""
        keypoints, encoder = batch["keypoints"], self.encoder
        if encoder is None:
            return raw_keypoint_features(keypoints)
        if self.config.encoder == "joint":
            learnt: Tensor = encoder(keypoints)
            return learnt

        def encoded(new: list[int]) -> Tensor:
            found: Tensor = encoder(keypoints[new].float())
            return found.to(torch.float16)

        return self._computed_once(self._movement, batch, encoded).to(keypoints.device).float()

    def _computed_once(self, store: dict[str, Tensor], batch: Batch, work: Callable[[list[int]], Tensor]) -> Tensor:
        """Return what `work` computes of the windows, (B, ...) on the CPU; of each window it is computed only once."""
        names = batch["name"]
        new = [k for k, name in enumerate(names) if name not in store]
        if new:
            # the same at any precision of the training
            with torch.no_grad(), torch.autocast(self.network.shift.device.type, enabled=False):
                store.update(zip([names[k] for k in new], work(new).cpu(), strict=True))
        return torch.stack([store[name] for name in names])

    @torch.no_grad()
    def _standardise(self) -> None:
        """Set means and deviations of the features, but the instrument, from windows of the training split."""
        if self.encoder is not None:
            self.encoder.eval()  # the loop sets it again
        count = len(self.samples)
        found = []
        for index in np.unique(np.linspace(0, count - 1, min(count, _STATISTICS_WINDOWS)).astype(int)):
            sample = self.samples[int(index)]
            batch: Batch = {kind: torch.as_tensor(sample[kind])[None] for kind in (*self.kinds, "instrument")}
            found.append(self._condition({**batch, "name": [sample["name"]]})[0])
        rows = torch.cat(found).double()  # (many, numbers)
        instrument = self.network.parts.get("instrument", slice(0, 0))
        deviation, mean = rows.std(0, correction=0), rows.mean(0)
        deviation = torch.where(deviation > 1e-6, deviation, 1)
        mean[instrument], deviation[instrument] = 0, 1
        self.network.shift.copy_(mean)
        self.network.scale.copy_(deviation)


class WithOtherWindow:
    """Windows, each with the conditions of the one half the set away: "other/KIND", "other/instrument" ..."""

    def __init__(self, samples: MelWindows, kinds: tuple[str, ...]) -> None:
        self.samples, self.kinds = samples, (*kinds, "instrument", "name")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        """Read both; raises as `MelWindows` does."""
        count = len(self.samples)
        other = self.samples[(index + count // 2) % count]
        return {**self.samples[index], **{f"other/{kind}": other[kind] for kind in self.kinds}}


def _encoder(config: SoloistTaskConfig) -> KeypointEncoder | None:
    if "keypoints" not in config.given or config.encoder == "raw":
        return None
    if config.encoder == "joint":
        if not config.keypoints:
            return KeypointEncoder.from_config("debug" if config.size == "debug" else "small")
        return KeypointEncoder.from_pretrained(config.keypoints)
    return KeypointEncoder.from_pretrained(config.keypoints).requires_grad_(False)


def _sizes(
    config: SoloistTaskConfig,
    codebook: SpectrogramCodebook,
    encoder: KeypointEncoder | None,
    widths: Mapping[str, int],
) -> SoloistConfig:
    """Return the sizes that fit the codebook, the window, and the conditions, whose rows are so wide."""
    sizes: SoloistConfig = SoloistTransformer.sizes[config.size]
    alignment = config.alignment or sizes.alignment
    moments = config.moments or (sizes.moments if alignment == sizes.alignment else 1)
    sizes = replace(sizes, alignment=alignment, moments=moments)
    by_column = sizes.interleaved or sizes.alignment != "picked"
    rows = config.rows or (config.columns if by_column else sizes.rows)
    return replace(
        sizes,
        codes=codebook.config.codes,
        bands=codebook.rows,
        columns=config.columns,
        conditions=config.given,
        keypoints=RAW_KEYPOINTS if encoder is None else encoder.features,
        flow=widths.get("flow", sizes.flow),
        rows=rows,
    )
