"""Figures in films and in pages: the same outlines in the same colours and order, in the same frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.motion import Motion
from ictus.render.camera import View
from ictus.render.figure import Figure
from ictus.render.figures import shown
from ictus.render.page import page
from ictus.render.painter import Painter
from ictus.render.shapes import SHIFT
from ictus.render.theme import DARK, LIGHT
from ictus.render.trail import past
from ictus.skeleton import Skeleton, get_skeleton

BOX = (0.0, 0.0, 600.0, 600.0)
FRAMES = (0, 7, 23, 40)
# The page rounds places to millimetres; here its figure gets the very numbers that the film draws from.
SHAPES = """([{ positions, rotations, root, tracks }, [left, top, right, bottom], times, theme]) => {
    const exact = { ...viewer.panels[0].motions[0], positions, more: tracks };
    const { skeleton, figure: { axes } } = exact;
    const turns = rotations && Float64Array.from(rotations);
    if (turns) Object.assign(tracks, posed(skeleton, turns, Float64Array.from(root), axes).axes);
    const figure = new Figure(exact.figure, new Track(exact));
    const camera = new Camera(exact.figure, exact.extent);
    camera.box = { left, top, right, bottom };
    const shapes = (solid) => shapesOf(solid, camera, paintsOf(theme), rgb(theme.edge));
    return times.map((seconds) => {
        camera.ready(figure.track.at("+target", seconds));
        const earlier = figure.sums(seconds - 0.25);
        return {
            layers: figure.solidsAt(seconds).map(shapes),
            trails: figure.trails.map(([, name]) => camera.project(earlier({ [name]: 1 }))),
        };
    });
}"""


@pytest.fixture(scope="module")
def player() -> Motion:
    rng = np.random.default_rng(3)
    arms = np.array([[0, 0], [-90, 10], [-140, 140], [-40, 190], [90, 10], [150, 130], [60, 120]])
    hands = np.concatenate([np.repeat(arms[3:4], 20, 0), np.repeat(arms[6:7], 20, 0)]) + rng.uniform(-30, 30, (40, 2))
    sway = 20 * np.sin(np.arange(50) / 8)[:, None, None]
    return Motion(np.concatenate([arms, hands]) + np.array([640, 300]) + sway, 25, get_skeleton("solos-47"))


@pytest.fixture(scope="module")
def made_up() -> Motion:
    joints = ("body", "left_leg", "right_leg", "left_hand", "right_hand")
    body = Skeleton("insect", joints, ((0, 1), (0, 2), (1, 3), (2, 4)))
    pose = np.array([[0, 1, 0], [0.4, 0.8, 0.1], [-0.4, 0.8, 0.1], [0.7, 0.1, 0.3], [-0.6, 0, 0.2]])
    return Motion(pose + 0.05 * np.sin(np.arange(50)[:, None, None] / 5 + np.arange(15).reshape(5, 3)), 25, body)


def in_page(browser: Any, file: Path, motion: Motion, figure: Figure, theme: Any) -> list[dict[str, Any]]:
    """For each of `FRAMES` what the page would paint: outlines, colours and distances."""
    opened = browser.new_page(viewport={"width": 720, "height": 480})
    opened.goto(file.as_uri())
    for _ in range(400):
        if opened.evaluate("Boolean(window.viewer?.panels.length)"):
            break
        opened.wait_for_timeout(25)
    numbers: dict[str, Any] = {"positions": motion.positions.astype(float).ravel().tolist()}
    for name in ("rotations", "root"):
        known = getattr(motion, name)
        numbers[name] = None if known is None else known.astype(float).ravel().tolist()
    numbers["tracks"] = {
        name: track.astype(float).ravel().tolist()
        for name, track in (figure.tracks | {"+target": figure.target}).items()
    }
    colours = {"name": theme.name, "edge": theme.codes()["edge"]}
    got = opened.evaluate(SHAPES, [numbers, BOX, [frame / motion.fps for frame in FRAMES], colours])
    opened.close()
    return got


@pytest.mark.parametrize("name", ["flat", "solid", "dancer", "player", "made_up"])
def test_every_outline_colour_and_distance(name, request, browser, tmp_path):
    motion, theme = request.getfixturevalue(name), LIGHT if name == "solid" else DARK
    (((figure,), extent),) = shown([motion])
    page(motion, None, tmp_path / "shown.html")
    view = View.fit(extent, figure.scale, BOX, figure.pitch)
    painter = Painter(figure, view, theme)
    for frame, seen in zip(FRAMES, in_page(browser, tmp_path / "shown.html", motion, figure, theme), strict=True):
        target = figure.target[frame : frame + 1]
        pose = painter.pose(figure.places(frame, frame + 1), target)
        for number, (layer, drawn) in enumerate(zip(pose.layers, seen["layers"], strict=True)):
            what = (frame, number, figure.solids[number].paint)
            assert drawn["away"] == pytest.approx(pose.away[0, number], abs=1e-3), what
            shapes = [shape for shape in layer if shape.seen is None or shape.seen[0]]
            for shape, (outline, colour) in zip(shapes, drawn["shapes"], strict=True):
                points = np.array(outline)[:, :2]
                assert np.abs(points - shape.points[0] / (1 << SHIFT)).max() < 0.5, what
                assert np.abs(np.array(colour[::-1]) - shape.colours[0]).max() < 1.1, what
        for (_, point), drawn in zip(figure.trails, seen["trails"], strict=True):
            track = past(figure.path(point), frame, frame + 1, motion.fps)
            expected, _ = view.project(track[:, 30] - target)  # a quarter of a second ago
            if frame / motion.fps > 0.25:
                assert np.abs(drawn[:2] - expected[0]).max() < 1.0
