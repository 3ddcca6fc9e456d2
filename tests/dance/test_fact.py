"""FACT: sizes as published, what sees what, and generation against a loop that spells it out."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ictus.dance.frames import padded, rest, unpadded
from ictus.dance.models.fact import ABLATIONS, FACT, FACTConfig, beat_phase, extend_audio
from ictus.errors import AudioError, ModelError, MotionError, UsageError
from tolerance import close


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def on_meta(config: FACTConfig) -> FACT:
    """A network whose weights take no memory."""
    with torch.device("meta"):
        return FACT(config)


@pytest.fixture(scope="module")
def network() -> FACT:
    torch.manual_seed(0)
    return FACT.from_config("debug").eval()


def music(pieces: int, frames: int, seed: int = 1) -> Tensor:
    features = torch.randn(pieces, frames, 35, generator=torch.Generator().manual_seed(seed))
    features[..., 33:] = (features[..., 33:] > 1).float()
    return features


def seeds(dances: int) -> Tensor:
    noise = 0.1 * torch.randn(dances, 120, 219, generator=torch.Generator().manual_seed(2))
    return padded(rest() + noise, 225)


def test_parameters_as_published() -> None:
    network = on_meta(FACTConfig())
    assert count(network) == 120_406_977
    blocks = [block for stack in (network.motion, network.audio) for block in stack.transformer.blocks]
    blocks += list(network.fusion.blocks)
    assert [count(block) for block in blocks] == [7_483_072] * 16
    parts = (network.motion.embedding, network.audio.embedding, network.head)
    assert [count(part) for part in parts] == [180_800, 28_800, 180_225]
    assert count(on_meta(FACTConfig(width=768, heads=12))) == 114_019_809  # the size of the authors' unit test
    assert 6e5 < count(on_meta(FACT.sizes["small"])) < 9e5


@pytest.mark.parametrize("row", ABLATIONS)
def test_ablations(row: str) -> None:
    config = FACTConfig().ablated(row)
    layers = (config.motion_layers, config.audio_layers, config.fusion_layers)
    expected = {"late-fusion": (13, 13, 1), "no-fusion": (14, 0, 0)}
    assert layers == expected.get(row, (2, 2, 12))
    assert config.future == {"causal": 1, "future-1": 1, "future-10": 10}.get(row, 20)
    torch.manual_seed(0)
    network = FACT(FACT.sizes["debug"].ablated(row))
    made = network(seeds(2), music(2, 240))
    assert made.shape == (2, 120 if row == "causal" else config.future, 225)
    made.sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters()), "every weight must take part"
    danced = network.generate(seeds(2), music(2, 242))
    assert danced.shape == (2, 3, 225)
    uses_audio = not torch.equal(danced, network.generate(seeds(2), music(2, 242, seed=5)))
    assert uses_audio == (row != "no-fusion")


def test_frames_without_padding() -> None:
    network = FACT(FACTConfig(pose=219, width=16, heads=2, hidden=32, motion_layers=1, audio_layers=1, fusion_layers=1))
    assert network(seeds(2)[..., 6:], music(2, 240)).shape == (2, 20, 219)
    assert network.generate(None, music(2, 240), steps=2).shape == (2, 2, 219)


def test_initialisation() -> None:
    torch.manual_seed(0)
    network = FACT.from_config("small")
    for tensor in (network.head.weight, network.motion.positions, network.audio.positions):
        assert 0.039 < tensor.detach().abs().max() <= 0.04
        assert tensor.detach().std().item() == pytest.approx(0.02 * 0.8796, rel=0.03)
    kernel = network.fusion.blocks[0].attention.qkv.weight.detach()
    limit = (6 / (128 + 3 * 128)) ** 0.5
    assert 0.99 * limit < kernel.abs().max() <= limit
    assert all(not bias.any() for name, bias in network.named_parameters() if name.endswith("bias"))


def test_forward_by_definition(network: FACT) -> None:
    motion, audio = seeds(2), music(2, 240)
    motion_tokens = network.motion.embedding(motion) + network.motion.positions
    audio_tokens = network.audio.embedding(audio) + network.audio.positions
    for block in network.motion.transformer.blocks:
        motion_tokens = block(motion_tokens)
    for block in network.audio.transformer.blocks:
        audio_tokens = block(audio_tokens)
    both = torch.cat((motion_tokens, audio_tokens), 1)
    assert both.shape == (2, 360, 16)
    for block in network.fusion.blocks:
        assert block.attention.scale == 16**-0.5
        both = block(both)
    close(network(motion, audio), network.head(both)[:, :20], layers=20)


def test_full_attention_sees_all_and_causal_the_past() -> None:
    torch.manual_seed(0)
    motion, audio = seeds(1), music(1, 240)
    later_motion, later_audio = motion.clone(), audio.clone()
    later_motion[:, 50] += 1
    later_audio[:, 70] += 1
    full = FACT.from_config("debug")
    assert (full(motion, audio)[0] != full(later_motion, audio)[0]).any(-1).all()
    assert (full(motion, audio)[0] != full(motion, later_audio)[0]).any(-1).all()
    causal = FACT(FACT.sizes["debug"].ablated("causal"))
    for changed, first in (((later_motion, audio), 50), ((motion, later_audio), 70)):
        differs = (causal(motion, audio)[0] - causal(*changed)[0]).abs().amax(-1) > 1e-6
        assert differs.tolist() == [k >= first for k in range(120)]


def spelled_out(network: FACT, motion: Tensor, audio: Tensor, frames: int, stride: int = 1) -> Tensor:
    """One plain forward per step, all 360 tokens of it, as the authors' loop does."""
    made: list[Tensor] = []
    with torch.no_grad():
        for at in range(0, frames, stride):
            tokens = network.encode_audio(audio[:, at : at + 240])
            predicted = network.decode(motion, tokens, slice(None))
            assert predicted.shape[1] == 360
            new = predicted[:, 119:120] if network.config.attention == "causal" else predicted[:, :stride]
            motion = torch.cat((motion[:, stride:], new), 1)
            made.append(new)
    return torch.cat(made, 1)[:, :frames]


