"""Decoding to the end: whatever a header says, all sound that is there comes out, and what is odd is said once."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ictus import limits
from ictus.audio import Audio
from ictus.decoding import blocks
from ictus.errors import AudioError

RATE, SECONDS = 44100, 2
NOISE = np.random.default_rng(0).normal(0, 0.1, (SECONDS * RATE, 2)).astype(np.float32)
SOUND = (NOISE + np.cumsum(NOISE, 0) % 0.2).clip(-1, 1)
LESS, MORE, NONE = SOUND.size // 2, 9 * SOUND.size, 0  # bytes of 16 bits: a quarter of them, and twice as many and more


def encoded(form: str, subtype: str = "PCM_16", samples: np.ndarray = SOUND, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, samples.shape[1], subtype, format=form) as sink:
        sink.write(samples)
    return file.getvalue()


def stating(content: bytes, after: bytes, skip: int, code: str, value: int) -> bytes:
    """Return a file with another number `skip` bytes after a mark."""
    place = content.index(after) + len(after) + skip
    return content[:place] + struct.pack(code, value) + content[place + struct.calcsize(code) :]


def loaded(tmp_path: Path, content: bytes, name: str = "music.x") -> np.ndarray:
    (tmp_path / name).write_bytes(content)
    return Audio.load(tmp_path / name).samples.T


SIZES: dict[str, tuple[str, str, bytes, int, str]] = {  # where each format states how much sound it holds
    "wav": ("WAV", "PCM_16", b"data", 0, "<I"),
    "wav 24": ("WAV", "PCM_24", b"data", 0, "<I"),
    "wav float": ("WAVEX", "FLOAT", b"data", 0, "<I"),
    "rf64": ("RF64", "PCM_16", b"ds64", 12, "<Q"),
    "w64": ("W64", "PCM_16", b"data", 12, "<Q"),
    "aiff": ("AIFF", "PCM_16", b"SSND", 0, ">I"),
    "au": ("AU", "PCM_16", b".snd", 4, ">I"),
    "caf": ("CAF", "PCM_16", b"data", 0, ">q"),
}


@pytest.mark.parametrize("stated", [NONE, LESS, MORE])
@pytest.mark.parametrize("kind", SIZES)
def test_all_samples_that_are_there_whatever_is_stated(
    kind: str, stated: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    form, subtype, mark, skip, code = SIZES[kind]
    content = encoded(form, subtype)
    np.testing.assert_array_equal(whole := loaded(tmp_path, content), loaded(tmp_path, content, "music.wav"))
    assert len(whole) == len(SOUND)
    assert not caplog.records
    np.testing.assert_array_equal(loaded(tmp_path, stating(content, mark, skip, code, stated)), whole)
    if kind != "caf" or stated == LESS:  # which says so by other numbers, and FFmpeg keeps it to itself
        (line,) = caplog.messages
        assert ("breaks off after 2.0 s" if stated == MORE else "header and file disagree") in line


def test_what_follows_the_samples_is_no_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tag = b"id3 " + struct.pack("<I", 90_000) + bytes(range(250)) * 360
    assert len(loaded(tmp_path, encoded("WAV") + tag)) == len(SOUND)
    assert not caplog.records


CHAIN = [encoded("OGG", "VORBIS"), encoded("OGG", "OPUS", SOUND[:, :1], 48000), encoded("OGG", "VORBIS", SOUND[:9000])]


@pytest.mark.parametrize("order", [(0, 0), (0, 2, 0), (0, 1), (1, 0), (2, 2, 2)])
def test_all_links_of_a_chain(order: tuple[int, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded(tmp_path, CHAIN[order[0]])
    first = Audio.load(tmp_path / "music.x")
    links = []
    for number in order:
        loaded(tmp_path, CHAIN[number])
        link = Audio.load(tmp_path / "music.x").resample(first.rate).samples
        links.append(
            link
            if len(link) == len(first.samples)
            else np.broadcast_to(link.mean(0), (len(first.samples), link.shape[1]))
        )
    chained = loaded(tmp_path, b"".join(CHAIN[number] for number in order)).T
    np.testing.assert_allclose(chained, np.concatenate(links, 1), atol=1e-6)
    assert not caplog.records


@pytest.mark.parametrize(
    ("form", "subtype", "between"),
    [
        ("MP3", "MPEG_LAYER_III", b""),
        ("MP3", "MPEG_LAYER_III", b"TAG" + bytes(125) + b"ID3\3\0\0\0\0\x10\0" + bytes(2048)),
        ("MP3", "MPEG_LAYER_III", bytes(range(256)) * 20),
        ("FLAC", "PCM_16", b""),
    ],
)
def test_two_files_in_one(
    form: str,
    subtype: str,
    between: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    content = encoded(form, subtype)
    one, two = loaded(tmp_path, content), loaded(tmp_path, content + between + content)
    np.testing.assert_array_equal(two[: len(one)], one)
    assert 0 <= len(two) - 2 * len(one) < 5000
    (line,) = caplog.messages
    assert "header and file disagree: 2.0 s are stated, 4." in line
    assert capfd.readouterr() == ("", "")  # no decoder speaks for itself


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("FLAC", "PCM_24"),
        ("MP3", "MPEG_LAYER_III"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("WAV", "PCM_16"),
        ("AIFF", "ULAW"),
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_file_gives_what_is_there(
    form: str, subtype: str, share: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The sound is shorter than what is decoded at once: nothing of a block may be lost with its end."""
    rate = 48000 if subtype == "OPUS" else RATE
    content = encoded(form, subtype, np.tile(SOUND, (3 if form == "OGG" else 1, 1)), rate)
    whole = loaded(tmp_path, content)
    assert not caplog.records
    cut = loaded(tmp_path, content[: round(share * len(content))])
    assert abs(len(cut) / len(whole) - share) < 0.2
    np.testing.assert_allclose(cut[: len(cut) - 3000], whole[: len(cut) - 3000], atol=1e-6)
    (line,) = caplog.messages
    assert "breaks off" in line


