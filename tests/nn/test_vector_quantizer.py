"""Vectors are represented by the nearest code, learn by the placement that is named, and do not die."""

import numpy as np
import pytest
import torch

from ictus.errors import ModelError
from ictus.nn.vector_quantizer import VectorQuantizer, VectorQuantizerConfig, perplexity
from tolerance import close


def quantizer(**changes) -> VectorQuantizer:
    torch.manual_seed(0)
    made = VectorQuantizer(VectorQuantizerConfig(**{"codes": 12, "width": 5, **changes}))
    with torch.no_grad():
        made.vectors.copy_(torch.randn(made.vectors.shape))
    return made


def some(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clusters(step: int, count: int = 8, width: int = 5) -> torch.Tensor:
    """(64, width, 4): noise around `count` far places, the same in all steps."""
    rng = np.random.default_rng(step)
    places = np.random.default_rng(99).normal(0, 5, (count, width))
    rows = places[rng.integers(0, count, 256)] + rng.normal(0, 0.05, (256, width))
    return torch.from_numpy(rows.reshape(64, 4, width)).float().transpose(1, 2)


def test_the_nearest_is_chosen() -> None:
    made, x = quantizer().eval(), some(3, 5, 4, 6)
    found = made(x)
    for b, h, w in np.ndindex(3, 4, 6):
        distances = [float((x[b, :, h, w] - v).norm()) for v in made.vectors.detach()]
        assert int(found.codes[b, h, w]) == int(np.argmin(distances))
    close(found.values, made.look_up(found.codes))
    assert found.codes.shape == (3, 4, 6)
    assert found.values.shape == x.shape
    assert float(found.counts.sum()) == 72


def test_gradients_pass_as_if_nothing_had_happened() -> None:
    made, x = quantizer(), some(2, 5, 7).requires_grad_()
    weight = some(2, 5, 7, seed=2)
    (made(x).values * weight).sum().backward()
    torch.testing.assert_close(x.grad, weight)


@pytest.mark.parametrize(("placement", "towards_codes", "towards_rows"), [("usual", 0.3, 1.0), ("published", 1.0, 0.3)])
def test_beta_stands_where_its_name_says(placement: str, towards_codes: float, towards_rows: float) -> None:
    made, x = quantizer(beta=0.3, placement=placement), some(2, 5, 7).requires_grad_()
    found = made(x)
    found.loss.backward()
    apart = (x - made.look_up(found.codes)).detach()
    assert float(found.loss.detach()) == pytest.approx(1.3 * float(apart.square().mean()), rel=1e-5)
    torch.testing.assert_close(x.grad, towards_codes * 2 * apart / apart.numel())
    expected = torch.zeros(12, 5)
    for b, t in np.ndindex(2, 7):
        expected[found.codes[b, t]] -= towards_rows * 2 * apart[b, :, t] / apart.numel()
    torch.testing.assert_close(made.vectors.grad, expected)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_said(bad: float) -> None:
    x = some(2, 5, 7)
    x[1, 2, 3] = bad
    with pytest.raises(ModelError, match=r"NaN or infinity.*lower learning rate"):
        quantizer()(x)


def test_perplexity_and_usage() -> None:
    assert float(perplexity(torch.ones(16))) == pytest.approx(16)
    assert float(perplexity(torch.tensor([0.0, 7, 0]))) == pytest.approx(1)
    assert float(perplexity(torch.tensor([1.0, 1, 2, 0]))) == pytest.approx(2**1.5)  # entropy of 1.5 bits
    made = quantizer().eval()
    found = made(made.vectors.detach()[[0, 0, 3, 5]].T[None])
    assert float(found.usage) == pytest.approx(3 / 12)
    assert float(found.perplexity) == pytest.approx(2**1.5)


def test_idle_codes_are_replaced_by_vectors_of_the_batch_and_no_others() -> None:
    made = quantizer(restart=3)
    made.idle.zero_()
    x = made.vectors.detach()[:4].T[None] + 0.01 * some(1, 5, 4)  # chooses codes 0 to 3
    before = made.vectors.detach().clone()
    for _ in range(3):
        assert set(made(x).codes.flatten().tolist()) == {0, 1, 2, 3}
    torch.testing.assert_close(made.vectors.detach(), before, rtol=0, atol=0)
    found = made(x)  # the fourth step
    torch.testing.assert_close(made.vectors.detach()[:4], before[:4], rtol=0, atol=0)
    for vector in made.vectors.detach()[4:]:
        assert any(torch.equal(vector, row) for row in x[0].T)
    torch.testing.assert_close(found.values.detach(), made.look_up(found.codes).detach())


def test_nothing_is_replaced_outside_training() -> None:
    made = quantizer(restart=1).eval()
    before = made.vectors.detach().clone()
    for step in range(4):
        made(clusters(step))
    torch.testing.assert_close(made.vectors.detach(), before, rtol=0, atol=0)


@pytest.mark.parametrize("changes", [{"restart": 4}, {"restart": 4, "decay": 0.9}])
def test_restarts_find_all_clusters(changes: dict) -> None:
    """Codes that begin side by side, far from all vectors, all find their use; without restarts they do not."""

    def distance(made: VectorQuantizer) -> float:
        with torch.no_grad():  # as they were made: all near 0
            made.vectors.uniform_(-0.08, 0.08, generator=torch.Generator().manual_seed(0))
        optimizer = torch.optim.Adam([made.vectors], 0.01)
        for step in range(60):
            loss = made(clusters(step)).loss
            if made.config.decay is None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        x = clusters(1000)
        return float((made.eval()(x).values - x).norm(dim=1).max())

    assert distance(quantizer(codes=48, **changes)) < 0.6
    assert distance(quantizer(codes=48)) > 3


def test_moving_averages_reach_the_means() -> None:
    made = quantizer(codes=2, width=1, decay=0.5)
    with torch.no_grad():
        made.vectors.copy_(torch.tensor([[-1.0], [1.0]]))
    x = torch.tensor([[[-4.0, -2.0, 1.0, 2.0, 6.0]]])
    for _ in range(40):
        loss = made(x).loss
    torch.testing.assert_close(made.vectors.detach(), torch.tensor([[-3.0], [3.0]]), rtol=0, atol=1e-4)
    assert not loss.requires_grad
    assert float(loss) == pytest.approx(0.25 * (1 + 1 + 4 + 1 + 9) / 5, rel=1e-4)


def test_half_precision_chooses_as_full() -> None:
    made, x = quantizer().eval(), some(2, 5, 50).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        half = made(x)
    assert half.values.dtype == half.loss.dtype == torch.float32
    assert torch.equal(half.codes, made(x.float()).codes)


@pytest.mark.parametrize("code", [-1, 12])
def test_codes_that_do_not_exist(code: int) -> None:
    with pytest.raises(ModelError, match="from 0 to 11"):
        quantizer().look_up(torch.tensor([[0, code]]))


@pytest.mark.parametrize("wrong", [{"codes": 1}, {"decay": 1.0}, {"restart": 0}])
def test_wrong_settings(wrong: dict) -> None:
    with pytest.raises(ModelError):
        VectorQuantizerConfig(**wrong)
