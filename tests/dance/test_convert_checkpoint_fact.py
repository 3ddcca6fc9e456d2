"""FACT's published layout, on a synthetic checkpoint whose names and shapes are spelled out apart from the code."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.dance.models import convert_checkpoint
from ictus.dance.models.fact import FACT
from ictus.errors import ModelError

WIDTH, HIDDEN, HEADS = 8, 12, 2
LAYERS = {"motion_transformer": 2, "audio_transformer": 1, "cross_modal_layer/transformer_layer": 3}


def variable(name: str) -> str:
    return f"model/{name}/.ATTRIBUTES/VARIABLE_VALUE"


def their_variables() -> dict[str, np.ndarray]:
    """The variables of the authors' object graph, at a small size."""
    shapes: dict[str, tuple[int, ...]] = {
        "motion_linear_embedding/net/kernel": (225, WIDTH),
        "motion_linear_embedding/net/bias": (WIDTH,),
        "motion_pos_embedding/pos_embedding": (120, WIDTH),
        "audio_linear_embedding/net/kernel": (35, WIDTH),
        "audio_linear_embedding/net/bias": (WIDTH,),
        "audio_pos_embedding/pos_embedding": (240, WIDTH),
        "cross_modal_layer/cross_output_layer/kernel": (WIDTH, 225),
        "cross_modal_layer/cross_output_layer/bias": (225,),
    }
    for stack, layers in LAYERS.items():
        for k in range(layers):
            attention, mlp = (f"{stack}/net/layer_with_weights-{2 * k + odd}/fn" for odd in (0, 1))
            for norm in (attention, mlp):
                shapes |= {f"{norm}/norm/gamma": (WIDTH,), f"{norm}/norm/beta": (WIDTH,)}
            shapes[f"{attention}/fn/to_qkv/kernel"] = (WIDTH, 3 * WIDTH)
            shapes[f"{attention}/fn/to_out/kernel"], shapes[f"{attention}/fn/to_out/bias"] = (WIDTH, WIDTH), (WIDTH,)
            for i, size in enumerate(((WIDTH, HIDDEN), (HIDDEN, WIDTH))):
                layer = f"{mlp}/fn/net/layer_with_weights-{i}"
                shapes[f"{layer}/kernel"], shapes[f"{layer}/bias"] = size, size[1:]
    rng = np.random.default_rng(0)
    return {variable(name): rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def write(path: Path, **changes: np.ndarray | None) -> Path:
    variables = their_variables() | {name.replace("__", "/"): value for name, value in changes.items()}
    np.savez(path, **{name: value for name, value in variables.items() if value is not None})
    return path


def attention(variables: dict[str, np.ndarray], layer: str, x: np.ndarray) -> np.ndarray:
    """Their attention, from their variables: x @ kernel, columns q | k | v."""
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    y = y * variables[variable(f"{layer}/fn/norm/gamma")] + variables[variable(f"{layer}/fn/norm/beta")]
    q, k, v = np.split(y @ variables[variable(f"{layer}/fn/fn/to_qkv/kernel")], 3, -1)
    heads = []
    for h in range(HEADS):
        part = slice(h * WIDTH // HEADS, (h + 1) * WIDTH // HEADS)
        dots = np.exp(q[:, part] @ k[:, part].T * WIDTH**-0.5)
        heads.append(dots / dots.sum(-1, keepdims=True) @ v[:, part])
    kernel, bias = (variables[variable(f"{layer}/fn/fn/to_out/{leaf}")] for leaf in ("kernel", "bias"))
    return x + np.concatenate(heads, -1) @ kernel + bias


def test_every_variable_has_its_place(tmp_path: Path) -> None:
    slot = "model/motion_linear_embedding/net/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE"
    extra = {slot: np.zeros((225, WIDTH)), "save_counter/.ATTRIBUTES/VARIABLE_VALUE": np.zeros(())}
    file = write(tmp_path / "fact.npz", **extra)
    network = convert_checkpoint.convert(file, tmp_path / "fact", heads=HEADS)
    theirs = their_variables()
    assert sum(p.numel() for p in network.parameters()) == sum(value.size for value in theirs.values())
    config = network.config
    assert (config.motion_layers, config.audio_layers, config.fusion_layers) == (2, 1, 3)
    assert (config.pose, config.width, config.hidden, config.heads, config.future) == (225, WIDTH, HIDDEN, HEADS, 20)

    frames = np.random.default_rng(1).normal(size=(120, 225)).astype(np.float32)
    embedded = frames @ theirs[variable("motion_linear_embedding/net/kernel")]
    embedded += theirs[variable("motion_linear_embedding/net/bias")]
    embedded += theirs[variable("motion_pos_embedding/pos_embedding")]
    seen = network.motion.embedding(torch.from_numpy(frames)) + network.motion.positions
    np.testing.assert_allclose(seen.detach().numpy(), embedded, atol=1e-5)
    block = network.fusion.blocks[1]
    x = torch.from_numpy(embedded)[None]
    mine = x + block.attention.attend(*block.attention.project(block.attention_norm(x)))
    layer = "cross_modal_layer/transformer_layer/net/layer_with_weights-2"
    np.testing.assert_allclose(mine[0].detach().numpy(), attention(theirs, layer, embedded), atol=2e-5)
    for i, j in ((0, 0), (1, 2)):
        kernel = theirs[
            variable(f"motion_transformer/net/layer_with_weights-3/fn/fn/net/layer_with_weights-{i}/kernel")
        ]
        np.testing.assert_array_equal(network.motion.transformer.blocks[1].mlp[j].weight.detach(), kernel.T)

    loaded = FACT.from_pretrained(tmp_path / "fact")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), network.parameters(), strict=True))
    assert "google-research/mint" in (tmp_path / "fact/README.md").read_text()