@pytest.mark.parametrize(("stride", "attention"), [(1, "full"), (7, "full"), (20, "full"), (1, "causal")])
def test_generation_is_the_loop(network: FACT, stride: int, attention: str) -> None:
    if attention == "causal":
        network = FACT(FACT.sizes["debug"].ablated("causal"))
    seed, audio = seeds(2), music(2, 264)
    made = network.generate(seed, audio, stride=stride)
    assert made.shape == (2, 25, 225)  # 264 - 239: the last window of four seconds is used, and none beyond
    close(made, spelled_out(network, seed, audio, 25, stride), layers=40)


def test_steps_bound_the_dance(network: FACT) -> None:
    seed, audio = seeds(1), music(1, 264)
    whole = network.generate(seed, audio)
    for steps, stride in itertools.product((1, 9, 100), (1, 4)):
        assert network.generate(seed, audio, steps, stride).shape[1] == min(steps, 25)
    torch.testing.assert_close(network.generate(seed, audio, 9), whole[:, :9])


def test_many_are_as_one_by_one(network: FACT) -> None:
    seed, audio = seeds(3), music(3, 250)
    together = network.generate(seed, audio, stride=3)
    alone = torch.cat([network.generate(seed[k : k + 1], audio[k : k + 1], stride=3) for k in range(3)])
    close(together, alone, layers=40)
    shared = network.generate(seed, audio[:1], stride=3)  # one piece for three seeds
    close(shared, network.generate(seed, audio[:1].expand(3, -1, -1), stride=3), layers=40)


def test_to_the_end_of_the_music(network: FACT) -> None:
    seed, audio = seeds(1), music(1, 260)
    audio[:, -1, 33:] = 1
    made = network.generate(seed, audio, stride=20, to_end=True)
    assert made.shape[1] == 260 - 120
    close(made[:, :20], network.generate(seed, audio, stride=20)[:, :20], layers=40)
    assert network.generate(seed, music(1, 121), to_end=True).shape[1] == 1
    assert network.generate(None, music(1, 30), to_end=True, stride=20).shape[1] == 30


def test_without_a_seed_the_dance_covers_the_music(network: FACT) -> None:
    audio = music(2, 150)
    made = network.generate(None, audio, to_end=True, stride=20)
    assert made.shape == (2, 150, 225)
    resting = padded(network.start, 225).expand(2, 120, -1)
    assert torch.equal(made, network.generate(resting, extend_audio(audio, 120, 0), to_end=True, stride=20))


def test_what_lasts_before_and_after_the_music() -> None:
    audio = music(1, 10)
    audio[:, [0, -1], 33:] = 1
    longer = extend_audio(audio, 3, 4)
    assert longer.shape == (1, 17, 35)
    assert torch.equal(longer[:, 3:13], audio)
    assert torch.equal(longer[:, :3, :33], audio[:, :1, :33].expand(-1, 3, -1))
    assert torch.equal(longer[:, 13:, :33], audio[:, -1:, :33].expand(-1, 4, -1))
    assert not longer[:, :3, 33:].any()
    assert not longer[:, 13:, 33:].any()


def test_rotations_in_the_loop(network: FACT) -> None:
    free = network.generate(seeds(1), music(1, 243))
    made = network.generate(seeds(1), music(1, 243), orthonormalise=True)

    def error(frames: Tensor) -> float:
        matrices = unpadded(frames)[..., 3:].reshape(-1, 3, 3)
        return float((matrices @ matrices.mT - torch.eye(3)).abs().max())

    assert error(made) < 1e-4 < error(free)


