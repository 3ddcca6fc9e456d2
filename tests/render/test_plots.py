from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from ictus.errors import UsageError
from ictus.render.plots import beats_and_tempo, conducting_pattern, joint_curves, mel_and_motion


@pytest.fixture(autouse=True)
def untouched_settings():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


def test_mel_and_motion_share_the_time_axis(tmp_path, flat):
    figure = mel_and_motion(np.random.default_rng(0).random((180, 128)), flat)
    above, below = figure.axes[:2]
    assert above.get_xlim() == below.get_xlim() == (0, 2)
    assert below.images[0].get_array().shape == (26, 60)
    assert above.images[0].get_array().shape == (128, 180)
    assert below.get_xlabel() == "time (s)"
    figure.savefig(tmp_path / "figure.png")
    with pytest.raises(UsageError, match="expected \\(frames, bands\\)"):
        mel_and_motion(np.zeros(128), flat)


def test_joint_curves_are_a_grid_of_joints_and_axes(tmp_path, flat, solid):
    figure = joint_curves(flat)
    assert len(figure.axes) == 26
    assert all(len(cell.lines) == 1 for cell in figure.axes)
    compared = joint_curves(flat, replace(flat, positions=flat.positions + 0.1))
    assert all(len(cell.lines) == 2 for cell in compared.axes)
    assert [text.get_text() for text in compared.legends[0].get_texts()] == ["real", "generated"]
    assert compared.axes[0].get_title() == "x (normalised)"
    compared.savefig(tmp_path / "figure.pdf")
    assert len(joint_curves(solid).axes) == 69
    with pytest.raises(UsageError, match="cannot compare conductor-13 with conductor-23"):
        joint_curves(flat, solid)


def test_a_conducting_pattern_numbers_the_beats_of_each_bar(tmp_path, flat, solid):
    beats = {"times": [0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8], "positions": [1, 2, 3, 1, 2, 3, 1]}
    figure = conducting_pattern(flat, beats)
    assert [cell.get_title() for cell in figure.axes] == ["bar 1", "bar 2"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1", "2", "3"]
    assert figure.axes[0].yaxis_inverted()  # the picture's y points down
    assert not conducting_pattern(solid, beats).axes[0].yaxis_inverted()
    # The second beat's dot lies where the hand is at that time.
    x, y = (line[0] for line in figure.axes[0].lines[1].get_data())
    wrist = flat.positions[9, flat.skeleton.index("right_wrist")]
    np.testing.assert_allclose([x, y], wrist, atol=1e-6)
    figure.savefig(tmp_path / "figure.svg")


def test_a_pattern_needs_a_whole_bar(flat):
    with pytest.raises(UsageError, match="no beats"):
        conducting_pattern(replace(flat, meta={}))
    with pytest.raises(UsageError, match="no whole bar"):
        conducting_pattern(flat)  # one bar that is not followed by another


def test_tempo_of_a_march():
    times = np.arange(9) * 0.5
    figure = beats_and_tempo({"times": times, "positions": np.arange(9) % 4 + 1})
    beats, bars = figure.axes[0].lines
    np.testing.assert_allclose(beats.get_ydata(), 120)
    np.testing.assert_allclose(bars.get_ydata(), 120)
    np.testing.assert_allclose(bars.get_xdata(), [1, 3])
    with pytest.raises(UsageError, match="at least two"):
        beats_and_tempo({"times": [1.0], "positions": [1]})
