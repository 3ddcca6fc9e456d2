import re
import resource
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ictus.audio import Audio
from ictus.errors import AudioError, IctusError, UsageError
from ictus.render import film as module
from ictus.render.film import film
from ictus.render.scene import Scene

SMALL = (128, 128)


def clicks(rate: int, seconds: float, at: list[float]) -> Audio:
    """Silence with a short burst at each time."""
    samples = np.zeros(round(seconds * rate), np.float32)
    burst = np.sin(2 * np.pi * 2000 * np.arange(round(0.004 * rate)) / rate)
    for time in at:
        samples[round(time * rate) :][: len(burst)] += burst
    return Audio(samples, rate)


def decoded_pictures(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The frames (T, H, W, 3), and the second at which a player shows each."""
    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    times, pictures = zip(*frames, strict=True)
    return np.stack(pictures), np.array(times)


def decoded_sound(path: Path) -> tuple[np.ndarray, int]:
    """The left channel as a player lets it be heard: each sample at the second its timestamp says, from 0 on."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        heard = np.zeros(0)
        for frame in container.decode(audio=0):
            start, samples = round(frame.time * rate), frame.to_ndarray()[0]
            samples, start = (samples[-start:], 0) if start < 0 else (samples, start)
            heard = np.concatenate([heard[:start], np.zeros(max(start - len(heard), 0)), samples])
    return heard, rate


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_sound_and_picture_agree_as_players_show_them(tmp_path, flat, fps, rate):
    beats = flat.meta["beats"]["times"]
    film(flat, clicks(rate, 2.0, beats), tmp_path / "sync.mp4", fps=fps, size=SMALL)

    pictures, times = decoded_pictures(tmp_path / "sync.mp4")
    lamps = pictures[:, 116:127].astype(int).max((2, 3)).max(1)  # how bright the row of lamps is
    lit = times[1:][np.diff(lamps) > 15]
    np.testing.assert_allclose(lit, beats, atol=1e-3)  # these beats lie on frames

    heard, got = decoded_sound(tmp_path / "sync.mp4")
    onsets = [
        np.argmax(np.abs(heard[round((t - 0.2) * got) :][: round(0.4 * got)]) > 0.3) / got + t - 0.2 for t in beats
    ]
    np.testing.assert_allclose(onsets, beats, atol=2e-3)


def test_a_film_is_as_long_as_its_motion(tmp_path, flat):
    for seconds in (0.7, 2.0, 5.0):  # of sound
        film(flat, clicks(44100, seconds, [0.3]), tmp_path / "film.mp4", size=SMALL)
        pictures, times = decoded_pictures(tmp_path / "film.mp4")
        assert len(pictures) == 60
        np.testing.assert_allclose(times, np.arange(60) / 30, atol=1e-4)
        with av.open(str(tmp_path / "film.mp4")) as container:
            assert container.duration / 1e6 == pytest.approx(2.0, abs=1 / 30)
            sound = container.streams.audio[0]
            assert float(sound.duration * sound.time_base) == pytest.approx(2.0, abs=1 / 30)


def test_what_is_in_the_file(tmp_path, flat):
    film(flat, clicks(44100, 2, [0.3]), tmp_path / "film.mp4", size=(192, 128))
    with av.open(str(tmp_path / "film.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 192, 128)
        assert video.average_rate == 30
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", 44100, 2)
        assert (video.codec_context.colorspace, video.codec_context.color_range) == (6, 1)
    head = (tmp_path / "film.mp4").read_bytes()[:4096]
    assert head.find(b"moov") < head.find(b"mdat") or b"mdat" not in head  # faststart: plays while it loads


def test_colours_survive(tmp_path, flat):
    film(replace(flat, meta={}), None, tmp_path / "film.mp4", size=(256, 256), theme="light")
    pictures, _ = decoded_pictures(tmp_path / "film.mp4")
    expected = Scene([replace(flat, meta={})], size=(256, 256), theme="light").still(1.0)
    difference = np.abs(pictures[30].astype(int) - expected)
    assert difference.mean() < 3
    corner = slice(0, 20)
    assert np.abs(pictures[30][corner, corner].astype(int) - expected[corner, corner]).max() < 8


def test_a_silent_film_has_no_sound_track(tmp_path, flat):
    film(flat, None, tmp_path / "silent.mp4", size=SMALL)
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio


def test_sound_may_come_from_a_file(tmp_path, flat):
    clicks(32000, 2.0, [0.5]).save(tmp_path / "click.flac")
    film(flat, tmp_path / "click.flac", tmp_path / "film.mp4", size=SMALL)
    heard, rate = decoded_sound(tmp_path / "film.mp4")
    assert np.argmax(np.abs(heard) > 0.3) / rate == pytest.approx(0.5, abs=2e-3)


def test_sides_that_are_no_multiple_of_four_and_other_rates(tmp_path, flat):
    film(flat, None, tmp_path / "film.mp4", size=(130, 98), fps=24)
    pictures, times = decoded_pictures(tmp_path / "film.mp4")
    assert pictures.shape == (48, 98, 130, 3)
    np.testing.assert_allclose(np.diff(times), 1 / 24, atol=1e-3)


def test_several_motions_and_progress(tmp_path, flat, solid):
    done: list[float] = []
    film([flat, solid], None, tmp_path / "pair.mp4", size=SMALL, captions=["a", "b"], progress=done.append)
    pictures, _ = decoded_pictures(tmp_path / "pair.mp4")
    assert pictures.shape == (60, 128, 256, 3)
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_converting_only_what_changes_gives_the_whole_picture(flat):
    scene = Scene([flat], size=(130, 98))
    pairs = zip(module._pictures(scene), scene.render(), strict=True)
    for frame, (picture, _) in pairs:
        expected = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
        np.testing.assert_array_equal(frame.to_ndarray(), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (101, 100)}, "101x100 pixels; both sides must be even"),
        ({"size": (100, 7)}, "100x7 pixels; both sides must be even"),
        ({"size": (0, 0)}, "at least 64"),
        ({"fps": 0}, "0 frames per second"),
        ({"fps": float("nan")}, "nan frames per second"),
        ({"theme": "neon"}, "no theme"),
        ({"captions": ["a", "b"]}, "2 captions for 1 motions"),
        ({"path": "film.avi"}, r"film\.avi: films are \.mp4 files"),
        ({"motion": []}, "nothing to film"),
    ],
)
def test_wrong_calls_are_explained(tmp_path, flat, change, message):
    call = {"motion": flat, "audio": None, "path": "film.mp4", "size": SMALL, **change}
    call["path"] = tmp_path / call["path"]
    with pytest.raises(UsageError, match=message):
        film(**call)
    assert not list(tmp_path.iterdir())


