"""Audio: every container, every kind of damage."""

import contextlib
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ictus.audio import Audio, blocks
from ictus.errors import AudioError, IctusError, UsageError

RATE = 22050


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time) * np.minimum(1, 20 * time)
    return Audio(np.tile(wave, (channels, 1)).astype(np.float32), rate)


def encode(path: Path, audio: Audio, codec: str, rate: int | None = None) -> Path:
    """Write sound with FFmpeg, as other people's programs do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate or audio.rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(audio.samples, "fltp", "mono")
        frame.rate = audio.rate
        resampler = av.AudioResampler(stream.format, "mono", stream.rate, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_what_is_saved_is_loaded_again(tmp_path: Path, suffix: str) -> None:
    audio = tone(channels=2)
    audio.save(tmp_path / f"a{suffix}")
    again = Audio.load(tmp_path / f"a{suffix}")
    assert (again.rate, again.samples.shape[0]) == (RATE, 2)
    assert abs(again.duration - audio.duration) < 0.06
    exact = {".wav": 0, ".flac": 2e-7}.get(suffix)
    if exact is not None:
        assert np.abs(again.samples - audio.samples).max() <= exact


@pytest.mark.parametrize(
    ("name", "codec", "rate"), [("a.m4a", "aac", None), ("a.mp4", "aac", None), ("a.opus", "libopus", 48000)]
)
def test_containers_that_libsndfile_may_not_know(tmp_path: Path, name: str, codec: str, rate: int | None) -> None:
    click = np.zeros((1, RATE), np.float32)
    click[0, RATE // 2 : RATE // 2 + 40] = 0.9
    audio = Audio.load(encode(tmp_path / name, Audio(click, RATE), codec, rate))
    at = np.abs(audio.samples[0]).argmax() / audio.rate
    assert abs(at - 0.5) < 0.05


def test_a_colon_in_a_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    encode(Path("plain.m4a"), tone(), "aac").rename("Act 1: storm.m4a")
    assert Audio.load("Act 1: storm.m4a").duration > 0.9


def test_sound_of_a_film_is_found(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for k in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), k, np.uint8), "rgb24")
            container.mux(video.encode(frame))
        frame = av.AudioFrame.from_ndarray(tone(rate=44100).samples, "fltp", "mono")
        frame.rate = 44100
        for packet in [*sound.encode(frame), *sound.encode(None), *video.encode(None)]:
            container.mux(packet)
    assert Audio.load(path).duration == pytest.approx(1.0, abs=0.1)


def test_loading_at_a_rate_equals_resampling_afterwards(tmp_path: Path) -> None:
    audio = Audio(np.random.default_rng(0).normal(0, 0.1, (2, 20 * 44100)).astype(np.float32), 44100)
    audio.save(tmp_path / "a.wav")
    streamed = Audio.load(tmp_path / "a.wav", rate=RATE, mono=True)
    assert streamed.samples.shape == (1, 20 * RATE)
    np.testing.assert_allclose(streamed.samples, audio.mono().resample(RATE).samples, atol=1e-6)


def test_channels_are_kept_until_asked() -> None:
    audio = Audio(np.stack([np.ones(100), -np.ones(100)]).astype(np.float32), 8000)
    assert audio.samples.shape == (2, 100)
    assert np.abs(audio.mono().samples).max() == 0


def test_blocks_bound_memory(tmp_path: Path) -> None:
    tone(20, 44100).save(tmp_path / "a.wav")
    rate, channels, parts = blocks(tmp_path / "a.wav")
    sizes = [part.shape[1] for part in parts]
    assert (rate, channels) == (44100, 1)
    assert len(sizes) > 2
    assert sum(sizes) == 20 * 44100


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp3", None, "no such file"),
        ("empty.mp3", b"", "empty"),
        ("text.mp3", b"once upon a time\n" * 300, "read"),
        ("noise.wav", bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8)), "read"),
        ("zeros.ogg", bytes(5000), "read"),
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "read|damaged|holds no sound"),
    ],
)
def test_bad_files_end_in_one_line(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        Audio.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_sound(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="folder"):
        Audio.load(tmp_path)


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="no sound"):
        Audio.load(path)


def test_a_truncated_mp3_gives_what_is_there_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tone(6, 44100).save(tmp_path / "whole.mp3")
    content = (tmp_path / "whole.mp3").read_bytes()
    (tmp_path / "half.mp3").write_bytes(content[: len(content) // 2])
    audio = Audio.load(tmp_path / "half.mp3")
    assert 2 < audio.duration < 4
    assert "breaks off" in caplog.text


def test_a_file_with_nan_samples_is_refused(tmp_path: Path) -> None:
    samples = np.zeros(1000, np.float32)
    samples[10] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"nan\.wav.*not numbers"):
        Audio.load(tmp_path / "nan.wav")


@pytest.mark.parametrize("samples", [np.zeros((0, 5)), np.zeros((2, 3, 4)), np.zeros((65, 4))])
def test_odd_shapes_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(AudioError, match="shape"):
        Audio(samples, RATE)


def test_wrong_rates_and_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="rate"):
        Audio(np.zeros((1, 10)), 0)
    with pytest.raises(UsageError, match="positive"):
        tone().resample(-1)
    with pytest.raises(UsageError, match=r"\.xyz"):
        tone().save(tmp_path / "a.xyz")


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "a.wav"
    kept.write_bytes(b"precious")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(IctusError, match="No space left"):
        tone().save(kept)
    assert kept.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [kept]


@settings(max_examples=30, deadline=None)
@given(
    samples=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 400)),
        elements=st.floats(-1, 1, width=32, allow_subnormal=False),
    ),
    rate=st.sampled_from([8000, 22050, 44100, 96000]),
)
def test_wav_round_trip_is_exact(tmp_path_factory: pytest.TempPathFactory, samples: np.ndarray, rate: int) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    Audio(samples, rate).save(path)
    again = Audio.load(path)
    assert again.rate == rate
    np.testing.assert_array_equal(again.samples, samples)


@settings(max_examples=40, deadline=None)
@given(
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=5),
    kind=st.sampled_from([".wav", ".flac", ".ogg", ".mp3"]),
)
def test_damage_never_ends_in_anything_but_our_error(
    tmp_path_factory: pytest.TempPathFactory, cut: float, flips: list[tuple[float, int]], kind: str
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    tone(0.3).save(folder / f"a{kind}")
    content = bytearray((folder / f"a{kind}").read_bytes())
    for place, value in flips:
        content[int(place * len(content))] ^= value
    (folder / f"b{kind}").write_bytes(bytes(content[: int(cut * len(content))]))
    with contextlib.suppress(AudioError):
        Audio.load(folder / f"b{kind}")
