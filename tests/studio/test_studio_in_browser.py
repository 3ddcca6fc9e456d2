"""The studio as people use it: in Chromium, each tab from the upload to the files. Skips where there is no browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio", reason='needs Gradio (pip install "ictus[studio]")')

from ictus.audio import Audio
from ictus.motion import Motion
from ictus.nn.folder import locate, read_config
from ictus.studio.app import studio
from ictus.studio.limits import Limits
from ictus.video_io import probe
from pose.people_on_film import SIZE, BoxEngine, walking, write_people
from sound.raw_films import write_film, write_keypoints
from sound.small_soloist import save_soloist
from studio.studio_on_trial import clicks, served

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PATIENCE = 240_000  # milliseconds: two cores may have other things to do

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = save_soloist(tmp_path_factory.mktemp("models") / "untrained", description="has learnt nothing")
    with studio(Limits(minutes=0.2), [folder]) as app, served(app) as found:
        yield found


class Visit:
    """A browser of its own on the studio's page; what the page asks for and complains of is remembered."""

    def __init__(self, browser: Any, address: str, size: dict[str, int] = DESKTOP, **options: Any) -> None:
        self.context = browser.new_context(viewport=size, **options)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.said.append(message.text))
        self.page.goto(address)
        self.address = address

    def open(self, art: str) -> None:
        self.page.get_by_role("tab", name=art, exact=True).click()
        self.panel = self.page.locator(".arts > [role=tabpanel]:visible")
        self.panel.locator("button.go").wait_for()

    def give(self, file: Path, place: int = 0) -> None:
        self.panel.locator(".given").nth(place).locator("input[type=file]").set_input_files(file)
        self.panel.locator(".given").nth(place).locator(".waveform-container, .file-preview").wait_for()

    def make(self) -> None:
        self.panel.locator("button.go").click()

    def view(self, name: str) -> Any:
        self.panel.get_by_role("tab", name=name, exact=True).click()
        return self.panel.locator(".views > [role=tabpanel]:visible")

    def plays(self) -> float:
        """Play the live page; return what its clock shows after a while."""
        self.panel.locator("iframe.live").wait_for()
        inside = self.panel.locator("iframe.live").element_handle().content_frame()
        inside.wait_for_load_state()
        inside.wait_for_function("window.viewer")
        inside.evaluate("viewer.clock.play()")
        for _ in range(200):
            now = float(inside.evaluate("viewer.clock.now()"))
            if now > 0.3:
                break
            self.page.wait_for_timeout(50)
        inside.evaluate("viewer.clock.pause()")
        return now

    def film(self) -> float:
        """Return how long the browser says the film is."""
        video = self.view("Film").locator("video.film")
        video.wait_for()
        for _ in range(200):
            if video.evaluate("one => one.readyState") >= 1:
                break
            self.page.wait_for_timeout(50)
        return float(video.evaluate("one => one.duration"))

    def plots(self) -> int:
        pictures = self.view("Plots").locator(".sheets img")
        pictures.first.wait_for()
        return sum(
            pictures.nth(k).evaluate("one => one.decode().then(() => one.naturalWidth > 500)")
            for k in range(pictures.count())
        )

    def downloads(self, folder: Path) -> dict[str, Path]:
        """Download everything that is offered, by suffix."""
        links = self.view("Downloads").locator(".downloads a")
        links.first.wait_for()
        found = {}
        for k in range(links.count()):
            with self.page.expect_download() as waiting:
                links.nth(k).click()
            path = folder / waiting.value.suggested_filename
            waiting.value.save_as(path)
            found[path.suffix] = path
        return found

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    one = Visit(browser, address)
    yield one
    one.close()


def asks_only_here(one: Visit) -> bool:
    return all(url.startswith((one.address, "blob:", "data:")) for url in one.asked)


@pytest.mark.parametrize(("tab", "name", "other"), [("Conduct", "my song.wav", ".npy"), ("Dance", "song.flac", ".pkl")])
def test_music_becomes_a_motion(visit: Visit, tmp_path: Path, tab: str, name: str, other: str) -> None:
    visit.open(tab)
    visit.give(clicks(tmp_path / name))
    visit.make()
    assert visit.plays() > 0.3
    assert visit.plots() == 3
    assert visit.film() == pytest.approx(5.0, abs=0.1)
    files = visit.downloads(tmp_path)
    motions = (".npz", other, ".json", ".bvh", ".glb")
    assert set(files) == {".mp4", ".html", *motions}
    for suffix in motions:
        assert Motion.load(files[suffix]).duration == pytest.approx(5.0, abs=0.1)
    assert Audio.load(files[".mp4"]).duration == pytest.approx(5.0, abs=0.1)
    assert "viewer" in files[".html"].read_text("utf-8")
    assert "beats" in visit.panel.locator(".block.said").inner_text()
    assert asks_only_here(visit)
    assert visit.said == []


def test_sound_of_a_film(visit: Visit, tmp_path: Path) -> None:
    visit.open("Sound")
    visit.give(write_keypoints(tmp_path / "player.npy", np.arange(75) / 25), 0)
    visit.give(write_film(tmp_path / "film.mp4", 3.0, sound=False), 1)
    visit.make()
    assert visit.plays() > 0.3
    assert visit.plots() == 1
    assert visit.film() == pytest.approx(3.0, abs=0.1)
    files = visit.downloads(tmp_path / "got")
    assert set(files) == {".wav", ".flac", ".mp3", ".ogg", ".mp4", ".html"}
    for suffix in (".wav", ".flac", ".mp3", ".ogg", ".mp4"):
        assert Audio.load(files[suffix]).duration == pytest.approx(3.0, abs=0.1)
    assert probe(files[".mp4"]).size == probe(tmp_path / "film.mp4", silent=True).size
    assert asks_only_here(visit)
    assert visit.said == []


