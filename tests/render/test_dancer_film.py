from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ictus.kinematics import forward_kinematics
from ictus.motion import Motion
from ictus.render import film as filming
from ictus.render.body import is_whole, sides
from ictus.render.camera import View, followed
from ictus.render.dancer import floor
from ictus.render.figure import Figure
from ictus.render.figures import figure_of, shown
from ictus.render.film import film
from ictus.render.floor import Floor
from ictus.render.painter import Painter, Pose, hull, seen_of_cap
from ictus.render.scene import Scene
from ictus.render.shapes import SHIFT, inside
from ictus.render.stills import strip
from ictus.render.theme import DARK, LIGHT, get_theme
from ictus.skeleton import get_skeleton
from real_dances import read_real_dances

BOX = (0.0, 0.0, 600.0, 600.0)


@pytest.fixture(scope="module")
def dances(shared_data: Path) -> list[Motion]:
    return [motion for _, motion, _ in read_real_dances(shared_data)]


@pytest.fixture(scope="module")
def waltz(shared_data: Path) -> Motion:
    """Twenty seconds of the corpus of Dance with Melody, whose heights drift and whose sides are exchanged."""
    file = shared_data / "dance_with_melody" / "W_1.npz"
    if not file.is_file():
        pytest.skip("needs a dance of Dance with Melody (../shared/data/dance_with_melody)")
    with np.load(file) as data:
        return Motion(data["positions"][:500, :21] / 100, 25, get_skeleton("melody-21"))


def viewed(motion: Motion, box: tuple[float, float, float, float] = BOX) -> tuple[Figure, View]:
    (((figure,), extent),) = shown([motion])
    return figure, View.fit(extent, figure.scale, box)


def pose(motion: Motion, box: tuple[float, float, float, float] = BOX) -> Pose:
    figure, view = viewed(motion, box)
    return Painter(figure, view, DARK).pose(figure.places(0, len(motion)), figure.target)


def numbers(motion: Motion, paint: str) -> list[int]:
    """The numbers of the solids with a paint."""
    return [number for number, solid in enumerate(figure_of(motion).solids) if solid.paint == paint]


def outlines(motion: Motion, box: tuple[float, float, float, float] = BOX) -> np.ndarray:
    """(T, corners, 2) pixels: all that is painted of the body."""
    return np.concatenate([shape.points for limb in pose(motion, box).layers for shape in limb], axis=1) / (1 << SHIFT)


