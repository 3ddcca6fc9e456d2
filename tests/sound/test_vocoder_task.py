"""The vocoder learns by its recipes from folders of recordings; its losses are the published ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from ictus.audio import Audio
from ictus.errors import AudioError, UsageError
from ictus.features import mel80
from ictus.sound.data.sound_dataset import RandomSoundWindows, SoundWindows
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.melgan import MelGAN, WaveDiscriminator
from ictus.sound.tasks.vocoder import (
    VocoderTask,
    VocoderTaskConfig,
    distances,
    feature_distance,
    hinge_loss,
    mel_levels,
    spectral_distance,
)
from ictus.training.recipe import read_recipe
from task_steps import batches, learn, take_step

RECIPES = Path(__file__).parents[2] / "recipes"


def tone(hertz: float, seconds: float, rate: int = 22050) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * (hertz + 30 * time) * time)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gliding tones: flac, wav, another name, another rate in stereo; and what cannot be used."""
    root = tmp_path_factory.mktemp("recordings")
    for name in ("train/a", "train/b", "train/c", "train/short", "train/empty", "train/broken", "val/a", "val/b"):
        (root / name).mkdir(parents=True)
    soundfile.write(root / "train/a/sound.flac", tone(300, 1.2), 22050)
    soundfile.write(root / "train/b/music.wav", tone(500, 0.9), 22050, subtype="FLOAT")
    stereo = np.stack([tone(700, 0.8, 48000), np.zeros(38400)], 1)
    soundfile.write(root / "train/c/sound.wav", stereo, 48000)
    soundfile.write(root / "train/short/sound.wav", tone(700, 0.05), 22050)
    (root / "train/broken/sound.flac").write_bytes(b"nothing of the kind")
    for k, name in enumerate("ab"):
        soundfile.write(root / "val" / name / "sound.flac", tone(400 + 200 * k, 1.0), 22050)
    return root


def task(corpus: Path, **changes: Any) -> VocoderTask:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  # as the training loop does
    small = {"size": "debug", "samples": 4096, "held_out_frames": 40}
    return VocoderTask(VocoderTaskConfig(**{**small, **changes}), corpus)


# --- Recordings ------------------------------------------------------------------------------------------------------


def test_what_is_found(corpus: Path) -> None:
    windows = SoundWindows(corpus, "train", samples=4096)
    assert [each.name for each in windows.recordings] == ["train/a", "train/b", "train/c"]
    assert len(windows.broken) == 2
    assert any("broken/sound.flac" in line for line in windows.broken)
    assert any("empty" in line and "sound.flac" in line for line in windows.broken)
    assert [each.samples for each in windows.recordings] == [26460, 19845, 17640]
    assert len(RandomSoundWindows(corpus, "train", samples=4096, draws=2)) == 2 * (6 + 4 + 4)
    assert [each.name for each in SoundWindows(corpus, "train", samples=4096, most=2).recordings] == [
        "train/a",
        "train/b",
    ]


@pytest.mark.parametrize(("file", "tolerance"), [("a/sound.flac", 1e-6), ("b/music.wav", 1e-6), ("c/sound.wav", 0.02)])
def test_a_window_is_a_part_of_the_whole(corpus: Path, file: str, tolerance: float) -> None:
    windows = SoundWindows(corpus, "train", samples=4096)
    recording = next(each for each in windows.recordings if each.file == corpus / "train" / file)
    whole = Audio.load(recording.file, rate=22050, mono=True)
    mel = mel80(whole)
    last = (recording.samples - 4096) // 256
    for frame in (0, 1, 2, 17, last):
        cut = windows.cut(recording, frame)
        np.testing.assert_allclose(cut["sound"], whole.samples[0, frame * 256 :][:4096], atol=tolerance)
        assert cut["sound"].shape == (4096,)
        assert cut["mel"].shape == (80, 16)
        assert np.abs(cut["mel"] - mel[frame : frame + 16].T).mean() < tolerance
        assert cut["name"] == f"{recording.name}@{frame}"


def test_peak_and_gain(corpus: Path) -> None:
    (first, *_) = windows = [SoundWindows(corpus, "train", samples=4096, peak=peak) for peak in (0.0, 0.95)]
    assert np.abs(first[0]["sound"]).max() == pytest.approx(0.4, abs=1e-3)
    assert windows[1].recordings[0].loudest() == pytest.approx(0.4, abs=1e-3)
    np.testing.assert_allclose(windows[1][0]["sound"], 0.95 / 0.4 * first[0]["sound"], atol=1e-3)
    np.random.seed(0)  # noqa: NPY002
    random = RandomSoundWindows(corpus, "train", samples=4096, peak=0.95, gain=(0.1, 0.5), draws=10)
    peaks = [float(np.abs(random[k]["sound"]).max()) for k in range(0, len(random), 3)]
    assert 0.09 < min(peaks) < 0.15
    assert 0.42 < max(peaks) < 0.48
    assert len({random[0]["name"] for _ in range(20)}) > 5


