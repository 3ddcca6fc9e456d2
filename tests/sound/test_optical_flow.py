"""Optical flow of films whose movement is known."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ictus import video_io
from ictus.errors import IctusError
from ictus.sound.data.optical_flow import COLUMNS, flow_rows
from ictus.types import Float32Array
from sound.moving_films import HEIGHT, SHOULDERS, SIDE, WIDTH, moving_square, panned, player, texture, turned, write

RATE, SECONDS = 21.5, 2.0
START, VELOCITY = (120.0, 100.0), (50.0, -30.0)  # pixels, and pixels a second
MIDDLE = (START[0] + SIDE / 2, START[1] + SIDE / 2)
STEADY = tuple(np.arange(50) / 25)


def flow(film: video_io.Film, points: Float32Array | None = None, **choices: float) -> Float32Array:
    return np.stack(list(flow_rows(film, points, **{"rate": RATE, **choices})))


def column(rows: Float32Array, name: str) -> Float32Array:
    return rows[:, COLUMNS.index(name)]


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> video_io.Film:
    return video_io.probe(write(tmp_path_factory.mktemp("film") / "a.mp4", moving_square(START, VELOCITY), STEADY))


@pytest.mark.parametrize("times", [STEADY, np.arange(120) / 60, np.cumsum([0, *(0.035, 0.07, 0.05) * 13])])
def test_a_square_moves_as_it_does(tmp_path: Path, times: np.ndarray) -> None:
    """However often it is shown, and at times that are not even."""
    film = video_io.probe(write(tmp_path / "a.mp4", moving_square(START, VELOCITY), times))
    rows = flow(film, player(film.seconds, MIDDLE, VELOCITY))
    assert rows.dtype == np.float32
    assert rows.shape == (round(film.seconds * RATE), 166)
    x, y = VELOCITY[0] / SHOULDERS, VELOCITY[1] / SHOULDERS  # shoulder widths a second
    np.testing.assert_allclose(column(rows, "left_hand.x"), x, rtol=0.1)
    np.testing.assert_allclose(column(rows, "left_hand.y"), y, rtol=0.1)
    np.testing.assert_allclose(column(rows, "left_hand.speed"), np.hypot(x, y), rtol=0.1)
    assert column(rows, "left_hand.spread").max() < 0.1 * np.hypot(x, y)
    np.testing.assert_allclose(column(rows, "left_hand.seen"), 1, atol=0.05)
    for still in ("right_hand", "picture"):
        assert np.abs(column(rows, f"{still}.x")).max() < 0.01
        assert np.abs(column(rows, f"{still}.y")).max() < 0.01
    half = (np.arange(len(rows)) - 0.5) / RATE * np.array(VELOCITY)[:, None] + np.array(MIDDLE)[:, None]
    inside = (np.abs(half[0] - 180) < 20) & (np.abs(half[1] - 140) < 20)  # the square covers cell y3_x4 then
    assert inside.any()
    np.testing.assert_allclose(column(rows, "y3_x4.x")[inside], VELOCITY[0] / HEIGHT, rtol=0.1)
    np.testing.assert_allclose(column(rows, "y3_x4.speed")[inside], np.hypot(*VELOCITY) / HEIGHT, rtol=0.1)
    assert np.abs(column(rows, "y0_x0.speed")).max() < 0.01


def test_a_film_that_is_played_slower_moves_slower(square: video_io.Film) -> None:
    points = player(square.seconds / 0.8, MIDDLE, (0.8 * VELOCITY[0], 0.8 * VELOCITY[1]))
    rows = flow(square, points, stretch=0.8)
    assert len(rows) == round(square.seconds / 0.8 * RATE)
    np.testing.assert_allclose(column(rows, "left_hand.x"), 0.8 * VELOCITY[0] / SHOULDERS, rtol=0.1)


def test_a_film_that_is_to_be_shown_turned_moves_turned(square: video_io.Film) -> None:
    film = video_io.probe(turned(square.file))
    assert film.size == (HEIGHT, WIDTH)
    (x, y), (across, down) = MIDDLE, VELOCITY
    rows = flow(film, player(film.seconds, (HEIGHT - y, x), (-down, across)))  # with the clock
    np.testing.assert_allclose(column(rows, "left_hand.x"), -down / SHOULDERS, rtol=0.1)
    np.testing.assert_allclose(column(rows, "left_hand.y"), across / SHOULDERS, rtol=0.1)


def test_a_camera_is_told_from_a_player(tmp_path: Path) -> None:
    film = video_io.probe(write(tmp_path / "a.mp4", panned(40), STEADY))
    rows = flow(film, player(film.seconds, (160, 120)))
    np.testing.assert_allclose(column(rows, "picture.x"), 40 / HEIGHT, rtol=0.1)
    for place in ("left_hand", "right_hand", "mouth", "y2_x3"):
        assert np.abs(column(rows, f"{place}.speed")).max() < 0.05


def test_nothing_moves_in_a_still_film_nor_on_a_wall(tmp_path: Path) -> None:
    for picture in (texture(240, 320), np.full((240, 320), 130, np.uint8)):
        film = video_io.probe(write(tmp_path / "a.mp4", lambda time, one=picture: one, STEADY))
        rows = flow(film, player(film.seconds, (160, 120)))
        seen = [name.endswith("seen") for name in COLUMNS]
        assert np.abs(rows[:, ~np.array(seen)]).max() < 0.01
    dim = np.random.default_rng(0)  # a wall that flickers: noise of a camera in the dark
    film = video_io.probe(
        write(
            tmp_path / "b.mp4",
            lambda time: (60 + 0.7 * dim.standard_normal((240, 320))).round().astype(np.uint8),
            STEADY,
        )
    )
    assert np.abs(flow(film)).max() < 0.01


def test_a_cut_is_no_movement(tmp_path: Path) -> None:
    before, after = (np.roll(texture(240, 320, seed), 0) // 2 + light for seed, light in ((0, 0), (5, 120)))
    film = video_io.probe(write(tmp_path / "a.mp4", lambda time: before if time < 1 else after, STEADY))
    assert np.abs(flow(film)).max() < 0.01


def test_what_is_not_seen_is_zero(square: video_io.Film) -> None:
    points = player(square.seconds, (-200, 50), right=(0, 120))
    points[:25, 27:47, 2] = 0
    points[:25, 6, 2] = 0
    points[20:, 7:27, 2], points[20:, 3, 2] = 0, 0
    rows = flow(square, points)
    left, right = (
        slice(COLUMNS.index(f"{side}_hand.x"), COLUMNS.index(f"{side}_hand.seen") + 1) for side in ("left", "right")
    )
    assert not rows[:, left].any()  # without the picture
    assert not rows[-10:, right].any()
    np.testing.assert_allclose(rows[:10, right.stop - 1], 0.5, atol=0.05)  # at its edge
    nobody = flow(square)
    player_columns = slice(2, 22)
    assert not nobody[:, player_columns].any()
    np.testing.assert_array_equal(nobody[:, 22:], rows[:, 22:])


def test_what_cannot_be_computed_is_a_line(square: video_io.Film, tmp_path: Path) -> None:
    with pytest.raises(
        IctusError, match=r"a\.mp4: lasts 2\.0 s, but its keypoints 4\.0 s; they do not belong together"
    ):
        flow_rows(square, player(4.0, MIDDLE), rate=RATE)
    one = video_io.probe(write(tmp_path / "one.mp4", moving_square(START, VELOCITY), [0.0]))
    with pytest.raises(IctusError, match=r"one\.mp4: has one picture only"):
        flow_rows(one, rate=RATE)


def test_pictures_are_read_when_they_are_wanted(square: video_io.Film, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    frames = video_io.video_frames

    def counted(*arguments, **choices):
        for frame in frames(*arguments, **choices):
            read.append(frame.pts)
            yield frame

    monkeypatch.setattr("ictus.sound.data.optical_flow.video_frames", counted)
    rows = flow_rows(dataclasses.replace(square), rate=RATE)
    assert [next(rows) is not None for _ in range(4)]
    assert len(read) == 4
