"""Recording chain: what happens to music between the players and the file that somebody hears.

A room, microphones, an engineer's tools, tape or vinyl, and a codec: each is there or not, and several at once. What a
stage delays is taken back, so that the beats of the music stay where they are.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from scipy import ndimage, signal

from ictus.types import Float32Array, Float64Array

Stage = Callable[[Float32Array, int, np.random.Generator], Float32Array]

_CODECS = {"libmp3lame": ("mp3", "s16p"), "aac": ("adts", "fltp"), "libopus": ("ogg", "fltp")}
_CODED_RATE = 24000  # that all of them take
_MOST_DELAY = 0.1  # seconds that a codec may put before the music
_SHORTEST = 0.2  # seconds that are coded
_WANDER = 0.002  # seconds by which wow moves the music, at most
_PEAK = 0.98


@dataclass(frozen=True)
class RecordingChain:
    """The way of one recording. By default nothing happens.

    Attributes
    ----------
    room : seconds in which the room falls by 60 dB; 0 for none.
    distance : strength of the room beside the direct sound.
    colour : (dB, hertz, octaves) of each bell of the equaliser.
    low, high : hertz of a low and a high cut; 0 for none.
    compression : ratio above a threshold of 18 dB below the loud moments; 1 for none.
    drive : dB by which the limiter is overdriven; 0 for none.
    wow : seconds by which an uneven tape or record moves the music; 0 for none.
    hiss, hum, crackle : dB below the music; None for none.
    codec : name of FFmpeg's encoder, None for none.
    bitrate : of the codec, in bits a second.
    gain : dB of the whole below full scale.
    seed : of all that is random in it.
    """

    room: float = 0.0
    distance: float = 0.5
    colour: tuple[tuple[float, float, float], ...] = field(default=())
    low: float = 0.0
    high: float = 0.0
    compression: float = 1.0
    drive: float = 0.0
    wow: float = 0.0
    hiss: float | None = None
    hum: float | None = None
    crackle: float | None = None
    codec: str | None = None
    bitrate: int = 64000
    gain: float = 0.0
    seed: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "RecordingChain":
        """Draw another one; one in five is old: narrow, noisy, uneven."""
        old = rng.uniform() < 0.2

        def happens(share: float, share_if_old: float) -> bool:
            return bool(rng.uniform() < (share_if_old if old else share))

        def between(low: float, high: float) -> float:
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))

        bells = [(rng.normal(0, 5), between(60, 9000), rng.uniform(0.3, 2)) for _ in range(int(rng.integers(0, 4)))]
        return cls(
            room=between(0.3, 3.5) if happens(0.55, 0.4) else 0.0,
            distance=between(0.15, 2.5),
            colour=tuple((float(gain), hertz, float(width)) for gain, hertz, width in bells),
            low=between(25, 160) if happens(0.2, 0.8) else 0.0,
            high=between(2800, 5500) if old else between(4000, 10000) if rng.uniform() < 0.25 else 0.0,
            compression=between(1.5, 8) if happens(0.4, 0.4) else 1.0,
            drive=float(rng.uniform(1, 12)) if happens(0.3, 0.2) else 0.0,
            wow=between(0.0001, _WANDER) if happens(0.05, 0.7) else 0.0,
            hiss=float(rng.uniform(-65, -18)) if happens(0.3, 0.9) else None,
            hum=float(rng.uniform(-60, -25)) if happens(0.08, 0.4) else None,
            crackle=float(rng.uniform(-45, -12)) if happens(0.02, 0.5) else None,
            codec=str(rng.choice(list(_CODECS))) if rng.uniform() < 0.35 else None,
            bitrate=int(rng.choice([24000, 32000, 48000, 64000, 96000])),
            gain=float(rng.uniform(-25, 0)),
            seed=int(rng.integers(2**31)),
        )

    def apply(self, music: Float32Array, rate: int) -> Float32Array:
        """Return the music, (N,), as it was recorded: the same length and time, peak at most .98.

        Parameters
        ----------
        music : (N,) at `rate` samples a second, of some level; silence stays silence.
        """
        level = float(np.sqrt((music.astype(np.float64) ** 2).mean())) if len(music) else 0.0
        if not level:
            return music.astype(np.float32)
        rng = np.random.default_rng(self.seed)
        sound = (music * np.float32(0.1 / level)).astype(np.float32)  # noise and compression know the level
        for stage in (self._in_a_room, self._coloured, self._compressed, self._limited, self._on_tape, self._coded):
            sound = stage(sound, rate, rng)
        peak = float(np.abs(sound).max())
        return np.asarray(sound * np.float32(_PEAK * 10 ** (self.gain / 20) / max(peak, 1e-9)), np.float32)

    def _in_a_room(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Early reflections, and noise that decays, the sooner the higher; the direct sound comes first."""
        if not self.room:
            return sound
        count = int(min(self.room, 4.0) * rate)
        time = np.arange(count) / rate
        tail = np.zeros(count)
        for low, high, share in ((0.0, 800.0, 1.1), (800.0, 3000.0, 1.0), (3000.0, rate / 2, 0.5)):
            noise = rng.standard_normal(count) * 10 ** (-3 * time / (share * self.room))
            tail += _band(noise, low, high, rate)
        early = rng.uniform(0.004, 0.06, 8)
        tail *= np.clip(time / 0.03, 0, 1)
        tail /= np.sqrt((tail**2).sum())
        tail[(early * rate).astype(int)] += 0.5 * rng.normal(0, 1, 8) / np.sqrt(8) * np.exp(-early / 0.04)
        wet = signal.oaconvolve(sound, tail.astype(np.float32))[: len(sound)]
        return np.asarray(sound + np.float32(self.distance) * wet, np.float32)

    def _coloured(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Equaliser: bells and cuts, without phase."""
        if not self.colour and not self.low and not self.high:
            return sound
        hertz = np.fft.rfftfreq(1 << 13, 1 / rate)[1:]
        decibels = np.zeros(len(hertz))
        for gain, centre, octaves in self.colour:
            decibels += gain * np.exp(-0.5 * (np.log2(hertz / centre) / octaves) ** 2)
        if self.low:
            decibels -= 18 * np.clip(np.log2(self.low / hertz), 0, 4)
        if self.high:
            decibels -= 36 * np.clip(np.log2(hertz / self.high), 0, 2)
        kernel = np.fft.irfft(np.append(10 ** (decibels[0] / 20), 10 ** (decibels / 20)))
        kernel = np.roll(kernel, len(kernel) // 2) * np.hanning(len(kernel))
        return np.asarray(signal.oaconvolve(sound, kernel.astype(np.float32), "same"), np.float32)

    def _compressed(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Compressor: what is loud over a tenth of a second is made softer."""
        if self.compression <= 1:
            return sound
        hop = rate // 200
        level = _level(sound, hop, 0.06 * rate / hop)
        over = np.maximum(level - (np.percentile(level, 95) - 18), 0)
        decibels = -over * (1 - 1 / self.compression)
        return np.asarray(sound * _held(10 ** (decibels / 20), hop, len(sound)), np.float32)

    def _limited(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Limiter, overdriven: peaks are rounded off."""
        if not self.drive:
            return sound
        loud = float(np.percentile(np.abs(sound), 99.5)) * 10 ** (-self.drive / 20)
        return np.asarray(loud * np.tanh(sound / max(loud, 1e-9)), np.float32)

    def _on_tape(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Wow, and the noises of tapes, mains and records."""
        if self.wow:
            time = np.arange(len(sound)) / rate
            turns = (rng.uniform(0.5, 2), rng.uniform(3, 8))  # hertz of a record and of a capstan
            moved = sum(
                share * np.sin(2 * np.pi * (turn * time + rng.uniform()))
                for share, turn in zip((0.95, 0.05), turns, strict=True)
            )
            place = np.clip(np.arange(len(sound)) + self.wow * rate * moved, 0, len(sound) - 1)
            sound = np.interp(place, np.arange(len(sound)), sound).astype(np.float32)
        for decibels, noise in ((self.hiss, _hiss), (self.hum, _hum), (self.crackle, _crackle)):
            if decibels is not None:
                added = noise(len(sound), rate, rng)
                added /= max(float(np.sqrt((added**2).mean())), 1e-9)
                sound = sound + (0.1 * 10 ** (decibels / 20) * added).astype(np.float32)
        return sound

    def _coded(self, sound: Float32Array, rate: int, rng: np.random.Generator) -> Float32Array:
        """Encode and decode, and take back what that delays."""
        if self.codec is None or len(sound) < _SHORTEST * rate:
            return sound
        loud = np.float32(0.9 / max(float(np.abs(sound).max()), 1e-9))
        found = _decoded(_encoded(sound * loud, rate, self.codec, self.bitrate), rate)
        return _aligned(found, sound * loud, round(_MOST_DELAY * rate)) / loud


def _band(noise: Float64Array, low: float, high: float, rate: int) -> Float64Array:
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / rate)
    spectrum[(hertz < low) | (hertz >= high)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(noise)))


