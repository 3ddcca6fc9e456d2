"""The published metrics against the authors' own values, and against an independent, slow computation of each."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import signal

from ictus.conducting import metrics
from ictus.conducting.metrics.published import _BATCH
from ictus.conducting.models import convert_checkpoint
from ictus.conducting.models.m2s_gan import Discriminator
from ictus.conducting.models.m2s_net import M2SNet
from ictus.errors import MotionError, UsageError
from ictus.motion import Motion
from ictus.skeleton import get_skeleton
from tolerance import close

DATA = Path(__file__).parents[2].parent / "shared/data/virtualconductor"
PUBLISHED = [
    metrics.rhythm_density_error,
    metrics.strength_contour_error,
    metrics.standard_deviation_percentage,
    metrics.mean_squared_error,
]
names = pytest.mark.parametrize("metric", PUBLISHED, ids=lambda metric: metric.__name__)


@pytest.fixture(scope="module")
def parity():
    """What the authors' code gives for the motions of their published generator."""
    if not (DATA / "parity.npz").exists():
        pytest.skip(f"{DATA} is not there")
    return dict(np.load(DATA / "parity.npz"))


@pytest.fixture
def batch():
    """Three references and three estimates that move like conductors, in double precision."""
    return walks(0, 3, 700), walks(1, 3, 700)


def walks(seed, samples, frames, dtype=np.float64):
    steps = np.random.default_rng(seed).normal(0, 0.004, (samples, frames, 13, 2))
    smooth = signal.lfilter([1], [1, -1.9, 0.95], steps, axis=1)  # rings at about 1 Hz
    return (0.5 + smooth).astype(dtype)


def slow_rhythm_density(motion):
    """Return (B, 20), by scipy, channel by channel."""
    rows = []
    for sample in motion:
        powers = [signal.welch(sample[:, j, a], fs=30)[1] for j in range(13) for a in range(2)]
        rows.append(np.mean(powers, 0)[6:26])
    return np.array(rows)


def slow_strength_contour(motion):
    """Return (B, windows), frame by frame."""
    rows = []
    for sample in motion:
        strength = [0.0]
        for before, after in itertools.pairwise(sample):
            strength.append(abs(np.mean(after - before)))
        starts = range(0, len(strength) - 59, 30)
        rows.append([np.mean(strength[start : start + 60]) for start in starts])
    return np.array(rows)


