"""A band that composes songs: any number of them, in the styles of popular music, as `Score`s whose beats are known.

A song begins as a form (`ictus.synthesis.song_form`). The band arranges it: each player's line is one long text of
sixteenths, put together from the patterns of `ictus.synthesis.styles` and then edited as players would: fills, breaks,
anticipations, upbeats.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ictus.scores.score import Note, Part, Score, joint_loudness
from ictus.synthesis.song_form import ENERGY, Chord, SongForm, draw_song_form, harmony
from ictus.synthesis.styles import SOUNDS, BandStyle, Lines
from ictus.synthesis.tempo import Timing, written
from ictus.types import Float64Array

_STRESS, _UNEVEN = {"X": 0.12, "g": -0.3}, 0.03  # of loudness: of a sign, and of hands
_OFTEN = {"g": 0.5, "?": 0.25}  # how often a stroke is played
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}  # whether minor: semitones
_LOWEST = {"bass": 28, "chords": 53, "melody": 52, "pad": 57}  # pitch from which a layer's roots are counted

# How steady a band is: how often, wandering of its tempo, and seconds by which a beat misses its place.
_STEADINESS = {
    "machine": (0.3, 0.0, 0.0),
    "to a click": (0.3, 0.002, 0.004),
    "live": (0.3, 0.01, 0.007),
    "loose": (0.1, 0.025, 0.012),
}


def compose_song(rng: np.random.Generator, style: str | None = None) -> Score:
    """Invent a song, of 110 seconds or more.

    Its title describes it in a line. The parts carry the names of `SOUNDS`; drums are played at their percussion
    keys.

    Parameters
    ----------
    style : a name of `STYLES`; None draws one.

    Raises
    ------
    UsageError
        If there is no such style.
    """
    return arrange(draw_song_form(rng, style), rng)


# --- The lines -------------------------------------------------------------------------------------------------------


def arrange(song: SongForm, rng: np.random.Generator) -> Score:
    """Return the score of a song: what each player plays from beginning to end."""
    style = song.definition
    lines = {("drums", sound): line for sound, line in _drums(song, rng).items()}
    lines |= {("percussion", sound): line for sound, line in _percussion(song, rng).items()}
    players = {layer: str(rng.choice(sounds)) for layer, sounds in style.players.items()}
    texts = {"melody": _melody(song, rng)}
    texts |= {layer: _from_patterns(song, layer, rng) for layer in ("bass", "chords", "pad")}
    lines |= {(layer, players[layer]): text for layer, text in texts.items()}
    for start, stop, kept in [*_breaks(song, rng), (0, song.first, "")]:
        lines = {
            key: line if key[0] == kept else _overwrite(line, "-" * (stop - start), start)
            for key, line in lines.items()
        }
    grid = _grid(song)
    drafts = [_part(grid, layer, sound, line, rng) for (layer, sound), line in lines.items()]
    parts = tuple(part for part in drafts if part is not None)
    beats = _beats(song)
    tempo = np.array([[0.0, song.tempo * style.beat / 4]])
    sections = np.unique(np.maximum(song.starts[:-1] - song.first, 0)) / 4
    return Score(song.title, tempo, joint_loudness(parts, beats[:, 0]), parts, beats, sections=sections)


def _beats(song: SongForm) -> Float64Array:
    """Return the beats of a song, (B, 4) as in `Score.beats`."""
    style = song.definition
    number = np.arange(song.first // style.beat, song.starts[-1] // style.beat)
    quarters = (number * style.beat - song.first) / 4
    same = np.ones(len(number))
    return np.stack([quarters, number % style.meter + 1, style.meter * same, style.division * same], axis=1)


def _overwrite(line: str, text: str, start: int) -> str:
    return line[:start] + text + line[start + len(text) :]


def _tile(text: str, count: int) -> str:
    return (text * -(-count // len(text)))[:count]


def _drums(song: SongForm, rng: np.random.Generator) -> Lines:
    """Return the drummer's lines: a groove for the chorus and one for the rest, fills between, crashes after them."""
    style = song.definition
    grooves = [dict(style.grooves[k]) for k in rng.integers(len(style.grooves), size=2)]
    if "hi-hat" in grooves[1] and rng.uniform() < 0.5:  # the chorus on another cymbal
        grooves[1][str(rng.choice(["ride", "open hi-hat"]))] = grooves[1].pop("hi-hat")
    names = {sound for lines in (*grooves, *style.fills) for sound in lines} | {"kick", "side stick", "crash"}
    lines = dict.fromkeys(sorted(names), "-" * int(song.starts[-1]))
    for section, start, end in zip(song.sections, song.starts[:-1].tolist(), song.starts[1:].tolist(), strict=True):
        if "drums" not in section.layers:
            continue
        groove = grooves[section.name == "chorus"]
        if section.name == "count-in":
            groove = {"side stick": "x" + "-" * (style.beat - 1)}
        elif section.name == "end":
            groove = {sound: "X".ljust(style.bar, "-") for sound in ("kick", "crash")}
        for sound, text in groove.items():
            lines[sound] = _overwrite(lines[sound], _tile(text, end - start), start)
        if section.name not in ("count-in", "end"):
            if rng.uniform() < 0.6 and section.energy > 0.6:
                lines["crash"] = _overwrite(lines["crash"], "x", start)
            lines = _with_fills(lines, style, start, end, rng)
    return lines


