"""Tables of soloists: figures are what they are by hand, controls are worse where they should be, errors are named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ictus.cli import main
from ictus.errors import AudioError, IctusError, UsageError
from ictus.metrics import bootstrap
from ictus.metrics.tables import Row
from ictus.sound import INSTRUMENTS, MEL_RATE, RATE, ablations, metrics
from ictus.sound.ablations import AblatedSoloist, kinds_of
from ictus.sound.controls import (
    GROUND_TRUTH,
    MEAN,
    OTHER,
    SAME,
    choose_other,
    play_other,
    through_codebook,
    through_vocoder,
    to_levels,
)
from ictus.sound.data.dataset import WINDOW
from ictus.sound.data.samples import PerformanceSample, PerformanceSamples
from ictus.sound.evaluation import MEANING, FeatureExtractor, caveats, compare, evaluate
from ictus.sound.griffin_lim import griffin_lim
from ictus.sound.models.codebook import SpectrogramCodebook
from ictus.sound.models.instrument_classifier import InstrumentClassifier
from ictus.sound.models.keypoint_encoder import KeypointEncoder
from ictus.sound.models.soloist import SoloistTransformer
from ictus.sound.pipeline import Soloist
from ictus.types import Float32Array
from sound.small_performances import random_keypoints, write_performance
from sound.small_soloist import save_soloist

FRAMES = 128


def write(folder: Path, seed: int, instrument: str, frames: int = 2 * FRAMES + 5) -> None:
    """A solo as its notes say: a band of its own for each pitch class, and three for the instrument."""
    rng = np.random.default_rng(seed)
    notes = np.stack([np.arange(0.1, frames / MEL_RATE, 0.3), np.full(10, 0.25), rng.integers(60, 72, 10), np.ones(10)])
    mel = np.full((frames, 80), 0.1, np.float32)
    bank = INSTRUMENTS.index(instrument)
    for onset, duration, pitch, _ in notes.T:
        sounding = slice(round(onset * MEL_RATE), round((onset + duration) * MEL_RATE))
        mel[sounding, int(pitch)] = 0.8
        mel[sounding, 10 * bank : 10 * bank + 3] = 0.6
    write_performance(folder, instrument, mel=mel, notes=notes.T, keypoints=random_keypoints(rng, frames))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("solos")
    for number in range(6):
        write(root / "val" / f"{number:02d}", number, INSTRUMENTS[number % 3])
    return root


def three_classes() -> FeatureExtractor:
    """Hears which of three instruments plays, and how many notes."""

    def extract(mel: Float32Array) -> tuple[np.ndarray, np.ndarray]:
        level = mel.mean(0).reshape(8, 10)
        return level.mean(1), 100 * level[:3, 1]

    return FeatureExtractor(extract, INSTRUMENTS[:3])


@pytest.fixture(autouse=True, scope="module")
def in_haste() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_DRAWS", 50)
        yield


@pytest.fixture(scope="module")
def samples(corpus: Path) -> PerformanceSamples:
    return PerformanceSamples(corpus, "val", frames=FRAMES)


@pytest.fixture(scope="module")
def table(samples: PerformanceSamples) -> dict[str, Row]:
    def late(sample: PerformanceSample, seed: int) -> Float32Array:
        return np.roll(sample.mel, 20, axis=0)  # 0.23 s

    return {row.name: row for row in evaluate({"late": late}, samples, extractor=three_classes())}


def value(row: Row, metric: str) -> float:
    return row.values[metric][0]


def test_samples_hold_what_belongs_to_the_window(corpus: Path) -> None:
    samples = PerformanceSamples(corpus, "val", frames=FRAMES, kinds=("keypoints",))
    assert len(samples) == 12
    sample = samples[3]
    assert sample.name == f"val/01@{FRAMES}"
    whole, notes = np.load(corpus / "val" / "01" / "mel.npy"), np.load(corpus / "val" / "01" / "notes.npy")
    np.testing.assert_allclose(sample.mel, whole[FRAMES : 2 * FRAMES], atol=1e-6)
    first = round(FRAMES / MEL_RATE * 25)
    np.testing.assert_array_equal(
        sample.features["keypoints"], np.load(corpus / "val" / "01" / "keypoints.npy")[first : first + 37]
    )
    start = FRAMES / MEL_RATE
    inside = (notes[:, 0] < 2 * start) & (notes.sum(1) - notes[:, 2] - notes[:, 3] > start)
    np.testing.assert_allclose(sample.notes[:, 0], notes[inside, 0] - start, atol=1e-6)
    np.testing.assert_array_equal(sample.notes[:, 2], notes[inside, 2])
    assert sample.notes[0, 0] < 0  # it began before the window
    assert sample.instrument == 1
    assert len(PerformanceSamples(corpus, "val", frames=FRAMES, limit_hours=5 * FRAMES / MEL_RATE / 3600 + 1e-9)) == 5


def test_rows_and_figures(table: dict[str, Row]) -> None:
    assert list(table) == [GROUND_TRUTH, SAME, OTHER, MEAN, "late"]
    for name, row in table.items():
        assert list(row.values) == [metric for metric in MEANING if metric != "seconds" or name == "late"]
        assert [sample["name"] for sample in row.samples] == [f"val/{k:02d}@{s}" for k in range(6) for s in (0, FRAMES)]
        for metric, (figure, low, high) in row.values.items():
            assert low - 1e-9 <= figure <= high + 1e-9, (name, metric)


def test_the_ground_truth_agrees_with_itself(table: dict[str, Row]) -> None:
    truth = table[GROUND_TRUTH]
    assert [value(truth, metric) for metric in ("l1", "onset_f", "chroma", "instrument")] == [0, 1, 1, 1]
    assert value(truth, "fid") == pytest.approx(0, abs=1e-9)
    assert value(truth, "kl") == pytest.approx(0, abs=1e-5)
    assert value(truth, "onset_f_notes") > 0.8


def test_controls_and_latecomers_are_worse_where_they_should_be(table: dict[str, Row]) -> None:
    truth = table[GROUND_TRUTH]
    for name in (SAME, OTHER, MEAN, "late"):
        assert value(table[name], "l1") > 0.01
        assert value(table[name], "chroma") < value(truth, "chroma") - 0.2
    assert value(table["late"], "onset_f") < 0.2
    assert value(table["late"], "onset_f_notes") < value(truth, "onset_f_notes") - 0.5
    assert value(table["late"], "instrument") == value(table[SAME], "instrument") == 1
    assert value(table[SAME], "kl") < 0.3 * value(table[OTHER], "kl")
    assert value(table[OTHER], "instrument") < 0.9
    assert value(table[MEAN], "onset_f") == 0
    assert value(table[MEAN], "isc") == pytest.approx(1)
    assert value(truth, "isc") > 1.5
    assert value(table[MEAN], "fid") > value(table[OTHER], "fid")
    assert value(table[MEAN], "l1") < value(table[OTHER], "l1")


def test_figures_are_those_of_the_metrics(samples: PerformanceSamples, table: dict[str, Row]) -> None:
    extract = three_classes().extract
    real, made = [samples.mel(k) for k in range(12)], [np.roll(samples.mel(k), 20, axis=0) for k in range(12)]
    by_hand = metrics.evaluate(real, made, extract=extract)
    for metric in ("l1", "onset_f", "chroma", "fid", "isc", "kl"):
        assert value(table["late"], metric) == pytest.approx(by_hand[metric], abs=1e-9), metric
    assert value(table["late"], "kid") == pytest.approx(by_hand["kid"], abs=1e-9)
    assert np.mean([row["l1"] for row in table["late"].samples]) == pytest.approx(by_hand["l1"])


def test_intervals_are_over_performances_not_windows() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0], 50)
    found = [
        bootstrap.interval(lambda chosen: float(values[chosen].mean()), group)
        for group in (np.repeat(np.arange(4), 50), np.arange(200))
    ]
    (_, low, high), (_, narrow_low, narrow_high) = found
    assert high - low > 4 * (narrow_high - narrow_low)


def test_another_is_never_of_the_same_performance(samples: PerformanceSamples) -> None:
    for number in range(12):
        sample = samples[number]
        for seed in range(10):
            same, other = (choose_other(samples, sample, seed, same_instrument=one) for one in (True, False))
            assert samples.performances[same] != samples.performances[number] != samples.performances[other]
            assert samples.instruments[same] == sample.instrument
    expected = samples.mel(choose_other(samples, sample, 3, same_instrument=True))
    np.testing.assert_array_equal(play_other(samples, same_instrument=True)(sample, 3), expected)


def test_without_a_classifier_its_values_are_left_out(samples: PerformanceSamples) -> None:
    rows = evaluate({}, samples)
    for row in rows:
        assert list(row.values) == ["l1", "onset_f", "onset_f_notes", "chroma", "chroma_notes"]
    assert "no instrument classifier" in caveats(12, None)[0]
    assert len(caveats(12, np.zeros((12, 64)))) == 2
    assert not caveats(100, np.zeros((100, 64)))


def test_what_goes_wrong_is_named(samples: PerformanceSamples, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"short, val/00@0: 100 frames were played; the window has 128"):
        evaluate({"short": lambda sample, seed: sample.mel[:100]}, samples)
    with pytest.raises(AudioError, match=r"mad, val/00@0: the estimate is not finite"):
        evaluate({"mad": lambda sample, seed: sample.mel * np.float32(np.nan)}, samples)
    with pytest.raises(UsageError, match="windows of 1 performance"):
        PerformanceSamples(corpus, "val", frames=FRAMES, limit_hours=1e-9)
    write(tmp_path / "val" / "a", 0, "horn")
    write(tmp_path / "val" / "b", 0, "flute")
    np.save(tmp_path / "val" / "b" / "notes.npy", np.zeros((3, 2)))
    lonely = PerformanceSamples(tmp_path, "val", frames=FRAMES)
    with pytest.raises(IctusError, match=r"notes\.npy: .*\(3, 2\)"):
        lonely[2]
    (tmp_path / "val" / "b" / "notes.npy").unlink()
    rows = evaluate({}, lonely)
    assert [row.name for row in rows] == [GROUND_TRUTH, OTHER, MEAN]  # there is no other horn
    assert [("onset_f_notes" in sample) for sample in rows[0].samples] == [True, True, False, False]


def test_our_classifier_extracts_features(samples: PerformanceSamples) -> None:
    torch.manual_seed(0)
    classifier = InstrumentClassifier.from_config("debug")
    features, logits = FeatureExtractor.from_classifier(classifier).extract(samples.mel(0))
    given = torch.from_numpy(2 * samples.mel(0).T - 1)[None]
    np.testing.assert_allclose(logits, classifier.eval()(given)[0].detach().numpy(), rtol=1e-5)
    assert features.shape == (8,)
    assert FeatureExtractor.from_classifier(classifier).classes == INSTRUMENTS
    assert FeatureExtractor.from_classifier(classifier).features_of(samples).shape == (12, 8)


def test_ceilings_are_the_ground_truth_and_what_is_lost_on_the_way(shared_data: Path) -> None:
    mel = np.load(shared_data / "solos" / "solos_real_mels_u8.npz")["mel_u8"][0].T[:WINDOW] / np.float32(255)
    sample = PerformanceSample(0, "a", mel, 0, {}, {}, None)
    vocoded = through_vocoder(griffin_lim)(sample, 0)
    assert vocoded.shape == mel.shape
    assert metrics.mel_error(mel, vocoded) < 0.02
    assert metrics.mel_error(mel[1:], vocoded[:-1]) > metrics.mel_error(mel, vocoded)  # in time
    codebook = SpectrogramCodebook.from_config("debug").eval()
    decoded = through_codebook(codebook)(sample, 0)
    expected = codebook.reconstruct(torch.from_numpy(2 * mel.T - 1)[None])[0].numpy()
    np.testing.assert_array_equal(decoded, to_levels(expected))
    assert decoded.shape == mel.shape
    assert RATE / 256 == MEL_RATE


# --- The command's part ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A soloist as its training leaves it, who knows nothing yet."""
    torch.manual_seed(0)
    target = tmp_path_factory.mktemp("soloist") / "model"
    encoder = KeypointEncoder.from_config("debug")
    sizes = replace(SoloistTransformer.sizes["debug"], keypoints=encoder.features, columns=8, rows=8)
    soloist = SoloistTransformer(sizes)
    for parameter in soloist.parameters():  # or all codes are equally likely, whatever it is given
        torch.nn.init.normal_(parameter, std=0.3)
    seen = torch.cat((300 + 100 * torch.randn(8, 20, 47, 2), torch.ones(8, 20, 47, 1)), -1)
    with torch.no_grad():  # features of an encoder that knows nothing differ little; as in training, that is scaled up
        features = encoder.eval()(seen).flatten(0, 1)
        part = soloist.parts["keypoints"]
        soloist.shift[part], soloist.scale[part] = features.mean(0), features.std(0).clamp(min=1e-4) / 10
    return save_soloist(target, soloist, encoder, movement="encoder")