@pytest.mark.parametrize(
    ("name", "key", "bound"),
    [
        ("rhythm_density_error", "rde3", 1e-4),
        ("strength_contour_error", "sce3", 1e-4),
        ("standard_deviation_percentage", "sdp3", 1e-3),
        ("mean_squared_error", "mse3", 1e-7),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_authors_values(parity, name, key, bound, dtype):
    real, fake = (parity[k].astype(dtype) for k in ("motion", "motion3"))
    assert getattr(metrics, name)(real, fake) == pytest.approx(float(parity[key]), abs=bound)


@pytest.mark.parametrize(("name", "key"), [("rhythm_density_error", "rde"), ("strength_contour_error", "sce")])
def test_the_authors_values_of_a_set(parity, name, key):
    """Their evaluation takes batches of one, and the mean over them: RDE of these three (.6088 + .6088 + 0) / 3."""
    real, near, far = (parity[k].astype(np.float64) for k in ("motion", "motion2", "motion3"))
    value = getattr(metrics, name)(np.concatenate([real, far, real]), np.concatenate([far, real, near]))
    assert value == pytest.approx((2 * float(parity[f"{key}3"]) + float(parity[key])) / 3, abs=1e-4)


def test_the_authors_sync_error(parity, tmp_path):
    file = DATA / "M2SNet_official_pretrained.pt"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    evaluator = convert_checkpoint.convert(file, tmp_path / "evaluator")
    error = metrics.sync_error(parity["motion"], parity["motion3"], evaluator)
    assert error == pytest.approx(float(parity["sync_error3"]), abs=1e-4)


@pytest.mark.parametrize("frames", [256, 383, 384, 700])
def test_rhythm_density_is_welchs(frames):
    """Also where segments do not fill the motion."""
    real, fake = walks(0, 3, frames), walks(1, 3, frames)
    expected = np.log(1e7 * ((slow_rhythm_density(real) - slow_rhythm_density(fake)) ** 2).mean(1) + 1)
    assert metrics.rhythm_density_errors(real, fake) == pytest.approx(expected, rel=1e-10)
    assert metrics.rhythm_density_error(real, fake) == pytest.approx(expected.mean(), rel=1e-10)


@pytest.mark.parametrize("frames", [60, 89, 90, 700])
def test_strength_contour(frames):
    real, fake = walks(0, 3, frames), walks(1, 3, frames)
    expected = np.log(1e7 * ((slow_strength_contour(real) - slow_strength_contour(fake)) ** 2).mean(1) + 1)
    assert metrics.strength_contour_errors(real, fake) == pytest.approx(expected, rel=1e-10)
    assert metrics.strength_contour_error(real, fake) == pytest.approx(expected.mean(), rel=1e-10)


def test_standard_deviation_percentage(batch):
    real, fake = batch
    expected = 100 * np.std(fake, 1, ddof=1).mean() / np.std(real, 1, ddof=1).mean()
    assert metrics.standard_deviation_percentage(real, fake) == pytest.approx(expected, rel=1e-12)


def test_mean_squared_error(batch):
    real, fake = batch
    assert metrics.mean_squared_error(real, fake) == pytest.approx(((real - fake) ** 2).mean(), rel=1e-12)


def test_perfect_and_frozen(batch):
    real, _ = batch
    perfect = metrics.evaluate(real, real)
    assert perfect["standard_deviation_percentage"] == 100
    assert {perfect[f"{name}_error"] for name in ("rhythm_density", "strength_contour", "mean_squared")} == {0}
    frozen = np.broadcast_to(real[:, :1], real.shape)  # read-only, too
    assert metrics.standard_deviation_percentage(real, frozen) == pytest.approx(0, abs=1e-9)
    for name in ("rhythm_density_error", "strength_contour_error"):
        assert getattr(metrics, name)(real, frozen) > 1


def test_a_pulse_that_only_the_reference_has():
    """1.4 Hz lies within the band of the RDE, 0.3 and 5 Hz do not."""
    time = np.arange(900)[None, :, None, None] / 30
    still = np.full((1, 900, 13, 2), 0.5)
    pulse, sway, tremor = (still + 0.05 * np.sin(2 * np.pi * f * time) for f in (1.4, 0.3, 5.0))
    assert metrics.rhythm_density_error(pulse, still) > 3
    assert metrics.rhythm_density_error(sway, still) < 0.2
    assert metrics.rhythm_density_error(tremor, still) < 0.2


def test_strength_is_that_of_the_mean_over_channels():
    """What moves in opposite directions cancels, as in the authors' code."""
    ramp = np.zeros((1, 120, 13, 2))
    ramp[..., 0] = np.linspace(0, 1, 120)[:, None]
    opposed = ramp.copy()
    opposed[..., 1] = -ramp[..., 0]
    still = np.zeros_like(ramp)
    assert metrics.strength_contour_error(ramp, still) > 1
    assert metrics.strength_contour_error(opposed, still) == pytest.approx(0, abs=1e-20)


@names
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tensors(metric, batch, dtype):
    real, fake = (torch.from_numpy(x).to(dtype) for x in batch)
    fake.requires_grad_()
    value = metric(real, fake)
    assert (value.dtype, value.shape) == (dtype, ())
    assert metric(*batch) == pytest.approx(value.item(), rel=1e-10 if dtype is torch.float64 else 1e-4)
    value.backward()
    assert fake.grad.isfinite().all()
    assert fake.grad.abs().sum() > 0


@names
def test_gradients(metric):
    real, fake = (torch.from_numpy(walks(seed, 1, 256)) for seed in (0, 1))
    nudge = torch.zeros((), dtype=torch.float64, requires_grad=True)
    direction = torch.from_numpy(walks(2, 1, 256)) - 0.5
    assert torch.autograd.gradcheck(lambda t: metric(real, fake + t * direction), nudge)


@names
def test_gradient_of_what_stands_still(metric, batch):
    real = torch.from_numpy(batch[0])
    still = torch.full_like(real, 0.5).requires_grad_()
    metric(real, still).backward()
    assert still.grad.isfinite().all()


@names
def test_numpy(metric, batch):
    value = metric(*batch)
    assert type(value) is float
    single = [x.astype(np.float32) for x in batch]
    assert metric(*single) == pytest.approx(value, rel=1e-4)
    assert metric(*(x[:, ::-1] for x in single)) > 0  # negative strides
    for x in single:
        x.setflags(write=False)
    with warnings.catch_warnings(action="error"):
        metric(*single)


@names
def test_half_precision_and_whole_numbers(metric, batch):
    half = [torch.from_numpy(x).half() for x in batch]
    assert metric(*half).dtype == torch.float32
    pixels = [(1000 * x).round().astype(np.int64) for x in batch]
    assert metric(*pixels) == metric(*(x.astype(np.float64) for x in pixels))


@names
def test_inputs_are_left_alone(metric, batch):
    before = [x.copy() for x in batch]
    metric(*batch)
    np.testing.assert_array_equal(before, batch)


def test_a_set_is_the_mean_of_its_samples(batch):
    real, fake = batch
    single = [metrics.rhythm_density_error(real[i : i + 1], fake[i : i + 1]) for i in range(3)]
    assert metrics.rhythm_density_error(real, fake) == pytest.approx(np.mean(single), rel=1e-12)
    tensors = metrics.rhythm_density_errors(*(torch.from_numpy(x) for x in batch))
    assert tensors.tolist() == pytest.approx(single, rel=1e-10)


def test_motions_are_batches_of_one(batch):
    real, fake = (x[0].astype(np.float32) for x in batch)
    motions = [Motion(x, 30, get_skeleton("conductor-13")) for x in (real, fake)]
    assert metrics.rhythm_density_error(*motions) == metrics.rhythm_density_error(real[None], fake[None])


# --- Judges ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def evaluator():
    torch.manual_seed(0)
    network = M2SNet.from_config("debug")
    network.motion(torch.rand(4, 60, 13, 2))
    return network.eval()


@pytest.fixture
def discriminator():
    torch.manual_seed(0)
    return Discriminator.from_config("debug").eval()


def test_sync_error(evaluator, batch):
    real, fake = (torch.from_numpy(x).float() for x in batch)
    error = metrics.sync_error(real, fake, evaluator)
    mel = torch.rand(3, 2100, 128)
    features = [evaluator.features(mel, x)[1][-1] for x in (real, fake)]
    torch.testing.assert_close(error, (features[0] - features[1]).abs().mean(), rtol=1e-5, atol=0)
    assert metrics.sync_error(real, real, evaluator) == 0


def test_sync_error_is_a_loss_through_a_frozen_judge(evaluator, batch):
    evaluator.requires_grad_(False)
    real, fake = (torch.from_numpy(x).float() for x in batch)
    fake.requires_grad_()
    metrics.sync_error(real, fake, evaluator).backward()
    assert fake.grad.abs().sum() > 0


def test_judges_see_many_samples_in_parts(evaluator, discriminator):
    real, fake = (np.repeat(walks(seed, 1, 60, np.float32), 2 * _BATCH + 1, 0) for seed in (0, 1))
    real[-1] = fake[-1]  # a last part of another mean
    whole = [torch.from_numpy(x) for x in (real, fake)]
    expected = (evaluator.motion(whole[0]) - evaluator.motion(whole[1])).abs().mean().item()
    assert metrics.sync_error(real, fake, evaluator) == pytest.approx(expected, rel=1e-5)
    expected = (discriminator(whole[0]).mean() - discriminator(whole[1]).mean()).item()
    size = discriminator(whole[0]).abs().max().item()  # the estimate is a small difference of such numbers
    close(metrics.wasserstein_estimate(real, fake, discriminator), expected, size=size)


def test_wasserstein_estimate(discriminator, batch):
    real, fake = batch
    estimate = metrics.wasserstein_estimate(
        real, fake, discriminator
    )  # double precision is taken to the discriminator's
    assert estimate != 0
    assert metrics.wasserstein_estimate(fake, real, discriminator) == pytest.approx(-estimate, rel=1e-5)
    with torch.no_grad():
        discriminator.head[-1].bias += 7  # only differences count
    close(metrics.wasserstein_estimate(real, fake, discriminator), estimate, size=7)


def test_a_judge_in_training_is_refused(evaluator, discriminator, batch):
    with pytest.raises(UsageError, match=r"M2SNet that judges is being trained; call its \.eval\(\)"):
        metrics.sync_error(*batch, evaluator.train())
    with pytest.raises(UsageError, match="Discriminator that judges is being trained"):
        metrics.wasserstein_estimate(*batch, discriminator.train())


# --- Everything at once ----------------------------------------------------------------------------------------------


def test_evaluate(evaluator, discriminator, batch):
    beats = [np.arange(1, 20), np.arange(1, 22, 0.7), np.arange(2, 20, 1.3)]
    scores = metrics.evaluate(*batch, evaluator=evaluator, discriminator=discriminator, beats=beats)
    assert all(type(value) is float for value in scores.values())
    for metric in PUBLISHED:
        assert scores[metric.__name__] == metric(*batch)
    assert scores["sync_error"] == metrics.sync_error(*batch, evaluator)
    assert scores["wasserstein_estimate"] == metrics.wasserstein_estimate(*batch, discriminator)
    assert scores["jerk"] == pytest.approx(np.mean([metrics.jerk(x) for x in batch[1]]))
    each = [metrics.beat_scores(x, times) for x, times in zip(batch[1], beats, strict=True)]
    assert scores["f_measure"] == pytest.approx(np.mean([values["f_measure"] for values in each]))
    assert set(metrics.evaluate(*batch)) == {metric.__name__ for metric in PUBLISHED} | {
        *("jerk", "bone_length_constancy", "left_right_correlation")
    }
    tensors = [torch.from_numpy(x).requires_grad_() for x in batch]
    assert metrics.evaluate(*tensors) == pytest.approx(metrics.evaluate(*batch), rel=1e-9)


def test_evaluate_with_beats_of_too_few(batch):
    with pytest.raises(UsageError, match="beats of 2 samples were given for 3 motions"):
        metrics.evaluate(*batch, beats=[[1.0], [1.0]])


# --- Bad input -------------------------------------------------------------------------------------------------------


def refused(kind, words, *motions):
    """Expect one clear line, of every metric and of `validate`."""
    for metric in (*PUBLISHED, metrics.rhythm_density_errors, metrics.validate, metrics.evaluate):
        with pytest.raises(kind, match=words) as caught:
            metric(*motions)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(300, 13, 2), (1, 300, 26), (1, 300, 17, 2), (1, 300, 13, 3), (0, 300, 13, 2)])
