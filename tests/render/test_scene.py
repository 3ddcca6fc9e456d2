import re
from dataclasses import replace

import numpy as np
import pytest

from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.render import trail
from ictus.render.camera import View
from ictus.render.figure import Figure
from ictus.render.figures import extent_of, figure_of, shown
from ictus.render.painter import Painter, Pose
from ictus.render.scene import Scene
from ictus.render.shapes import SHIFT, Bounds, inside
from ictus.render.theme import DARK, LIGHT, lit, write
from ictus.skeleton import Skeleton, get_skeleton
from ictus.sound.pose_normalization import PoseTrack
from ictus.synthesis.players.performers import perform_solo
from ictus.synthesis.players.solo import Solo


def changed(scene: Scene, seconds: float) -> np.ndarray:
    """(H, W) how far each pixel of a still is from the empty stage."""
    return np.abs(scene.still(seconds).astype(int) - scene.backdrop).max(2)


def painted(motion: Motion, start: int = 0, stop: int = 1) -> tuple[Figure, View, Pose]:
    (((figure,), extent),) = shown([motion])
    view = View.fit(extent, figure.scale, (0, 0, 600, 600), figure.pitch)
    pose = Painter(figure, view, DARK).pose(figure.places(start, stop), figure.target[start:stop])
    return figure, view, pose


def seen(motion: Motion, *names: str) -> np.ndarray:
    """(N, T, 2) pixels of named points in all frames."""
    figure, view, _ = painted(motion)
    at = figure.places(0, len(motion), [figure[name] for name in names])
    return np.asarray(view.project(at - figure.target)[0])


@pytest.mark.parametrize("body", ["flat", "solid"])
@pytest.mark.parametrize("size", [(600, 600), (320, 180), (180, 320)])
def test_the_figure_stays_inside_the_picture(body, size, request):
    scene = Scene([request.getfixturevalue(body)], size=size)
    for seconds in np.linspace(0, 2, 9):
        rows, columns = np.nonzero(changed(scene, seconds) > 24)
        assert rows.min() > 0
        assert rows.max() < size[1] - 1
        assert columns.min() > 0
        assert columns.max() < size[0] - 1
        assert np.ptp(rows) > 0.4 * size[1] or np.ptp(columns) > 0.4 * size[0]  # and fills it


def test_the_conductors_right_hand_is_on_the_left_of_the_picture(flat, solid):
    for motion in (flat, solid):
        right, left, head, hips = seen(motion, "right_shoulder", "left_shoulder", "head_centre", "hips")
        assert (right[:, 0] < left[:, 0]).all()
        assert (head[:, 1] < hips[:, 1]).all()


def test_the_far_arm_is_painted_first(solid):
    """The right one is before the trunk, the left one behind it."""
    for turn, expected in ((1, True), (-1, False)):
        motion = replace(
            solid, positions=solid.positions * np.array([1, 1, turn], np.float32), rotations=None, root=None
        )
        figure, _, pose = painted(motion, 0, 120)
        left, right = (number for number, solid in enumerate(figure.solids) if solid.paint == "sleeve")
        assert ((pose.away[:, right] < pose.away[:, left]) == expected).all()


def test_what_is_nearer_is_lighter(solid):
    figure, _, pose = painted(solid)
    left, right = (pose.layers[number] for number, solid in enumerate(figure.solids) if solid.paint == "sleeve")
    assert sum(right[-1].colours[0]) > sum(left[-1].colours[0])


def test_a_conductor_stands_and_looks_at_the_players(flat, solid):
    for motion in (flat, solid):
        figure, _, pose = painted(motion, 0, len(motion))
        paints = [solid.paint for solid in figure.solids]
        assert paints.count("shoe") == 2
        assert paints.count("hand") == 12  # two hands with five fingers each
        feet = [shape.points for number, paint in enumerate(paints) if paint == "shoe" for shape in pose.layers[number]]
        assert max(np.ptp(points[..., 1].max(1)) for points in feet) < 2 << SHIFT  # they stay where they are
        head = next(k for k, solid in enumerate(figure.solids) if solid.cap)
        eyes = [shape for shape in pose.layers[head] if shape.seen is not None]
        assert all(shape.seen.mean() > 0.9 for shape in eyes)


