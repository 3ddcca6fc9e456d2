"""The networks of Dance with Melody: what each variant hears, and normalisation by group and by dimension."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ictus.dance.models.melody import GROUPS, MelodyAutoencoder, MelodyConfig
from ictus.dance.normalisation import Scale
from ictus.errors import AudioError, ModelError
from ictus.features.melody16 import temporal_index
from tolerance import close

VARIANTS = ("lstm", "lstm-index", "lstm-mask", "autoencoder", "autoencoder-unmasked")


def network(variant: str, **changes) -> MelodyAutoencoder:
    torch.manual_seed(0)
    sizes = {"dense": 8, "units": 8, "reduced": 4, "layers": 2}
    return MelodyAutoencoder(MelodyConfig(variant=variant, **sizes, **changes)).eval()


def music(frames: int = 60, every: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    index = torch.from_numpy(temporal_index(np.arange(5, frames, every) / 25, frames))
    return torch.randn(2, frames, 16, generator=generator), index.expand(2, -1, -1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_weight_takes_part(variant: str) -> None:
    model = network(variant)
    made, heard = model.predict(*music())
    assert made.shape == (2, 60, 63)
    assert (heard is not None) == variant.startswith("autoencoder")
    (made.sum() + (0 if heard is None else heard.sum())).backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []
    if heard is not None:
        assert heard.shape == (2, 60, 16)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_mask_lets_beats_through(variant: str) -> None:
    """A sound between beats changes nothing if there is a mask, but for what an encoder remembers until the next."""
    model = network(variant)
    audio, index = music()
    between, on = audio.clone(), audio.clone()
    between[:, 20] += 1  # beats are at 5, 17, 29 ...
    on[:, 17] += 1
    changed = (model(between, index) != model(audio, index)).any(-1).any(0)
    first = {"lstm-mask": None, "autoencoder": 29}.get(variant, 20)
    assert (int(changed.nonzero()[0]) if changed.any() else None) == first
    assert int((model(on, index) != model(audio, index)).any(-1).any(0).nonzero()[0]) == 17


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_the_plain_lstm_hears_no_index(variant: str) -> None:
    model = network(variant)
    audio, index = music()
    later = index + torch.tensor([100.0, 0, 0])
    assert torch.equal(model(audio, later), model(audio, index)) == (variant == "lstm")


def test_lstms_are_orthogonal() -> None:
    model = MelodyAutoencoder.from_config("paper")
    assert (model.predictor.lstm.num_layers, model.encoder.lstm.num_layers) == (3, 1)
    for lstm in (model.encoder.lstm, model.decoder.lstm, model.predictor.lstm):
        weight = lstm.weight_hh_l0.detach()
        close(weight.T @ weight, torch.eye(32), layers=8)


@pytest.mark.parametrize("scaling", ["min-max", "z-score"])
@pytest.mark.parametrize("grouping", ["group", "dimension"])
def test_normalisation(grouping: str, scaling: str) -> None:
    rng = np.random.default_rng(0)
    audio = rng.normal(3, np.arange(1, 17), (200, 16)).astype(np.float32)
    motion = rng.normal(np.arange(63), 2, (200, 63)).astype(np.float32)
    index = temporal_index(np.arange(0, 8, 0.5), 200)
    model = network("autoencoder", grouping=grouping, scaling=scaling)
    model.fit_scales(*map(torch.from_numpy, (audio, index, motion)), window=120)

    def expected(x: np.ndarray, parts) -> np.ndarray:
        done = x.astype(np.float64)
        for part in parts:
            y = done[:, part]
            done[:, part] = (y - y.min()) / (y.max() - y.min()) if scaling == "min-max" else (y - y.mean()) / y.std()
        return done

    def each(count: int) -> list[slice]:
        return [slice(k, k + 1) for k in range(count)]

    by_group = grouping == "group"
    close(model.audio_scale(torch.from_numpy(audio)), expected(audio, GROUPS if by_group else each(16)), layers=8)
    moved = motion - motion.mean(0, dtype=np.float64)
    close(
        model.motion_scale(torch.from_numpy(motion)),
        moved / (moved.std() if by_group else moved.std(0)),
        layers=8,
    )
    for scale, x in ((model.audio_scale, audio), (model.motion_scale, motion)):
        close(scale.inverse(scale(torch.from_numpy(x))), x, layers=8)
    # Places in the song are counted in windows, those in the beat (of 12 or 13 frames) in usual beats.
    close(model.index_scale(torch.from_numpy(index)), index / np.array([120, 1, 13]), layers=1)
    assert [part.stop - part.start for part in GROUPS] == [3, 3, 4, 5, 1]


def test_what_never_changes_stays_finite() -> None:
    scale = Scale(2)
    scale.fit(torch.tensor([[1.0, 2.0], [1.0, 4.0]]), [slice(0, 1), slice(1, 2)], "min-max")
    torch.testing.assert_close(scale(torch.tensor([1.0, 3.0])), torch.tensor([0.0, 0.5]))


def test_a_folder_keeps_the_scales(tmp_path) -> None:
    model = network("autoencoder")
    audio, index = music()
    model.fit_scales(audio[0], index[0], 5 + torch.randn(60, 63), 40)
    model.save_pretrained(tmp_path)
    loaded = MelodyAutoencoder.from_pretrained(tmp_path)
    assert torch.equal(loaded(audio, index), model(audio, index))
    assert torch.equal(loaded.motion_scale.shift, model.motion_scale.shift)
    assert model.motion_scale.shift.any()


def test_wrong_input() -> None:
    audio, index = music()
    with pytest.raises(AudioError, match=r"\(2, 60, 15\)"):
        network("lstm")(audio[..., 1:], index)
    with pytest.raises(AudioError, match=r"\(2, 59, 3\)"):
        network("lstm")(audio, index[:, 1:])
    with pytest.raises(ModelError, match="dropout is 1"):
        MelodyConfig(dropout=1)
    with pytest.raises(ModelError, match="must each be 1"):
        MelodyConfig(layers=0)
    with pytest.raises(ModelError, match="longest is -1"):
        MelodyConfig(longest=-1)
