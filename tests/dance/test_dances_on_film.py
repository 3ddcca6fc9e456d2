"""Films of dancers as a repertoire."""

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dance.rigged_dances import saved
from dance.test_motion_matching import songs
from ictus.cli import main
from ictus.dance.data.repertoire import read_clips, read_repertoire
from ictus.errors import UsageError
from ictus.motion import Motion
from ictus.pose import Follower, Person, Picture
from ictus.pose.watch import Watch, watch
from people_with_sound import clicks, conducting, nobody, use_boxes, write
from pose.people_on_film import BODY, BoxEngine


class Dancing(BoxEngine):
    """Sees people whose arms swing from the elbow twice a second, and whose feet stay where they are."""

    def __init__(self, legs: bool = True) -> None:
        super().__init__()
        self.legs = legs

    def __call__(self, pictures: Iterable[Picture], follow: Follower) -> Iterator[Person | None]:
        seen, again = itertools.tee(pictures)
        for picture, person in zip(again, super().__call__(seen, follow), strict=True):
            yield None if person is None or person.world is None else self._swung(person, picture.time)

    def _swung(self, person: Person, time: float) -> Person:
        world, confidence = np.array(person.world), np.array(person.confidence)
        for side in ("left", "right"):
            names = [f"{side}_{part}" for part in ("elbow", "wrist", "pinky", "index", "thumb")]
            world[[BODY.index(name) for name in names], 1] += 0.3 * np.cos(4 * np.pi * time)
            if not self.legs:
                confidence[[BODY.index(f"{side}_{part}") for part in ("ankle", "heel", "foot_index")]] = 0.0
        return replace(person, world=world, confidence=confidence)


def look(legs: bool = True) -> Watch:
    return partial(watch, engine=Dancing(legs))


def test_a_dancer_comes_from_a_film_with_the_beats_that_the_arms_mark(tmp_path: Path) -> None:
    write(tmp_path / "waack" / "film.mp4", conducting(6), clicks(6))
    repertoire = read_repertoire(tmp_path, look())
    (clip,) = repertoire.clips
    assert (clip.name, clip.genre, repertoire.broken) == ("film", "WA", ())
    assert clip.seconds == pytest.approx(6, abs=0.1)
    assert 60 / clip.tempo == pytest.approx(0.5, rel=0.1) or 60 / clip.tempo == pytest.approx(0.25, rel=0.1)


def test_a_film_is_cut_where_it_was_cut_and_where_nobody_is_seen(tmp_path: Path) -> None:
    scenes = [conducting(2.4), nobody(2), conducting(1), conducting(2.6, background=150)]
    write(tmp_path / "film.mp4", itertools.chain(*scenes), None)  # a dance needs no sound
    clips = read_repertoire(tmp_path, look()).clips
    assert [clip.name for clip in clips] == ["film", "film from 5 s"]
    assert [clip.seconds for clip in clips] == pytest.approx([2.4, 2.6], abs=0.1)


def test_films_that_show_no_dance_are_named_and_the_others_danced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "dance.mp4", conducting(4), None)
    write(tmp_path / "empty.mp4", nobody(2), None)
    write(tmp_path / "one.mp4", itertools.islice(conducting(1), 1), None)
    (tmp_path / "bad.mp4").write_bytes(b"garbage" * 100)
    with caplog.at_level(logging.WARNING):
        found = read_repertoire(tmp_path, look())
    assert [clip.name for clip in found.clips] == ["dance"]
    says = ("bad.mp4: no film or sound", "empty.mp4: nobody is seen", "one.mp4: shows nobody for 1.5 s without a cut")
    assert len(found.without_dance) == 3
    for line, words in zip(found.without_dance, says, strict=True):
        assert words in line
        assert line in caplog.messages
    assert [clip.name for clip in read_clips(tmp_path, look())] == ["dance"]
    (tmp_path / "broken.bvh").write_text("HIERARCHY")
    with pytest.raises(UsageError, match=r"broken\.bvh"):
        read_clips(tmp_path, look())


def test_a_body_without_legs_is_no_dancer(tmp_path: Path) -> None:
    write(tmp_path / "film.mp4", conducting(3), None)
    with pytest.raises(UsageError, match=r"film\.mp4: does not show the legs; film the whole body"):
        read_repertoire(tmp_path, look(legs=False))


def test_a_film_beside_its_motion_is_left_alone(tmp_path: Path) -> None:
    saved(tmp_path, "bvh")
    (tmp_path / "dance.mp4").write_bytes(b"never opened")
    assert [clip.name for clip in read_clips(tmp_path, look())] == ["dance"]


def test_the_commands_take_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    films = tmp_path / "films"
    write(films / "dance.mp4", conducting(6), None)
    clicks(4, np.arange(0.2, 4, 0.5)).save(tmp_path / "song.wav")
    monkeypatch.setenv("ICTUS_CACHE", str(tmp_path / "cache"))
    assert main(["data", "inspect", "repertoire", "--data", str(films)]) == 2
    assert "`ictus models get blaze`" in capsys.readouterr().err
    use_boxes(monkeypatch, Dancing())
    assert main(["data", "inspect", "repertoire", "--data", str(films)]) == 0
    assert "dance.mp4: dance, 6.0 s" in capsys.readouterr().out
    out = tmp_path / "out.npz"
    assert main(["dance", str(tmp_path / "song.wav"), "--repertoire", str(films), "-o", str(out)]) == 0
    assert Motion.load(out).skeleton.name == "smpl-24"


def test_a_corpus_is_danced_by_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_boxes(monkeypatch, Dancing())
    write(tmp_path / "films" / "dance.mp4", conducting(6), None)
    write(tmp_path / "films" / "empty.mp4", nobody(2), None)
    out, given = tmp_path / "out", ("--data", str(songs(tmp_path / "songs")), "--dances", str(tmp_path / "films"))
    assert main(["data", "prepare", "choreography", *given, "--out", str(out), "--split", "train"]) == 0
    assert "empty.mp4: nobody is seen" in caplog.text
    (folder, *_) = sorted((out / "train").iterdir())
    assert np.load(folder / "motion.npy").shape[1] == 219