def test_sound_that_breaks_off(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "train/a").mkdir(parents=True)
    whole = (corpus / "train/b/music.wav").read_bytes()
    (tmp_path / "train/a/sound.wav").write_bytes(whole)
    windows = SoundWindows(tmp_path, "train", samples=4096)
    (tmp_path / "train/a/sound.wav").write_bytes(whole[:2000])
    with pytest.raises(AudioError, match=r"sound\.wav"):
        windows.cut(windows.recordings[0], 40)


def test_no_recordings(corpus: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        SoundWindows(corpus, "test", samples=4096)
    with pytest.raises(UsageError, match=r"none of 4 .*unusable"):
        SoundWindows(corpus, "train", samples=256 * 500)
    with pytest.raises(UsageError, match="256"):
        SoundWindows(corpus, "train", samples=1000)


# --- Losses ----------------------------------------------------------------------------------------------------------


def test_mel_levels_are_mel80() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 5000)).astype(np.float32)
    levels = mel_levels(torch.from_numpy(sound))
    for k in range(2):
        np.testing.assert_allclose(levels[k].T, mel80(Audio(sound[k], 22050)), atol=1e-5)


def spectra(sound: np.ndarray, window: int) -> np.ndarray:
    """(B, n) -> (B, frames, bins): magnitudes, centred and reflected, every quarter of a window."""
    padded = np.pad(sound, ((0, 0), (window // 2, window // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, :: window // 4]
    return np.abs(np.fft.rfft(frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window))))


def test_spectral_distance() -> None:
    rng = np.random.default_rng(0)
    real, made = rng.normal(0, 0.1, (2, 2, 6000)).astype(np.float32)
    expected = []
    for window in (512, 1024, 2048):
        target, estimate = (spectra(x.astype(float), window) for x in (real, made))
        convergence = np.sqrt(((target - estimate) ** 2).sum((1, 2)) / (target**2).sum((1, 2)))
        expected.append(convergence.mean() + np.abs(np.log(target) - np.log(estimate)).mean())
    distance = spectral_distance(torch.from_numpy(real), torch.from_numpy(made))
    assert float(distance) == pytest.approx(np.mean(expected), rel=1e-3)
    assert float(spectral_distance(torch.from_numpy(real), torch.from_numpy(real))) == 0


def test_silence_has_a_gradient() -> None:
    made = torch.zeros(1, 5000, requires_grad=True)
    (spectral_distance(torch.zeros(1, 5000), made) + mel_levels(made).sum()).backward()
    assert torch.isfinite(made.grad).all()


def test_hinge() -> None:
    sure = [[torch.full((2, 1, 3), value)] for value in (3.0, 2.0)]
    doubtful = [[torch.zeros(2, 1, 3)]] * 2
    unsure = [[-layers[0]] for layers in sure]
    assert float(hinge_loss(sure, unsure)) == 0
    assert float(hinge_loss(doubtful, doubtful)) == 2 * len(doubtful)
    assert float(hinge_loss(unsure, sure)) == 4 + 4 + 3 + 3


def test_feature_distance_is_the_published_one() -> None:
    """Seven layers: six of them compared, with 4 / 5 each, and a mean over three scales; the score is left out."""
    real = [[torch.zeros(1, 2, 3) for _ in range(7)] for _ in range(3)]
    fake = [[torch.full((1, 2, 3), float(scale + 1)) for _ in range(7)] for scale in range(3)]
    assert float(feature_distance(real, fake)) == pytest.approx(4 / 5 * 6 * (1 + 2 + 3) / 3)


# --- The task --------------------------------------------------------------------------------------------------------


def test_it_learns_from_spectra(corpus: Path, tmp_path: Path) -> None:
    made = task(corpus, adversarial=0.0, matching=0.0, mel=4.0, stft=1.0, lr=5e-3, samples=2048)
    assert set(made.networks) == {"generator"}
    (optimizer,) = made.optimizers().values()
    log = []
    batch = next(batches(made.samples))
    for step in range(20):
        ((name, loss, values),) = made.losses(batch, 0, step)
        assert name == "generator"
        expected = 4 * values["generator/mel"] + values["generator/stft"]
        assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
        take_step(optimizer, loss)
        log.append(float(values["generator/mel"]))
    assert log[-1] < 0.7 * log[0]
    made.export(tmp_path / "model", {"step": 40})
    again = MelGAN.from_pretrained(tmp_path / "model")
    assert again.metadata["art"] == "sound"
    assert not (tmp_path / "model" / "critic").exists()


def test_published_losses_alternate(corpus: Path, tmp_path: Path) -> None:
    made = task(corpus)
    assert set(made.networks) == set(made.optimizers()) == {"generator", "critic"}
    losses = made.losses(next(batches(made.samples)), 0, 0)
    name, loss, _ = next(losses)
    assert name == "critic"
    loss.backward()
    assert all(p.grad is not None for p in made.discriminator.parameters())
    assert all(p.grad is None for p in made.generator.parameters())
    made.discriminator.zero_grad()
    name, loss, values = next(losses)
    assert name == "generator"
    assert set(values) == {"generator/adversarial", "generator/matching"}
    expected = values["generator/adversarial"] + 10 * values["generator/matching"]
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-5)
    loss.backward()
    assert all(p.grad is not None for p in made.generator.parameters())
    assert next(losses, None) is None
    made.export(tmp_path, {})
    assert WaveDiscriminator.from_pretrained(tmp_path / "critic").config.scales == 2


