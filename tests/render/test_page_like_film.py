"""Figures in films and in pages: the same outlines, in pixels, in the same frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.motion import Motion
from ictus.render.body import Body
from ictus.render.camera import Camera
from ictus.render.conductor import Conductor, conductor_extent
from ictus.render.dancer import dancer_extent, seen_of_cap
from ictus.render.figure_tables import HAIR_ANGLE, HAIR_MIDDLE, paints
from ictus.render.generic_figure import GenericFigure, generic_extent
from ictus.render.page import page
from ictus.render.perspective import View, followed
from ictus.render.player import Player, player_extent
from ictus.render.shapes import SHIFT, unit
from ictus.render.theme import DARK, LIGHT
from ictus.skeleton import Skeleton, get_skeleton

BOX = (0.0, 0.0, 600.0, 600.0)
FRAMES = (0, 7, 23, 40)
# The page rounds places to millimetres; here its figures get the very numbers that the film draws from.
FIGURE = """([kind, positions, rotations]) => {
    const exact = { ...viewer.panels[0].motion, positions: Float64Array.from(positions) };
    if (rotations) exact.rotations = Float64Array.from(rotations);
    window.figure = new ({ Conductor, Dancer, GenericFigure }[kind])(exact, new Track(exact));
}"""
SOLIDS = "(times) => times.map((seconds) => figure.solids(seconds).map((one) => ({ ...one, head: one.head ?? null })))"


def balls(solids: list[dict[str, Any]], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 3) and radii (N,) of one of a frame's solids."""
    points, radii = zip(*solids[number]["balls"], strict=True)
    return np.array(points), np.array(radii)


@pytest.fixture(scope="module")
def player() -> Motion:
    rng = np.random.default_rng(3)
    arms = np.array([[0, 0], [-90, 10], [-140, 140], [-40, 190], [90, 10], [150, 130], [60, 120]])
    hands = np.concatenate([np.repeat(arms[3:4], 20, 0), np.repeat(arms[6:7], 20, 0)]) + rng.uniform(-30, 30, (40, 2))
    sway = 20 * np.sin(np.arange(50) / 8)[:, None, None]
    return Motion(np.concatenate([arms, hands]) + np.array([640, 300]) + sway, 25, get_skeleton("solos-47"))


@pytest.fixture(scope="module")
def made_up() -> Motion:
    joints = ("body", "left_leg", "right_leg", "left_tip", "right_tip")
    body = Skeleton("insect", joints, ((0, 1), (0, 2), (1, 3), (2, 4)))
    pose = np.array([[0, 1, 0], [0.4, 0.8, 0.1], [-0.4, 0.8, 0.1], [0.7, 0.1, 0.3], [-0.6, 0, 0.2]])
    return Motion(pose + 0.05 * np.sin(np.arange(50)[:, None, None] / 5 + np.arange(15).reshape(5, 3)), 25, body)


@pytest.fixture(scope="module")
def solids_in_page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(motion, class of its figure in the page) -> for each of `FRAMES` its solids, and the open page."""
    folder, opened = tmp_path_factory.mktemp("compared"), []

    def solids(motion: Motion, kind: str) -> tuple[list[list[dict[str, Any]]], Any]:
        file: Path = folder / f"{motion.skeleton.name}.html"
        page(motion, None, file)
        opened.append(browser.new_page(viewport={"width": 720, "height": 480}))
        opened[-1].goto(file.as_uri())
        for _ in range(400):
            if opened[-1].evaluate("Boolean(window.viewer?.panels.length)"):
                break
            opened[-1].wait_for_timeout(25)
        rotations = None if motion.rotations is None else motion.rotations.ravel().tolist()
        opened[-1].evaluate(FIGURE, [kind, motion.positions.astype(float).ravel().tolist(), rotations])
        return opened[-1].evaluate(SOLIDS, [frame / motion.fps for frame in FRAMES]), opened[-1]

    yield solids
    for one in opened:
        one.close()


def flat(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Points (N, 3), y up, as the film's flat camera shows them: pixels (N, 2)."""
    upwards = points * [1, 1 if camera.y_up else -1, 1]
    return np.asarray(camera.project(upwards))


def drawn(shape: Any, frame: int) -> np.ndarray:
    """(N, 2) pixels: a film's polygon in one frame."""
    return np.asarray(shape.points[frame] / (1 << SHIFT))


def assert_capsule(polygon: np.ndarray, ends: np.ndarray, radii: np.ndarray | None) -> None:
    """A polygon of `capsule` lies on the discs around these two ends (2, 2), half of its corners on each."""
    for corners, end, number in zip(np.split(polygon, 2), ends[::-1], (1, 0), strict=True):
        away = np.linalg.norm(corners - end, axis=1)
        assert away == pytest.approx(away.mean() if radii is None else radii[number], abs=0.15)