def failing(error: Exception, after: int = 20):
    """A stand-in for a step of the work that fails after so many of its items."""

    def broken(items):
        for number, item in enumerate(items):
            if number == after:
                raise error
            yield item

    return broken


@pytest.mark.parametrize(
    "error", [av.FFmpegError(28, "No space left on device"), OSError(28, "No space left on device")]
)
def test_nothing_is_left_behind_when_encoding_fails(tmp_path, flat, monkeypatch, error):
    broken, encode = failing(error), module._pictures
    monkeypatch.setattr(module, "_pictures", lambda scene: broken(encode(scene)))
    threads = threading.active_count()
    with pytest.raises(IctusError, match=re.escape(f"{tmp_path / 'film.mp4'}: ") + ".*No space left on device"):
        film(flat, clicks(44100, 2.0, [0.5]), tmp_path / "film.mp4", size=SMALL)
    assert not list(tmp_path.iterdir())
    assert threading.active_count() == threads


def test_an_older_film_survives_a_failure(tmp_path, flat, monkeypatch):
    film(flat, None, tmp_path / "film.mp4", size=SMALL)
    before = (tmp_path / "film.mp4").read_bytes()
    monkeypatch.setattr(module, "_sound_packets", lambda *_: failing(av.FFmpegError(22, "bad sound"), 0)([1]))
    with pytest.raises(IctusError, match="bad sound"):
        film(flat, clicks(44100, 2.0, [0.5]), tmp_path / "film.mp4", size=SMALL)
    assert (tmp_path / "film.mp4").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interruption_leaves_nothing(tmp_path, flat):
    def interrupt(done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film(flat, None, tmp_path / "film.mp4", size=SMALL, progress=interrupt)
    assert not list(tmp_path.iterdir())


def test_a_missing_codec_is_named(tmp_path, flat, monkeypatch):
    def missing(*_: object) -> None:
        raise av.codec.codec.UnknownCodecError("libx264")

    monkeypatch.setattr(module, "_video_stream", missing)
    with pytest.raises(IctusError, match="libx264"):
        film(flat, None, tmp_path / "film.mp4", size=SMALL)
    assert not list(tmp_path.iterdir())


def test_a_missing_sound_file_is_named(tmp_path, flat):
    with pytest.raises(AudioError, match="song\\.wav: no such file"):
        film(flat, tmp_path / "song.wav", tmp_path / "film.mp4", size=SMALL)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path, flat):
    (tmp_path / "file").touch()
    with pytest.raises(IctusError, match="cannot write there"):
        film(flat, None, tmp_path / "file" / "film.mp4", size=SMALL)


def test_a_full_disk_is_reported_in_one_line(tmp_path, flat):
    """A limit on the size of files acts as a disk that fills up while the film is written."""
    flat.save(tmp_path / "motion.npz")
    script = f"""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        import ictus
        try:
            ictus.film(ictus.Motion.load({str(tmp_path / "motion.npz")!r}), None, {str(tmp_path / "film.mp4")!r})
        except ictus.IctusError as error:
            print(error)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert re.fullmatch(r".*film\.mp4: .*(too large|space).*", run.stdout.strip())
    assert [file.name for file in tmp_path.iterdir()] == ["motion.npz"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


@pytest.mark.slow
def test_a_long_film_holds_neither_frames_nor_sound(tmp_path, flat):
    """Five minutes take no more memory than half a minute, but for the joints themselves."""
    script = """
        import resource, sys
        import numpy as np
        from ictus.motion import Motion
        from ictus.skeleton import get_skeleton
        from ictus.render.film import film
        frames = int(sys.argv[1])
        pose = np.random.default_rng(0).uniform(0.3, 0.7, (1, 13, 2)).repeat(frames, 0)
        film(Motion(pose, 10, get_skeleton("conductor-13")), sys.argv[2], sys.argv[3], fps=10, size=(64, 64))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    Audio(np.zeros((1, 300 * 8000)), 8000).save(tmp_path / "silence.flac")
    peaks = []
    for frames in (300, 3000):
        command = [sys.executable, "-c", textwrap.dedent(script), str(frames)]
        files = [str(tmp_path / "silence.flac"), str(tmp_path / "film.mp4")]
        run = subprocess.run([*command, *files], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout) / 1024)
    assert peaks[1] < peaks[0] + 40  # MiB; five minutes of stereo alone would be 110
