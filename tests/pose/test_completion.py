"""Whole paths of body and hands: gaps, scenes, smoothing."""

import numpy as np

from ictus.pose.completion import complete, parts
from ictus.pose.gaps import FILLED
from ictus.types import Float32Array
from pose.people_on_film import BODY, person_in

WRIST, FINGER, NOSE = BODY.index("left_wrist"), BODY.index("left_index_4"), BODY.index("nose")
LEFT = slice(BODY.index("left_hand_wrist"), BODY.index("left_hand_wrist") + 21)


def rows(count: int = 60, speed: float = 2.0, up_and_down: float = 0.0) -> Float32Array:
    """Return (T, 75, 6) of somebody who moves to the right."""
    down = up_and_down * np.sin(np.arange(count) / 3)
    people = [person_in(np.array([speed * t, y, speed * t + 100, 200.0 + y])) for t, y in enumerate(down)]
    return np.array([np.concatenate((p.points, p.confidence[:, None], p.world), 1) for p in people], np.float32)


def test_hands_are_parts_of_their_own_and_all_points_are_in_one() -> None:
    body, left, right = parts(BODY)
    assert (len(body.joints), len(left.joints), len(right.joints)) == (33, 21, 21)
    assert (left.wrist, right.wrist) == (15, 16)


def test_what_was_found_everywhere_keeps_its_confidence_and_place() -> None:
    given = rows()
    points, confidence, world = complete(BODY, given, np.ones(60, bool), 25)
    np.testing.assert_allclose(points[5:-5], given[5:-5, :, :2], atol=0.5)
    np.testing.assert_allclose(confidence, 0.9, rtol=1e-6)
    np.testing.assert_allclose(world, given[..., 3:], atol=1e-3)


def test_unseen_fingers_go_with_their_wrist() -> None:
    given = rows(up_and_down=30)
    given[20:28, LEFT] = 0
    points, confidence, _ = complete(BODY, given, np.ones(60, bool), 25)
    reach = points[:, FINGER] - points[:, WRIST]
    np.testing.assert_allclose(reach[20:28], np.tile(reach[10], (8, 1)), atol=1)
    np.testing.assert_allclose(confidence[20:28, FINGER], FILLED)
    np.testing.assert_allclose(confidence[20:28, NOSE], 0.9)


def test_a_hand_that_is_never_seen_lies_on_its_wrist_without_confidence() -> None:
    given = rows()
    given[:, LEFT] = 0
    points, confidence, _ = complete(BODY, given, np.ones(60, bool), 25)
    np.testing.assert_allclose(points[:, FINGER], points[:, WRIST], atol=0.5)
    assert not confidence[:, LEFT].any()


def test_nothing_is_smoothed_or_filled_across_a_cut() -> None:
    given = rows()
    given[30:, :, :2] += 500
    seen = np.ones(60, bool)
    seen[28:32] = False
    given[28:32] = 0
    points, confidence, _ = complete(BODY, given, seen, 25, [30])
    assert (points[:30, NOSE, 0] < 200).all()
    assert (points[30:, NOSE, 0] > 500).all()
    assert not confidence[28:32].any()


def test_a_scene_without_anybody_has_finite_points_and_no_confidence() -> None:
    given, seen = rows(), np.ones(60, bool)
    given[30:], seen[30:] = 0, False
    points, confidence, _ = complete(BODY, given, seen, 25, [30])
    assert np.isfinite(points).all()
    assert np.ptp(points[30:, NOSE], axis=0).max() == 0
    assert not confidence[30:].any()
