"""A SoundFont small enough to be made in a test: a piano, slow strings and a snare drum.

Source of the format: SoundFont Technical Specification 2.01, chapters 4 to 8.
"""

import math
import struct
from pathlib import Path

import numpy as np

CYCLE = 84  # samples of middle C
RATE = round(CYCLE * 440 * 2 ** (-9 / 12))
ATTACK = 0.08  # seconds, linear, of the strings
PIANO, STRINGS, KIT = (0, 0), (48, 0), (0, 128)  # program, bank
_ATTACK, _RELEASE, _INSTRUMENT, _SAMPLE, _MODES = 34, 38, 41, 53, 54  # generators


def save_soundfont(path: Path) -> Path:
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + _information() + _samples() + _presets()))
    return path


def _tones() -> list[np.ndarray]:
    time = np.arange(CYCLE * 200)
    tone = sum(np.sin(2 * np.pi * k * time / CYCLE) / k for k in range(1, 9))
    struck = 0.05 * tone * np.exp(-time / (0.3 * RATE))  # weak on purpose
    hit = np.random.default_rng(0).uniform(-0.8, 0.8, 3000) * np.exp(-np.arange(3000) / 600)
    return [struck, 0.5 * tone, hit]


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _information() -> bytes:
    return _chunk(
        b"LIST",
        b"INFO"
        + _chunk(b"ifil", struct.pack("<HH", 2, 1))
        + _chunk(b"isng", b"EMU8000\0")
        + _chunk(b"INAM", b"tiny\0\0"),
    )


def _samples() -> bytes:
    data = b"".join((32767 * np.append(tone, np.zeros(46))).astype("<i2").tobytes() for tone in _tones())
    return _chunk(b"LIST", b"sdta" + _chunk(b"smpl", data))


def _presets() -> bytes:
    release = (_RELEASE, round(1200 * math.log2(0.05)))
    slow = (_ATTACK, round(1200 * math.log2(ATTACK)))
    instruments = [
        [release, (_MODES, 0), (_SAMPLE, 0)],
        [slow, release, (_MODES, 1), (_SAMPLE, 1)],
        [(_MODES, 0), (_SAMPLE, 2)],
    ]
    programs = (PIANO, STRINGS, KIT)
    headings, at = b"", 0
    for k, tone in enumerate(_tones()):
        end = at + len(tone)
        places = (at, end, at + 2 * CYCLE, end - 2 * CYCLE) if k < 2 else (at, end, at, end)
        headings += struct.pack("<20s5IBbHH", b"sample", *places, RATE, 60, 0, 0, 1)
        at = end + 46
    tables = {
        b"phdr": b"".join(
            struct.pack("<20sHHHIII", b"preset", number, bank, k, 0, 0, 0) for k, (number, bank) in enumerate(programs)
        )
        + struct.pack("<20sHHHIII", b"EOP", 0, 0, 3, 0, 0, 0),
        b"pbag": b"".join(struct.pack("<HH", k, 0) for k in range(4)),
        b"pmod": bytes(10),
        b"pgen": b"".join(struct.pack("<Hh", _INSTRUMENT, k) for k in range(3)) + bytes(4),
        b"inst": b"".join(struct.pack("<20sH", b"instrument", k) for k in range(4)),
        b"ibag": b"".join(struct.pack("<HH", sum(map(len, instruments[:k])), 0) for k in range(4)),
        b"imod": bytes(10),
        b"igen": b"".join(struct.pack("<Hh", *pair) for pairs in instruments for pair in pairs) + bytes(4),
        b"shdr": headings + struct.pack("<20s5IBbHH", b"EOS", *[0] * 9),
    }
    return _chunk(b"LIST", b"pdta" + b"".join(_chunk(name, table) for name, table in tables.items()))
