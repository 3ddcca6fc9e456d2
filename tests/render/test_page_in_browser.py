"""Pages, as people see them: in Chromium, without a window. Where there is none, all of this is skipped."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.motion import Motion
from ictus.render.page import page
from ictus.render.show import show
from ictus.skeleton import get_skeleton

DESK, PHONE = {"width": 720, "height": 480}, {"width": 390, "height": 844}
PIXELS = """(k) => {
    const { canvas } = viewer.panels[k];
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return context.getImageData(0, 0, copy.width, copy.height).data;
}"""


class Shown:
    """An open page; what it says and asks for beside the file is remembered."""

    def __init__(self, browser: Any, file: Path, size: dict[str, int] = DESK, **options: Any) -> None:
        self.page = browser.new_page(viewport=size, **options)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())
        self.until("window.viewer?.panels.every((panel) => panel.width && !panel.stale)")

    def __call__(self, script: str, *values: Any) -> Any:
        return self.page.evaluate(script, *values)

    def until(self, condition: str) -> None:
        """Wait, by asking again and again: the page lets nothing in that could wait inside it."""
        for _ in range(400):
            if self(condition):
                return
            self.page.wait_for_timeout(25)
        raise TimeoutError(condition)

    def seek(self, seconds: float) -> None:
        self(f"viewer.clock.seek({seconds})")
        self.until(f"Math.abs(viewer.drawn - {seconds}) < 1e-6")

    def painted(self, panel: int = 0) -> int:
        """Return how many pixels of a panel hide the stage, and keep all of them under `kept`."""
        self(f"window.kept = ({PIXELS})({panel})")
        return int(self("kept.reduce((sum, byte, k) => sum + (k % 4 === 3 && byte > 250), 0)"))

    def changed(self, panel: int = 0) -> int:
        """Return how many numbers of a panel's pixels are others than those that are kept."""
        return int(self(f"({PIXELS})({panel}).reduce((sum, byte, k) => sum + (byte !== kept[k]), 0)"))

    def points(self, name: str, panel: int = 0) -> np.ndarray:
        """(T, 3) of a joint in all frames."""
        return np.array(self(f"Array.from(viewer.panels[{panel}].track.points.get('{name}'))")).reshape(-1, 3)


def player(flat: Motion) -> Motion:
    """A saxophonist, more or less, in pixels of a film."""
    body = get_skeleton("solos-47")
    rng = np.random.default_rng(3)
    arms = np.array([[0, 0], [-90, 10], [-140, 140], [-40, 190], [90, 10], [150, 130], [60, 120]])
    hands = np.concatenate([np.repeat(arms[3:4], 20, 0), np.repeat(arms[6:7], 20, 0)]) + rng.uniform(-30, 30, (40, 2))
    pose = np.concatenate([arms, hands]) + np.array([640, 300])
    sway = 20 * np.sin(np.arange(50) / 8)[:, None, None]
    return Motion(pose + sway, 25, body)


def tone_with_clicks(seconds: float, times: list[float]) -> Audio:
    """A quiet tone, so that it can be seen where the sound begins, and clicks that stand out of it."""
    samples = 0.05 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * 48000)) / 48000)
    for time in times:
        samples[round(time * 48000) + np.arange(24)] = 0.9
    return Audio(samples.astype(np.float32), 48000)


@pytest.fixture(scope="module")
def bodies(flat: Motion, solid: Motion, dancer: Motion) -> dict[str, Motion]:
    return {"flat": flat, "solid": solid, "dancer": dancer, "player": player(flat)}