def _with_fills(lines: Lines, style: BandStyle, start: int, end: int, rng: np.random.Generator) -> Lines:
    phrase = 4 * style.bar * (2 if style.bar < 12 else 1)
    for stop in range(start + phrase, end + 1, phrase):
        if rng.uniform() < (0.75 if stop == end else 0.25):
            fill = style.fills[rng.integers(len(style.fills))]
            count = max(len(text) for text in fill.values())
            lines = {
                sound: _overwrite(line, fill.get(sound, "").rjust(count, "-"), stop - count)
                for sound, line in lines.items()
            }
    return lines


def _percussion(song: SongForm, rng: np.random.Generator) -> Lines:
    """Return what is beaten beside the kit."""
    if not song.definition.percussion:
        return {}
    chosen = song.definition.percussion[rng.integers(len(song.definition.percussion))]
    return {
        sound: _repeat_by_section(song, "percussion", dict.fromkeys(ENERGY, text)) for sound, text in chosen.items()
    }


def _from_patterns(song: SongForm, layer: str, rng: np.random.Generator) -> str:
    """Return the line of a player who has one pattern for the chorus and one for the rest."""
    style = song.definition
    patterns = {"bass": style.bass, "chords": style.chords, "pad": ("x".ljust(style.bar, "="),)}[layer]
    chosen = [str(pattern) for pattern in rng.choice(patterns, size=2)]
    first = "1" if layer == "bass" else "x"
    texts = {name: chosen[name == "chorus"] for name in ENERGY} | {"end": first.ljust(style.bar, "=")}
    line = _repeat_by_section(song, layer, texts)
    for section, start in zip(song.sections, song.starts.tolist(), strict=False):
        if layer in section.layers and line[start] == "=":  # there is nothing yet to be held
            line = _overwrite(line, first, start)
    return line


def _repeat_by_section(song: SongForm, layer: str, texts: Lines) -> str:
    """Return a line that repeats each section's text wherever the layer plays, and rests elsewhere."""
    counts = np.diff(song.starts).tolist()
    return "".join(
        _tile(texts[section.name] if layer in section.layers else "-", count)
        for section, count in zip(song.sections, counts, strict=True)
    )


def _melody(song: SongForm, rng: np.random.Generator) -> str:
    """Return the tune: a letter for each degree of the scale, from `a`; the same in all verses, in all choruses."""
    style = song.definition
    line = _repeat_by_section(
        song, "melody", {name: _tune(style, rng) for name in ENERGY} | {"end": "h".ljust(style.bar, "=")}
    )
    runs_up = rng.uniform() < 0.4
    for section, start in zip(song.sections, song.starts.tolist(), strict=False):
        if "melody" in section.layers and runs_up and start:
            line = _overwrite(line, "e=f=g=".rjust(2 * style.beat, "-")[-2 * style.beat :], start - 2 * style.beat)
    if song.upbeat:
        line = _overwrite(line, "e".ljust(style.beat, "=") * song.upbeat, style.bar - song.upbeat * style.beat)
    return line


