"""What is given to FFmpeg: containers of sound and pictures, and no list that names other files."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from ictus.audio import Audio, blocks
from ictus.errors import AudioError, IctusError
from ictus.media import _OPTIONS, CONTAINERS, opened
from ictus.video_io import probe

SOURCE = Path(__file__).parents[1] / "src" / "ictus"
LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {secret}\n",
    "dash": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static">'
    '<Period><AdaptationSet contentType="audio"><Representation id="1"><BaseURL>{secret}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
}
SUFFIXES = (".mp3", ".m4a", ".flac", ".ogg", ".mkv", ".mp4", ".wav", ".m3u8")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", LISTS)
def test_what_only_names_other_files_is_refused(kind: str, suffix: str, tmp_path: Path) -> None:
    """The secret is beside the list, readable, and sound: only the door keeps it out."""
    secret = tmp_path / "secret.mp3"
    Audio(np.full((1, 44100), 0.25, np.float32), 44100).save(secret)
    for named in (secret.name, secret, secret.as_uri()):
        file = tmp_path / f"song{suffix}"
        file.write_text(LISTS[kind].format(secret=named))
        for reader in (Audio.load, lambda path: sum(map(len, blocks(path)[2])), lambda path: probe(path, silent=True)):
            with pytest.raises(IctusError) as caught:
                reader(file)
            assert str(caught.value).startswith(f"{file}: ")
            assert "\n" not in str(caught.value)


def test_nothing_beside_the_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a list let in, FFmpeg could still open nothing: it has a file, and no protocol to reach another."""
    Audio(np.full((1, 44100), 0.25, np.float32), 44100).save(tmp_path / "secret.wav")
    file = tmp_path / "song.mp3"
    file.write_text(LISTS["concat"].format(secret="secret.wav"))
    monkeypatch.setitem(_OPTIONS, "format_whitelist", "concat,wav")
    with pytest.raises(IctusError):
        Audio.load(file)


def test_no_container_that_names_files_is_known() -> None:
    lists = {"hls", "dash", "concat", "sdp", "rtsp", "image2", "lavfi", "tedcaptions", "imf", "vobsub", "sbg"}
    assert not set(CONTAINERS.split(",")) & lists


def test_a_film_is_opened_by_its_content_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Audio(np.full((1, 44100), 0.25, np.float32), 44100).save("a.wav")
    Path("a.wav").rename("concat:secret|b.m3u8")
    with opened("concat:secret|b.m3u8", AudioError) as container:
        assert container.format.name == "wav"


def test_ffmpeg_reads_by_one_door_only() -> None:
    """Whoever opens a file with av.open, anywhere else, writes one, or reads what it has itself encoded in memory."""
    doors = [
        path.relative_to(SOURCE).as_posix()
        for path in sorted(SOURCE.rglob("*.py"))
        if re.search(r"av\W+open|container\W+open|VideoCapture", path.read_text("utf-8"))  # parsing all takes seconds
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("av.open", "av.container.open", "cv2.VideoCapture")
        if not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and node.args[1].value == "w")
    ]
    assert doors == ["media.py", "synthesis/recording_chain.py"]
