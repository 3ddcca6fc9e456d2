"""Agreement of beats: at which metrical level, one to one; the fast F-measure is mir_eval's; controls are shifts."""

import subprocess
import sys

import numpy as np
import pytest

from ictus.beats.metrics import continuity, f_measure, fast_f_measure, rolled
from ictus.errors import UsageError


def cases():
    """Yield many pairs of beats and estimates, regular to random."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        count = int(rng.integers(2, 60))
        beats = np.cumsum(rng.uniform(0.3, 0.9) * np.exp(rng.normal(0, rng.choice([0.0, 0.05, 0.3]), count)))
        off = (beats[1:] + beats[:-1]) / 2
        noise = rng.choice([0.0, 0.02, 0.08])
        for level in (beats, off, np.sort(np.concatenate([beats, off])), beats[::2], beats[1::2], beats[::3]):
            kept = level[rng.uniform(size=len(level)) > rng.choice([0.0, 0.2])]
            yield beats, np.unique(np.abs(kept + rng.normal(0, 1, len(kept)) * noise))
        yield beats, np.sort(rng.uniform(0, beats[-1], int(rng.integers(0, 60))))
        yield np.sort(rng.uniform(0, 10, 40)), np.sort(rng.uniform(0, 10, 40))  # dense: one to one matters


def test_the_fast_f_measure_is_mir_evals():
    values = [(fast_f_measure(beats, estimate), f_measure(beats, estimate)) for beats, estimate in cases()]
    np.testing.assert_allclose(*np.transpose(values), rtol=0, atol=1e-12)


@pytest.mark.parametrize("estimate", [[], [0.5], [0.5, 1.0], [0.6, 1.1, 1.6]])
@pytest.mark.parametrize("beats", [[], [0.5], [0.5, 1.0], [0.5, 1.0, 1.5, 2.0]])
def test_few_beats(beats, estimate):
    assert fast_f_measure(np.array(beats), np.array(estimate)) == pytest.approx(f_measure(beats, estimate))
    enough = min(len(beats), len(estimate)) > 1
    assert all(0 <= value <= enough for value in continuity(beats, estimate))


def test_metrical_levels():
    beats = np.arange(1, 41) * 0.5
    double, half, off = np.arange(2, 81) * 0.25, beats[::2], beats[:-1] + 0.25
    assert continuity(beats, beats) == (1, 1)
    for estimate in (double, half, beats[1::2], off):
        cmlt, amlt = continuity(beats, estimate)
        assert cmlt < 0.1
        assert amlt == 1
    assert f_measure(beats, double) == pytest.approx(2 * 40 / (40 + 79))
    assert f_measure(beats, off) == 0


def test_f_measure_is_one_to_one():
    assert f_measure([1.0], [0.95, 1.0, 1.05]) == pytest.approx(2 / 4)
    assert f_measure([1.0, 1.1], [1.05, 1.16]) == 1
    assert f_measure([1.0], [1.08]) == 0
    assert f_measure([1.0], [1.08], window=0.1) == 1


@pytest.mark.parametrize("times", [[1.0, 1.0], [2.0, 1.0], [np.nan], [np.inf], [[1.0, 2.0]]])
def test_bad_times(times):
    for score in (f_measure, continuity):
        with pytest.raises(UsageError, match="the reference must be increasing, finite times"):
            score(times, [1.0])
        with pytest.raises(UsageError, match="the estimate must be increasing, finite times"):
            score([1.0], times)


def test_mir_eval_waits_until_something_is_compared():
    code = "import sys, ictus.beats.evaluation, ictus.conducting.evaluation; sys.exit('mir_eval' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_controls_are_shifts_of_the_same_icti():
    icti = np.array([1.0, 2.0, 4.0, 9.5])
    shifted = rolled(icti, 10.0)
    assert len(shifted) == 16
    for marks in shifted:
        assert ((marks >= 0) & (marks < 10)).all()
        shifts = (marks - icti[0]) % 10
        [shift] = [s for s in shifts if np.allclose(np.sort((icti + s) % 10), marks)]
        assert 1 <= shift <= 9