def _tune(style: BandStyle, rng: np.random.Generator) -> str:
    """Return four or eight bars made of a few motives."""
    motives = {letter: _motive(style, int(rng.integers(4, 10)), rng) for letter in "ABC"}
    form = str(rng.choice(["AABA", "ABAB", "AAAB", "ABAC", "ABCB", "ABACABAB"]))
    return "".join(motives[letter] for letter in form)


def _motive(style: BandStyle, degree: int, rng: np.random.Generator) -> str:
    cells = [str(rng.choice(style.cells)) for _ in range(style.meter)]
    if not any("x" in cell for cell in cells):
        cells[0] = "x".ljust(style.beat, "=")
    text = ""
    for sign in "".join(cells):
        text += chr(ord("a") + degree) if sign == "x" else sign
        if sign == "x":
            homewards = 0.12 * (7 - degree)
            degree = int(np.clip(degree + round(rng.normal(homewards, 1.5)), 0, 14))
    return text


def _breaks(song: SongForm, rng: np.random.Generator) -> list[tuple[int, int, str]]:
    """Return where the band stops at the end of a section: first and last sixteenth, and the one layer that goes on."""
    breaks = []
    for section, end in zip(song.sections[:-1], song.starts[1:].tolist(), strict=False):
        if section.bars > 1 and rng.uniform() < 0.15:
            count = song.definition.bar if rng.uniform() < 0.5 else song.definition.bar - song.definition.beat
            breaks.append((end - count, end, str(rng.choice(["drums", "melody", "bass", "chords", ""]))))
    return breaks


# --- The notes -------------------------------------------------------------------------------------------------------


def _strokes(line: str) -> Iterator[tuple[int, str, int]]:
    """Give the sixteenth, the sign and the sixteenths of everything that is played in a line."""
    for match in re.finditer(r"([^-=])(=*)", line):
        yield match.start(), match[1], len(match[0])


@dataclass(frozen=True)
class _Grid:
    """What all players share: of every sixteenth, and one more, the quarter and the energy; and each beat's chord."""

    song: SongForm
    quarters: Float64Array
    energy: Float64Array
    chords: list[Chord]


def _grid(song: SongForm) -> _Grid:
    """Count from where the song begins; make the second halves of beats (or of half beats) late where it swings."""
    span = song.definition.swung
    whole, rest = np.divmod(np.arange(song.starts[-1] + 1) / 4 / span, 1)
    quarters = (whole + np.interp(rest, [0, 0.5, 1], [0, song.swing, 1])) * span
    energy = np.repeat([section.energy for section in song.sections], np.diff(song.starts))
    return _Grid(song, quarters - song.first / 4, energy, harmony(song))


def _part(grid: _Grid, layer: str, sound: str, line: str, rng: np.random.Generator) -> Part | None:
    """Return what a line means; None if nothing."""
    reader = _Reader(grid, layer, SOUNDS[sound].number, rng)
    marked = layer != "melody"  # where letters are degrees
    notes: list[Note] = []
    loudness: dict[float, float] = {}
    for step, sign, count in _strokes(line):
        if marked and rng.uniform() > _OFTEN.get(sign, 1.0):
            continue
        onset, end = float(grid.quarters[step]), float(grid.quarters[step + count])
        stress = _STRESS.get(sign, 0.0) if marked else 0.0
        loudness[onset] = float(np.clip(grid.energy[step] + stress + rng.normal(0, _UNEVEN), 0.05, 1))
        notes += [Note(onset, end - onset, pitch) for pitch in reader.pitches(step, sign)]
    if not notes:
        return None
    played = SOUNDS[sound]
    level = played.level * float(np.exp(rng.normal(0, 0.2)))
    dynamics = np.array(list(loudness.items()))
    return Part(sound, played.instrument, tuple(notes), level, dynamics, played.number, played.drum)