def test_a_film_becomes_a_pose(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictus.studio.pose.get_engine", lambda name: BoxEngine(lambda number: number < 20))
    visit.open("Pose")
    visit.give(write_people(tmp_path / "walk.mp4", walking(50)))
    visit.make()
    assert visit.plays() > 0.3
    assert visit.film() == pytest.approx(2.0, abs=0.1)
    files = visit.downloads(tmp_path / "got")
    assert set(files) == {".mp4", ".html", ".npz", ".npy", ".json", ".bvh", ".glb", ".pkl"}
    assert Motion.load(files[".bvh"]).duration == pytest.approx(2.0, abs=0.1)
    assert probe(files[".mp4"], silent=True).size == SIZE
    assert "somebody in 60% of the pictures, nobody at 0.0 to 0.8 s" in visit.panel.locator(".block.said").inner_text()
    assert asks_only_here(visit)
    assert visit.said == []


def test_a_player_is_found_in_a_film_alone(visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ictus.studio.sound.get_engine", lambda name: BoxEngine())
    visit.open("Sound")
    visit.give(write_people(tmp_path / "film.mp4", walking(50)), 1)
    visit.make()
    assert visit.film() == pytest.approx(2.0, abs=0.1)
    files = visit.downloads(tmp_path / "got")
    assert Audio.load(files[".wav"]).duration == pytest.approx(2.0, abs=0.1)
    assert visit.said == []


def test_what_goes_wrong_is_shown_in_a_line(visit: Visit, tmp_path: Path) -> None:
    visit.open("Conduct")
    visit.make()
    toast = visit.page.locator(".toast-body")
    toast.filter(has_text="Drop some music first").wait_for()
    visit.give(clicks(tmp_path / "long.wav", 13.0))
    visit.make()
    toast.filter(has_text="longer than the 0.2 minutes that the studio takes").wait_for()
    assert os.environ["GRADIO_TEMP_DIR"] not in visit.page.content()


def test_another_model_says_what_it_is(visit: Visit) -> None:
    visit.open("Conduct")
    visit.panel.get_by_label("Conductor").first.click()
    visit.page.get_by_role("option", name="m2s-gan").click()
    visit.panel.get_by_text(read_config(locate("m2s-gan"))["metadata"]["description"]).wait_for()
    assert visit.said == []


def test_another_browser_sees_nothing_and_nothing_stays(browser: Any, address: str, tmp_path: Path) -> None:
    root = Path(os.environ["GRADIO_TEMP_DIR"])
    before = {path for path in root.rglob("*") if path.is_file()}  # of other tests
    one, other = Visit(browser, address), Visit(browser, address)
    one.open("Conduct")
    one.give(clicks(tmp_path / "secret.wav"))
    one.make()
    assert one.plays() > 0.3
    assert one.plots() == 3
    assert one.film() > 4
    theirs = [url for url in one.asked if "/results/" in url or "/file=" in url]
    assert {url.rpartition("/")[2].rpartition(".")[2] for url in theirs} >= {"html", "mp4", "png", "wav"}
    assert {one.page.request.get(url).status for url in theirs} == {200}
    assert {other.page.request.get(url).status for url in theirs} <= {403, 404}
    held = lambda: [path for path in root.rglob("*") if path.is_file() and path not in before]  # noqa: E731
    assert held()
    one.close()
    for _ in range(200):
        if not held():
            break
        other.page.wait_for_timeout(100)
    assert held() == []
    other.close()


@pytest.mark.parametrize(("size", "colours"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_everything_has_room_in_both_lights(browser: Any, address: str, size: dict[str, int], colours: str) -> None:
    visit = Visit(browser, address, size, color_scheme=colours)
    for art in ("Conduct", "Dance", "Sound", "Pose"):
        visit.open(art)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        if size is DESKTOP:
            place = visit.panel.locator("button.go").bounding_box()
            assert place["y"] + place["height"] <= size["height"], f"the button of {art} lies below the fold"
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [
        float(number)
        for number in ground.partition("(")[2].rstrip(")").replace(",", " ").split()
        if number[0].isdigit()
    ]
    assert (np.mean(channels[:3]) > (127 if max(channels) > 1 else 0.5)) == (colours == "light")
    assert not visit.page.locator("footer").is_visible()
    visit.close()


def test_a_phone_shows_the_result_when_something_is_asked_for(browser: Any, address: str) -> None:
    visit = Visit(browser, address, PHONE)
    visit.open("Dance")
    panel = ".arts > [role=tabpanel]:not([style*=none]) .result-panel"
    top = f"document.querySelector('{panel}').getBoundingClientRect().top"
    visit.page.evaluate("scrollTo(0, 0)")
    before = visit.page.evaluate(top)
    visit.make()
    for _ in range(100):
        if visit.page.evaluate(top) < before - 100:
            break
        visit.page.wait_for_timeout(50)
    assert visit.page.evaluate(top) < before - 100
    visit.close()
