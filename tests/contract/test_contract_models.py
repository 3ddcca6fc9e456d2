"""What every network promises that saves itself to a folder."""

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from registered import line, lines, models, one_line
from torch import Tensor, nn

from ictus.errors import IctusError
from ictus.nn.pretrained import Pretrained
from tolerance import close

WHERE = "INPUTS in tests/contract/test_contract_models.py"


@dataclass(frozen=True)
class Given:
    """One input of a network in its size "debug", drawn from [0, 1), or from whole numbers.

    Attributes
    ----------
    shape : of a batch of two.
    fixed : the axis whose length the network prescribes, if there is one.
    below : of whole numbers, one more than the largest.
    used : whether anything depends on it.
    """

    shape: tuple[int, ...]
    fixed: int | None = None
    below: int = 0
    used: bool = True


INPUTS: dict[str, tuple[Given, ...]] = {
    "BNInception": (Given((2, 3, 64, 64), fixed=1),),
    "BeatNetwork": (Given((2, 100, 81), fixed=2),),
    "CNNLSTM": (Given((2, 180, 128), fixed=2),),
    "DanceNet": (Given((2, 40, 148), fixed=2), Given((2, 40, 35), fixed=2)),
    "DanceRevolution": (Given((2, 40, 72), fixed=2), Given((2, 40, 35), fixed=2)),
    "Discriminator": (Given((2, 60, 13, 2), fixed=2),),
    "FACT": (Given((2, 120, 225), fixed=2), Given((2, 240, 35), fixed=2)),
    "Generator": (Given((2, 180, 128), fixed=2), Given((2, 2, 8), fixed=2)),
    "InstrumentClassifier": (Given((2, 80, 32), fixed=1),),
    "KeypointEncoder": (Given((2, 20, 47, 3), fixed=2),),
    "Lifter": (Given((2, 20, 33, 6), fixed=3),),
    "M2SNet": (Given((2, 180, 128), fixed=2), Given((2, 60, 13, 2), fixed=2)),
    "MelGAN": (Given((2, 80, 16), fixed=1),),
    "MelodyAutoencoder": (Given((2, 50, 16), fixed=2), Given((2, 50, 3), fixed=2)),
    "PatchDiscriminator": (Given((2, 80, 64)),),
    "Plain": (Given((2, 180, 128), fixed=2, used=False),),
    "MotionMemory": (Given((2,), below=1), Given((2,))),
    "SoloistTransformer": (Given((2, 265), below=16), Given((2, 53, 71), fixed=2)),
    "SpectralVocoder": (Given((2, 80, 16), fixed=1),),
    "SpectrogramCodebook": (Given((2, 80, 48), fixed=1),),
    "TwoStreamMotionTransformer": (Given((2, 40, 72), fixed=2), Given((2, 40, 35), fixed=2)),
    "WaveDiscriminator": (Given((2, 1, 4096), fixed=1),),
}

MODELS = models()
SHAPE = re.compile(r"\((B|N), |\(B,\)")
SOURCE = re.compile(r"\bSources?:|\b[Oo]ur own\b")


def inputs(name: str) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)

    def draw(given: Given) -> Tensor:
        if given.below:
            return torch.randint(given.below, given.shape, generator=generator)
        return torch.rand(given.shape, generator=generator)

    return [draw(given) for given in line(INPUTS, name, WHERE)]