class _Reader:
    """Turns the signs of one player's line into pitches, in their order."""

    def __init__(self, grid: _Grid, layer: str, key: int, rng: np.random.Generator) -> None:
        self.song, self.chords, self.layer, self.key, self.rng = grid.song, grid.chords, layer, key, rng
        self.reached = _LOWEST.get(layer, 0)  # the last pitch played
        self.broken = 0  # tones of a broken chord played

    def pitches(self, step: int, sign: str) -> list[int]:
        """Return what a sign at a sixteenth asks for."""
        beat = step // self.song.definition.beat
        chord, coming = self.chords[beat], self.chords[min(beat + 1, len(self.chords) - 1)]
        match self.layer:
            case "drums" | "percussion":
                return [self.key]
            case "bass":
                self.reached = self._bass(sign, chord, coming)
                return [self.reached]
            case "melody":
                return [self._melody(sign, chord, step % self.song.definition.beat == 0)]
            case _:
                voices = self._voices(coming if sign == "n" else chord)
                self.broken += sign == "a"
                return [voices[self.broken % len(voices)]] if sign == "a" else voices

    def _bass(self, sign: str, chord: Chord, coming: Chord) -> int:
        root, following = (_LOWEST["bass"] + (one.root - _LOWEST["bass"]) % 12 for one in (chord, coming))
        if sign == "n":
            return following
        if sign == "c":
            return following + int(self.rng.choice([-1, 1]))
        if sign == "w":
            tones = [root + octave + tone for octave in (-12, 0, 12) for tone in chord.tones]
            near = [tone for tone in tones if 0 < abs(tone - self.reached) <= 7 and 27 <= tone <= 48]
            return int(self.rng.choice(near))
        seventh = chord.tones[3] if len(chord.tones) > 3 else 10
        return root + {"3": chord.tones[1], "5": chord.tones[2], "6": 9, "7": seventh, "8": 12}.get(sign, 0)

    def _melody(self, sign: str, chord: Chord, strong: bool) -> int:
        octave, degree = divmod(ord(sign) - ord("a"), 7)
        lowest = _LOWEST["melody"] + (self.song.tonic - _LOWEST["melody"]) % 12
        pitch = lowest + 12 * octave + _SCALES[self.song.minor][degree]
        if strong:  # on the beat, the nearest tone of the chord
            return min((pitch + by for by in (0, -1, 1, -2, 2) if (pitch + by) % 12 in chord.classes()), default=pitch)
        return pitch

    def _voices(self, chord: Chord) -> list[int]:
        """Place the tones of a chord within an octave, so that voices move little."""
        lowest = _LOWEST[self.layer]
        return sorted(lowest + (tone - lowest) % 12 for tone in chord.classes())


# --- The performance -------------------------------------------------------------------------------------------------


def band_timing(score: Score, rng: np.random.Generator) -> Timing:
    """Return how a band keeps time: as a machine, to a click, or by itself, when its tempo wanders a little."""
    names = list(_STEADINESS)
    name = str(rng.choice(names, p=[_STEADINESS[one][0] for one in names]))
    _, wandering, missing = _STEADINESS[name]
    plain = written(score)
    width = 16 / float(plain.quarters[1] - plain.quarters[0])  # of the wandering, 16 quarters in corners
    slow = ndimage.gaussian_filter1d(rng.normal(0, 1, len(plain.quarters) - 1), width, mode="reflect")
    change = wandering * slow * np.sqrt(2 * np.sqrt(np.pi) * width)
    if name in ("live", "loose") and rng.uniform() < 0.4:  # a broad ending
        change += 0.4 * np.clip((plain.quarters[:-1] - score.length + 6) / 6, 0, 1)
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(plain.seconds) * np.exp(change))])
    off = np.clip(rng.normal(0, missing, len(score.beats)), -2.5 * missing, 2.5 * missing)
    seconds += np.interp(plain.quarters, score.beats[:, 0], off)
    return Timing(plain.quarters, seconds - seconds[0], f"a band, {name}")
