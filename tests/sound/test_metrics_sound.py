"""Metrics of sound against their definitions, written out or by others, and against sounds whose notes are known."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import softmax

from ictus.audio import Audio
from ictus.errors import AudioError, UsageError
from ictus.features import mel80
from ictus.metrics.frechet import Normal
from ictus.sound import MEL_RATE, RATE, metrics
from ictus.sound.metrics.onsets import onset_f_measure, onset_times
from ictus.sound.metrics.pitch import NONE, chroma_accuracy, note_classes, pitch_classes

MELS = "solos/solos_real_mels_u8.npz"


def tone(pitch: float, seconds: float, partials: int = 8, fall: float = 0.7) -> np.ndarray:
    """A note with an attack of 10 ms and a release of 30 ms."""
    times = np.arange(round(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    sound = sum(fall**k * np.sin(2 * np.pi * (k + 1) * frequency * times + k) for k in range(partials))
    return 0.1 * sound * np.minimum(1, times / 0.01) * np.minimum(1, (seconds - times) / 0.03)


def mel_of(sound: np.ndarray) -> np.ndarray:
    return mel80(Audio(sound.astype(np.float32), RATE))


def melody(pitches: list[int], length: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Notes (N, 4) with a rest of 0.1 s before each, and their mel."""
    gap = np.zeros(round(0.1 * RATE))
    sound = np.concatenate([part for pitch in pitches for part in (gap, tone(pitch, length))])
    onsets = 0.1 + (0.1 + length) * np.arange(len(pitches))
    return np.stack([onsets, np.full(len(pitches), length), pitches, np.ones(len(pitches))], 1), mel_of(sound)


@pytest.fixture
def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((6, 6))
    return rng.standard_normal((80, 6)), 0.5 + rng.standard_normal((50, 6)) @ mixing


# --- FID and KID -----------------------------------------------------------------------------------------------------


