"""Body landmarks without their network: heat maps, and from a region to the picture."""

import numpy as np
import pytest

from ictus.pose.landmarks import POINTS, BodyLandmarks, refined, region_of
from ictus.pose.region import Region
from ictus.types import Float32Array, Float64Array


def hill(x: float, y: float, height: float = 8.0) -> Float32Array:
    """Return a heat map (64, 64, 1) with a hill at a place, in cells, before the sigmoid."""
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    return (height - 2 * ((columns - x) ** 2 + (rows - y) ** 2))[..., None].astype(np.float32)


def test_a_point_moves_to_the_middle_of_the_hill_about_it() -> None:
    moved = refined(np.array([[31.9, 20.2]]) / 64, hill(32, 21))
    np.testing.assert_allclose(moved * 64, [[32, 21]], atol=0.05)


@pytest.mark.parametrize("start", [[50.0, 50.0], [-3.0, 20.0], [70.0, 70.0]])
def test_a_point_without_a_hill_or_beside_the_region_stays(start: list[float]) -> None:
    point = np.array([start]) / 64
    np.testing.assert_array_equal(refined(point, hill(32, 21)), point)


def test_a_hill_that_is_not_sure_moves_nothing() -> None:
    point = np.array([[31.0, 20.0]]) / 64
    np.testing.assert_array_equal(refined(point, hill(32, 21, height=-1)), point)


def test_each_point_has_its_own_map_also_at_the_edge() -> None:
    heat = np.concatenate((hill(0, 0), hill(63, 63)), -1)
    moved = refined(np.array([[0.4, 1.2], [62.5, 63.9]]) / 64, heat)
    assert (moved[0] * 64 < 1).all()
    assert (moved[1] * 64 > 62).all()


class BodyAnswer:
    """A network that puts all points at one place of the region."""

    def __init__(self, place: tuple[float, float], presence: float = 1.0) -> None:
        self.place, self.presence = place, presence

    def __call__(self, crop: Float32Array) -> list[Float32Array]:
        points = np.zeros((1, 39, 5), np.float32)
        points[..., :2] = 256 * np.array(self.place)
        points[..., 3] = 3
        world = np.tile(np.array([1, 0, 2], np.float32), 39)[None]
        heat = np.full((1, 64, 64, 39), -9, np.float32)
        return [points.reshape(1, 195), np.array([[self.presence]]), np.zeros(1), heat, world]


def test_points_and_metres_turn_with_the_region() -> None:
    region = Region(50, 60, 40, np.pi / 2)
    body = BodyLandmarks(BodyAnswer((0.5, 0.0)))(np.zeros((100, 100, 3), np.uint8), region)  # type: ignore[arg-type]
    assert body is not None
    np.testing.assert_allclose(body.points, np.tile([70, 60], (POINTS, 1)), atol=1e-6)
    np.testing.assert_allclose(body.world, np.tile([0, 1, 2], (POINTS, 1)), atol=1e-6)
    np.testing.assert_allclose(body.visibility, 1 / (1 + np.exp(-3)), rtol=1e-6)


def test_where_nobody_is_there_is_no_body() -> None:
    assert BodyLandmarks(BodyAnswer((0.5, 0.5), 0.4))(np.zeros((9, 9, 3), np.uint8), Region(4, 4, 9)) is None  # type: ignore[arg-type]


def test_the_next_region_is_a_quarter_larger_than_the_body_reaches() -> None:
    following: Float64Array = np.array([[50.0, 80], [50, 40]])
    assert region_of(following) == Region(50, 80, 100, 0)