def test_a_soloist_plays_what_it_is_given(corpus: Path, folder: Path) -> None:
    soloist = AblatedSoloist(Soloist.from_folder(folder))
    assert kinds_of({"a": soloist, "b": soloist}) == ("keypoints",)
    samples = PerformanceSamples(corpus, "val", frames=FRAMES, kinds=("keypoints",))
    sample = samples[0]
    plays = {way: soloist.plays(samples, way) for way in (ablations.COMPLETE, *soloist.ablations())}
    assert len(plays) == 4
    made = {way: play(sample, 0) for way, play in plays.items()}
    for mel in made.values():
        assert mel.shape == (FRAMES, 80)
        assert 0 <= mel.min() <= mel.max() <= 1
    np.testing.assert_array_equal(made[""], plays[""](sample, 0))
    assert len({mel.tobytes() for mel in made.values()}) == 4
    disguised = replace(sample, features={"keypoints": samples[4].features["keypoints"]}, instrument=2)
    nothing, own = plays[ablations.NOTHING], plays[""]
    np.testing.assert_array_equal(nothing(disguised, 0), made[ablations.NOTHING])
    assert (own(disguised, 0) != made[""]).any()
    other = choose_other(samples, sample, 0, same_instrument=True)
    swapped = replace(sample, features=samples[other].features)
    np.testing.assert_array_equal(own(swapped, 0), made[ablations.ANOTHER])
    moved = replace(sample, features={"keypoints": samples[4].features["keypoints"]})
    np.testing.assert_array_equal(
        plays[ablations.INSTRUMENT](moved, 0), made[ablations.INSTRUMENT]
    )  # the movement is not given


