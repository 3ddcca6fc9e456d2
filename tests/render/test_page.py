"""Pages, as files: what is in them, how large they are, and what is refused."""

import base64
import io
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ictus.audio import Audio
from ictus.errors import AudioError, IctusError, UsageError
from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.render.packing import COARSE, FINE, _packed, packed, size, thinned, unpack
from ictus.render.page import _SCRIPTS, page, page_html
from ictus.render.show import show
from ictus.render.sound_embedding import embedded
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances


def clicks(times: list[float], seconds: float, rate: int = 44100, channels: int = 2) -> Audio:
    samples = np.zeros((channels, round(seconds * rate)), np.float32)
    for time in times:
        samples[:, round(time * rate)] = 0.9
    return Audio(samples, rate)


def entries(text: str) -> dict:
    return json.loads(re.search(r'id="motions">(.*?)</script>', text, re.DOTALL)[1])


def swaying(minutes: float, fps: int = 60) -> Motion:
    """A dancer whose joints all turn, as quickly as dancers' do: half a radian within a tenth of a second."""
    rng = np.random.default_rng(5)
    frames, body = round(minutes * 60 * fps), get_skeleton("smpl-24")
    turns = gaussian_filter1d(rng.normal(size=(frames, 24, 3)), 0.1 * fps, axis=0)
    turns *= np.where(np.isin(np.arange(24), [10, 11, 20, 21, 22, 23]), 0, 0.5)[:, None] / turns.std()
    rotations = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(frames, 24, 3, 3)
    root = gaussian_filter1d(rng.normal(size=(frames, 3)), fps, axis=0) * 3 + [0, 0.92, 0]
    return Motion(forward_kinematics(body, rotations, root), fps, body, rotations, root)


tracks = st.integers(1, 200).flatmap(
    lambda frames: st.lists(
        st.lists(st.one_of(st.integers(-3, 3), st.integers(-(2**26), 2**26)), min_size=frames, max_size=frames),
        min_size=1,
        max_size=3,
    )
)


@given(tracks)
@settings(max_examples=40, deadline=None)
def test_any_whole_numbers_come_back_as_they_were(channels):
    whole = np.array(channels, float).T
    np.testing.assert_array_equal(unpack(_packed(whole, np.ones(whole.shape[1]))), whole)


def test_what_does_not_move_takes_no_room():
    still = _packed(np.full((6400, 10), 7.0), np.ones(10))
    assert len(still["deltas"]) < 1000


@pytest.mark.parametrize(("step", "most"), [(FINE, 0.0015), (COARSE, 0.003)])
def test_joints_stay_where_they_are(dancer, step, most):
    tracks = packed(dancer, step)
    assert set(tracks) == {"rotations", "root"}
    vectors = unpack(tracks["rotations"]).reshape(-1, 3)
    rotations = Rotation.from_rotvec(vectors).as_matrix().reshape(len(dancer), 24, 3, 3)
    positions = forward_kinematics(dancer.skeleton, rotations, unpack(tracks["root"]))
    assert np.abs(positions - dancer.positions).max() < most


def test_positions_that_do_not_follow_from_rotations_are_kept(dancer):
    moved = replace(dancer, positions=dancer.positions + np.float32([0.01, 0, 0]))
    tracks = packed(moved)
    assert set(tracks) == {"positions", "rotations", "root"}
    assert np.abs(unpack(tracks["positions"]).reshape(moved.positions.shape) - moved.positions).max() < 0.0003


def test_flat_bodies_of_any_size(flat):
    for scale in (1, 1000):  # of a picture, in pixels
        big = replace(flat, positions=flat.positions * scale)
        kept = unpack(packed(big)["positions"]).reshape(big.positions.shape)
        height = np.ptp(big.positions[..., 1])
        assert np.abs(kept - big.positions).max() < height / 3000


def test_frames_are_left_out_never_moved(dancer):
    fast = dancer.resample(120)
    kept = thinned(fast, 60)
    assert kept.fps == 60
    np.testing.assert_array_equal(kept.positions, fast.positions[::2])
    np.testing.assert_array_equal(kept.rotations, fast.rotations[::2])
    assert thinned(dancer, 60) is dancer
    assert thinned(replace(dancer, fps=50), 30).fps == 25


def test_three_minutes_make_less_than_400_kb():
    text = page_html(swaying(3))
    assert len(text.encode()) < 400_000
    assert entries(text)["motions"][0]["fps"] == 30


