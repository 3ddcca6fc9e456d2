"""What every metric promises: the ideal gives the ideal value, and what cannot be measured is refused in one line."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from registered import line, lines, metrics, one_line

from ictus.conducting.models.m2s_gan import Discriminator
from ictus.conducting.models.m2s_net import M2SNet
from ictus.errors import IctusError
from ictus.skeleton import get_skeleton

WHERE = "CASES in tests/contract/test_contract_metrics.py"
REFUSED = object()


@dataclass(frozen=True)
class Case:
    """A metric's line.

    Attributes
    ----------
    given : arguments for which its value is known; the arrays among them, also within lists, are emptied, given an axis
        too many or a column too few, and strewn with NaN, each in turn.
    best : that value, or a function that says whether a value is right.
    empty : the value where all arrays and lists are empty, or `REFUSED`.
    columns : whether it matters how many columns the arrays have.
    within : by how much the value may be off.
    """

    given: tuple[Any, ...]
    best: Any
    empty: Any = REFUSED
    columns: bool = True
    within: float = 1e-6


def _still(body: str, frames: int) -> np.ndarray:
    return np.tile(get_skeleton(body).rest.astype(np.float64), (frames, 1, 1))


RNG = np.random.default_rng(0)
TIMES = 0.5 + 0.5 * np.arange(17)  # seconds: beats
ROWS = RNG.normal(size=(12, 4))  # features
LOGITS = 40 * np.eye(10)  # logits: each of ten sounds is surely of another class

# Two conductors at 30 fps, whose wrists (joints 9 and 10) are lowest on every beat; y is down.
CONDUCTED = np.full((2, 270, 13, 2), 0.5) + 0.2 * np.linspace(0, 1, 26).reshape(13, 2)
CONDUCTED[:, :, 9:11, 1] += 0.1 * np.cos(4 * np.pi * np.arange(270) / 30)[:, None]
ONE = CONDUCTED[0]

# Dances of 8 s at 60 fps: one stands still, one moves up and down in half a second, and so turns at every quarter.
STILL = _still("smpl-24", 480)
STILL[..., 1] -= STILL[..., 1].min()
PULSE = STILL.copy()
PULSE[..., 1:, :] += 0.1 * np.sin(4 * np.pi * np.arange(480) / 60)[:, None, None]
TURNS = 0.125 + 0.25 * np.arange(32)

# Sounds of 3.5 s: harmonic tones in mel80 are hard to write down, so three bands stand for a tone.
MEL = np.full((301, 80), 0.2)
ONSETS = np.array([43, 129, 215])  # frames: every second
for first in ONSETS:
    MEL[first : first + 60, 10::5] = 0.8
CLASSES = np.array([9, 9, -1, 0, 4])
JUDGE = M2SNet.from_config("debug").eval()
DISCRIMINATOR = Discriminator.from_config("debug").eval()


def _standard(sets: tuple[np.ndarray, np.ndarray]) -> bool:
    return all(np.allclose(rows.mean(0), 0) and np.allclose(rows.std(0), 1) for rows in sets)


def _near(times: np.ndarray, within: float) -> Callable[[np.ndarray], bool]:
    """Return whether found times are these; those at the very ends may be missing."""
    return lambda found: len(found) >= len(times) - 2 and np.abs(found[:, None] - times).min(1).max() <= within


CASES: dict[str, Case] = {
    "beats.continuity": Case((TIMES, TIMES), (1, 1), empty=(0, 0)),
    "beats.f_measure": Case((TIMES, TIMES), 1, empty=0),
    "beats.level_f_measure": Case((TIMES, TIMES), 1, empty=0),
    "beats.median_lag": Case((TIMES, TIMES), 0, empty=None),
    "beats.phase_f_measure": Case((TIMES, TIMES), 1, empty=0),
    "conducting.beat_scores": Case((ONE, TIMES), {"f_measure": 1, "cmlt": 1, "amlt": 1, "asynchrony": 0}, within=0.01),
    "conducting.best_lag": Case((ONE, TIMES), {"lag": 0, "f_measure": 1}, within=0.01),
    "conducting.bone_length_constancy": Case((np.tile(ONE[:1], (9, 1, 1)),), 0),
    "conducting.continuity": Case((TIMES, TIMES), (1, 1), empty=(0, 0)),
    "conducting.diversity": Case(([ONE, ONE],), 0),
    "conducting.evaluate": Case((CONDUCTED, CONDUCTED), {"rhythm_density_error": 0, "left_right_correlation": 1}),
    "conducting.f_measure": Case((TIMES, TIMES), 1, empty=0),
    "conducting.ictus_times": Case((ONE,), _near(TIMES, 0.01)),
    "conducting.jerk": Case((np.tile(ONE[:1], (9, 1, 1)),), 0),
    "conducting.left_right_correlation": Case((ONE,), 1),
    "conducting.mean_squared_error": Case((CONDUCTED, CONDUCTED), 0),
    "conducting.rhythm_density_error": Case((CONDUCTED, CONDUCTED), 0),
    "conducting.rhythm_density_errors": Case((CONDUCTED, CONDUCTED), np.zeros(2)),
    "conducting.standard_deviation_percentage": Case((CONDUCTED, CONDUCTED), 100),
    "conducting.strength_contour_error": Case((CONDUCTED, CONDUCTED), 0),
    "conducting.strength_contour_errors": Case((CONDUCTED, CONDUCTED), np.zeros(2)),
    "conducting.sync_error": Case((CONDUCTED, CONDUCTED, JUDGE), 0),
    "conducting.validate": Case((CONDUCTED, CONDUCTED), None),
    "conducting.wasserstein_estimate": Case((CONDUCTED, CONDUCTED, DISCRIMINATOR), 0),
    "dance.beat_alignment": Case((PULSE, TURNS), 1, within=0.05),
    "dance.diversity": Case((np.array([[0.0, 0, 1], [3, 4, 1]]),), 5, columns=False),
    "dance.drift": Case((STILL,), {"farthest": 0, "per_minute": 0}),
    "dance.evaluate": Case(([STILL, PULSE], [STILL, PULSE]), {"fid_k": 0, "fid_g": 0, "root_drift": 0}),
    "dance.foot_skating": Case((STILL,), {"speed": 0, "share": 0, "standing": 1}),
    "dance.foot_skating_ratio": Case((STILL,), 0),
    "dance.frechet_distance": Case((ROWS, ROWS), 0),
    "dance.freeze_ratio": Case((PULSE,), 1, within=0.02),
    "dance.freezing": Case((PULSE,), {"ratio": 1, "longest": 0}, within=0.05),
    "dance.geometric_features": Case((STILL,), lambda shares: set(shares) <= {0, 1} and len(shares) == 32),
    "dance.kinetic_features": Case((STILL, "corrected"), np.zeros(72)),
    "dance.motion_beats": Case((PULSE,), _near(TURNS, 0.02)),
    "dance.movement": Case((STILL,), 0),
    "dance.normalised": Case((ROWS, ROWS), _standard),
    "dance.physical_foot_contact": Case((STILL,), 0),
    "dance.root_drift": Case((STILL,), 0),
    "sound.chroma_accuracy": Case((CLASSES, CLASSES), 1, empty=np.nan),
    "sound.evaluate": Case(([MEL, MEL], [MEL, MEL]), {"l1": 0, "onset_f": 1, "chroma": 1}),
    "sound.frechet_distance": Case((ROWS, ROWS), 0),
    "sound.inception_score": Case((LOGITS,), lambda score: np.isclose(score[0], 1), columns=False),
    "sound.kernel_distance": Case((ROWS, ROWS), lambda distance: distance[0] <= 0),
    "sound.kl_divergence": Case((LOGITS, LOGITS), np.zeros(10), within=1e-5),
    "sound.mel_error": Case((MEL, MEL), 0),
    "sound.note_classes": Case((np.array([[0.0, 9, 69]]), 5), np.full(5, 9), np.full(5, -1), columns=False),
    "sound.onset_f_measure": Case((TIMES, TIMES), (1, 1, 1), empty=(0, 0, 0)),
    "sound.onset_times": Case((MEL,), _near(ONSETS / 86.13, 0.05)),
    "sound.pitch_classes": Case((MEL,), lambda found: set(found) <= set(range(-1, 12)) and len(found) == len(MEL)),
    "sound.pitches": Case((MEL,), lambda found: set(found) <= {-1, *range(36, 97)} and len(found) == len(MEL)),
}

METRICS = metrics()
SHAPE = re.compile(r"\((B|N|T)(, |,\))")
UNIT = re.compile(r"second|metre|m/s|fps|per cent|\bunits?\b|\b0 to 1\b|from 0|\[0, 1\]|logits|[Ss]hare|MIDI")
SOURCE = re.compile(r"\bSources?:|\bPapers\b|\b(19|20)\d\d\b")


def agree(value: Any, wanted: Any, within: float) -> bool:
    """Return whether a value is the wanted one; of a dict or dataclass, whether its fields of these names are."""
    if callable(wanted):
        return bool(wanted(value))
    if wanted is None:
        return value is None
    if isinstance(wanted, dict):
        fields = vars(value) if dataclasses.is_dataclass(value) else value
        return all(agree(fields[key], part, within) for key, part in wanted.items())
    return np.shape(value) == np.shape(wanted) and np.allclose(value, wanted, rtol=0, atol=within, equal_nan=True)


def arrays(given: Any) -> int:
    """Return how many arrays are among arguments."""
    if isinstance(given, list | tuple):
        return sum(map(arrays, given))
    return int(isinstance(given, np.ndarray))


def changed(given: Any, number: int, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Return the arguments with their array of this number changed."""
    if isinstance(given, list | tuple):
        parts = []
        for part in given:
            parts.append(changed(part, number, change))
            number -= arrays(part)
        return type(given)(parts)
    return change(given) if isinstance(given, np.ndarray) and number == 0 else given