def built(name: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return MODELS[name].from_config("debug").eval()


def tensors(made: Any) -> list[Tensor]:
    """Return all tensors of what a network returns, one for each sample at least."""
    if isinstance(made, Tensor):
        return [made] if made.dim() else []
    parts = vars(made).values() if dataclasses.is_dataclass(made) else made
    return [tensor for part in parts for tensor in tensors(part)]


def run(network: nn.Module, given: list[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        return tensors(network(*given))


def attempt(network: nn.Module, given: list[Tensor]) -> list[Tensor] | IctusError:
    """Return what a network makes of inputs, or how it refuses them; what torch raises goes on."""
    try:
        return run(network, given)
    except IctusError as error:
        return error


def test_every_model_is_under_contract() -> None:
    lines(INPUTS, MODELS, WHERE)


@pytest.mark.parametrize("name", MODELS)
def test_sizes_are_frozen_and_debug_is_small(name: str) -> None:
    cls = MODELS[name]
    assert all(isinstance(size, cls.Config) for size in cls.sizes.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(cls.sizes["debug"], dataclasses.fields(cls.Config)[0].name, None)
    assert sum(weight.numel() for weight in built(name).parameters()) < 200_000
    with pytest.raises(IctusError) as refusal:
        cls.from_config("gigantic")
    assert "debug" in one_line(refusal)


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_gives_the_same_network_back(name: str, tmp_path) -> None:
    network = built(name)
    network.save_pretrained(tmp_path / "first")
    loaded = MODELS[name].from_pretrained(tmp_path / "first")
    assert loaded.config == network.config
    assert loaded.metadata == network.metadata
    assert not loaded.training
    for expected, found in zip(run(network, inputs(name)), run(loaded, inputs(name)), strict=True):
        assert torch.equal(expected, found)
    loaded.save_pretrained(tmp_path / "second")
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_same_network_and_the_same_output(name: str) -> None:
    made = []
    for _ in range(2):
        network = built(name, seed=7).train()  # dropout, too, comes from the seed
        made.append([*run(network, inputs(name)), *network.state_dict().values()])
    assert len(made[0]) > 1
    assert all(torch.equal(first, second) for first, second in zip(*made, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_its_samples(name: str) -> None:
    network, given = built(name), inputs(name)
    together = run(network, given)
    alone = [run(network, [part[k : k + 1] for part in given]) for k in range(2)]
    assert together
    for number, whole in enumerate(together):
        if len(whole) == 2:  # what is computed of a whole batch has no samples
            parts = torch.cat([made[number] for made in alone])
            close(parts, whole, layers=40)


def wrong(name: str) -> list[list[Tensor]]:
    """Return the inputs with one axis too many, or with one row too many or too few, each input in turn."""
    right, spoilt = inputs(name), []
    for number, given in enumerate(INPUTS[name]):
        shapes = [right[number][None]]
        if given.fixed is not None:
            size = given.shape[given.fixed]
            counts = torch.arange(size + 1) % size, torch.arange(size - 1)
            shapes += [right[number].index_select(given.fixed, rows) for rows in counts]
        spoilt += [[*right[:number], shape, *right[number + 1 :]] for shape in shapes]
    return spoilt


@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_shape_is_refused(name: str) -> None:
    inputs(name)
    network = built(name)
    for given in wrong(name):
        made = attempt(network, given)
        assert isinstance(made, IctusError), f"{name} took {[tuple(part.shape) for part in given]}"
        assert "\n" not in str(made)


@pytest.mark.parametrize("name", MODELS)
def test_nan_is_refused_or_seen_and_stays_in_its_sample(name: str) -> None:
    network = built(name)
    right = run(network, inputs(name))
    for number, given in enumerate(INPUTS[name]):
        if given.below:
            continue
        spoilt = inputs(name)
        spoilt[number][0].view(-1)[spoilt[number][0].numel() // 2] = torch.nan
        made = attempt(network, spoilt)
        if isinstance(made, IctusError):
            assert "\n" not in str(made)
            continue
        seen = any(not tensor[0].isfinite().all() for tensor in made)
        assert seen == given.used, "NaN went in, and what came out looks right"
        for expected, found in zip(right, made, strict=True):
            close(found[1], expected[1], layers=40)


@pytest.mark.parametrize("name", MODELS)
def test_docstrings_tell_shapes_and_the_source(name: str) -> None:
    cls = MODELS[name]
    assert cls.__doc__, f"{name} needs a docstring"
    assert cls.forward is not Pretrained.forward
    assert SHAPE.search(cls.forward.__doc__ or ""), f"{name}.forward: its docstring must give shapes, as (B, T, 13, 2)"
    said = f"{cls.__doc__} {inspect.getmodule(cls).__doc__}"
    assert SOURCE.search(said), f'{name}: the docstring of class or module needs a "Source: ..." or to say "our own"'