def test_arms_of_a_flat_conductor_reach_forwards(flat):
    figure = figure_of(flat)
    shoulder, elbow, wrist = figure.places(
        0, 60, [figure[f"right_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
    )
    assert (wrist[:, 2] > elbow[:, 2]).all()
    assert (elbow[:, 2] > shoulder[:, 2]).all()
    reach = np.linalg.norm(wrist - shoulder, axis=1) / figure.unit
    assert np.median(reach) == pytest.approx(0.45, abs=0.03)
    np.testing.assert_allclose(wrist[:, :2], flat.positions[:, 10] * [1, -1], atol=1e-6)


def test_a_head_is_never_far_from_its_shoulders(flat):
    positions = flat.positions.copy()
    positions[:, :5, 1] -= 0.3  # the face, recorded far above
    figure = figure_of(replace(flat, positions=positions))
    head, neck = figure.places(0, 60, [figure["head_centre"], figure["neck"]])
    assert (head[:, 1] - neck[:, 1] < 0.25 * figure.unit).all()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_outside_the_touched_rectangles_the_stage_is_empty(theme, flat, solid):
    scene = Scene([flat, solid.resample(30)], size=(200, 200), theme=theme, captions=["real", "generated"], title="Ode")
    for picture, touched in scene.render():
        rest = picture.copy()
        for rectangle in touched:
            rest[inside(rectangle)] = scene.backdrop[inside(rectangle)]
        np.testing.assert_array_equal(rest, scene.backdrop)


def test_any_frame_looks_the_same_alone_and_in_its_turn(flat):
    scene = Scene([flat], size=(160, 160))
    for number, (picture, _) in enumerate(scene.render()):
        if number % 9 == 0:
            np.testing.assert_array_equal(picture, scene.still(number / 30))


def test_drawing_is_deterministic(flat):
    first, second = (Scene([flat], size=(160, 160)).still(1.2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_themes_differ_and_only_known_ones_are_taken(flat):
    dark, light = (Scene([flat], theme=theme).backdrop.mean() for theme in ("dark", "light"))
    assert dark < 80 < 180 < light
    with pytest.raises(UsageError, match=re.escape("'neon'; known are dark, light")):
        Scene([flat], theme="neon")


def test_several_motions_stand_side_by_side_at_one_scale(flat):
    large = replace(flat, meta={})
    small = replace(large, positions=0.5 + 0.5 * (flat.positions - 0.5))
    scene = Scene([large, small], size=(300, 300))
    assert scene.still(0).shape == (300, 600, 3)
    tall, short = (np.ptp(np.nonzero(half > 24)[0]) for half in np.split(changed(scene, 0.4), 2, axis=1))
    assert short < 0.75 * tall


def test_motions_on_one_stage_are_where_they_are_in_the_world(dancer):
    aside = np.float32([2.0, 0, 0])
    right = replace(dancer, positions=dancer.positions + aside)
    together = Scene([dancer, right], size=(600, 300), together=True)
    assert together.still(0.3).shape == (300, 600, 3)
    columns = np.flatnonzero((changed(together, 0.3) > 40).any(0))
    middle = (columns[0] + columns[-1]) / 2
    assert abs(middle - 300) < 60, "the camera looks between them"
    alone = np.flatnonzero((changed(Scene([dancer], size=(600, 300)), 0.3) > 40).any(0))
    assert np.ptp(columns) > 1.8 * np.ptp(alone)
    with pytest.raises(UsageError, match="1 stage"):
        Scene([dancer, right], captions=["one", "two"], together=True)


def test_flat_motions_and_others_need_a_stage_each(dancer):
    points = np.random.default_rng(0).random((len(dancer), 47, 2)).astype(np.float32)
    with pytest.raises(UsageError, match="side by side"):
        Scene([Motion(points, dancer.fps, get_skeleton("solos-47")), dancer], together=True)


def test_motions_of_other_rates_are_shown_at_the_first_ones(flat, solid):
    scene = Scene([flat, solid], size=(80, 80))
    assert (scene.frames, scene.fps) == (60, 30)


def test_a_motion_that_is_over_stands_still(flat):
    short = replace(flat, positions=flat.positions[:30], meta={})
    scene = Scene([short, replace(flat, meta={})], size=(120, 120))
    assert scene.frames == 60
    # A second later the trail has died down, too.
    early, late = (scene.still(seconds)[:, :120].astype(int) for seconds in (1.96, 1.9667))
    assert np.abs(early - late).max() < 60
    assert (scene.still(1.9)[:, 120:] != scene.still(1.96)[:, 120:]).any()


def test_captions_and_title_are_written(flat):
    plain, written = Scene([flat]), Scene([flat], captions=["Zürich"], title="Dvořák, Sinfonie Nr. 9")
    difference = np.abs(plain.backdrop.astype(int) - written.backdrop).max(2)
    rows = np.nonzero(difference.max(1))[0]
    assert rows.min() < 60
    assert rows.max() > 540
    with pytest.raises(UsageError, match="2 captions for 1 motions"):
        Scene([flat], captions=["a", "b"])
    with pytest.raises(UsageError, match="no motion"):
        Scene([])


def test_lettering_works_without_outline_fonts(monkeypatch):
    monkeypatch.delattr("cv2.FontFace", raising=False)
    image = lit(200, 60, DARK)
    before = image.copy()
    write(image, "Dvořák", (100, 30), 14, 180, DARK.text)
    columns = np.nonzero((image != before).any(axis=(0, 2)))[0]
    assert pytest.approx((columns.min() + columns.max()) / 2, abs=4) == 100


@pytest.mark.parametrize("fonts", ["outline", "strokes"])
def test_long_lines_are_made_to_fit(fonts, monkeypatch):
    if fonts == "strokes":
        monkeypatch.delattr("cv2.FontFace", raising=False)
    image = lit(400, 60, DARK)
    before = image.copy()
    write(image, "A title that goes on and on, far beyond the edge of any picture", (200, 30), 16, 380, DARK.text)
    columns = np.nonzero((image != before).any(axis=(0, 2)))[0]
    assert columns.min() >= 6
    assert columns.max() <= 394


def test_a_still_conductor_and_one_without_extent_can_be_drawn(flat):
    for positions in (np.repeat(flat.positions[:1], 3, 0), np.zeros((3, 13, 2))):
        still = Motion(positions, 30, flat.skeleton)
        assert Scene([still], size=(100, 100)).still(0.05).shape == (100, 100, 3)


def test_other_bodies_are_drawn_too(flat):
    person = get_skeleton("coco-17")
    legs = np.array([[0.56, 0.95], [0.44, 0.95], [0.56, 1.15], [0.44, 1.15]], np.float32)
    positions = np.concatenate([flat.positions, np.tile(legs, (60, 1, 1))], axis=1)
    scene = Scene([Motion(positions, 30, person)], size=(200, 200))
    rows, _ = np.nonzero(changed(scene, 1.0) > 24)
    assert 4 < rows.min() < 60
    assert 140 < rows.max() < 196


def test_a_player_stands_before_the_shadow_of_a_body():
    """Arms and hands are where a camera saw them; head and trunk, of which it told nothing, have room as well."""
    solo = Solo(np.array([[0.2, 0.5, 60.0, 0.7], [0.8, 0.6, 64.0, 0.7]]), 2.0)
    motion = PoseTrack.of(perform_solo(solo, "violin", seed=5).keypoints).motion()
    scene = Scene([motion], size=(300, 300))
    drawn = changed(scene, 1.0) > 16
    rows, columns = np.nonzero(drawn)
    assert 5 < rows.min() < 80
    assert columns.min() > 5
    assert columns.max() < 295
    figure, _, pose = painted(motion, 25, 26)
    behind = [number for number, solid in enumerate(figure.solids) if solid.paint == "ghost"]
    assert pose.away[0, behind].min() > np.delete(pose.away[0], behind).max()
    head, neck = seen(motion, "head_centre", "neck")[:, 25]
    assert (
        0.5
        < (neck[1] - head[1]) / np.linalg.norm(np.subtract(*seen(motion, "left_shoulder", "right_shoulder")[:, 25]))
        < 0.7
    )


def test_a_skeleton_of_two_bones_is_enough():
    stick = Skeleton("stick", ("a", "b", "c"), ((0, 1), (1, 2)))
    positions = np.random.default_rng(1).normal(size=(20, 3, 3))
    motion = Motion(positions, 30, stick)
    assert (extent_of(figure_of(motion)).low < 0).all()
    assert changed(Scene([motion], size=(100, 100)), 0.3).max() > 24
    point = Motion(positions[:, :1], 30, Skeleton("point", ("a",), ()))
    assert changed(Scene([point], size=(100, 100)), 0.3).max() > 24


def test_a_trail_fades_and_tapers_towards_its_past():
    time = np.arange(90) / 30
    track = np.stack([40 + 100 * time, 50 + 0 * time, 0 * time], axis=1).astype(np.float32)
    ribbons = trail.ribbons(trail.past(track, 60, 62, 30.0)[..., :2], np.full(2, 12.0), (200, 200, 200))
    canvas = np.zeros((100, 400, 3), np.uint8)
    glow = trail.Glow(100, 400)
    glow.paint(canvas, ribbons, 0)
    light = canvas[50, :, 0].astype(int)
    head, tail = round(track[60, 0]), round(track[60 - 25, 0])
    assert light[head - 4] > 120 > 60 > light[tail] > 0
    assert (np.diff(light[tail : head - 4]) >= -1).all()
    thick = (canvas[:, :, 0] > 0).sum(0)
    assert thick[head - 4] > thick[tail]
    assert canvas[:, head + 10 :].max() == 0  # nothing lies ahead of the hand
    assert canvas[:, : round(track[60 - 32, 0])].max() == 0  # and nothing older than a second behind it


def test_a_glow_leaves_its_sheet_clear():
    track = np.cumsum(np.ones((50, 3), np.float32) * 3, axis=0)
    ribbons = trail.ribbons(trail.past(track, 40, 41, 30.0)[..., :2], np.full(1, 9.0), (90, 120, 250))
    glow = trail.Glow(200, 200)
    first, second = np.full((200, 200, 3), 240, np.uint8), np.full((200, 200, 3), 240, np.uint8)
    glow.paint(first, ribbons, 0)
    glow.paint(second, ribbons, 0)
    np.testing.assert_array_equal(first, second)
    assert first.min() < 200


def test_trails_do_not_depend_on_where_a_stretch_begins():
    track = np.random.default_rng(3).normal(size=(100, 3)).cumsum(0).astype(np.float32) * 5 + 50
    whole, part = (
        trail.ribbons(trail.past(track, *frames, 25.0)[..., :2], np.full(1, 6.0), (1, 2, 3))
        for frames in ((0, 100), (70, 80))
    )
    np.testing.assert_array_equal(whole.bands[70:80], part.bands)
    assert isinstance(part.bounds, Bounds)


def test_palettes_keep_text_readable():
    for theme in (DARK, LIGHT):
        assert abs(sum(theme.text) - sum(theme.edge)) > 300
        assert abs(sum(theme.coat) - sum(theme.centre)) > 60