def walking_back(motion: Motion) -> Motion:
    """The same dance, turned to face away from the camera."""
    turn = np.array([-1, 1, -1], np.float32)
    rotations = motion.rotations.copy()
    rotations[:, 0] = np.diag(turn) @ rotations[:, 0]
    root = motion.root * turn
    return replace(
        motion, positions=forward_kinematics(motion.skeleton, rotations, root), rotations=rotations, root=root
    )


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Columns of the pixels that have about the hue of a colour."""
    hue = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(int)
    wanted = cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_BGR2HSV)[0, 0].astype(int)
    return np.nonzero((np.abs(hue[..., 0] - wanted[0]) < 5) & (hue[..., 1] > 90) & (hue[..., 2] > 90))[1]


def test_sides_are_told_by_names_and_mirrors():
    for name in ("smpl-24", "melody-21", "coco-17", "conductor-13"):
        body = get_skeleton(name)
        told = sides(body)
        for joint, other in enumerate(body.mirror):
            pair = {told[joint], told[other]}
            assert pair == ({"middle"} if joint == other else {"left", "right"})
    body = get_skeleton("smpl-24")
    assert [sides(body)[body.index(joint)] for joint in ("lhip", "rtoes", "root")] == ["left", "right", "middle"]
    body = get_skeleton("melody-21")
    assert [sides(body)[body.index(joint)] for joint in ("waist_l", "hand_r", "waist")] == ["left", "right", "middle"]


def test_whole_bodies_in_space_dance(dancer, flat, solid):
    assert is_whole(dancer)
    assert not is_whole(flat)
    assert not is_whole(solid)  # it has no legs
    assert Scene([dancer], size=(80, 80)).travels
    assert not Scene([solid], size=(80, 80)).travels
    flattened = Motion(dancer.positions[..., :2], 30, dancer.skeleton)
    assert Scene([flattened], size=(80, 80)).still(1).shape == (80, 80, 3)


@pytest.mark.parametrize("size", [(720, 720), (1280, 720), (1080, 1920)])
def test_real_dances_stay_in_the_picture_and_fill_it(dances, size):
    width, height = size
    box = 0.04 * width, 0.06 * height, 0.96 * width, 0.9 * height
    for dance in dances:
        points = outlines(Motion(dance.positions[::3], 10, dance.skeleton), box)
        low, high = points.min((0, 1)), points.max((0, 1))
        assert (low > np.array(box[:2]) - 4).all()
        assert (high < np.array(box[2:]) + 4).all()
        used = (high - low) / (box[2] - box[0], box[3] - box[1])
        assert used.max() > 0.75  # the camera goes no farther away than the dance asks
        assert np.median(np.ptp(points[..., 1], axis=1)) > 0.25 * height


def test_raised_hands_and_jumps_stay_in_the_picture(dancer):
    positions = dancer.positions.copy()
    positions[40:50, :, 1] += 0.8
    for joint, height in (("rwrist", 2.1), ("rhand", 2.25)):
        positions[40:50, dancer.skeleton.index(joint), 1] = height + 0.8
    motion = replace(dancer, positions=positions, rotations=None, root=None)
    points = outlines(motion)
    assert points[..., 1].min() == pytest.approx(0, abs=3)
    assert points[..., 1].max() == pytest.approx(600, abs=3)
    pixels = np.concatenate([points[:40], points[50:]])[..., 1]
    assert pixels.min() > 120  # the rest of the dance is lower


def test_the_camera_is_calm_on_real_dances(dances):
    for dance in dances:
        body = figure_of(dance)
        path = body.target
        velocity = np.diff(path, axis=0) * dance.fps
        assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() * dance.fps < 1.2  # m/s^2
        assert np.linalg.norm(velocity, axis=1).max() < 1.2
        assert np.linalg.norm((dance.positions.mean(1) - path)[:, ::2], axis=1).max() < 0.6


def test_the_camera_stands_still_while_a_body_sways_and_goes_with_one_that_walks():
    time = np.arange(300) / 30
    sway = np.stack([0.2 * np.sin(2 * np.pi * time), 1 + 0 * time, 0.1 * np.cos(2 * np.pi * time)], axis=1)
    floor = np.zeros(300)
    still = followed(sway, floor, 1.0, 30)
    assert np.ptp(still[30:-30], axis=0).max() < 0.01
    walk = followed(np.stack([0.8 * time, 0 * time, 0 * time], axis=1), floor, 1.0, 30)
    np.testing.assert_allclose(np.diff(walk[75:-75, 0]) * 30, 0.8, atol=0.02)
    leap = np.where(time < 5, 0, 40)[:, None] * np.array([1.0, 0, 0])
    assert np.abs(followed(leap, floor, 1.0, 30) - leap)[:, 0].max() < 2  # never out of the picture


def test_feet_touch_the_floor(dances, dancer):
    # The own body's soles lie a little below its toes, and it always has a foot on the floor.
    assert figure_of(dancer).target[:, 1] == pytest.approx(-0.012, abs=0.015)
    for dance in dances:
        body = figure_of(dance)
        feet = [
            ball for solid in body.solids if solid.paint.startswith("foot") for hull in solid.hulls for ball in hull
        ]
        at = body.places(0, len(dance), [at for _, at in feet])[..., 1]
        lowest = (at - np.array([radius for radius, _ in feet])[:, None]).min(0) - body.target[:, 1]
        assert abs(np.median(lowest)) < 0.05
        assert np.percentile(lowest, 10) > -0.06
        assert np.abs(np.diff(body.target[:, 1])).max() * dance.fps < 0.1  # m/s


def test_a_floor_follows_drifting_heights_but_no_jumps_and_no_flight(dancer):
    long = np.tile(dancer.positions[:1], (300, 1, 1))
    time = np.arange(300)[:, None] / 30

    def height(rise: np.ndarray) -> np.ndarray:
        return floor(figure_of(Motion(long + rise[..., None] * np.array([0, 1, 0]), 30, dancer.skeleton)))

    ground = height(0 * time)
    np.testing.assert_allclose(height(0.03 * time)[60:-60], ground[60:-60] + 0.03 * time[60:-60, 0], atol=0.03)
    jumps = np.where(time % 2 < 0.6, 0.4, 0)
    np.testing.assert_allclose(height(jumps), ground, atol=1e-4)
    flight = np.where(time > 5, 3.0, 0.0)  # a model that has gone astray
    assert (height(flight) < ground + 0.6).all()


def test_a_shadow_lies_under_the_feet_and_pales_in_the_air(dancer):
    def shadow(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
        """A white floor in the shadow of a frame, and where the right foot is on it."""
        figure, view = viewed(motion)
        stage = np.full((600, 600, 3), 255, np.uint8)
        ground = Floor([figure], view, DARK, stage.copy())
        below = ground.ground([figure.places(47, 48)], figure.target[47:48])
        ground.paint(stage, replace(below, lines=below.lines[:, :0]), 0)
        foot = pose(motion).layers[numbers(motion, "footright")[0]][0].points[47] / (1 << SHIFT)
        return stage[..., 0], foot[foot[:, 1].argmax()]  # its tip, on the floor

    below, (column, row) = shadow(dancer)
    assert below[round(row) - 10 : round(row), round(column) - 5 : round(column) + 5].mean() < 150
    rows, columns = np.nonzero(below < 200)
    assert abs(np.median(columns) - column) < 110
    assert abs(np.median(rows) - row) < 60
    positions = dancer.positions.copy()
    positions[45:50, :, 1] += 0.7
    leap, (_, above) = shadow(replace(dancer, positions=positions, rotations=None, root=None))
    assert leap.min() > below.min() + 20
    assert np.median(np.nonzero(leap < 200)[0]) > above + 50  # on the floor, far below the feet


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_left_and_right_differ_in_colour(dancer, theme):
    palette = get_theme(theme)
    for motion, sign in ((dancer, 1), (walking_back(dancer), -1)):
        picture = Scene([replace(motion, meta={})], size=(300, 300), theme=theme).still(0.5)
        left, right = (coloured(picture, colour) for colour in (palette.left, palette.right))
        assert min(len(left), len(right)) > 400
        assert sign * (np.median(left) - np.median(right)) > 15  # a dancer who faces us has the left on our right


def test_the_nearer_limb_is_painted_last(dancer):
    body = dancer.skeleton
    positions = dancer.positions.copy()
    chest = positions[:, body.index("spine")]
    for joint, reach in (("lelbow", 0.25), ("lwrist", 0.45), ("lhand", 0.53)):
        positions[:, body.index(joint)] = chest + np.array([0.02, 0.05, reach])
    chest_number, hands = numbers(dancer, "chest")[0], numbers(dancer, "hand")[:6]
    for turn, nearer in ((1, True), (-1, False)):
        mirrored = positions * np.array([1, 1, turn], np.float32)
        away = pose(replace(dancer, positions=mirrored, rotations=None, root=None)).away
        assert ((away[:, hands] < away[:, [chest_number]]) == nearer).all()


def test_front_and_back_of_the_head_differ(dancer):
    def hair(motion: Motion) -> tuple[float, bool]:
        """The share of the head that the hair covers, and whether its eyes are seen."""
        layer = next(pose(motion).layers[k] for k, solid in enumerate(figure_of(motion).solids) if solid.cap)
        whole, cap = (cv2.contourArea(layer[k].points[0]) for k in (0, -2))
        return cap / whole, any(shape.seen is not None and shape.seen[0] for shape in layer)

    covered, eyes = hair(dancer)
    assert covered < 0.35
    assert eyes
    covered, eyes = hair(walking_back(dancer))
    assert covered > 0.7
    assert not eyes
    without = replace(dancer, rotations=None, root=None)  # told by the chest alone
    assert hair(without)[0] < 0.4


def test_what_is_seen_of_a_cap_agrees_with_counting():
    rng = np.random.default_rng(5)
    middle = rng.normal(size=(40, 3))
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    viewer = np.tile([0.0, 0.0, 1.0], (40, 1))
    y, x = np.mgrid[-1:1:201j, -1:1:201j]
    ball = x**2 + y**2 < 1
    ahead = np.stack([x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0))], axis=-1)
    for angle in (0.6, 1.5):
        outline = seen_of_cap(middle, angle, viewer, 40)
        for direction, polygon in zip(middle, outline, strict=True):
            counted = (ball & (ahead @ direction > np.cos(angle))).sum() / 100**2
            x_, y_ = polygon[:, 0], polygon[:, 1]
            area = abs((x_ * np.roll(y_, -1) - y_ * np.roll(x_, -1)).sum()) / 2
            assert area == pytest.approx(counted, abs=0.03)


def test_a_hull_is_the_convex_hull_of_its_discs():
    rng = np.random.default_rng(2)
    centres = rng.uniform(0, 200, (10, 4, 2)).astype(np.float32)
    radii = rng.uniform(5, 40, (10, 4)).astype(np.float32)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for polygon, at, radius in zip(hull(centres, radii, 64), centres, radii, strict=True):
        dense = (at[:, None] + radius[:, None, None] * circle).reshape(-1, 2).astype(np.float32)
        wanted = cv2.contourArea(cv2.convexHull(dense))
        assert cv2.contourArea(polygon) == pytest.approx(wanted, rel=0.01)


def test_the_floor_is_where_the_camera_sees_it(dancer):
    _, view = viewed(dancer)
    view = replace(view, unit=1.1)
    right, ahead = view.floor(600, 600)
    row, column = 520, 130
    place = np.array([[right[row, column], 0, ahead[row, column]]]) * 1.1
    np.testing.assert_allclose(view.project(place)[0], [[column + 0.5, row + 0.5]], atol=0.05)
    assert np.isnan(view.floor(600, 600)[0][0]).all() or view.floor(600, 600)[1][0].max() < -10  # far away, or the sky


def test_the_grid_stays_on_the_floor_while_the_camera_goes(dancer):
    figure, view = viewed(dancer)
    ground = Floor([figure], view, DARK, np.zeros((600, 600, 3), np.uint8))
    lines = ground.ground([figure.places(0, 90)], figure.target).lines / (1 << SHIFT)
    path, unit = figure.target, view.unit
    assert np.ptp(path[:, 0]) > 0.4
    # Two lines of the grid, given in the world: one into the depth and one across.
    for axis, place in ((0, 0.5 * unit), (2, -1.0 * unit)):
        ends = np.repeat(path[:, None], 2, axis=1)
        ends[..., axis] = place
        ends[..., 2 - axis] += 4.5 * unit * np.array([-1, 1])
        expected = view.project(ends - path[:, None])[0]
        distance = np.abs(lines - expected[:, None]).max((2, 3)).min(1)  # from the nearest line that is drawn
        assert distance.max() < 0.2


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_drawn_outside_the_dancers_own_place(dancer, flat, theme):
    calm = replace(flat, meta={})
    beside = Scene([dancer, calm], size=(160, 160), theme=theme)
    alone = Scene([calm, calm], size=(160, 160), theme=theme)
    for number, (picture, touched) in enumerate(beside.render(0, 60)):
        if number % 10 == 0:
            np.testing.assert_array_equal(picture[:, 160:], alone.still(number / 30)[:, 160:])
            rest = picture.copy()
            for rectangle in touched:
                rest[inside(rectangle)] = beside.backdrop[inside(rectangle)]
            np.testing.assert_array_equal(rest, beside.backdrop)


def test_any_frame_looks_the_same_alone_and_in_its_turn(dancer):
    scene = Scene([dancer], size=(120, 120))
    for number, (picture, _) in enumerate(scene.render()):
        if number % 20 == 0:
            np.testing.assert_array_equal(picture, scene.still(number / 30))


def test_beats_are_shown(dancer):
    scene = Scene([dancer], size=(200, 200))
    quiet = Scene([replace(dancer, meta={})], size=(200, 200))
    row = slice(185, 196)
    before, at = (np.abs(scene.still(t).astype(int) - quiet.still(t))[row].sum() for t in (0.45, 0.52))
    assert at > 1.5 * before


def test_a_waltz_of_the_melody_corpus_is_drawn(waltz, tmp_path):
    body = figure_of(waltz)
    assert 0.8 < body.unit < 1.2
    for start in (0, 250):  # toes tell what is in front, whatever the sides are called
        ahead = body.named(start, start + 1)["ahead"]
        toes = [waltz.positions[start, j] - waltz.positions[start, j - 1] for j in (11, 20)]
        assert (np.sum(toes, axis=0) * ahead).sum() > 0
    assert np.ptp(body.target[:, 1]) > 0.03
    points = outlines(replace(waltz, positions=waltz.positions[::5], fps=5))
    assert points.min() > -4
    assert points.max() < 604
    strip(waltz, [1.0, 5.0, 9.0], tmp_path / "waltz.png", size=(150, 150), theme="light")
    sheet = cv2.imread(str(tmp_path / "waltz.png"))
    assert all(
        len(coloured(part, colour)) > 100 for part in np.split(sheet, 3, axis=1) for colour in (LIGHT.left, LIGHT.right)
    )


def test_a_body_of_other_points_is_drawn(dancer):
    person = get_skeleton("coco-17")
    same = {"shoulder": "shoulder", "elbow": "elbow", "wrist": "wrist", "hip": "hip", "knee": "knee", "ankle": "ankle"}
    positions = np.zeros((90, 17, 3), np.float32)
    head = dancer.positions[:, dancer.skeleton.index("head")] + np.array([0, 0.08, 0], np.float32)
    for joint, name in enumerate(person.joints):
        side, _, limb = name.partition("_")
        if limb in same:
            positions[:, joint] = dancer.positions[:, dancer.skeleton.index(side[0] + limb)]
        else:
            across = {"left": 0.06, "right": -0.06}.get(side, 0.0)
            positions[:, joint] = head + np.array([across, 0, 0.1 if limb != "ear" else 0])
    motion = Motion(positions, 30, person)
    assert is_whole(motion)
    points = outlines(motion)
    assert np.ptp(points[..., 1]) > 540
    picture = Scene([motion], size=(240, 240)).still(0.3)
    assert len(coloured(picture, DARK.left)) > 200


ASTRAY = {
    "nothing": np.zeros((7, 24, 3)),
    "one frame": np.random.default_rng(1).normal(size=(1, 24, 3)),
    "noise": np.random.default_rng(2).normal(size=(50, 24, 3)),
    "huge": 1e30 * np.random.default_rng(3).normal(size=(20, 24, 3)),
    "largest": np.where(np.random.default_rng(4).normal(size=(20, 24, 3)) > 0, 3e38, -3e38),
    "tiny": 1e-20 * np.random.default_rng(5).normal(size=(20, 24, 3)),
    "flat": np.random.default_rng(6).normal(size=(20, 24, 3)) * [1, 0, 1],
    "far away": 1e5 + np.random.default_rng(7).normal(size=(20, 24, 3)),
    "leaping": np.random.default_rng(8).normal(size=(40, 1, 3)) * 100 + np.random.default_rng(9).normal(size=(24, 3)),
}


@pytest.mark.parametrize("name", ASTRAY)
@pytest.mark.filterwarnings("error")
def test_whatever_is_finite_is_drawn(name):
    motion = Motion(ASTRAY[name], 30, get_skeleton("smpl-24"))
    for theme, size in (("dark", (96, 96)), ("light", (64, 128))):
        scene = Scene([motion], size=size, theme=theme)
        assert all(picture.shape == (size[1], size[0], 3) for picture, _ in scene.render())
    points = outlines(motion)
    assert points.min() > -4
    assert points.max() < 604


def test_a_film_of_a_dance(dancer, tmp_path):
    film(dancer, None, tmp_path / "dance.mp4", size=(128, 128))
    scene = Scene([dancer], size=(130, 98))
    for frame, (picture, _) in zip(filming._pictures(scene), scene.render(), strict=True):
        np.testing.assert_array_equal(frame.to_ndarray(), cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))


def test_dances_side_by_side_keep_their_heads(dancer):
    """A dance that is over stands still, and looks where it looked."""
    short = replace(
        dancer, positions=dancer.positions[:30], rotations=dancer.rotations[:30], root=dancer.root[:30], meta={}
    )
    scene = Scene([short, dancer], size=(120, 120), captions=["a", "b"])
    assert scene.frames == 90
    early, late = (scene.still(seconds)[:, :120].astype(int) for seconds in (2.9, 2.95))
    np.testing.assert_array_equal(early, late)
