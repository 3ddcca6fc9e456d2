"""Sections of music: borders and likeness, on songs whose form is known."""

import numpy as np
import pytest

from ictus.audio import Audio
from ictus.beats.sections import find_sections
from ictus.synthesis.band import arrange
from ictus.synthesis.song_form import draw_song_form
from ictus.synthesis.synthesizer import synthesize

RATE, BEAT = 22050, 0.4
CHORDS = {"A": (220, 277, 330), "B": (196, 294, 587, 1175), "C": (110, 2200, 3300)}


def piece(form: str, bars: int, meter: int, upbeat: int = 0) -> tuple[Audio, np.ndarray, np.ndarray]:
    """Each letter is a chord, struck on every beat, over noise; the first beats may belong to no bar."""
    beats = upbeat + len(form) * bars * meter
    time = np.arange(round(beats * BEAT * RATE)) / RATE
    number = np.maximum((time / BEAT - upbeat) // (bars * meter), 0).astype(int)
    sound = np.random.default_rng(0).normal(0, 0.01, len(time))
    for letter, chord in CHORDS.items():
        playing = np.isin(number, [k for k, name in enumerate(form) if name == letter])
        sound += playing * sum(np.sin(2 * np.pi * pitch * time) for pitch in chord) * np.exp(-4 * (time % BEAT))
    positions = (np.arange(beats) - upbeat) % meter + 1
    return Audio(sound[None].astype(np.float32), RATE), np.arange(beats) * BEAT, positions


@pytest.mark.parametrize(
    ("form", "bars", "meter", "upbeat"), [("ABAB", 8, 4, 0), ("ABCABC", 6, 3, 2), ("AABA", 8, 2, 1)]
)
def test_borders_and_likeness(form: str, bars: int, meter: int, upbeat: int) -> None:
    found = find_sections(*piece(form, bars, meter, upbeat))
    changes = [k for k in range(1, len(form)) if form[k] != form[k - 1]]
    assert found.starts.tolist() == [0, *(upbeat + k * bars * meter for k in changes)]
    letters = [form[0], *(form[k] for k in changes)]
    assert found.labels.tolist() == [sorted(set(letters)).index(letter) for letter in letters]


@pytest.mark.parametrize(("form", "bars"), [("A", 24), ("AB", 2)])
def test_what_does_not_change_or_is_short_is_one(form: str, bars: int) -> None:
    found = find_sections(*piece(form, bars, 4))
    assert (found.starts.tolist(), found.labels.tolist()) == ([0], [0])


def test_silence_is_one() -> None:
    _, times, positions = piece("A", 16, 4)
    assert find_sections(Audio(np.zeros((1, 30 * RATE), np.float32), RATE), times, positions).starts.tolist() == [0]


def test_a_song_of_a_band() -> None:
    rng = np.random.default_rng(20)  # house: intro, verse, chorus, verse, chorus, break, chorus, verse, end
    form = draw_song_form(rng)
    score = arrange(form, rng)
    found = find_sections(synthesize(score, rate=RATE), score.seconds(score.beats[:, 0]), score.beats[:, 1].astype(int))
    assert found.starts.tolist() == score.sections[:-1].tolist()
    names = [section.name for section in form.sections[:-1]]
    for name in ("verse", "chorus"):
        (label,) = set(found.labels[[k for k, one in enumerate(names) if one == name]])
        assert all(one == name for one, other in zip(names, found.labels, strict=True) if other == label)