HEAD = variable("cross_modal_layer/cross_output_layer/kernel")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({variable("motion_transformer/net/layer_with_weights-0/fn/norm/gamma"): None}, "misses motion.transformer"),
        ({variable("novel/kernel"): np.zeros(3)}, "novel/kernel is no part of FACT"),
        ({variable("cross_modal_layer/cross_output_layer/scale"): np.zeros(3)}, "is no part of FACT"),
        ({variable("motion_pos_embedding/pos_embedding"): np.zeros((60, WIDTH), np.float32)}, "has shape (60, 8)"),
        ({HEAD: None}, "misses the output layer"),
        ({HEAD: np.zeros((WIDTH, 72), np.float32)}, "pose is 72"),
        ({HEAD: np.full((WIDTH, 225), np.nan, np.float32)}, "holds NaN"),
        ({HEAD: np.array([{}])}, "no NumPy archive of numbers"),
    ],
)
def test_what_is_no_fact(tmp_path: Path, changes: dict, words: str) -> None:
    file = write(tmp_path / "fact.npz", **changes)
    with pytest.raises(ModelError) as caught:
        convert_checkpoint.convert(file, tmp_path / "out", heads=HEADS)
    assert str(file) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_what_is_no_export(tmp_path: Path) -> None:
    file = tmp_path / "fact.npz"
    with pytest.raises(ModelError, match="no such file"):
        convert_checkpoint.convert(file, tmp_path / "out")
    file.write_bytes(b"PK no archive")
    with pytest.raises(ModelError, match=r"no \.npz"):
        convert_checkpoint.convert(file, tmp_path / "out")
    np.savez(file, weights=np.zeros(3))
    with pytest.raises(ModelError, match="begins with model/"):
        convert_checkpoint.convert(file, tmp_path / "out")
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(file)
    with pytest.raises(ModelError, match=r"no \.npz"):
        convert_checkpoint.convert(file, tmp_path / "out")