@pytest.fixture(scope="module")
def pages(bodies: dict[str, Motion], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    music = tone_with_clicks(2.0, [0.5, 1.0, 1.5])
    for name, motion in bodies.items():
        page(motion, music, folder / f"{name}.html")
    page({"generated": bodies["dancer"], "real": bodies["player"]}, music, folder / "both.html", theme="light")
    aside = replace(bodies["dancer"], positions=bodies["dancer"].positions + np.float32([1.5, 0, 0]))
    page([bodies["dancer"], aside], music, folder / "together.html", together=True)
    page(bodies["flat"], None, folder / "silent.html")
    long = replace(bodies["flat"], positions=np.tile(bodies["flat"].positions, (5, 1, 1)))
    page(long, tone_with_clicks(10.0, [0.5, 3.0, 7.5]), folder / "clicks.html")
    return folder


@pytest.mark.parametrize(
    ("name", "size"),
    [("flat", DESK), ("solid", PHONE), ("dancer", PHONE), ("player", DESK), ("both", DESK), ("together", PHONE)],
)
def test_figures_are_drawn_and_move_with_the_clock(browser, pages, name, size):
    shown = Shown(browser, pages / f"{name}.html", size)
    for panel in range(shown("viewer.panels.length")):
        shown.seek(0.3)
        assert shown.painted(panel) > 1000  # a body's worth
        shown.seek(0.8)
        assert shown.changed(panel) > 500
        shown.seek(0.3)
        assert shown.changed(panel) == 0
    assert shown.said == []
    assert [url for url in shown.asked if not url.startswith(("file:", "blob:", "data:"))] == []
    shown.page.close()


@pytest.mark.parametrize("name", ["solid", "dancer"])
def test_joints_are_where_the_motion_has_them(browser, pages, bodies, name):
    shown, motion = Shown(browser, pages / f"{name}.html"), bodies[name]
    for joint in (0, 5, len(motion.skeleton) - 1):
        got = shown.points(motion.skeleton.joints[joint])
        np.testing.assert_allclose(got, motion.positions[:, joint], atol=0.0015)
    shown.page.close()


def test_flat_joints_too(browser, pages, bodies):
    shown, motion = Shown(browser, pages / "flat.html"), bodies["flat"]
    got = shown.points("left_wrist")[:, :2] * [1, -1]
    np.testing.assert_allclose(got, motion.positions[:, 9], atol=0.0002)
    between = shown("viewer.panels[0].track.at('left_wrist', 0.55)")
    np.testing.assert_allclose(between[0], motion.resample(300).positions[165, 9, 0], atol=0.002)
    shown.page.close()


@pytest.mark.parametrize(
    ("name", "suffix"), [("flat", "json"), ("solid", "json"), ("dancer", "json"), ("dancer", "bvh")]
)
def test_downloads_load_again(browser, pages, bodies, name, suffix, tmp_path):
    shown, motion = Shown(browser, pages / f"{name}.html"), bodies[name]
    with shown.page.expect_download() as waiting:
        shown.page.click(f"text={suffix.upper()}")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.suffix == f".{suffix}"
    loaded = Motion.load(file)
    assert (loaded.skeleton, loaded.fps, len(loaded)) == (motion.skeleton, motion.fps, len(motion))
    np.testing.assert_allclose(loaded.positions, motion.positions, atol=0.0015)
    if motion.rotations is not None:
        np.testing.assert_allclose(loaded.rotations, motion.rotations, atol=0.003)
        np.testing.assert_allclose(loaded.root, motion.root, atol=0.0005)
    if suffix == "json":
        assert loaded.meta == motion.meta
        np.testing.assert_array_equal(loaded.skeleton.mirror, motion.skeleton.mirror)
    shown.page.close()


def test_two_on_one_stage_can_both_be_saved(browser, pages):
    shown = Shown(browser, pages / "together.html", DESK)
    assert shown("viewer.panels.length") == 1
    assert shown("viewer.panels[0].figures.length") == 2
    assert shown("viewer.panels[0].motions.map(({ file }) => file.slice(-2))") == ["-1", "-2"]
    boxes = shown("[...document.querySelectorAll('.saves')].map((one) => one.getBoundingClientRect().toJSON())")
    assert boxes[0]["bottom"] <= boxes[1]["top"]
    shown.page.close()


def test_bodies_without_rotations_offer_no_bvh(browser, pages):
    shown = Shown(browser, pages / "flat.html")
    assert shown("[...document.querySelectorAll('.saves button')].map((one) => one.textContent)") == ["JSON"]
    shown.page.close()


def test_the_picture_follows_the_sound(browser, pages):
    shown = Shown(browser, pages / "clicks.html")
    shown.until("viewer.clock.audio.readyState > 0")
    assert shown("viewer.clock.audio.duration") == pytest.approx(10.0, abs=0.03)
    offsets = shown("""async () => {
        await viewer.clock.play();
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        const offsets = [];
        while (offsets.length < 20) {
            await frame();
            if (viewer.clock.audio.currentTime > 0.3) offsets.push(viewer.clock.now() - viewer.clock.audio.currentTime);
        }
        viewer.clock.pause();
        return offsets;
    }""")
    assert np.abs(np.median(offsets)) < 0.01
    assert shown("viewer.clock.audio.paused")
    shown.until("Math.abs(viewer.clock.audio.currentTime - viewer.clock.now()) < 0.001")
    shown.page.close()


@pytest.mark.parametrize("late", ["before", "with"])
def test_a_pause_keeps_the_time_at_which_the_sound_rests(browser, pages, late):
    """Sound goes a little further than was read when the pause was asked for: until it stops, or until it says so."""
    shown = Shown(browser, pages / "clicks.html")
    times = shown(
        """async (late) => {
        const audio = new EventTarget();
        Object.assign(audio, { currentTime: 1, duration: 10, paused: true, ended: false, seeking: false });
        audio.play = async () => { audio.paused = false; };
        audio.pause = () => {
            audio.paused = true;
            if (late === "before") audio.currentTime = 1.008;
            setTimeout(() => { audio.currentTime = 1.008; audio.dispatchEvent(new Event("pause")); });
        };
        const clock = new Clock(10, audio);
        await clock.play();
        clock.pause();
        const at_once = clock.now();
        await new Promise((done) => setTimeout(done, 5));
        return [at_once, clock.now()];
    }""",
        late,
    )
    assert times == [1.008 if late == "before" else 1, 1.008]
    shown.page.close()


HEARD = """async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes.buffer);
    const places = [];
    sound.getChannelData(0).forEach((x, k) => {
        if (Math.abs(x) > 0.4 && !(k - places.at(-1) < 4800)) places.push(k);
    });
    return places.map((k) => k / 48000);
}"""


def test_the_clicks_sound_at_their_times(browser, pages):
    text = (pages / "clicks.html").read_text("utf-8")
    sound = re.search(r'id="sound"[^>]*>([^<]+)<', text)[1]
    blank = browser.new_page()  # decoded as the page's own element decodes it
    assert blank.evaluate(HEARD, sound) == pytest.approx([0.5, 3.0, 7.5], abs=0.002)
    blank.close()


def test_seeking_by_mouse_touch_and_keys(browser, pages):
    shown = Shown(browser, pages / "clicks.html", has_touch=True)
    now = lambda: shown("viewer.clock.now()")  # noqa: E731
    box = shown.page.locator(".timeline").bounding_box()
    middle = box["y"] + box["height"] / 2
    shown.page.mouse.click(box["x"] + 0.25 * box["width"], middle)
    assert now() == pytest.approx(2.5, abs=0.02)
    shown.page.touchscreen.tap(box["x"] + 0.5 * box["width"], middle)
    assert now() == pytest.approx(5.0, abs=0.02)
    for key, time in (("7", 7.0), ("ArrowLeft", 2.0), ("ArrowRight", 7.0), ("Home", 0.0), ("End", 10.0)):
        shown.page.keyboard.press(key)
        assert now() == pytest.approx(time, abs=0.01)
    assert shown("document.querySelector('.timeline').getAttribute('role')") == "slider"
    for key, rate in (("<", 0.75), ("<", 0.5), ("<", 0.25), ("<", 0.25), (">", 0.5)):
        shown.page.keyboard.press(key)
        assert shown("viewer.clock.audio.playbackRate") == rate
    assert shown("document.querySelector('.speed').value") == "0.5"
    shown.page.keyboard.press("Home")
    shown.page.keyboard.press(" ")
    shown.until("viewer.clock.now() > 0.2")
    shown.page.keyboard.press(" ")
    assert not shown("viewer.clock.playing")
    shown.page.close()


def dragged(shown: Shown, right: int, down: int) -> None:
    shown.page.mouse.move(300, 150)
    shown.page.mouse.down()
    shown.page.mouse.move(300 + right, 150 + down)
    shown.page.mouse.up()
    shown.until("!viewer.panels[0].stale")


def test_turning_zooming_and_resetting(browser, pages):
    shown = Shown(browser, pages / "dancer.html")
    shown.painted()
    dragged(shown, 100, 20)
    assert shown("viewer.panels[0].camera.yaw") == pytest.approx(-0.8)
    shown.page.mouse.wheel(0, -100)
    shown.until("viewer.panels[0].camera.zoom > 1.1 && !viewer.panels[0].stale")
    assert shown.changed() > 5000
    shown.page.keyboard.press("r")
    shown.until("!viewer.panels[0].stale")
    assert shown.changed() == 0
    shown.page.close()


def test_flat_bodies_are_moved_not_turned(browser, pages):
    shown = Shown(browser, pages / "player.html")
    dragged(shown, 40, 10)
    assert shown("viewer.panels[0].camera.pan") == [40, 10]
    assert shown("viewer.panels[0].camera.yaw") == 0
    shown.page.close()


def test_bars_and_beats(browser, pages):
    shown = Shown(browser, pages / "dancer.html")
    assert shown("viewer.beats.bars") == [{"time": 0.5, "number": 1, "meter": None}]
    for seconds, bar, lamp in ((0.2, "\u2013", -1), (0.5, "1", 0), (1.6, "1", 2)):
        shown.seek(seconds)
        assert shown("document.querySelector('.bar').textContent") == bar
        lights = shown(
            "[...document.querySelectorAll('.lamps i')].map((one) => +one.style.getPropertyValue('--light'))"
        )
        assert len(lights) == 4
        assert [k for k, light in enumerate(lights) if light > 0] == ([lamp] if lamp >= 0 else [])
    shown.page.close()


def test_a_page_without_sound_plays_too(browser, pages):
    shown = Shown(browser, pages / "silent.html")
    shown.page.keyboard.press(" ")
    shown.until("viewer.clock.now() > 0.2")
    shown.until("!viewer.clock.playing")  # it stops at its end
    assert shown("viewer.clock.now()") == 2.0
    shown.page.close()


@pytest.mark.parametrize("name", ["flat", "both"])
def test_a_phone_has_room_for_everything(browser, pages, name):
    shown = Shown(browser, pages / f"{name}.html", PHONE, has_touch=True, device_scale_factor=2)
    assert shown("document.documentElement.scrollWidth") <= 390
    assert shown("document.documentElement.scrollHeight") <= 844
    boxes = shown("""[...document.querySelectorAll('button, select, canvas')].map((one) => {
        const { left, top, right, bottom } = one.getBoundingClientRect();
        return [left, top, 390 - right, 844 - bottom]; })""")
    assert np.min(boxes) >= 0
    shown.page.close()


def test_light_and_dark(browser, pages):
    shown = Shown(browser, pages / "both.html")
    ground = "getComputedStyle(document.querySelector('h1')).color"
    assert shown("document.documentElement.dataset.theme") == "light"
    light = shown(ground)
    shown.page.click(".theme")
    assert shown("document.documentElement.dataset.theme") == "dark"
    assert shown(ground) != light
    shown.page.close()


def test_inside_a_notebook(browser, bodies):
    outer = browser.new_page()
    said: list[str] = []
    outer.on("pageerror", lambda error: said.append(str(error)))
    outer.set_content(f"<html><body>{show(bodies['solid'])._repr_html_()}</body></html>")
    outer.wait_for_timeout(500)
    outer.frames[1].wait_for_function("window.viewer")
    assert outer.frames[1].evaluate("viewer.panels.length") == 1
    assert said == []
    outer.close()


def test_the_timeline_says_the_metre_where_it_changes(browser, bodies, tmp_path):
    meters, positions = [3] * 6 + [5] * 5 + [4] * 8, [1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5, *[1, 2, 3, 4] * 2]
    beats = {"times": np.linspace(0, 1.8, 19).tolist(), "positions": positions, "meter": 4}
    for known, expected in ({"meters": meters}, [3, None, 5, 4, None]), ({"meters": [3] * 19}, [None] * 5):
        page(replace(bodies["flat"], meta={"beats": {**beats, **known}}), None, tmp_path / "changes.html")
        shown = Shown(browser, tmp_path / "changes.html")
        assert shown("viewer.timeline.beats.bars.map((bar) => bar.meter)") == expected
        assert not shown.said