def test_frechet_distance_is_that_of_the_matrix_root(sets: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = sets
    (m1, c1), (m2, c2) = ((rows.mean(0), np.cov(rows, rowvar=False)) for rows in sets)
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert metrics.frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_distance(Normal.of(first), second) == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_fewer_sounds_than_features() -> None:
    rng = np.random.default_rng(1)
    few = rng.standard_normal((5, 40))
    assert metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(few, few + 2) == pytest.approx(160)


def unbiased(x: np.ndarray, y: np.ndarray) -> float:
    """The squared maximum mean discrepancy, term by term."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    def within(rows: np.ndarray) -> float:
        terms = [k(rows[i], rows[j]) for i in range(len(rows)) for j in range(len(rows)) if i != j]
        return sum(terms) / len(terms)

    return within(x) + within(y) - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


def test_kernel_distance_is_the_mean_over_random_subsets(sets: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = sets
    rng = np.random.RandomState(2020)
    found = []
    for _ in range(4):
        x = first[rng.choice(80, 20, replace=False)]
        found.append(unbiased(x, second[rng.choice(50, 20, replace=False)]))
    mean, deviation = metrics.kernel_distance(first, second, subsets=4, size=20)
    assert mean == pytest.approx(np.mean(found), rel=1e-9)
    assert deviation == pytest.approx(np.std(found), rel=1e-9)


def test_kernel_distance_of_whole_sets(sets: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = sets[0][:12], sets[1][:12]
    mean, deviation = metrics.kernel_distance(first, second)  # 1000 are not there: all 12 of both, each time
    assert mean == pytest.approx(unbiased(first, second), rel=1e-9)
    assert deviation == pytest.approx(0, abs=1e-6)


def test_kernel_distance_of_the_same_kind_is_about_nothing() -> None:
    rows = np.random.default_rng(2).standard_normal((400, 6))
    near, far = metrics.kernel_distance(rows[:200], rows[200:])[0], metrics.kernel_distance(rows[:200], rows[200:] + 1)
    assert abs(near) < 0.1 < far[0]


# --- Inception score and KL ------------------------------------------------------------------------------------------


def test_inception_score_by_hand() -> None:
    logits = 2 * np.random.default_rng(3).standard_normal((47, 6))
    order = np.random.RandomState(2020).permutation(47)
    scores = []
    for k in range(10):
        p = softmax(logits[order][k * 47 // 10 : (k + 1) * 47 // 10], axis=1)
        scores.append(np.exp(np.mean(np.sum(p * np.log(p / p.mean(0)), 1))))
    mean, deviation = metrics.inception_score(logits)
    assert mean == pytest.approx(np.mean(scores))
    assert deviation == pytest.approx(np.std(scores))


def test_inception_score_is_between_one_and_the_number_of_classes() -> None:
    sure = np.repeat(1000 * np.eye(6), 20, axis=0)
    assert metrics.inception_score(sure, splits=1)[0] == pytest.approx(6)
    assert metrics.inception_score(np.tile(sure[:1], (20, 1)))[0] == pytest.approx(1)
    assert metrics.inception_score(np.zeros((20, 6)))[0] == pytest.approx(1)
    with pytest.raises(UsageError, match="5 sounds in 10 splits"):
        metrics.inception_score(np.zeros((5, 6)))


def test_kl_is_of_the_reference_and_in_one_direction() -> None:
    rng = np.random.default_rng(4)
    true, made = rng.standard_normal((2, 30, 6))
    p, q = softmax(true, 1), softmax(made, 1)
    expected = (p * np.log(p / (q + 1e-6))).sum(1)
    np.testing.assert_allclose(metrics.kl_divergence(true, made), expected, rtol=1e-9)
    assert not np.allclose(metrics.kl_divergence(made, true), expected, rtol=0.01)
    np.testing.assert_allclose(metrics.kl_divergence(true, true), 0, atol=1e-5)


def test_kl_of_what_is_surely_something_else_is_finite() -> None:
    true, made = 2000 * np.eye(6)[:1], 2000 * np.eye(6)[1:2]
    assert metrics.kl_divergence(true, made)[0] == pytest.approx(-np.log(1e-6))


# --- Onsets ----------------------------------------------------------------------------------------------------------


def test_onset_f_measure_matches_each_onset_once() -> None:
    found = onset_f_measure([1.0, 1.02, 2.0, 3.0], [0.96, 1.01, 1.03, 2.06, 3.0])
    assert found == pytest.approx((2 * 3 / 9, 3 / 5, 3 / 4))


def test_onset_f_measure_of_nothing_is_nothing() -> None:
    assert onset_f_measure([], [1.0]) == onset_f_measure([1.0], []) == onset_f_measure([], []) == (0, 0, 0)
    with pytest.raises(UsageError, match="increasing"):
        onset_f_measure([1.0, 0.5], [1.0])


@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_onsets_of_a_melody_are_found_where_they_are(gain: float) -> None:
    notes, mel = melody([60, 64, 67, 72, 71, 69, 67, 55])
    quiet = np.clip(mel + 20 * np.log10(gain) / 100, 0, 1).astype(np.float32)
    found = onset_times(quiet)
    assert len(found) == len(notes)
    np.testing.assert_allclose(found, notes[:, 0], atol=0.04)


def test_silence_and_a_steady_tone_have_no_onsets() -> None:
    assert not len(onset_times(np.zeros((500, 80), np.float32)))
    steady = mel_of(tone(69, 3.0))[30:-30]
    assert not len(onset_times(steady))


# --- Pitch -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("partials", "fall"), [(1, 1.0), (4, 0.4), (15, 0.9)])
@pytest.mark.parametrize("detune", [0.0, 0.2])
def test_known_tones_have_their_pitch_class(partials: int, fall: float, detune: float) -> None:
    """Pure tones are recognised from where two semitones lie in different bands."""
    for pitch in range(77 if partials == 1 else 55, 89):
        classes = pitch_classes(mel_of(tone(pitch + detune, 0.5, partials, fall))[8:-8])
        assert np.mean(classes == pitch % 12) > 0.9, pitch


def test_notes_and_mel_agree_and_a_semitone_off_does_not() -> None:
    notes, mel = melody([60, 64, 67, 72, 59, 62])
    target = note_classes(notes, len(mel))
    assert np.unique(target[: int(0.09 * MEL_RATE)]).tolist() == [NONE]
    assert target[int(0.3 * MEL_RATE)] == 0
    assert target[int(0.8 * MEL_RATE)] == 4
    assert chroma_accuracy(target, pitch_classes(mel)) > 0.9
    assert chroma_accuracy(target, pitch_classes(melody([61, 65, 68, 73, 60, 63])[1])) < 0.1
    octave = melody([72, 76, 55, 60, 71, 74])[1]
    assert chroma_accuracy(target, pitch_classes(octave)) > 0.9


def test_silence_has_no_pitch_and_no_accuracy() -> None:
    silent = pitch_classes(np.zeros((50, 80), np.float32))
    assert (silent == NONE).all()
    assert np.isnan(chroma_accuracy(silent, silent))
    sounding = np.zeros(50, np.intp)
    assert chroma_accuracy(sounding, silent) == 0


# --- All together ----------------------------------------------------------------------------------------------------


def mean_bands(mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return mel.mean(0)[::20], 5 * mel.mean(0)[:6]


def test_evaluate_on_real_mels(shared_data) -> None:
    mels = [mel / np.float32(255) for mel in np.load(shared_data / MELS)["mel_u8"][:5].transpose(0, 2, 1)]
    same = metrics.evaluate(mels, mels, extract=mean_bands)
    assert list(same) == ["l1", "onset_f", "chroma", "fid", "kid", "isc", "kl"]
    assert (same["l1"], same["onset_f"], same["chroma"]) == (0, 1, 1)
    assert same["fid"] == pytest.approx(0, abs=1e-9)
    assert same["kl"] == pytest.approx(0, abs=1e-5)
    other = metrics.evaluate(mels, mels[1:] + mels[:1], extract=mean_bands)
    assert other["fid"] == pytest.approx(0, abs=1e-9)  # the set is the same
    assert other["isc"] == pytest.approx(same["isc"])
    assert other["kl"] > 0.001
    assert other["l1"] == pytest.approx(np.mean([np.abs(mels[k] - mels[(k + 1) % 5]).mean() for k in range(5)]))
    assert other["onset_f"] < 0.6
    assert other["chroma"] < 0.5
    coarse = metrics.evaluate(mels, [np.round(8 * mel) / 8 for mel in mels])
    assert list(coarse) == ["l1", "onset_f", "chroma"]
    assert coarse["l1"] < 0.05
    assert coarse["chroma"] > 0.7


@pytest.mark.parametrize(
    ("mel", "message"),
    [
        (np.zeros((80, 100), np.float32), r"shape \(80, 100\)"),
        (np.full((100, 80), np.nan, np.float32), "not finite"),
        (np.full((100, 80), -0.5, np.float32), "from 0 to 1"),
    ],
)
def test_what_is_no_mel_is_named(mel: np.ndarray, message: str) -> None:
    for metric in (onset_times, pitch_classes, lambda given: metrics.mel_error(given, given)):
        with pytest.raises(AudioError, match=message):
            metric(mel)


def test_sets_that_cannot_be_compared_are_named() -> None:
    rows = np.zeros((5, 4))
    for distance in (metrics.frechet_distance, metrics.kernel_distance):
        with pytest.raises(UsageError, match=r"4 features.*3"):
            distance(rows, rows[:, :3])
        with pytest.raises(UsageError, match="2 or more"):
            distance(rows, rows[:1])
    with pytest.raises(UsageError, match="in pairs"):
        metrics.kl_divergence(rows, rows[:2])
    mel = np.zeros((10, 80), np.float32)
    with pytest.raises(UsageError, match="as long"):
        metrics.mel_error(mel, mel[:5])
    with pytest.raises(UsageError, match="two pairs"):
        metrics.evaluate([mel], [mel])
