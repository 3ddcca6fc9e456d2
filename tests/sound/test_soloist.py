"""The soloist: the published size, what is known and where it goes, and telling tokens with and without a cache."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.errors import ModelError, UsageError
from ictus.skeleton import get_skeleton
from ictus.sound.models.keypoint_encoder import normalised_points
from ictus.sound.models.soloist import (
    COLUMN_RATE,
    RAW_KEYPOINTS,
    SoloistConfig,
    SoloistTransformer,
    averaging_weights,
    evenly_spaced_rows,
    interpolation_points,
    raw_keypoint_features,
)
from tolerance import close

TINY = SoloistConfig(2, 2, 16, 32, codes=16, columns=7, rows=7, keypoints=8)
SIDE_BY_SIDE = replace(TINY, conditions=("keypoints", "instrument"), alignment="mean", interleaved=True)
FORMS = {
    "published": TINY,
    "many rows": replace(TINY, rows=28),
    "one row": replace(TINY, rows=1, conditions=("instrument",)),
    "mean": replace(TINY, alignment="mean"),
    "joined": replace(TINY, alignment="joined", moments=3),
    "interleaved": SIDE_BY_SIDE,
    "interleaved, joined": replace(SIDE_BY_SIDE, alignment="joined", moments=4),
    "interleaved, nothing": replace(SIDE_BY_SIDE, conditions=()),
    "nothing": replace(TINY, conditions=(), rows=1),
}
RATES = {"rgb": 21.5, "flow": 21.5, "keypoints": 12.5}


def drawn(config: SoloistConfig) -> SoloistTransformer:
    """A network with weights far from where some of them begin, at zero."""
    torch.manual_seed(0)
    network = SoloistTransformer(config)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network.eval()


def known(batch: int, seconds: float = 1.5, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sizes = {"rgb": 1024, "flow": 1024, "keypoints": 8}
    features = {
        name: torch.randn(batch, round(seconds * RATES[name]), size, generator=generator).abs()
        for name, size in sizes.items()
    }
    return {**features, "instrument": torch.arange(batch)}


def tokens(batch: int, count: int = 35) -> Tensor:
    return torch.randint(16, (batch, count), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (SoloistConfig(), 305_062_912),
        (SoloistConfig(rows=212), 305_225_728),
        (SoloistConfig(rows=212, conditions=("rgb", "flow")), 305_160_192),
    ],
)
def test_parameters_as_published(config: SoloistConfig, count: int) -> None:
    with torch.device("meta"):
        network = SoloistTransformer(config)
    assert sum(p.numel() for p in network.parameters()) == count
    assert len(network.gpt.positions) == config.rows + 265


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_predicted_from_those_before_it_alone(form: str) -> None:
    network = drawn(FORMS[form])
    condition = network.condition(known(2), RATES, batch=2)
    assert condition.shape == (2, network.config.rows, network.numbers)
    said = tokens(2)
    logits = network(said, condition)
    assert logits.shape == (2, 35, 16)
    changed = said.clone()
    changed[:, 12] = (changed[:, 12] + 1) % 16
    differs = (network(changed, condition) != logits).any(-1)[0]
    assert differs.tolist() == [k > 12 for k in range(35)]
    close(network(said[:, :9], condition), logits[:, :9], layers=20)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given", [0, 13, 34])
def test_with_the_cache_it_is_the_same(form: str, given: int) -> None:
    network = drawn(FORMS[form])
    condition = network.condition(known(2), RATES, batch=2)
    said = tokens(2)
    with torch.no_grad():
        whole = network(said, condition)
        logits, state = network.prefill(condition, said[:, :given])
        made = [logits]
        for k in range(given, 34):
            made.append(network.step(said[:, k], state))
        with pytest.raises(UsageError, match="full, with 35 tokens"):
            network.step(said[:, 34], state)
    assert torch.stack(made, 1).std() > 0.1
    close(torch.stack(made, 1), whole[:, given:], layers=20)


def test_published_form_by_definition() -> None:
    network = drawn(TINY)
    features, said = known(2), tokens(2)
    condition = torch.cat([features[name][:, : 28 if name != "keypoints" else 16] for name in ("rgb", "flow")], -1)
    rows = [2 * 28 // 8 // 2 + 4 * k for k in range(7)]  # 7 of the 28 rows of a window of 1.3 s: 3, 7, ... 27
    condition = condition[:, rows]
    keypoints = features["keypoints"][:, [2 + k * 16 // 7 for k in range(7)]]
    matrix = network.condition(features, RATES)
    assert torch.equal(matrix, torch.cat((condition, keypoints), -1))
    projected = F.linear(matrix, network.projection.weight[..., 0], network.projection.bias)
    sequence = torch.cat((projected, network.embedding(said)), 1)
    y, _ = network.gpt(sequence)
    close(network(said, matrix), network.head(y[:, 6:-1]), layers=20)


@pytest.mark.parametrize("form", ["published", "mean"])
def test_each_condition_changes_its_own_columns_and_the_sound(form: str) -> None:
    network = drawn(FORMS[form])
    features, said = known(2), tokens(2)
    before = network.condition(features, RATES)
    for name, columns in {"rgb": (0, 1024), "flow": (1024, 2048), "keypoints": (2048, 2056)}.items():
        other = {**features, name: features[name] + 1}
        after = network.condition(other, RATES)
        changed = (after != before).any(1).all(0)
        assert changed.nonzero().flatten().tolist() == list(range(*columns)), name
        assert not torch.allclose(network(said, after), network(said, before), atol=1e-3), name


def test_the_instrument_has_columns_and_may_be_unknown() -> None:
    network = drawn(SIDE_BY_SIDE)
    features = {**known(4), "instrument": torch.tensor([0, 5, 6, -1])}
    matrix = network.condition(features, RATES)
    assert matrix[..., 8:].argmax(-1)[:, 0].tolist() == [0, 5, 6, 6]
    assert torch.equal(matrix[..., 8:].sum(-1), torch.ones(4, 7))
    other = network.condition({**features, "instrument": torch.zeros(4, dtype=torch.long)}, RATES)
    assert torch.equal(other[..., :8], matrix[..., :8])
    differs = (network(tokens(4), other) != network(tokens(4), matrix)).flatten(1).any(1)
    assert differs.tolist() == [False, True, True, True]


def test_interleaved_tokens_are_predicted_with_their_own_column() -> None:
    network = drawn(SIDE_BY_SIDE)
    matrix, said = network.condition(known(1), RATES), tokens(1)
    for column in range(7):
        changed = matrix.clone()
        changed[:, column] += 1
        differs = (network(said, changed) != network(said, matrix)).any(-1)[0]
        assert differs.tolist() == [k >= 5 * column for k in range(35)]


def test_published_rows() -> None:
    assert evenly_spaced_rows(0, 53, 53, 212, 21.5).tolist() == list(range(3, 212, 4))
    assert evenly_spaced_rows(0, 53, 212, 212, 21.5).tolist() == list(range(212))
    assert evenly_spaced_rows(0, 53, 1, 212, 21.5).tolist() == [106]
    later = evenly_spaced_rows(26, 53, 53, 1000, 21.5)  # 26 columns are 4.83 s, 104 rows
    assert later.tolist() == [104 + k for k in range(3, 212, 4)]
    assert evenly_spaced_rows(26, 53, 53, 110, 21.5).max() == 109


@pytest.mark.parametrize(("rate", "neighbours"), [(25.0, 1), (12.5, 1), (21.5, 0), (25.0, 0), (2.0, 0)])
def test_means_are_of_the_rows_that_are_near(rate: float, neighbours: int) -> None:
    count = int(20 * rate)
    for first in (0, 31):
        weights = averaging_weights(first, 53, neighbours, count, rate).numpy()
        assert weights.shape == (53, count)
        for column in range(53):
            frames = 16 * (first + column) + np.arange(-16 * neighbours, 16 * (neighbours + 1))
            times = (frames[[0, -1]] + [-0.5, 0.5]) * 256 / 22050  # from edge to edge of those frames
            inside = [k for k in range(count) if times[0] <= k / rate <= times[1]]
            inside = inside or [int(np.abs(np.arange(count) / rate - times.mean()).argmin())]
            expected = np.zeros(count)
            expected[inside] = 1 / len(inside)
            close(weights[column], expected)


def test_beyond_the_last_row_it_is_repeated() -> None:
    weights = averaging_weights(0, 53, 1, 50, 25.0)  # two seconds of ten
    assert torch.equal(weights[20:], torch.eye(50, dtype=weights.dtype)[-1].expand(33, -1))


def test_a_window_is_at_its_time_in_the_piece() -> None:
    network = drawn(SIDE_BY_SIDE)
    seconds = 30.0
    ramp = torch.arange(round(seconds * 12.5))[None, :, None] / 12.5  # each row is its time
    features = {"keypoints": ramp.expand(1, -1, 8), "instrument": torch.zeros(1)}
    for first in (3, 40):
        times = network.condition(features, RATES, first)[0, :, 0]
        middles = (torch.arange(first, first + 7) * 16 + 7.5) * 256 / 22050
        assert (times - middles).abs().max() < 0.5 / 12.5


def test_scaled_and_without() -> None:
    network = drawn(SIDE_BY_SIDE)
    matrix, said = network.condition(known(2), RATES), tokens(2)
    nothing = network.without(matrix)
    assert torch.equal(network.without(torch.randn_like(matrix)), nothing)
    assert nothing[..., 8:].argmax(-1).unique().tolist() == [6]
    plain = network(said, matrix)
    network.shift[:8], network.scale[:8] = 2.0, 3.0
    moved = matrix.clone()
    moved[..., :8] = matrix[..., :8] * 3 + 2
    close(network(said, moved), plain, layers=20)
    assert torch.equal(network.without(matrix)[..., :8], torch.full((2, 7, 8), 2.0))


def test_one_piece_for_many(tmp_path: Path) -> None:
    network = drawn(SIDE_BY_SIDE)
    one = network.condition(known(1), RATES)
    assert torch.equal(network.condition(known(1), RATES, batch=3), one.expand(3, -1, -1))
    nothing = drawn(FORMS["nothing"])
    assert nothing.condition({}, {}, batch=3).shape == (3, 1, 0)
    for saved in (network, nothing):
        saved.save_pretrained(tmp_path / "soloist")
        again = SoloistTransformer.from_pretrained(tmp_path / "soloist")
        assert again.config == saved.config
        condition = saved.condition(known(1), RATES, batch=2)
        assert torch.equal(again(tokens(2), condition), saved(tokens(2), condition))


def test_raw_rows_know_neither_camera_nor_resolution() -> None:
    keypoints = torch.rand(2, 30, 47, 3, generator=torch.Generator().manual_seed(0)) + 0.1
    rows = raw_keypoint_features(keypoints)
    assert rows.shape == (2, 30, RAW_KEYPOINTS)
    elsewhere = keypoints * torch.tensor([300.0, 300.0, 1.0]) + torch.tensor([40.0, 90.0, 0.0])
    torch.testing.assert_close(raw_keypoint_features(elsewhere), rows, atol=1e-3, rtol=1e-3)
    joint = rows.view(2, 30, 47, 6)
    torch.testing.assert_close(joint[:, 1:, :, 3:5], 25 * joint[..., :2].diff(dim=1))
    torch.testing.assert_close(joint[..., 5], joint[..., 3:5].norm(dim=-1))
    parents = list(get_skeleton("solos-47").parents or ())
    whole = joint[0, 0, :, :2].clone()  # hung together again, the places are those of the player
    for child, parent in list(enumerate(parents))[1:]:
        whole[child] += whole[parent]
    torch.testing.assert_close(whole, normalised_points(keypoints)[0, 0, :, :2], atol=1e-4, rtol=1e-4)
    still = raw_keypoint_features(keypoints[:, :1].expand(-1, 30, -1, -1)).view(2, 30, 47, 6)
    assert not still[..., 3:].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 3}, "multiple of heads"),
        ({"conditions": ("rgb", "rgb")}, "each may stand there once"),
        ({"rows": 53, "interleaved": True}, "it must be 7"),
        ({"rows": 1, "alignment": "mean"}, "it must be 7"),
        ({"codes": 0}, "1 or more"),
    ],
)
def test_impossible_sizes(changes: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(TINY, **changes)


def test_what_is_missing_is_named() -> None:
    network = drawn(TINY)
    features = known(1)
    with pytest.raises(UsageError, match="flow, keypoints missing"):
        network.condition({"rgb": features["rgb"]}, RATES)
    with pytest.raises(UsageError, match=r"keypoints of shape \(1, 19, 9\); \(B, n, 8\) needed"):
        network.condition({**features, "keypoints": torch.zeros(1, 19, 9)}, RATES)


def test_sizes() -> None:
    small = SoloistTransformer.from_config("small")
    assert 3e6 < sum(p.numel() for p in small.parameters()) < 6e6
    assert pytest.approx(5.3833, abs=1e-4) == COLUMN_RATE
    assert SoloistTransformer.from_config("debug").numbers == 64 + 7


def test_moments_lie_evenly_in_their_columns_and_between_rows() -> None:
    rate = 25.0
    before, share = interpolation_points(2, 3, 1, 6, 200, rate)
    middle = (np.arange(2, 5) + 7.5 / 16) / COLUMN_RATE  # seconds
    offsets = np.array([-1.25, -0.75, -0.25, 0.25, 0.75, 1.25]) / COLUMN_RATE  # six in three columns
    np.testing.assert_allclose((before + share).numpy() / rate, (middle[:, None] + offsets).ravel(), atol=1e-9)
    assert ((share >= 0) & (share < 1)).all()


def test_joined_rows_tell_when_something_happens_within_a_column() -> None:
    network = SoloistTransformer(replace(SIDE_BY_SIDE, alignment="joined", moments=6, neighbours=0))
    time = torch.arange(60) / 25
    ramp = time[None, :, None].expand(1, -1, 8)
    condition = network.condition({"keypoints": ramp, "instrument": torch.tensor([0])}, {"keypoints": 25.0})
    given = condition[0, :, network.parts["keypoints"]].reshape(7, 6, 8)[..., 0]  # what the ramp says: the time
    before, share = interpolation_points(0, 7, 0, 6, 60, 25.0)
    torch.testing.assert_close(given.flatten(), ((before + share) / 25).float(), atol=1e-5, rtol=0)


def test_none_is_nothing_known() -> None:
    network = drawn(FORMS["interleaved, joined"])
    with torch.no_grad():
        network.shift.normal_()
    whole = network.condition(known(1), RATES)
    nothing = network.condition({"keypoints": None, "instrument": None}, RATES)
    torch.testing.assert_close(nothing, network.without(whole))
    half = network.condition({**known(1), "keypoints": None}, RATES)
    torch.testing.assert_close(half[..., network.parts["keypoints"]], nothing[..., network.parts["keypoints"]])
    torch.testing.assert_close(half[..., network.parts["instrument"]], whole[..., network.parts["instrument"]])


@pytest.mark.parametrize("change", [{"moments": 0}, {"moments": 3}, {"alignment": "joined", "rows": 9}])
def test_moments_belong_to_joined_rows(change: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        replace(TINY, **change)  # type: ignore[arg-type]


def test_codes_that_sound_alike_begin_alike() -> None:
    torch.manual_seed(0)
    network = SoloistTransformer(SIDE_BY_SIDE)
    vectors = torch.randn(16, 12)
    vectors[1] = vectors[0] + 0.05 * torch.randn(12)
    network.initialise_codes(vectors)
    assert network.column_before is not None
    for weight in (network.embedding.weight, network.head.weight, network.column_before.weight[:16]):
        apart = torch.cdist(weight, weight) + 9 * torch.eye(16)
        assert int(apart[0].argmin()) == 1
        assert int(apart[1].argmin()) == 0
        assert 0.02 < weight.std() < 0.1


def test_tokens_of_the_same_band_a_column_before_count() -> None:
    """With that alone in the network's first layer, a token changes the prediction one column later at once."""
    network = drawn(FORMS["interleaved"])
    said, rows = tokens(1)[:, :-1], torch.zeros(1, 7, 16)
    before = network._inputs(rows, said)
    changed = said.clone()
    changed[0, 11] = (said[0, 11] + 1) % 16
    differs = (network._inputs(rows, changed) != before).any(-1)[0]
    assert differs.nonzero().flatten().tolist() == [12, 16]  # the token after it, and the one above it