def test_wrong_shapes(shape):
    words = r"the reference has shape \(.*\); it must be \(batch, frames, 13, 2\)"
    refused(UsageError, words, np.zeros(shape), np.zeros(shape))
    refused(UsageError, words, torch.zeros(shape), torch.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 299, 13, 2), (3, 300, 13, 2)])
def test_different_lengths(shape):
    refused(UsageError, r"equally many and equally long", np.ones((2, 300, 13, 2)), np.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(batch, value):
    real, fake = batch
    fake[1, 40, 3, 1] = value
    words = r"the estimate is not finite \(first in frame 40 of sample 1\)"
    refused(MotionError, words, real, fake)
    refused(MotionError, words, torch.from_numpy(real), torch.from_numpy(fake))


def test_wrong_kinds(batch):
    real, fake = batch
    refused(UsageError, "must both be tensors, or neither", real, torch.from_numpy(fake))
    refused(UsageError, "the reference is no array of real numbers", real.astype(str), fake)
    refused(UsageError, "the estimate is no array of real numbers", real, fake + 0j)
    refused(UsageError, "the estimate is no tensor of real numbers", *(torch.from_numpy(x) for x in (real, fake + 0j)))


def test_wrong_frame_rate_or_body():
    body = get_skeleton("conductor-13")
    right, fast = Motion(np.zeros((300, 13, 2)), 30, body), Motion(np.zeros((300, 13, 2)), 60, body)
    refused(UsageError, "the estimate has 60 fps; resample it to 30 first", right, fast)
    maestro = Motion(np.zeros((300, 23, 3)), 30, get_skeleton("conductor-23"))
    refused(MotionError, "the reference is a conductor-23 motion; project it", maestro, right)


def test_too_short():
    short = np.random.default_rng(0).random((1, 255, 13, 2))
    with pytest.raises(UsageError, match="255 frames; this metric needs at least 256"):
        metrics.rhythm_density_error(short, short)
    with pytest.raises(UsageError, match="59 frames; this metric needs at least 60"):
        metrics.strength_contour_error(short[:, :59], short[:, :59])
    with pytest.raises(UsageError, match="the reference does not move at all"):
        metrics.standard_deviation_percentage(short[:, :1], short[:, :1])


def test_percentage_of_nothing(batch):
    with pytest.raises(UsageError, match="the reference does not move at all"):
        metrics.standard_deviation_percentage(np.zeros_like(batch[0]), batch[1])
