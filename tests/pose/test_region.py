"""Squares in pictures: what turns them, what is in them, and what they cut out."""

from math import pi

import numpy as np
import pytest

from ictus.pose.region import DOWN, Region, about, overlap, wrapped


def test_a_point_above_another_gives_an_upright_square_about_the_lower() -> None:
    region = Region.between(np.array([50.0, 80.0]), np.array([50.0, 30.0]))
    assert (region.x, region.y, region.size) == (50, 80, 100)
    assert region.angle == pytest.approx(0)


def test_a_square_turns_so_that_the_second_point_lies_above_the_first() -> None:
    start, end = np.array([10.0, 20.0]), np.array([40.0, 60.0])
    region = Region.between(start, end)
    np.testing.assert_allclose(region.inside(np.stack((start, end))), [[0.5, 0.5], [0.5, 0]], atol=1e-12)
    below = Region.between(start, end, DOWN)
    np.testing.assert_allclose(below.inside(end[None]), [[0.5, 1]], atol=1e-12)


def test_into_a_square_and_out_again() -> None:
    points = np.random.default_rng(0).uniform(-100, 300, (20, 2))
    region = Region(40, 70, 130, 0.7)
    np.testing.assert_allclose(region.outside(region.inside(points)), points, atol=1e-9)


def test_vectors_turn_with_the_square_and_keep_their_depth() -> None:
    turned = Region(0, 0, 1, pi / 2).turned(np.array([[1.0, 0.0, 5.0]]))
    np.testing.assert_allclose(turned, [[0, 1, 5]], atol=1e-12)  # with the clock, y down


def test_scaling_shifts_along_the_square_by_its_own_size_first() -> None:
    region = Region(100, 100, 40, pi / 2).scaled(2, down=-0.5)
    assert (region.x, region.y) == pytest.approx((120, 100))  # its up is the picture's right
    assert region.size == 80


def test_a_crop_shows_what_is_in_the_square() -> None:
    """A gradient, whose value says where a pixel is from."""
    x, y = np.meshgrid(np.arange(200), np.arange(120))
    picture = np.stack((x, y, 0 * x), -1).astype(np.uint8)
    region = Region(100, 60, 50, 0.3)
    crop = region.crop(picture, 25)[0] * 255
    i, j = 5, 17  # column, row
    (expected,) = region.outside(np.array([[i / 25, j / 25]]))
    np.testing.assert_allclose(crop[j, i, :2], expected, atol=0.6)


@pytest.mark.parametrize(("blank", "value"), [(True, 0), (False, 1)])
def test_beside_the_picture_there_is_black_or_its_edge(blank: bool, value: float) -> None:
    crop = Region.of_picture(np.full((10, 100, 3), 255, np.uint8)).crop(
        np.full((10, 100, 3), 255, np.uint8), 20, blank=blank
    )
    assert crop.shape == (1, 20, 20, 3)
    np.testing.assert_allclose(crop[0, 0], value)
    np.testing.assert_allclose(crop[0, 10], 1)


def test_a_picture_wider_than_opencv_can_warp() -> None:
    picture = np.zeros((8, 40_000, 3), np.uint8)
    picture[:, 39_000:39_004] = 255
    assert Region(39_002, 4, 8).crop(picture, 8)[0, 4, 4, 0] == 1


def test_the_square_about_points_is_tight_and_turned() -> None:
    rng = np.random.default_rng(1)
    turn = Region(0, 0, 1, 0.5)
    points = turn.outside(rng.uniform(0.2, 0.8, (50, 2))) * 100
    region = about(points, turn.outside(np.array([[0.5, 1]]))[0], turn.outside(np.array([[0.5, 0]]))[0])
    assert region.angle == pytest.approx(0.5)
    inside = region.inside(points)
    assert inside.min() == pytest.approx(0, abs=1e-9) or inside.max() == pytest.approx(1, abs=1e-9)
    assert (inside > -1e-9).all()
    assert (inside < 1 + 1e-9).all()


def test_overlap() -> None:
    one = np.array([0.0, 0, 2, 2])
    np.testing.assert_allclose(overlap(one, np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])), [1, 1 / 3, 0])


def test_angles_are_wrapped() -> None:
    assert wrapped(3 * pi / 2) == pytest.approx(-pi / 2)
    assert wrapped(-3 * pi / 2) == pytest.approx(pi / 2)
