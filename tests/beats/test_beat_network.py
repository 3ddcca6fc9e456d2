"""The beat network: what each frame depends on, in one go, in blocks and as a stream; its loss; its folder."""

import numpy as np
import pytest
import torch

from ictus.beats import network as beat_network
from ictus.beats.network import BeatNetwork, BeatNetworkConfig, shift_tolerant_loss
from ictus.errors import ModelError
from ictus.nn.folding import fold
from tolerance import close


def lively(size: str) -> BeatNetwork:
    """A small network whose batch norms have seen something."""
    torch.manual_seed(0)
    network = BeatNetwork.from_config(size).train()
    with torch.no_grad():
        for _ in range(20):
            network(2 * torch.rand(2, 200, 81))
    return network.eval()


@pytest.fixture(scope="module")
def whole() -> BeatNetwork:
    return lively("debug")


@pytest.fixture(scope="module")
def live() -> BeatNetwork:
    return lively("debug-live")


def depends_on(network: BeatNetwork, frames: int, at: int) -> tuple[int, int]:
    """Return the first and the last frame that the logits of one depend on."""
    mel = torch.rand(1, frames, 81, requires_grad=True)
    network(mel)[0, at].sum().backward()
    touched = mel.grad.abs().sum((0, 2)).nonzero().flatten()
    return int(touched.min()), int(touched.max())


def test_shapes_and_sizes() -> None:
    with torch.no_grad():
        assert BeatNetwork.from_config("debug")(torch.rand(2, 77, 81)).shape == (2, 77, 2 + 21)
    small = sum(p.numel() * 4 for p in BeatNetwork.from_config("small").parameters())
    assert small < 8e6, "bytes that are shipped"
    assert BeatNetwork.from_config("paper").levels[-1].far.dilation == (2048,)


def test_a_frame_hears_both_sides(whole: BeatNetwork) -> None:
    reach = 3 + sum(4 * 2**level for level in range(5))  # the front end's, then half of four steps of each far dilation
    assert depends_on(whole, 401, 200) == (200 - reach, 200 + reach)


def test_a_causal_frame_hears_three_ahead_and_no_more(live: BeatNetwork) -> None:
    first, last = depends_on(live, 601, 400)
    assert last == 403
    assert first == 403 - 2 * (3 + sum(4 * 2**level for level in range(5)))


@pytest.mark.parametrize("sizes", [(1,), (7,), (1, 30, 2)])
def test_a_stream_tells_the_same_as_the_whole(live: BeatNetwork, sizes: tuple[int, ...]) -> None:
    mel, past, parts, start = torch.rand(2, 90, 81), None, [], 0
    with torch.no_grad():
        while start < 90:
            size = sizes[len(parts) % len(sizes)]
            logits, past = live.stream(mel[:, start : start + size], past)
            parts.append(logits)
            start += size
        streamed = torch.cat(parts, 1)
        close(streamed[:, 3:], live(mel)[:, :-3], layers=30)


def test_only_a_causal_network_follows_a_stream(whole: BeatNetwork) -> None:
    with pytest.raises(ModelError, match="causal"):
        whole.stream(torch.rand(1, 3, 81))


@pytest.mark.parametrize("which", ["whole", "live"])
def test_long_pieces_in_blocks(which: str, request, monkeypatch) -> None:
    network, mel = request.getfixturevalue(which), torch.rand(1, 150, 81)
    with torch.no_grad():
        expected = network(mel)
        monkeypatch.setattr(beat_network, "_BLOCK", 32)
        monkeypatch.setattr(beat_network, "_WINDOW", 2)
        close(network(mel), expected, layers=30)


def test_folding_changes_nothing(whole: BeatNetwork) -> None:
    mel = torch.rand(1, 100, 81)
    with torch.no_grad():
        folded = fold(whole)
        close(folded(mel), whole(mel), layers=30)
    assert isinstance(folded.front.layers[0][1], torch.nn.Identity)


def test_it_comes_back_from_its_folder(live: BeatNetwork, tmp_path) -> None:
    live.save_pretrained(tmp_path / "ears")
    again = BeatNetwork.from_pretrained(tmp_path / "ears")
    assert again.config == live.config
    assert again.metadata["features"] == "mel81@50"
    mel = torch.rand(1, 60, 81)
    with torch.no_grad():
        torch.testing.assert_close(again(mel), live(mel))


@pytest.mark.parametrize("wrong", [{"bands": 80}, {"kernel": 4}, {"lookahead": 3}])
def test_impossible_sizes_are_refused(wrong: dict) -> None:
    with pytest.raises(ModelError):
        BeatNetworkConfig(**wrong)


def loss_of(marked: dict[int, float], beats: list[int], tolerance: int = 2) -> float:
    logits, targets = torch.full((1, 60, 1), -8.0), torch.zeros(1, 60, 1)
    for frame, logit in marked.items():
        logits[0, frame] = logit
    targets[0, beats] = 1
    return 60 * float(shift_tolerant_loss(logits, targets, tolerance, torch.tensor([3.0])))


def test_a_shift_within_the_tolerance_costs_nothing() -> None:
    exact = loss_of({30: 5.0}, [30])
    assert loss_of({28: 5.0}, [30]) == pytest.approx(exact)
    assert loss_of({27: 5.0}, [30]) > exact + 20, "missed by a frame too many"


def test_frames_about_a_beat_count_neither_way() -> None:
    exact = loss_of({30: 5.0}, [30])
    assert loss_of({30: 5.0, 34: 5.0}, [30]) == pytest.approx(exact, abs=0.01)
    assert loss_of({30: 5.0, 35: 5.0}, [30]) > exact + 4


def test_the_loss_is_the_weighted_cross_entropy() -> None:
    expected = 3 * np.log1p(np.exp(-5.0)) + 51 * np.log1p(np.exp(-8.0))  # 9 of 60 frames lie about the beat
    assert loss_of({30: 5.0}, [30]) == pytest.approx(expected, rel=1e-4)