def test_the_discriminator_knows_real_from_made_and_the_generator_pleases_it(corpus: Path) -> None:
    made = task(corpus, matching=0.0, lr=3e-3, samples=2048)
    optimizers = made.optimizers()
    log: dict[str, list[float]] = {"critic": [], "generator": []}
    for learner in ("critic", "generator"):
        for _ in range(10):
            losses = made.losses(next(batches(made.samples)), 0, 0)
            (values,) = learn(optimizers, losses, only=learner)
            log[learner].append(values["discriminator" if learner == "critic" else "generator/adversarial"])
    assert log["critic"][0] == pytest.approx(4, abs=0.4)  # two scales that see no difference
    assert log["critic"][-1] < 3.2
    assert log["generator"][-1] < log["generator"][0] - 0.2


def test_the_discriminator_begins_at_its_step(corpus: Path) -> None:
    made = task(corpus, stft=1.0, discriminator_start=5)
    batch = next(batches(made.samples))
    assert [name for name, _, _ in made.losses(batch, 0, 4)] == ["generator"]
    assert [name for name, _, _ in made.losses(batch, 0, 5)] == ["critic", "generator"]


def test_validation_measures_both_ways_of_playing(corpus: Path) -> None:
    made = task(corpus, peak=0.0)
    made.generator.eval()
    with torch.no_grad():
        values = made.validate(lambda samples: batches(samples, 1))
    errors, controls = [], []
    for file in sorted(corpus.glob("val/*/sound.flac")):
        whole = Audio.load(file)
        target = whole.samples[0, : 40 * 256]
        mel = mel80(whole)[:40]
        for played, into in ((made.generator.vocode(mel), errors), (griffin_lim(mel), controls)):
            mel = mel80(played)
            into.append(np.abs(mel - mel80(Audio(target, 22050))).mean())
    assert values["mel"] == pytest.approx(np.mean(errors), rel=1e-3)
    assert values["mel/griffin_lim"] == pytest.approx(np.mean(controls), rel=1e-2)
    assert values["mel/griffin_lim"] < values["mel"]
    assert made.monitor == ("mel", "min")
    assert {"stft", "stft/griffin_lim"} < set(values)
    with torch.no_grad():
        assert made.validate(batches) == pytest.approx(values, rel=1e-4)


def test_distances() -> None:
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 9000).astype(np.float32))
    assert distances(sound, sound) == (0, 0)
    error, spectral = distances(sound, 0.5 * sound)
    assert error == pytest.approx(0.2 * np.log10(2), rel=1e-3)
    assert spectral == pytest.approx(0.5 + np.log(2), rel=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 8000},
        {"samples": 1024},
        {"gain": (0.5, 0.1)},
        {"gain": (0.0, 1.0)},
        {"peak": -1.0},
        {"mel": -1.0},
        {"adversarial": 0.0, "matching": 0.0},
        {"discriminator_start": 10},
        {"held_out": 0},
        {"held_out_frames": 4},
    ],
)
def test_wrong_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        VocoderTaskConfig(**wrong)


@pytest.mark.parametrize(
    ("name", "expected", "batch"),
    [
        ("vocoder", {"size": "paper", "lr": 1e-4, "betas": (0.5, 0.9), "matching": 10, "mel": 0, "stft": 0}, 64),
        ("vocoder-small", {"size": "small", "mel": 4, "stft": 1}, 8),
    ],
)
def test_recipes(name: str, expected: dict[str, Any], batch: int) -> None:
    recipe = read_recipe(RECIPES / f"{name}.yaml", lambda _: VocoderTaskConfig)
    assert recipe.task == "sound.vocoder"
    assert {key: getattr(recipe.config, key) for key in expected} == expected
    assert recipe.training.batch == batch
