"""A skeleton drawn over its film."""

from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.pose import track
from ictus.render.film_overlay import draw, film_overlay, film_sound
from ictus.video_io import probe, video_frames
from pose.people_on_film import BODY, BoxEngine, picture, walking, write_people
from sound.raw_films import write_film


def test_every_picture_keeps_its_place_and_gets_its_skeleton(tmp_path: Path) -> None:
    film = write_people(tmp_path / "walk.mp4", walking(50))
    found = track(film, engine=BoxEngine(), start=0.4, end=1.6)
    out = tmp_path / "drawn.mp4"
    film_overlay(found, out)
    shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in video_frames(probe(out, silent=True), 25)]
    assert len(shown) == 30
    for number in (0, 15, 29):
        left = 20 + number
        assert shown[number][62, left + 15].min() > 150  # the person, who is light, has not been moved
        assert shown[number][62, left - 5].max() < 90
        body = shown[number][20:80, left : left + 30]
        assert (np.abs(body[..., 0] - body[..., 2]) > 60).mean() > 0.02  # lines, which have colours
    assert film_sound(found) is None


def test_points_without_confidence_are_not_drawn(tmp_path: Path) -> None:
    found = track(write_people(tmp_path / "a.mp4", walking(5)), engine=BoxEngine())
    found.confidence[:] = 0.2
    pixels = picture([])
    draw(pixels, found, 2)
    assert not pixels.any()


def test_sides_have_colours_of_their_own(tmp_path: Path) -> None:
    found = track(write_people(tmp_path / "a.mp4", walking(5)), engine=BoxEngine())
    pixels = picture([])
    draw(pixels, found, 2)
    x, y = np.round(found.points[2, BODY.index("left_elbow")]).astype(int)
    assert pixels[y, x, 0] > pixels[y, x, 2]
    x, y = np.round(found.points[2, BODY.index("right_elbow")]).astype(int)
    assert pixels[y, x, 0] < pixels[y, x, 2]


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_the_sound_is_that_of_the_part(tmp_path: Path, start: float) -> None:
    film = write_film(tmp_path / "loud.mp4", 3.0, clicks=[1.5])
    found = track(film, engine=BoxEngine(), start=start, end=2.0)
    out = tmp_path / "drawn.mp4"
    film_overlay(found, out)
    samples = Audio.load(out).mono()
    assert samples.duration == pytest.approx(2 - start, abs=0.06)
    assert np.abs(samples.samples[0]).argmax() / samples.rate == pytest.approx(1.5 - start, abs=0.03)