def test_in_half_precision_it_is_nearly_the_same(network: FACT) -> None:
    exact = network.generate(seeds(1), music(1, 300), stride=20)
    with torch.autocast("cpu", torch.bfloat16):
        made = network.generate(seeds(1), music(1, 300), stride=20)
    assert made.dtype == torch.float32
    assert 0 < float((made - exact).abs().max()) < 0.1


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (AudioError, "4.00 s", {"audio": music(1, 239)}),
        (AudioError, "2.02 s", {"audio": music(1, 120), "to_end": True}),
        (AudioError, "2.00 s", {"audio": music(1, 119), "motion_seed": None}),
        (AudioError, "(1, 250, 34)", {"audio": music(1, 250)[..., 1:]}),
        (AudioError, "not finite", {"audio": music(1, 250) / 0}),
        (MotionError, "(1, 119, 225)", {"motion_seed": seeds(1)[:, 1:]}),
        (MotionError, "(1, 120, 219)", {"motion_seed": seeds(1)[..., 6:]}),
        (MotionError, "not finite", {"motion_seed": seeds(1) * torch.nan}),
        (MotionError, "3 seed motions for 2 pieces", {"motion_seed": seeds(3), "audio": music(2, 250)}),
        (UsageError, "stride 21", {"stride": 21}),
        (UsageError, "stride 0", {"stride": 0}),
        (UsageError, "0 steps", {"steps": 0}),
    ],
)
def test_wrong_input_is_one_line(network: FACT, error: type, words: str, arguments: dict) -> None:
    with pytest.raises(error) as caught:
        network.generate(**{"motion_seed": seeds(1), "audio": music(1, 250), **arguments})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"pose": 72}, "pose is 72"),
        ({"width": 100, "heads": 3}, "multiple of heads"),
        ({"future": 121}, "future is 121"),
        ({"attention": "causal"}, "next frame only"),
        ({"fusion_layers": 0}, "nothing would come of the music"),
    ],
)
def test_wrong_sizes(sizes: dict, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        FACTConfig(**sizes)


def test_folder(network: FACT, tmp_path) -> None:
    network.save_pretrained(tmp_path)
    loaded = FACT.from_pretrained(tmp_path)
    assert torch.equal(loaded.generate(seeds(1), music(1, 240)), network.generate(seeds(1), music(1, 240)))
    assert loaded.metadata["features"] == "rhythm35@60"


def test_relative_places_go_along_with_the_dancer() -> None:
    torch.manual_seed(3)
    network = FACT(replace(FACT.sizes["debug"], pose=219, relative=True)).eval()
    motion, audio = unpadded(seeds(2)), music(2, 240)
    away = torch.zeros(219)
    away[0], away[2] = 3.0, -2.0
    close(network(motion + away, audio), network(motion, audio) + away, layers=40)
    with pytest.raises(ModelError, match="would see the last frame"):
        FACT(replace(FACT.sizes["debug"], attention="causal", future=1, relative=True))


def test_scaled_music_is_the_same_music(network: FACT) -> None:
    motion, audio = seeds(1), music(1, 240)
    predicted = network(motion, audio)
    network.audio_shift.fill_(2.0)
    network.audio_scale.fill_(0.5)
    try:
        close(network(motion, audio * 0.5 + 2), predicted, layers=40)
    finally:
        network.audio_shift.fill_(0.0)
        network.audio_scale.fill_(1.0)


def test_blended_predictions_pass_over_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    network, calls = FACT.from_config("debug").eval(), itertools.count()

    def decode(motion: Tensor, audio_tokens: Tensor, tokens: slice) -> Tensor:
        return torch.full((1, tokens.stop - tokens.start, 225), float(next(calls)))

    monkeypatch.setattr(network, "decode", decode)
    dance = network.generate(seeds(1), music(1, 260), 20, stride=10, blend=True)[0, :, 0]
    assert dance[:10].tolist() == [0.0] * 10
    assert dance[10:].tolist() == pytest.approx([k / 11 for k in range(1, 11)])
    whole = network.generate(seeds(1), music(1, 300), 40, stride=20, blend=True)[0, :, 0]
    assert whole.tolist() == [2.0] * 20 + [3.0] * 20  # no frame is predicted twice


def test_what_the_predicting_tokens_are_given_takes_part() -> None:
    torch.manual_seed(0)
    config = FACTConfig(width=16, heads=2, hidden=32, motion_layers=1, audio_layers=0, fusion_layers=1)
    network = FACT(replace(config, aligned=True, phase=True, recent=True, relative=True))
    audio = music(2, 264)
    audio[..., 34] = 0
    audio[:, ::20, 34] = 1
    network(seeds(2), audio[:, :240]).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
    close(network.generate(seeds(2), audio, stride=7), spelled_out(network, seeds(2), audio, 25, 7), layers=40)
    with pytest.raises(ModelError, match="recent poses need full attention"):
        FACTConfig(attention="causal", future=1, recent=True)


def test_the_beat_phase() -> None:
    beats = torch.zeros(2, 60)
    beats[0, [20, 30, 38]] = 1
    sine, cosine = beat_phase(beats)[0].T
    angle = torch.atan2(sine, cosine) / (2 * torch.pi) % 1
    expected = {10: 0, 15: 0.5, 20: 0, 22: 0.2, 30: 0, 32: 0.25, 38: 0, 42: 0.5}
    assert [round(float(angle[at]), 4) % 1 for at in expected] == pytest.approx(list(expected.values()), abs=1e-4)
    assert (beat_phase(beats)[0].norm(dim=1) > 0.99).tolist() == [10 <= at < 46 for at in range(60)]
    assert not beat_phase(beats)[1].any()  # without beats, no phase
