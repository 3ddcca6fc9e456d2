"""Recording chain: everything that may happen is heard, and nothing moves the beats."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from ictus.synthesis.recording_chain import RecordingChain

RATE = 22050
SECONDS = 8.0


def ticks() -> np.ndarray:
    """Return short tones, one each half second, over a soft chord."""
    time = np.arange(int(SECONDS * RATE)) / RATE
    music = 0.02 * sum(np.sin(2 * np.pi * hertz * time) for hertz in (110, 277, 330, 1760, 5000))
    tone = np.exp(-np.arange(2000) / 300) * np.sin(2 * np.pi * 880 * np.arange(2000) / RATE)
    for start in (np.arange(0.3, SECONDS - 0.3, 0.5) * RATE).astype(int):
        music[start : start + 2000] += tone * (0.4 + 0.6 * ((start // RATE) % 2))
    return music.astype(np.float32)


def moved(music: np.ndarray, heard: np.ndarray) -> float:
    """Return the milliseconds by which the onsets of what is heard come late."""

    def rises(sound: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(signal.lfilter([0.02], [1, -0.98], np.abs(sound))), 0)

    likeness = signal.correlate(rises(heard), rises(music), "full", "fft")
    return 1000 * (int(np.argmax(likeness)) - (len(music) - 2)) / RATE


EVERYTHING = {
    "room": RecordingChain(room=2.0, distance=1.0),
    "equaliser": RecordingChain(colour=((12.0, 1000.0, 0.7),)),
    "low cut": RecordingChain(low=300.0),
    "high cut": RecordingChain(high=3000.0),
    "compressor": RecordingChain(compression=6.0),
    "limiter": RecordingChain(drive=12.0),
    "wow": RecordingChain(wow=0.002),
    "hiss": RecordingChain(hiss=-20.0),
    "hum": RecordingChain(hum=-20.0),
    "crackle": RecordingChain(crackle=-15.0),
    "mp3": RecordingChain(codec="libmp3lame", bitrate=32000),
    "aac": RecordingChain(codec="aac", bitrate=32000),
    "opus": RecordingChain(codec="libopus", bitrate=32000),
}


@pytest.mark.parametrize("chain", EVERYTHING.values(), ids=EVERYTHING)
def test_everything_that_may_happen_is_heard(chain: RecordingChain) -> None:
    music = ticks()
    plain, heard = RecordingChain().apply(music, RATE), chain.apply(music, RATE)
    assert heard.shape == music.shape
    assert heard.dtype == np.float32
    assert float(np.sqrt(((heard - plain) ** 2).mean())) > 5e-4  # 66 dB below full scale
    assert abs(moved(music, heard)) < 3


def test_a_room_rings_on_and_a_compressor_evens_out() -> None:
    music = ticks()
    gap = slice(int(0.75 * RATE), int(0.79 * RATE))  # between two tones
    dry = np.where(np.abs(music) > 0.15, music, 0).astype(np.float32)
    room = RecordingChain(room=2.0, distance=1.0).apply(dry, RATE)
    assert float(np.abs(RecordingChain().apply(dry, RATE)[gap]).max()) == 0
    assert float(np.abs(room[gap]).max()) > 1e-3
    strong = np.where((np.arange(len(music)) // (2 * RATE)) % 2, music, 0.1 * music).astype(np.float32)
    even = RecordingChain(compression=8.0).apply(strong, RATE)
    seconds = np.sqrt((even.reshape(4, -1)[:, RATE // 2 :] ** 2).mean(1))
    assert seconds[1] / seconds[0] < 0.7 * 10


def test_chains_of_all_kinds_keep_the_beats_and_their_level() -> None:
    music, rng = ticks(), np.random.default_rng(0)
    for _ in range(25):
        chain = RecordingChain.draw(rng)
        heard = chain.apply(music, RATE)
        assert np.isfinite(heard).all()
        assert 0 < float(np.abs(heard).max()) <= 0.99
        assert abs(moved(music, heard)) < 3, chain


def test_the_same_chain_is_the_same_recording() -> None:
    music, chain = ticks(), RecordingChain.draw(np.random.default_rng(3))
    noisy = replace(chain, hiss=-20.0)
    np.testing.assert_array_equal(noisy.apply(music, RATE), noisy.apply(music, RATE))
    assert (noisy.apply(music, RATE) != replace(noisy, seed=noisy.seed + 1).apply(music, RATE)).any()


def test_silence_stays_silence() -> None:
    chain = RecordingChain.draw(np.random.default_rng(1))
    assert not chain.apply(np.zeros(RATE, np.float32), RATE).any()
    assert not len(chain.apply(np.zeros(0, np.float32), RATE))


@pytest.mark.parametrize("codec", ["libmp3lame", "aac", "libopus"])
@pytest.mark.parametrize("count", [1, 5, 3000, 6000])
def test_sounds_of_a_moment_are_recorded_too(codec: str, count: int) -> None:
    music = np.sin(np.arange(count, dtype=np.float32) * 0.1) + np.float32(0.1)
    assert RecordingChain(codec=codec).apply(music, RATE).shape == (count,)