def spoilt(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments with one array changed, each in turn."""
    for number in range(arrays(case.given)):
        yield changed(case.given, number, change)


def with_nan(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.float64)
    array.flat[array.size // 2] = np.nan
    return array


def refused(name: str, given: tuple[Any, ...]) -> str:
    with pytest.raises(IctusError) as refusal:
        METRICS[name](*given)
    return one_line(refusal)


def test_every_metric_is_under_contract() -> None:
    lines(CASES, METRICS, WHERE)


@pytest.mark.parametrize("name", METRICS)
def test_the_ideal_gives_the_ideal_value(name: str) -> None:
    case = line(CASES, name, WHERE)
    value = METRICS[name](*case.given)
    assert agree(value, case.best, case.within), value


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_repeats_and_leaves_its_arguments_alone(name: str) -> None:
    case = line(CASES, name, WHERE)
    before = changed(case.given, -1, np.copy)
    first, second = METRICS[name](*case.given), METRICS[name](*case.given)
    np.testing.assert_equal(first, second)
    for kept, given in zip(before, case.given, strict=True):
        if arrays(given):
            np.testing.assert_equal(kept, given)


@pytest.mark.parametrize("name", METRICS)
def test_nothing_is_refused_or_has_its_documented_value(name: str) -> None:
    case = line(CASES, name, WHERE)
    nothing = tuple(
        [] if isinstance(part, list) else part[:0] if isinstance(part, np.ndarray) else part for part in case.given
    )
    if case.empty is REFUSED:
        refused(name, nothing)
    else:
        value = METRICS[name](*nothing)
        assert agree(value, case.empty, case.within), value


@pytest.mark.parametrize("name", METRICS)
def test_wrong_shapes_are_refused_in_one_line(name: str) -> None:
    case = line(CASES, name, WHERE)
    for given in spoilt(case, lambda array: array[..., None]):
        refused(name, given)
    if case.columns:
        for given in spoilt(case, lambda array: array[..., :-1] if array.ndim > 1 else array[:, None]):
            refused(name, given)


@pytest.mark.parametrize("name", METRICS)
def test_nan_is_refused_in_one_line(name: str) -> None:
    for given in spoilt(line(CASES, name, WHERE), with_nan):
        refused(name, given)


@pytest.mark.parametrize("name", METRICS)
def test_single_precision_is_enough(name: str) -> None:
    case = line(CASES, name, WHERE)
    given = case.given
    for number in range(arrays(given)):
        given = changed(given, number, lambda array: array.astype(np.float32) if array.dtype.kind == "f" else array)
    with torch.no_grad():
        value = METRICS[name](*given)
    assert agree(value, case.best, max(case.within, 1e-3)), value


@pytest.mark.parametrize("name", METRICS)
def test_docstrings_tell_shapes_units_and_the_source(name: str) -> None:
    function = METRICS[name]
    own = inspect.getdoc(function) or ""
    module = inspect.getmodule(inspect.unwrap(function))
    package = import_module(f"ictus.{name.partition('.')[0]}.metrics")
    around = f"{own} {module.__doc__ if module else ''} {package.__doc__}"
    assert SHAPE.search(own), f"{name}: its docstring must give shapes, as (T, 13, 2)"
    assert UNIT.search(own), f"{name}: its docstring must give units or the range of the value"
    assert SOURCE.search(around), f"{name}: it or its package must name a source"