def test_the_table(corpus: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    InstrumentClassifier.from_config("debug").save_pretrained(tmp_path / "judge")
    samples = PerformanceSamples(
        corpus, "val", frames=FRAMES, kinds=("keypoints",), limit_hours=3 * FRAMES / MEL_RATE / 3600
    )
    soloists = {"mine": AblatedSoloist(Soloist.from_folder(folder))}
    extractor = FeatureExtractor.from_classifier(InstrumentClassifier.from_pretrained(tmp_path / "judge"))
    real = extractor.features_of(PerformanceSamples(corpus, "val", frames=FRAMES))
    rows = compare(soloists, samples, extractor=extractor, reference=real, vocoder="griffin-lim")
    names = ["truth, by griffin-lim", "truth, as codes", "truth, as codes, by griffin-lim"]
    ways = ["mine", *(f"mine, {way}" for way in soloists["mine"].ablations())]
    assert [row.name for row in rows] == [GROUND_TRUTH, *names, OTHER, MEAN, *ways]
    assert value(rows[0], "fid") > 0  # not from itself
    assert 0 < value(rows[1], "l1") < value(rows[2], "l1")
    assert value(rows[-1], "seconds") > 0
    assert main(["evaluate", "sound", "--data", str(corpus), "--reference", "val"]) == 2
    assert "--judge" in capsys.readouterr().err
