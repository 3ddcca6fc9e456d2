"""The codebook has the published sizes, takes any length, and its codes stand where they should."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.errors import AudioError, ModelError, UsageError
from ictus.sound.models.codebook import (
    COLUMNS,
    MARGIN,
    SpatialAttention,
    SpectrogramCodebook,
    SpectrogramCodebookConfig,
    _in_windows,
    column_major,
    from_column_major,
)
from ictus.sound.models.patch_discriminator import PatchDiscriminator
from tolerance import close


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.fixture
def network() -> SpectrogramCodebook:
    torch.manual_seed(0)
    made = SpectrogramCodebook.from_config("debug").eval()
    with torch.no_grad():
        made.quantizer.vectors.normal_(0, 0.5)  # so that more than one is chosen
    return made


def mel(*shape: int) -> torch.Tensor:
    return 2 * torch.rand(*shape, generator=torch.Generator().manual_seed(1)) - 1


def test_the_published_size() -> None:
    with torch.device("meta"):  # shapes alone: no memory, no time
        network = SpectrogramCodebook.from_config("paper")
        assert parameters(network.encoder) == 29_295_872
        assert parameters(network.decoder) == 42_447_489
        assert network.quantizer.vectors.shape == (128, 256)
        found = network.encoder(torch.empty(2, 80, 848))
        assert found.shape == (2, 256, 5, 53)
        assert network.decoder(found).shape == (2, 80, 848)
        assert parameters(network) == 29_295_872 + 42_447_489 + 2 * (256 * 256 + 256) + 128 * 256
    assert network.config.placement == "published"
    assert network.codes_per_second == pytest.approx(5 * 22050 / 256 / 16)


def test_the_published_discriminator() -> None:
    with torch.device("meta"):
        discriminator = PatchDiscriminator.from_config("paper")
        assert parameters(discriminator) == 2_763_585
        assert discriminator(torch.empty(3, 80, 848)).shape == (3, 8, 104)
    with pytest.raises(UsageError, match="the discriminator needs 24"):
        discriminator(torch.empty(3, 80, 20))


def test_an_output_of_the_discriminator_depends_on_its_patch_alone() -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator.from_config("paper").eval()
    x = mel(1, 80, 160).requires_grad_()
    discriminator(x)[0, 4, 9].backward()
    frames, bands = x.grad[0].abs().sum(0).nonzero(), x.grad[0].abs().sum(1).nonzero()
    assert int(frames.max() - frames.min()) == 69
    assert int(bands.max() - bands.min()) <= 69


def test_the_small_size_is_small() -> None:
    with torch.device("meta"):
        network = SpectrogramCodebook.from_config("small")
        assert 1.5e6 <= parameters(network) <= 3e6
        assert network.encoder(torch.empty(1, 80, 848)).shape[2:] == (5, 53)


def test_only_the_lowest_resolution_attends() -> None:
    with torch.device("meta"):
        names = [type(module).__name__ for module in SpectrogramCodebook.from_config("paper").encoder.layers]
    assert names.count("SpatialAttention") == 3
    assert "SpatialAttention" not in names[: len(names) - 1 - names[::-1].index("Downsample")]


@pytest.mark.parametrize("frames", [1, 16, 17, 400, 848])
def test_any_length(network: SpectrogramCodebook, frames: int) -> None:
    x = mel(2, 80, frames)
    codes = network.encode(x)
    assert codes.shape == (2, 5, -(-frames // 16))
    assert codes.dtype == torch.int64
    with torch.no_grad():
        made, quantized = network(x)
    assert torch.equal(codes, quantized.codes)
    again = network.reconstruct(x)
    assert again.shape == x.shape
    close(again, made.clamp(-1, 1), layers=40)
    assert len(codes.unique()) > 1


def test_what_is_added_at_the_end_is_its_last_frame(network: SpectrogramCodebook) -> None:
    x = mel(1, 80, 90)
    longer = torch.cat((x, x[..., -1:].expand(-1, -1, 6)), -1)
    assert torch.equal(network.encode(x), network.encode(longer))


@pytest.mark.parametrize("columns", [1, 52, 53, 54, 90, 91, 127, 200])
def test_windows_cover_a_piece_once_and_leave_their_edges(columns: int) -> None:
    """Each column returns how near it is to the edge of a window: only those at the ends of the piece are near."""
    widths = []

    def work(part: torch.Tensor) -> torch.Tensor:
        width = part.shape[-1] // 3
        widths.append(width)
        times = part[..., ::3]
        from_edges = torch.minimum(torch.arange(width), width - 1 - torch.arange(width)).expand(times.shape)
        return torch.stack((times, from_edges.to(times.dtype)), -1).flatten(-2)  # two places a column

    x = torch.arange(columns).repeat_interleave(3)[None]
    made = _in_windows(work, x, 3, 2)[0].view(columns, 2)
    assert torch.equal(made[:, 0], torch.arange(columns))
    assert set(widths) == {min(columns, COLUMNS)}
    if columns > COLUMNS:
        assert int(made[MARGIN : columns - MARGIN, 1].min()) >= MARGIN


def test_long_pieces_are_encoded_window_by_window(network: SpectrogramCodebook) -> None:
    x = mel(1, 80, 16 * 120)
    codes = network.encode(x)
    assert codes.shape == (1, 5, 120)
    assert torch.equal(codes[..., : 53 - MARGIN], network.encode(x[..., : 16 * 53])[..., : 53 - MARGIN])
    made = network.decode(codes)
    assert made.shape == x.shape
    torch.testing.assert_close(made[..., : 16 * 45], network.decode(codes[..., :53])[..., : 16 * 45])


def test_the_first_row_holds_the_lowest_bands() -> None:
    torch.manual_seed(0)
    encoder = SpectrogramCodebook.from_config("debug").encoder
    for name, module in list(encoder.named_modules()):
        if isinstance(module, torch.nn.GroupNorm | SpatialAttention):  # by which all places depend on all
            parent, _, last = name.rpartition(".")
            setattr(encoder.get_submodule(parent), last, torch.nn.Identity())
    x = mel(1, 80, 16 * 40).requires_grad_()
    found = encoder(x)
    middles = []
    for row in range(5):
        (seen,) = torch.autograd.grad(found[0, :, row, 3].sum(), x, retain_graph=True)
        bands = seen[0].abs().sum(1)
        middles.append(float((bands * torch.arange(80)).sum() / bands.sum()))
    assert (np.diff(middles) > 4).all()
    assert middles[0] < 30
    assert middles[-1] > 50


def test_tokens_run_column_by_column_from_low_to_high() -> None:
    grid = torch.arange(265).view(1, 5, 53)  # row-major numbers
    tokens = column_major(grid)[0]
    for k in range(265):
        assert int(tokens[k]) == (k % 5) * 53 + k // 5
    assert torch.equal(from_column_major(tokens[None], 5), grid)
    with pytest.raises(ModelError, match="whole columns of 5"):
        from_column_major(tokens[None, :-1], 5)


def test_its_mels_are_named(network: SpectrogramCodebook) -> None:
    assert network.metadata["features"] == "mel80"


@pytest.mark.parametrize("shape", [(80, 100), (1, 79, 100), (1, 80, 0)])
def test_what_is_no_mel(network: SpectrogramCodebook, shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match=r"\(B, 80, T\) needed"):
        network.encode(torch.zeros(shape))


def test_what_are_no_codes(network: SpectrogramCodebook) -> None:
    with pytest.raises(ModelError, match=r"\(B, 5, W\) needed"):
        network.decode(torch.zeros(1, 53, 5, dtype=torch.int64))
    with pytest.raises(ModelError, match="from 0 to 15"):
        network.decode(torch.full((1, 5, 4), 16))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patch": 2}, "together they must make 16"),
        ({"multipliers": ()}, "together they must make 16"),
        ({"bands": 100}, "multiple of 16"),
        ({"channels": 100}, "multiples of the 32 groups"),
    ],
)
def test_wrong_sizes(wrong: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        SpectrogramCodebookConfig(**wrong)


def test_real_clips_of_any_length(network: SpectrogramCodebook, shared_data: Path) -> None:
    files = sorted((shared_data / "specvqgan_clips").glob("*_mel.npy"))
    if not files:
        pytest.skip("needs the mels of specvqgan_clips")
    x = torch.from_numpy(2 * np.load(files[0]).astype(np.float32) - 1)[None]
    assert x.shape == (1, 80, 860)
    assert network.reconstruct(x).shape == x.shape
    assert network.encode(x).shape == (1, 5, 54)
