"""The studio without a browser: what it takes, who may read what, and what is left behind."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio", reason='needs Gradio (pip install "ictus[studio]")')

import gradio
from starlette.testclient import TestClient

from ictus.audio import Audio
from ictus.cli import main
from ictus.errors import AudioError, UsageError
from ictus.scores.score import Score
from ictus.sound.pose_normalization import PoseTrack
from ictus.studio import examples
from ictus.studio.app import studio
from ictus.studio.limits import Limits, show_errors
from ictus.studio.models import chosen, model_choices
from ictus.studio.visitors import KEPT, Visitors
from sound.small_soloist import save_soloist
from studio.studio_on_trial import clicks

HERE = "http://127.0.0.1"


def write(path: Path, progress: Any) -> None:
    path.write_text("made")


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with Visitors.opened() as found:
        yield found


def test_music_is_measured_before_it_is_taken(tmp_path: Path) -> None:
    file = clicks(tmp_path / "song.wav", 5.0)
    Limits(minutes=5.0 / 60).check_music(file)
    with pytest.raises(UsageError, match=r"longer than the 0\.08 minutes"):
        Limits(minutes=0.08).check_music(file)
    with pytest.raises(UsageError, match="give more than 0"):
        Limits(minutes=0)


def test_what_nobody_foresaw_is_a_line_without_its_words() -> None:
    with pytest.raises(gradio.Error) as shown, show_errors():
        raise KeyError("/etc/passwd")
    assert shown.value.message == "Nobody foresaw this: KeyError."


@pytest.mark.parametrize("error", [AudioError("{}: holds\nno sound"), OSError("{}: holds no  sound")])
def test_errors_are_one_line_with_the_visitors_own_file_name(tmp_path: Path, error: Exception) -> None:
    file = tmp_path / "song.wav"
    with pytest.raises(gradio.Error) as shown, show_errors(file):
        raise type(error)(str(error).format(file))
    assert shown.value.message == "song.wav: holds no sound"


def test_results_are_made_once_and_when_asked_for(visitors: Visitors) -> None:
    made: list[Path] = []
    _, result = visitors.of("a").keep(
        "song", "tab", {".npz": lambda path, progress: (made.append(path), write(path, 0))}
    )
    assert made == []
    assert result.file(".npz") == result.file(".npz")
    assert len(made) == 1
    with pytest.raises(UsageError, match=r"there is no \.exe of this; there are \.npz"):
        result.file(".exe")


def test_old_results_make_room(visitors: Visitors) -> None:
    one = visitors.of("a")
    folders = [one.keep("song", "tab", {".npz": write})[1].folder for _ in range(KEPT + 2)]
    assert [folder.exists() for folder in folders] == [False] * 2 + [True] * KEPT


def test_what_was_made_in_a_tab_goes_with_it_and_all_with_the_last(visitors: Visitors) -> None:
    upload = visitors.root / "hash" / "song.wav"
    upload.parent.mkdir()
    upload.touch()
    one, other = visitors.of("a"), visitors.of("b")
    one.uploads.add(upload)
    for tab in ("1", "2"):
        visitors.enter("a", tab)
    _, first = one.keep("song", "1", {".npz": write})
    _, second = one.keep("song", "2", {".npz": write})
    _, theirs = other.keep("song", "3", {".npz": write})
    visitors.leave("a", "1")
    assert not first.folder.exists()
    assert second.folder.exists()
    assert upload.exists()
    visitors.leave("a", "2")
    assert not one.folder.exists()
    assert not upload.exists()
    assert theirs.folder.exists()


def test_a_file_that_two_have_sent_stays_until_both_are_gone(visitors: Visitors) -> None:
    upload = visitors.root / "song.wav"
    upload.touch()
    for name in "ab":
        visitors.enter(name, name)
        visitors.of(name).uploads.add(upload)
    visitors.leave("a", "a")
    assert upload.exists()
    visitors.leave("b", "b")
    assert not upload.exists()


def test_uploads_that_broke_off_are_removed_and_those_that_go_on_are_not(visitors: Visitors) -> None:
    stalled, going_on = visitors.root / "tmpabc", visitors.root / "tmpdef"
    for file in (stalled, going_on):
        file.write_bytes(b"half a song")
    os.utime(stalled, (time.time() - 120,) * 2)
    visitors.enter("a", "1")
    visitors.leave("a", "1")
    assert not stalled.exists()
    assert going_on.exists()


def test_the_broom_takes_what_is_old(visitors: Visitors) -> None:
    _, old = visitors.of("a").keep("song", "tab", {".npz": write})
    _, new = visitors.of("a").keep("song", "tab", {".npz": write})
    long_ago = time.time() - 100
    for path in (old.file(".npz"), old.folder):
        os.utime(path, (long_ago, long_ago))
    kept = new.file(".npz")
    visitors.sweep(50)
    assert not (old.folder / "result.npz").exists()
    assert kept.exists()


def test_examples_can_be_used(tmp_path: Path) -> None:
    track = PoseTrack.load(examples.player(tmp_path))
    assert track.duration == pytest.approx(12, abs=0.1)
    assert (track.confidence > 0.2).mean() > 0.8


def test_the_ode_is_played_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []

    def play(score: Score) -> Audio:  # the real one takes seconds, and has tests of its own
        played.append(score.title)
        return Audio(np.zeros((2, 44100), np.float32), 44100)

    monkeypatch.setattr("ictus.synthesis.synthesizer.synthesize", play)
    assert examples.ode_to_joy(tmp_path) == examples.ode_to_joy(tmp_path)
    assert len(played) == 1
    assert Audio.load(examples.ode_to_joy(tmp_path)).duration == pytest.approx(1, abs=0.1)


def test_models_by_art(tmp_path: Path) -> None:
    folder = save_soloist(tmp_path / "mine", description="has learnt nothing")
    assert [one.title for one in model_choices("sound", [folder])][-1] == "mine"
    assert model_choices("conduct", [folder])[0].name == "maestro"
    dancers = [one.name for one in model_choices("dance", [folder])]
    assert dancers[0] == "choreographer"
    assert not {"m2s-net", "listener", "m2s-gan", str(folder)} & set(dancers)
    with pytest.raises(UsageError, match="no such model"):
        chosen(model_choices("sound", [folder]), "/etc")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "99999"], "--port 99999: choose between 1 and 65535"),
        (["--limit", "0"], "a limit of 0 minutes; give more than 0"),
    ],
)
def test_wrong_options_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studio", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_it_says_at_once_where_it_is_and_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    command = [sys.executable, "-m", "ictus", "studio", "--port", str(port)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"opening the studio at http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:  # which waits until it is open
            assert page.status == 200
        assert list(tmp_path.glob("ictus-*"))
        process.terminate()
        assert process.wait(60) == 0
    assert not list(tmp_path.glob("ictus-*"))


def test_without_gradio_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ictus.cli.studio.find_spec", lambda name: None)
    assert main(["studio"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert 'pip install "ictus[studio]"' in errors[0]


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    with studio(Limits(megabytes=1)) as found:
        yield found


@pytest.fixture
def people(app: Any) -> Iterator[tuple[TestClient, TestClient]]:
    with TestClient(app, HERE) as one:
        other = TestClient(app, HERE)
        assert one.get("/").status_code == other.get("/").status_code == 200
        yield one, other


def sent(client: TestClient, name: str = "song.wav", content: bytes = b"RIFF of mine") -> str:
    answer = client.post("/gradio_api/upload", files={"files": (name, io.BytesIO(content))})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def test_nobody_reads_what_another_sent(people: tuple[TestClient, TestClient], app: Any) -> None:
    one, other = people
    path = sent(one)
    assert one.get(f"/gradio_api/file={path}").content == b"RIFF of mine"
    stranger = TestClient(app, HERE)
    for client in (other, stranger):
        assert client.get(f"/gradio_api/file={path}").status_code == 403
        assert client.get(f"/gradio_api/file={path.replace('/', '%2F')}").status_code == 403
    assert stranger.post("/gradio_api/upload", files={"files": ("x", io.BytesIO(b"x"))}).status_code == 403
    event = {"fn_index": 0, "session_hash": "x", "data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    assert other.post("/gradio_api/queue/join", json=event).status_code == 403
    assert one.post("/gradio_api/queue/join", json=event).status_code != 403


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "{root}/../../etc/passwd",
        "{root}",
        "http://127.0.0.1:1/x",
        "https://example.org/x",
        "README.md",
        "",
    ],
)
def test_files_outside_are_refused(people: tuple[TestClient, TestClient], path: str) -> None:
    one, _ = people
    path = path.format(root=Path(sent(one)).parent)
    assert one.get(f"/gradio_api/file={path}").status_code == 403
    event = {"fn_index": 0, "session_hash": "x", "data": [{"deep": [{"path": path}]}]}
    assert one.post("/gradio_api/queue/join", json=event).status_code == 403


@pytest.mark.parametrize(
    "route", ["proxy=http://x", "run/make", "api/make", "call/make", "file/x", "deep_link", "monitoring"]
)
def test_what_the_page_does_not_need_is_closed(people: tuple[TestClient, TestClient], route: str) -> None:
    assert people[0].get(f"/gradio_api/{route}").status_code == 404
    assert people[0].post(f"/gradio_api/{route}", json={}).status_code == 404


def test_names_of_files_are_no_paths(people: tuple[TestClient, TestClient]) -> None:
    path = Path(sent(people[0], "../../../etc/../evil name.wav"))
    assert ".." not in path.parts
    assert path.is_relative_to(os.environ["GRADIO_TEMP_DIR"])


@pytest.mark.parametrize("suffix", [".m3u8", ".mp3", ".m4a", ".flac", ".ogg", ".mkv"])
@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"],
)
def test_a_playlist_plays_no_file_of_the_server(
    people: tuple[TestClient, TestClient], tmp_path: Path, playlist: str, suffix: str
) -> None:
    client = people[0]
    settings = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", client.get("/").text, re.S)[1])
    fields = {one["id"]: one for one in settings["components"]}
    event = next(
        one
        for one in settings["dependencies"]
        if one["inputs"] and fields[one["inputs"][0]]["type"] == "audio" and len(one["outputs"]) > 1
    )
    music = {"path": sent(client, f"song{suffix}", playlist.format("secret.mp3").encode())}
    clicks(Path(music["path"]).with_name("secret.mp3"))
    data = [music | {"meta": {"_type": "gradio.FileData"}}]
    data += [fields[name]["props"].get("value") for name in event["inputs"][1:]]
    asked = {"fn_index": event["id"], "session_hash": tmp_path.name, "data": data}
    assert client.post("/gradio_api/queue/join", json=asked).status_code == 200
    answer = client.get("/gradio_api/queue/data", params={"session_hash": tmp_path.name}).text
    ended = next(json.loads(line[6:]) for line in answer.splitlines() if '"process_completed"' in line)
    assert not ended["success"]
    assert ended["output"]["error"].startswith(f"song{suffix}: ")


def test_large_files_are_refused(people: tuple[TestClient, TestClient]) -> None:
    answer = people[0].post("/gradio_api/upload", files={"files": ("x.wav", io.BytesIO(bytes(2 << 20)))})
    assert answer.status_code == 413


def test_the_page_lets_nothing_in_from_elsewhere(people: tuple[TestClient, TestClient]) -> None:
    answer = people[0].get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert not re.search(r"<(script|link)[^>]+https?://(?!testserver)", answer.text)
    assert "googleapis" not in answer.text
    settings = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", answer.text, re.S)[1])
    assert settings["analytics_enabled"] is False


def test_nothing_is_asked_of_the_net_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **options: asked.append(where) or [])
    with studio(Limits()) as app, TestClient(app, HERE) as client:
        path = Path(sent(client) if client.get("/").status_code == 200 else "")
        root = Path(os.environ["GRADIO_TEMP_DIR"])
        assert path.exists()
        assert path.is_relative_to(root)
    assert asked == []
    assert not root.exists()
    assert os.environ.get("GRADIO_TEMP_DIR") != str(root)