def test_what_follows_damage_keeps_its_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = encoded("FLAC", samples=np.tile(SOUND, (4, 1)))
    whole = loaded(tmp_path, content)
    middle = len(content) // 2
    damaged = loaded(tmp_path, content[:middle] + bytes(40_000) + content[middle + 40_000 :])
    assert len(damaged) == len(whole)
    for part in (slice(None, 3 * RATE), slice(-3 * RATE, None)):
        np.testing.assert_array_equal(damaged[part], whole[part])
    (line,) = caplog.messages
    assert "cannot be decoded and are silent" in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (stating(encoded("WAV"), b"fmt ", 8, "<I", 0), "rate|read"),
        (stating(encoded("WAV"), b"fmt ", 8, "<I", 1), "has 1 samples a second; sound has 1,000 to 768,000"),
        (stating(encoded("WAV"), b"fmt ", 8, "<I", 999_999), "has 999999 samples a second"),
        (stating(encoded("WAV"), b"fmt ", 16, "<I", 0)[:53], "unknown kind"),
        (encoded("WAV", samples=np.zeros((100, 65), np.float32)), "has 65 channels of sound; at most 64"),
        (b"fLaC" + bytes(40), "read|rate"),
        (b"ID3\3\0\0\0\0\0\0" + bytes(99), "read|damaged"),
    ],
)
def test_what_no_sound_has_is_refused_before_it_is_decoded(content: bytes, message: str, tmp_path: Path) -> None:
    for reader in (Audio.load, blocks, lambda path: Audio.load(path, rate=22050, mono=True)):
        (tmp_path / "music.wav").write_bytes(content)
        with pytest.raises(AudioError, match=message) as caught:
            reader(tmp_path / "music.wav")
        assert str(caught.value).startswith(f"{tmp_path}/music.wav: ")
        assert "\n" not in str(caught.value)


def test_sound_beyond_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOUND", 100_000)
    (tmp_path / "silence.flac").write_bytes(encoded("FLAC", samples=np.zeros((50_000, 2), np.float32)))
    with pytest.raises(AudioError, match=r"silence\.flac: is longer than the 0\.0 hours"):
        Audio.load(tmp_path / "silence.flac")
    assert Audio.load(tmp_path / "silence.flac", rate=22050, mono=True).samples.shape == (1, 25_000)


@pytest.mark.parametrize("share", [-1.0, -0.9, -0.5, 0.0, 1.0])
def test_channels_that_cancel_each_other_out(share: float, tmp_path: Path) -> None:
    """Of one side and a multiple of it: the mean, but where it would be next to nothing the loudest."""
    samples = np.stack([SOUND[:, 0], share * SOUND[:, 0]]) + np.float32(0.05)
    Audio(samples, RATE).save(tmp_path / "music.wav")
    right = samples[:1] if share < -0.6 else samples.mean(0, keepdims=True)
    np.testing.assert_allclose(Audio(samples, RATE).mono().samples, right, atol=1e-6)
    np.testing.assert_allclose(Audio.load(tmp_path / "music.wav", mono=True).samples, right, atol=1e-6)