def test_dancers_discs_and_hair(dancer, solids_in_page):
    body = Body(dancer)
    path = followed(body.middle, body.floor, body.scale, dancer.fps)
    extent = dancer_extent(dancer)
    view = View.fit(extent, body.scale, BOX)
    shown, opened = solids_in_page(dancer, "Dancer")
    opened.evaluate(
        """([low, high, [left, top, right, bottom]]) => {
            window.camera = new Camera(false, figure.unit);
            Object.assign(camera, { extent: { low, high }, box: { left, top, right, bottom } });
        }""",
        [extent.low.tolist(), extent.high.tolist(), BOX],
    )
    for frame, solids in zip(FRAMES, shown, strict=True):
        expected, head = body.solids(frame, frame + 1), body.head(frame, frame + 1)
        assert [(one["part"], one["side"]) for one in solids] == [(one.part, one.side) for one in expected]
        target = path[frame]
        for number, one in enumerate(expected):
            points, radii = balls(solids, number)
            discs = np.array(
                opened.evaluate(
                    """([target, points]) => {
                        camera.target = target;
                        camera.ready();
                        return points.map((point) => camera.project(point));
                    }""",
                    [target.tolist(), points.tolist()],
                )
            )
            at, scale = view.project(one.centres[0] - target)
            assert discs[:, :2] == pytest.approx(at, abs=0.05), one.part
            assert discs[:, 2] * radii == pytest.approx(scale * one.radii, abs=0.05), one.part
        crown = unit(HAIR_MIDDLE[0] * head.up + HAIR_MIDDLE[1] * head.ahead)
        seen = solids[3]["head"]
        assert seen["centre"] == pytest.approx(head.centre[0], abs=1e-4)
        viewer = np.array([[0.1, 0.2, 0.97]]) / np.linalg.norm([0.1, 0.2, 0.97])
        cap = opened.evaluate(
            """([up, ahead, viewer]) => {
                const crown = unit(along(times(up, HAIR_MIDDLE[0]), ahead, HAIR_MIDDLE[1]));
                return seenOfCap(crown, HAIR_ANGLE, viewer);
            }""",
            [seen["up"], seen["ahead"], viewer[0].tolist()],
        )
        assert np.array(cap) == pytest.approx(seen_of_cap(crown, HAIR_ANGLE, viewer)[0], abs=2e-3)


@pytest.mark.parametrize("name", ["flat", "solid"])
def test_conductors_clothes_and_arms(name, request, solids_in_page):
    motion = request.getfixturevalue(name)
    extent = conductor_extent(motion)
    figure, camera = Conductor(motion, extent, BOX, DARK), Camera.fit(extent, BOX, y_up=False)
    pose = figure.pose(0, len(motion))
    # The film turns bodies in space so that y points down, as flat ones have it.
    shown, _ = solids_in_page(motion, "Conductor")
    for frame, solids in zip(FRAMES, shown, strict=True):
        if name == "flat":  # in the page, clothes of a body in space lie before its trunk
            coat, skull = solids[0], next(one for one in solids if one["head"])
            drawings = [*pose.body[3:8], pose.body[9]]
            for drawing, patch in zip(drawings, [*coat["patches"], *skull["patches"]], strict=True):
                assert flat(camera, np.array(patch["points"])) == pytest.approx(drawn(drawing, frame), abs=0.1)
        limbs = [one for one in solids if one["part"] in ("sleeve", "linen", "baton", "cork", "hand")]
        arms = limbs[:3], limbs[3:]
        for layer, parts in zip(pose.limbs, arms, strict=True):
            capsules = [hull for one in parts for hull in one.get("hulls", [one["balls"]])]
            names = [one["part"] for one in parts for _ in one.get("hulls", [0])]
            for part, polygon, pair in zip(names, layer[2:], capsules, strict=True):
                if part == "cork" or (part == "baton" and name == "flat"):
                    continue  # what is guessed, or turns in space, differs a little
                points, radii = zip(*pair, strict=True)
                assert_capsule(drawn(polygon, frame), flat(camera, np.array(points)), np.array(radii) * camera.scale)


@pytest.mark.parametrize("name", ["player", "made_up"])
def test_limbs_of_other_bodies(name, request, solids_in_page):
    motion = request.getfixturevalue(name)
    make, extent_of = (Player, player_extent) if name == "player" else (GenericFigure, generic_extent)
    extent = extent_of(motion)
    figure, camera = make(motion, extent, BOX, DARK), Camera.fit(extent, BOX, y_up=motion.positions.shape[2] == 3)
    pose = figure.pose(0, len(motion))
    shown, _ = solids_in_page(motion, "GenericFigure")
    for frame, solids in zip(FRAMES, shown, strict=True):
        limbs = [number for number, one in enumerate(solids) if one["part"] in ("hand", "limb", "arm")]
        assert len(limbs) == len(figure.bones) == len(pose.limbs)
        for number, layer in zip(limbs, pose.limbs, strict=True):
            points, radii = balls(solids, number)
            # A page draws fingers thinner than a film, and a player's arms a little thicker.
            pixels = None if name == "player" else radii * camera.scale
            assert_capsule(drawn(layer[1], frame), flat(camera, points), pixels)


def test_paints(dancer, solids_in_page):
    _, opened = solids_in_page(dancer, "Dancer")
    for theme in (DARK, LIGHT):
        for conducting in (False, True):
            seen = opened.evaluate(f"paintsOf({{ name: '{theme.name}' }}, {str(conducting).lower()})")
            expected = paints(theme, conducting=conducting)
            assert {part: tuple(tuple(tone[::-1]) for tone in paint) for part, paint in seen.items()} == expected