def _level(sound: Float32Array, hop: int, width: float) -> Float64Array:
    """Return the level, in decibels, of each `hop` samples, averaged over about `width` hops."""
    frames = np.pad(sound, (0, -len(sound) % hop)).reshape(-1, hop).astype(np.float64)
    power = ndimage.gaussian_filter1d((frames**2).mean(1), width)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))


def _held(gain: Float64Array, hop: int, count: int) -> Float32Array:
    """Return gains of hops as gains of samples, (count,)."""
    return np.interp(np.arange(count), (np.arange(len(gain)) + 0.5) * hop, gain).astype(np.float32)


def _hiss(count: int, rate: int, rng: np.random.Generator) -> Float64Array:
    """Noise of some colour, from dark to bright."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / rate)
    return np.asarray(np.fft.irfft(spectrum * np.maximum(hertz, 40) ** rng.uniform(-0.8, 0.5), count))


def _hum(count: int, rate: int, rng: np.random.Generator) -> Float64Array:
    """The mains, with overtones."""
    time, mains = np.arange(count) / rate, float(rng.choice([50.0, 60.0]))
    return np.asarray(sum(np.sin(2 * np.pi * k * mains * time) / k for k in (1, 2, 3, 5)))


def _crackle(count: int, rate: int, rng: np.random.Generator) -> Float64Array:
    """Clicks, a few in a second, most of them weak."""
    clicks = np.zeros(count)
    places = rng.integers(0, count, max(1, int(rng.uniform(2, 30) * count / rate)))
    clicks[places] = rng.standard_normal(len(places)) * rng.lognormal(0, 1, len(places))
    return np.asarray(signal.lfilter([1.0], [1.0, -0.7], clicks))


def _encoded(sound: Float32Array, rate: int, codec: str, bitrate: int) -> bytes:
    """Return a file of sound (N,) at one rate, at `_CODED_RATE`."""
    container_format, sample_format = _CODECS[codec]
    file = io.BytesIO()
    with av.open(file, "w", format=container_format) as container:
        stream = cast(AudioStream, container.add_stream(codec, rate=_CODED_RATE, layout="mono"))
        stream.bit_rate = bitrate
        resampler = av.AudioResampler(format=sample_format, layout="mono", rate=_CODED_RATE)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), "fltp", "mono")
        frame.rate, frame.pts = rate, 0
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


def _decoded(file: bytes, rate: int) -> Float32Array:
    """Return the sound, (N,), of a file, at a rate."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(io.BytesIO(file), "r") as container:
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    parts += resampler.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def _aligned(found: Float32Array, sound: Float32Array, most: int) -> Float32Array:
    """Return what was decoded, moved back to where it is most like the sound, and as long."""
    stretch = min(len(sound), len(found), 1 << 18)
    start = (len(sound) - stretch) // 2
    heard = found[start : start + stretch + most]
    likeness = signal.correlate(heard, sound[start : start + stretch], "full", "fft")[stretch - 1 :][: most + 1]
    delay = int(np.argmax(likeness)) if len(likeness) else 0
    back = found[delay : delay + len(sound)]
    return np.pad(back, (0, len(sound) - len(back)))
