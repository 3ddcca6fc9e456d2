"""Drawing tokens, and playing pieces longer than the window, against a loop that spells it out."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ictus.errors import UsageError
from ictus.sound.models.soloist import SoloistConfig, SoloistTransformer
from ictus.sound.sampling import Sampling, generate_codes, limit_logits, sample_token

PREFIX = SoloistConfig(2, 2, 16, 32, codes=16, columns=7, rows=14, keypoints=8, conditions=("keypoints",))
SIDE_BY_SIDE = replace(PREFIX, rows=7, alignment="mean", interleaved=True)
NOTHING = replace(PREFIX, rows=1, conditions=())
RATES = {"keypoints": 12.5}


def soloist(config: SoloistConfig, deviation: float = 0.3) -> SoloistTransformer:
    torch.manual_seed(0)
    network = SoloistTransformer(config)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=deviation)
    return network.eval()


def moving(batch: int, columns: int) -> dict[str, Tensor]:
    rows = round(columns / 5.3833 * 12.5)
    return {"keypoints": torch.randn(batch, rows, 8, generator=torch.Generator().manual_seed(1))}


@torch.no_grad()
def spelled_out(
    network: SoloistTransformer, features: dict[str, Tensor], columns: int, sampling: Sampling, seed: int, batch: int
) -> Tensor:
    """One whole forward per token, nothing kept; windows worked out token by token."""
    generator, window = torch.Generator().manual_seed(seed), network.config.columns
    made = torch.zeros(batch, 0, dtype=torch.long)
    starts = [*range(0, max(1, columns - window), sampling.hop), max(0, columns - window)]
    for k in range(5 * columns):
        start = next(s for s in starts if k // 5 < s + window)  # the first window that reaches so far
        condition = network.condition(features, RATES, start, batch)
        said = torch.cat((made[:, 5 * start :], torch.zeros(batch, 1, dtype=torch.long)), 1)
        made = torch.cat((made, sample_token(network(said, condition)[:, -1], sampling, generator)[:, None]), 1)
    return made.unflatten(1, (columns, 5)).transpose(1, 2)


@pytest.mark.parametrize("config", [PREFIX, SIDE_BY_SIDE, NOTHING])
@pytest.mark.parametrize(("columns", "hop"), [(4, 3), (8, 3), (20, 7), (17, 1)])
def test_playing_is_the_loop(config: SoloistConfig, columns: int, hop: int) -> None:
    network, features = soloist(config), moving(2, columns)
    sampling = Sampling(temperature=0.8, top_k=8, top_p=0.95, hop=hop)
    codes = generate_codes(network, features, RATES, columns, sampling=sampling, seed=5, batch=2)
    assert codes.shape == (2, 5, columns)
    assert codes.dtype == torch.int64
    assert len(codes.unique()) > 5
    assert torch.equal(codes, spelled_out(network, features, columns, sampling, 5, 2))


def test_one_window_is_plain_sampling() -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(3, 7)
    codes = generate_codes(network, features, RATES, 7, seed=2)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        logits, state = network.prefill(network.condition(features, RATES), torch.zeros(3, 0, dtype=torch.long))
        made = [torch.multinomial(logits.softmax(-1), 1, generator=generator)]
        for _ in range(34):
            logits = network.step(made[-1][:, 0], state)
            made.append(torch.multinomial(logits.softmax(-1), 1, generator=generator))
    assert torch.equal(codes, torch.cat(made, 1).view(3, 7, 5).transpose(1, 2))


@pytest.mark.parametrize("config", [PREFIX, SIDE_BY_SIDE])
def test_what_is_known_moves_along(config: SoloistConfig) -> None:
    """A change late in the performance changes what is played as soon as a window holds it, and nothing before."""
    network, columns = soloist(config, 0.5), 30
    features = moving(1, columns)
    late = {"keypoints": features["keypoints"].clone()}
    late["keypoints"][:, 48:] += 30  # from 3.84 s on: column 20.7
    sampling = Sampling(hop=3)
    one, other = (generate_codes(network, known, RATES, columns, sampling=sampling) for known in (features, late))
    first = int((one != other)[0].any(0).nonzero()[0])
    assert 14 <= first <= 22  # the first window with it begins at column 14; or 19.2 with its neighbour
    assert first >= 19 or config is PREFIX


def test_the_seed_decides() -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(2, 12)
    one = generate_codes(network, features, RATES, 12, seed=1)
    assert torch.equal(one, generate_codes(network, features, RATES, 12, seed=1))
    assert not torch.equal(one, generate_codes(network, features, RATES, 12, seed=2))


@pytest.mark.parametrize("length", [0, 1, 4, 7, 11, 20])
def test_it_goes_on_from_what_is_given(length: int) -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(2, 20)
    likeliest = Sampling(temperature=0, hop=3)
    whole = generate_codes(network, features, RATES, 20, sampling=likeliest)
    again = generate_codes(network, features, RATES, 20, sampling=likeliest, prompt=whole[:, :, :length])
    assert torch.equal(again, whole)
    other = (whole[:, :, :length] + 1) % 16
    assert torch.equal(
        generate_codes(network, features, RATES, 20, sampling=likeliest, prompt=other)[:, :, :length],
        other,
    )


def test_one_piece_for_many_and_progress() -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(1, 9)
    fractions: list[float] = []
    codes = generate_codes(network, features, RATES, 9, batch=4, progress=fractions.append)
    assert codes.shape == (4, 5, 9)
    assert len(codes.unique(dim=0)) == 4  # each is drawn for itself
    assert len(fractions) == 45
    assert fractions[-1] == 1
    assert fractions == sorted(fractions)


def test_top_k_and_top_p() -> None:
    logits = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.97, 0.01, 0.01, 0.01]]).log()

    def kept(**how: float) -> list[list[int]]:
        return [row.isfinite().nonzero().flatten().tolist() for row in limit_logits(logits, **how)]

    assert kept() == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert kept(top_k=2) == [[1, 3], [0, 1]]  # the first of equals
    assert kept(top_k=9) == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert kept(top_p=0.65) == [[1, 3], [0]]
    assert kept(top_p=0.75) == [[1, 2, 3], [0]]
    assert kept(top_p=1e-9) == [[1], [0]]
    assert kept(top_p=1.0) == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert kept(top_k=3, top_p=0.7) == [[1, 3], [0]]  # of the three, 4 / 9 and 3 / 9: more than 0.7
    finite = limit_logits(logits, top_k=2)[0, [1, 3]]
    assert torch.equal(finite, logits[0, [1, 3]])


def test_draws_follow_the_probabilities() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(20_000, 3)
    for temperature in (0.5, 1.0, 2.0):
        found = sample_token(logits, Sampling(temperature=temperature), torch.Generator().manual_seed(0))
        wanted = (logits[0] / temperature).softmax(-1)
        assert (found.bincount(minlength=3) / 20_000).tolist() == pytest.approx(wanted.tolist(), abs=0.012)
    assert sample_token(logits, Sampling(temperature=0), torch.Generator()).unique().tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": -1.0}, "0 or more"),
        ({"temperature": float("nan")}, "0 or more"),
        ({"top_k": 0}, "at least one token"),
        ({"top_p": 0.0}, "probability over 0"),
        ({"top_p": 1.5}, "probability over 0"),
        ({"hop": 0}, "by a column at least"),
    ],
)
def test_impossible_ways_to_draw(changes: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Sampling(**changes)


def test_impossible_pieces() -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(1, 9)
    with pytest.raises(UsageError, match="0 columns"):
        generate_codes(network, features, RATES, 0)
    with pytest.raises(UsageError, match="the window has 7 columns"):
        generate_codes(network, features, RATES, 9, sampling=Sampling(hop=8))
    with pytest.raises(UsageError, match=r"\(1, 5, up to 9\) needed"):
        generate_codes(network, features, RATES, 9, prompt=torch.zeros(1, 4, 3, dtype=torch.long))
    with pytest.raises(UsageError, match="there are 16"):
        generate_codes(network, features, RATES, 9, prompt=torch.full((1, 5, 3), 16))


def test_guidance_moves_away_from_what_is_predicted_without_a_condition() -> None:
    network, features = soloist(SIDE_BY_SIDE), moving(2, 9)
    whole = network.condition(features, RATES)
    with torch.no_grad():
        known, _ = network.prefill(whole, torch.zeros(2, 0, dtype=torch.long))
        unknown, _ = network.prefill(network.without(whole), torch.zeros(2, 0, dtype=torch.long))
    guided = (unknown + 3 * (known - unknown)).argmax(-1)
    played = generate_codes(network, features, RATES, 9, sampling=Sampling(temperature=0, guidance=3))
    assert torch.equal(played[:, 0, 0], guided)
    usual = Sampling(temperature=0.8, hop=3)
    ignorant = generate_codes(network, {"keypoints": None}, RATES, 9, sampling=usual, seed=4, batch=2)
    careless = generate_codes(network, features, RATES, 9, sampling=replace(usual, guidance=0), seed=4)
    assert torch.equal(careless, ignorant)
    assert not torch.equal(generate_codes(network, features, RATES, 9, sampling=usual, seed=4), ignorant)
