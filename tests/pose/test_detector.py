"""The detector without its network: anchors, boxes, and which of those that overlap is kept."""

import numpy as np
import pytest

from ictus.pose.detector import PALMS, PEOPLE, Detector, anchors, decoded, merged
from ictus.pose.region import Region
from ictus.types import Float32Array


def test_there_are_as_many_anchors_as_the_networks_have_answers() -> None:
    assert anchors(PEOPLE).shape == (2254, 2)
    assert anchors(PALMS).shape == (2016, 2)


def test_anchors_lie_in_the_middle_of_cells_row_by_row() -> None:
    people = anchors(PEOPLE)
    np.testing.assert_allclose(people[:4] * 28, [[0.5, 0.5], [0.5, 0.5], [1.5, 0.5], [1.5, 0.5]])
    np.testing.assert_allclose(people[56] * 28, [0.5, 1.5])
    np.testing.assert_allclose(people[-6:] * 7, [[6.5, 6.5]] * 6)  # three layers share the coarsest grid


def test_boxes_and_points_are_beside_their_anchor() -> None:
    boxes, points = decoded(np.array([[0.1, 0, 0.2, 0.4, 0.05, -0.05]]), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(boxes, [[0.5, 0.3, 0.7, 0.7]])
    np.testing.assert_allclose(points, [[[0.55, 0.45]]])


def test_boxes_that_overlap_become_their_weighted_mean() -> None:
    boxes = np.array([[0, 0, 1, 1], [0.1, 0, 1.1, 1], [5, 5, 6, 6.0]])
    points = np.array([[[0.0, 0]], [[0.4, 0]], [[5, 5]]])
    found = merged(boxes, points, np.array([0.9, 0.6, 0.8]))
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_allclose(found.boxes, [[0.04, 0, 1.04, 1], [5, 5, 6, 6]])
    np.testing.assert_allclose(found.points[0], [[0.16, 0]])


def test_nothing_found_is_no_boxes_of_the_right_shape() -> None:
    found = merged(np.zeros((0, 4)), np.zeros((0, 7, 2)), np.zeros(0))
    assert len(found) == 0
    assert found.points.shape == (0, 7, 2)


class OneAnswer:
    """A network that is sure of one anchor, and says that a box of a tenth of the picture is there."""

    def __init__(self, anchor: int, count: int, numbers: int) -> None:
        self.given: list[Float32Array] = []
        self.raw = np.zeros((1, count, numbers), np.float32)
        self.raw[0, anchor, 2:4] = 22.4
        self.scores = np.full((1, count, 1), -200, np.float32)
        self.scores[0, anchor] = 200

    def __call__(self, crop: Float32Array) -> list[Float32Array]:
        self.given.append(crop)
        return [self.raw, self.scores]


@pytest.mark.parametrize("size", [(100, 200), (200, 100)])
def test_what_is_found_lies_where_it_is_in_the_picture(size: tuple[int, int]) -> None:
    """The picture is made square by black beside it, which moves nothing."""
    height, width = size
    network = OneAnswer(2 * (28 * 14 + 14), 2254, 12)  # cell (14, 14): the middle
    found = Detector(network, PEOPLE)(np.full((height, width, 3), 255, np.uint8))  # type: ignore[arg-type]
    middle = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    np.testing.assert_allclose(middle, [width / 2 + 200 * 0.5 / 28, height / 2 + 200 * 0.5 / 28])
    np.testing.assert_allclose(found.boxes[0, 2:] - found.boxes[0, :2], [20, 20], rtol=1e-5)
    np.testing.assert_allclose(found.points[0], np.tile(middle, (4, 1)))
    crop = network.given[0]
    assert crop.shape == (1, 224, 224, 3)
    assert (crop.min(), crop.max()) == (-1, 1)
    assert np.mean(crop < -0.9) == pytest.approx(0.5, abs=0.02)


def test_a_part_of_the_picture_can_be_searched() -> None:
    found = Detector(OneAnswer(0, 2254, 12), PEOPLE)(np.zeros((100, 100, 3), np.uint8), Region(80, 80, 28))  # type: ignore[arg-type]
    np.testing.assert_allclose((found.boxes[0, :2] + found.boxes[0, 2:]) / 2, [66.5, 66.5])