def test_a_short_motion_keeps_all_its_frames():
    (entry,) = entries(page_html(swaying(0.5)))["motions"]
    assert entry["fps"] == 60
    assert entry["tracks"]["rotations"]["frames"] == 1800


@pytest.mark.parametrize("rate", [44100, 48000, 22050])
def test_the_sound_is_in_time_to_the_sample(rate, tmp_path):
    times = [0.25, 1.7, 3.9]
    sound = embedded(clicks(times, 5, rate), 4.5)
    file = tmp_path / "sound.webm"
    file.write_bytes(base64.b64decode(sound.data))
    decoded = Audio.load(file).mono()
    assert decoded.duration == pytest.approx(4.5, abs=0.001)
    for time in times:
        window = np.abs(decoded.samples[0, round((time - 0.1) * 48000) : round((time + 0.1) * 48000)])
        assert window.argmax() / 48000 - 0.1 == pytest.approx(0, abs=0.001)
    loud = np.flatnonzero(sound.peaks > 128)
    assert set(np.rint(loud * 4.5 / 1200 * 10) / 10) == {0.2, 1.7, 3.9}


def test_the_container_says_the_same_times():
    """A player's clock counts from the times of the packets, not from the first sample that is decoded."""
    file = io.BytesIO(base64.b64decode(embedded(clicks([1.7], 3), 3.0).data))
    with av.open(file) as container:
        heard = {
            frame.time + index / frame.sample_rate
            for frame in container.decode(audio=0)
            for index in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.4)
        }
    assert heard
    assert np.array(sorted(heard)) == pytest.approx(1.7, abs=0.002)


def test_nothing_in_it_comes_from_outside(flat):
    text = page_html(flat, clicks([1.0], 2.0))
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]', text)
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src 'none'" in text


def test_what_a_motion_says_cannot_break_the_page(flat):
    rude = replace(flat, meta={**flat.meta, "model": "<script>alert(1)</script>", "music": "</title>&.wav"})
    text = page_html({"</script><b>": rude})
    assert "<script>alert" not in text
    assert "</title>&" not in text
    assert entries(text)["motions"][0]["title"] == "</script><b>"
    assert entries(text)["motions"][0]["meta"] == rude.meta


def test_every_part_of_the_viewer_is_used():
    there = {file.name for file in (files("ictus.render") / "viewer").iterdir()}
    assert there == {f"{name}.js" for name in _SCRIPTS} | {"viewer.css", "page.html"}


def test_the_file_is_written_whole_or_not_at_all(flat, tmp_path):
    page(flat, None, tmp_path / "deep" / "show.html")
    assert (tmp_path / "deep" / "show.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(AudioError, match="no such file"):
        page(flat, tmp_path / "none.wav", tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_what_is_refused(flat, tmp_path):
    with pytest.raises(UsageError, match=r"pages are \.html files"):
        page(flat, None, tmp_path / "show.mp4")
    with pytest.raises(UsageError, match="no theme is called 'pink'"):
        page_html(flat, theme="pink")
    with pytest.raises(UsageError, match="2 titles for 1 motions"):
        page_html(flat, titles=["a", "b"])
    with pytest.raises(UsageError, match="no motion to show"):
        page_html([])
    with pytest.raises(IctusError, match="JSON types only"):
        page_html(replace(flat, meta={"a": np.zeros(2)}))


def test_progress_runs_to_its_end(flat, tmp_path):
    seen: list[float] = []
    page(flat, clicks([1.0], 2.0), tmp_path / "show.html", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_notebooks_show_motions_and_sounds(flat, solid):
    assert show(flat)._repr_html_().startswith("<iframe")
    assert "&lt;!doctype html&gt;" in show(solid)._repr_html_()
    short = show(clicks([0.5], 2.0, rate=8000, channels=1))._repr_html_()
    assert "<audio controls" in short
    assert "2.0 s, 1 channel, 8000 Hz</fig" in short
    assert "here the first 60 s" in show(Audio(np.zeros((1, 8000 * 61)), 8000))._repr_html_()


def test_three_minutes_of_real_dances_fit(shared_data: Path):
    minutes = letters = 0.0
    for _, motion, _ in read_real_dances(shared_data):
        minutes, letters = minutes + motion.duration / 60, letters + size(packed(motion, COARSE))
    assert 3 * letters / minutes < 325_000
